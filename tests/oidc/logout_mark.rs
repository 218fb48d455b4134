//! The mark of a browser, by which its forms are known: it goes with the last person who signs out.

use super::accounts::{alice, alice_before_bob};
use super::logout::{address, confirm};
use crate::harness::app::App;
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// Whether an answer takes the mark away.
fn takes_mark(page: &Page) -> bool {
    page.cookies().contains(&"grantor_visit=".to_owned())
}

/// The forms of a browser in which nobody is signed in, for later: of signing in for an app, and to the account.
async fn forms(server: &Server, person: &Person) -> [Form; 2] {
    let for_app = person.open(App::new(server, "portal").authorize_url("openid", &[])).await;
    let pages = [for_app, person.open("/sign-in").await];
    let filled = |page: &Page| page.form(r#"form[action="/sign-in"]"#);
    pages.each_ref().map(filled).map(|form| form.with("username", ALICE).with("password", ALICE_PASSWORD))
}

async fn by_the_button(_: &Server, person: &Person) -> Page {
    let page = person.open("/account").await;
    person.post(&page.form("form:has(#sign-out)")).await
}

async fn by_an_app(server: &Server, person: &Person) -> Page {
    let tokens = App::new(server, "wiki").tokens_with(person, "openid", &[]).await;
    let asked = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", "https://wiki.example/out")];
    let page = person.get(address(server, &asked)).await;
    assert_eq!(page.location().unwrap().as_str(), "https://wiki.example/out");
    page
}

async fn everywhere(_: &Server, person: &Person) -> Page {
    let page = person.open("/account/sessions").await;
    person.post(&page.form("form:has(#sign-out-everywhere)").with("end", "everywhere")).await
}

/// The forms of before say that it begins anew, the mark is gone, and the next sign-in is like any other.
async fn begins_anew(server: &Server, person: &Person, (signed_out, forms): (Page, [Form; 2])) {
    assert!(takes_mark(&signed_out), "{:?}", signed_out.cookies());
    let [for_app, to_account] = forms;
    let page = person.post(&for_app).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"), "{}", page.text());
    let page = person.post(&to_account).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "sign-in"), "{}", page.text());
    assert!(page.text().contains("This page was open for a long time"), "{}", page.text());
    assert_eq!(person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await.name(), "account");
    assert_eq!(App::new(server, "wiki").tokens_with(person, "openid", &[]).await.0["token_type"], "Bearer");
}

#[tokio::test]
async fn it_goes_with_the_last_person_however_they_sign_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let before = forms(&server, &person).await;
    person.sign_in().await;
    begins_anew(&server, &person, (by_the_button(&server, &person).await, before)).await;
    let before = sign_out_for(&server, &person).await;
    begins_anew(&server, &person, (by_an_app(&server, &person).await, before)).await;
    let before = sign_out_for(&server, &person).await;
    begins_anew(&server, &person, (everywhere(&server, &person).await, before)).await;
}

/// Forms of a browser in which somebody signs in behind them.
async fn sign_out_for(server: &Server, person: &Person) -> [Form; 2] {
    by_the_button(server, person).await;
    let before = forms(server, person).await;
    person.sign_in().await;
    before
}

#[tokio::test]
async fn it_stays_where_somebody_is_left_and_where_nobody_was_signed_in() {
    let server = Server::start().await;
    let person = alice_before_bob(&server).await;
    let page = by_the_button(&server, &person).await;
    assert!(page.text().contains("Still signed in in this browser: Bob") && !takes_mark(&page), "{}", page.text());
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    assert!(takes_mark(&page), "Bob was the last one");
    let [_, to_account] = forms(&server, &person).await;
    let page = person.get(address(&server, &[])).await;
    assert!(page.name() == "signed-out" && !takes_mark(&page), "another site can ask for that");
    assert_eq!(person.send(&to_account).await.name(), "account");
}

#[tokio::test]
async fn a_second_click_on_signing_out_leads_where_the_first_one_does() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let asked = [("client_id", "wiki"), ("post_logout_redirect_uri", "https://wiki.example/out")];
    let form = person.get(address(&server, &asked)).await.form(r#"form[action="/sign-out"]"#);
    for _ in 0..2 {
        let page = person.post(&form).await;
        assert_eq!(page.location().unwrap().as_str(), "https://wiki.example/out", "{}", page.body);
    }
}
