//! What people are told when something of theirs is found in public: in the account, and by e-mail.

use serde_json::json;

use super::alice;
use super::delivery::until_empty;
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;
use crate::harness::smtp::{Received, Smtp};
use crate::tokens::leaks::{Scanner, finding};
use crate::tokens::{id_of, token};

/// A server that writes mails, and listens to a reporter.
async fn listening(smtp: &Smtp, scanner: &Scanner) -> Server {
    let (reporters, configure) = (vec![scanner.reporter()], smtp.configure());
    Server::start_with(|config| {
        configure(config);
        config.leak_reporters = reporters;
    })
    .await
}

/// Reports something twice; the one mail that is new then.
async fn mail_about(server: &Server, (smtp, scanner): (&Smtp, &Scanner), found: &str) -> Received {
    until_empty(server).await;
    let before = smtp.mails().len();
    for _ in 0..2 {
        let told = scanner.report(server, &json!([finding(found)])).await.json();
        assert_eq!(told[0]["label"], json!("true_positive"));
    }
    until_empty(server).await;
    let mails = smtp.mails();
    assert_eq!(mails.len(), before + 1, "once, however often it is reported");
    let mail = mails.into_iter().next_back().unwrap();
    assert_eq!(mail.to, ["alice@example.com"]);
    assert!(!mail.data.contains(found) && !mail.part("text/plain").contains(found), "without what was found");
    mail
}

#[tokio::test]
async fn who_made_a_token_is_told_that_it_was_found() {
    let Some(scanner) = Scanner::new() else { return };
    let smtp = Smtp::start().await;
    let server = listening(&smtp, &scanner).await;
    let person = alice(&server).await;
    let leaked = token(&person, &["notes.read"]).await;
    let text = mail_about(&server, (&smtp, &scanner), &leaked).await.part("text/plain");
    assert!(text.starts_with("A token of yours was found in public"), "{text}");
    let words = format!("The token Backup script (gtr_pat_{}…) was found in a public place.", id_of(&leaked));
    assert!(text.replace("\r\n", " ").contains(&words), "{words}: {text}");
    assert!(text.contains(&format!("{}/account/tokens", server.url)), "{text}");
    assert!(person.open("/account").await.text().contains("A token of yours was found in public"));
}

#[tokio::test]
async fn a_person_is_told_which_app_lost_a_token_of_theirs_of_whatever_kind() {
    let Some(scanner) = Scanner::new() else { return };
    let smtp = Smtp::start().await;
    let server = listening(&smtp, &scanner).await;
    let person = alice(&server).await;
    for (client_id, name) in [("wiki", "Wiki"), ("chat", "Chat")] {
        for kind in ["access_token", "refresh_token"] {
            let app = App::new(&server, client_id);
            let tokens = app.tokens_with(&person, "openid offline_access", &[]).await;
            let found = tokens.0[kind].as_str().unwrap();
            let text = mail_about(&server, (&smtp, &scanner), found).await.part("text/plain").replace("\r\n", " ");
            assert!(
                text.starts_with("An app’s access to your account was found in public"),
                "{client_id} {kind}: {text}"
            );
            assert!(
                text.contains(&format!("A token that gave {name} access to your account")),
                "{client_id} {kind}: {text}"
            );
            let page = person.open("/account").await;
            assert!(page.text().contains(&format!("A token that gave {name} access")), "{}", page.text());
            person.send(&page.form(r#"form[action="/account/notices"]"#)).await;
        }
    }
}

#[tokio::test]
async fn a_person_is_told_that_the_key_to_a_sign_in_was_found() {
    let Some(scanner) = Scanner::new() else { return };
    let smtp = Smtp::start().await;
    let server = listening(&smtp, &scanner).await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let cookies = person.post(&form).await.cookies();
    let values = cookies.iter().filter_map(|cookie| cookie.split_once('='));
    let cookie = values.map(|(_, value)| value).find(|value| value.starts_with("gtr_se")).unwrap();
    let text = mail_about(&server, (&smtp, &scanner), cookie).await.part("text/plain");
    assert!(text.starts_with("A sign-in of yours was found in public"), "{text}");
    assert!(text.contains(&format!("{}/account/sessions", server.url)), "{text}");
    assert_eq!(person.open("/account").await.name(), "sign-in");
    let again = alice(&server).await;
    assert!(again.open("/account").await.text().contains("The key to one of your sign-ins was found"));
}
