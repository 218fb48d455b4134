//! Which language a page is in.

use crate::harness::app::{Answer, App};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const GERMAN: &str = "Benutzername";
const ENGLISH: &str = "Username";

#[tokio::test]
async fn a_page_is_in_the_language_that_the_browser_asks_for() {
    let server = Server::start().await;
    for (asked, tag, words) in [
        ("de-AT,de;q=0.9", "de", GERMAN),
        ("fr,de;q=0.5", "de", GERMAN),
        ("en-GB", "en", ENGLISH),
        ("fr", "en", ENGLISH),
        (";;q=x,*", "en", ENGLISH),
    ] {
        let page = Person::with_language(&server, asked).open("/sign-in").await;
        assert_eq!(page.attribute("html", "lang").as_deref(), Some(tag), "{asked}");
        assert_eq!(page.attribute("html", "dir").as_deref(), Some("ltr"));
        assert!(page.text().contains(words), "{asked}: {}", page.text());
    }
}

#[tokio::test]
async fn a_choice_is_remembered_and_leads_back_to_the_page() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let page = person.send(&page.form(r#"form[action="/language"]"#).with("language", "de")).await;
    assert_eq!((page.name().as_str(), page.attribute("html", "lang").as_deref()), ("sign-in", Some("de")));
    assert!(person.open("/").await.text().contains("Anmelden"));
}

#[tokio::test]
async fn the_app_asks_for_a_language_before_all_others() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(wiki.authorize_url("openid", &[("ui_locales", "fr de")])).await;
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("de"));
    let page = person.sign_in_on(&page, "alice", "wrong").await;
    assert!(page.text().contains("Benutzername und Passwort passen nicht zusammen."), "{}", page.text());
}

#[tokio::test]
async fn a_language_that_nobody_speaks_changes_nothing() {
    let server = Server::start().await;
    let person = Person::with_language(&server, "de");
    let form = person.open("/sign-in").await.form(r#"form[action="/language"]"#);
    for language in ["tlh", "", "../../etc", "<script>"] {
        let page = person.send(&form.clone().with("language", language)).await;
        assert_eq!(page.attribute("html", "lang").as_deref(), Some("de"), "{language}");
    }
}

#[tokio::test]
async fn an_error_speaks_the_language_too() {
    let server = Server::start().await;
    let person = Person::with_language(&server, "de");
    let page = person.open("/authorize").await;
    assert!(page.text().contains("Fallnummer"), "{}", page.text());
    assert_eq!(person.open("/nothing").await.attribute("html", "lang").as_deref(), Some("de"));
}

const LANGUAGES: &str = r#"form[action="/language"]"#;

async fn in_german(person: &Person, page: &Page) -> Page {
    let page = person.send(&page.form(LANGUAGES).with("language", "de")).await;
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("de"));
    page
}

// A page that answers a form is at no address; what waits there must not be lost.
#[tokio::test]
async fn who_changes_the_language_after_a_mistake_goes_on_with_what_the_app_asked() {
    let server = Server::start_with(|config| config.sign_in.self_registration = true).await;
    let portal = App::new(&server, "portal");
    let person = Person::new(&server);
    let page = person.open(portal.authorize_url("openid", &[("state", "kept")])).await;
    let page = person.sign_in_on(&page, ALICE, "wrong").await;
    let page = in_german(&person, &page).await;
    assert!(page.name() == "sign-in" && page.text().contains("Portal"), "{}", page.text());
    let answer = Answer::of(&person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await);
    assert!(answer.has("code") && answer.param("state") == "kept");

    let person = Person::new(&server);
    let page = person.open(portal.authorize_url("openid", &[("prompt", "create")])).await;
    let form = page.form(r#"form[action="/sign-up"]"#);
    let page = person.send(&form.with("username", "grace").with("password", "short")).await;
    let page = in_german(&person, &page).await;
    assert_eq!(page.name(), "sign-up", "{}", page.body);
    let form = page.form(r#"form[action="/sign-up"]"#).with("username", "grace");
    assert!(Answer::of(&person.send(&form.with("password", "teekanne unter dem sofa")).await).has("code"));
}

#[tokio::test]
async fn who_changes_the_language_before_signing_out_goes_back_to_the_app_all_the_same() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let fields = [("client_id", "wiki"), ("post_logout_redirect_uri", "https://wiki.example/out"), ("state", "s")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let page = person.send(&Form { action: server.at("/end-session").parse().unwrap(), fields }).await;
    let page = in_german(&person, &page).await;
    assert_eq!(page.name(), "end-session", "{}", page.body);
    let page = person.post(&page.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(page.header("location"), Some("https://wiki.example/out?state=s"), "{}", page.whole());
}

#[tokio::test]
async fn each_page_of_the_account_comes_back_in_the_language_that_was_chosen() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    for path in ["", "/apps", "/notices", "/second-factor", "/sessions", "/sign-in-ways", "/tokens", "/tokens/new"] {
        person.send(&person.open("/account").await.form(LANGUAGES).with("language", "en")).await;
        let page = person.open(format!("/account{path}")).await;
        if page.has(LANGUAGES) {
            assert_eq!(in_german(&person, &page).await.name(), page.name(), "{path}");
        }
    }
}
