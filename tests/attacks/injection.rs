//! Signs that mean something to a database are letters here.

use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::seeds::ALICE_PASSWORD;
use crate::harness::server::Server;

const SIGNS: &[&str] = &[
    "' OR '1'='1",
    "alice' --",
    "alice'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "al%",
    "%",
    "_____",
    "alice\\",
    "ali*",
    "*",
    "alice' UNION SELECT 1,2,3 --",
    "alice/*",
    "') OR (1=1",
    "alice\u{0}",
];

#[tokio::test]
async fn no_sign_makes_a_name_or_a_password_right() {
    let server = Server::start().await;
    for sign in SIGNS {
        let person = Person::new(&server);
        let page = person.open("/sign-in").await;
        let page = person.sign_in_on(&page, sign, ALICE_PASSWORD).await;
        let expected = if sign.contains('\0') { ("bad-request", 400) } else { ("sign-in", 422) };
        assert_eq!((page.name().as_str(), page.status.as_u16()), expected, "{sign:?}");
    }
    assert_eq!(Person::new(&server).sign_in().await.name(), "account", "nothing was dropped");
}

#[tokio::test]
async fn no_sign_makes_a_client() {
    let server = Server::start().await;
    let mut wiki = App::new(&server, "wiki");
    for sign in SIGNS {
        let page = Person::new(&server)
            .open(wiki.authorize_url("openid", &[("client_id", &sign.replace("alice", "wiki"))]))
            .await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"), "{sign:?}");
        wiki.client_id = sign.replace("alice", "wiki");
        let page = wiki.post("/token", &[("grant_type", "client_credentials")]).await;
        // A percent sign alone, or a NUL, is in no credentials at all (RFC 6749 §2.3.1).
        let error = if sign.contains(['%', '\0']) { "invalid_request" } else { "invalid_client" };
        assert_eq!(page.json()["error"], error, "{sign:?}");
        wiki.client_id = "wiki".into();
    }
}

#[tokio::test]
async fn no_sign_makes_a_code_or_a_token() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    let id = tokens.refresh().split('.').next().unwrap();
    for sign in SIGNS.iter().filter(|sign| !sign.contains('\0')) {
        for token in [(*sign).to_owned(), format!("{id}.{sign}"), format!("{id}{sign}")] {
            assert_eq!(wiki.redeem(&token).await.json()["error"], "invalid_grant", "{token:?}");
            assert_eq!(wiki.refresh(&token).await.json()["error"], "invalid_grant", "{token:?}");
            assert_eq!(wiki.introspect(&token).await["active"], false, "{token:?}");
            assert_eq!(wiki.revoke(&token).await.status, 200, "{token:?}");
        }
    }
    assert_eq!(wiki.refresh(&format!("{id}.\0")).await.json()["error"], "invalid_request");
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200, "the true one still works");
}

#[tokio::test]
async fn no_sign_finds_or_removes_what_was_not_named() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    wiki.approved_by(&person, "openid").await;
    let form = person.open("/account").await.form(r#"form[action="/sign-out"]"#);
    for sign in SIGNS {
        let sign = sign.replace("alice", "wiki").replace("al%", "wi%");
        let query: String = url::form_urlencoded::byte_serialize(sign.as_bytes()).collect();
        assert!(person.open(format!("/account/apps?search={query}")).await.status.is_success(), "{sign:?}");
        assert_eq!(person.open(format!("/account/apps/remove?app={query}")).await.name(), "apps", "{sign:?}");
        person.send(&form.clone().at(&server.at("/account/apps/remove")).with("app", &sign)).await;
        person.send(&form.clone().at(&server.at("/account/sessions")).with("end", &sign)).await;
    }
    assert!(person.open("/account").await.text().contains("1 app has access"));
}
