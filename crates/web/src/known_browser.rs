//! Whether a browser has signed in to an account before: see [`grantor_identity::browser`].

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use grantor_core::user::User;
use grantor_identity::browser::{BrowserCookie, Holder, KnownBrowser};
use grantor_identity::username::Username;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;

use crate::cookie::{self, Name};
use crate::visit::Visit;

/// How long a browser is known.
const KNOWN_FOR: Duration = Duration::days(365);

/// What the browser of a visit remembers.
pub(crate) struct Remembered {
    cookie: BrowserCookie,
    key: MacKey,
    https: bool,
}

impl Remembered {
    /// Reads it; a cookie that means nothing counts as none.
    pub(crate) fn of(visit: &Visit) -> Self {
        let https = visit.app.provider.issuer.is_https();
        let sent = cookie::read(&visit.request, Name::Browser, https);
        let cookie = sent.and_then(|text| BrowserCookie::parse(&text));
        let cookie = cookie.unwrap_or_else(|| BrowserCookie::new(visit.app.provider.mint.random()));
        Self { cookie, key: visit.app.directory().secrets.throttle.clone(), https }
    }

    /// The proof that somebody signed in to this account before.
    pub(crate) fn known(&self, username: &Username) -> Option<KnownBrowser> {
        self.cookie.known(username, &self.key)
    }

    /// Whether it is no news to somebody that they sign in with it: they have, since their password is what it is.
    pub(crate) fn is_familiar(&self, user: &User) -> bool {
        self.cookie.is_familiar(holder(user.id, user.password.as_deref()), &self.key)
    }

    /// The cookie once somebody has signed in to this account, whose password has this hash from now on.
    pub(crate) fn with(&self, username: &Username, user_id: Id, password: Option<&str>) -> Cookie<'static> {
        let text = self.cookie.clone().remembering(username, holder(user_id, password), &self.key).to_string();
        cookie::set(Name::Browser, text, self.https, Some(KNOWN_FOR))
    }
}

const fn holder(user_id: Id, password: Option<&str>) -> Holder<'_> {
    Holder { user_id, password }
}
