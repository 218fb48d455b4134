//! The changes of what is told to people and to others, from changes to statements; see [`apply`](crate::apply).

/// Defines `tell` for one kind of connection, as [`define_apply`](crate::apply) does the others.
macro_rules! define_tell {
    ($connection:ty, [$($async:tt)?], [$($wait:tt)*]) => {
        /// What people and others are told.
        $($async)? fn tell(change: &Change, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! one {
                ($statement:expr) => { one(ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?) };
            }
            macro_rules! any {
                ($statement:expr) => {{ ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?; Ok(()) }};
            }
            match change {
                Change::ApiTokenWatchPut { expected: None, watch } => one!(api_token_watches::insert(api_token_watches::Row::new(watch)?)),
                Change::ApiTokenWatchPut { expected: Some(read), watch } => {
                    one!(api_token_watches::replace(api_token_watches::Row::new(watch)?, *read))
                }
                Change::LogoutNotice(change) => tell_apps(change, connection)$($wait)*,
                Change::NoticeDismiss { id, user_id, at } => any!(notices::dismiss(id.as_i64(), user_id.as_i64(), at.millis())),
                Change::NoticeInsert(notice) => one!(notices::insert(notices::Row::new(notice)?)),
                Change::Outbox(OutboxChange::Claim { key, due_at, until }) => {
                    one!(outbox::claim(&key.target.to_string(), key.id.as_i64(), due_at.millis(), until.millis()))
                }
                Change::Outbox(OutboxChange::Delivered(key)) => any!(outbox::delivered(&key.target.to_string(), key.id.as_i64())),
                Change::Outbox(OutboxChange::Failed { key, until, next, error }) => {
                    let (target, next) = (key.target.to_string(), next.map(Time::millis));
                    any!(outbox::failed(&target, key.id.as_i64(), until.millis(), next, error))
                }
                Change::Outbox(OutboxChange::Forget(target)) => any!(outbox::forget(&target.to_string())),
                Change::Outbox(OutboxChange::Queue { key, due_at }) => one!(outbox::queue(key, *due_at)),
                _ => Ok(()),
            }
        }

        /// What apps are told of ends of sessions.
        $($async)? fn tell_apps(change: &NoticeChange, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! rows {
                ($statement:expr) => { ExecuteDsl::execute(Prepared($statement), connection)$($wait)*? };
            }
            match change {
                NoticeChange::Claim { key, due_at, until } => {
                    return one(rows!(logout_notices::claim(&key.client_id, key.sid.as_i64(), due_at.millis(), until.millis())));
                }
                NoticeChange::Failed { key, until, next, error } => {
                    rows!(logout_notices::failed(&key.client_id, key.sid.as_i64(), until.millis(), next.millis(), error))
                }
                NoticeChange::Over { key, at, outcome, error } => {
                    let end = logout_notices::End { at: at.millis(), outcome: outcome.as_str(), error };
                    rows!(logout_notices::over(&key.client_id, key.sid.as_i64(), end))
                }
                NoticeChange::Queue { of: SessionsOf::Everybody, at } => rows!(logout_notices::queue_of_everybody(at.millis())),
                NoticeChange::Queue { of: SessionsOf::Session(id), at } => {
                    rows!(logout_notices::queue_of_session(id.as_i64(), at.millis()))
                }
                NoticeChange::Queue { of: SessionsOf::Upstream(id), at } => {
                    rows!(logout_notices::queue_of_upstream(id.as_i64(), at.millis()))
                }
                NoticeChange::Queue { of: SessionsOf::User(id), at } => {
                    rows!(logout_notices::queue_of_user(id.as_i64(), at.millis()))
                }
                NoticeChange::Replay { client_id, at } => {
                    let client = (client_id.is_none(), client_id.as_deref().unwrap_or_default());
                    rows!(logout_notices::replay(client, at.millis()))
                }
            };
            Ok(())
        }
    };
}

pub(crate) use define_tell;
