//! What a token that people keep is no key to: their account, their consent and their sign-in.

use serde_json::json;
use url::Url;

use super::{alice, id_of, shown, token};
use crate::forward_auth::target;
use crate::harness::app::{Answer, App};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::server::Server;

/// The address of an authorization request, without its origin.
fn asked(app: &App<'_>, changes: &[(&str, &str)]) -> String {
    target(&Url::parse(&app.authorize_url("openid notes.read", changes)).unwrap())
}

#[tokio::test]
async fn a_token_at_the_authorization_endpoint_is_nobody() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let wiki = App::new(&server, "wiki");
    wiki.approved_by(&person, "openid notes.read").await;
    let bearer = format!("Bearer {}", token(&person, &["notes.read", "notes.write"]).await);
    let headers = [("authorization", bearer.as_str()), ("accept", "text/html")];
    let page = wiki.request_raw("GET", &asked(&wiki, &[("prompt", "none")]), &headers).await;
    assert_eq!(Answer::of(&page).param("error"), "login_required", "although she would not be asked for consent");
    for method in ["GET", "POST"] {
        let page = wiki.request_raw(method, &asked(&wiki, &[]), &headers).await;
        let to_app = page.location().is_some_and(|to| to.host_str() == Some("wiki.example"));
        assert!(!to_app && page.name() != "consent" && !page.body.contains("Alice"), "{method} {}", page.body);
    }
    let silent = wiki
        .request_raw("GET", &format!("{}&access_token={}", asked(&wiki, &[("prompt", "none")]), &bearer[7..]), &[])
        .await;
    assert_eq!(Answer::of(&silent).param("error"), "login_required");
}

/// Sends a form of a browser in which nobody is signed in, with a token beside it.
async fn send_with(stranger: &Person, form: &Form, server: &Server, token: &str) -> Page {
    let bearer = format!("Bearer {token}");
    stranger.post_with(form, &[("authorization", &bearer), ("origin", &server.url)]).await
}

#[tokio::test]
async fn a_token_sends_no_form_of_the_account() {
    let server = Server::start().await;
    let (person, wiki, api) = (alice(&server).await, App::new(&server, "wiki"), App::new(&server, "notes-api"));
    let tokens = wiki.tokens_with(&person, "openid offline_access notes.read", &[]).await;
    let kept = token(&person, &["notes.read", "notes.write"]).await;
    let stranger = Person::new(&server);
    let given = stranger.open("/sign-in").await.form(r#"form[action="/sign-in"]"#);
    let csrf = given.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let making = super::form(&person).await.ticked("scope", "notes.read").with("csrf", &csrf);
    let bare =
        |path: &str| Form { action: server.at(path).parse().unwrap(), fields: vec![("csrf".into(), csrf.clone())] };
    let forms = [
        making.clone(),
        bare("/account/tokens/rotate").with("token", &id_of(&kept)),
        bare("/account/tokens/revoke").with("token", &id_of(&kept)),
        bare("/account/apps/remove").with("app", "wiki"),
        bare("/account/sessions").with("end", "others"),
        bare("/account/sign-in-ways/unlink").with("link", "71"),
        bare("/sign-out"),
        bare(&asked(&wiki, &[]).replace("/authorize", "/consent")).with("decision", "allow"),
    ];
    for form in &forms {
        let answer = send_with(&stranger, form, &server, &kept).await;
        let page = stranger.follow(answer).await;
        let to_app = page.location().is_some_and(|to| to.host_str() == Some("wiki.example"));
        assert!(!to_app && !page.body.contains("Alice") && !page.has("#token"), "{}: {}", form.action, page.body);
        assert!(!page.status.is_server_error(), "{}", form.action);
    }
    assert_eq!(api.introspect(&kept).await["active"], json!(true), "not revoked");
    let listed = person.open("/account/tokens").await;
    assert!(
        !listed.body.contains("new secret") && listed.body.matches("Backup script").count() / 3 == 1,
        "{}",
        listed.body
    );
    assert!(person.open("/account").await.text().contains("1 app has access"));
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
    let mut own = making;
    own.fields = super::form(&person).await.ticked("scope", "notes.read").fields;
    assert!(shown(&person.send(&own).await).starts_with("gtr_pat_"), "the same form makes one for whom is signed in");
}

#[tokio::test]
async fn a_token_in_the_address_is_no_caller_of_the_account_api() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let kept = token(&person, &["notes.read"]).await;
    let api = App::new(&server, "notes-api");
    let plain = api.request_raw("GET", "/account/api/tokens", &[]).await;
    for path in ["/account/api/tokens?access_token=", "/userinfo?access_token="] {
        let page = api.request_raw("GET", &format!("{path}{kept}"), &[]).await;
        assert_eq!((page.status.as_u16(), page.body.contains("Backup script")), (401, false), "{path}");
    }
    let page = api.request_raw("GET", &format!("/account/api/tokens?access_token={kept}"), &[]).await;
    assert_eq!(page.body, plain.body, "the same as without one");
}
