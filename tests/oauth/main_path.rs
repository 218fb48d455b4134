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
