//! Who somebody from an upstream is here: linked, proven, made, or nobody.

use serde_json::{Value, json};

use super::{ada_comes_in, another_node, sign_in, start, start_on, with};
use crate::harness::app::App;
use crate::harness::authenticator::Authenticator;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// From the page that says that nobody is linked: an account is proven, and the page that asks is open.
async fn prove(person: &Person, page: &Page, (username, password): (&str, &str)) -> Page {
    assert_eq!(page.name(), "upstream-unlinked", "{}", page.body);
    let page = person.open(page.attribute("a#prove", "href").unwrap()).await;
    person.sign_in_on(&page, username, password).await
}

async fn decide(person: &Person, page: &Page, decision: &str) -> Page {
    assert_eq!(page.name(), "upstream-link", "{}", page.body);
    person.send(&page.form(r#"form[action="/upstreams/corp/link"]"#).with("decision", decision)).await
}

async fn is_linked(server: &Server) -> bool {
    let events = server.events().await;
    events.iter().any(|event| event.kind.as_str() == "upstream_linked")
}

#[tokio::test]
async fn an_account_with_a_password_is_linked_only_by_its_person() {
    let (server, fake) = with("create_accounts = true\nlink_by_email = true").await;
    // The victim's address: verified, not verified, not said, said as text, or in a form that is read in two ways.
    let addresses = [
        json!({"email": "alice@example.com", "email_verified": true}),
        json!({"email": "ALICE@example.com", "email_verified": false}),
        json!({"email": "alice@example.com", "email_verified": null}),
        json!({"email": "alice@example.com", "email_verified": "true"}),
        json!({"email": "alice@example.com", "email_verified": 1}),
        json!({"email": "x@evil.example", "email_verified": true, "preferred_username": "alice"}),
    ];
    for said in addresses {
        fake.says(&said);
        let page = sign_in(&Person::new(&server), &fake).await;
        assert_eq!(
            (page.name(), server.reason().await),
            ("upstream-unlinked".to_owned(), "UpstreamAccountMissing".to_owned()),
            "{said}"
        );
    }
    assert!(!is_linked(&server).await);
    fake.says(
        &json!({"email": "alice@example.com@evil.example", "email_verified": true, "preferred_username": "mallory"}),
    );
    let page = sign_in(&Person::new(&server), &fake).await;
    assert_eq!(
        (page.name(), page.text().contains("alice")),
        ("account".to_owned(), false),
        "an account of its own: {}",
        page.body
    );
}

#[tokio::test]
async fn a_person_proves_the_account_once_and_comes_in_by_either_from_then_on() {
    let (server, fake) = with("").await;
    let (app, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(app.authorize_url("openid profile email", &[])).await;
    let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    let asked = prove(&person, &page, (ALICE, ALICE_PASSWORD)).await;
    assert!(asked.text().contains("ada@corp.example") && asked.text().contains("Alice Liddell"), "{}", asked.text());
    assert_eq!(decide(&person, &asked, "link").await.name(), "consent", "the app's request goes on");
    let told = person.open("/account").await.text();
    assert!(told.contains("New way to sign in") && told.contains("from 127.0.0.1"), "{told}");
    let page = sign_in(&Person::new(&server), &fake).await;
    assert!(page.text().contains("Alice Liddell"), "{}", page.text());
}

#[tokio::test]
async fn who_does_not_link_goes_on_and_nothing_is_kept() {
    let (server, fake) = with("").await;
    let person = Person::new(&server);
    let page = sign_in(&person, &fake).await;
    let asked = prove(&person, &page, (ALICE, ALICE_PASSWORD)).await;
    assert_eq!(decide(&person, &asked, "leave").await.name(), "account");
    assert!(!is_linked(&server).await);
}

#[tokio::test]
async fn a_session_from_before_proves_nothing_and_a_link_is_asked_for_in_one_browser() {
    let (server, fake) = with("").await;
    let person = Person::new(&server);
    person.sign_in().await;
    server.clock.advance(std::time::Duration::from_secs(1));
    let page = sign_in(&person, &fake).await;
    assert_eq!(page.name(), "upstream-unlinked");
    let link = page.attribute("a#prove", "href").unwrap().replace("/sign-in?upstream=corp&", "/upstreams/corp/link?");
    assert_eq!(person.open(&link).await.name(), "sign-in", "sent to prove it first");
    let other = Person::new(&server);
    other.sign_in().await;
    assert_eq!(
        (other.open(&link).await.name(), server.reason().await),
        ("upstream-failed".to_owned(), "UpstreamStateInvalid".to_owned())
    );
}

#[tokio::test]
async fn a_link_is_made_by_our_own_form_once_and_for_one_account() {
    let (server, fake) = with("").await;
    let (alice, bob) = (Person::new(&server), Person::new(&server));
    let of_alice = prove(&alice, &sign_in(&alice, &fake).await, (ALICE, ALICE_PASSWORD)).await;
    let of_bob = prove(&bob, &sign_in(&bob, &fake).await, (BOB, BOB_PASSWORD)).await;
    let form = of_alice.form(r#"form[action="/upstreams/corp/link"]"#).with("decision", "link");
    assert_eq!(alice.send(&form.clone().with("csrf", "x")).await.name(), "form-refused");
    assert_eq!(alice.send(&form).await.name(), "account");
    assert_eq!(alice.send(&form).await.name(), "account", "the second click of a double click");
    assert_eq!(
        (decide(&bob, &of_bob, "link").await.name(), server.reason().await),
        ("upstream-failed".to_owned(), "UpstreamLinkTaken".to_owned())
    );
}

#[tokio::test]
async fn an_account_without_a_password_is_linked_by_an_address_that_both_have_verified_where_that_is_declared() {
    let declared = |verified| {
        format!(
            "[[users]]\nusername = \"ada\"\nname = \"Ada Here\"\nemail = \"Ada@Corp.example\"\nemail_verified = {verified}\n"
        )
    };
    for (upstream, user_verified, said, comes_in) in [
        ("link_by_email = true", true, json!({}), true),
        ("link_by_email = true", true, json!({"email_verified": "true"}), false),
        ("link_by_email = true", true, json!({"email_verified": false}), false),
        ("link_by_email = true", false, json!({}), false),
        ("create_accounts = true", true, json!({}), false),
    ] {
        let (server, fake) = with(upstream).await;
        server.apply(&declared(user_verified)).await;
        fake.says(&said);
        let page = sign_in(&Person::new(&server), &fake).await;
        let expected = if comes_in { "account" } else { "upstream-unlinked" };
        assert_eq!(page.name(), expected, "{upstream} {user_verified} {said}");
        assert_eq!(page.text().contains("Ada Here"), comes_in);
    }
}

// Who makes an account there with another's address shall not go around their code.
#[tokio::test]
async fn an_account_with_a_second_factor_is_not_linked_by_its_address_alone() {
    let (server, fake) = with("create_accounts = true\nlink_by_email = true").await;
    let ada = ada_comes_in(&server, &fake).await;
    server.apply("[[users]]\nusername = \"ada\"\nname = \"Ada There\"\nemail = \"ada@corp.example\"\nemail_verified = true\n").await;
    let comes_in = async |subject: &str| {
        fake.says(&json!({ "sub": subject }));
        sign_in(&Person::new(&server), &fake).await.name()
    };
    assert_eq!(comes_in("another-there").await, "account");
    fake.says(&json!({ "sub": "ada-there" }));
    Authenticator::set_up(&server, &ada).await;
    assert_eq!(comes_in("a-third-there").await, "upstream-unlinked");
    assert_eq!(comes_in("another-there").await, "account", "what was linked stays so");
}

#[tokio::test]
async fn an_account_that_is_switched_off_opens_by_no_way() {
    let (server, fake) = with("create_accounts = true\nlink_by_email = true").await;
    ada_comes_in(&server, &fake).await;
    server.apply("[[users]]\nusername = \"ada\"\nname = \"Ada There\"\nemail = \"ada@corp.example\"\nemail_verified = true\ndisabled = true\n").await;
    // By the link, and by the address alone.
    for subject in ["ada-there", "another-there"] {
        fake.says(&json!({ "sub": subject }));
        let page = sign_in(&Person::new(&server), &fake).await;
        assert_eq!((page.status.as_u16(), page.name()), (403, "upstream-failed".to_owned()));
        assert_eq!(server.reason().await, "UserDisabled");
    }
}

#[tokio::test]
async fn only_whom_the_declaration_lets_in_comes_in_also_by_a_link() {
    let (server, fake) = with("create_accounts = true").await;
    ada_comes_in(&server, &fake).await;
    let refused = async |more: &str, said: Value| {
        server.apply(&super::declaration(&fake, "corp", more)).await;
        fake.says(&said);
        let page = sign_in(&Person::new(&server), &fake).await;
        assert_eq!((page.status.as_u16(), page.name()), (403, "upstream-failed".to_owned()), "{more}");
        server.reason().await
    };
    let domains = "allowed_domains = [\"corp.example\"]";
    assert_eq!(refused(domains, json!({"email": "ada@evil.example"})).await, "UpstreamAddressNotAllowed");
    assert_eq!(
        refused(domains, json!({"email": "ada@corp.example", "email_verified": "true"})).await,
        "UpstreamAddressNotAllowed"
    );
    fake.script(|script| script.profile = json!({"sub": "ada-there"}));
    let groups = "allowed_groups = [\"staff\"]";
    assert_eq!(refused(groups, json!({"email_verified": true, "groups": ["guests"]})).await, "UpstreamGroupNotAllowed");
    assert_eq!(refused(groups, json!({"groups": null})).await, "UpstreamGroupNotAllowed");
    fake.says(&json!({"groups": ["staff"]}));
    ada_comes_in(&server, &fake).await;
}

#[tokio::test]
async fn another_authority_under_the_same_name_has_other_people() {
    let (server, fake) = with("create_accounts = true").await;
    ada_comes_in(&server, &fake).await;
    let evil = super::fake::Fake::start();
    evil.keep_time_of(&server.clock);
    server.apply(&super::declaration(&evil, "corp", "")).await;
    let person = Person::new(&server);
    let page = person.open(evil.consents(&start(&person).await)).await;
    assert_eq!(page.name(), "upstream-unlinked", "the same subject, of somebody else");
}

/// What each of these browsers sees, that all come in at the same time.
async fn come_in_together(coming: Vec<(Person, url::Url)>) -> Vec<String> {
    let mut asking = tokio::task::JoinSet::new();
    for (person, answer) in coming {
        asking.spawn(async move { person.open(answer).await.name() });
    }
    asking.join_all().await
}

fn links(server: &Server) -> i64 {
    server.rows().into_iter().find(|(table, _)| *table == "upstream_links").unwrap().1
}

#[tokio::test]
async fn an_account_is_made_once_however_often_its_person_comes_at_the_same_time() {
    let (server, fake) = with("create_accounts = true").await;
    let mut coming = Vec::new();
    for _ in 0..8 {
        let person = Person::new(&server);
        let answer = fake.consents(&start(&person).await);
        coming.push((person, answer));
    }
    assert_eq!(come_in_together(coming).await, ["account"; 8]);
    assert_eq!(links(&server), 1);
}

#[tokio::test]
async fn an_account_is_made_once_also_where_its_person_comes_to_two_nodes_at_the_same_time() {
    let (first, fake) = with("create_accounts = true").await;
    let second = another_node(&first).await;
    let mut coming = Vec::new();
    for node in [&first, &second].into_iter().cycle().take(8) {
        let person = Person::new(node);
        let answer = fake.consents(&start(&person).await);
        coming.push((person, answer.as_str().replace(&first.url, &node.address).parse().unwrap()));
    }
    assert_eq!(come_in_together(coming).await, ["account"; 8]);
    assert_eq!((links(&first), links(&second)), (1, 1));
    let created = first.events().await.iter().filter(|event| event.kind.as_str() == "upstream_linked").count();
    assert_eq!(created, 1, "and linked once");
}
