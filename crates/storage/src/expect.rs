//! Expectations that change nothing: what was read must still be so. As in `apply`, they are written once, as a macro.

use crate::error::Failure;

/// No row was there.
pub(crate) const fn none(rows: usize) -> Result<(), Failure> {
    if rows == 0 { Ok(()) } else { Err(Failure::Conflict) }
}

/// Defines `expect` for one kind of connection. `lock` is what keeps a row that was only read from being changed until the
/// transaction ends, and `alone` what keeps it from being read in the same way, too: nothing where there is one writer.
macro_rules! define_expect {
    ($connection:ty, [$($async:tt)?], [$($wait:tt)*], [$($lock:tt)*], [$($alone:tt)*]) => {
        /// What was read must still be so, until the transaction ends.
        $($async)? fn expect(change: &Change, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! expect {
                ($statement:expr) => {{
                    let found: Vec<i64> = RunQueryDsl::load($statement$($lock)*, connection)$($wait)*?;
                    one(found.len())
                }};
            }
            match change {
                Change::AccessTokenExpect { id } => {
                    let revoked: Vec<i64> = RunQueryDsl::load(revoked_access_tokens::find(id.as_i64()), connection)$($wait)*?;
                    none(revoked.len())
                }
                Change::ApiTokensExpect { owner, at, fewer_than } => {
                    expect_room((owner, at.millis(), *fewer_than), connection)$($wait)*
                }
                Change::ClientExpect { client_id, updated_at } => expect!(clients::expect(client_id, updated_at.millis())),
                Change::ConsentExpect { user_id, client_id, updated_at } => {
                    expect!(consents::expect(user_id.as_i64(), client_id, updated_at.millis()))
                }
                Change::GrantExpect { id } => expect!(grants::expect(id.as_i64())),
                // Whoever sets a factor up waits for those who expect none, and they for them.
                Change::SecondFactor(SecondFactorChange::ExpectNone(user_id)) => {
                    let _held: Vec<i64> = RunQueryDsl::load(users::hold(user_id.as_i64())$($lock)*, connection)$($wait)*?;
                    let found: Vec<i64> = RunQueryDsl::load(second_factors::id_of_user(user_id.as_i64()), connection)$($wait)*?;
                    none(found.len())
                }
                Change::SecondFactor(SecondFactorChange::Insert(factor)) => {
                    let held: Vec<i64> = RunQueryDsl::load(users::hold(factor.user_id.as_i64())$($alone)*, connection)$($wait)*?;
                    one(held.len())
                }
                Change::SessionExpect { id } => expect!(sessions::expect(id.as_i64())),
                Change::UserExpect { id, password } => expect!(users::expect(id.as_i64(), password)),
                Change::UserExpectUnchanged { id, updated_at } => expect!(users::unchanged(id.as_i64(), updated_at.millis())),
                Change::UserMayEnter { id, without_password } => expect!(users::may_enter(id.as_i64(), !*without_password)),
                _ => Ok(()),
            }
        }

        /// The owner of tokens is held first: whoever comes at the same time counts them when this set is done.
        $($async)? fn expect_room((owner, at, fewer_than): (&Owner, i64, usize), connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! found {
                ($statement:expr) => {{
                    let found: Vec<i64> = RunQueryDsl::load($statement, connection)$($wait)*?;
                    found.len()
                }};
            }
            let most = i64::try_from(fewer_than).unwrap_or(i64::MAX);
            let live = match owner {
                Owner::Client(client_id) => {
                    one(found!(clients::hold(client_id)$($alone)*))?;
                    found!(api_tokens::live_of_client(client_id, at, most))
                }
                Owner::User(id) => {
                    one(found!(users::hold(id.as_i64())$($alone)*))?;
                    found!(api_tokens::live_of_user(id.as_i64(), at, most))
                }
            };
            if live < fewer_than { Ok(()) } else { Err(Failure::Conflict) }
        }

        /// The person is held first: whoever unlinks at the same time reads what this set has left.
        $($async)? fn expect_links(user_id: Id, links: &[Id], connection: &mut $connection) -> Result<(), Failure> {
            let held: Vec<i64> = RunQueryDsl::load(users::hold(user_id.as_i64())$($alone)*, connection)$($wait)*?;
            one(held.len())?;
            let found: Vec<i64> = RunQueryDsl::load(upstream_links::ids_of_user(user_id.as_i64()), connection)$($wait)*?;
            let read = links.iter().copied().map(Id::as_i64);
            if found.into_iter().eq(read) { Ok(()) } else { Err(Failure::Conflict) }
        }
    };
}

pub(crate) use define_expect;
