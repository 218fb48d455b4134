//! The number that grows with each change to clients, scopes, resources or keys.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::directory_revision;

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find() -> _ {
    directory_revision::table.select(directory_revision::revision)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn bump() -> _ {
    dsl::update(directory_revision::table).set(directory_revision::revision.eq(directory_revision::revision + 1_i64))
}

/// Changes nothing, of one row where the revision is still this one: of several that mean to change it next, one has it then.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn hold(revision: i64) -> _ {
    dsl::update(directory_revision::table.filter(directory_revision::revision.eq(revision)))
        .set(directory_revision::revision.eq(revision))
}

/// Counts on from `revision`, unless it is counted further already.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn raise(revision: i64) -> _ {
    dsl::update(directory_revision::table.filter(directory_revision::revision.lt(revision)))
        .set(directory_revision::revision.eq(revision))
}
