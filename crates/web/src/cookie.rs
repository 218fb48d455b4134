//! Cookies: a few small ones, and none of them readable by scripts but the state of the browser, which is no secret.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieBuilder, SameSite};
use actix_web::http::header::{COOKIE, HeaderValue};
use grantor_core::accounts;

/// The longest value of a cookie that is read, in bytes, but for that of several sign-ins.
const LONGEST: usize = 256;

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// Proof that this browser signed in before, so that others' guesses do not lock its person out.
    Browser,
    /// The language that the person chose.
    Language,
    /// The sign-ins of others beside the one in use: as much a secret as that one.
    Others,
    /// The sign-in.
    Session,
    /// What tells frames of apps that the sign-in is another one: the one cookie that scripts read, and nobody can do anything with.
    State,
    /// A random mark of the browser, for the forms it is given before and after sign-in.
    Visit,
}

impl Name {
    /// The cookie's name; on https with the prefix that keeps other hosts from setting it.
    pub(crate) fn text(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Browser, true) => "__Host-grantor_browser",
            (Self::Browser, false) => "grantor_browser",
            (Self::Language, true) => "__Host-grantor_language",
            (Self::Language, false) => "grantor_language",
            (Self::Others, true) => "__Host-grantor_others",
            (Self::Others, false) => "grantor_others",
            (Self::Session, true) => "__Host-grantor_session",
            (Self::Session, false) => "grantor_session",
            (Self::State, true) => "__Host-grantor_state",
            (Self::State, false) => "grantor_state",
            (Self::Visit, true) => "__Host-grantor_visit",
            (Self::Visit, false) => "grantor_visit",
        }
    }

    /// The longest value that is read, in bytes.
    const fn longest(self) -> usize {
        match self {
            Self::Others => accounts::LONGEST,
            Self::Browser | Self::Language | Self::Session | Self::State | Self::Visit => LONGEST,
        }
    }
}

/// A cookie of ours at the host of an app behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppName {
    /// The sign-in.
    Session,
    /// A random mark of the browser, for its way to the issuer and back.
    Visit,
}

impl AppName {
    /// The cookie's name at an origin. A host has the same cookies at each of its ports, so a port stands in the name.
    fn text(self, origin: &str) -> String {
        let prefix = if is_https(origin) { "__Host-" } else { "" };
        let name = if self == Self::Session { "grantor_app" } else { "grantor_app_visit" };
        match origin.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => format!("{prefix}{name}_{port}"),
            _ => format!("{prefix}{name}"),
        }
    }

    /// The value of the cookie at an origin.
    pub(crate) fn read(self, request: &HttpRequest, origin: &str) -> Option<String> {
        value(request.headers().get_all(COOKIE).map(HeaderValue::as_bytes), &self.text(origin))
    }

    /// The cookie to set at an origin.
    pub(crate) fn set(self, value: String, origin: &str) -> Cookie<'static> {
        built(self.text(origin), value, is_https(origin)).finish()
    }

    /// A cookie that removes the one at an origin.
    pub(crate) fn remove(self, origin: &str) -> Cookie<'static> {
        built(self.text(origin), String::new(), is_https(origin)).max_age(Duration::ZERO).finish()
    }
}

fn is_https(origin: &str) -> bool {
    origin.starts_with("https:")
}

fn built(name: impl Into<Cow<'static, str>>, value: String, https: bool) -> CookieBuilder<'static> {
    Cookie::build(name, value).path("/").http_only(true).secure(https).same_site(SameSite::Lax)
}

/// The value of a cookie of ours.
pub(crate) fn read(request: &HttpRequest, name: Name, https: bool) -> Option<String> {
    let headers = request.headers().get_all(COOKIE).map(HeaderValue::as_bytes);
    value_within(headers, name.text(https), name.longest())
}

/// The value of the cookie `name` in the Cookie headers of a request. Two of one name count as none: one of them was set by
/// somebody else.
pub fn value<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> Option<String> {
    value_within(headers, name, LONGEST)
}

/// The same for a value of so many bytes at most; a longer one counts as none.
pub fn value_within<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str, longest: usize) -> Option<String> {
    // The raw text: a name that only reads like ours once it is decoded was set by another host, whom the prefix keeps out.
    // Another cookie of the same host may hold any bytes; it harms itself alone.
    let headers: Vec<_> = headers.map(String::from_utf8_lossy).collect();
    let pairs = headers.iter().flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(only), None) if only.len() <= longest => Some(only.to_owned()),
        _ => None,
    }
}

/// A cookie to set; without `max_age` it lives as long as the browser.
pub(crate) fn set(name: Name, value: String, https: bool, max_age: Option<Duration>) -> Cookie<'static> {
    let mut cookie = built(name.text(https), value, https);
    if let Some(max_age) = max_age {
        cookie = cookie.max_age(max_age);
    }
    cookie.finish()
}

/// A cookie that removes one.
pub(crate) fn remove(name: Name, https: bool) -> Cookie<'static> {
    set(name, String::new(), https, Some(Duration::ZERO))
}

/// The state of the browser, which frames of other sites must see; empty removes it. Browsers take `SameSite=None` over https only.
pub(crate) fn state(value: String, https: bool) -> Cookie<'static> {
    let same_site = if https { SameSite::None } else { SameSite::Lax };
    let is_over = value.is_empty();
    let cookie = built(Name::State.text(https), value, https).http_only(false).same_site(same_site);
    if is_over { cookie.max_age(Duration::ZERO).finish() } else { cookie.finish() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_for_frames_of_other_sites_and_for_scripts_and_nothing_else_is() {
        assert_eq!(state("x".to_owned(), true).to_string(), "__Host-grantor_state=x; SameSite=None; Secure; Path=/");
        assert!(state(String::new(), true).to_string().contains("Max-Age=0"));
        for name in [Name::Browser, Name::Language, Name::Others, Name::Session, Name::Visit] {
            let cookie = set(name, "x".to_owned(), true, None).to_string();
            assert!(cookie.contains("HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        }
    }
}
