//! Declared APIs.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::directory::Resource;
use grantor_core::store::StoreError;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::resources;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = resources, primary_key(identifier))]
pub(crate) struct Row {
    identifier: String,
    definition: String,
}

impl Row {
    pub(crate) fn new(resource: &Resource) -> Result<Self, Failure> {
        Ok(Self { identifier: resource.identifier.clone(), definition: json(resource)? })
    }
}

impl TryFrom<Row> for Resource {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("resources", &row.identifier);
        let resource: Self = place.json("definition", &row.definition)?;
        if resource.identifier == row.identifier { Ok(resource) } else { Err(place.corrupt("definition")) }
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    resources::table.order(resources::identifier)
}

pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(resources::table).values(row).on_conflict(resources::identifier).do_update().set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove<'a>(identifier: &'a str) -> _ {
    dsl::delete(resources::table.filter(resources::identifier.eq(identifier)))
}
