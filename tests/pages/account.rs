//! The account: apps with access, sessions, signing out.

use std::time::Duration;

use crate::harness::app::{App, Tokens};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const SCOPE: &str = "openid profile offline_access";

#[tokio::test]
async fn every_page_of_the_account_asks_to_sign_in_first() {
    let server = Server::start().await;
    for path in ["/account", "/account/apps", "/account/apps/remove?app=wiki", "/account/sessions"] {
        let page = Person::new(&server).open(path).await;
        assert_eq!(page.name(), "sign-in", "{path}");
        assert!(!page.text().contains("Alice"));
    }
}

#[tokio::test]
async fn the_overview_says_who_is_signed_in_and_how_many_apps_and_devices_there_are() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let text = person.open("/account").await.text();
    for words in ["Alice Liddell", "alice@example.com", "No app has access", "signed in on this device only"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    App::new(&server, "wiki").approved_by(&person, SCOPE).await;
    Person::new(&server).sign_in().await;
    let text = person.open("/account").await.text();
    for words in ["1 app has access to your account.", "Wiki", "signed in on 2 devices or browsers"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[tokio::test]
async fn an_app_with_access_is_listed_with_what_it_may_do() {
    let server = Server::start().await;
    let person = Person::new(&server);
    App::new(&server, "wiki").approved_by(&person, SCOPE).await;
    let text = person.open("/account/apps").await.text();
    for words in ["Wiki", "wiki.example", "Since", "See your name, picture and profile", "when you are not here"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

// "The Authorization Server SHOULD provide a mechanism for the End-User to revoke Access Tokens and Refresh Tokens granted
// to a Client." (OIDC Core §16.18)
#[tokio::test]
async fn removing_an_app_ends_its_tokens() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let code = wiki.approved_by(&person, SCOPE).await.param("code");
    let tokens = crate::harness::app::Tokens(wiki.redeem(&code).await.json());
    let page = person.open("/account/apps/remove?app=wiki").await;
    assert!(page.text().contains("Remove access for Wiki"), "{}", page.text());
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200, "asking alone changes nothing");
    let page = person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await;
    assert!(page.text().contains("Wiki no longer has access to your account."), "{}", page.text());
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
    assert_eq!(person.open(wiki.authorize_url(SCOPE, &[])).await.name(), "consent");
}

#[tokio::test]
async fn nobody_removes_another_persons_app() {
    let server = Server::start().await;
    let (wiki, alice, bob) = (App::new(&server, "wiki"), Person::new(&server), Person::new(&server));
    let code = wiki.approved_by(&alice, SCOPE).await.param("code");
    let tokens = crate::harness::app::Tokens(wiki.redeem(&code).await.json());
    let page = bob.open("/sign-in").await;
    let page = bob.sign_in_on(&page, "bob", "tomorrow never knows the way").await;
    let form = page.form(r#"form[action="/sign-out"]"#).at(&server.at("/account/apps/remove"));
    bob.send(&form.with("app", "wiki")).await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
}

#[tokio::test]
async fn an_app_that_is_not_there_is_not_asked_about() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    assert_eq!(person.open("/account/apps/remove?app=nobody").await.name(), "apps");
}

#[tokio::test]
async fn another_device_is_signed_out_from_here() {
    let server = Server::start().await;
    let (here, there) = (Person::new(&server), Person::new(&server));
    here.sign_in().await;
    there.sign_in().await;
    let page = here.open("/account/sessions").await;
    let page = here.send(&button(&page)).await;
    assert!(page.text().contains("You are signed out on 1 device."), "{}", page.text());
    assert_eq!(there.open("/account").await.name(), "sign-in");
    assert_eq!(here.open("/account").await.name(), "account");
}

#[tokio::test]
async fn all_other_devices_are_signed_out_at_once() {
    let server = Server::start().await;
    let (here, there) = (Person::new(&server), [Person::new(&server), Person::new(&server)]);
    here.sign_in().await;
    for person in &there {
        person.sign_in().await;
    }
    let page = here.open("/account/sessions").await;
    assert!(page.text().contains("Sign out on all 2 others"), "{}", page.text());
    let form = page.form(r#"form[action="/account/sessions"]"#).with("end", "others");
    assert!(here.send(&form).await.text().contains("You are signed out on 2 devices."));
    for person in &there {
        assert_eq!(person.open("/account").await.name(), "sign-in");
    }
}

#[tokio::test]
async fn a_device_that_is_idle_is_shown_while_an_app_goes_on_there() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let mut tokens = wiki.tokens("openid").await;
    Person::new(&server).sign_in().await;
    for _ in 0..2 {
        server.clock.advance(Duration::from_hours(8));
        tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    }
    let here = Person::new(&server);
    here.sign_in().await;
    // The other one is idle, too, and nothing goes on there.
    assert!(here.open("/account").await.text().contains("signed in on 2 devices"));
    let page = here.open("/account/sessions").await;
    here.send(&button(&page)).await;
    assert_eq!(wiki.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
    assert!(here.open("/account").await.text().contains("signed in on this device only"));
}

#[tokio::test]
async fn nobody_ends_another_persons_session() {
    let server = Server::start().await;
    let (alice, bob) = (Person::new(&server), Person::new(&server));
    alice.sign_in().await;
    Person::new(&server).sign_in().await;
    let form = button(&alice.open("/account/sessions").await);
    let page = bob.open("/sign-in").await;
    let page = bob.sign_in_on(&page, "bob", "tomorrow never knows the way").await;
    let id = &form.fields.iter().find(|(name, _)| name == "end").unwrap().1;
    let own = page.form(r#"form[action="/sign-out"]"#).at(&server.at("/account/sessions")).with("end", id);
    bob.send(&own).await;
    assert!(alice.open("/account").await.text().contains("signed in on 2 devices"));
}

#[tokio::test]
async fn signing_out_says_what_was_ended() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let wiki = App::new(&server, "wiki");
    let code = wiki.approved_by(&person, "openid").await.param("code");
    wiki.redeem(&code).await;
    let page = person.open("/account").await;
    let page = person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(page.name(), "signed-out");
    assert!(page.text().contains("sign out there, too: Wiki"), "{}", page.text());
    assert_eq!(person.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn a_right_name_and_password_sign_in() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!((page.name().as_str(), page.url.path()), ("account", "/account"));
}

/// The form that ends the other session that is listed first.
fn button(page: &Page) -> Form {
    let id =
        page.attribute(r#"form[action="/account/sessions"] button[name=end]:not(#sign-out-others)"#, "value").unwrap();
    page.form(r#"form[action="/account/sessions"]"#).with("end", &id)
}
