//! `oidcc-rp-initiated-logout-certification-test-plan`: somebody signs in to an app that registered itself, which sends them to sign out.

use serde_json::{Value, json};
use url::Url;

use super::dynamic_suite::{self, Client, KEYS, SignedIn, Suite, at, signed};
use crate::harness::app::{Answer, claims};
use crate::harness::page::Page;
use crate::oidc::logout::confirm;

/// Every character that the suite takes for its state.
pub(super) const STATE: &str =
    r##"!"#$%&'()*,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~"##;

/// Whether an address is the one to return to, with the state and nothing else.
pub(super) fn is_back(address: &Url) -> bool {
    let said: Vec<_> = address.query_pairs().into_owned().collect();
    address.as_str().split('?').next() == Some(&at("/post_logout_redirect"))
        && said == [("state".to_owned(), STATE.to_owned())]
}

/// An app of the module, and somebody who has signed in to it.
pub(super) async fn begun(suite: &Suite<'_>, response_type: &str, more: Value) -> (Client, SignedIn) {
    let mut changes = more;
    changes["token_endpoint_auth_method"] = json!("client_secret_basic");
    changes["post_logout_redirect_uris"] = json!([at("/post_logout_redirect")]);
    let client = suite.registers(response_type, changes).await;
    let signed_in = suite.signs_in(&client, &[]).await;
    (client, signed_in)
}

/// Sends the person to sign out; `changes` replace parameters, and remove them when empty.
pub(super) async fn ends(suite: &Suite<'_>, signed_in: &SignedIn, changes: &[(&str, &str)]) -> Page {
    let back = at("/post_logout_redirect");
    let mut pairs =
        vec![("id_token_hint", signed_in.id_token.as_str()), ("post_logout_redirect_uri", &back), ("state", STATE)];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    suite.person.get(Url::parse_with_params(&suite.server.at("/end-session"), pairs).unwrap()).await
}

/// `prompt=none` afterwards: an error that asks for a person, with nothing in it that does not belong there.
pub(super) async fn is_signed_out(suite: &Suite<'_>, client: &Client) {
    let answer = Answer::of(&suite.person.open(suite.request(client, &[("prompt", "none")])).await);
    assert_eq!((answer.param("error"), answer.param("state")), ("login_required".into(), "0QsIhvQfLm".into()));
    let known = ["error", "error_description", "error_uri", "state", "session_state", "iss"];
    assert!(answer.names().iter().all(|name| known.contains(&name.as_str())), "{}", answer.0);
    let description = answer.param("error_description");
    assert!(description.bytes().all(|byte| (0x20..=0x7E).contains(&byte) && byte != b'"' && byte != b'\\'));
}

/// A request that proves nothing: the person is asked, and returns to no app whatever they say.
async fn leads_nowhere(suite: &Suite<'_>, page: Page) {
    assert_eq!((page.status.as_u16(), page.name().as_str(), page.location()), (200, "end-session", None));
    let page = confirm(&suite.person, &page).await;
    assert_eq!((page.name().as_str(), page.location()), ("signed-out", None));
    assert!(!page.body.contains("post_logout_redirect"), "{}", page.body);
}

/// `oidcc-rp-initiated-logout`
#[tokio::test]
async fn an_app_signs_somebody_out_who_comes_back_with_its_state() {
    let server = dynamic_suite::server().await;
    for response_type in dynamic_suite::RESPONSE_TYPES {
        let suite = Suite::new(&server);
        let (client, signed_in) = begun(&suite, response_type, json!({})).await;
        let back = ends(&suite, &signed_in, &[]).await.location().unwrap();
        assert!(is_back(&back), "{back}");
        is_signed_out(&suite, &client).await;
        suite.leaves(client).await;
    }
}

/// `oidcc-rp-initiated-logout-no-state`
#[tokio::test]
async fn without_a_state_nothing_is_added_to_the_way_back() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let (client, signed_in) = begun(&suite, "code", json!({})).await;
    let back = ends(&suite, &signed_in, &[("state", "")]).await.location().unwrap();
    assert_eq!(back.as_str(), at("/post_logout_redirect"));
    is_signed_out(&suite, &client).await;
}

/// `oidcc-rp-initiated-logout-bad-post-logout-redirect-uri`,
/// `oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri`
#[tokio::test]
async fn an_address_to_return_to_that_is_not_registered_is_not_followed() {
    let server = dynamic_suite::server().await;
    for uri in [at("/post_logout_redirect?foo=bar"), at("/post_logout_redirect/bad"), "https://example.com/".to_owned()]
    {
        let suite = Suite::new(&server);
        let (client, signed_in) = begun(&suite, "code", json!({})).await;
        let page = ends(&suite, &signed_in, &[("post_logout_redirect_uri", &uri)]).await;
        assert_eq!((page.status.as_u16(), page.location()), (200, None), "{uri}: {}", page.body);
        assert!(["end-session", "signed-out"].contains(&page.name().as_str()), "{}", page.name());
        let page = if page.name() == "end-session" { confirm(&suite.person, &page).await } else { page };
        assert_eq!((page.name().as_str(), page.location()), ("signed-out", None));
        assert!(!page.body.contains("post_logout_redirect"), "{}", page.body);
        // The module wants a picture of an error, or of a question.
        assert!(page.text().contains("gave an address to return to after signing out that is not one of its own"));
        is_signed_out(&suite, &client).await;
    }
}

/// `oidcc-rp-initiated-logout-modified-id-token-hint`, `oidcc-rp-initiated-logout-bad-id-token-hint`
#[tokio::test]
async fn a_hint_that_was_changed_or_forged_leads_nowhere() {
    let server = dynamic_suite::server().await;
    for is_forged in [false, true] {
        let suite = Suite::new(&server);
        let (_, signed_in) = begun(&suite, "code", json!({})).await;
        let said = claims(&signed_in.id_token);
        let hint = if is_forged {
            signed(&KEYS[0], false, &said)
        } else {
            format!("eyJhbGciOiJub25lIn0.{}.", signed_in.id_token.split('.').nth(1).unwrap())
        };
        let page = ends(&suite, &signed_in, &[("id_token_hint", &hint)]).await;
        leads_nowhere(&suite, page).await;
    }
}

/// `oidcc-rp-initiated-logout-no-id-token-hint`
#[tokio::test]
async fn without_a_hint_the_person_is_asked_and_goes_nowhere() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let (client, signed_in) = begun(&suite, "code", json!({})).await;
    let page = ends(&suite, &signed_in, &[("id_token_hint", "")]).await;
    leads_nowhere(&suite, page).await;
    is_signed_out(&suite, &client).await;
}

/// `oidcc-rp-initiated-logout-no-params`, `oidcc-rp-initiated-logout-only-state`
#[tokio::test]
async fn a_request_without_an_app_signs_out_whoever_says_yes() {
    let server = dynamic_suite::server().await;
    for state in ["", STATE] {
        let suite = Suite::new(&server);
        let (client, signed_in) = begun(&suite, "code", json!({})).await;
        let asked = [("id_token_hint", ""), ("post_logout_redirect_uri", ""), ("state", state)];
        let page = ends(&suite, &signed_in, &asked).await;
        leads_nowhere(&suite, page).await;
        is_signed_out(&suite, &client).await;
    }
}

/// `oidcc-rp-initiated-logout-no-post-logout-redirect-uri`
#[tokio::test]
async fn without_an_address_to_return_to_the_page_says_that_the_person_is_signed_out() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let (client, signed_in) = begun(&suite, "code", json!({})).await;
    let page = ends(&suite, &signed_in, &[("post_logout_redirect_uri", "")]).await;
    assert_eq!((page.status.as_u16(), page.name().as_str(), page.location()), (200, "signed-out", None));
    assert!(!page.has("#not-followed"), "{}", page.body);
    is_signed_out(&suite, &client).await;
}
