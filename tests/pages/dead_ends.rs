//! Where a page has nothing more to give, it says how to go on.

use std::time::Duration;

use crate::harness::app::{Answer, App};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

fn consent(page: &Page) -> Form {
    assert_eq!(page.name(), "consent", "{}", page.text());
    page.form(r#"form[action="/consent"]"#).with("decision", "allow")
}

/// Signs out in another window.
async fn sign_out(person: &Person) {
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
}

/// Goes on from a page that refuses a form.
async fn gone_on(person: &Person, refused: &Page) -> Page {
    assert_eq!((refused.status.as_u16(), refused.name().as_str()), (403, "form-refused"));
    let link = refused.attribute("#go-on", "href").unwrap_or_else(|| panic!("no way on: {}", refused.text()));
    person.open(link).await
}

#[tokio::test]
async fn a_consent_that_is_refused_goes_on_with_the_request() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    let form = consent(&person.open(wiki.authorize_url("openid", &[])).await);
    let page = gone_on(&person, &person.post(&form.with("csrf", "AAAA")).await).await;
    assert!(Answer::of(&person.send(&consent(&page)).await).has("code"));
}

// With the last person who signs out, the browser's mark goes, and what was bound to it.
#[tokio::test]
async fn consent_after_a_sign_out_elsewhere_says_that_it_begins_again_at_the_app() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    let form = consent(&person.open(wiki.authorize_url("openid", &[])).await);
    sign_out(&person).await;
    let page = person.post(&form).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"));
    assert!(page.text().contains("after you have signed out there"), "{}", page.text());
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert!(Answer::of(&person.send(&consent(&page)).await).has("code"));
}

#[tokio::test]
async fn the_choice_of_accounts_and_what_is_missing_go_on_as_well() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    server.clock.advance(Duration::from_secs(1));
    let select = person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await;
    let more = person.open(wiki.authorize_url("openid", &[("acr_values", "urn:grantor:acr:phishing-resistant")])).await;
    let forms = [
        select.form(r#"form[action="/select-account"]"#).with("choice", "continue"),
        more.form(r#"form[action="/sign-in/more"]"#).with("decision", "deny"),
    ];
    for form in forms {
        let page = gone_on(&person, &person.post(&form.with("csrf", "AAAA")).await).await;
        assert!(["select-account", "sign-in-more"].contains(&page.name().as_str()), "{}", page.text());
    }
}

#[tokio::test]
async fn a_form_of_the_account_that_is_refused_leads_to_no_app() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.sign_in().await.form(r#"form[action="/sign-out"]"#).with("csrf", "AAAA");
    let page = person.post(&form).await;
    assert!(page.name() == "form-refused" && !page.has("#go-on"), "{}", page.body);
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_that_they_are_needed() {
    let server = Server::start().await;
    let page = Person::new(&server).open(App::new(&server, "wiki").authorize_url("openid", &[])).await;
    let elsewhere = Person::new(&server).open(page.url.as_str()).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.name().as_str()), (400, "error"));
    let text = elsewhere.text();
    assert!(text.contains("cookies") && !text.contains("This took too long"), "{text}");
    assert_eq!(server.reasons().await[0], "InteractionExpired");
}

#[tokio::test]
async fn who_signs_in_without_cookies_is_told_so_and_not_of_time() {
    let server = Server::start().await;
    let form = Person::new(&server).open("/sign-in").await.form(r#"form[action="/sign-in"]"#);
    let form = form.with("username", ALICE).with("password", ALICE_PASSWORD);
    let page = Person::new(&server).post(&form).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "sign-in"));
    assert!(page.text().contains("cookies") && !page.text().contains("a long time"), "{}", page.text());
}

#[tokio::test]
async fn a_sign_in_page_that_is_loaded_again_after_the_sign_in_goes_on() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let second = person.open(wiki.authorize_url("openid", &[])).await;
    person.sign_in().await;
    assert_eq!(person.open(second.url.as_str()).await.name(), "consent");
    server.clock.advance(Duration::from_secs(1));
    let anew = person.open(wiki.authorize_url("openid", &[("prompt", "login")])).await;
    assert_eq!(person.open(anew.url.as_str()).await.name(), "sign-in", "a new sign-in is one");
}

#[tokio::test]
async fn who_signs_in_again_is_where_they_were_in_the_account() {
    let server = Server::start().await;
    let pages = [("/account/apps", "apps"), ("/account/sessions", "sessions"), ("/account/tokens", "tokens")];
    for (path, name) in pages {
        let person = Person::new(&server);
        let page = person.open(path).await;
        assert_eq!(page.name(), "sign-in");
        let wrong = person.sign_in_on(&page, ALICE, "wrong wrong wrong").await;
        assert_eq!(wrong.name(), "sign-in");
        assert_eq!(person.sign_in_on(&wrong, ALICE, ALICE_PASSWORD).await.name(), name);
    }
}

#[tokio::test]
async fn no_other_page_can_be_named_to_go_on_with() {
    let server = Server::start().await;
    for carried in ["at.//evil.example", "at./account/apps/remove", "at.", "//evil.example", "at.account"] {
        let page = Person::new(&server).open(format!("/sign-in?request={carried}")).await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"), "{carried}");
    }
}
