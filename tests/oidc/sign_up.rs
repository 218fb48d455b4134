//! Accounts that people make for themselves: where that is allowed, by a link on the sign-in page, and where an app asks for it
//! with `prompt=create` (OIDC Prompt Create).

use crate::harness::app::{Answer, App, claims};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

const PASSWORD: &str = "teekanne unter dem sofa";

/// A server where people may make accounts.
async fn open() -> Server {
    Server::start_with(|config| config.sign_in.self_registration = true).await
}

/// A request of the app whose people are not asked for consent.
async fn ask(server: &Server, person: &Person, changes: &[(&str, &str)]) -> Page {
    person.open(App::new(server, "portal").authorize_url("openid", changes)).await
}

/// Fills in the page.
async fn sign_up(person: &Person, page: &Page, username: &str, password: &str) -> Page {
    let form = page.form(r#"form[action="/sign-up"]"#).with("username", username).with("password", password);
    person.send(&form).await
}

/// Whether events tell of an account that somebody made.
async fn is_made(server: &Server) -> bool {
    let events = server.events().await;
    events.iter().any(|event| event.detail.as_deref().is_some_and(|detail| detail.ends_with("created by the person")))
}

// "A value of create indicates to the OpenID Provider that the client desires that the user be shown the account creation UX
// rather than the login flow." (OIDC Prompt Create §4)
#[tokio::test]
async fn an_app_can_ask_that_an_account_is_made() {
    let server = open().await;
    let person = Person::new(&server);
    let page = ask(&server, &person, &[("prompt", "create")]).await;
    assert_eq!(page.name(), "sign-up");
    // "This flow MUST NOT be considered successful without the return of a valid id_token or id_token + access_token."
    // (OIDC Prompt Create §4.1)
    let answer = Answer::of(&sign_up(&person, &page, "Grace", PASSWORD).await);
    let tokens = App::new(&server, "portal").redeem(&answer.param("code")).await.json();
    let told = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((told["amr"][0].as_str(), told["acr"].as_str()), (Some("pwd"), Some("urn:grantor:acr:password")));
    assert_eq!(person.open("/account").await.name(), "account");
    assert!(is_made(&server).await);
}

#[tokio::test]
async fn who_has_made_an_account_signs_in_with_it_from_then_on() {
    let server = open().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let page = person.open(page.attribute("#sign-up", "href").unwrap()).await;
    sign_up(&person, &page, "grace", PASSWORD).await;
    let elsewhere = Person::new(&server);
    let page = elsewhere.open("/sign-in").await;
    assert_eq!(elsewhere.sign_in_on(&page, "GRACE", PASSWORD).await.name(), "account");
}

#[tokio::test]
async fn who_is_signed_in_already_is_asked_all_the_same_and_may_sign_in_instead() {
    let server = open().await;
    let person = Person::new(&server);
    person.sign_in().await;
    server.clock.advance(std::time::Duration::from_mins(1));
    let page = ask(&server, &person, &[("prompt", "create")]).await;
    assert_eq!(page.name(), "sign-up");
    let page = person.open(page.attribute("#sign-in", "href").unwrap()).await;
    let page = person.sign_in_on(&page, crate::harness::seeds::ALICE, crate::harness::seeds::ALICE_PASSWORD).await;
    assert!(Answer::of(&page).has("code"));
}

// "If the OpenID Provider receives a prompt value that it does not support (not declared in the prompt_values_supported metadata
// field) the OP SHOULD respond with an HTTP 400 (Bad Request) status code and an error value of invalid_request."
// (OIDC Prompt Create §4.1)
#[tokio::test]
async fn where_it_is_not_allowed_there_is_nothing_to_see() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = ask(&server, &person, &[("prompt", "create")]).await;
    assert_eq!(Answer::of(&page).param("error"), "invalid_request");
    assert_eq!(person.open("/sign-up").await.status, 404);
    assert!(!person.open("/sign-in").await.body.contains("sign-up"));
}

// "If an OpenID Provider supports this specification it MUST define this metadata element in the openid- configuration file."
// (OIDC Prompt Create §4.2)
#[tokio::test]
async fn the_metadata_say_whether_it_is_offered() {
    for (server, offered) in [(open().await, true), (Server::start().await, false)] {
        let metadata = Person::new(&server).get("/.well-known/openid-configuration").await.json();
        let values = metadata["prompt_values_supported"].as_array().unwrap();
        assert_eq!(values.contains(&"create".into()), offered);
        assert!(["none", "login", "consent", "select_account"].iter().all(|value| values.contains(&(*value).into())));
    }
}

#[tokio::test]
async fn with_prompt_none_it_is_an_error() {
    let server = open().await;
    let page = ask(&server, &Person::new(&server), &[("prompt", "none create")]).await;
    assert_eq!(Answer::of(&page).param("error"), "invalid_request");
}

#[tokio::test]
async fn a_name_that_is_taken_or_somebodys_address_is_not_given_away() {
    let server = open().await;
    let person = Person::new(&server);
    for (username, told) in [
        ("alice", "Somebody has that username"),
        (" ALICE ", "Somebody has that username"),
        ("grace@example.com", "without @"),
        ("@grace", "without @"),
        ("gra\u{200b}ce", "at most 128"),
        ("", "Choose a username and a password"),
    ] {
        let page = person.open("/sign-up").await;
        let page = sign_up(&person, &page, username, PASSWORD).await;
        assert_eq!(page.status, 422, "{username}");
        assert!(page.text().contains(told), "{username}: {}", page.text());
    }
}

#[tokio::test]
async fn a_weak_password_is_refused_and_the_form_keeps_the_name() {
    let server = open().await;
    let person = Person::new(&server);
    for (password, told) in [
        ("short", "at least 8"),
        ("password", "most used"),
        ("grace-hopper", "can’t be the username"),
        ("aaaaaaaaaaaa", "easy to guess"),
    ] {
        let page = person.open("/sign-up").await;
        let page = sign_up(&person, &page, "grace.hopper", password).await;
        assert_eq!(
            (page.status.as_u16(), page.attribute("#username", "value")),
            (422, Some("grace.hopper".to_owned())),
            "{password}"
        );
        assert!(page.text().contains(told), "{password}: {}", page.text());
    }
    assert!(!is_made(&server).await);
}

#[tokio::test]
async fn of_two_who_want_one_name_at_once_one_gets_it() {
    let server = open().await;
    let (one, two) = (Person::new(&server), Person::new(&server));
    let (page, other) = (one.open("/sign-up").await, two.open("/sign-up").await);
    let (first, second) = tokio::join!(
        sign_up(&one, &page, "grace", PASSWORD),
        sign_up(&two, &other, "grace", "another phrase of words")
    );
    let mut names = [first.name(), second.name()];
    names.sort_unstable();
    assert_eq!(names, ["account", "sign-up"]);
}

#[tokio::test]
async fn a_form_of_another_site_makes_nothing() {
    let server = open().await;
    let person = Person::new(&server);
    let page = person.open("/sign-up").await;
    let form = page.form(r#"form[action="/sign-up"]"#).with("username", "grace").with("password", PASSWORD);
    assert_eq!(person.post_with(&form, &[("origin", "https://evil.example")]).await.status, 403);
    assert_eq!(Person::new(&server).post(&form).await.status, 403);
    assert!(!is_made(&server).await);
}

#[tokio::test]
async fn accounts_of_one_address_are_made_slowly() {
    let server = Server::start_with(|config| {
        config.sign_in.self_registration = true;
        config.sign_in.address_failures = 3;
    });
    let server = server.await;
    for number in 0..4 {
        let person = Person::new(&server);
        let page = person.open("/sign-up").await;
        let page = sign_up(&person, &page, &format!("grace{number}"), PASSWORD).await;
        assert_eq!(page.name(), if number < 3 { "account" } else { "sign-up" }, "{number}");
        assert_eq!(page.header("retry-after").is_some(), number == 3);
    }
}

#[tokio::test]
async fn a_file_that_declares_somebody_gives_nothing_to_a_stranger_who_took_the_name() {
    let server = open().await;
    let person = Person::new(&server);
    let page = person.open("/sign-up").await;
    sign_up(&person, &page, "grace", PASSWORD).await;
    let declared = "[[users]]\nusername = \"grace\"\ngroups = [\"admins\"]\nemail = \"grace@example.com\"\n";
    let faults = server.try_apply(declared).await.unwrap_err();
    assert!(faults.contains("was made by its person"), "{faults}");
    assert!(person.open("/account").await.name() == "account");
}

#[tokio::test]
async fn who_makes_an_account_by_signing_in_elsewhere_is_not_asked_again() {
    let server = open().await;
    let person = Person::new(&server);
    let page = ask(&server, &person, &[("prompt", "create login")]).await;
    assert_eq!(page.name(), "sign-up");
    assert!(Answer::of(&sign_up(&person, &page, "grace", PASSWORD).await).has("code"));
}
