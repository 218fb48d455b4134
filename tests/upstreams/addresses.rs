//! Whose address it is: that of whom an upstream vouches for, and of whoever has verified it here.

use serde_json::{Value, json};

use super::{ada_comes_in, sign_in, with};
use crate::harness::app::{App, claims};
use crate::harness::person::Person;

#[tokio::test]
async fn an_address_that_the_upstream_does_not_vouch_for_goes_to_no_app_and_keeps_nobody_out() {
    let (server, fake) = with("create_accounts = true").await;
    for said in [json!(false), json!("true"), Value::Null] {
        let name = format!("mallory-{said}").replace('"', "");
        fake.says(&json!({"sub": name, "preferred_username": name, "email_verified": said}));
        let mallory = ada_comes_in(&server, &fake).await;
        let wiki = App::new(&server, "wiki");
        let tokens = wiki.tokens_with(&mallory, "openid profile email", &[]).await;
        for told in [wiki.userinfo(tokens.access()).await.json(), claims(tokens.id())] {
            assert!(!told.to_string().contains("ada@corp.example"), "{said}: {told}");
            assert_eq!(told.get("email_verified"), None, "{said}");
        }
    }
    fake.script(|script| script.claims.clear());
    let ada = ada_comes_in(&server, &fake).await;
    let tokens = App::new(&server, "wiki").tokens_with(&ada, "openid email", &[]).await;
    let told = App::new(&server, "wiki").userinfo(tokens.access()).await.json();
    assert_eq!((&told["email"], &told["email_verified"]), (&json!("ada@corp.example"), &json!(true)));
}

#[tokio::test]
async fn an_address_that_nobody_has_verified_keeps_nobody_out_unless_its_account_is_switched_off() {
    for (more, comes_in) in [("", true), ("email_verified = true", false), ("disabled = true", false)] {
        let (server, fake) = with("create_accounts = true\nlink_by_email = true").await;
        let user = "[[users]]\nusername = \"mallory\"\npassword = \"tomorrow never knows the way\"\n";
        server.apply(&format!("{user}email = \"Ada@corp.example\"\n{more}\n")).await;
        let page = sign_in(&Person::new(&server), &fake).await;
        let expected = if comes_in { "account" } else { "upstream-unlinked" };
        assert_eq!((page.name(), page.text().contains("Ada There")), (expected.to_owned(), comes_in), "{more}");
    }
}

#[tokio::test]
async fn an_account_is_linked_by_the_address_that_it_has_verified_itself_and_by_no_other() {
    for (email, comes_in) in [("another@corp.example", false), ("ADA@corp.example", true)] {
        let (server, fake) = with("link_by_email = true").await;
        server
            .apply(&format!(
                "[[users]]\nusername = \"ada@corp.example\"\nname = \"Ada Here\"\nemail = \"{email}\"\nemail_verified = true\n"
            ))
            .await;
        let page = sign_in(&Person::new(&server), &fake).await;
        let expected = if comes_in { "account" } else { "upstream-unlinked" };
        assert_eq!(page.name(), expected, "{email}");
    }
}
