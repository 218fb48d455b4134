//! Declared apps behind proxies.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::forward_auth::ProxiedApp;
use grantor_core::store::StoreError;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::proxied_apps;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = proxied_apps, primary_key(name))]
pub(crate) struct Row {
    name: String,
    definition: String,
}

impl Row {
    pub(crate) fn new(app: &ProxiedApp) -> Result<Self, Failure> {
        Ok(Self { name: app.name.clone(), definition: json(app)? })
    }
}

impl TryFrom<Row> for ProxiedApp {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("proxied_apps", &row.name);
        let app: Self = place.json("definition", &row.definition)?;
        if app.name == row.name { Ok(app) } else { Err(place.corrupt("definition")) }
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    proxied_apps::table.order(proxied_apps::name)
}

pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(proxied_apps::table).values(row).on_conflict(proxied_apps::name).do_update().set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove<'a>(name: &'a str) -> _ {
    dsl::delete(proxied_apps::table.filter(proxied_apps::name.eq(name)))
}
