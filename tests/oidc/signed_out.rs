//! What the page says that a person sees when they have signed out: which apps are told, and which cannot be.

use super::backchannel::declared;
use super::logout::{address, confirm};
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::server::Server;

#[tokio::test]
async fn signing_out_names_all_that_are_told_and_claims_nothing_of_what_they_do() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    server.apply(&declared(Some("https://nowhere.example/told"), Some(&receiver.url))).await;
    let person = Person::new(&server);
    App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    App::new(&server, "chat").tokens_with(&person, "openid offline_access", &[]).await;
    App::new(&server, "portal").tokens_with(&person, "openid", &[]).await;
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    let text = page.text();
    assert!(text.contains("These apps are being told that you signed out: The chat The wiki"), "{text}");
    assert!(text.contains("sign out there, too: Portal") && !text.contains("You are also signed out of"), "{text}");
}

#[tokio::test]
async fn what_became_of_telling_is_found_among_the_sign_ins() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    server.apply(&declared(Some(&receiver.url), None)).await;
    let person = Person::new(&server);
    App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    let link = page.attribute("#receipts", "href").unwrap_or_else(|| panic!("{}", page.text()));
    let page = person.open(&link).await;
    assert_eq!(page.name(), "sign-in");
    let page = person.sign_in_on(&page, "alice", crate::harness::seeds::ALICE_PASSWORD).await;
    assert!(page.name() == "sessions" && page.text().contains("The wiki"), "{}", page.text());
}

#[tokio::test]
async fn who_signs_out_everywhere_is_told_of_the_apps_of_all_their_devices() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    server.apply(&declared(Some(&receiver.url), None)).await;
    App::new(&server, "wiki").tokens_with(&Person::new(&server), "openid", &[]).await;
    let person = Person::new(&server);
    App::new(&server, "chat").tokens_with(&person, "openid", &[]).await;
    let sessions = person.open("/account/sessions").await;
    let form = sessions.form(r#"form[action="/account/sessions"]"#).with("end", "everywhere");
    let text = person.send(&form).await.text();
    assert!(text.contains("being told that you signed out: The wiki"), "{text}");
    assert!(text.contains("sign out there, too: The chat"), "{text}");
}

#[tokio::test]
async fn who_used_no_app_is_told_of_none() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    assert!(!page.has("#told") && !page.has("#untold") && !page.has("#receipts"), "{}", page.text());
}
