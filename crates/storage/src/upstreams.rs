//! Declared upstreams. Our secret there is sealed for the row that it stands in.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::store::StoreError;
use grantor_core::upstream::{Upstream, UpstreamDefinition};
use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::upstreams;
use crate::sealing::{Sealer, Slot};
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = upstreams, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    name: String,
    definition: String,
    sealed: Option<Vec<u8>>,
}

const fn slot(id: i64) -> Slot {
    Slot { table: "upstreams", column: "sealed", id }
}

impl Row {
    pub(crate) fn new(upstream: &Upstream, sealer: &Sealer) -> Result<Self, Failure> {
        let (id, secret) = (upstream.id.as_i64(), upstream.client_secret.as_ref());
        Ok(Self {
            id,
            name: upstream.definition.name.clone(),
            definition: json(&upstream.definition)?,
            sealed: secret.map(|secret| sealer.seal(slot(id), secret.expose().as_bytes())),
        })
    }

    pub(crate) fn open(self, sealer: &Sealer) -> Result<Upstream, StoreError> {
        let place = Place::new("upstreams", self.id);
        let definition: UpstreamDefinition = place.json("definition", &self.definition)?;
        if definition.name != self.name {
            return Err(place.corrupt("definition"));
        }
        let open = |sealed: Vec<u8>| {
            let plain = sealer.open(slot(self.id), &sealed)?;
            let text = String::from_utf8(plain.to_vec()).map_err(|_| place.corrupt("sealed"))?;
            Ok::<_, StoreError>(SecretText::new(text))
        };
        let client_secret = self.sealed.map(open).transpose()?;
        Ok(Upstream { id: Id::from_i64(self.id), definition, client_secret })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    upstreams::table.order(upstreams::id)
}

/// Fails where another one has the name.
pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(upstreams::table).values(row).on_conflict(upstreams::id).do_update().set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove(id: i64) -> _ {
    dsl::delete(upstreams::table.filter(upstreams::id.eq(id)))
}
