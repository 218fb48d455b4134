//! The main job, once through: a person signs in and approves, the app gets tokens that work.

use crate::harness::app::{App, Tokens, claims};
use crate::harness::server::Server;

#[tokio::test]
async fn an_app_gets_a_persons_approval_and_tokens_that_work() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid profile offline_access").await;
    assert_eq!(claims(tokens.id())["nonce"], "the-nonce");
    assert_eq!(wiki.userinfo(tokens.access()).await.json()["name"], "Alice Liddell");
    let fresh = Tokens(wiki.refresh(tokens.refresh()).await.json());
    assert_eq!(wiki.userinfo(fresh.access()).await.status, 200);
    assert_eq!(wiki.revoke(fresh.refresh()).await.status, 200);
    assert_eq!(wiki.userinfo(fresh.access()).await.status, 401);
}

#[tokio::test]
async fn issued_tokens_are_counted_by_app_and_grant() {
    let server = Server::start().await;
    let service = App::new(&server, "service");
    for _ in 0..3 {
        assert_eq!(service.post("/token", &[("grant_type", "client_credentials")]).await.status, 200);
    }
    server.app.keep_counts().await.unwrap();
    let day = server.clock.read().day();
    let counts = server.database.token_counts_of("service", day).await.unwrap();
    assert_eq!(counts, [(day, "client_credentials".to_owned(), 3)]);
}
