//! An upstream that does not tell when a person signed in there. Whoever finds a browser open that is signed in there comes back from
//! it without a question: so nobody has proved anything by it to who asks when that was.

use serde_json::json;

use super::fake::{Fake, SECRET};
use super::{start_on, with};
use crate::harness::app::{Answer, App};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;
use crate::oidc::accounts::add;

/// A server with `corp`, which tells the time, and `code`, which has no ID tokens.
async fn both() -> (Server, Fake) {
    let (server, fake) = with("create_accounts = true").await;
    let url = &fake.url;
    server
        .apply(&format!(
            "[[upstreams]]\nname = \"code\"\ndisplay_name = \"Code\"\nkind = \"oauth2\"\nauthorization_endpoint = \"{url}/authorize\"\n\
             token_endpoint = \"{url}/token\"\nprofile_endpoint = \"{url}/me\"\nclient_id = \"grantor\"\nclient_secret = \"{SECRET}\"\n\
             claims = {{ username = \"login\" }}\ncreate_accounts = true\n"
        ))
        .await;
    fake.script(|script| script.profile = json!({"id": 1, "sub": "ada-there", "login": "octocat"}));
    (server, fake)
}

/// Goes to an upstream from another tab, and comes back.
async fn comes_by(person: &Person, fake: &Fake, name: &str) -> Page {
    person.open(fake.consents(&start_on(person, &person.open("/sign-in").await, name).await)).await
}

/// Whoever goes on with what waits at a page.
async fn resume(person: &Person, page: &Page) -> Page {
    person.open(format!("/authorize?resume={}", page.attribute("input[name=request]", "value").unwrap())).await
}

#[tokio::test]
async fn who_comes_back_without_a_question_has_not_signed_in_again_for_an_app() {
    let (server, fake) = both().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    assert_eq!(comes_by(&person, &fake, "code").await.name(), "account");
    let known = wiki.approved_with(&person, "openid", &[]).await;
    assert!(known.has("code"), "who does not ask when: {}", known.0);
    for asked in [("prompt", "login"), ("max_age", "60"), ("max_age", "1000000000")] {
        let page = wiki.asks(&person, "openid", &[asked]).await;
        assert_eq!((page.name(), page.has("#way-code")), ("sign-in".to_owned(), false), "{asked:?}: {}", page.body);
        assert!(page.text().contains("doesn’t tell when you signed in: Code"), "{}", page.text());
        comes_by(&person, &fake, "code").await;
        let again = resume(&person, &page).await;
        assert_eq!(again.name(), "sign-in", "{asked:?}: {} {}", again.status, again.body);
        let proved = person.open(fake.consents(&start_on(&person, &again, "corp").await)).await;
        assert!(Answer::of(&person.approve(proved).await).has("code"), "{asked:?}: the other way tells");
        comes_by(&person, &fake, "code").await;
    }
    let silent = wiki.asks(&person, "openid", &[("max_age", "60"), ("prompt", "none")]).await;
    assert_eq!(Answer::of(&silent).param("error"), "login_required");
}

#[tokio::test]
async fn who_is_beside_by_a_way_that_tells_no_time_has_not_signed_in_for_who_asks_when() {
    let (server, fake) = both().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    comes_by(&person, &fake, "code").await;
    let tokens = wiki.tokens_with(&person, "openid", &[]).await;
    add(&server, &person, ALICE, ALICE_PASSWORD).await;
    let hint = ("id_token_hint", tokens.id());
    assert!(Answer::of(&wiki.asks(&person, "openid", &[hint]).await).has("code"), "who does not ask when");
    assert_eq!(wiki.asks(&person, "openid", &[hint, ("max_age", "60")]).await.name(), "sign-in");
    let silent = wiki.asks(&person, "openid", &[hint, ("max_age", "60"), ("prompt", "none")]).await;
    assert_eq!(Answer::of(&silent).param("error"), "login_required");
}

#[tokio::test]
async fn an_upstream_that_was_to_tell_and_does_not_ends_at_a_page_that_says_so() {
    let (server, fake) = both().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    fake.says(&json!({ "auth_time": null }));
    assert_eq!(comes_by(&person, &fake, "corp").await.name(), "account");
    let page = wiki.asks(&person, "openid", &[("max_age", "60")]).await;
    assert_eq!(page.name(), "sign-in", "{}", page.body);
    let refused = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    assert_eq!(
        (refused.name(), server.reason().await),
        ("upstream-failed".to_owned(), "UpstreamAuthTime".to_owned()),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn who_comes_back_without_a_question_proves_no_account_to_link() {
    let (server, fake) = both().await;
    let person = Person::new(&server);
    comes_by(&person, &fake, "code").await;
    // One who finds the browser open links an account of their own: as somebody signed in, and as somebody unknown.
    fake.says(&json!({"sub": "eve-there", "email": "eve@corp.example", "preferred_username": "octocat"}));
    let ways = person.open("/account/sign-in-ways").await;
    let told = person.open(fake.consents(&start_on(&person, &ways, "corp").await)).await;
    assert_eq!(told.name(), "upstream-unlinked", "{}", told.body);
    assert!(told.text().contains("so it can’t show that this is you"), "{}", told.text());
    let unknown = comes_by(&person, &fake, "corp").await;
    assert_eq!(unknown.name(), "upstream-unlinked", "{}", unknown.body);
    for page in [told, unknown] {
        comes_by(&person, &fake, "code").await;
        let prove = page.attribute("a#prove", "href").unwrap();
        let link = prove.replace("/sign-in?upstream=corp&", "/upstreams/corp/link?");
        let sent = person.open(link).await;
        assert_eq!((sent.name(), sent.has("#way-code")), ("sign-in".to_owned(), false), "{}", sent.body);
        // Who knows the password proves it.
        let elsewhere = person.sign_in_on(&sent, ALICE, ALICE_PASSWORD).await;
        assert_eq!(elsewhere.name(), "upstream-link", "{}", elsewhere.body);
    }
    assert!(
        !server.events().await.iter().any(|event| event.detail.as_deref().is_some_and(|told| told.contains("eve")))
    );
}
