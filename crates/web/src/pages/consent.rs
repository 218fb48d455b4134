//! Consent: who asks, as whom, for what exactly, and what happens then.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::approval;
use grantor_core::authorization::AuthorizationRequest;
use grantor_core::client::{Client, Trust};
use grantor_core::error::Error;
use grantor_core::interaction::Interaction;
use grantor_core::params::Params;
use grantor_core::policy::Lifetimes;
use grantor_core::scope::Scope;
use grantor_core::store::{Store, StoreError};
use grantor_core::user::User;

use super::app_links::AppLinks;
use super::{App, Frame};
use crate::html::{self, ToArgument, filters};
use crate::oauth::authorize;
use crate::respond::{self, How, app_at};
use crate::visit::Visit;
use crate::{form, routes};

/// Posts `scope` (once for each one ticked or required), `decision` (`allow` or `deny`), `request` and `csrf` to `/consent`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/consent.html")]
pub struct Consent {
    /// The host the answer goes to, where it is not the app's own.
    pub answer_host: Option<String>,
    /// The app that asks.
    pub app: App,
    /// The frame; its account is the one the access is to.
    pub frame: Frame,
    /// How the app is known.
    pub known: Known,
    /// What the app says of itself.
    pub links: AppLinks,
    /// How long the access lasts.
    pub lasts: Lasts,
    /// The signed authorization request to go on with.
    pub request: String,
    /// What is asked for, in any order; the page shows what is new first.
    pub scopes: Vec<Asked>,
}

/// How an app is known to this server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Known {
    /// An administrator declared it.
    AddedByAdministrator,
    /// It registered itself, and nobody has checked it.
    SelfRegistered,
    /// Its developer proved to own this host.
    VerifiedOwner(String),
}

/// How long access lasts.
// "The Authorization Server SHOULD clearly identify long-term grants to the User during Authorization." (OIDC Core §16.18)
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lasts {
    /// Until taken back, or until unused for so many seconds: access when the person is not here.
    UntilUnusedFor(i64),
    /// No longer than the person's sign-in here, at most so many seconds.
    WhileSignedIn(i64),
}

/// One scope that an app asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whether the app did not have it before. Where it had nothing before, nothing is new.
    pub is_new: bool,
    /// The scope's name, as it is sent back.
    pub name: String,
    /// Whether the app cannot work without it.
    pub required: bool,
    /// What it lets the app do: "See your name and picture".
    pub sentence: String,
    /// Whether the tick is set to begin with.
    pub ticked: bool,
}

impl Consent {
    /// New ones first, then those that can be unticked; of these last "do this when you are not here", which speaks of the
    /// others.
    fn ordered(&self) -> Vec<&Asked> {
        let mut scopes: Vec<&Asked> = self.scopes.iter().collect();
        scopes.sort_by_key(|scope| (!scope.is_new, scope.required, scope.name == "offline_access"));
        scopes
    }

    fn known_text(&self) -> askama::filters::Safe<String> {
        let (key, host) = match &self.known {
            Known::AddedByAdministrator => ("consent-known-administrator", ""),
            Known::SelfRegistered => ("consent-known-nobody", ""),
            Known::VerifiedOwner(host) => ("consent-known-owner", host.as_str()),
        };
        html::message(self.frame.language, key, [("host", host.to_argument())], false)
    }

    fn lasts_text(&self) -> String {
        let (key, seconds) = match self.lasts {
            Lasts::UntilUnusedFor(seconds) => ("consent-lasts-unused", seconds),
            Lasts::WhileSignedIn(seconds) => ("consent-lasts-signed-in", seconds),
        };
        self.frame.say(key, "span", self.frame.duration(&seconds))
    }
}

/// Asks the person.
pub(crate) async fn get_consent(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes());
    let carried = query.as_ref().ok().and_then(|query| query.get("request")).unwrap_or_default().to_owned();
    match authorize::waiting(&visit, &carried).await {
        Ok((interaction, request)) => show(&visit, &interaction, &request, &carried).await,
        Err(response) => response,
    }
}

/// Takes the person's answer, and goes on.
pub(crate) async fn post_consent(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read_ticks(&visit.request, payload, "scope").await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let carried = form.get("request").unwrap_or_default();
    let (interaction, request) = match authorize::waiting(&visit, carried).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::form_refused(&visit, authorize::way_on(&visit, &interaction, &request));
    }
    let Some(user) = asked_now(&visit, &interaction) else {
        return authorize::go_to(&visit, routes::AUTHORIZE, &interaction).await;
    };
    let allowed = form.get("decision") == Some("allow");
    // An app that has become another since the request began is shown as it is now: what was allowed was for what stood there.
    let client = &request.client;
    if allowed && client.trust == Trust::SelfRegistered && client.updated_at > interaction.started_at {
        let again = Interaction { started_at: visit.now, ..interaction };
        return authorize::go_to(&visit, routes::CONSENT, &again).await;
    }
    match decide(&visit, user, &request, allowed, &form).await {
        Ok(()) => {
            // It is answered for who allowed it, whoever is in use when the browser comes to that.
            let answered = Interaction { selected: Some(user.id), ..interaction };
            authorize::go_to(&visit, routes::AUTHORIZE, &answered).await
        }
        Err(error) => authorize::send_error(&visit, &request, &error).await,
    }
}

/// The person in use, unless another one was chosen for this.
fn asked_now<'v>(visit: &'v Visit, interaction: &Interaction) -> Option<&'v User> {
    let user = visit.session().map(|(_, user)| user)?;
    interaction.selected.is_none_or(|selected| selected == user.id).then_some(user)
}

/// How often an answer that met another one is looked at again.
const MAX_RACES: usize = 8;

async fn decide(
    visit: &Visit,
    user: &User,
    request: &AuthorizationRequest,
    allowed: bool,
    form: &Params,
) -> Result<(), Error> {
    let store = &visit.app.provider.store;
    let client_id = &request.client.client_id;
    if !allowed {
        store.commit(approval::deny(client_id, user.id, visit.app.id(), visit.call())).await?;
        return Err(Error::ConsentDenied);
    }
    let ticked: Scope = form.get("scope").unwrap_or_default().parse()?;
    for _ in 0..MAX_RACES {
        let known = store.consent_find(user.id, client_id).await?;
        let changes = approval::approve(request, (user.id, known.as_ref()), &ticked, visit.app.id(), visit.call())?;
        match store.commit(changes).await {
            Err(StoreError::Conflict) => {}
            done => return Ok(done?),
        }
    }
    Err(StoreError::Busy.into())
}

async fn show(visit: &Visit, interaction: &Interaction, request: &AuthorizationRequest, carried: &str) -> HttpResponse {
    let Some(user) = asked_now(visit, interaction) else {
        return authorize::go_to(visit, routes::AUTHORIZE, interaction).await;
    };
    let client = &request.client;
    let known = match visit.app.provider.store.consent_find(user.id, &client.client_id).await {
        Ok(known) => known,
        Err(error) => return respond::failure(visit, &error.into()).await,
    };
    let again = Interaction { selected: None, ..interaction.clone() };
    let change = authorize::on_page(visit, routes::SELECT_ACCOUNT, &again).ok();
    let answer_host = Some(request.redirect_uri.host()).filter(|host| *host != client.host_at(&request.redirect_uri));
    let language = visit.language(request.ui_locales.as_deref());
    let page = Consent {
        answer_host,
        app: app_at(client, &request.redirect_uri, language),
        frame: visit.frame(request.ui_locales.as_deref(), change),
        known: Known::of(client),
        links: AppLinks::of(request, language),
        lasts: Lasts::of(request, &visit.app.provider.policy.lifetimes),
        request: carried.to_owned(),
        scopes: asked_of(visit, request, known.as_ref()),
    };
    let form_action = Some(request.redirect_uri.form_action());
    respond::page(visit, &page, &How { form_action, ..How::default() })
}

fn asked_of(
    visit: &Visit,
    request: &AuthorizationRequest,
    known: Option<&grantor_core::consent::Consent>,
) -> Vec<Asked> {
    let directory = visit.app.directory();
    let language = visit.language(request.ui_locales.as_deref());
    let unanswered = grantor_core::consent::Consent::unanswered(known, &request.scope);
    let asked = |scope: &str| Asked {
        is_new: known.is_some() && unanswered.contains(scope),
        name: scope.to_owned(),
        required: approval::is_required(scope),
        sentence: respond::scope_sentence(&directory, language, scope),
        ticked: known.is_none_or(|known| !known.declined.contains(scope)),
    };
    request.scope.iter().map(asked).collect()
}

impl Known {
    fn of(client: &Client) -> Self {
        match client.trust {
            Trust::Administrator => Self::AddedByAdministrator,
            Trust::SelfRegistered => Self::SelfRegistered,
            Trust::VerifiedOwner => Self::VerifiedOwner(client.host()),
        }
    }
}

impl Lasts {
    fn of(request: &AuthorizationRequest, lifetimes: &Lifetimes) -> Self {
        let seconds = |lifetime: std::time::Duration| i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        if request.scope.contains("offline_access") {
            Self::UntilUnusedFor(seconds(lifetimes.refresh_token_idle))
        } else {
            Self::WhileSignedIn(seconds(lifetimes.session_absolute))
        }
    }
}

#[cfg(test)]
impl Consent {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, EMOJI, HOSTILE, LONG, RIGHT_TO_LEFT, app, signed_in};
        let typical = [
            asked("openid", "See who you are", true, false),
            asked("profile", "See your name and picture", false, false),
            asked("email", "See your e-mail address", false, false),
            asked("offline_access", "Do this when you are not here", false, false),
        ];
        let page = |name: &str, scopes: &[Asked]| Self {
            answer_host: None,
            app: app(name),
            frame: signed_in("Ada Lovelace"),
            known: Known::AddedByAdministrator,
            links: AppLinks::default(),
            lasts: Lasts::UntilUnusedFor(30 * DAY),
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            scopes: scopes.to_vec(),
        };
        let again = [
            asked("openid", "See who you are", true, false),
            asked("notes", "Read and change your notes", true, true),
            asked("email", "See your e-mail address", false, true),
        ];
        let many: Vec<Asked> = (0..60)
            .map(|n| asked(&format!("scope{n}"), &format!("Do thing number {n} in your name"), n % 7 == 0, n % 9 == 0))
            .collect();
        let hostile = [
            asked(HOSTILE, HOSTILE, true, true),
            asked(HOSTILE, RIGHT_TO_LEFT, false, true),
            asked("a", LONG, false, false),
        ];
        vec![
            ("typical", page("Wiki", &typical)),
            ("one", Self { lasts: Lasts::WhileSignedIn(43_200), ..page("Wiki", &typical[..1]) }),
            ("none", Self { lasts: Lasts::WhileSignedIn(43_200), ..page("Wiki", &[]) }),
            ("again", Self { known: Known::VerifiedOwner("wiki.example.com".to_owned()), ..page("Wiki", &again) }),
            (
                "nobody",
                Self {
                    answer_host: Some("answers.example.net".to_owned()),
                    known: Known::SelfRegistered,
                    links: super::samples::links(true),
                    ..page("Wiki", &typical)
                },
            ),
            ("many", page("Wiki", &many)),
            ("long", Self { frame: signed_in(LONG), ..page(LONG, &typical) }),
            ("rtl", Self { frame: signed_in(RIGHT_TO_LEFT), ..page(RIGHT_TO_LEFT, &typical) }),
            ("emoji", Self { frame: signed_in(EMOJI), ..page(EMOJI, &typical) }),
            (
                "hostile",
                Self {
                    answer_host: Some(HOSTILE.to_owned()),
                    frame: signed_in(HOSTILE),
                    known: Known::VerifiedOwner(HOSTILE.to_owned()),
                    ..page(HOSTILE, &hostile)
                },
            ),
        ]
    }
}

#[cfg(test)]
fn asked(name: &str, sentence: &str, required: bool, is_new: bool) -> Asked {
    Asked { is_new, name: name.to_owned(), required, sentence: sentence.to_owned(), ticked: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_stands_first() {
        let (_, page) = Consent::samples().swap_remove(3);
        let names: Vec<&str> = page.ordered().iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!(names, ["email", "notes", "openid"]);
    }
}
