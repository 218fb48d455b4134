//! Forward auth over HTTP. A proxy asks at `/forward-auth` about each request; 2xx lets it go on, with headers that say as whom.
//!
//! Three kinds of proxies ask in three ways (`asked`). What they are told is the same (`answer`); where a browser has to be sent
//! somewhere, most proxies hand our answer on to it, and nginx sends it to `/.grantor/sign-in`. Below `/.grantor/` at an app's
//! host, we speak to the browser ourselves (`at_app`): there it gets and loses its cookie. All else it sees at the issuer
//! (`pages::enter`).

mod answer;
mod asked;
pub(crate) mod at_app;

use std::net::IpAddr;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::forward_auth::{Admitted, Place, admit_session, admit_token, cookie as app_cookie};
use grantor_core::time::Time;

use self::asked::Asked;
use crate::app::App;
use crate::cookie::AppName;
use crate::limits::Endpoint;
use crate::oauth::bearer_token;
use crate::visit;

/// One question of a proxy, of a proxy that we believe.
struct Question<'a> {
    app: &'a App,
    request: &'a HttpRequest,
    asked: Asked<'a>,
    /// The address that the request to the app comes from.
    from: IpAddr,
    now: Time,
}

/// Tells a proxy whether a request may go on. Every method is answered alike: some proxies ask with that of the request.
pub(crate) async fn any_forward_auth(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let question = match Question::read(&app, &request) {
        Ok(question) => question,
        Err(error) => return answer::unclear(&app, &request, &error).await,
    };
    if question.asked.is_handed_on && at_app::is_own(question.asked.target) {
        return at_app::answer(&question).await;
    }
    question.answer().await
}

impl<'a> Question<'a> {
    fn read(app: &'a App, request: &'a HttpRequest) -> Result<Self, Error> {
        Self::read_as(app, request, Asked::read)
    }

    /// Reads a question in one way to ask it.
    fn read_as(
        app: &'a App,
        request: &'a HttpRequest,
        read: impl FnOnce(&'a HttpRequest) -> Result<Asked<'a>, Error>,
    ) -> Result<Self, Error> {
        // Whoever may set these headers says which host and path are asked for, and from where.
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let is_listed = |peer| app.settings.trusted_proxies.iter().any(|network| network.contains(&peer));
        if !peer.is_some_and(is_listed) {
            return Err(Error::ProxyUntrusted);
        }
        Ok(Self { app, request, asked: read(request)?, from: app.address(request), now: app.clock.now() })
    }

    async fn answer(&self) -> HttpResponse {
        match self.judged().await {
            Ok((place, admitted)) => answer::admitted(self, &place, admitted.as_ref()),
            Err((place, error)) => answer::refused(self, place.as_ref(), &error).await,
        }
    }

    /// Where the request goes, and as whom; or why it does not, and where it would, as far as that is known.
    async fn judged(&self) -> Result<(Place, Option<Admitted>), (Option<Place>, Error)> {
        let found = self.app.directory().apps.find(self.asked.authority, self.asked.target);
        let place = found.map_err(|error| (None, error))?;
        match self.judge(&place).await {
            Ok(admitted) => Ok((place, admitted)),
            Err(error) => Err((Some(place), error)),
        }
    }

    /// Whether the request may go on, and as whom; nobody where it needs no sign-in.
    async fn judge(&self, place: &Place) -> Result<Option<Admitted>, Error> {
        place.app.admit_address(self.from)?;
        if place.is_unprotected || (place.app.unprotected_preflight && self.asked.is_preflight(self.request)) {
            return Ok(None);
        }
        // Where no token can enter, one is the app's own business.
        let token = place.app.resource.as_ref().map(|_| bearer_token(self.request)).transpose()?.flatten();
        let admitted = match token {
            Some(token) => admit_token(&self.app.provider, place, token, (self.from, self.now)).await?,
            None => self.by_cookie(place).await?,
        };
        if let Some(account) = admitted.account() {
            let at = (Endpoint::ForwardAuth, Some(place.app.name.as_str()));
            self.app.admit_account(at, account, self.now).map_err(Error::RateExceeded)?;
        }
        self.note(&admitted).await;
        Ok(Some(admitted))
    }

    async fn by_cookie(&self, place: &Place) -> Result<Admitted, Error> {
        let session_id = self.session_id(&place.origin).ok_or(Error::LoginRequired)?;
        admit_session(&self.app.provider, place, session_id, (self.from, self.now)).await
    }

    /// The host that is asked for.
    fn host(&self) -> Result<Host, Error> {
        let directory = self.app.directory();
        let (origin, home) = directory.apps.origin(self.asked.authority)?;
        Ok(Host { origin: origin.to_owned(), home: home.to_owned() })
    }

    /// Notes a refusal. One that says something of a person, or of a token that counts, is an event each time; what strangers can
    /// ask for as often as they like is one now and then, and the second question of nginx is none.
    async fn note_refusal(&self, error: &Error) {
        let is_of_somebody = matches!(
            error,
            Error::EntryRefused
                | Error::EntryMethodMissing
                | Error::RateExceeded(_)
                | Error::ScopeInsufficient
                | Error::Store(_)
        );
        // That somebody has yet to sign in is no event.
        let is_event = !matches!(error, Error::LoginRequired) && !self.asked.is_second;
        if is_event && (is_of_somebody || self.app.limiter.to_say(error.reason(), self.now).is_some()) {
            let address = self.from.to_string();
            self.app.record(error, None, self.app.call(&address)).await;
        }
    }

    /// The session that the browser's cookie at an app's host names.
    fn session_id(&self, origin: &str) -> Option<grantor_jose::id::Id> {
        let text = AppName::Session.read(self.request, origin)?;
        app_cookie::open(&text, &self.app.directory().secrets.browser, origin)
    }

    /// Notes the use of a token or of a session. The request goes on where that cannot be written.
    async fn note(&self, admitted: &Admitted) {
        self.app.note_use(admitted.used.clone());
        if let Some(session) = &admitted.session {
            visit::note_use(self.app, session, self.now).await;
        }
    }
}

/// The host of apps behind a proxy.
struct Host {
    /// The origin, as declared.
    origin: String,
    /// The shortest path that an app has there.
    home: String,
}

impl Host {
    /// For [`Entry::start`](grantor_core::forward_auth::Entry::start).
    fn parts(&self) -> (&str, &str) {
        (&self.origin, &self.home)
    }
}
