//! Clients and what is kept of those that registered themselves: from changes to statements. As in `apply`, they are written once, as a
//! macro.

/// Defines what `apply` does with clients and registrations, for one kind of connection; its parameters are those of `define_apply`.
macro_rules! define_enroll {
    ($connection:ty, [$($async:tt)?], [$($wait:tt)*], [$($alone:tt)*]) => {
        /// One change of what is kept of registrations.
        $($async)? fn apply_registration(change: &RegistrationChange, connection: &mut $connection) -> Result<(), Failure> {
            macro_rules! one {
                ($statement:expr) => { one(ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?) };
            }
            macro_rules! any {
                ($statement:expr) => {{ ExecuteDsl::execute(Prepared($statement), connection)$($wait)*?; Ok(()) }};
            }
            macro_rules! found {
                ($statement:expr) => {{
                    let found: Vec<i64> = RunQueryDsl::load($statement, connection)$($wait)*?;
                    found.len()
                }};
            }
            match change {
                RegistrationChange::ConsentsForget { client_id } => any!(consents::remove_of_client(client_id)),
                RegistrationChange::Insert(registration) => one!(registrations::insert(registrations::Row::new(registration))),
                RegistrationChange::Room { address, per_address, in_all } => {
                    // Held first: of several that register at once, each counts those before it.
                    one(found!(directory_revision::find()$($alone)*))?;
                    let most = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
                    let of_address = found!(registrations::some_of_address(address, most(*per_address)));
                    let all = found!(registrations::some(most(*in_all)));
                    if of_address < *per_address && all < *in_all { Ok(()) } else { Err(Failure::Conflict) }
                }
                RegistrationChange::Secret { id, expected, secret, replaced } => {
                    let (read, secret) = (registrations::bytes(*expected), registrations::bytes(*secret));
                    let before = replaced.map(|replaced| registrations::bytes(replaced.secret));
                    one!(registrations::replace(id.as_i64(), read, secret, before, replaced.map(|replaced| replaced.until.millis())))
                }
                RegistrationChange::TokenEnd { id, at } => any!(initial_access_tokens::end(id.as_i64(), at.millis())),
                RegistrationChange::TokenInsert(token) => one!(initial_access_tokens::insert(initial_access_tokens::Row::new(token))),
                RegistrationChange::TokenSpend { id, at } => one!(initial_access_tokens::spend(id.as_i64(), at.millis())),
                RegistrationChange::Unused { client_id, registered_by } => {
                    one(found!(registrations::unused_of_client(client_id, registered_by.millis())$($alone)*))
                }
            }
        }

        $($async)? fn put_client(client: &Client, context: &Context, connection: &mut $connection) -> Result<(), Failure> {
            one(ExecuteDsl::execute(Prepared(clients::put(&clients::Row::new(client)?)), connection)$($wait)*?)?;
            ExecuteDsl::execute(Prepared(clients::remove_secrets(&client.client_id)), connection)$($wait)*?;
            for secret in clients::SecretRow::all(client, &context.sealer) {
                one(ExecuteDsl::execute(Prepared(clients::insert_secret(secret)), connection)$($wait)*?)?;
            }
            Ok(())
        }

        /// What has ended of its keys is noted, and nobody ends another one meanwhile. Its registration first, as where a client
        /// changes itself.
        $($async)? fn remove_client(client_id: &str, connection: &mut $connection) -> Result<(), Failure> {
            let _: Vec<i64> = RunQueryDsl::load(registrations::hold_of_client(client_id)$($alone)*, connection)$($wait)*?;
            let _: Vec<i64> = RunQueryDsl::load(api_tokens::hold_of_client(client_id)$($alone)*, connection)$($wait)*?;
            ExecuteDsl::execute(Prepared(ended_keys::note(client_id)), connection)$($wait)*?;
            ExecuteDsl::execute(Prepared(clients::remove(client_id)), connection)$($wait)*?;
            Ok(())
        }
    };
}

pub(crate) use define_enroll;
