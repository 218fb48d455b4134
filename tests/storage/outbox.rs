//! What is to be told: claimed by one, kept until it is delivered; notices; and what is known of tokens beside themselves.

use grantor_core::api_token::watch::Watch;
use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::notice::{News, Notice};
use grantor_core::outbox::{Message, MessageKey, OutboxChange, Subscriptions, Target};
use grantor_core::policy::Lifetimes;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::{Database, Held, Waiting};

use super::api_tokens::{person, token};
use super::samples::*;

fn key(place: i64) -> MessageKey {
    MessageKey { id: id_at(NOW, place), target: Target::Webhook("siem".into()) }
}

fn queue(place: i64) -> Change {
    Change::Outbox(OutboxChange::Queue { key: key(place), due_at: NOW })
}

fn claim(place: i64, due_at: Time, until: Time) -> Change {
    Change::Outbox(OutboxChange::Claim { key: key(place), due_at, until })
}

async fn due(database: &Database, now: Time) -> Vec<Message> {
    database.outbox_due(&key(1).target, now, 10).await.unwrap()
}

async fn is_conflict(database: &Database, change: Change) -> bool {
    matches!(database.commit(vec![change]).await, Err(StoreError::Conflict))
}

pub async fn a_message_is_claimed_by_one_and_due_again_when_the_lease_is_over(database: &Database) {
    keep(database, [queue(1), queue(2)]).await;
    assert_eq!(due(database, NOW).await.len(), 2);
    assert!(database.outbox_due(&Target::Mail, NOW, 10).await.unwrap().is_empty(), "it is for somebody else");
    let until = NOW.plus(HOUR);
    keep(database, [claim(1, NOW, until)]).await;
    assert!(is_conflict(database, claim(1, NOW, until)).await);
    assert_eq!(due(database, NOW).await.iter().map(|message| &message.key).collect::<Vec<_>>(), [&key(2)]);
    assert_eq!(due(database, until).await.len(), 2);
    keep(database, [Change::Outbox(OutboxChange::Delivered(key(1)))]).await;
    assert!(is_conflict(database, claim(1, until, until.plus(HOUR))).await);
    assert_eq!(counts(database)["outbox"], 1);
}

pub async fn a_message_that_failed_waits_and_one_that_was_given_up_is_seen(database: &Database) {
    let until = NOW.plus(HOUR);
    let failed =
        |next, error: &str| Change::Outbox(OutboxChange::Failed { key: key(1), until, next, error: error.into() });
    keep(database, [queue(1), claim(1, NOW, until), failed(Some(NOW.plus(DAY)), "no answer")]).await;
    let [message] = &due(database, NOW.plus(DAY)).await[..] else { panic!("one message") };
    assert_eq!((message.attempts, message.error.as_str()), (1, "no answer"));
    keep(database, [failed(None, "of a lease that is over")]).await;
    assert_eq!(due(database, NOW.plus(DAY)).await.len(), 1, "somebody else has it by now");
    keep(database, [claim(1, NOW.plus(DAY), until), failed(None, "gone")]).await;
    assert_eq!(database.outbox_waiting(None).await.unwrap(), Waiting::default());
    assert_eq!(database.outbox_given_up(&key(1).target, 10).await.unwrap()[0].error, "gone");
    assert_eq!(database.outbox_count_given_up().await.unwrap(), 1);
    keep(database, [queue(1)]).await;
    let waiting = database.outbox_waiting(Some(&key(1).target)).await.unwrap();
    assert_eq!(waiting, Waiting { messages: 1, since: Some(NOW) });
    assert_eq!(due(database, NOW).await[0].attempts, 0);
}

pub async fn a_fact_and_its_messages_are_kept_together_or_not_at_all(database: &Database) {
    let webhooks = vec![("siem".to_owned(), vec![EventKind::UserChanged])];
    database.subscribe(Subscriptions { mail: true, webhooks });
    with_wiki_and_user(database).await;
    let told = |place| Change::EventInsert(Box::new(event(id_at(NOW, place), EventKind::UserChanged)));
    let notice = |place, user_id| Change::NoticeInsert(Box::new(notice(place, user_id)));
    keep(database, [told(1), notice(2, 7)]).await;
    assert_eq!(due(database, NOW.plus(HOUR)).await[0].key, key(1));
    let mails = database.outbox_due(&Target::Mail, NOW.plus(HOUR), 10).await.unwrap();
    assert_eq!(mails[0].key, MessageKey { id: id_at(NOW, 2), target: Target::Mail });
    assert!(is_conflict(database, notice(3, 99)).await, "nobody has that notice");
    let lost = database.commit(vec![told(4), Change::CodeSpend { id: Id::from_i64(1), at: NOW }]).await;
    assert!(matches!(lost, Err(StoreError::Conflict)));
    assert_eq!(counts(database)["outbox"], 2);
}

fn notice(place: i64, user_id: i64) -> Notice {
    let news = News::SignedIn { address: "192.0.2.7".into(), user_agent: "Firefox ☃".into() };
    Notice { id: id_at(NOW, place), user_id: Id::from_i64(user_id), at: NOW, news }
}

pub async fn a_notice_comes_back_until_its_person_removes_it(database: &Database) {
    keep(database, [7, 8].map(|id| Change::UserPut(Box::new(user(id))))).await;
    keep(database, [(1, 7), (2, 7), (3, 8)].map(|(p, id)| Change::NoticeInsert(Box::new(notice(p, id))))).await;
    let of = async |id| database.notices_of(Id::from_i64(id)).await.unwrap();
    assert_eq!(of(7).await, [notice(2, 7), notice(1, 7)]);
    let dismiss = |place, id| Change::NoticeDismiss { id: id_at(NOW, place), user_id: Id::from_i64(id), at: NOW };
    keep(database, [dismiss(2, 7), dismiss(2, 7), dismiss(3, 7)]).await;
    assert_eq!((of(7).await.len(), of(8).await.len()), (1, 1), "others remove nothing");
    assert_eq!(database.notice_find(id_at(NOW, 2)).await.unwrap(), Some(notice(2, 7)), "it may have to be sent yet");
    keep(database, [Change::UserRemove(Id::from_i64(7))]).await;
    assert_eq!(counts(database)["notices"], 1);
}

pub async fn what_is_known_of_a_token_is_written_by_one(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [Change::ApiTokenInsert(Box::new(token(id, person())))]).await;
    let soon = async |through| database.api_tokens_expiring(NOW, through, 10).await.unwrap();
    assert_eq!((soon(NOW.plus(HOUR)).await.len(), soon(NOW.plus(DAY)).await.len()), (0, 1));
    let watch = |revision| Watch {
        token_id: id,
        expiry_told: Some(NOW.plus(DAY)),
        networks: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/48".parse().unwrap()],
        quiet_until: NOW,
        revision,
    };
    let put = |expected, revision| Change::ApiTokenWatchPut { expected, watch: Box::new(watch(revision)) };
    keep(database, [put(None, 1)]).await;
    assert!(is_conflict(database, put(None, 1)).await);
    keep(database, [put(Some(1), 2)]).await;
    assert!(is_conflict(database, put(Some(1), 2)).await);
    let known = database.api_tokens_watched(&[id, id_at(NOW, 9)]).await.unwrap();
    assert_eq!(known.iter().map(|known| known.watch.clone()).collect::<Vec<_>>(), [Some(watch(2))]);
    assert!(soon(NOW.plus(DAY)).await.is_empty(), "the owner was told");
    keep(database, [Change::UserRemove(Id::from_i64(7))]).await;
    assert!(is_conflict(database, put(None, 1)).await, "it goes with the token");
}

pub async fn what_is_told_to_nobody_goes_in_the_end(database: &Database) {
    let webhooks = vec![("siem".to_owned(), vec![EventKind::UserChanged])];
    database.subscribe(Subscriptions { mail: false, webhooks });
    with_wiki_and_user(database).await;
    let to = |moment, name: &str| MessageKey { id: id_at(moment, 1), target: Target::Webhook(name.into()) };
    let queue_key = |key| Change::Outbox(OutboxChange::Queue { key, due_at: NOW });
    let until = NOW.plus(HOUR);
    let given_up = Change::Outbox(OutboxChange::Failed { key: key(2), until, next: None, error: "gone".into() });
    // One that waits and tells of what happened long ago, one that was given up, and one to who is not named any more.
    keep(database, [queue_key(to(NOW.minus(60 * DAY), "siem")), queue(2), claim(2, NOW, until), given_up]).await;
    keep(database, [queue_key(to(NOW, "gone")), Change::NoticeInsert(Box::new(notice(1, 7)))]).await;
    let left = async |days: u32| {
        database.sweep(NOW.plus(days * DAY), &Lifetimes::default()).await.unwrap();
        (counts(database)["outbox"], counts(database).contains_key("notices"))
    };
    assert_eq!(left(0).await, (3, true));
    assert_eq!(left(29).await, (3, true));
    assert_eq!(left(31).await, (1, true));
    assert_eq!(left(91).await, (1, false));
    assert_eq!(due(database, NOW).await[0].key, to(NOW.minus(60 * DAY), "siem"), "it is still to be delivered");
}

pub async fn what_is_kept_for_a_target_is_counted_and_forgotten(database: &Database) {
    let until = NOW.plus(HOUR);
    let given_up = Change::Outbox(OutboxChange::Failed { key: key(1), until, next: None, error: "gone".into() });
    let mail = MessageKey { id: id_at(NOW, 1), target: Target::Mail };
    let to_mail = Change::Outbox(OutboxChange::Queue { key: mail, due_at: NOW });
    keep(database, [queue(1), claim(1, NOW, until), given_up, queue(2), queue(3), to_mail]).await;
    let held = |target, waiting, given_up| Held { target, waiting, given_up };
    let of_mail = held(Target::Mail, 1, 0);
    assert_eq!(database.outbox_targets().await.unwrap(), [of_mail.clone(), held(key(1).target, 2, 1)]);
    keep(database, [Change::Outbox(OutboxChange::Forget(key(1).target))]).await;
    assert_eq!(database.outbox_targets().await.unwrap(), [of_mail]);
}

pub async fn sign_ins_hide_no_other_notice(database: &Database) {
    with_wiki_and_user(database).await;
    let changed = Notice { news: News::PasswordChanged, ..notice(1, 7) };
    let sign_ins = (2..80).map(|place| Change::NoticeInsert(Box::new(notice(place, 7))));
    keep(database, [Change::NoticeInsert(Box::new(changed.clone()))].into_iter().chain(sign_ins)).await;
    let shown = database.notices_of(Id::from_i64(7)).await.unwrap();
    assert_eq!((shown.first(), shown.last()), (Some(&notice(79, 7)), Some(&changed)));
    let earlier = async |place, since| database.notice_of_earlier_sign_in(&notice(place, 7), since).await.unwrap();
    assert_eq!(earlier(9, NOW).await, Some(notice(2, 7)));
    assert_eq!((earlier(2, NOW).await, earlier(9, NOW.plus(HOUR)).await), (None, None));
}
