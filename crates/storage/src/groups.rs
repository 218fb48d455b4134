//! Declared groups.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::directory::Group;
use grantor_core::store::StoreError;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::groups;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = groups, primary_key(name))]
pub(crate) struct Row {
    name: String,
    definition: String,
}

impl Row {
    pub(crate) fn new(group: &Group) -> Result<Self, Failure> {
        Ok(Self { name: group.name.clone(), definition: json(group)? })
    }
}

impl TryFrom<Row> for Group {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("groups", &row.name);
        let group: Self = place.json("definition", &row.definition)?;
        if group.name == row.name { Ok(group) } else { Err(place.corrupt("definition")) }
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    groups::table.order(groups::name)
}

pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(groups::table).values(row).on_conflict(groups::name).do_update().set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove<'a>(name: &'a str) -> _ {
    dsl::delete(groups::table.filter(groups::name.eq(name)))
}
