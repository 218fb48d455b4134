//! What is written to people, and to whom.

use grantor_core::notice::ONE_MAIL_IN;

use super::alice;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;
use crate::harness::smtp::Smtp;
use crate::tokens::{shown, token};

/// Alice with her proved address.
const ALICE: &str = "[[users]]\nusername = \"alice\"\nemail = \"alice@example.com\"\nemail_verified = true\n";

#[tokio::test]
async fn a_person_is_written_to_in_their_language_when_they_sign_in_with_a_new_browser() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    alice(&server).await;
    let mail = smtp.wait_for(1).await.remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("no-reply@grantor.example", ["alice@example.com".to_owned()].as_slice())
    );
    assert_eq!(mail.header("To"), "alice@example.com");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    let text = mail.part("text/plain");
    assert!(text.starts_with("New sign-in\r\n\r\nSomebody signed in to your account"), "{text}");
    assert!(text.contains(&format!("{}/account/sessions", server.url)), "{text}");
    let html = mail.part("text/html");
    assert!(html.contains("<h1>New sign-in</h1>") && html.contains("from 127.0.0.1"), "{html}");
    server.apply(&format!("{ALICE}locale = \"de-AT\"\n")).await;
    server.clock.advance(ONE_MAIL_IN);
    alice(&server).await;
    let mail = smtp.wait_for(2).await.remove(1);
    assert!(mail.part("text/plain").starts_with("Neue Anmeldung"), "{}", mail.part("text/plain"));
    assert!(mail.part("text/html").contains("<html lang=\"de\""));
}

#[tokio::test]
async fn who_signs_in_again_and_again_fills_no_letter_box_and_hides_nothing_in_the_account() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    for password in ["another long enough password", ALICE_PASSWORD] {
        server.apply(&format!("{ALICE}password = \"{password}\"\n")).await;
    }
    for _ in 0..12 {
        alice(&server).await;
    }
    super::delivery::until_empty(&server).await;
    assert_eq!(smtp.mails().len(), 3, "one of each password, and one of the sign-ins");
    server.clock.advance(ONE_MAIL_IN);
    let person = alice(&server).await;
    assert!(smtp.wait_for(4).await[3].header("Subject").contains("New sign-in"));
    let text = person.open("/account").await.text();
    assert_eq!(text.matches("New sign-in").count(), 10, "{text}");
    assert!(text.contains("Your password was changed"), "{text}");
}

#[tokio::test]
async fn who_loses_an_address_is_told_there() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let stolen = ALICE.replace("alice@example.com", "mallory@evil.example");
    server.apply(&format!("{stolen}password = \"another long enough password\"\n")).await;
    let mut mails = smtp.wait_for(2).await;
    mails.sort_by_key(|mail| mail.to.clone());
    assert_eq!(
        (&mails[0].to[0], &mails[1].to[0]),
        (&"alice@example.com".to_owned(), &"mallory@evil.example".to_owned())
    );
    let text = mails[0].part("text/plain");
    assert!(text.starts_with("Your e-mail address was changed") && text.contains("alice@example.com"), "{text}");
    assert!(!text.contains("mallory"), "{text}");
}

#[tokio::test]
async fn nothing_that_opens_anything_is_written() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read"]).await;
    let mails = smtp.wait_for(2).await;
    let mail = mails.iter().find(|mail| mail.header("Subject").contains("token")).unwrap();
    let text = mail.part("text/plain");
    assert!(text.contains("The token Backup script (gtr_pat_"), "{text}");
    assert!(!mail.data.contains(&token) && !text.contains(&token) && !text.contains("gtr_se"), "{text}");
    assert!(!text.contains('?'), "no link has a query: {text}");
}

#[tokio::test]
async fn who_has_proved_no_address_is_told_in_the_account_alone() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let bob = Person::new(&server);
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    alice(&server).await;
    assert_eq!(smtp.wait_for(1).await[0].to, ["alice@example.com"]);
    super::delivery::until_empty(&server).await;
    assert_eq!(smtp.mails().len(), 1);
    assert!(bob.open("/account").await.text().contains("New sign-in"));
}

#[tokio::test]
async fn a_known_browser_is_no_news() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let person = alice(&server).await;
    smtp.wait_for(1).await;
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    person.sign_in().await;
    super::delivery::until_empty(&server).await;
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn a_browser_in_which_the_last_password_was_known_is_news() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for password in ["another long enough password", ALICE_PASSWORD] {
        server.apply(&format!("{ALICE}password = \"{password}\"\n")).await;
    }
    let page = person.sign_in().await;
    assert_eq!(page.text().matches("New sign-in").count(), 2, "{}", page.text());
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    let text = person.sign_in().await.text();
    assert_eq!(text.matches("New sign-in").count(), 2, "from then on it is known: {text}");
}

#[tokio::test]
async fn a_password_that_was_set_is_told_of() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    server.apply(&format!("{ALICE}password = \"another long enough password\"\n")).await;
    let text = smtp.wait_for(1).await[0].part("text/plain");
    assert!(text.starts_with("Your password was changed"), "{text}");
    assert!(!text.contains("another long enough"), "{text}");
}

#[tokio::test]
async fn a_new_secret_is_told_of_as_a_new_token_is() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read"]).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    let page = person.open(format!("/account/tokens/rotate?token={}", &token["gtr_pat_".len()..][..11])).await;
    let secret = shown(&person.send(&page.form(r#"form[action="/account/tokens/rotate"]"#)).await);
    let mails = smtp.wait_for(3).await;
    let mail = mails.iter().find(|mail| mail.header("Subject").starts_with("New secret")).unwrap();
    let text = mail.part("text/plain");
    assert!(text.contains("The token Backup script (gtr_pat_") && text.contains("from 127.0.0.1"), "{text}");
    assert!(!mail.data.contains(&secret[20..]) && !text.contains(&secret[20..]), "{text}");
    assert!(person.open("/account").await.text().contains("New secret for a token of yours"));
}
