//! Several people signed in in one browser: who is in use, who stays signed in beside, and for whom apps are answered.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// A browser with Alice in it.
pub(super) async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    server.clock.advance(Duration::from_secs(1));
    person
}

pub(super) fn choices(page: &Page) -> Form {
    page.form(r#"form[action="/select-account"]"#)
}

/// Signs somebody in beside whoever is signed in, by the button for that.
pub async fn add(server: &Server, person: &Person, username: &str, password: &str) -> Page {
    let page = person.open("/select-account").await;
    let page = person.send(&choices(&page).with("choice", "another")).await;
    assert_eq!(page.name(), "sign-in", "{}", page.body);
    server.clock.advance(Duration::from_secs(1));
    let page = person.sign_in_on(&page, username, password).await;
    // Nothing that is asked for from now on was asked before.
    server.clock.advance(Duration::from_secs(1));
    page
}

/// A browser with Alice and Bob in it, of whom Alice is in use.
pub(super) async fn alice_before_bob(server: &Server) -> Person {
    let person = alice(server).await;
    add(server, &person, BOB, BOB_PASSWORD).await;
    choose(&person, &person.open("/select-account").await).await;
    person
}

/// Goes on as whoever stands first beside the account in use.
pub(super) async fn choose(person: &Person, page: &Page) -> Page {
    let first = page.attribute("#account-1", "value").unwrap_or_else(|| panic!("somebody beside: {}", page.text()));
    person.send(&choices(page).with("choice", &first)).await
}

/// Who is in use.
pub(super) async fn in_use(person: &Person) -> Option<&'static str> {
    let page = person.open("/account").await;
    let text = page.text();
    let named = ["Alice Liddell", "Bob"].into_iter().find(|name| text.contains(name));
    named.filter(|_| page.name() == "account")
}

/// How many are signed in beside.
pub(super) async fn beside(person: &Person) -> usize {
    person.open("/select-account").await.attributes(".choices button", "value").len()
}

/// The ID token of the person in use, for an app that asks nobody.
pub(super) async fn id_token(server: &Server, person: &Person) -> String {
    App::new(server, "portal").tokens_with(person, "openid", &[]).await.id().to_owned()
}

pub(super) async fn sub_of(server: &Server, page: &Page) -> Value {
    let answer = Answer::of(page);
    let tokens = App::new(server, "portal").redeem(&answer.param("code")).await.json();
    claims(tokens["id_token"].as_str().unwrap_or_default())["sub"].clone()
}

async fn ask(server: &Server, person: &Person, changes: &[(&str, &str)]) -> Page {
    person.open(App::new(server, "portal").authorize_url("openid", changes)).await
}

#[tokio::test]
async fn a_second_account_is_signed_in_beside_the_first_and_the_person_changes_between_them() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let page = add(&server, &person, BOB, BOB_PASSWORD).await;
    assert_eq!((page.name().as_str(), in_use(&person).await), ("account", Some("Bob")));
    for name in ["Alice Liddell", "Bob"] {
        let page = person.open("/select-account").await;
        let found = page.attribute("#account-1", "value").unwrap();
        assert!(page.text().contains(name) && found.len() == 11, "{}", page.text());
        assert_eq!(choose(&person, &page).await.name(), "account");
        assert_eq!((in_use(&person).await, beside(&person).await), (Some(name), 1));
    }
}

#[tokio::test]
async fn who_signs_in_over_somebody_signs_out_whoever_was_there() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let person = Person::new(&server);
    let tokens = wiki.tokens_with(&person, "openid", &[]).await;
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Bob"), 0));
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn who_signs_in_beside_leaves_the_apps_of_the_others_as_they_are() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let person = Person::new(&server);
    let tokens = wiki.tokens_with(&person, "openid", &[]).await;
    add(&server, &person, BOB, BOB_PASSWORD).await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn nobody_makes_up_that_somebody_chose_to_sign_in_beside() {
    let server = Server::start().await;
    let (person, elsewhere) = (alice(&server).await, alice(&server).await);
    let page = elsewhere.send(&choices(&elsewhere.open("/select-account").await).with("choice", "another")).await;
    let of_another_browser = page.attribute("input[name=beside]", "value").unwrap();
    for proof in ["yes", "AAAA", &of_another_browser] {
        assert_eq!(person.open(format!("/sign-in?beside={proof}")).await.name(), "select-account", "{proof}");
        let form = person.open("/sign-in").await.form(r#"form[action="/sign-in"]"#).with("beside", proof);
        let page = person.send(&form.with("username", BOB).with("password", BOB_PASSWORD)).await;
        assert_eq!(page.name(), "select-account", "{proof}");
        assert_eq!((in_use(&person).await, beside(&person).await), (Some("Alice Liddell"), 0), "{proof}");
    }
}

#[tokio::test]
async fn who_signs_in_again_takes_only_their_own_place() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let person = Person::new(&server);
    let tokens = wiki.tokens_with(&person, "openid", &[]).await;
    add(&server, &person, BOB, BOB_PASSWORD).await;
    for (username, password, name) in [(ALICE, ALICE_PASSWORD, "Alice Liddell"), (BOB, BOB_PASSWORD, "Bob")] {
        server.clock.advance(Duration::from_secs(1));
        let page = person.open("/sign-in").await;
        person.sign_in_on(&page, username, password).await;
        assert_eq!((in_use(&person).await, beside(&person).await), (Some(name), 1));
    }
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200, "her app goes on in the new session");
}

// "The Authorization Server SHOULD prompt the End-User to select a user account. This enables an End-User who has multiple accounts
// at the Authorization Server to select amongst the multiple accounts that they might have current sessions for."
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn select_account_offers_all_who_are_signed_in_and_goes_on_as_the_one_chosen() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let of_alice = claims(&id_token(&server, &person).await)["sub"].clone();
    add(&server, &person, BOB, BOB_PASSWORD).await;
    let page = ask(&server, &person, &[("prompt", "select_account")]).await;
    assert!(page.text().contains("Continue as Bob") && page.text().contains("Alice Liddell"), "{}", page.text());
    assert_eq!(sub_of(&server, &choose(&person, &page).await).await, of_alice);
    assert_eq!(in_use(&person).await, Some("Alice Liddell"));
}

#[tokio::test]
async fn the_one_chosen_is_asked_for_consent_and_for_a_fresh_password() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.tokens_with(&person, "openid", &[]).await;
    add(&server, &person, BOB, BOB_PASSWORD).await;
    choose(&person, &person.open("/select-account").await).await;
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await;
    let page = choose(&person, &page).await;
    assert_eq!(page.name(), "consent", "Alice has allowed it, Bob has not");
    assert!(page.text().contains("Bob") && !page.text().contains("Alice"), "{}", page.text());
    server.clock.advance(Duration::from_mins(2));
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "select_account"), ("max_age", "60")])).await;
    let page = match page.name().as_str() {
        "select-account" => choose(&person, &page).await,
        _ => page,
    };
    assert_eq!(page.name(), "sign-in");
}

#[tokio::test]
async fn the_choice_counts_for_the_one_chosen_only() {
    let server = Server::start().await;
    let person = alice_before_bob(&server).await;
    let page = ask(&server, &person, &[("prompt", "select_account")]).await;
    let chosen = person.post(&choices(&page).with("choice", "continue")).await;
    // In another window, Bob comes into use before the browser goes on here.
    choose(&person, &person.open("/select-account").await).await;
    assert_eq!(person.follow(chosen).await.name(), "select-account");
}

fn many() -> String {
    let mut text = String::new();
    for name in ["carol", "dave", "erin", "frank"] {
        write!(text, "[[users]]\nusername = \"{name}\"\npassword = \"a long password of {name} here\"\n\n").unwrap();
    }
    text
}

#[tokio::test]
async fn a_fifth_beside_signs_out_the_one_that_was_in_use_longest_ago() {
    let server = Server::start().await;
    server.apply(&many()).await;
    let wiki = App::new(&server, "wiki");
    let person = Person::new(&server);
    let tokens = wiki.tokens_with(&person, "openid", &[]).await;
    add(&server, &person, BOB, BOB_PASSWORD).await;
    for name in ["carol", "dave", "erin"] {
        add(&server, &person, name, &format!("a long password of {name} here")).await;
    }
    assert_eq!((beside(&person).await, wiki.userinfo(tokens.access()).await.status.as_u16()), (4, 200));
    add(&server, &person, "frank", "a long password of frank here").await;
    let page = person.open("/select-account").await;
    assert_eq!(page.attributes(".choices button", "value").len(), 4);
    assert!(page.text().contains("Bob") && !page.text().contains("Alice"), "{}", page.text());
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
}

// "If the End-User identified by the ID Token is already logged in or is logged in as a result of the request ..., then the
// Authorization Server returns a positive response" (OIDC Core §3.1.2.1)
#[tokio::test]
async fn whom_a_request_names_is_answered_for_from_beside_and_nobody_else_comes_into_use() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let hint = id_token(&server, &person).await;
    let sub = claims(&hint)["sub"].clone();
    let wanted = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    add(&server, &person, ALICE, ALICE_PASSWORD).await;
    for by in [("id_token_hint", hint.as_str()), ("claims", &wanted)] {
        for prompt in ["none", ""] {
            let page = ask(&server, &person, &[by, ("prompt", prompt)]).await;
            assert_eq!(sub_of(&server, &page).await, sub, "{by:?} {prompt}");
            assert_eq!(in_use(&person).await, Some("Alice Liddell"), "{by:?}");
        }
    }
    assert_ne!(sub_of(&server, &ask(&server, &person, &[("prompt", "none")]).await).await, sub);
    assert_eq!(ask(&server, &person, &[("login_hint", "nobody")]).await.name(), "select-account");
}

#[tokio::test]
async fn what_must_be_asked_of_somebody_beside_is_asked_when_they_are_chosen() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let sub = claims(&id_token(&server, &person).await)["sub"].clone();
    let wanted = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
    add(&server, &person, ALICE, ALICE_PASSWORD).await;
    wiki.approved_by(&person, "openid").await;
    let silent = wiki.authorize_url("openid", &[("claims", &wanted), ("prompt", "none")]);
    assert_eq!(Answer::of(&person.get(silent).await).param("error"), "login_required", "it knows nothing of Bob");
    let page = person.open(wiki.authorize_url("openid", &[("claims", &wanted)])).await;
    assert_eq!(page.name(), "select-account");
    let refused = person.send(&choices(&page).with("choice", "continue")).await;
    assert_eq!(refused.name(), "sign-in", "Alice is not whom the app asks for");
    let page = choose(&person, &page).await;
    assert!(page.name() == "consent" && page.text().contains("Bob"), "{}", page.text());
    let answer = Answer::of(&person.allow_on(&page).await);
    let tokens = Tokens(wiki.redeem(&answer.param("code")).await.json());
    assert_eq!(claims(tokens.id())["sub"], sub);
}

#[tokio::test]
async fn a_name_alone_tells_an_app_nothing_of_who_else_is_signed_in() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid").await;
    let silent = wiki.authorize_url("openid", &[("login_hint", "bob"), ("prompt", "none")]);
    let alone = Answer::of(&person.get(&silent).await).names();
    add(&server, &person, BOB, BOB_PASSWORD).await;
    choose(&person, &person.open("/select-account").await).await;
    assert_eq!(Answer::of(&person.get(&silent).await).names(), alone);
}

#[tokio::test]
async fn a_hint_is_no_way_around_the_age_of_a_sign_in() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let hint = id_token(&server, &person).await;
    server.clock.advance(Duration::from_mins(5));
    add(&server, &person, ALICE, ALICE_PASSWORD).await;
    let changes = [("id_token_hint", hint.as_str()), ("max_age", "60")];
    let silent = ask(&server, &person, &[&changes[..], &[("prompt", "none")]].concat()).await;
    assert_eq!(Answer::of(&silent).param("error"), "login_required");
    let page = ask(&server, &person, &changes).await;
    assert_eq!((page.name().as_str(), page.attribute("#username", "value").as_deref()), ("sign-in", Some("")));
    let page = person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert_eq!(sub_of(&server, &page).await, claims(&hint)["sub"]);
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Bob"), 1));
}

#[tokio::test]
async fn who_has_ended_elsewhere_or_is_switched_off_is_offered_no_more() {
    let server = Server::start().await;
    let (person, elsewhere) = (alice_before_bob(&server).await, Person::new(&server));
    let page = elsewhere.open("/sign-in").await;
    elsewhere.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let sessions = elsewhere.open("/account/sessions").await;
    let shown = person.open("/select-account").await;
    elsewhere.send(&sessions.form(r#"form[action="/account/sessions"]"#).with("end", "everywhere")).await;
    assert_eq!(choose(&person, &shown).await.name(), "select-account", "it has ended since the page was shown");
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Alice Liddell"), 0));
    add(&server, &person, BOB, BOB_PASSWORD).await;
    server.apply("[[users]]\nusername = \"alice\"\nname = \"Alice Liddell\"\ndisabled = true\n").await;
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Bob"), 0));
}

#[tokio::test]
async fn who_may_not_sign_in_from_here_is_not_offered_either() {
    let server = Server::start().await;
    let person = alice_before_bob(&server).await;
    server.apply("[[users]]\nusername = \"bob\"\nname = \"Bob\"\nnetworks = [\"192.0.2.0/24\"]\n").await;
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Alice Liddell"), 0));
    let answer = Answer::of(&ask(&server, &person, &[("login_hint", "bob"), ("prompt", "none")]).await);
    assert!(answer.has("code"), "for Alice, as without a hint");
}

#[tokio::test]
async fn a_form_of_before_the_change_does_nothing_for_somebody_else() {
    let server = Server::start().await;
    let (person, wiki) = (alice_before_bob(&server).await, App::new(&server, "wiki"));
    let select = person.open("/select-account").await;
    let consent = person.open(wiki.authorize_url("openid", &[])).await;
    let account = person.open("/account").await;
    choose(&person, &select).await;
    assert_eq!(person.post(&choices(&select).with("choice", "continue")).await.status, 403);
    assert_eq!(person.post(&choices(&select).with("choice", "another")).await.status, 403);
    let consent = consent.form(r#"form[action="/consent"]"#).with("decision", "allow");
    assert_eq!(person.post(&consent).await.status, 403);
    assert_eq!(person.post(&account.form(r#"form[action="/sign-out"]"#)).await.status, 403);
    assert_eq!(in_use(&person).await, Some("Bob"));
    assert_eq!(choose(&person, &select).await.name(), "account", "who is named is meant: a second click, too");
    assert_eq!((in_use(&person).await, beside(&person).await), (Some("Bob"), 1));
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let server = Server::start().await;
    let person = alice_before_bob(&server).await;
    let page = person.open("/select-account").await;
    let form = choices(&page).with("choice", &page.attribute("#account-1", "value").unwrap());
    assert_eq!(person.post_with(&form, &[("origin", "https://evil.example")]).await.status, 403);
    assert_eq!(person.post(&form.clone().with("csrf", "AAAA")).await.status, 403);
    let nobody = form.with("choice", "00000000001");
    assert_eq!(person.send(&nobody).await.name(), "select-account");
    assert_eq!(in_use(&person).await, Some("Alice Liddell"));
}

#[tokio::test]
async fn an_account_that_is_made_on_the_way_is_one_beside() {
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    let person = alice(&server).await;
    let page = person.send(&choices(&person.open("/select-account").await).with("choice", "another")).await;
    let page = person.open(page.attribute("#sign-up", "href").unwrap()).await;
    let form = page.form(r#"form[action="/sign-up"]"#).with("username", "grace");
    let page = person.send(&form.with("password", "teekanne unter dem sofa")).await;
    assert!(page.name() == "account" && page.text().contains("grace"), "{}", page.text());
    let page = person.open("/select-account").await;
    assert!(page.text().contains("Alice Liddell"), "{}", page.text());
}
