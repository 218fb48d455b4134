//! People with accounts.

use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_jose::id::Id;
use serde_json::Value;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::users;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    subject: String,
    username: String,
    password: Option<String>,
    claims: String,
    groups: String,
    disabled: i64,
    created_at: i64,
    updated_at: i64,
    email: Option<String>,
    networks: String,
    self_made: i64,
}

impl Row {
    pub(crate) fn new(user: &User) -> Result<Self, Failure> {
        Ok(Self {
            id: user.id.as_i64(),
            subject: user.subject.clone(),
            username: user.username.clone(),
            password: user.password.clone(),
            claims: json(&user.claims)?,
            groups: json(&user.groups)?,
            disabled: user.disabled.into(),
            created_at: user.created_at.millis(),
            updated_at: user.updated_at.millis(),
            networks: json(&user.networks)?,
            self_made: user.self_made.into(),
            // ASCII alone, as the migration has it.
            email: user.claims.get("email").and_then(Value::as_str).map(str::to_ascii_lowercase),
        })
    }
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("users", row.id);
        Ok(Self {
            id: Id::from_i64(row.id),
            subject: row.subject,
            username: row.username,
            password: row.password,
            claims: place.json("claims", &row.claims)?,
            groups: place.json("groups", &row.groups)?,
            disabled: place.flag("disabled", row.disabled)?,
            created_at: Time::from_millis(row.created_at),
            updated_at: Time::from_millis(row.updated_at),
            networks: place.json("networks", &row.networks)?,
            self_made: place.flag("self_made", row.self_made)?,
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    users::table.filter(users::id.eq(id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find_by_username<'a>(username: &'a str) -> _ {
    users::table.filter(users::username.eq(username))
}

/// Also those whose name to sign in with is an address.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn with_email<'a>(email: &'a str, most: i64) -> _ {
    users::table
        .filter(users::username.eq(email).or(users::email.eq(email).assume_not_null()))
        .order(users::id)
        .limit(most)
}

/// Those of some that are there.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn present(ids: Vec<i64>) -> _ {
    users::table.filter(users::id.eq_any(ids)).select(users::id)
}

/// In the order in which they were made.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn page(after: i64, limit: i64) -> _ {
    users::table.filter(users::id.gt(after)).order(users::id).limit(limit)
}

/// Fails where another account has the username or the subject.
pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(users::table).values(row).on_conflict(users::id).do_update().set(row)
}

/// The person, to be held.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn hold(id: i64) -> _ {
    users::table.select(users::id).filter(users::id.eq(id))
}

/// One row where the person may sign in with this password.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn expect<'a>(id: i64, password: &'a str) -> _ {
    let may_enter = users::id.eq(id).and(users::password.eq(password)).and(users::disabled.eq(0_i64));
    users::table.select(users::id).filter(may_enter)
}

/// One row where the person is not switched off, and has no password unless they may.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn may_enter(id: i64, with_password: bool) -> _ {
    let may_enter = users::id.eq(id).and(users::disabled.eq(0_i64));
    users::table
        .select(users::id)
        .filter(may_enter)
        .filter(with_password.into_sql::<Bool>().or(users::password.is_null()))
}

/// One row where the person was not changed since.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn unchanged(id: i64, updated_at: i64) -> _ {
    users::table.select(users::id).filter(users::id.eq(id).and(users::updated_at.eq(updated_at)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn set_password<'a>(id: i64, password: &'a str) -> _ {
    dsl::update(users::table.filter(users::id.eq(id))).set(users::password.eq(password))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove(id: i64) -> _ {
    dsl::delete(users::table.filter(users::id.eq(id)))
}
