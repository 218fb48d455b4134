//! Whom accounts are linked with at upstreams.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_core::upstream::{MOST_WITH_ADDRESS, UpstreamLink};
use grantor_core::user::User;
use grantor_jose::id::Id;

use crate::schema::{upstream_links, users};
use crate::statement::Statement;
use crate::{Database, query};

/// The most links of one account that are looked at.
const MOST: i64 = 100;

#[derive(Insertable, Queryable)]
#[diesel(table_name = upstream_links, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    upstream_id: i64,
    authority: String,
    subject: String,
    user_id: i64,
    label: String,
    created_at: i64,
    last_used_at: Option<i64>,
}

impl From<&UpstreamLink> for Row {
    fn from(link: &UpstreamLink) -> Self {
        Self {
            id: link.id.as_i64(),
            upstream_id: link.upstream_id.as_i64(),
            authority: link.authority.clone(),
            subject: link.subject.clone(),
            user_id: link.user_id.as_i64(),
            label: link.label.clone(),
            created_at: link.created_at.millis(),
            last_used_at: link.last_used_at.map(Time::millis),
        }
    }
}

impl From<Row> for UpstreamLink {
    fn from(row: Row) -> Self {
        Self {
            id: Id::from_i64(row.id),
            upstream_id: Id::from_i64(row.upstream_id),
            authority: row.authority,
            subject: row.subject,
            user_id: Id::from_i64(row.user_id),
            label: row.label,
            created_at: Time::from_millis(row.created_at),
            last_used_at: row.last_used_at.map(Time::from_millis),
        }
    }
}

/// The link and its person.
#[dsl::auto_type(no_type_alias)]
fn find<'a>(upstream_id: i64, authority: &'a str, subject: &'a str) -> _ {
    let is_it = upstream_links::upstream_id
        .eq(upstream_id)
        .and(upstream_links::authority.eq(authority))
        .and(upstream_links::subject.eq(subject));
    upstream_links::table.inner_join(users::table).filter(is_it)
}

#[dsl::auto_type(no_type_alias)]
fn of_user(user_id: i64, most: i64) -> _ {
    upstream_links::table.filter(upstream_links::user_id.eq(user_id)).order(upstream_links::id).limit(most)
}

/// What names them, as they are read.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn ids_of_user(user_id: i64) -> _ {
    let most: i64 = MOST;
    upstream_links::table
        .select(upstream_links::id)
        .filter(upstream_links::user_id.eq(user_id))
        .order(upstream_links::id)
        .limit(most)
}

/// Fails where somebody is linked with that subject.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(upstream_links::table).values(row)
}

/// One row where the link is there.
pub(crate) fn used(id: i64, at: i64) -> impl Statement {
    dsl::update(upstream_links::table.filter(upstream_links::id.eq(id))).set(upstream_links::last_used_at.eq(at))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove(id: i64) -> _ {
    dsl::delete(upstream_links::table.filter(upstream_links::id.eq(id)))
}

impl Database {
    /// The link with somebody at an upstream, and the account.
    ///
    /// # Errors
    /// What the database says.
    pub async fn upstream_link_find(
        &self,
        upstream_id: Id,
        authority: &str,
        subject: &str,
    ) -> Result<Option<(UpstreamLink, User)>, StoreError> {
        let row: Option<(Row, crate::users::Row)> =
            query!(self, first?, find(upstream_id.as_i64(), authority, subject))?;
        row.map(|(link, user)| Ok((link.into(), user.try_into()?))).transpose()
    }

    /// The links of an account, in the order in which they were made.
    ///
    /// # Errors
    /// What the database says.
    pub async fn upstream_links_of(&self, user_id: Id) -> Result<Vec<UpstreamLink>, StoreError> {
        let rows: Vec<Row> = query!(self, load, of_user(user_id.as_i64(), MOST))?;
        Ok(rows.into_iter().map(UpstreamLink::from).collect())
    }

    /// Accounts with this address, verified or not, in the order in which they were made: at most [`MOST_WITH_ADDRESS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn users_with_email(&self, email: &str) -> Result<Vec<User>, StoreError> {
        let (email, most) = (email.to_ascii_lowercase(), i64::try_from(MOST_WITH_ADDRESS).unwrap_or(i64::MAX));
        let rows: Vec<crate::users::Row> = query!(self, load, crate::users::with_email(&email, most))?;
        rows.into_iter().map(User::try_from).collect()
    }
}
