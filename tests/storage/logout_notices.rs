//! What apps are told of ends of sessions: kept by the same set as the end, claimed by one, and kept as receipts.

use grantor_core::backchannel_logout::{LogoutNotice, NoticeChange, NoticeKey, Outcome, Standing};
use grantor_core::change::Change;
use grantor_core::client::ClientMetadata;
use grantor_core::grant::{Grant, OidcContext};
use grantor_core::policy::Lifetimes;
use grantor_core::session::Session;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::Database;

use super::samples::*;

/// An app that is told, or one that is not.
fn app(client_id: &str, is_told: bool) -> Change {
    let uri = is_told.then(|| format!("https://{client_id}.example/logout"));
    let sample = client(client_id);
    let metadata = ClientMetadata { backchannel_logout_uri: uri, ..sample.metadata };
    Change::ClientPut(Box::new(grantor_core::client::Client { metadata, ..sample }))
}

fn given(place: i64, client_id: &str, session_id: i64, sid: i64) -> Change {
    let context = OidcContext { sid: Some(Id::from_i64(sid)), ..context() };
    let session_id = Id::from_i64(session_id);
    grant_insert(Grant { client_id: client_id.into(), session_id, context, ..grant(id_at(NOW, place)) })
}

fn began(id: i64) -> Change {
    session_insert(Session { auth_time: NOW, last_seen_at: NOW, ..session(Id::from_i64(id), 7) })
}

fn end(id: i64, at: Time) -> Change {
    Change::SessionEnd { id: Id::from_i64(id), at }
}

/// Two apps that are told and one that is not, with the session 9 in which two have grants, and 10 in which one has.
async fn with_sessions(database: &Database) {
    keep(database, [app("wiki", true), app("chat", true), app("portal", false)]).await;
    keep(database, [Change::UserPut(Box::new(user(7))), began(9), began(10)]).await;
    keep(database, [given(1, "wiki", 9, 9), given(2, "wiki", 9, 9), given(3, "portal", 9, 9)]).await;
    keep(database, [given(4, "chat", 10, 10)]).await;
}

async fn all(database: &Database) -> Vec<LogoutNotice> {
    database.logout_notices(None, true, 100).await.unwrap()
}

/// Who is told of which session.
async fn told(database: &Database) -> Vec<(String, i64)> {
    let mut told: Vec<_> =
        all(database).await.into_iter().map(|notice| (notice.key.client_id, notice.key.sid.as_i64())).collect();
    told.sort_unstable();
    told
}

pub async fn each_app_of_an_ended_session_is_queued_in_the_same_set(database: &Database) {
    with_sessions(database).await;
    let lost = vec![end(9, NOW), Change::CodeSpend { id: Id::from_i64(1), at: NOW }];
    assert!(matches!(database.commit(lost).await, Err(StoreError::Conflict)));
    assert!(all(database).await.is_empty(), "what was not done is not told");
    keep(database, [end(9, NOW)]).await;
    assert_eq!(told(database).await, [("wiki".to_owned(), 9)]);
    keep(database, [end(9, NOW.plus(HOUR))]).await;
    let [notice] = &all(database).await[..] else { panic!("one notice") };
    assert_eq!((notice.ended_at, notice.standing, notice.attempts), (NOW, Standing::Waiting(NOW), 0));
    assert_eq!((notice.user_id, notice.subject.as_str()), (Id::from_i64(7), user(7).subject.as_str()));
    keep(database, [Change::SessionsEnd { user_id: Id::from_i64(7), except: None, at: NOW.plus(HOUR) }]).await;
    assert_eq!(told(database).await, [("chat".to_owned(), 10), ("wiki".to_owned(), 9)]);
    assert_eq!(database.logout_notices_due_for(NOW, 10).await.unwrap(), ["wiki"]);
    assert_eq!(database.logout_notices_of(Id::from_i64(7), 1).await.unwrap()[0].key.client_id, "chat");
}

pub async fn a_notice_is_claimed_by_one_and_over_once(database: &Database) {
    with_sessions(database).await;
    keep(database, [end(9, NOW)]).await;
    let (key, until) = (NoticeKey { sid: Id::from_i64(9), client_id: "wiki".into() }, NOW.plus(HOUR));
    let claim = |due_at| Change::LogoutNotice(NoticeChange::Claim { key: key.clone(), due_at, until });
    keep(database, [claim(NOW)]).await;
    assert!(matches!(database.commit(vec![claim(NOW)]).await, Err(StoreError::Conflict)));
    assert!(database.logout_notices_due("wiki", NOW, 10).await.unwrap().is_empty());
    let failed = |until, next| NoticeChange::Failed { key: key.clone(), until, next, error: "no answer".into() };
    keep(database, [Change::LogoutNotice(failed(NOW, NOW))]).await;
    assert!(database.logout_notices_due("wiki", NOW, 10).await.unwrap().is_empty(), "somebody else has it by now");
    keep(database, [Change::LogoutNotice(failed(until, NOW.plus(DAY)))]).await;
    let due = database.logout_notices_due("wiki", NOW.plus(DAY), 10).await.unwrap();
    assert_eq!((due[0].attempts, due[0].error.as_str()), (1, "no answer"));
    let over = |outcome, at| {
        let error = "no such session".to_owned();
        Change::LogoutNotice(NoticeChange::Over { key: key.clone(), at, outcome, error })
    };
    keep(database, [over(Outcome::Refused, NOW.plus(DAY)), over(Outcome::Delivered, NOW.plus(DAY + HOUR))]).await;
    assert_eq!(all(database).await[0].standing, Standing::Over(NOW.plus(DAY), Outcome::Refused));
    assert_eq!(database.logout_notices_waiting().await.unwrap(), 0);
    let replay = |client_id: Option<&str>| {
        let client_id = client_id.map(str::to_owned);
        Change::LogoutNotice(NoticeChange::Replay { client_id, at: NOW.plus(2 * DAY) })
    };
    keep(database, [replay(Some("chat"))]).await;
    assert_eq!(database.logout_notices_waiting().await.unwrap(), 0);
    keep(database, [replay(None)]).await;
    let [again] = &all(database).await[..] else { panic!("one notice") };
    assert_eq!((again.standing, again.attempts), (Standing::Waiting(NOW.plus(2 * DAY)), 0));
    assert_eq!((again.ended_at, again.queued_at), (NOW, NOW.plus(2 * DAY)));
}

pub async fn the_app_is_told_the_session_that_it_knows(database: &Database) {
    with_sessions(database).await;
    let follow = [end(9, NOW), Change::GrantsMove { from: Id::from_i64(9), to: Id::from_i64(10) }];
    keep(database, follow).await;
    assert!(all(database).await.is_empty(), "the session goes on");
    keep(database, [given(5, "wiki", 10, 10), end(10, NOW.plus(HOUR))]).await;
    let expected = [("chat", 10), ("wiki", 9), ("wiki", 10)].map(|(app, sid)| (app.to_owned(), sid));
    assert_eq!(told(database).await, expected);
}

pub async fn whoever_is_removed_is_signed_out_everywhere(database: &Database) {
    with_sessions(database).await;
    let user_id = Id::from_i64(7);
    keep(database, [Change::SessionsEnd { user_id, except: None, at: NOW }, Change::UserRemove(user_id)]).await;
    assert_eq!(told(database).await.len(), 2);
    assert!(!counts(database).contains_key("grants"));
    assert_eq!(all(database).await[0].subject, user(7).subject);
}

pub async fn an_app_is_told_also_when_nothing_is_left_of_what_it_was_given(database: &Database) {
    with_sessions(database).await;
    let sweep = async |at: Time| {
        database.sweep(at, &Lifetimes::default()).await.unwrap();
        counts(database).get("grants").copied().unwrap_or_default()
    };
    assert_eq!(sweep(NOW.plus(3 * DAY)).await, 3, "of an app that nobody tells nothing is kept");
    keep(database, [end(9, NOW.plus(3 * DAY))]).await;
    assert_eq!(told(database).await, [("wiki".to_owned(), 9)]);
    assert_eq!(sweep(NOW.plus(5 * DAY)).await, 1, "what is left is of the other session");
}

pub async fn receipts_go_after_a_month_and_what_waits_stays(database: &Database) {
    with_sessions(database).await;
    keep(database, [end(9, NOW), end(10, NOW)]).await;
    let key = NoticeKey { sid: Id::from_i64(9), client_id: "wiki".into() };
    let over = NoticeChange::Over { key, at: NOW, outcome: Outcome::Delivered, error: String::new() };
    keep(database, [Change::LogoutNotice(over)]).await;
    database.sweep(NOW.plus(29 * DAY), &Lifetimes::default()).await.unwrap();
    assert_eq!(all(database).await.len(), 2);
    database.sweep(NOW.plus(31 * DAY), &Lifetimes::default()).await.unwrap();
    assert_eq!(told(database).await, [("chat".to_owned(), 10)]);
}
