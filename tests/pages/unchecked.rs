//! An app that registered itself is shown as what it is wherever it is named: not only where a person signs in to it.

use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata};
use crate::oidc::registration::open;

const SAYS: &str = "This app registered itself, and nobody has checked it.";

fn says_so(page: &Page, name: &str) {
    assert_eq!(page.name(), name, "{}", page.body);
    assert!(page.text().contains("Notebook") && page.has(".danger"), "{name}: {}", page.text());
    assert!(page.text().contains(SAYS), "{name}: {}", page.text());
}

#[tokio::test]
async fn each_page_says_of_an_app_that_nobody_has_checked_it() {
    let server = open().await;
    let client = Registrar::new(&server).registered(&metadata()).await;
    let id = client["client_id"].as_str().unwrap();
    let (notebook, person) = (App::registered(&server, &client), Person::new(&server));
    notebook.approved_by(&person, "openid").await;
    says_so(&person.open("/account/apps").await, "apps");
    says_so(&person.open(format!("/account/apps/remove?app={id}")).await, "app-remove");
    let asked = |changes: &[(&str, &str)]| notebook.authorize_url("openid", changes);
    says_so(&person.open(asked(&[("prompt", "select_account")])).await, "select-account");
    says_so(&person.open(asked(&[("acr_values", "urn:grantor:acr:phishing-resistant")])).await, "sign-in-more");
    says_so(&person.open(format!("/end-session?client_id={id}")).await, "end-session");
    says_so(&person.open(asked(&[("redirect_uri", "https://notebook.example/other")])).await, "error");
}

#[tokio::test]
async fn no_page_says_so_of_an_app_that_an_administrator_added() {
    let server = open().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    wiki.approved_by(&person, "openid").await;
    for path in ["/account/apps", "/account/apps/remove?app=wiki", "/account", "/end-session?client_id=wiki"] {
        let page = person.open(path).await;
        assert!(page.text().contains("Wiki") && !page.text().contains("registered itself"), "{path}");
    }
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await;
    assert!(!page.text().contains("registered itself"), "{}", page.text());
}
