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
use crate::cookie::{self, Name};
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
        let place = match self.app.directory().apps.find(self.asked.authority, self.asked.target) {
            Ok(place) => place,
            Err(error) => return answer::refused(self, None, &error).await,
        };
        match self.judge(&place).await {
            Ok(admitted) => answer::admitted(self, &place, admitted.as_ref()),
            Err(error) => answer::refused(self, Some(&place), &error).await,
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
        self.note(&admitted).await;
        Ok(Some(admitted))
    }

    async fn by_cookie(&self, place: &Place) -> Result<Admitted, Error> {
        let session_id = self.session_id(&place.origin).ok_or(Error::LoginRequired)?;
        admit_session(&self.app.provider, place, session_id, (self.from, self.now)).await
    }

    /// The origin that is asked for, as declared.
    fn origin(&self) -> Result<String, Error> {
        self.app.directory().apps.origin(self.asked.authority).map(str::to_owned)
    }

    /// The session that the browser's cookie at an app's host names.
    fn session_id(&self, origin: &str) -> Option<grantor_jose::id::Id> {
        let text = self.cookie(Name::AppSession, origin)?;
        app_cookie::open(&text, &self.app.directory().secrets.browser, origin)
    }

    fn cookie(&self, name: Name, origin: &str) -> Option<String> {
        cookie::read(self.request, name, is_https(origin))
    }

    /// Notes the use of a token or of a session. The request goes on where that cannot be written.
    async fn note(&self, admitted: &Admitted) {
        if let Some((id, last_use)) = admitted.api_token_use.clone() {
            self.app.uses.note(id, last_use);
        }
        if let Some(session) = &admitted.session {
            visit::note_use(self.app, session, self.now).await;
        }
    }
}

fn is_https(origin: &str) -> bool {
    origin.starts_with("https:")
}
