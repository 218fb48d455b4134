//! A node that is told to stop while others go on.

use super::pair;
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::server::Server;

#[tokio::test]
async fn a_draining_node_answers_everything_closes_connections_and_says_that_it_is_not_ready() {
    let server = Server::start().await;
    let (person, service) = (Person::new(&server), App::new(&server, "service"));
    let before = person.get("/readyz").await;
    assert_eq!((before.status.as_u16(), before.header("connection")), (200, None));
    server.app.drain();
    let after = person.get("/readyz").await;
    assert_eq!((after.status.as_u16(), after.header("connection")), (503, Some("close")));
    let tokens = service.client_credentials("notes.read").await;
    assert_eq!((tokens.status.as_u16(), tokens.header("connection")), (200, Some("close")));
}

#[tokio::test]
async fn a_node_that_stops_takes_nothing_with_it() {
    let (first, second) = pair().await;
    let wiki = App::new(&second, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    drop(second);
    let wiki = App::new(&first, "wiki");
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "200");
}
