//! Refresh tokens: each good once, none for another app, never for more than was approved (RFC 6749 §6, RFC 9700 §4.14).

use std::time::Duration;

use crate::harness::app::{App, Tokens, basic, claims};
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

/// Longer than the window in which a replaced token gives its successor again.
const AFTER_GRACE: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn each_use_gives_the_next_token() {
    let server = Server::start().await;
    for client_id in ["spa", "wiki", "chat", "signed"] {
        let app = App::new(&server, client_id);
        let mut tokens = app.tokens("openid").await;
        let subject = claims(tokens.id())["sub"].clone();
        for _ in 0..5 {
            server.clock.advance(AFTER_GRACE);
            let next = Tokens(app.refresh(tokens.refresh()).await.json());
            assert!(next.refresh() != tokens.refresh() && next.access() != tokens.access());
            assert_eq!(claims(next.id())["sub"], subject);
            assert!(claims(next.id())["nonce"].is_null(), "only the first ID token carries the nonce");
            tokens = next;
        }
    }
}

// "If a refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of them will
// present an invalidated refresh token, which will inform the authorization server of the breach." (RFC 9700 §4.14.2)
#[tokio::test]
async fn the_second_use_of_a_token_ends_the_family() {
    let server = Server::start().await;
    for client_id in ["spa", "wiki", "chat"] {
        let app = App::new(&server, client_id);
        let first = app.tokens("openid").await;
        let second = Tokens(app.refresh(first.refresh()).await.json());
        server.clock.advance(AFTER_GRACE);
        assert_eq!(app.refresh(first.refresh()).await.brief(), "400 invalid_grant", "{client_id}");
        let reasons = server.reasons().await;
        assert!(
            reasons[..2].contains(&"RefreshTokenReused".into())
                && reasons[..2].contains(&"refresh_token_reused".into())
        );
        assert_eq!(app.refresh(second.refresh()).await.brief(), "400 invalid_grant", "{client_id}");
        assert_eq!(server.reason().await, "GrantEnded");
        for tokens in [first, second] {
            assert_eq!(app.userinfo(tokens.access()).await.status, 401, "{client_id}");
        }
    }
}

#[tokio::test]
async fn an_older_ancestor_ends_the_family_at_once() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let first = spa.tokens("openid").await;
    let second = Tokens(spa.refresh(first.refresh()).await.json());
    let third = Tokens(spa.refresh(second.refresh()).await.json());
    assert_eq!(spa.refresh(first.refresh()).await.brief(), "400 invalid_grant", "two back is never a lost answer");
    assert_eq!(spa.refresh(third.refresh()).await.brief(), "400 invalid_grant");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_ten_seconds() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let first = spa.tokens("openid").await;
    let second = Tokens(spa.refresh(first.refresh()).await.json());
    server.clock.advance(AFTER_GRACE.saturating_sub(MOMENT));
    let again = Tokens(spa.refresh(first.refresh()).await.json());
    assert_eq!(again.refresh(), second.refresh(), "the very successor, not a second line");
    assert_eq!(spa.refresh(again.refresh()).await.status, 200);
}

#[tokio::test]
async fn without_grace_the_first_repetition_ends_the_family() {
    let server = Server::start_with(|config| config.lifetimes.refresh_token_grace = Duration::ZERO).await;
    let spa = App::new(&server, "spa");
    let first = spa.tokens("openid").await;
    let second = Tokens(spa.refresh(first.refresh()).await.json());
    assert_eq!(spa.refresh(first.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(spa.refresh(second.refresh()).await.brief(), "400 invalid_grant");
}

#[tokio::test]
async fn of_16_at_once_with_one_token_all_get_the_same_successor() {
    let server = std::sync::Arc::new(Server::start().await);
    let first = App::new(&server, "spa").tokens("openid").await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (server, token) = (std::sync::Arc::clone(&server), first.refresh().to_owned());
        asking.spawn(async move { Tokens(App::new(&server, "spa").refresh(&token).await.json()).refresh().to_owned() });
    }
    let mut successors = asking.join_all().await;
    successors.dedup();
    assert_eq!(successors.len(), 1, "one line, whoever was first");
    assert_eq!(App::new(&server, "spa").refresh(&successors[0]).await.status, 200);
}

// "ensure that the refresh token was issued to the authenticated client" (RFC 6749 §6)
// "The Authorization Server MUST validate the Refresh Token, MUST verify that it was issued to the Client, and must verify
// that the Client successfully authenticated it has a Client Authentication method." (OIDC Core §12.1)
#[tokio::test]
async fn a_token_is_bound_to_its_app() {
    let server = Server::start().await;
    for (owner, thief) in [("wiki", "chat"), ("wiki", "spa"), ("spa", "wiki"), ("spa", "signed")] {
        let owner = App::new(&server, owner);
        let tokens = owner.tokens("openid").await;
        assert_eq!(App::new(&server, thief).refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
        assert_eq!(server.reason().await, "RefreshTokenClientMismatch");
        assert_eq!(owner.refresh(tokens.refresh()).await.status, 200, "what others try does not spoil the token");
    }
}

// "require client authentication for confidential clients or for any client that was issued client credentials"
// (RFC 6749 §6)
// "To refresh an Access Token, the Client MUST authenticate to the Token Endpoint using the authentication method registered
// for its "client_id", as documented in Section 9." (OIDC Core §12.1)
#[tokio::test]
async fn an_app_with_a_secret_authenticates_to_refresh() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("client_id", "wiki")];
    assert_eq!(wiki.post_raw("/token", &[], &form).await.brief(), "401 invalid_client");
    assert_eq!(wiki.post_raw("/token", &[], &form[..2]).await.brief(), "401 invalid_client");
    let wrong = basic("wiki", &SECRET[1..]);
    assert_eq!(wiki.post_raw("/token", &[("authorization", &wrong)], &form).await.brief(), "401 invalid_client");
}

// "The requested scope MUST NOT include any scope not originally granted by the resource owner, and if omitted is treated as
// equal to the scope originally granted by the resource owner." (RFC 6749 §6)
#[tokio::test]
async fn a_refresh_may_ask_for_less_but_never_for_more() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let first = wiki.tokens("openid email notes.read").await;
    for wider in ["openid email notes.read notes.write", "notes.write", "openid admin"] {
        assert_eq!(
            wiki.refresh_with(first.refresh(), &[("scope", wider)]).await.brief(),
            "400 invalid_scope",
            "{wider}"
        );
        assert_eq!(server.reason().await, "ScopeWidened");
    }
    let page = wiki.refresh_with(first.refresh(), &[("scope", "openid \"x\"")]).await;
    assert_eq!(page.brief(), "400 invalid_scope");
    let narrow = Tokens(wiki.refresh_with(first.refresh(), &[("scope", "notes.read")]).await.json());
    assert_eq!(
        (narrow.0["scope"].as_str(), claims(narrow.access())["scope"].as_str()),
        (Some("notes.read"), Some("notes.read"))
    );
    assert!(narrow.0["id_token"].is_null(), "no ID token without openid");
    assert_eq!(wiki.userinfo(narrow.access()).await.status, 403);
    // "If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh token included by the
    // client in the request." (RFC 6749 §6)
    let full = Tokens(wiki.refresh(narrow.refresh()).await.json());
    assert_eq!(full.0["scope"], "email notes.read openid");
}

#[tokio::test]
async fn an_altered_token_is_unknown_and_ends_nothing() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let (token, other) = (tokens.refresh(), wiki.tokens("openid").await);
    let (id, secret) = token.split_once('.').unwrap();
    for altered in [
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        format!(" {token}"),
        token.to_uppercase(),
        token.to_lowercase(),
        format!("{id}."),
        id.to_owned(),
        token.replace("gtr_rt", "gtr_at"),
        format!("{id}.{}", other.refresh().split_once('.').unwrap().1),
        format!("{id}.{}", "A".repeat(secret.len())),
        "x".into(),
    ] {
        assert_eq!(wiki.refresh(&altered).await.brief(), "400 invalid_grant", "{altered}");
        assert_eq!(server.reason().await, "RefreshTokenUnknown", "{altered}");
    }
    assert_eq!(wiki.refresh("").await.brief(), "400 invalid_request");
    assert_eq!(server.reason().await, "ParameterMissing");
    assert_eq!(wiki.refresh(token).await.status, 200);
}

#[tokio::test]
async fn an_unused_token_lives_30_days() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    server.clock.advance((DAY * 30).saturating_sub(MOMENT));
    let tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    server.clock.advance(DAY * 30);
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "RefreshTokenExpired");
}

#[tokio::test]
async fn no_use_makes_a_family_live_longer_than_90_days() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let mut tokens = wiki.tokens("openid offline_access").await;
    for _ in 0..4 {
        server.clock.advance(DAY * 20);
        tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    }
    server.clock.advance(DAY * 10);
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "RefreshTokenExpired");
}

#[tokio::test]
async fn without_offline_access_a_family_lives_no_longer_than_a_sign_in_may() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let mut tokens = wiki.tokens("openid").await;
    // Each refresh is a use of the sign-in, which may be idle for twelve hours.
    for _ in 0..20 {
        server.clock.advance(DAY / 3);
        tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    }
    server.clock.advance(DAY / 3);
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "RefreshTokenExpired");
}

#[tokio::test]
async fn without_offline_access_a_family_ends_with_an_idle_sign_in() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    server.clock.advance(DAY / 2);
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "GrantEnded");
}
