//! A visit: one request of a person's browser, with its session, its language and its proof for forms.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::provider::Call;
use grantor_core::reach;
use grantor_core::session::Session;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_core::token;
use grantor_core::user::User;
use grantor_jose::id::Id;
use grantor_jose::secret::Secret;

use crate::accounts;
use crate::app::App;
use crate::cookie::{self, Name};
use crate::error::Unanswered;
use crate::limits;
use crate::locale::Language;
use crate::pages::{Frame, SignedIn};

/// How long after the first click of a double click the second one may come.
const A_MOMENT: Duration = Duration::from_mins(1);

/// One request of a browser.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) app: Data<App>,
    pub(crate) request: HttpRequest,
    /// The address it came from, as text.
    pub(crate) address: Rc<str>,
    /// When it is answered.
    pub(crate) now: Time,
    /// The browser's random mark.
    mark: String,
    /// Whether the mark is new, so that the answer must set it.
    mark_is_new: bool,
    /// The session that the cookie opens and that has not been ended, idle or not, and its person.
    presented: Option<Rc<(Session, User)>>,
    /// The live session, and its person.
    pub(crate) signed_in: Option<Rc<(Session, User)>>,
}

impl Visit {
    /// Reads cookies and session; a cookie that means nothing counts as none.
    async fn of(app: Data<App>, request: HttpRequest) -> Result<Self, Error> {
        let mut visit = Self::unread(app, request);
        let sent = visit.session_token();
        let parsed = sent.as_deref().and_then(|sent| token::SESSION.parse(sent));
        let presented = match parsed {
            Some((id, secret)) => find_session(&visit.app, id, &secret).await?.map(Rc::new),
            None => None,
        };
        visit.signed_in = presented.clone().filter(|found| visit.counts(&found.0, &found.1));
        visit.presented = presented;
        Ok(visit)
    }

    /// Whether a session counts here and now.
    pub(crate) fn counts(&self, session: &Session, user: &User) -> bool {
        // A session counts from where its person may sign in, and nowhere else.
        let may_enter = || reach::may_enter(&self.app.directory(), user, self.app.address(&self.request));
        self.is_signed_in(session, user) && may_enter()
    }

    /// Whether somebody is signed in, here or only in another network.
    pub(crate) fn is_signed_in(&self, session: &Session, user: &User) -> bool {
        session.is_live(&self.app.provider.policy.lifetimes, self.now) && !user.disabled
    }

    /// A visit as that of a stranger: nothing is read from the store.
    pub(crate) fn unread(app: Data<App>, request: HttpRequest) -> Self {
        let now = app.clock.now();
        let https = app.provider.issuer.is_https();
        let known = cookie::read(&request, Name::Visit, https).filter(|mark| mark.len() == 22);
        let mark_is_new = known.is_none();
        let mark = known.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(app.provider.mint.bytes::<16>()));
        let address = app.address(&request).to_string().into();
        Self { app, request, address, now, mark, mark_is_new, presented: None, signed_in: None }
    }

    /// The circumstances for core.
    pub(crate) fn call(&self) -> Call<'_> {
        Call::new(self.now, &self.address)
    }

    /// The session and its person.
    pub(crate) fn session(&self) -> Option<(&Session, &User)> {
        self.signed_in.as_deref().map(|(session, user)| (session, user))
    }

    /// The session that a sign-in in this browser takes the place of and a sign-out ends, idle or not, and its person: an app
    /// may have gone on in it while the browser was idle.
    pub(crate) fn presented(&self) -> Option<(&Session, &User)> {
        self.presented.as_deref().map(|(session, user)| (session, user))
    }

    /// The value of the session's cookie, as it was sent.
    pub(crate) fn session_token(&self) -> Option<String> {
        cookie::read(&self.request, Name::Session, self.app.provider.issuer.is_https())
    }

    /// The session that the browser brings where that has ended, and its person, if it would count had it not.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn ended_session(&self) -> Result<Option<(Session, User)>, Error> {
        let sent = self.session_token();
        let Some((id, secret)) = sent.as_deref().and_then(|sent| token::SESSION.parse(sent)) else { return Ok(None) };
        let found = self.app.provider.store.session_find(id).await?;
        let has_ended = |session: &Session, user: &User| {
            let before = Session { ended_at: None, ..session.clone() };
            session.secret.matches(&secret) && session.ended_at.is_some() && self.counts(&before, user)
        };
        Ok(found.filter(|(session, user)| has_ended(session, user)))
    }

    /// The browser as it names itself.
    pub(crate) fn user_agent(&self) -> String {
        let header = self.request.headers().get("user-agent");
        header.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
    }

    /// The browser's mark.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// The new mark, where the answer must set one.
    pub(crate) fn new_mark(&self) -> Option<&str> {
        self.mark_is_new.then_some(self.mark.as_str())
    }

    /// The text for the hidden field `csrf`: bound to this browser and this sign-in.
    pub(crate) fn csrf(&self) -> String {
        URL_SAFE_NO_PAD
            .encode(self.app.directory().secrets.browser.tag(&self.csrf_parts().each_ref().map(Vec::as_slice)))
    }

    fn csrf_parts(&self) -> [Vec<u8>; 3] {
        self.parts(b"csrf", self.session().map(|(session, _)| session.id))
    }

    /// What a proof is bound to: what it is for, the browser, and a session of it or a person.
    fn parts(&self, what: &[u8], bound_to: Option<Id>) -> [Vec<u8>; 3] {
        let bound_to = bound_to.map(|id| id.to_string()).unwrap_or_default();
        [what.to_vec(), self.mark.clone().into_bytes(), bound_to.into_bytes()]
    }

    /// The text for the field `beside` of sign-in pages: proof that the person chose here, on a page of ours, to sign in beside
    /// whoever is signed in now.
    pub(crate) fn beside(&self) -> String {
        URL_SAFE_NO_PAD
            .encode(self.app.directory().secrets.browser.tag(&self.beside_parts().each_ref().map(Vec::as_slice)))
    }

    /// Whether it is that proof, and nobody else is in use by now.
    pub(crate) fn is_beside(&self, proof: Option<&str>) -> bool {
        proof.is_some() && self.fits(proof, &self.beside_parts())
    }

    /// It is for the person in use, whichever session of theirs goes on here, and also when that is idle by now.
    fn beside_parts(&self) -> [Vec<u8>; 3] {
        self.parts(b"beside", self.presented().map(|(_, user)| user.id))
    }

    /// Whether a posted form is one that this browser was given.
    ///
    /// The hidden field must fit, and where the browser tells where the form stood, that must be our own origin.
    // "When interacting with the End-User, the Authorization Server MUST employ appropriate measures against Cross-Site
    // Request Forgery and Clickjacking as, described in Sections 10.12 and 10.13 of OAuth 2.0 [RFC6749]."
    // (OIDC Core §3.1.2.3)
    pub(crate) fn is_own_form(&self, csrf: Option<&str>) -> bool {
        self.is_from_here() && self.fits(csrf, &self.csrf_parts())
    }

    /// Whether a posted form that names its person, as that of signing in, is one that this browser was given, also before somebody
    /// was signed in, while their session was not idle, or while one of those was in use who are beside now: the second click of a
    /// double click comes with the session that the first one began.
    pub(crate) fn is_own_sign_in_form(&self, csrf: Option<&str>) -> bool {
        self.is_own_form(csrf) || self.is_from_here() && self.is_form_of_before(csrf)
    }

    /// Whether it was given before the person came into use who is now.
    fn is_form_of_before(&self, csrf: Option<&str>) -> bool {
        let presented = self.presented().map(|(session, _)| session.id);
        let beside = accounts::named(self).into_iter().chain(presented).map(Some);
        std::iter::once(None).chain(beside).any(|session| self.fits(csrf, &self.parts(b"csrf", session)))
    }

    /// Whether a posted sign-in form is the second one of a double click, whose first took the place of a session that the page had
    /// named (`named`): of a session that is over, so that no other check knows the form. It was given to this browser all the same.
    ///
    /// Either the person of the form, as `is_theirs` tells, is in use since a moment ago; or the browser has not heard of that yet, and
    /// nobody is in use. What it asks for is proved as by any other form. That nobody is signed out whom the page did not name is
    /// looked at apart, for every form ([`Company::is_over_others_than`](crate::accounts::Company::is_over_others_than)).
    pub(crate) fn is_second_click(&self, csrf: Option<&str>, named: &[Id], is_theirs: impl Fn(&User) -> bool) -> bool {
        let is_of = |session: Id| self.is_from_here() && self.fits(csrf, &self.parts(b"csrf", Some(session)));
        if let Some((session, user)) = self.presented() {
            let is_just_in = is_theirs(user) && self.now.since(session.auth_time) < A_MOMENT;
            return is_just_in && named.iter().any(|session| is_of(*session));
        }
        let sent = self.session_token();
        let sent = sent.and_then(|sent| token::SESSION.parse(&sent).map(|(session, _)| session));
        sent.is_some_and(|session| named.contains(&session) && is_of(session))
    }

    /// The person in use, where a posted sign-in form of this browser is older than that: what it asked for may be done.
    pub(crate) fn come_meanwhile(&self, csrf: Option<&str>) -> Option<(&Session, &User)> {
        let is_repeated = || !self.is_own_form(csrf) && self.is_own_sign_in_form(csrf);
        self.session().filter(|_| is_repeated())
    }

    /// Whether a posted sign-out form is one that this browser was given, also while the session was not idle yet.
    pub(crate) fn is_own_sign_out_form(&self, csrf: Option<&str>) -> bool {
        let presented = self.presented().map(|(session, _)| session.id);
        self.is_own_form(csrf) || self.is_from_here() && self.fits(csrf, &self.parts(b"csrf", presented))
    }

    /// Whether the answer is what the person sees, as far as the browser tells: not a picture in somebody's page, or a frame.
    pub(crate) fn is_seen(&self) -> bool {
        let shown_as = self.request.headers().get("sec-fetch-dest");
        shown_as.is_none_or(|shown_as| shown_as == "document") || self.is_from_here()
    }

    /// Whether the form stood on a page of ours, as far as the browser tells.
    pub(crate) fn is_from_here(&self) -> bool {
        let header = |name: &str| self.request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
        let own_origin = header("origin").is_none_or(|origin| origin == self.app.provider.issuer.origin());
        own_origin && header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"))
    }

    fn fits(&self, csrf: Option<&str>, parts: &[Vec<u8>; 3]) -> bool {
        let tag = csrf.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default();
        let key = &self.app.directory().secrets.browser;
        !self.mark_is_new && key.verify(&parts.each_ref().map(Vec::as_slice), &tag)
    }

    /// The language to answer in; `ui_locales` of an authorization request goes first.
    pub(crate) fn language(&self, ui_locales: Option<&str>) -> Language {
        let https = self.app.provider.issuer.is_https();
        let chosen = cookie::read(&self.request, Name::Language, https);
        let accepted = self.request.headers().get("accept-language").and_then(|value| value.to_str().ok());
        Language::choose(ui_locales, chosen.as_deref(), accepted).unwrap_or(self.app.settings.language)
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, ui_locales: Option<&str>, change: Option<String>) -> Frame {
        Frame {
            account: self.session().map(|(_, user)| signed_in(user, change)),
            csrf: self.csrf(),
            issuer: self.app.issuer(),
            language: self.language(ui_locales),
            now: self.now.seconds(),
            return_to: ui_locales.is_none().then(|| self.path_and_query()),
        }
    }

    fn path_and_query(&self) -> String {
        self.request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned()
    }
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = Data::<App>::extract(&request).await.map_err(|_| Unanswered::without_app())?;
            let visit = Self::of(app, request).await.map_err(Unanswered::from)?;
            if let Some(refusal) = limits::refuse_visit(&visit).await {
                return Err(InternalError::from_response("too many requests came", refusal).into());
            }
            if let Some((session, _)) = visit.session() {
                note_use(&visit.app, session, visit.now).await;
            }
            Ok(visit)
        })
    }
}

/// A person as pages name them.
pub(crate) fn signed_in(user: &User, change: Option<String>) -> SignedIn {
    SignedIn { change, name: user.display_name().to_owned(), username: user.username.clone() }
}

/// Each use of a session puts its end off, not only a sign-in to an app. A visit goes on where that cannot be written.
pub(crate) async fn note_use(app: &App, session: &Session, now: Time) {
    if session.is_stale(now)
        && let Err(error) = app.provider.store.commit(vec![Change::SessionSeen { id: session.id, at: now }]).await
    {
        tracing::debug!(%error, "the use of a session was not noted");
    }
}

/// The session that a token opens and that has not been ended, idle or not, and its person.
pub(crate) async fn find_session(app: &App, id: Id, secret: &Secret) -> Result<Option<(Session, User)>, Error> {
    let found = app.provider.store.session_find(id).await?;
    Ok(found.filter(|(session, _)| session.secret.matches(secret) && session.ended_at.is_none()))
}
