//! Declared scopes.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::directory::ScopeDefinition;
use grantor_core::store::StoreError;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::scopes;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = scopes, primary_key(name))]
pub(crate) struct Row {
    name: String,
    definition: String,
}

impl Row {
    pub(crate) fn new(scope: &ScopeDefinition) -> Result<Self, Failure> {
        Ok(Self { name: scope.name.clone(), definition: json(scope)? })
    }
}

impl TryFrom<Row> for ScopeDefinition {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("scopes", &row.name);
        let scope: Self = place.json("definition", &row.definition)?;
        if scope.name == row.name { Ok(scope) } else { Err(place.corrupt("definition")) }
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    scopes::table.order(scopes::name)
}

pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(scopes::table).values(row).on_conflict(scopes::name).do_update().set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove<'a>(name: &'a str) -> _ {
    dsl::delete(scopes::table.filter(scopes::name.eq(name)))
}
