//! What a person approves, and what is remembered of it (OIDC Core §3.1.2.4).

use std::time::Duration;

use grantor_core::audit::EventKind;

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    server.clock.advance(Duration::from_mins(1));
    person
}

fn form(page: &Page) -> Form {
    page.form(r#"form[action="/consent"]"#)
}

fn allow(page: &Page) -> Form {
    form(page).with("decision", "allow")
}

/// The tokens that an answer's code gives.
async fn tokens(app: &App<'_>, page: &Page) -> Tokens {
    Tokens(app.redeem(&Answer::of(page).param("code")).await.json())
}

/// The sentences on the page that have the mark of new ones.
fn new_ones(page: &Page) -> usize {
    page.body.matches("class=\"badge\"").count()
}

// "Once the End-User is authenticated, the Authorization Server MUST obtain an authorization decision before releasing
// information to the Relying Party." (OIDC Core §3.1.2.4)
#[tokio::test]
async fn nothing_is_released_before_the_person_has_decided() {
    let server = Server::start().await;
    let page = alice(&server).await.open(App::new(&server, "wiki").authorize_url("openid email", &[])).await;
    assert_eq!((page.name().as_str(), page.status.as_u16()), ("consent", 200));
    assert!(page.location().is_none() && !page.body.contains("gtr_ac_"));
}

#[tokio::test]
async fn what_was_allowed_is_not_asked_again() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid profile email").await;
    for scope in ["email openid profile", "email openid", "openid"] {
        let answer = Answer::of(&person.open(wiki.authorize_url(scope, &[])).await);
        assert_eq!(Tokens(wiki.redeem(&answer.param("code")).await.json()).0["scope"], scope);
    }
}

#[tokio::test]
async fn a_consent_outlives_the_session() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    wiki.approved_by(&alice(&server).await, "openid").await;
    server.clock.advance(Duration::from_hours(24 * 30));
    let person = alice(&server).await;
    assert!(Answer::of(&person.open(wiki.authorize_url("openid", &[])).await).has("code"));
}

#[tokio::test]
async fn a_consent_is_for_one_app_and_of_one_person() {
    let server = Server::start().await;
    let (person, wiki, chat) = (alice(&server).await, App::new(&server, "wiki"), App::new(&server, "chat"));
    wiki.approved_by(&person, "openid").await;
    assert_eq!(person.open(chat.authorize_url("openid", &[])).await.name(), "consent");
    let bob = Person::new(&server);
    let page = bob.open(wiki.authorize_url("openid", &[])).await;
    assert_eq!(bob.sign_in_on(&page, BOB, BOB_PASSWORD).await.name(), "consent");
}

#[tokio::test]
async fn only_what_is_new_is_marked_as_new() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid profile", &[])).await;
    assert_eq!(new_ones(&page), 0, "where all is new, nothing is marked");
    person.send(&allow(&page)).await;
    let page = person.open(wiki.authorize_url("openid profile notes.read", &[])).await;
    assert_eq!((page.name().as_str(), new_ones(&page)), ("consent", 1));
    assert!(page.text().contains("Read your notes New"), "{}", page.text());
    assert_eq!(tokens(&wiki, &person.send(&allow(&page)).await).await.0["scope"], "notes.read openid profile");
    assert!(Answer::of(&person.open(wiki.authorize_url("openid profile notes.read", &[])).await).has("code"));
}

#[tokio::test]
async fn what_is_asked_for_the_first_time_leaves_what_was_allowed_before_as_it_is() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid profile").await;
    wiki.approved_by(&person, "openid email").await;
    assert!(Answer::of(&person.open(wiki.authorize_url("openid profile email", &[])).await).has("code"));
}

#[tokio::test]
async fn an_unticked_scope_is_not_in_the_tokens_and_not_asked_again() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid email notes.read", &[])).await;
    let page = person.send(&allow(&page).unticked("scope", "notes.read")).await;
    let first = tokens(&wiki, &page).await;
    // "If the issued access token scope is different from the one requested by the client, the authorization server MUST include
    // the "scope" response parameter to inform the client of the actual scope granted." (RFC 6749 §3.3)
    assert_eq!((&first.0["scope"], &claims(first.access())["scope"]), (&"email openid".into(), &"email openid".into()));
    server.clock.advance(Duration::from_mins(1));
    let page = person.open(wiki.authorize_url("openid email notes.read", &[])).await;
    assert_eq!(tokens(&wiki, &page).await.0["scope"], "email openid");
}

#[tokio::test]
async fn an_unticked_scope_can_be_ticked_when_the_app_asks_for_consent_again() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid notes.read", &[])).await;
    person.send(&allow(&page).unticked("scope", "notes.read")).await;
    server.clock.advance(Duration::from_mins(1));
    let page = person.open(wiki.authorize_url("openid notes.read", &[("prompt", "consent")])).await;
    assert!(page.has("input[name=scope][value='notes.read']:not([checked])"), "{}", page.body);
    let mut form = allow(&page);
    form.fields.push(("scope".into(), "notes.read".into()));
    assert_eq!(tokens(&wiki, &person.send(&form).await).await.0["scope"], "notes.read openid");
}

#[tokio::test]
async fn a_scope_that_is_unticked_later_is_taken_back() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid notes.read").await;
    server.clock.advance(Duration::from_mins(1));
    let page = person.open(wiki.authorize_url("openid notes.read", &[("prompt", "consent")])).await;
    let page = person.send(&allow(&page).unticked("scope", "notes.read")).await;
    assert_eq!(tokens(&wiki, &page).await.0["scope"], "openid");
    let page = person.open(wiki.authorize_url("openid notes.read", &[])).await;
    assert_eq!(tokens(&wiki, &page).await.0["scope"], "openid");
}

#[tokio::test]
async fn with_offline_access_unticked_later_access_ends_with_the_sign_in_for_good() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let answer = wiki.approved_by(&person, "openid offline_access").await;
    let first = Tokens(wiki.redeem(&answer.param("code")).await.json());
    let says_offline = async || person.open("/account/apps").await.text().contains("when you are not here");
    assert!(says_offline().await);
    server.clock.advance(Duration::from_mins(1));
    let page = person.open(wiki.authorize_url("openid offline_access", &[("prompt", "consent")])).await;
    person.send(&allow(&page).unticked("scope", "offline_access")).await;
    assert!(!says_offline().await);
    assert_eq!(wiki.introspect(first.refresh()).await["active"], true, "still signed in");
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(wiki.introspect(first.refresh()).await["active"], false);
    // Ticked again, it is so for what is allowed from now on.
    server.clock.advance(Duration::from_mins(1));
    let person = alice(&server).await;
    let page = person.open(wiki.authorize_url("openid offline_access", &[("prompt", "consent")])).await;
    let mut form = allow(&page);
    form.fields.push(("scope".into(), "offline_access".into()));
    assert_eq!(tokens(&wiki, &person.send(&form).await).await.0["scope"], "offline_access openid");
    assert_eq!(wiki.refresh(first.refresh()).await.brief(), "400 invalid_grant");
}

#[tokio::test]
async fn openid_cannot_be_unticked() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid email", &[])).await;
    let page = person.send(&allow(&page).unticked("scope", "openid").unticked("scope", "email")).await;
    assert_eq!(tokens(&wiki, &page).await.0["scope"], "openid");
}

#[tokio::test]
async fn nothing_ticked_is_nothing_allowed() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("notes.read", &[])).await;
    let answer = Answer::of(&person.send(&allow(&page).unticked("scope", "notes.read")).await);
    assert_eq!((answer.param("error").as_str(), answer.has("code")), ("access_denied", false));
}

#[tokio::test]
async fn a_scope_that_was_not_offered_cannot_be_allowed() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let mut form = allow(&page);
    form.fields.extend(["notes.write", "groups", "admin"].map(|scope| ("scope".to_owned(), scope.to_owned())));
    assert_eq!(tokens(&wiki, &person.send(&form).await).await.0["scope"], "openid");
    assert_eq!(person.open(wiki.authorize_url("openid notes.write", &[])).await.name(), "consent");
}

// "access_denied The resource owner or authorization server denied the request." (RFC 6749 §4.1.2.1)
#[tokio::test]
async fn no_is_told_to_the_app_and_remembered_nowhere() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid email", &[])).await;
    let answer = Answer::of(&person.send(&form(&page).with("decision", "deny")).await);
    let told = (answer.param("error"), answer.param("state"), answer.param("iss"));
    assert_eq!(told, ("access_denied".into(), "the-state".into(), server.url.clone()));
    assert!(!answer.has("code"));
    assert!(server.events().await.iter().any(|event| event.kind == EventKind::ConsentDenied));
    assert_eq!(person.open(wiki.authorize_url("openid email", &[])).await.name(), "consent");
}

#[tokio::test]
async fn no_to_more_leaves_what_was_allowed_before() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid").await;
    let page = person.open(wiki.authorize_url("openid email", &[])).await;
    person.send(&form(&page).with("decision", "deny")).await;
    assert!(Answer::of(&person.open(wiki.authorize_url("openid", &[])).await).has("code"));
}

#[tokio::test]
async fn a_form_without_a_decision_allows_nothing() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    for decision in ["", "Allow", "yes"] {
        let page = person.open(wiki.authorize_url("openid email", &[])).await;
        let answer = Answer::of(&person.send(&form(&page).with("decision", decision)).await);
        assert_eq!(answer.param("error"), "access_denied", "{decision}");
    }
}

// "The Authorization Server SHOULD prompt the End-User for consent before returning information to the Client."
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_consent_asks_again_each_time() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid email").await;
    for _ in 0..2 {
        server.clock.advance(Duration::from_secs(1));
        let page = person.open(wiki.authorize_url("openid email", &[("prompt", "consent")])).await;
        assert_eq!((page.name().as_str(), new_ones(&page)), ("consent", 0));
        let resumed = page.url.as_str().replace("/consent?request=", "/authorize?resume=");
        assert_eq!(person.open(resumed).await.name(), "consent", "the question cannot be skipped");
        assert!(Answer::of(&person.send(&allow(&page)).await).has("code"));
    }
}

#[tokio::test]
async fn prompt_login_consent_asks_for_both() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid").await;
    server.clock.advance(Duration::from_secs(1));
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "login consent")])).await;
    assert_eq!(page.name(), "sign-in");
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!(page.name(), "consent");
    assert!(Answer::of(&person.send(&allow(&page)).await).has("code"));
}

#[tokio::test]
async fn an_app_with_skip_consent_is_never_asked_about() {
    let server = Server::start().await;
    let (person, portal) = (alice(&server).await, App::new(&server, "portal"));
    let page = person.open(portal.authorize_url("openid profile email groups", &[])).await;
    assert_eq!(tokens(&portal, &page).await.0["scope"], "email groups openid profile");
}

// "The Authorization Server SHOULD clearly identify long-term grants to the User during Authorization." (OIDC Core §16.18)
#[tokio::test]
async fn the_page_says_in_words_how_long_access_lasts() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let text = person.open(wiki.authorize_url("openid", &[])).await.text();
    assert!(text.contains("This lasts while you are signed in here, 7 days at most."), "{text}");
    let text = person.open(wiki.authorize_url("openid offline_access", &[])).await.text();
    assert!(text.contains("Do this when you are not here"), "{text}");
    assert!(
        text.contains("This lasts until you take it back, or until the app has not used it for 30 days."),
        "{text}"
    );
}

#[tokio::test]
async fn an_app_that_was_removed_asks_again() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let before = wiki.tokens_with(&person, "openid offline_access", &[]).await;
    let page = person.open("/account/apps/remove?app=wiki").await;
    person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await;
    assert_eq!(wiki.refresh(before.refresh()).await.json()["error"], "invalid_grant");
    assert_eq!(server.reasons().await[0], "GrantEnded");
    assert_eq!(person.open(wiki.authorize_url("openid", &[])).await.name(), "consent");
}

#[tokio::test]
async fn only_the_person_who_was_asked_can_answer() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let stranger = Person::new(&server);
    assert_eq!(stranger.send(&allow(&page)).await.status, 400);
    assert_eq!(server.reasons().await[0], "InteractionExpired");
    assert_eq!(stranger.open(page.url.as_str()).await.name(), "error");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_gives_nothing() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    server.clock.advance(Duration::from_hours(1));
    let late = person.send(&allow(&page)).await;
    assert_eq!((late.status.as_u16(), late.name().as_str()), (400, "error"));
    assert_eq!(server.reasons().await[0], "InteractionExpired");
}

// "unless the identity of the client can be proven, the request SHOULD be processed as if no previous request had been
// approved." (RFC 8252 §8.6)
#[tokio::test]
async fn a_native_app_of_the_team_is_asked_for_each_time_and_gets_its_code() {
    let server = Server::start().await;
    server.apply(TEAM_APP).await;
    let (person, app) = (Person::new(&server), App::new(&server, "native"));
    for _ in 0..2 {
        let mut page = person.open(app.authorize_url("openid profile", &[])).await;
        if page.name() == "sign-in" {
            page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
        }
        assert_eq!(page.name(), "consent");
        let code = Answer::of(&person.allow_on(&page).await).param("code");
        assert_eq!(app.redeem(&code).await.status, 200);
    }
}

/// The native app of the seeds, as one of the team's own.
const TEAM_APP: &str = r#"
[[clients]]
client_id = "native"
client_name = "Desk"
application_type = "native"
token_endpoint_auth_method = "none"
redirect_uris = ["http://127.0.0.1/cb"]
scope = "openid profile"
skip_consent = true
"#;

// "The Authorization Server SHOULD prompt the End-User for consent before returning information to the Client."
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn an_app_whose_people_are_not_asked_can_have_them_asked() {
    let server = Server::start().await;
    let (person, portal) = (Person::new(&server), App::new(&server, "portal"));
    person.sign_in().await;
    let asked = person.open(portal.authorize_url("openid profile", &[("prompt", "consent")])).await;
    assert_eq!(asked.name(), "consent");
    let form = asked.form(r#"form[action="/consent"]"#).unticked("scope", "profile").with("decision", "allow");
    let answer = Answer::of(&person.send(&form).await);
    let tokens = portal.redeem(&answer.param("code")).await.json();
    assert_eq!(tokens["scope"], "openid");
}
