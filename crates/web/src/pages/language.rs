//! The choice of a language: a small form on every page.

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::web::Payload;

use crate::cookie::{self, Name};
use crate::locale::Language;
use crate::respond;
use crate::visit::Visit;
use crate::{form, routes};

/// The pages of ours that are shown where they are asked for, and do nothing else.
const PAGES: [&str; 19] = [
    "/",
    routes::ACCOUNT,
    routes::APPS,
    routes::APPS_REMOVE,
    routes::CONSENT,
    routes::END_SESSION,
    routes::NOTICES,
    routes::SECOND_FACTOR,
    routes::SELECT_ACCOUNT,
    routes::SESSIONS,
    routes::SIGN_IN,
    routes::SIGN_IN_MORE,
    routes::SIGN_IN_WAYS,
    routes::SIGN_IN_WAYS_UNLINK,
    routes::SIGN_UP,
    routes::TOKENS,
    routes::TOKENS_NEW,
    routes::TOKENS_REVOKE,
    routes::TOKENS_ROTATE,
];

/// Remembers the language and goes back to where the person was.
pub(crate) async fn post_language(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let back = form.get("return_to").filter(|path| is_own_path(path)).unwrap_or("/");
    let mut response = respond::redirect(back);
    if visit.is_from_here()
        && let Some(language) = form.get("language").and_then(Language::from_tag)
    {
        let https = visit.app.provider.issuer.is_https();
        let cookie = cookie::set(Name::Language, language.tag().to_owned(), https, Some(Duration::days(365)));
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie);
    }
    response
}

/// Whether a path stays on this server: it begins with one slash, and no browser reads it as another host.
fn is_own_path(path: &str) -> bool {
    let bare = path.split('?').next().unwrap_or_default();
    PAGES.contains(&bare) && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_gone_back_to() {
        for path in ["/", "/sign-in?request=a.b", "/account/apps?search=x"] {
            assert!(is_own_path(path), "{path}");
        }
        for path in [
            "//evil",
            "/\\evil",
            "https://evil",
            "/authorize?x",
            "/%2f/evil",
            "javascript:alert(1)",
            "",
            "/account/../x",
            "/ account",
        ] {
            assert!(!is_own_path(path), "{path}");
        }
    }
}
