//! The cookie of several sign-ins: stolen, planted, altered, tossed.

use super::wire;
use crate::harness::page::Page;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// Signs in in a browser of its own; returns the cookie's value.
async fn token(server: &Server, username: &str, password: &str) -> String {
    let page = wire::get(&server.at("/sign-in"), &[]).await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let cookies = page.cookies().join("; ");
    let headers = [("cookie", cookies.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let page = wire::send("POST", &server.at("/sign-in"), &headers, &body).await;
    let session = page.cookies().into_iter().find(|cookie| cookie.starts_with("grantor_session=")).expect("a session");
    session.split_once('=').unwrap().1.to_owned()
}

/// The choice of accounts with these sessions.
async fn choice(server: &Server, session: &str, others: &str) -> Page {
    let cookies = [format!("grantor_session={session}"), format!("grantor_others={others}")];
    wire::get(&server.at("/select-account"), &cookies).await
}

fn offered(page: &Page) -> usize {
    page.attributes(".choices button", "value").len()
}

#[tokio::test]
async fn what_opens_nothing_is_nobody() {
    let server = Server::start().await;
    let (alice, bob) = (token(&server, ALICE, ALICE_PASSWORD).await, token(&server, BOB, BOB_PASSWORD).await);
    assert_eq!(offered(&choice(&server, &alice, &bob).await), 1);
    let (id, secret) = bob.split_once('.').unwrap();
    let of_alice = alice.split_once('.').unwrap().1;
    let altered = [
        String::new(),
        id.to_owned(),
        format!("{id}."),
        format!("{id}.{of_alice}"),
        format!("{id}.{}", "A".repeat(secret.len())),
        bob.to_uppercase(),
        format!("{bob}A"),
        format!("\"{bob}\""),
        format!("{bob},{bob}"),
        format!("%7E{bob}"),
        "~".repeat(400),
        format!("{}{bob}", "x~".repeat(300)),
        "A".repeat(8_000),
        "%00%ff'\"<>~\u{fffd}".to_owned(),
        alice.clone(),
        format!("{alice}~{alice}"),
    ];
    for others in altered {
        let page = choice(&server, &alice, &others).await;
        assert_eq!(
            (page.status.as_u16(), page.name().as_str(), offered(&page)),
            (200, "select-account", 0),
            "{others}"
        );
    }
}

#[tokio::test]
async fn each_person_is_offered_once_and_few_are_read() {
    let server = Server::start().await;
    let (alice, bob) = (token(&server, ALICE, ALICE_PASSWORD).await, token(&server, BOB, BOB_PASSWORD).await);
    let (again, too) = (token(&server, BOB, BOB_PASSWORD).await, token(&server, ALICE, ALICE_PASSWORD).await);
    assert_eq!(offered(&choice(&server, &alice, &format!("{bob}~{again}~{bob}")).await), 1);
    assert_eq!(offered(&choice(&server, &alice, &too).await), 0, "she is in use");
    let made_up = |at: usize| format!("gtr_se_0000000000{at}.{}", "A".repeat(43));
    let crowd: Vec<String> = (1..5).map(made_up).chain([bob.clone()]).collect();
    assert_eq!(offered(&choice(&server, &alice, &crowd.join("~")).await), 0, "four are read, and no fifth");
}

#[tokio::test]
async fn two_cookies_of_that_name_are_none() {
    let server = Server::start().await;
    let (alice, bob) = (token(&server, ALICE, ALICE_PASSWORD).await, token(&server, BOB, BOB_PASSWORD).await);
    let cookies = [format!("grantor_session={alice}"), format!("grantor_others={bob}"), "grantor_others=x".to_owned()];
    let page = wire::get(&server.at("/select-account"), &cookies).await;
    assert_eq!((page.name().as_str(), offered(&page)), ("select-account", 0));
}

/// Beside nobody is in use by it: whoever is planted there must be chosen.
#[tokio::test]
async fn a_session_that_is_planted_beside_is_nobodys_until_the_person_chooses_it() {
    let server = Server::start().await;
    let (alice, mallory) = (token(&server, ALICE, ALICE_PASSWORD).await, token(&server, BOB, BOB_PASSWORD).await);
    for path in ["/account", "/account/tokens", "/account/apps", "/account/sessions"] {
        let cookies = [format!("grantor_others={mallory}")];
        assert_eq!(wire::get(&server.at(path), &cookies).await.status, 303, "{path}");
        let cookies = [format!("grantor_session={alice}"), format!("grantor_others={mallory}")];
        let page = wire::get(&server.at(path), &cookies).await;
        assert!(page.text().contains("Alice Liddell"), "{path}: {}", page.text());
    }
}

#[tokio::test]
async fn a_cookie_that_was_signed_out_from_beside_is_dead() {
    let server = Server::start().await;
    let person = crate::harness::person::Person::new(&server);
    person.sign_in().await;
    let page = person.open("/select-account").await;
    let page = person.send(&page.form(r#"form[action="/select-account"]"#).with("choice", "another")).await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", BOB).with("password", BOB_PASSWORD);
    let answer = person.post(&form).await;
    let others = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let others = others.filter(|cookie| cookie.starts_with("grantor_others=")).collect::<Vec<_>>();
    let [others] = others[..] else { panic!("{others:?}") };
    assert!(others.contains("HttpOnly") && others.contains("SameSite=Lax") && !others.contains("Domain"), "{others}");
    let kept = others.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    let page = person.open("/account").await;
    person.send(&page.form("form:has(#sign-out-all)").with("everyone", "yes")).await;
    let stolen = wire::get(&server.at("/account"), &[format!("grantor_session={kept}")]).await;
    assert_eq!((stolen.status.as_u16(), offered(&choice(&server, "x", &kept).await)), (303, 0));
}

#[tokio::test]
async fn a_second_session_of_one_person_ends_with_the_first() {
    let server = Server::start().await;
    let (alice, bob) = (token(&server, ALICE, ALICE_PASSWORD).await, token(&server, BOB, BOB_PASSWORD).await);
    let again = token(&server, BOB, BOB_PASSWORD).await;
    let held = vec![format!("grantor_session={alice}"), format!("grantor_others={bob}~{again}")];
    let page = wire::get(&server.at("/end-session"), &held).await;
    let of_bob = bob.strip_prefix("gtr_se_").and_then(|bob| bob.split_once('.')).unwrap().0;
    let form = page.form(r#"form[action="/sign-out"]"#).with("account", of_bob);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let cookies = [held, page.cookies()].concat().join("; ");
    let headers = [("cookie", cookies.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let page = wire::send("POST", &server.at("/sign-out"), &headers, &body).await;
    assert_eq!(page.name(), "signed-out", "{}", page.body);
    for (token, status) in [(alice, 200), (bob, 303), (again, 303)] {
        assert_eq!(wire::get(&server.at("/account"), &[format!("grantor_session={token}")]).await.status, status);
    }
}

/// A second click that was sent before the browser was told of the first one: it shows the cookie of a session that the first has
/// ended. Nobody is in use by that, and nobody else comes in by it than by a password.
#[tokio::test]
async fn a_second_click_with_the_cookie_from_before_the_first_ends_where_that_leads() {
    let server = Server::start().await;
    let first = wire::get(&server.at("/sign-in"), &[]).await;
    let mark = first.cookies().join("; ");
    let sends = async |page: &Page, cookies: &str, username: &str, password: &str| {
        let form = page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password);
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let headers = [("cookie", cookies), ("content-type", "application/x-www-form-urlencoded")];
        wire::send("POST", &server.at("/sign-in"), &headers, &body).await
    };
    let signed_in = sends(&first, &mark, ALICE, ALICE_PASSWORD).await;
    let of_alice = signed_in.cookies().into_iter().find(|cookie| cookie.starts_with("grantor_session=")).unwrap();
    let cookies = format!("{mark}; {of_alice}");
    let page = wire::get(&server.at("/sign-in"), &[mark.clone(), of_alice.clone()]).await;
    for (password, status) in [(BOB_PASSWORD, 303), (BOB_PASSWORD, 303), ("another password", 422)] {
        assert_eq!(sends(&page, &cookies, BOB, password).await.status.as_u16(), status);
    }
    let elsewhere = wire::get(&server.at("/sign-in"), &[]).await.cookies().join("; ");
    let cookies = format!("{elsewhere}; {of_alice}");
    assert_eq!(sends(&page, &cookies, BOB, BOB_PASSWORD).await.status, 403, "the form is of another browser");
}
