//! Authorization codes: good once, soon, and for one app (RFC 6749 §4.1.2, §4.1.3, §10.5).

use std::collections::HashSet;
use std::time::Duration;

use crate::harness::app::{Answer, App, Tokens, VERIFIER};
use crate::harness::person::Person;
use crate::harness::server::Server;

// "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke (when
// possible) all tokens previously issued based on that authorization code." (RFC 6749 §4.1.2)
#[tokio::test]
async fn a_second_use_of_a_code_ends_what_the_first_one_gave() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat", "spa"] {
        let app = App::new(&server, client_id);
        let code = app.code("openid offline_access").await;
        let tokens = Tokens(app.redeem(&code).await.json());
        assert_eq!(app.userinfo(tokens.access()).await.status, 200);
        assert_eq!(app.redeem(&code).await.brief(), "400 invalid_grant", "{client_id}");
        let reasons = server.reasons().await;
        assert!(
            reasons[..2].contains(&"CodeReplayed".into()) && reasons[..2].contains(&"code_replayed".into()),
            "{reasons:?}"
        );
        assert_eq!(app.userinfo(tokens.access()).await.status, 401, "{client_id}");
        assert_eq!(app.refresh(tokens.refresh()).await.brief(), "400 invalid_grant", "{client_id}");
    }
}

#[tokio::test]
async fn a_second_use_is_explained() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    wiki.redeem(&code).await;
    insta::assert_snapshot!(wiki.redeem(&code).await.whole(), @r#"
    400 Bad Request
    {"error":"invalid_grant","error_description":"The code was used before; the tokens issued for it are revoked."}
    "#);
}

#[tokio::test]
async fn a_second_use_needs_no_right_parameters_to_be_noticed() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let code = spa.code("openid").await;
    let tokens = Tokens(spa.redeem(&code).await.json());
    assert_eq!(spa.redeem_with(&code, &[("code_verifier", "")]).await.brief(), "400 invalid_grant");
    assert_eq!(spa.userinfo(tokens.access()).await.status, 401);
}

#[tokio::test]
async fn of_16_at_once_with_one_code_at_most_one_gets_tokens_and_they_are_worth_nothing() {
    let server = std::sync::Arc::new(Server::start().await);
    let code = App::new(&server, "wiki").code("openid").await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (server, code) = (std::sync::Arc::clone(&server), code.clone());
        asking.spawn(async move { App::new(&server, "wiki").redeem(&code).await });
    }
    let pages = asking.join_all().await;
    let (good, bad): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| page.status == 200);
    assert_eq!((good.len(), bad.iter().all(|page| page.brief() == "400 invalid_grant")), (1, true));
    let tokens = Tokens(good[0].json());
    assert_eq!(App::new(&server, "wiki").userinfo(tokens.access()).await.status, 401);
}

// "ensure that the authorization code was issued to the authenticated confidential client, or if the client is public, ensure
// that the code was issued to "client_id" in the request" (RFC 6749 §4.1.3)
#[tokio::test]
async fn a_code_is_bound_to_its_app() {
    let server = Server::start().await;
    for (owner, thief) in [("wiki", "chat"), ("wiki", "spa"), ("spa", "native"), ("spa", "wiki"), ("chat", "portal")] {
        let owner = App::new(&server, owner);
        let code = owner.code("openid").await;
        let thief = App::new(&server, thief).at(&owner.redirect_uri);
        assert_eq!(thief.redeem(&code).await.brief(), "400 invalid_grant");
        assert_eq!(server.reason().await, "CodeClientMismatch");
        let nobody = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", VERIFIER)];
        assert_eq!(owner.post_raw("/token", &[], &nobody).await.brief(), "401 invalid_client");
        assert_eq!(owner.redeem(&code).await.status, 200, "what others try does not spoil the code");
    }
}

// "The authorization code MUST expire shortly after it is issued to mitigate the risk of leaks." (RFC 6749 §4.1.2)
// "To mitigate this threat, the token SHOULD include a timestamp and a short validity lifetime." (OIDC Core §16.9)
#[tokio::test]
async fn a_code_lives_a_minute() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let (first, second) = (wiki.code("openid").await, wiki.code("openid").await);
    server.clock.advance(Duration::from_millis(59_999));
    assert_eq!(wiki.redeem(&first).await.status, 200);
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(wiki.redeem(&second).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "CodeExpired");
}

#[tokio::test]
async fn a_replay_is_noticed_after_the_code_has_expired_too() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    let tokens = Tokens(wiki.redeem(&code).await.json());
    server.clock.advance(Duration::from_mins(5));
    assert_eq!(wiki.redeem(&code).await.brief(), "400 invalid_grant");
    assert!(server.reasons().await.contains(&"CodeReplayed".into()));
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
}

// "The probability of an attacker guessing generated tokens ... MUST be less than or equal to 2^(-128)" (RFC 6749 §10.10)
#[tokio::test]
async fn codes_cannot_be_guessed() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    let mut secrets = HashSet::new();
    for _ in 0..40 {
        let code = Answer::of(&portal.asks(&person, "openid", &[]).await).param("code");
        let (id, secret) = code.split_once('.').unwrap();
        assert!(id.starts_with("gtr_ac_") && secret.len() == 43, "256 bits in base64url");
        secrets.insert(secret.to_owned());
    }
    let starts: HashSet<&str> = secrets.iter().map(|secret| &secret[..8]).collect();
    assert_eq!((secrets.len(), starts.len()), (40, 40));
}

#[tokio::test]
async fn an_altered_code_is_unknown() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    let (id, secret) = code.split_once('.').unwrap();
    let other = wiki.code("openid").await;
    for altered in [
        code[..code.len() - 1].to_owned(),
        code[1..].to_owned(),
        format!("{code}A"),
        format!("{code}="),
        format!(" {code}"),
        format!("{code} "),
        code.to_uppercase(),
        code.to_lowercase(),
        id.to_owned(),
        format!("{id}."),
        format!("{id}.{}", &secret[1..]),
        format!("{id}.{}", other.split_once('.').unwrap().1),
        format!("{id}.{secret}.{secret}"),
        code.replace("gtr_ac", "gtr_rt"),
        format!("{code}\u{200b}"),
        "x".into(),
        "' OR 1=1 --".into(),
        "9".repeat(2000),
    ] {
        assert_eq!(wiki.redeem(&altered).await.brief(), "400 invalid_grant", "{altered}");
        assert_eq!(server.reason().await, "CodeUnknown", "{altered}");
    }
    assert_eq!(wiki.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn a_code_is_no_token_and_a_token_no_code() {
    let server = Server::start().await;
    let chat = App::new(&server, "chat");
    let code = chat.code("openid offline_access").await;
    assert_eq!(chat.userinfo(&code).await.status, 401);
    assert_eq!(chat.refresh(&code).await.brief(), "400 invalid_grant");
    assert_eq!(chat.introspect(&code).await, serde_json::json!({ "active": false }));
    let tokens = Tokens(chat.redeem(&code).await.json());
    for token in [tokens.access(), tokens.refresh(), tokens.id()] {
        assert_eq!(chat.redeem(token).await.brief(), "400 invalid_grant");
        assert_eq!(server.reason().await, "CodeUnknown");
    }
    for token in [tokens.refresh(), tokens.id()] {
        assert_eq!(chat.userinfo(token).await.status, 401);
    }
    for token in [tokens.access(), tokens.id()] {
        assert_eq!(chat.refresh(token).await.brief(), "400 invalid_grant");
    }
}

#[tokio::test]
async fn a_missing_code_is_named() {
    let server = Server::start().await;
    let page = App::new(&server, "wiki").redeem("").await;
    insta::assert_snapshot!(page.whole(), @r#"
    400 Bad Request
    {"error":"invalid_request","error_description":"The parameter code is missing."}
    "#);
}

#[tokio::test]
async fn a_code_gives_nothing_once_the_account_has_changed_hands() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let alice = |change: &str| format!("[[users]]\nusername = \"alice\"\n{change}");
    for change in ["disabled = true", "disabled = false\npassword = \"a new one that nobody has seen\""] {
        server.apply(&alice("disabled = false\npassword = \"correct horse battery staple\"")).await;
        let code = wiki.code("openid offline_access").await;
        server.apply(&alice(change)).await;
        assert_eq!(wiki.redeem(&code).await.brief(), "400 invalid_grant", "{change}");
        assert_eq!(server.reason().await, "GrantEnded", "{change}");
    }
}

#[tokio::test]
async fn a_code_gives_nothing_once_the_person_has_signed_out() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let online = wiki.approved_by(&person, "openid").await.param("code");
    let offline = wiki.approved_by(&person, "openid offline_access").await.param("code");
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    for code in [online, offline] {
        assert_eq!(wiki.redeem(&code).await.brief(), "400 invalid_grant");
        assert_eq!(server.reason().await, "GrantEnded");
    }
}

#[tokio::test]
async fn a_code_gives_nothing_once_the_access_is_taken_back() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let code = wiki.approved_by(&person, "openid").await.param("code");
    let page = person.open("/account/apps/remove?app=wiki").await;
    person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await;
    assert_eq!(wiki.redeem(&code).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "ConsentWithdrawn");
}
