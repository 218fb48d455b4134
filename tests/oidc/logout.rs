//! RP-Initiated Logout, sentence by sentence: when people are asked, where they go afterwards, and what ends.

use std::time::Duration;

use reqwest::header::HeaderMap;
use url::Url;

use crate::harness::app::{App, Tokens};
use crate::harness::assertion::signed;
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD, SIGNED_KEY};
use crate::harness::server::Server;

const OUT: &str = "https://wiki.example/out";

/// A person with tokens of the wiki.
pub(super) async fn alice(server: &Server) -> (Person, Tokens) {
    let person = Person::new(server);
    let tokens = App::new(server, "wiki").tokens_with(&person, "openid profile", &[]).await;
    (person, tokens)
}

pub fn address(server: &Server, params: &[(&str, &str)]) -> String {
    Url::parse_with_params(&server.at("/end-session"), params).unwrap().into()
}

pub async fn confirm(person: &Person, page: &Page) -> Page {
    assert_eq!(page.name(), "end-session", "{}", page.body);
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await
}

async fn is_signed_in(person: &Person) -> bool {
    person.open("/account").await.name() == "account"
}

fn location(page: &Page) -> Option<String> {
    page.location().map(String::from)
}

// "the OP MUST ask the End-User this question if an "id_token_hint" was not provided or if the supplied ID Token does not
// belong to the current OP session with the RP and/or currently logged in End-User." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn an_id_token_of_this_very_session_signs_out_without_a_question() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let asked = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", OUT), ("state", "a b&c=d")];
    let page = person.get(address(&server, &asked)).await;
    // "If included in the logout request, the OP passes this value back to the RP using the "state" parameter when redirecting
    // the User Agent back to the RP." (OIDC RP-Initiated Logout §2)
    assert_eq!((page.status.as_u16(), location(&page)), (303, Some(format!("{OUT}?state=a+b%26c%3Dd"))));
    assert!(!is_signed_in(&person).await);
}

#[tokio::test]
async fn without_a_state_none_is_passed_back() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let page = person.get(address(&server, &[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", OUT)])).await;
    assert_eq!(location(&page).as_deref(), Some(OUT));
}

#[tokio::test]
async fn without_an_address_to_return_to_the_page_says_that_it_is_done() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let page = person.get(address(&server, &[("id_token_hint", tokens.id())])).await;
    assert_eq!((page.status.as_u16(), page.name().as_str(), location(&page)), (200, "signed-out", None));
    assert!(page.text().contains("Wiki"), "{}", page.text());
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked_and_may_stay() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    for asked in [vec![], vec![("client_id", "wiki")], vec![("client_id", "wiki"), ("post_logout_redirect_uri", OUT)]] {
        let page = person.get(address(&server, &asked)).await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "end-session"), "{asked:?}");
        assert!(is_signed_in(&person).await, "{asked:?}");
    }
}

// "If the End-User says "yes", then the OP MUST log out the End-User." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn who_says_yes_is_signed_out_and_returns_to_the_app_that_asked() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    let asked = [("client_id", "wiki"), ("post_logout_redirect_uri", OUT), ("state", "s")];
    let page = confirm(&person, &person.get(address(&server, &asked)).await).await;
    assert_eq!(location(&page), Some(format!("{OUT}?state=s")));
    assert!(!is_signed_in(&person).await);
}

#[tokio::test]
async fn a_request_that_is_too_long_to_be_followed_still_signs_out() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    let asked = [("client_id", "wiki"), ("post_logout_redirect_uri", OUT), ("state", &"s".repeat(7_000))];
    let page = confirm(&person, &person.get(address(&server, &asked)).await).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "signed-out"));
    assert!(!is_signed_in(&person).await);
}

// "The OP SHOULD accept ID Tokens when the RP identified by the ID Token's "aud" claim and/or "sid" claim has a current
// session or had a recent session at the OP, even when the "exp" time has passed." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn an_expired_id_token_is_as_good() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    server.clock.advance(Duration::from_hours(2));
    let page = person.get(address(&server, &[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", OUT)])).await;
    assert_eq!(location(&page).as_deref(), Some(OUT));
}

// "If the ID Token's "sid" claim does not correspond to the RP's current session or a recent session at the OP, the OP SHOULD
// treat the logout request as suspect, and MAY decline to act upon it." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn an_id_token_of_another_session_or_person_only_makes_us_ask() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    let (_, elsewhere) = alice(&server).await;
    let bob = Person::new(&server);
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let of_bob = App::new(&server, "wiki").tokens_with(&bob, "openid", &[]).await;
    for hint in [elsewhere.id(), of_bob.id()] {
        let page = person.get(address(&server, &[("id_token_hint", hint), ("post_logout_redirect_uri", OUT)])).await;
        assert_eq!(page.name(), "end-session");
        assert!(is_signed_in(&person).await);
    }
}

// "When an "id_token_hint" parameter is present, the OP MUST validate that it was the issuer of the ID Token."
// (OIDC RP-Initiated Logout §2)
// "If any of the validation procedures defined in this specification fail, any operations requiring the information that
// failed to correctly validate MUST be aborted and the information that failed to validate MUST NOT be used. ... As
// described in Section 3, when the OP detects errors in the RP-Initiated Logout request, the OP MUST not perform post-logout
// redirection to an RP." (OIDC RP-Initiated Logout §4)
#[tokio::test]
async fn a_hint_that_is_not_ours_proves_nothing_and_leads_nowhere() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let forged = signed(tokens.id().rsplit_once('.').unwrap().0, SIGNED_KEY);
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", tokens.id().split('.').nth(1).unwrap());
    for hint in ["x", tokens.access(), &forged, &unsigned] {
        let page = person.get(address(&server, &[("id_token_hint", hint), ("post_logout_redirect_uri", OUT)])).await;
        assert_eq!(page.name(), "end-session", "{hint}");
    }
    let asked = [("id_token_hint", "x"), ("client_id", "wiki"), ("post_logout_redirect_uri", OUT)];
    let page = confirm(&person, &person.get(address(&server, &asked)).await).await;
    assert_eq!((page.name().as_str(), location(&page)), ("signed-out", None));
    assert_eq!(server.reasons().await[0], "IdTokenHintInvalid");
}

// "When both "client_id" and "id_token_hint" are present, the OP MUST verify that the Client Identifier matches the one used
// when issuing the ID Token." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn a_client_id_that_differs_from_the_hint_proves_nothing_and_leads_nowhere() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let asked = [("id_token_hint", tokens.id()), ("client_id", "chat"), ("post_logout_redirect_uri", OUT)];
    let page = confirm(&person, &person.get(address(&server, &asked)).await).await;
    assert_eq!((page.name().as_str(), location(&page)), ("signed-out", None));
    assert_eq!(server.reasons().await[0], "ClientIdMismatch");
}

// "The OP also MUST NOT perform post-logout redirection if the "post_logout_redirect_uri" value supplied does not exactly match
// one of the previously registered "post_logout_redirect_uris" values." (OIDC RP-Initiated Logout §3)
// "The value MUST have been previously registered with the OP, either using the "post_logout_redirect_uris" Registration
// parameter or via another mechanism." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn an_unregistered_address_is_never_followed_not_even_after_the_person_said_yes() {
    let server = Server::start().await;
    let wrong = [
        "https://evil.example/",
        "https://wiki.example/out/",
        "https://wiki.example/out?x=1",
        "https://wiki.example/out#x",
        "https://wiki.example/OUT",
        "https://wiki.example/cb",
        "http://wiki.example/out",
        "https://wiki.example:443/out",
        "https://wiki.example/out/../out",
        "https://wiki.example@evil.example/out",
        "//evil.example/out",
        "/account",
        "https://evil.example/?https://wiki.example/out",
        "javascript:alert(1)",
        "https://wiki.example/out\r\nx: y",
        "",
        " ",
        "https://wiki.example/%6Fut",
        "https://wiki.example\\@evil.example/out",
        "data:text/html,x",
        "https://chat.example/cb",
    ];
    let person = Person::new(&server);
    for uri in wrong {
        let tokens = App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
        let page =
            person.get(address(&server, &[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", uri)])).await;
        assert_eq!((page.name().as_str(), location(&page)), ("signed-out", None), "{uri}");
        assert!(!page.body.contains("evil.example"), "{uri}");
        App::new(&server, "wiki").approved_by(&person, "openid").await;
        let asked = [("client_id", "wiki"), ("post_logout_redirect_uri", uri), ("state", "s")];
        let page = confirm(&person, &person.get(address(&server, &asked)).await).await;
        assert_eq!((page.name().as_str(), location(&page)), ("signed-out", None), "{uri}");
    }
    assert_eq!(server.reasons().await[0], "RedirectUriMismatch");
}

// "the OP MUST NOT perform post-logout redirection unless the OP has other means of confirming the legitimacy of the
// post-logout redirection target." (OIDC RP-Initiated Logout §3)
#[tokio::test]
async fn an_address_without_an_app_to_register_it_is_not_followed() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    for app in [None, Some(("client_id", "nobody")), Some(("client_id", "chat"))] {
        let asked: Vec<_> = app.into_iter().chain([("post_logout_redirect_uri", OUT)]).collect();
        let page = person.get(address(&server, &asked)).await;
        let page = if page.name() == "end-session" { confirm(&person, &page).await } else { page };
        assert_eq!((page.name().as_str(), location(&page)), ("signed-out", None), "{app:?}");
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so_or_returned_at_once() {
    let server = Server::start().await;
    let (_, tokens) = alice(&server).await;
    let stranger = Person::new(&server);
    assert_eq!(stranger.get(address(&server, &[])).await.name(), "signed-out");
    let page =
        stranger.get(address(&server, &[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", OUT)])).await;
    assert_eq!(location(&page).as_deref(), Some(OUT));
}

// "OpenID Providers MUST support the use of the HTTP "GET" and "POST" methods defined in RFC 7231 [RFC7231] at the Logout
// Endpoint." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn a_logout_request_may_be_posted() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let fields = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", OUT), ("state", "s")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let form = Form { action: server.at("/end-session").parse().unwrap(), fields };
    let page = person.post_with(&form, &[("origin", "https://wiki.example")]).await;
    assert_eq!(location(&page), Some(format!("{OUT}?state=s")));
    assert!(!is_signed_in(&person).await);
}

#[tokio::test]
async fn another_site_cannot_say_yes_for_the_person() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    let page = person.get(address(&server, &[])).await;
    let form = page.form(r#"form[action="/sign-out"]"#);
    let refused = person.post_with(&form, &[("origin", "https://evil.example")]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(person.post(&form.with("csrf", "AAAA")).await.status, 403);
    assert!(is_signed_in(&person).await);
}

// "An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID Provider."
// (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn the_question_is_asked_in_the_language_that_the_app_names() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    let page = person.get(address(&server, &[("ui_locales", "de")])).await;
    assert_eq!((page.attribute("html", "lang").as_deref(), page.name().as_str()), (Some("de"), "end-session"));
}

/// The cookies that a sign-in sets, as a thief would keep them.
async fn copied_cookies(person: &Person) -> HeaderMap {
    let page = person.open("/sign-in").await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let answer = person.post(&form).await;
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let pairs: Vec<&str> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
    HeaderMap::from_iter([(reqwest::header::COOKIE, pairs.join("; ").parse().unwrap())])
}

#[tokio::test]
async fn a_copy_of_the_cookies_is_dead_after_the_sign_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let copy = copied_cookies(&person).await;
    let silent = App::new(&server, "portal").authorize_url("openid", &[("prompt", "none")]);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let with_copy = async || Page::of(http.get(&silent).headers(copy.clone()).send().await.unwrap()).await;
    assert!(location(&with_copy().await).unwrap().contains("code="));
    let page = person.get(address(&server, &[])).await;
    let done = confirm(&person, &page).await;
    assert!(
        done.header("set-cookie")
            .is_some_and(|cookie| cookie.starts_with("grantor_session=;") && cookie.contains("Max-Age=0"))
    );
    assert!(location(&with_copy().await).unwrap().contains("error=login_required"));
}

// "Refresh tokens issued without the "offline_access" property to a session being logged out SHOULD be revoked."
// (OIDC Back-Channel Logout §2.7)
#[tokio::test]
async fn access_without_offline_access_dies_with_the_session() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let wiki = App::new(&server, "wiki");
    person.get(address(&server, &[("id_token_hint", tokens.id())])).await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
    assert_eq!(server.reasons().await[0], "GrantEnded");
}

// "Refresh tokens issued with the "offline_access" property normally SHOULD NOT be revoked." (OIDC Back-Channel Logout §2.7)
#[tokio::test]
async fn access_with_offline_access_outlives_the_session() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let tokens = wiki.tokens_with(&person, "openid offline_access", &[]).await;
    person.get(address(&server, &[("id_token_hint", tokens.id())])).await;
    assert!(!is_signed_in(&person).await);
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    server.clock.advance(Duration::from_hours(24 * 29));
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn access_without_offline_access_ends_when_the_session_has_reached_its_age() {
    let server = Server::start().await;
    let (_, mut tokens) = alice(&server).await;
    let wiki = App::new(&server, "wiki");
    for _ in 0..20 {
        server.clock.advance(Duration::from_hours(8));
        tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    }
    server.clock.advance(Duration::from_hours(8));
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
    assert_eq!(server.reasons().await[0], "RefreshTokenExpired");
}

#[tokio::test]
async fn a_sign_in_elsewhere_is_not_touched() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    let (other, of_other) = alice(&server).await;
    person.get(address(&server, &[("id_token_hint", tokens.id())])).await;
    assert!(is_signed_in(&other).await);
    assert_eq!(App::new(&server, "wiki").userinfo(of_other.access()).await.status, 200);
}

#[tokio::test]
async fn a_second_sign_in_in_between_does_not_save_what_the_first_one_gave() {
    let server = Server::start().await;
    let (person, tokens) = alice(&server).await;
    server.clock.advance(Duration::from_mins(1));
    let wiki = App::new(&server, "wiki");
    let again = wiki.tokens_with(&person, "openid", &[("prompt", "login")]).await;
    person.get(address(&server, &[("id_token_hint", again.id())])).await;
    assert!(!is_signed_in(&person).await);
    assert_eq!(wiki.refresh(again.refresh()).await.json()["error"], "invalid_grant");
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_code_that_was_not_redeemed_yet_dies_with_the_session() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    for scope in ["openid", "openid offline_access"] {
        let code = wiki.approved_by(&person, scope).await.param("code");
        confirm(&person, &person.get(address(&server, &[])).await).await;
        assert_eq!(wiki.redeem(&code).await.json()["error"], "invalid_grant", "{scope}");
        assert_eq!(server.reasons().await[0], "GrantEnded", "{scope}");
    }
}

#[tokio::test]
async fn what_was_signed_for_a_sign_out_begins_no_authorization() {
    let server = Server::start().await;
    let (person, _) = alice(&server).await;
    let asked = App::new(&server, "wiki").request("openid");
    let form = Form { action: server.at("/end-session").parse().unwrap(), fields: asked.clone() };
    // Posted by another site, and on the page that asks.
    let posted = location(&Person::new(&server).post(&form).await).unwrap();
    let asked: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = person.get(address(&server, &asked)).await;
    let shown = page.attribute("input[name=request]", "value").unwrap();
    for text in [posted.split("request=").nth(1).unwrap(), &shown] {
        let page = person.open(format!("/authorize?resume={text}")).await;
        assert_eq!((page.status.as_u16(), location(&page)), (400, None));
        assert_eq!(server.reason().await, "InteractionExpired");
    }
}
