//! Pages of other sites: framing ours, and sending forms to us.

use super::wire;
use crate::harness::app::App;
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;
use crate::{tokens, upstreams};

const EVIL: &str = "https://evil.example";

/// Alice at the consent page.
async fn at_consent(server: &Server) -> (Person, Page) {
    let person = Person::new(server);
    let page = person.open(App::new(server, "wiki").authorize_url("openid", &[])).await;
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!(page.name(), "consent");
    (person, page)
}

/// One page of each kind.
async fn pages(server: &Server) -> Vec<Page> {
    let (person, consent) = at_consent(server).await;
    let stranger = Person::new(server);
    let wiki = App::new(server, "wiki");
    let mut pages = vec![consent, stranger.open("/authorize").await];
    pages.push(stranger.open(wiki.authorize_url("openid", &[("redirect_uri", EVIL)])).await);
    pages.push(person.open(wiki.authorize_url("openid", &[("prompt", "select_account")])).await);
    for path in ["/", "/sign-in", "/nothing", "/end-session"] {
        pages.push(stranger.open(path).await);
    }
    for path in ["/account", "/account/apps", "/account/sessions", "/end-session"] {
        pages.push(person.open(path).await);
    }
    pages
}

#[tokio::test]
async fn no_page_can_be_framed() {
    // "the authorization server SHOULD ... use ... Content Security Policy ... frame-ancestors" (RFC 9700 §4.16)
    let server = Server::start().await;
    for page in pages(&server).await {
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{}: {policy}", page.url);
    }
}

#[tokio::test]
async fn every_page_allows_as_little_as_it_needs() {
    let server = Server::start().await;
    for page in pages(&server).await {
        let header = |name: &str| page.header(name).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{}: {policy}", page.url);
        assert!(!policy.contains("unsafe") && !policy.contains('*') && policy.contains("base-uri 'none'"), "{policy}");
        assert!(!policy.contains("script-src") || ["sign-in", "form-post"].contains(&page.name().as_str()), "{policy}");
        assert_eq!(
            (header("x-content-type-options"), header("cache-control")),
            ("nosniff", "no-store"),
            "{}",
            page.url
        );
        assert_eq!(header("referrer-policy"), "same-origin", "{}", page.url);
        assert!(!page.has("script:not([src]), style, [style], [onclick], [onload]"), "{}", page.url);
    }
}

// "When interacting with the End-User, the Authorization Server MUST employ appropriate measures against Cross-Site Request
// Forgery and Clickjacking as, described in Sections 10.12 and 10.13 of OAuth 2.0 [RFC6749]." (OIDC Core §3.1.2.3)
#[tokio::test]
async fn another_site_cannot_allow_an_app() {
    let server = Server::start().await;
    let (person, page) = at_consent(&server).await;
    let form = page.form(r#"form[action="/consent"]"#).with("decision", "allow");
    let bare = Form {
        action: form.action.clone(),
        fields: form.fields.iter().filter(|(name, _)| name != "csrf").cloned().collect(),
    };
    for (form, headers) in [
        (&form, vec![("origin", EVIL)]),
        (&form, vec![("origin", "null")]),
        (&form, vec![("sec-fetch-site", "cross-site")]),
        (&form, vec![("sec-fetch-site", "same-site")]),
        (&form, vec![("origin", EVIL), ("sec-fetch-site", "cross-site")]),
        (&bare, vec![("origin", server.url.as_str())]),
        (&bare, vec![]),
    ] {
        let answer = person.post_with(form, &headers).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (403, None), "{headers:?}");
    }
    let page = person.open(App::new(&server, "wiki").authorize_url("openid", &[])).await;
    assert_eq!(page.name(), "consent", "nothing was remembered");
}

#[tokio::test]
async fn consent_without_the_persons_cookies_leads_to_sign_in() {
    let server = Server::start().await;
    let (_, page) = at_consent(&server).await;
    let form = page.form(r#"form[action="/consent"]"#).with("decision", "allow");
    let answer = Person::new(&server).send(&form).await;
    assert!(answer.location().is_none_or(|to| to.host_str() != Some("wiki.example")), "{:?}", answer.location());
}

#[tokio::test]
async fn another_site_cannot_send_the_account_s_forms() {
    let server = Server::start().await;
    let person = Person::new(&server);
    App::new(&server, "wiki").approved_by(&person, "openid").await;
    Person::new(&server).sign_in().await;
    let token = person.open("/account").await.form(r#"form[action="/sign-out"]"#);
    let forms = [
        token.clone(),
        token.clone().at(&server.at("/account/sessions")).with("end", "others"),
        token.clone().at(&server.at("/account/apps/remove")).with("app", "wiki"),
    ];
    for form in &forms {
        for headers in [[("origin", EVIL)], [("origin", "null")], [("sec-fetch-site", "cross-site")]] {
            assert_eq!(person.post_with(form, &headers).await.status, 403, "{} {headers:?}", form.action);
        }
    }
    let text = person.open("/account").await.text();
    assert!(text.contains("1 app has access") && text.contains("signed in on 2 devices"), "{text}");
}

#[tokio::test]
async fn another_site_changes_no_token_and_no_way_to_sign_in() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    upstreams::leave_rows(&server).await;
    let kept = tokens::token(&person, &["notes.read"]).await;
    let id = &kept["gtr_pat_".len()..][..11];
    let alice = server.database.user_find_by_username(ALICE).await.unwrap().unwrap().id;
    let link = server.database.upstream_links_of(alice).await.unwrap().remove(0).id;
    for (path, query) in [
        ("/account/tokens/rotate", format!("token={id}")),
        ("/account/tokens/revoke", format!("token={id}")),
        ("/account/sign-in-ways/unlink", format!("link={link}")),
    ] {
        let form = person.open(format!("{path}?{query}")).await.form(&format!("form[action=\"{path}\"]"));
        let own = ("origin", server.url.as_str());
        for headers in [[("origin", EVIL)], [("origin", "null")], [("sec-fetch-site", "cross-site")]] {
            assert_eq!(person.post_with(&form, &headers).await.status, 403, "{path} {headers:?}");
        }
        for csrf in ["", "x"] {
            assert_eq!(person.post_with(&form.clone().with("csrf", csrf), &[own]).await.status, 403, "{path} {csrf}");
        }
        let before = App::new(&server, "notes-api").introspect(&kept).await;
        assert_eq!(before["active"], true, "{path}");
        assert_eq!(server.database.upstream_links_of(alice).await.unwrap().len(), 1, "{path}");
    }
    let changed = ["api_token_ended", "api_token_rotated", "upstream_unlinked"];
    let events = server.events().await;
    assert!(events.iter().all(|event| !changed.contains(&event.kind.as_str())), "{events:?}");
}

#[tokio::test]
async fn a_simple_request_of_another_type_changes_nothing() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.sign_in().await.form(r#"form[action="/sign-out"]"#);
    for content_type in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let page = person.post_with(&form, &[("content-type", content_type)]).await;
        assert!(page.status.is_client_error(), "{content_type}: {}", page.status);
    }
    assert_eq!(person.open("/account").await.name(), "account");
}

#[tokio::test]
async fn reading_changes_nothing() {
    let server = Server::start().await;
    let person = Person::new(&server);
    App::new(&server, "wiki").approved_by(&person, "openid").await;
    let csrf = person.open("/account").await.attribute("[name=csrf]", "value").unwrap();
    for path in [
        "/sign-out?",
        "/account/sessions?end=others&",
        "/account/apps/remove?app=wiki&",
        "/consent?decision=allow&",
        "/language?language=de&",
    ] {
        person.open(format!("{path}csrf={csrf}")).await;
    }
    let page = person.open("/account").await;
    assert!(page.text().contains("1 app has access"), "{}", page.text());
    assert_eq!(page.attribute("html", "lang").as_deref(), Some("en"));
}

#[tokio::test]
async fn another_site_cannot_choose_the_language() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.open("/sign-in").await.form(r#"form[action="/language"]"#).with("language", "de");
    person.post_with(&form, &[("origin", EVIL)]).await;
    assert_eq!(person.open("/sign-in").await.attribute("html", "lang").as_deref(), Some("en"));
}

#[tokio::test]
async fn another_site_can_only_ask_to_sign_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.sign_in().await.form("form").at(&server.at("/end-session"));
    let page = person.post_with(&form, &[("origin", EVIL)]).await;
    assert_eq!(page.name(), "end-session");
    assert_eq!(person.open("/account").await.name(), "account");
}

#[tokio::test]
async fn another_site_cannot_sign_a_person_in_to_its_own_account() {
    let server = Server::start().await;
    let mallory = Person::new(&server).open("/sign-in").await;
    let form = mallory.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", EVIL)];
    let page = wire::send("POST", &server.at("/sign-in"), &headers, &body).await;
    assert_eq!(page.status, 403);
    assert!(page.cookies().iter().all(|cookie| !cookie.starts_with("grantor_session")));
}
