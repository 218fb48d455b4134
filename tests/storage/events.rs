//! Security events and refusals.

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_jose::id::Id;
use grantor_storage::{Database, EventFilter};

use super::samples::*;

fn full(id: Id, kind: EventKind) -> Event {
    let event = event(id, kind).reason("code_replayed").client("wiki").user(Id::from_i64(7));
    event.address("192.0.2.1").detail("what else")
}

pub async fn events_are_found_by_what_they_say(database: &Database) {
    let at = |hours: u32| id_at(NOW.plus(HOUR * hours), 0);
    let insert = |event| Change::EventInsert(Box::new(event));
    let refusal = Change::RefusalInsert(Box::new(full(at(2), EventKind::Refused)));
    let events = [full(at(1), EventKind::GrantEnded), event(at(3), EventKind::SignedOut).client("mail")];
    keep(database, events.map(insert).into_iter().chain([refusal])).await;
    let find = async |filter: EventFilter| -> Vec<Id> {
        database.events(&filter).await.unwrap().iter().map(|event| event.id).collect()
    };
    let all = EventFilter::default;
    let after = async |filter: EventFilter, after| -> Vec<Id> {
        database.events_after(&filter, after).await.unwrap().iter().map(|event| event.id).collect()
    };
    assert_eq!(after(all(), None).await, [at(1), at(2), at(3)]);
    assert_eq!(after(EventFilter { limit: 1, ..all() }, Some(at(1))).await, [at(2)]);
    assert_eq!(after(EventFilter { client_id: Some("wiki".into()), ..all() }, Some(at(1))).await, [at(2)]);
    assert_eq!(after(all(), Some(at(3))).await, []);
    assert_same(&database.events(&all()).await.unwrap()[1], &full(at(2), EventKind::Refused));
    assert_eq!(find(all()).await, [at(3), at(2), at(1)]);
    assert_eq!(find(EventFilter { limit: 2, ..all() }).await, [at(3), at(2)]);
    assert_eq!(find(EventFilter { id: Some(at(2)), ..all() }).await, [at(2)]);
    assert_eq!(find(EventFilter { kind: Some(EventKind::GrantEnded), ..all() }).await, [at(1)]);
    assert_eq!(find(EventFilter { client_id: Some("wiki".into()), ..all() }).await, [at(2), at(1)]);
    assert_eq!(find(EventFilter { user_id: Some(Id::from_i64(7)), ..all() }).await, [at(2), at(1)]);
    assert_eq!(find(EventFilter { since: Some(NOW.plus(2 * HOUR)), ..all() }).await, [at(3), at(2)]);
}

pub async fn refusals_take_a_fixed_number_of_rows(database: &Database) {
    let refusal = |place| Change::RefusalInsert(Box::new(event(id_at(NOW, place), EventKind::Refused)));
    for hundred in 0..101 {
        keep(database, (0..100).map(|place| refusal(hundred * 100 + place))).await;
    }
    assert_eq!(counts(database)["refusals"], 10_000);
    let case = async |place| {
        let filter = EventFilter { id: Some(id_at(NOW, place)), ..EventFilter::default() };
        database.events(&filter).await.unwrap().len()
    };
    assert_eq!((case(99).await, case(100).await, case(10_099).await), (0, 1, 1));
}
