//! Forms: what they keep, what they withstand.

use grantor_core::audit::EventKind;

use crate::harness::app::{Answer, App};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const SIGN_IN: &str = r#"form[action="/sign-in"]"#;
const CONSENT: &str = r#"form[action="/consent"]"#;

#[tokio::test]
async fn a_wrong_password_keeps_the_name_that_was_typed_and_only_that() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let page = person.sign_in_on(&page, "  Alice ", "not her password").await;
    assert_eq!((page.name().as_str(), page.status.as_u16()), ("sign-in", 422));
    assert_eq!(page.attribute("#username", "value").as_deref(), Some("  Alice "));
    assert_eq!(page.attribute("#password", "value"), None);
    assert!(!page.body.contains("not her password"));
}

#[tokio::test]
async fn an_error_is_announced_and_tied_to_its_field() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let page = person.sign_in_on(&page, ALICE, "not her password").await;
    assert_eq!(page.attribute("[role=alert]", "id").as_deref(), Some("problem"));
    assert_eq!(page.attribute("#password", "aria-describedby").as_deref(), Some("problem"));
    assert_eq!(page.attribute("#password", "aria-invalid").as_deref(), Some("true"));
    assert!(page.text().contains("That username and password don’t match."), "{}", page.text());
    assert!(page.body.contains("<title>Error: Sign in"), "{}", page.body);
}

#[tokio::test]
async fn an_empty_field_is_named_and_no_password_is_counted() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let page = person.sign_in_on(&page, ALICE, "").await;
    assert!(page.text().contains("Enter your username and your password."), "{}", page.text());
    assert!(server.events().await.iter().all(|event| event.kind != EventKind::SignInFailed));
}

#[tokio::test]
async fn the_app_is_not_forgotten_by_a_wrong_password() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let page = person.sign_in_on(&page, ALICE, "not her password").await;
    assert!(page.text().contains("to continue to Wiki · wiki.example"), "{}", page.text());
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!(page.name(), "consent");
}

#[tokio::test]
async fn the_app_may_suggest_the_name() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let page = Person::new(&server).open(wiki.authorize_url("openid", &[("login_hint", "bob")])).await;
    assert_eq!(page.attribute("#username", "value").as_deref(), Some("bob"));
}

#[tokio::test]
async fn each_form_is_refused_with_the_token_of_another_browser() {
    let server = Server::start().await;
    let (person, stranger) = (Person::new(&server), Person::new(&server));
    person.sign_in().await;
    let theirs = token(&stranger.sign_in().await.form("form"));
    for form in forms_of_a_signed_in_person(&server, &person).await {
        for csrf in [theirs.as_str(), "", "AAAA"] {
            let page = person.post(&form.clone().with("csrf", csrf)).await;
            assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "form-refused"), "{}", form.action);
        }
    }
    assert_eq!(person.open("/account").await.name(), "account");
}

#[tokio::test]
async fn a_sign_in_form_of_another_browser_signs_nobody_in() {
    let server = Server::start().await;
    let (person, stranger) = (Person::new(&server), Person::new(&server));
    let theirs = token(&stranger.open("/sign-in").await.form(SIGN_IN));
    let form = person.open("/sign-in").await.form(SIGN_IN).with("csrf", &theirs);
    let page = person.send(&form.with("username", ALICE).with("password", ALICE_PASSWORD)).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "sign-in"));
    assert_eq!(page.attribute("#username", "value").as_deref(), Some(ALICE));
    assert_eq!(person.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn a_form_of_before_another_persons_sign_in_is_refused_after_it() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let old = person.open("/account/sessions").await.form(r#"form[action="/sign-out"]"#);
    person.sign_in().await;
    assert_eq!(person.post(&old).await.name(), "form-refused");
}

#[tokio::test]
async fn consent_sent_twice_gives_a_code_that_works() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let form = consent_form(&wiki, &person).await.with("decision", "allow");
    person.send(&form).await;
    let second = Answer::of(&person.send(&form).await).param("code");
    assert_eq!(wiki.redeem(&second).await.status, 200);
}

#[tokio::test]
async fn consent_can_be_changed_after_going_back() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let form = consent_form(&wiki, &person).await.with("decision", "allow");
    person.send(&form).await;
    let second = Answer::of(&person.send(&form.unticked("scope", "email")).await).param("code");
    assert_eq!(wiki.redeem(&second).await.json()["scope"], "openid");
}

#[tokio::test]
async fn sign_in_sent_twice_signs_in() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.open("/sign-in").await.form(SIGN_IN).with("username", ALICE).with("password", ALICE_PASSWORD);
    assert_eq!(person.send(&form).await.name(), "account");
    assert_eq!(person.send(&form).await.name(), "account", "the second click of a double click");
}

#[tokio::test]
async fn sign_out_sent_twice_signs_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.sign_in().await.form(r#"form[action="/sign-out"]"#);
    assert_eq!(person.send(&form).await.name(), "signed-out");
    assert_ne!(person.send(&form).await.status, 500);
    assert_eq!(person.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn remove_sent_twice_removes() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    wiki.approved_by(&person, "openid").await;
    let form = person.open("/account/apps/remove?app=wiki").await.form(r#"form[action="/account/apps/remove"]"#);
    for _ in 0..2 {
        let page = person.send(&form).await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "apps"));
    }
}

#[tokio::test]
async fn a_form_that_waited_too_long_says_so_and_goes_nowhere() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let form = consent_form(&wiki, &person).await.with("decision", "allow");
    server.clock.advance(std::time::Duration::from_mins(61));
    let page = person.send(&form).await;
    assert_eq!(page.name(), "error");
    assert!(page.text().contains("This took too long"), "{}", page.text());
}

fn token(form: &Form) -> String {
    form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone()
}

async fn consent_form(app: &App<'_>, person: &Person) -> Form {
    let page = person.open(app.authorize_url("openid email", &[])).await;
    let page: Page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    page.form(CONSENT)
}

/// Each form with a token that a signed-in person meets, once, ready to be sent.
async fn forms_of_a_signed_in_person(server: &Server, person: &Person) -> Vec<Form> {
    let wiki = App::new(server, "wiki");
    let consent = person.open(wiki.authorize_url("openid", &[])).await;
    person.allow_on(&consent).await;
    let select = person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await;
    let remove = person.open("/account/apps/remove?app=wiki").await;
    vec![
        consent.form(CONSENT).with("decision", "allow"),
        select.form(r#"form[action="/select-account"]"#).with("choice", "continue"),
        remove.form(r#"form[action="/account/apps/remove"]"#),
        person.open("/account").await.form(r#"form[action="/sign-out"]"#),
        person.open("/end-session").await.form(r#"form[action="/sign-out"]"#),
        person
            .open("/account")
            .await
            .form(r#"form[action="/sign-out"]"#)
            .at(&server.at("/account/sessions"))
            .with("end", "others"),
    ]
}
