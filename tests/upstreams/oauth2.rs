//! An upstream without ID tokens, which is asked for a profile.

use serde_json::{Value, json};

use super::fake::{Fake, SECRET};
use super::start_on;
use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;

async fn with(more: &str) -> (Server, Fake) {
    let fake = Fake::start();
    let server = Server::start_with(tls::trusting).await;
    let url = &fake.url;
    let declared = format!(
        "[[upstreams]]\nname = \"code\"\ndisplay_name = \"Code\"\nkind = \"oauth2\"\nauthorization_endpoint = \"{url}/authorize\"\n\
         token_endpoint = \"{url}/token\"\nprofile_endpoint = \"{url}/me\"\nclient_id = \"grantor\"\nclient_secret = \"{SECRET}\"\n{more}\n"
    );
    server.apply(&declared).await;
    (server, fake)
}

async fn sign_in(server: &Server, fake: &Fake, profile: Value) -> Page {
    fake.script(|script| script.profile = profile);
    let person = Person::new(server);
    let page = start_on(&person, &person.open("/sign-in").await, "code").await;
    let sent = super::fake::sent(&page);
    assert!(!sent.query_pairs().any(|(name, _)| name == "nonce" || name == "max_age"), "{sent}");
    person.open(fake.consents(&page)).await
}

#[tokio::test]
async fn a_person_comes_in_by_the_profile() {
    let (server, fake) = with("scope = \"read:user\"\nclaims = { username = \"login\" }\ncreate_accounts = true").await;
    let octocat = json!({"id": 583_231, "login": "octocat", "name": "The Octocat", "email": null});
    let page = sign_in(&server, &fake, octocat.clone()).await;
    assert!(page.name() == "account" && page.text().contains("The Octocat"), "{}", page.body);
    assert_eq!(sign_in(&server, &fake, octocat).await.name(), "account", "and again, by the link");
}

#[tokio::test]
async fn an_address_of_a_profile_is_verified_only_where_a_member_is_declared_to_say_so() {
    let profile = json!({"id": 1, "login": "x", "email": "a@corp.example", "email_verified": true, "checked": true});
    let domains = "create_accounts = true\nallowed_domains = [\"corp.example\"]\n";
    let (server, fake) = with(&format!("{domains}claims = {{ username = \"login\" }}")).await;
    assert_eq!(
        (sign_in(&server, &fake, profile.clone()).await.name(), server.reason().await),
        ("upstream-failed".to_owned(), "UpstreamAddressNotAllowed".to_owned())
    );
    let (server, fake) =
        with(&format!("{domains}claims = {{ username = \"login\", email_verified = \"checked\" }}")).await;
    assert_eq!(sign_in(&server, &fake, profile).await.name(), "account");
}

#[tokio::test]
async fn who_must_sign_in_again_cannot_by_a_profile_which_does_not_say_when_that_was() {
    let (server, fake) = with("claims = { username = \"login\" }\ncreate_accounts = true").await;
    fake.script(|script| script.profile = json!({"id": 1, "login": "x"}));
    let (app, person) = (App::new(&server, "wiki"), Person::new(&server));
    let button = r#"form[action="/upstreams/code/start"]"#;
    let open = person.open(app.authorize_url("openid", &[])).await;
    let form = open.form(button);
    for asked in [("prompt", "login"), ("max_age", "60")] {
        let page = person.open(app.authorize_url("openid", &[asked])).await;
        assert!((page.name(), page.has(button)) == ("sign-in".to_owned(), false), "{asked:?}: {}", page.body);
        let request = page.attribute("input[name=request]", "value").unwrap();
        let refused = person.send(&form.clone().with("request", &request)).await;
        assert_eq!(
            (refused.name(), server.reason().await),
            ("upstream-failed".to_owned(), "UpstreamAuthTime".to_owned()),
            "{asked:?}"
        );
    }
    let on_the_way = person.send(&form).await;
    assert_eq!(person.open(fake.consents(&on_the_way)).await.name(), "consent", "nobody asked when");
}

#[tokio::test]
async fn a_profile_without_a_subject_is_of_nobody() {
    let (server, fake) = with("create_accounts = true").await;
    for profile in [
        json!({}),
        json!({"id": null}),
        json!({"id": ""}),
        json!({"sub": "1"}),
        json!({"id": [1]}),
        json!([1]),
        json!("x"),
    ] {
        let page = sign_in(&server, &fake, profile.clone()).await;
        assert_eq!(
            (page.status.as_u16(), server.reason().await),
            (400, "UpstreamAnswerMalformed".to_owned()),
            "{profile}"
        );
    }
}
