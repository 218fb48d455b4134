//! From changes to statements. Written once as a macro: for SQLite it stands as it is, for an asynchronous database with
//! `async` and `.await`; nothing else differs.

use std::sync::atomic::{AtomicI64, Ordering};

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::registration::RegistrationChange;
use grantor_core::second_factor::SecondFactorChange;
use grantor_core::upstream::UpstreamChange;

use crate::error::Failure;
use crate::events::REFUSALS;
use crate::sealing::Sealer;

/// What writing needs beside the changes.
pub(crate) struct Context {
    pub(crate) sealer: Sealer,
    /// The running number of the next refusal.
    refusals: AtomicI64,
    /// The running number of the next sign-in that failed; they have a ring of their own, so that other refusals do not
    /// erase the traces of guessing.
    sign_ins: AtomicI64,
}

impl Context {
    pub(crate) fn new(sealer: Sealer, newest_refusal: Option<i64>, newest_sign_in: Option<i64>) -> Self {
        let next = |newest: Option<i64>| AtomicI64::new(newest.map_or(0, |slot| slot + 1));
        Self { sealer, refusals: next(newest_refusal), sign_ins: next(newest_sign_in) }
    }

    /// The slot of an event in the rings: the first for refusals, the second for sign-ins.
    pub(crate) fn next_slot(&self, event: &Event) -> i64 {
        let (ring, first) = match event.kind {
            EventKind::SignInFailed | EventKind::SignInThrottled => (&self.sign_ins, REFUSALS),
            _ => (&self.refusals, 0),
        };
        first + ring.fetch_add(1, Ordering::Relaxed).rem_euclid(REFUSALS)
    }
}

/// Exactly one row was there as expected.
pub(crate) const fn one(rows: usize) -> Result<(), Failure> {
    if rows == 1 { Ok(()) } else { Err(Failure::Conflict) }
}

/// Whether the snapshot of clients, scopes, resources and keys is another one after this change.
pub(crate) const fn is_of_directory(change: &Change) -> bool {
    matches!(
        change,
        Change::ClientPut(_)
            | Change::ClientRemove(_)
            | Change::EpochBegin { .. }
            | Change::GroupPut(_)
            | Change::GroupRemove(_)
            | Change::KeyPut(_)
            | Change::KeyRemove(_)
            | Change::ProxiedAppPut(_)
            | Change::ProxiedAppRemove(_)
            | Change::ResourcePut(_)
            | Change::ResourceRemove(_)
            | Change::ScopePut(_)
            | Change::ScopeRemove(_)
            | Change::Upstream(UpstreamChange::Put(_) | UpstreamChange::Remove(_))
    )
}

/// Whether a set is one statement, which is all or nothing by itself.
pub(crate) fn is_one_statement(changes: &[Change]) -> bool {
    matches!(changes, [change] if !takes_several(change))
}

/// Whether a change takes several statements.
pub(crate) const fn takes_several(change: &Change) -> bool {
    is_of_directory(change)
        || matches!(
            change,
            Change::ApiTokensExpect { .. }
                | Change::SecondFactor(SecondFactorChange::ExpectNone(_) | SecondFactorChange::Insert(_))
                | Change::Registration(RegistrationChange::Room { .. } | RegistrationChange::Unused { .. })
                | Change::Upstream(UpstreamChange::LinksExpect { .. } | UpstreamChange::SessionsOfLinkEnd { .. })
        )
}

/// Defines `apply`, `apply_all` and `sweep` for one kind of connection; `expect` stands beside them. `ExecuteDsl` and `RunQueryDsl` in
/// scope are those of the connection. `alone` is what keeps a row that was only read from being read in the same way, or changed,
/// until the transaction ends: nothing where there is one writer.
macro_rules! define_apply {
    ($connection:ty, [$($async:tt)?], [$($wait:tt)*], [$($alone:tt)*]) => {
        /// Applies a whole set; says whether it touched the directory.
        pub(crate) $($async)? fn apply_all(
            changes: &[Change],
            context: &Context,
            connection: &mut $connection,
        ) -> Result<bool, Failure> {
            for change in changes {
                apply(change, context, connection)$($wait)*?;
            }
            let touched = changes.iter().any(is_of_directory);
            if touched {
                one(ExecuteDsl::execute(Prepared(directory_revision::bump()), connection)$($wait)*?)?;
                // Last, when the revision is known and nobody else can have it.
                ExecuteDsl::execute(Prepared(clients::stamp()), connection)$($wait)*?;
            }
            Ok(touched)
        }

        /// One change, which is one statement but where it is of the directory. `one` expects exactly one row; a row that is there already is a conflict by itself.
        pub(crate) $($async)? fn apply(change: &Change, context: &Context, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! one {
                ($statement:expr) => { one(ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?) };
            }
            macro_rules! any {
                ($statement:expr) => {{ ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?; Ok(()) }};
            }
            match change {
                Change::AccessTokenInsert(token) => one!(access_tokens::insert(access_tokens::Row::new(token)?)),
                Change::AccessTokenRevoke { id, expires_at } => any!(revoked_access_tokens::insert(id.as_i64(), expires_at.millis())),
                Change::ApiTokenAmend(token) => one!(api_tokens::amend(token)?),
                Change::ApiTokenEnd { id, at, end } => one!(api_tokens::end(id.as_i64(), at.millis(), end.as_str())),
                Change::ApiTokenInsert(token) => one!(api_tokens::insert(api_tokens::Row::new(token)?)),
                Change::ApiTokenRotate { id, rotation } => one!(api_tokens::rotate(id.as_i64(), rotation)),
                Change::ApiTokenUsed { id, last_use } => any!(api_tokens::used(id.as_i64(), last_use)),
                Change::ApiTokenWatchPut { .. } | Change::NoticeDismiss { .. } | Change::NoticeInsert(_) | Change::LogoutNotice(_) | Change::Outbox(_) => {
                    tell(change, connection)$($wait)*
                }
                Change::AssertionSpend { digest, expires_at } => one!(spent_assertions::insert(digest, expires_at.millis())),
                Change::AttemptsPut { .. } | Change::TokensCount { .. } | Change::UsageAdd(_) => count(change, connection)$($wait)*,
                Change::ClientPut(_) | Change::ClientRemove(_) | Change::GroupPut(_) | Change::GroupRemove(_) | Change::KeyPut(_) | Change::KeyRemove(_) | Change::ProxiedAppPut(_)
                | Change::ProxiedAppRemove(_) | Change::ResourcePut(_) | Change::ResourceRemove(_) | Change::ScopePut(_)
                | Change::ScopeRemove(_) => declare(change, context, connection)$($wait)*,
                Change::CodeInsert(code) => one!(authorization_codes::insert(authorization_codes::Row::new(code)?)),
                Change::CodeSpend { id, at } => one!(authorization_codes::spend(id.as_i64(), at.millis())),
                Change::DirectoryExpect { revision } => one!(directory_revision::hold(*revision)),
                Change::AccessTokenExpect { .. } | Change::ApiTokensExpect { .. } | Change::ClientExpect { .. } | Change::ConsentExpect { .. }
                | Change::GrantExpect { .. } | Change::SessionExpect { .. } | Change::UserExpect { .. } | Change::UserExpectUnchanged { .. } | Change::UserMayEnter { .. } => {
                    expect(change, connection)$($wait)*
                }
                Change::ConsentPut { .. } | Change::ConsentRemove { .. } => apply_consent(change, connection)$($wait)*,
                Change::EpochBegin { at } => begin_epoch(at.millis(), context, connection)$($wait)*,
                Change::EventInsert(event) => one!(events::insert(events::Row::new(event))),
                Change::GrantEnd { id, at, end } => one!(grants::end(id.as_i64(), at.millis(), end.as_str())),
                Change::GrantInsert(grant) => one!(grants::insert(grants::Row::new(grant)?)),
                Change::GrantsEnd { of, at, end } => end_grants(of, at.millis(), end.as_str(), connection)$($wait)*,
                Change::GrantsMove { from, to } => any!(grants::move_to_session(from.as_i64(), to.as_i64())),
                Change::RefreshTokenInsert(token) => one!(refresh_tokens::insert(refresh_tokens::Row::new(token))),
                Change::RefreshTokenRotate { grant_id, generation, successor, at, idle_expires_at } => {
                    let successor = Successor::new(*generation, *successor, *at, *idle_expires_at);
                    one!(refresh_tokens::rotate(grant_id.as_i64(), (*generation).into(), successor))
                }
                Change::Registration(change) => apply_registration(change, connection)$($wait)*,
                Change::RefusalInsert(event) => one!(events::put_refusal(&Refusal::new(context.next_slot(event), event))),
                Change::SessionEnd { id, at } => any!(sessions::end(id.as_i64(), at.millis())),
                Change::SessionInsert(session) => one!(sessions::insert(sessions::Row::new(session)?)),
                Change::SessionSeen { id, at } => any!(sessions::seen(id.as_i64(), at.millis())),
                Change::SessionsEnd { user_id, except, at } => any!(sessions::end_of_user(user_id.as_i64(), except.map_or(0, Id::as_i64), at.millis())),
                Change::Upstream(change) => apply_upstream(change, context, connection)$($wait)*,
                Change::SecondFactor(_) | Change::UserPassword { .. } | Change::UserPut(_) | Change::UserRemove(_) | Change::UsernameRetire { .. } => {
                    apply_person(change, context, connection)$($wait)*
                }
            }
        }

        /// People, and what they prove themselves with.
        $($async)? fn apply_person(change: &Change, context: &Context, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! one {
                ($statement:expr) => { one(ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?) };
            }
            macro_rules! any {
                ($statement:expr) => {{ ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?; Ok(()) }};
            }
            match change {
                Change::SecondFactor(SecondFactorChange::CodeSpend { id, step }) => one!(second_factors::spend(id.as_i64(), *step)),
                Change::SecondFactor(SecondFactorChange::ExpectNone(_)) => expect(change, connection)$($wait)*,
                Change::SecondFactor(SecondFactorChange::Insert(factor)) => {
                    expect(change, connection)$($wait)*?;
                    one!(second_factors::insert(second_factors::Row::new(factor, &context.sealer)))
                }
                Change::SecondFactor(SecondFactorChange::RecoveryPut { id, read, kept }) => {
                    let (read, kept) = (second_factors::column(read), second_factors::column(kept));
                    one!(second_factors::put_recovery(id.as_i64(), read, kept))
                }
                Change::SecondFactor(SecondFactorChange::Remove(id)) => one!(second_factors::remove(id.as_i64())),
                Change::UserPassword { id, password } => one!(users::set_password(id.as_i64(), password)),
                Change::UserPut(user) => one!(users::put(&users::Row::new(user)?)),
                Change::UserRemove(id) => any!(users::remove(id.as_i64())),
                Change::UsernameRetire { digest, at } => any!(retired_usernames::insert(digest, at.millis())),
                _ => Ok(()),
            }
        }

        /// What makes the snapshot.
        $($async)? fn declare(change: &Change, context: &Context, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! one {
                ($statement:expr) => { one(ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?) };
            }
            macro_rules! any {
                ($statement:expr) => {{ ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?; Ok(()) }};
            }
            match change {
                Change::ClientPut(client) => put_client(client, context, connection)$($wait)*,
                Change::ClientRemove(client_id) => remove_client(client_id, connection)$($wait)*,
                Change::GroupPut(group) => one!(groups::put(&groups::Row::new(group)?)),
                Change::GroupRemove(name) => any!(groups::remove(name)),
                Change::KeyPut(record) => one!(signing_keys::put(&signing_keys::Row::new(record, &context.sealer))),
                Change::KeyRemove(id) => any!(signing_keys::remove(id.as_i64())),
                Change::ProxiedAppPut(app) => one!(proxied_apps::put(&proxied_apps::Row::new(app)?)),
                Change::ProxiedAppRemove(name) => any!(proxied_apps::remove(name)),
                Change::ResourcePut(resource) => one!(resources::put(&resources::Row::new(resource)?)),
                Change::ResourceRemove(identifier) => any!(resources::remove(identifier)),
                Change::ScopePut(scope) => one!(scopes::put(&scopes::Row::new(scope)?)),
                Change::ScopeRemove(name) => any!(scopes::remove(name)),
                _ => Ok(()),
            }
        }

        /// Counts failed sign-ins, tokens and uses.
        $($async)? fn count(change: &Change, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! one {
                ($statement:expr) => { one(ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?) };
            }
            match change {
                Change::AttemptsPut { expected: None, slot, failures, window_started } => {
                    one!(attempts::insert(*slot, *failures, window_started.millis()))
                }
                Change::AttemptsPut { expected: Some((read, since)), slot, failures, window_started } => {
                    one!(attempts::update(*slot, (*read, since.millis()), *failures, window_started.millis()))
                }
                Change::TokensCount { day, client_id, grant_type, issued } => one!(token_counts::add(*day, client_id, grant_type.as_str(), *issued)),
                Change::UsageAdd(usage) => one!(usages::add(usages::Row::new(usage))),
                _ => Ok(()),
            }
        }

        /// One change of what people answered about apps.
        $($async)? fn apply_consent(change: &Change, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! rows {
                ($statement:expr) => { ExecuteDsl::execute(Prepared($statement), connection)$($wait)*? };
            }
            match change {
                Change::ConsentPut { consent, expected: None } => one(rows!(consents::insert(consents::Row::new(consent)))),
                Change::ConsentPut { consent, expected: Some(read) } => {
                    one(rows!(consents::replace(consents::Row::new(consent), read.millis())))
                }
                Change::ConsentRemove { user_id, client_id } => {
                    rows!(consents::remove(user_id.as_i64(), client_id));
                    Ok(())
                }
                _ => Ok(()),
            }
        }

        /// One change of what is kept of upstreams.
        $($async)? fn apply_upstream(
            change: &UpstreamChange,
            context: &Context,
            connection: &mut $connection,
        ) -> Result<(), Failure> {
            macro_rules! rows {
                ($statement:expr) => { ExecuteDsl::execute(Prepared($statement), connection)$($wait)*? };
            }
            match change {
                UpstreamChange::LinkInsert(link) => one(rows!(upstream_links::insert(link.as_ref().into()))),
                UpstreamChange::LinkRemove(id) => one(rows!(upstream_links::remove(id.as_i64()))),
                UpstreamChange::LinksExpect { user_id, links } => expect_links(*user_id, links, connection)$($wait)*,
                UpstreamChange::LinkUsed { id, at } => one(rows!(upstream_links::used(id.as_i64(), at.millis()))),
                UpstreamChange::Put(upstream) => one(rows!(upstreams::put(&upstreams::Row::new(upstream, &context.sealer)?))),
                UpstreamChange::Remove(id) => {
                    rows!(upstreams::remove(id.as_i64()));
                    Ok(())
                }
                UpstreamChange::SessionInsert(began) => one(rows!(upstream_sessions::insert(began.as_ref().into()))),
                UpstreamChange::SessionsEnd { id, at } => {
                    let reason = GrantEnd::RevokedByAdministrator.as_str();
                    rows!(upstream_sessions::end_grants(id.as_i64(), at.millis(), reason));
                    rows!(upstream_sessions::end_sessions(id.as_i64(), at.millis()));
                    Ok(())
                }
                UpstreamChange::SessionsOfLinkEnd { link, except, at } => {
                    let reason = GrantEnd::SignedOut.as_str();
                    rows!(upstream_sessions::end_grants_of_link(link, except.as_i64(), at.millis(), reason));
                    rows!(upstream_sessions::end_sessions_of_link(link, except.as_i64(), at.millis()));
                    Ok(())
                }
            }
        }

        /// Codes first: whoever is redeeming one has then become a grant that ends, or does not become one.
        $($async)? fn begin_epoch(at: i64, context: &Context, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! all {
                ($statement:expr) => { ExecuteDsl::execute(Prepared($statement), connection)$($wait)*? };
            }
            all!(authorization_codes::clear());
            all!(sessions::end_all(at));
            all!(grants::end_all(at, GrantEnd::EpochBegun.as_str()));
            all!(access_tokens::clear());
            all!(api_tokens::end_all(at, ApiTokenEnd::EpochBegun.as_str()));
            all!(attempts::clear());
            all!(initial_access_tokens::end_all(at));
            // Those that were used since would count again.
            all!(second_factors::put_all_recovery(Vec::new()));
            all!(signing_keys::clear());
            let before: Vec<u8> = RunQueryDsl::first(root_secret::find(), connection)$($wait)*?;
            one(all!(root_secret::replace(root_secret::renew(&before, &context.sealer)?, at)))?;
            // Also a server that knew a later revision than the restored one shall notice.
            all!(directory_revision::raise(at));
            Ok(())
        }

        $($async)? fn end_grants(of: &GrantsOf, at: i64, reason: &str, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! end {
                ($statement:expr) => { ExecuteDsl::execute(Prepared($statement), connection)$($wait)*? };
            }
            match of {
                GrantsOf::Client(client_id) => end!(grants::end_of_client(client_id, at, reason)),
                GrantsOf::Session(id) => end!(grants::end_of_session(id.as_i64(), at, reason)),
                GrantsOf::WholeSession(id) => end!(grants::end_of_whole_session(id.as_i64(), at, reason)),
                GrantsOf::User(id) => end!(grants::end_of_user(id.as_i64(), at, reason)),
                GrantsOf::UserAndClient(id, client_id) => end!(grants::end_of_user_and_client(id.as_i64(), client_id, at, reason)),
                GrantsOf::UserExceptSession(id, session) => {
                    end!(grants::end_of_user_except_session(id.as_i64(), session.as_i64(), at, reason))
                }
            };
            Ok(())
        }

        /// Takes one step of a sweep; says how many rows are gone.
        pub(crate) $($async)? fn sweep(step: &Step, connection: &mut $connection) -> Result<usize, Failure> {
            macro_rules! swept {
                ($statement:expr) => { ExecuteDsl::execute(Prepared($statement), connection)$($wait)*? };
            }
            Ok(match step.clone() {
                Step::AccessTokens { expired_by } => swept!(access_tokens::sweep(expired_by, STEP)),
                Step::ApiTokens { over_by } => swept!(api_tokens::sweep(over_by, STEP)),
                Step::Attempts { started_by } => swept!(attempts::sweep(started_by, STEP)),
                Step::Codes { before, expired_by } => swept!(authorization_codes::sweep(before, expired_by, STEP)),
                Step::Events { before, happened_by } => swept!(events::sweep(before, happened_by, STEP)),
                Step::InitialAccessTokens { over_by } => swept!(initial_access_tokens::sweep(over_by)),
                Step::Grants { after, through, over } => swept!(grants::sweep(after, through, over)),
                Step::LogoutNotices { ended_by } => swept!(logout_notices::sweep(ended_by, STEP)),
                Step::Notices { before } => swept!(notices::sweep(before, STEP)),
                Step::OutboxGivenUp { queued_by } => swept!(outbox::sweep_given_up(queued_by, STEP)),
                Step::OutboxUnnamed { named, queued_by } => swept!(outbox::sweep_unnamed(&named, queued_by, STEP)),
                Step::RevokedAccessTokens { expired_by } => swept!(revoked_access_tokens::sweep(expired_by, STEP)),
                Step::Sessions { after, through, dead } => swept!(sessions::sweep(after, through, dead)),
                Step::SpentAssertions { expired_by } => swept!(spent_assertions::sweep(expired_by, STEP)),
                Step::Usages { day } => swept!(usages::sweep(day, STEP)),
            })
        }
    };
}

pub(crate) use define_apply;
