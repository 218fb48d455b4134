//! An upstream says that a session there has ended (OpenID Connect Back-Channel Logout).

use std::time::Duration;

use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_core::upstream::{UpstreamChange, UpstreamSession};
use grantor_jose::id::Id;
use grantor_storage::EventFilter;
use serde_json::{Value, json};

use super::fake::{Fake, Signed, seconds};
use super::{ada_comes_in, with};
use crate::attacks::logout::session;
use crate::attacks::wire::send;
use crate::harness::app::{App, Tokens};
use crate::harness::person::Person;
use crate::harness::seeds::ALICE;
use crate::harness::server::Server;

async fn tell(server: &Server, token: &str) -> u16 {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("logout_token={token}");
    send("POST", &server.at("/upstreams/corp/backchannel-logout"), &form, &body).await.status.as_u16()
}

async fn is_in(person: &Person) -> bool {
    person.open("/account").await.name() == "account"
}

async fn ada_at(server: &Server, fake: &Fake, subject: &str, sid: &str) -> Person {
    fake.says(
        &json!({"sub": subject, "sid": sid, "email": format!("{subject}@corp.example"), "preferred_username": subject}),
    );
    ada_comes_in(server, fake).await
}

#[tokio::test]
async fn a_session_ends_here_when_it_ends_there_and_no_other() {
    let (server, fake) = with("create_accounts = true").await;
    let (one, two) = (ada_at(&server, &fake, "ada-1", "s1").await, ada_at(&server, &fake, "ada-1", "s2").await);
    let other = ada_at(&server, &fake, "eve-1", "s3").await;
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sid": "s1"}))).await, 200);
    assert_eq!([is_in(&one).await, is_in(&two).await, is_in(&other).await], [false, true, true]);
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "eve-1", "sid": "s2"}))).await, 200, "of nobody");
    assert!(is_in(&two).await && is_in(&other).await);
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "ada-1"}))).await, 200);
    assert_eq!([is_in(&two).await, is_in(&other).await], [false, true]);
}

#[tokio::test]
async fn what_apps_were_given_in_the_session_ends_with_it_but_for_offline_access() {
    let (server, fake) = with("create_accounts = true").await;
    let (app, person) = (App::new(&server, "wiki"), ada_at(&server, &fake, "ada-1", "s1").await);
    let online = app.tokens_with(&person, "openid profile", &[]).await;
    let other = App::new(&server, "chat");
    let offline = other.tokens_with(&person, "openid profile offline_access", &[]).await;
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "ada-1"}))).await, 200);
    assert!(!is_in(&person).await);
    assert_eq!(app.introspect(online.access()).await["active"], false);
    assert_eq!(app.refresh(online.refresh()).await.brief(), "400 invalid_grant");
    let fresh = Tokens(other.refresh(offline.refresh()).await.json());
    assert_eq!(other.userinfo(fresh.access()).await.json()["name"], "Ada There", "she allowed it to go on without her");
}

#[tokio::test]
async fn a_token_that_is_no_logout_token_of_this_upstream_ends_nothing() {
    let (server, fake) = with("create_accounts = true").await;
    let person = ada_at(&server, &fake, "ada-1", "s1").await;
    let at = |from_now| seconds(&server.clock, from_now);
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another"}),
        json!({"aud": ["grantor", "another"]}),
        json!({"exp": at(-31)}),
        json!({"exp": at(90_000)}),
        json!({"iat": at(31)}),
        json!({"events": {}}),
        json!({"events": {"http://schemas.openid.net/event/backchannel-logout": "x"}}),
        json!({"events": null}),
        json!({"nonce": "n"}),
        json!({"jti": ""}),
        json!({"jti": null}),
    ] {
        let mut all = json!({"sub": "ada-1"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        assert_eq!(tell(&server, &fake.logout_token(&all)).await, 400, "{claims}");
        assert_eq!(server.reason().await, "UpstreamLogoutToken", "{claims}");
    }
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": Value::Null}))).await, 400, "about nobody");
    for signed in [Signed::ByAnother, Signed::WithNone, Signed::WithSecret] {
        fake.script(|script| script.signed = signed);
        assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "ada-1"}))).await, 400, "{signed:?}");
    }
    assert_eq!(tell(&server, "").await, 400);
    assert!(is_in(&person).await);
}

#[tokio::test]
async fn a_logout_token_that_comes_again_ends_nothing_that_began_since() {
    let (server, fake) = with("create_accounts = true").await;
    let person = ada_at(&server, &fake, "ada-1", "s1").await;
    let token = fake.logout_token(&json!({"sub": "ada-1"}));
    assert_eq!(tell(&server, &token).await, 200);
    assert!(!is_in(&person).await);
    server.clock.advance(Duration::from_secs(5));
    let again = ada_at(&server, &fake, "ada-1", "s2").await;
    assert_eq!(tell(&server, &token).await, 200);
    assert!(is_in(&again).await);
}

/// Sessions of Alice's that began at the upstream as one person there.
async fn sessions_of(server: &Server, subject: &str, number: usize) -> Vec<Id> {
    let (mint, now) = (&server.app.provider.mint, server.clock.read());
    let alice = server.database.user_find_by_username(ALICE).await.unwrap().unwrap();
    let upstream_id = server.database.directory().upstream("corp").unwrap().id;
    let ids: Vec<Id> = (0..number).map(|_| mint.id(now.millis())).collect();
    for some in ids.chunks(100) {
        let began = |id: Id| {
            let (subject, sid) = (subject.to_owned(), None);
            let origin = UpstreamSession { session_id: id, upstream_id, subject, sid, tells_time: true };
            let session = session(id, &alice, now);
            [Change::SessionInsert(Box::new(session)), UpstreamChange::SessionInsert(Box::new(origin)).into()]
        };
        server.database.commit(some.iter().copied().flat_map(began).collect()).await.unwrap();
    }
    ids
}

/// How many of them have not ended, and how often it was noted that one has.
async fn left(server: &Server, sessions: &[Id]) -> (usize, usize) {
    let mut live = 0;
    for id in sessions {
        let (session, _) = server.database.session_find(*id).await.unwrap().unwrap();
        live += usize::from(session.ended_at.is_none());
    }
    let ended = EventFilter { kind: Some(EventKind::SignedOut), limit: 1000, ..EventFilter::default() };
    (live, server.database.events(&ended).await.unwrap().len())
}

#[tokio::test]
async fn all_sessions_end_however_many_they_are_and_each_once() {
    let (server, fake) = with("").await;
    let sessions = sessions_of(&server, "ada-1", 250).await;
    let token = fake.logout_token(&json!({"sub": "ada-1"}));
    let (one, two) = tokio::join!(tell(&server, &token), tell(&server, &token));
    assert_eq!((one, two), (200, 200));
    assert_eq!(left(&server, &sessions).await, (0, 250));
}

// As where the server is killed on the way: what is left is done when the upstream tells it again.
#[tokio::test]
async fn more_than_one_request_ends_is_not_acknowledged_and_ends_by_the_next() {
    let (server, fake) = with("").await;
    // PostgreSQL takes its time for so many; its story is the next one.
    if server.place().postgres.is_some() {
        return;
    }
    let sessions = sessions_of(&server, "ada-1", 10_050).await;
    let token = fake.logout_token(&json!({"sub": "ada-1"}));
    assert_eq!(tell(&server, &token).await, 503);
    assert_eq!(left(&server, &sessions).await.0, 50);
    assert_eq!(tell(&server, &token).await, 200);
    assert_eq!(left(&server, &sessions).await.0, 0);
    let since = sessions_of(&server, "ada-1", 150).await;
    assert_eq!(tell(&server, &token).await, 200);
    assert_eq!(left(&server, &since).await.0, 150, "and what began since does not");
}

/// Lets PostgreSQL let go of whoever ends a session while at most so many are left, as of one of two who wait for each other.
fn lets_go_at(left: usize) -> String {
    format!(
        "CREATE FUNCTION let_go() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT count(*) FROM sessions WHERE ended_at IS NULL) <= {left} THEN
                 RAISE EXCEPTION 'let go' USING ERRCODE = '40001';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER let_go BEFORE UPDATE OF ended_at ON sessions FOR EACH ROW EXECUTE FUNCTION let_go();"
    )
}

#[tokio::test]
async fn what_the_database_let_go_of_is_not_acknowledged_and_ends_by_the_next() {
    let (server, fake) = with("").await;
    let Some(database) = &server.place().postgres else { return };
    let database = database.client().await;
    for (number, left_over) in [(1, 1), (250, 150)] {
        let sessions = sessions_of(&server, "ada-1", number).await;
        let token = fake.logout_token(&json!({"sub": "ada-1"}));
        database.batch_execute(&lets_go_at(left_over)).await.unwrap();
        assert_eq!(tell(&server, &token).await, 503);
        assert_eq!(left(&server, &sessions).await.0, left_over);
        database.batch_execute("DROP TRIGGER let_go ON sessions; DROP FUNCTION let_go").await.unwrap();
        assert_eq!(tell(&server, &token).await, 200);
        assert_eq!(left(&server, &sessions).await.0, 0);
    }
    assert_eq!(left(&server, &[]).await.1, 251, "each is told of once");
}
