//! Which language a page is in.

use crate::harness::app::App;
use crate::harness::person::Person;
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
