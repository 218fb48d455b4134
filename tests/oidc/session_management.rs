//! Session Management, sentence by sentence: what apps are told of the browser's state, and what our frame says of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;

use super::logout::{address, confirm};
use crate::harness::app::{Answer, App};
use crate::harness::browser::Browser;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;
use crate::harness::site::Site;

async fn watched() -> Server {
    Server::start_with(|config| config.session_management = true).await
}

/// The state that an answer lets the browser keep, with the attributes of its cookie.
fn kept(page: &Page) -> Option<(String, String)> {
    let mut cookies = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.find_map(|cookie| cookie.strip_prefix("grantor_state="))?;
    let (value, attributes) = cookie.split_once("; ").unwrap();
    Some((value.to_owned(), attributes.to_owned()))
}

/// Signs in, without following.
async fn sign_in(person: &Person, username: &str, password: &str) -> Page {
    let page = person.open("/sign-in").await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password);
    person.post(&form).await
}

/// Whether a state is what the specification's example makes of these.
fn is_of(told: &str, client_id: &str, origin: &str, state: &str) -> bool {
    let (hash, salt) = told.split_once('.').unwrap();
    hash == URL_SAFE_NO_PAD.encode(sha256(format!("{client_id} {origin} {state} {salt}").as_bytes()))
}

// "When the OP supports session management, it MUST also return the Session State as an additional "session_state" parameter in
// the Authentication Response" (OIDC Session Management §2)
// "It MUST NOT contain the space (" ") character." (OIDC Session Management §2)
// "This is REQUIRED if session management is supported." (OIDC Session Management §2)
#[tokio::test]
async fn an_answer_tells_the_state_to_this_app_alone() {
    let server = watched().await;
    let person = Person::new(&server);
    let (state, attributes) = kept(&sign_in(&person, ALICE, ALICE_PASSWORD).await).unwrap();
    assert_eq!(attributes, "SameSite=Lax; Path=/", "a script reads it; over https it is Secure and of every site");
    let (wiki, portal) = (App::new(&server, "wiki"), App::new(&server, "portal"));
    let told = wiki.approved_by(&person, "openid").await.param("session_state");
    assert!(is_of(&told, "wiki", "https://wiki.example", &state), "{told}");
    assert!(!told.contains(' ') && !told.contains(&state));
    let again = wiki.approved_by(&person, "openid").await.param("session_state");
    assert!(again != told && is_of(&again, "wiki", "https://wiki.example", &state));
    let posted = portal.approved_with(&person, "openid", &[("response_mode", "form_post")]).await;
    assert!(is_of(&posted.param("session_state"), "portal", "https://portal.example", &state));
}

// "and SHOULD also return the Session State as an additional "session_state" parameter in the Authentication Error Response."
// (OIDC Session Management §2)
// "The computation of the session state returned in response to unsuccessful Authentication Requests SHOULD, in addition to
// the User Agent state, incorporate sufficient randomness in the form of a salt so as to prevent identification of an
// End-User across successive calls to the OP's Authorization Endpoint. In the case of an unsuccessful Authentication Request
// that results in an Authentication Error Response as specified in Section 3.1.2.6 of OpenID Connect Core 1.0, the value of
// the session state returned SHOULD vary with each request." (OIDC Session Management §3.2)
#[tokio::test]
async fn a_refusal_tells_a_state_that_differs_each_time() {
    let server = watched().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let mut all = Vec::new();
    for _ in 0..2 {
        let answer = Answer::of(&wiki.asks(&person, "openid", &[("prompt", "none")]).await);
        assert_eq!(answer.param("error"), "login_required");
        assert!(is_of(&answer.param("session_state"), "wiki", "https://wiki.example", ""));
        all.push(answer.param("session_state"));
    }
    assert_ne!(all[0], all[1]);
}

// "the OP SHOULD update the value of the User Agent state in response to such meaningful events." (OIDC Session Management §3.2)
// "It is RECOMMENDED that the OP not update the User Agent state too frequently in the absence of meaningful events so as to
// spare excessive network traffic at the Client in response to spurious "changed" events. ... In addition, the User Agent
// state used to verify the session state SHOULD change with such events. ... It is RECOMMENDED that the User Agent state
// SHOULD NOT vary too frequently in the absence of such events to minimize network traffic caused by the Client's response
// to "changed" notifications." (OIDC Session Management §3.2)
#[tokio::test]
async fn the_state_changes_with_sign_in_and_sign_out_and_at_no_other_time() {
    let server = watched().await;
    let person = Person::new(&server);
    let (first, _) = kept(&sign_in(&person, ALICE, ALICE_PASSWORD).await).unwrap();
    for path in ["/account", "/account/sessions"] {
        assert_eq!(kept(&person.get(path).await), None);
    }
    let answer = person.get(App::new(&server, "portal").authorize_url("openid", &[("prompt", "none")])).await;
    assert_eq!((answer.status.as_u16(), kept(&answer)), (303, None));
    let (second, _) = kept(&sign_in(&person, BOB, BOB_PASSWORD).await).unwrap();
    assert_ne!(first, second);
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    let (gone, attributes) = kept(&page).unwrap();
    assert!(gone.is_empty() && attributes.contains("Max-Age=0"), "{attributes}");
}

#[tokio::test]
async fn a_session_of_before_gets_its_state_with_the_next_answer() {
    let server = Server::start().await;
    let person = Person::new(&server);
    assert_eq!(kept(&sign_in(&person, ALICE, ALICE_PASSWORD).await), None);
    let mut stopped = server.stop();
    stopped.config.session_management = true;
    let server = stopped.start().await;
    let answer = person.get(App::new(&server, "portal").authorize_url("openid", &[])).await;
    let (state, _) = kept(&answer).unwrap();
    let told = Answer::of(&answer).param("session_state");
    assert!(is_of(&told, "portal", "https://portal.example", &state));
}

/// A frame of another site comes without the session: it must not take from the browser what tells others of it.
#[tokio::test]
async fn who_comes_without_a_session_changes_nothing() {
    let server = watched().await;
    let stranger = Person::new(&server);
    let url = App::new(&server, "wiki").authorize_url("openid", &[("prompt", "none")]);
    let answer = stranger.get_with(&url, &[("cookie", "grantor_state=AAAAAAAAAAAAAAAAAAAAAA")]).await;
    assert_eq!(kept(&answer), None);
    let told = Answer::of(&answer).param("session_state");
    assert!(is_of(&told, "wiki", "https://wiki.example", "AAAAAAAAAAAAAAAAAAAAAA"));
}

#[tokio::test]
async fn it_is_off_unless_it_is_switched_on() {
    let server = Server::start().await;
    let person = Person::new(&server);
    assert_eq!(kept(&sign_in(&person, ALICE, ALICE_PASSWORD).await), None);
    assert!(!App::new(&server, "wiki").approved_by(&person, "openid").await.has("session_state"));
    assert_eq!(person.get("/check-session").await.status, 404);
    let metadata = person.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata.get("check_session_iframe"), None);
}

// "This OpenID Provider Metadata parameter MUST be included in the Server's discovery responses when Session Management and
// Discovery are supported" (OIDC Session Management §3.3)
// "check_session_iframe REQUIRED." (OIDC Session Management §3.3)
#[tokio::test]
async fn the_metadata_name_the_frame_and_no_other_page_may_be_framed() {
    let server = watched().await;
    let person = Person::new(&server);
    let metadata = person.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["check_session_iframe"], server.at("/check-session"));
    let page = person.get("/check-session").await;
    insta::assert_snapshot!(page.header("content-security-policy").unwrap(), @"default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'");
    assert_eq!((page.status.as_u16(), page.cookies().len(), page.text().as_str()), (200, 0, ""));
    for path in ["/", "/sign-in", "/end-session", "/nothing"] {
        let policy = person.get(path).await.header("content-security-policy").unwrap().to_owned();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
}

/// An app's page that asks our frame about what its address says, and shows the answer.
fn watching(issuer: &str) -> String {
    format!(
        r#"<!doctype html><html lang="en"><title>Watch</title><body data-page="watch"><h1>Watch</h1>
<iframe id="op" src="{issuer}/check-session" hidden></iframe><script>
addEventListener("message", (event) => {{ if (event.origin === "{issuer}") document.body.dataset.said = event.data; }});
const op = document.getElementById("op");
const said = new URLSearchParams(location.search).get("said").replace("HALF", "\ud83d").replace("LONG", "x".repeat(4096));
op.addEventListener("load", () => op.contentWindow.postMessage(said, "{issuer}"));
</script>"#
    )
}

// "If the received value and the calculated value do not match, then the OP iframe MUST postMessage the string "changed" back to the
// source. If it matched, then it MUST postMessage the string "unchanged"." (OIDC Session Management §3.2)
// "The OP iframe MUST enforce that the caller is from an expected origin. ... The OP iframe MUST recalculate it from the
// previously obtained Client ID, the source origin URL (from the postMessage), and the current OP User Agent state. ... If
// the postMessage received is syntactically malformed in such a way that the posted Client ID and origin URL cannot be
// determined or are syntactically invalid, then the OP iframe SHOULD postMessage the string "error" back to the source."
// (OIDC Session Management §3.2)
// "The OP iframe MUST enforce that the caller is from an expected origin." (OIDC Session Management §6)
// "It MUST reject postMessage requests from any other source origin to prevent cross-site scripting attacks." (OIDC Session
// Management §3.2)
// "It MUST reject postMessage requests from any other source origin to prevent cross-site scripting attacks." (OIDC Session
// Management §6)
// "If any of the validation procedures defined in this specification fail, any operations requiring the information that failed to
// correctly validate MUST be aborted and the information that failed to validate MUST NOT be used." (OIDC Session Management §4)
// "In the case of an authorized Client (successful Authentication Response), the OP SHOULD change the value of the session state
// returned to the Client under one of the following events:" (OIDC Session Management §3.2)
#[tokio::test]
async fn the_frame_says_whether_the_person_is_still_the_same() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (server, sites) = (watched().await, [Site::start(), Site::start()]);
    server.clock.advance(std::time::Duration::from_secs(1));
    let redirect_uri = sites[0].at("/cb");
    server
        .apply(&format!(
            "[[clients]]\nclient_id = \"portal\"\nclient_name = \"Portal\"\nredirect_uris = [\"{redirect_uri}\"]\n\
             scope = \"openid profile\"\nskip_consent = true\n"
        ))
        .await;
    for site in &sites {
        site.show(&watching(&server.url));
    }
    let portal = App::new(&server, "portal").at(&redirect_uri);
    browser.open(&portal.authorize_url("openid", &[])).await;
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
    let asked = sites[0].wait_for("/cb").await;
    let query = asked.split_once('?').unwrap().1;
    let find = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        (name == "session_state").then(|| value.into_owned())
    };
    let state = url::form_urlencoded::parse(query.as_bytes()).find_map(find).unwrap();
    let says = async |site: &Site, message: &str, answer: &str| {
        let url = url::Url::parse_with_params(&site.at("/watch"), [("said", message)]).unwrap();
        browser.open(url.as_str()).await;
        browser.waits_for(&format!("body[data-said='{answer}']")).await;
    };
    let message = format!("portal {state}");
    says(&sites[0], &message, "unchanged").await;
    says(&sites[1], &message, "changed").await;
    says(&sites[0], &format!("wiki {state}"), "changed").await;
    for malformed in ["", "portal", "portal x", &format!("portal {state}x"), &format!(" {state}")] {
        says(&sites[0], malformed, "error").await;
    }
    let (half, long) = (format!("HALF{message}"), format!("LONG{message}"));
    for unreadable in [&half, &long] {
        says(&sites[0], unreadable, "error").await;
    }
    browser.open(&server.at("/end-session")).await;
    browser.click("sign-out").await;
    browser.arrives_at("signed-out").await;
    says(&sites[0], &message, "changed").await;
}
