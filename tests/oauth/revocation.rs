//! Revocation: an app gives its tokens up (RFC 7009).

use crate::harness::app::{App, Tokens};
use crate::harness::server::Server;

// "If the particular token is a refresh token and the authorization server supports the revocation of access tokens, then the
// authorization server SHOULD also invalidate all access tokens based on the same authorization grant" (RFC 7009 §2.1)
#[tokio::test]
async fn a_revoked_refresh_token_ends_the_whole_grant() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat", "spa"] {
        let app = App::new(&server, client_id);
        let first = app.tokens("openid").await;
        let second = Tokens(app.refresh(first.refresh()).await.json());
        assert_eq!(app.revoke(second.refresh()).await.status, 200);
        assert_eq!(server.reason().await, "revoked_by_client");
        assert_eq!(app.refresh(second.refresh()).await.brief(), "400 invalid_grant", "{client_id}");
        for tokens in [first, second] {
            assert_eq!(app.userinfo(tokens.access()).await.status, 401, "{client_id}");
        }
    }
}

#[tokio::test]
async fn a_replaced_refresh_token_ends_its_family_too() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let first = spa.tokens("openid").await;
    let second = Tokens(spa.refresh(first.refresh()).await.json());
    spa.revoke(first.refresh()).await;
    assert_eq!(spa.refresh(second.refresh()).await.brief(), "400 invalid_grant");
}

// "In the next step, the authorization server invalidates the token. The invalidation takes place immediately, and the token
// cannot be used again after the revocation." (RFC 7009 §2.1)
#[tokio::test]
async fn a_revoked_access_token_ends_alone() {
    let server = Server::start().await;
    for client_id in ["wiki", "chat", "spa"] {
        let app = App::new(&server, client_id);
        let first = app.tokens("openid").await;
        let second = Tokens(app.refresh(first.refresh()).await.json());
        assert_eq!(app.revoke(first.access()).await.status, 200);
        assert_eq!(app.userinfo(first.access()).await.status, 401, "{client_id}");
        assert_eq!(app.userinfo(second.access()).await.status, 200, "{client_id}");
        assert_eq!(app.refresh(second.refresh()).await.status, 200, "{client_id}");
        let event = server.events().await.into_iter().find(|event| event.kind.as_str() == "token_revoked").unwrap();
        assert_eq!(event.client_id.as_deref(), Some(client_id));
    }
}

// "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the client
// submitted an invalid token." (RFC 7009 §2.2)
#[tokio::test]
async fn an_unknown_or_repeated_token_is_no_error() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    for token in
        ["x", "a.b.c", "gtr_rt_00000000000.x", tokens.id(), tokens.refresh(), tokens.refresh(), tokens.access()]
    {
        let page = wiki.revoke(token).await;
        assert_eq!((page.status.as_u16(), page.body.as_str()), (200, ""), "{token}");
    }
}

// "verifies whether the token was issued to the client making the revocation request." (RFC 7009 §2.1)
#[tokio::test]
async fn nobody_revokes_the_tokens_of_others() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid notes.read").await;
    for client_id in ["chat", "spa", "notes-api", "service"] {
        for token in [tokens.refresh(), tokens.access()] {
            assert_eq!(App::new(&server, client_id).revoke(token).await.status, 200);
        }
    }
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
}

// "The authorization server first validates the client credentials (in case of a confidential client)" (RFC 7009 §2.1)
#[tokio::test]
async fn who_revokes_must_prove_who_they_are() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let form = [("token", tokens.refresh()), ("client_id", "wiki")];
    assert_eq!(wiki.post_raw("/revoke", &[], &form).await.brief(), "401 invalid_client");
    assert_eq!(wiki.post_raw("/revoke", &[], &form[..1]).await.brief(), "401 invalid_client");
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
    insta::assert_snapshot!(wiki.post("/revoke", &[]).await.whole(), @r#"
    400 Bad Request
    {"error":"invalid_request","error_description":"The parameter token is missing."}
    "#);
}

// "An invalid token type hint value is ignored by the authorization server and does not influence the revocation response."
// (RFC 7009 §2.2)
#[tokio::test]
async fn a_wrong_hint_changes_nothing() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for hint in ["access_token", "refresh_token", "bogus"] {
        let tokens = wiki.tokens("openid").await;
        for token in [tokens.access(), tokens.refresh()] {
            assert_eq!(wiki.post("/revoke", &[("token", token), ("token_type_hint", hint)]).await.status, 200);
        }
        assert_eq!(wiki.userinfo(tokens.access()).await.status, 401, "{hint}");
        assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "400 invalid_grant", "{hint}");
    }
}

#[tokio::test]
async fn a_guess_at_a_token_of_a_known_grant_ends_nothing() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let (id, secret) = tokens.refresh().split_once('.').unwrap();
    wiki.revoke(&format!("{id}.{}", "A".repeat(secret.len()))).await;
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
}
