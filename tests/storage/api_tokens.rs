//! Personal access tokens and API keys.

use grantor_core::api_token::{ApiToken, ApiTokenEnd, LastUse, Owner, Replaced, Rotation};
use grantor_core::change::Change;
use grantor_core::network::Networks;
use grantor_core::policy::Lifetimes;
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;
use grantor_storage::Database;

use super::samples::*;
use super::wait;

/// The owner of a person's token.
pub fn person() -> Owner {
    Owner::User(Id::from_i64(7))
}

/// A token that lives for a day.
pub fn token(id: Id, owner: Owner) -> ApiToken {
    ApiToken {
        id,
        owner,
        name: "Backup \"script\"".into(),
        secret: hash(1),
        replaced: Some(Replaced { secret: hash(2), until: NOW.plus(HOUR) }),
        scope: scope("notes.read notes.write"),
        resource: Some("https://api.example".into()),
        networks: Networks::parse("192.0.2.0/24 2001:db8::/32").unwrap(),
        created_at: NOW,
        rotated_at: NOW.plus(HOUR),
        expires_at: NOW.plus(DAY),
        ended: None,
        last_use: Some(LastUse { at: NOW, address: "192.0.2.7".into() }),
    }
}

async fn find(database: &Database, id: Id) -> ApiToken {
    database.api_token_find(id).await.unwrap().unwrap().token
}

async fn is_conflict(database: &Database, change: Change) -> bool {
    matches!(database.commit(vec![change]).await, Err(StoreError::Conflict))
}

pub async fn a_token_comes_back_with_its_person(database: &Database) {
    with_wiki_and_user(database).await;
    let [own, key] = [1, 2].map(|place| id_at(NOW, place));
    for kept in [token(own, person()), token(key, Owner::Client("wiki".into()))] {
        keep(database, [Change::ApiTokenInsert(Box::new(kept.clone()))]).await;
        let found = database.api_token_find(kept.id).await.unwrap().unwrap();
        assert_eq!(format!("{:?}", found.token), format!("{kept:?}"));
        assert!(found.token.secret == kept.secret && found.token.replaced.unwrap().secret == hash(2));
        assert_eq!(found.user.is_some(), kept.owner == person());
        assert!(is_conflict(database, Change::ApiTokenInsert(Box::new(kept))).await, "an identifier is taken once");
    }
    let ids = async |owner: Owner| -> Vec<Id> {
        database.api_tokens_of(&owner).await.unwrap().iter().map(|token| token.id).collect()
    };
    assert_eq!((ids(person()).await, ids(Owner::Client("wiki".into())).await), (vec![own], vec![key]));
    keep(database, [Change::UserRemove(Id::from_i64(7)), Change::ClientRemove("wiki".into())]).await;
    assert_eq!(counts(database).get("api_tokens"), None, "a token goes with its owner");
}

pub async fn a_token_that_counts_is_listed_however_many_have_ended_since(database: &Database) {
    with_wiki_and_user(database).await;
    let (kept, other) = (id_at(NOW, 1), Owner::Client("wiki".into()));
    let tokens = [token(kept, person()), token(id_at(NOW, 2), other.clone())];
    keep(database, tokens.map(|token| Change::ApiTokenInsert(Box::new(token)))).await;
    let ended =
        |place| ApiToken { ended: Some((NOW, ApiTokenEnd::RevokedByOwner)), ..token(id_at(NOW, place), person()) };
    keep(database, (10..1310).map(|place| Change::ApiTokenInsert(Box::new(ended(place))))).await;
    let listed = database.api_tokens_of(&person()).await.unwrap();
    assert_eq!((listed.len(), listed[0].id, listed[200].id), (201, id_at(NOW, 1309), kept));
    let found = async |owner: &Owner| database.api_token_of(owner, kept).await.unwrap().is_some();
    assert_eq!((found(&person()).await, found(&other).await), (true, false), "nobody names the tokens of others");
}

pub async fn a_rotation_expects_the_secret_that_was_read(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [Change::ApiTokenInsert(Box::new(token(id, person())))]).await;
    let rotate = |expected, successor| {
        let rotation = Rotation {
            expected: hash(expected),
            successor: hash(successor),
            at: NOW.plus(2 * HOUR),
            replaced_until: NOW.plus(3 * HOUR),
            expires_at: NOW.plus(2 * DAY),
        };
        Change::ApiTokenRotate { id, rotation }
    };
    keep(database, [rotate(1, 5)]).await;
    let found = find(database, id).await;
    assert!(found.secret == hash(5) && found.replaced.as_ref().unwrap().secret == hash(1));
    assert_eq!((found.rotated_at, found.expires_at), (NOW.plus(2 * HOUR), NOW.plus(2 * DAY)));
    assert_eq!(found.replaced.unwrap().until, NOW.plus(3 * HOUR));
    assert!(is_conflict(database, rotate(1, 6)).await);
    keep(database, [Change::ApiTokenEnd { id, at: NOW, end: ApiTokenEnd::Leaked }]).await;
    assert!(is_conflict(database, rotate(5, 6)).await, "what has ended gets no new secret");
}

pub async fn a_change_expects_the_secret_that_was_read_and_ends_nothing(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    let first = token(id, Owner::Client("wiki".into()));
    let end = Change::ApiTokenEnd { id, at: NOW, end: ApiTokenEnd::Leaked };
    keep(database, [Change::ApiTokenInsert(Box::new(first.clone())), end]).await;
    let amended = ApiToken {
        name: "Another".into(),
        scope: scope("notes.read"),
        resource: None,
        networks: Networks::ANYWHERE,
        expires_at: NOW.plus(2 * DAY),
        ended: Some((NOW, ApiTokenEnd::Leaked)),
        ..first
    };
    keep(database, [Change::ApiTokenAmend(Box::new(ApiToken { ended: None, ..amended.clone() }))]).await;
    assert_eq!(format!("{:?}", find(database, id).await), format!("{amended:?}"));
    let stale = ApiToken { secret: hash(9), ..amended };
    assert!(is_conflict(database, Change::ApiTokenAmend(Box::new(stale))).await);
}

/// Two keys of the app `wiki`, the first of which has ended.
async fn with_an_ended_key(database: &Database) -> [Id; 2] {
    with_wiki_and_user(database).await;
    let ids = [1, 2].map(|place| id_at(NOW, place));
    let key = |id| ApiToken { replaced: None, ..token(id, Owner::Client("wiki".into())) };
    keep(database, ids.map(|id| Change::ApiTokenInsert(Box::new(key(id))))).await;
    keep(database, [Change::ApiTokenEnd { id: ids[0], at: NOW, end: ApiTokenEnd::Leaked }]).await;
    ids
}

pub async fn a_key_that_ended_is_remembered_for_good(database: &Database) {
    let [ended, expired] = with_an_ended_key(database).await;
    let sweep = async |now| database.sweep(now, &Lifetimes::default()).await.unwrap();
    assert_eq!((sweep(NOW.plus(30 * DAY)).await, sweep(NOW.plus(32 * DAY)).await), (0, 1));
    assert_eq!(sweep(NOW.plus(4000 * DAY)).await, 0);
    assert_eq!(find(database, ended).await.ended, Some((NOW, ApiTokenEnd::Leaked)));
    assert!(database.api_token_find(expired).await.unwrap().is_none());
}

pub async fn what_had_ended_of_the_keys_of_an_app_is_known_when_it_is_gone(database: &Database) {
    let ids = with_an_ended_key(database).await;
    // One whose first secret was replaced.
    let rotated = id_at(NOW, 3);
    keep(database, [Change::ApiTokenInsert(Box::new(token(rotated, Owner::Client("wiki".into()))))]).await;
    assert_eq!(database.ended_keys(&ids).await.unwrap(), []);
    let app = || Change::ClientPut(Box::new(client("wiki")));
    keep(database, [Change::ClientRemove("wiki".into())]).await;
    assert_eq!(database.ended_keys(&ids).await.unwrap(), [ids[0]]);
    assert_eq!(database.ended_keys(&[rotated]).await.unwrap(), [rotated]);
    assert_eq!(counts(database).get("api_tokens"), None);
    // Also where somebody made another of the same name, as by a backup of the file.
    let again = ApiToken { ended: Some((NOW, ApiTokenEnd::Leaked)), ..token(ids[0], Owner::Client("wiki".into())) };
    keep(database, [app(), Change::ApiTokenInsert(Box::new(again)), Change::ClientRemove("wiki".into())]).await;
    database.sweep(NOW.plus(4000 * DAY), &Lifetimes::default()).await.unwrap();
    assert_eq!(database.ended_keys(&ids).await.unwrap(), [ids[0]]);
}

pub async fn no_owner_gets_more_tokens_than_they_may_by_24_at_once(database: &Database) {
    with_wiki_and_user(database).await;
    let owners = [person(), Owner::Client("wiki".into())];
    for (number, owner) in (1..).zip(&owners) {
        let at = |place: i64| id_at(NOW, number * 100 + place);
        let expired = ApiToken { expires_at: NOW, ..token(at(50), owner.clone()) };
        let ended = ApiToken { ended: Some((NOW, ApiTokenEnd::Leaked)), ..token(at(51), owner.clone()) };
        keep(database, [expired, ended].map(|token| Change::ApiTokenInsert(Box::new(token)))).await;
        let room = || Change::ApiTokensExpect { owner: owner.clone(), at: NOW, fewer_than: 3 };
        let make = |place| vec![room(), Change::ApiTokenInsert(Box::new(token(at(place), owner.clone())))];
        let answers: Vec<_> = std::thread::scope(|scope| {
            let make = &make;
            let threads: Vec<_> = (0..24).map(|it| scope.spawn(move || wait(database.commit(make(it))))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(StoreError::Conflict))).count(), 21);
        assert!(is_conflict(database, room()).await);
    }
    let nobody = Owner::User(Id::from_i64(8));
    assert!(is_conflict(database, Change::ApiTokensExpect { owner: nobody, at: NOW, fewer_than: 3 }).await);
}

pub async fn a_token_ends_once_and_a_later_use_stays(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [Change::ApiTokenInsert(Box::new(ApiToken { last_use: None, ..token(id, person()) }))]).await;
    let used = |hours: u32, address: &str| Change::ApiTokenUsed {
        id,
        last_use: LastUse { at: NOW.plus(hours * HOUR), address: address.into() },
    };
    keep(database, [used(2, "192.0.2.2"), used(1, "192.0.2.1")]).await;
    assert_eq!(find(database, id).await.last_use.unwrap().address, "192.0.2.2");
    let end = |end| Change::ApiTokenEnd { id, at: NOW.plus(HOUR), end };
    keep(database, [end(ApiTokenEnd::RevokedByOwner)]).await;
    assert!(is_conflict(database, end(ApiTokenEnd::Leaked)).await);
    assert_eq!(find(database, id).await.ended, Some((NOW.plus(HOUR), ApiTokenEnd::RevokedByOwner)));
}

pub async fn what_is_over_is_shown_for_a_month(database: &Database) {
    with_wiki_and_user(database).await;
    let [expired, ended, live] = [1, 2, 3].map(|place| id_at(NOW, place));
    let far = NOW.plus(400 * DAY);
    let long = |id| ApiToken { expires_at: far, ..token(id, person()) };
    let changes = [
        Change::ApiTokenInsert(Box::new(token(expired, person()))),
        Change::ApiTokenInsert(Box::new(long(ended))),
        Change::ApiTokenInsert(Box::new(long(live))),
        Change::ApiTokenEnd { id: ended, at: NOW, end: ApiTokenEnd::RevokedByAdministrator },
    ];
    keep(database, changes).await;
    let sweep = async |now| database.sweep(now, &Lifetimes::default()).await.unwrap();
    assert_eq!(sweep(NOW.plus(29 * DAY)).await, 0);
    assert_eq!(sweep(NOW.plus(30 * DAY + HOUR)).await, 1);
    assert_eq!(sweep(NOW.plus(31 * DAY + HOUR)).await, 1);
    assert!(database.api_token_find(live).await.unwrap().is_some());
}

pub async fn an_epoch_ends_every_token(database: &Database) {
    with_wiki_and_user(database).await;
    let [first, second] = [1, 2].map(|place| id_at(NOW, place));
    let changes = [
        Change::ApiTokenInsert(Box::new(token(first, person()))),
        Change::ApiTokenInsert(Box::new(token(second, Owner::Client("wiki".into())))),
        Change::ApiTokenEnd { id: first, at: NOW, end: ApiTokenEnd::Leaked },
        Change::EpochBegin { at: NOW.plus(HOUR) },
    ];
    keep(database, changes).await;
    assert_eq!(find(database, first).await.ended, Some((NOW, ApiTokenEnd::Leaked)));
    assert_eq!(find(database, second).await.ended, Some((NOW.plus(HOUR), ApiTokenEnd::EpochBegun)));
}
