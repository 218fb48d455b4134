//! Consent: who asks, as whom, for what.

use crate::harness::app::{Answer, App};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const ALL: &str = "openid profile email offline_access notes.read";

async fn asked_by(person: &Person, app: &App<'_>, scope: &str) -> Page {
    let page = person.open(app.authorize_url(scope, &[])).await;
    if page.name() == "sign-in" { person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await } else { page }
}

#[tokio::test]
async fn it_says_who_asks_as_whom_and_for_what_in_sentences() {
    let server = Server::start().await;
    let page = asked_by(&Person::new(&server), &App::new(&server, "wiki"), ALL).await;
    let text = page.text();
    for words in [
        "Wiki wants access to your account",
        "wiki.example",
        "Added by your administrator",
        "Signed in as Alice Liddell",
        "Not you?",
        "Know that it is you Needed for the app to work",
        "See your name, picture and profile",
        "See your e-mail address",
        "Do this when you are not here",
        "Read your notes",
        "until the app has not used it for 30 days",
        "Then you go back to Wiki",
        "You can take access back at any time",
        "Don’t allow",
        "Allow Wiki",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[tokio::test]
async fn it_lists_the_same_sentences_in_german() {
    let server = Server::start().await;
    let page = asked_by(&Person::with_language(&server, "de"), &App::new(&server, "wiki"), ALL).await;
    let text = page.text();
    for words in ["Wissen, dass Sie es sind", "Ihre E-Mail-Adresse sehen", "Ihre Notizen lesen", "Nicht erlauben"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[tokio::test]
async fn what_the_app_needs_cannot_be_unticked() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = asked_by(&person, &wiki, "openid email").await;
    assert!(page.has("input[type=checkbox][checked][disabled]"));
    let form = page.form(r#"form[action="/consent"]"#).with("decision", "allow");
    let form = form.unticked("scope", "openid").unticked("scope", "email");
    let code = Answer::of(&person.send(&form).await).param("code");
    assert_eq!(wiki.redeem(&code).await.json()["scope"], "openid");
}

#[tokio::test]
async fn what_was_not_offered_cannot_be_ticked() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let mut form =
        asked_by(&person, &wiki, "openid").await.form(r#"form[action="/consent"]"#).with("decision", "allow");
    form.fields.push(("scope".into(), "notes.write".into()));
    let code = Answer::of(&person.send(&form).await).param("code");
    assert_eq!(wiki.redeem(&code).await.json()["scope"], "openid");
}

#[tokio::test]
async fn what_is_new_stands_first_and_is_marked() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.allow_on(&asked_by(&person, &wiki, "openid profile").await).await;
    let page = asked_by(&person, &wiki, "openid profile notes.read").await;
    let text = page.text();
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} in {text}"));
    assert!(place("Read your notes New") < place("See your name, picture and profile"));
    assert_eq!(text.matches(" New").count(), 1);
}

#[tokio::test]
async fn what_was_answered_is_not_asked_again() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let form = asked_by(&person, &wiki, "openid email").await.form(r#"form[action="/consent"]"#);
    person.send(&form.unticked("scope", "email").with("decision", "allow")).await;
    let code = Answer::of(&asked_by(&person, &wiki, "openid email").await).param("code");
    assert_eq!(wiki.redeem(&code).await.json()["scope"], "openid", "what was not ticked stays so");
}

#[tokio::test]
async fn saying_no_tells_the_app_and_changes_nothing() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let form = asked_by(&person, &wiki, "openid").await.form(r#"form[action="/consent"]"#);
    let answer = Answer::of(&person.send(&form.with("decision", "deny")).await);
    assert_eq!((answer.param("error").as_str(), answer.param("state").as_str()), ("access_denied", "the-state"));
    assert_eq!(asked_by(&person, &wiki, "openid").await.name(), "consent");
}

#[tokio::test]
async fn it_leads_to_another_account() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = asked_by(&person, &wiki, "openid").await;
    let page = person.open(page.attribute(r#"a[href^="/select-account"]"#, "href").unwrap()).await;
    assert_eq!(page.name(), "select-account");
    let page = person.send(&page.form(r#"form[action="/select-account"]"#).with("choice", "another")).await;
    let page = person.sign_in_on(&page, "bob", "tomorrow never knows the way").await;
    assert!(page.text().contains("Signed in as Bob"), "{}", page.text());
}

#[tokio::test]
async fn another_host_of_the_answer_is_named() {
    let server = Server::start().await;
    let page = asked_by(&Person::new(&server), &App::new(&server, "native"), "openid").await;
    assert!(page.text().contains("127.0.0.1"), "{}", page.text());
}

#[tokio::test]
async fn a_hostile_name_stays_a_name() {
    let server = Server::start().await;
    server.apply(HOSTILE).await;
    let mut wiki = App::new(&server, "wiki");
    wiki.client_id = "hostile".into();
    let page = asked_by(&Person::new(&server), &wiki, "openid").await;
    assert!(page.body.contains("&#60;img src=x&#62;"), "{}", page.body);
    assert!(!page.has("img[src=x]"));
    assert!(!page.body.contains('\u{202E}'), "a mark of direction would turn the words after it");
}

const HOSTILE: &str = r#"
[[clients]]
client_id = "hostile"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
client_name = "<img src=x>\u202Eelgoog"
redirect_uris = ["https://wiki.example/cb"]
grant_types = ["authorization_code"]
scope = "openid"
"#;
