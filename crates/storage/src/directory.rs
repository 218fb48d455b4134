//! The snapshot of clients, scopes, groups, resources and keys: how it is read, and which one counts.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use grantor_core::directory::{Directory, Group, Resource, ScopeDefinition};
use grantor_core::forward_auth::{Apps, ProxiedApp};
use grantor_core::store::StoreError;
use grantor_core::time::Time;

use crate::sealing::Sealer;
use crate::{clients, groups, proxied_apps, resources, root_secret, scopes, signing_keys, upstreams};

/// All rows that make a snapshot, read in one transaction.
pub(crate) struct Rows {
    pub(crate) revision: i64,
    pub(crate) root_secret: Vec<u8>,
    pub(crate) epoch: Option<i64>,
    pub(crate) keys: Vec<signing_keys::Row>,
    pub(crate) clients: Vec<clients::Row>,
    pub(crate) secrets: Vec<clients::SecretRow>,
    pub(crate) scopes: Vec<scopes::Row>,
    pub(crate) groups: Vec<groups::Row>,
    pub(crate) resources: Vec<resources::Row>,
    pub(crate) apps: Vec<proxied_apps::Row>,
    pub(crate) upstreams: Vec<upstreams::Row>,
}

/// Defines `read_directory` for one kind of connection, whose `RunQueryDsl` is in scope.
macro_rules! define_read_directory {
    ($connection:ty, [$($async:tt)?], [$($wait:tt)*]) => {
        /// Reads what makes a snapshot; to be called inside a transaction.
        pub(crate) $($async)? fn read_directory(connection: &mut $connection) -> QueryResult<directory::Rows> {
            Ok(directory::Rows {
                revision: directory_revision::find().first(connection)$($wait)*?,
                root_secret: root_secret::find().first(connection)$($wait)*?,
                epoch: root_secret::epoch().first(connection)$($wait)*?,
                keys: signing_keys::all().load(connection)$($wait)*?,
                clients: clients::all().load(connection)$($wait)*?,
                secrets: clients::all_secrets().load(connection)$($wait)*?,
                scopes: scopes::all().load(connection)$($wait)*?,
                groups: groups::all().load(connection)$($wait)*?,
                resources: resources::all().load(connection)$($wait)*?,
                apps: proxied_apps::all().load(connection)$($wait)*?,
                upstreams: upstreams::all().load(connection)$($wait)*?,
            })
        }
    };
}

pub(crate) use define_read_directory;

/// The newest snapshot, shared by all threads.
#[derive(Default)]
pub(crate) struct Newest {
    snapshot: ArcSwap<Directory>,
    /// Held while a snapshot is built and put in place, so that an older one never replaces a newer one.
    building: Mutex<()>,
}

impl Newest {
    pub(crate) fn get(&self) -> Arc<Directory> {
        self.snapshot.load_full()
    }

    pub(crate) fn revision(&self) -> i64 {
        self.snapshot.load().revision
    }

    /// Builds the snapshot of these rows, which were read after those of the last one, and puts it in place: also a lower
    /// revision, as of a standby that took over before it had heard of the newest.
    pub(crate) fn replace(&self, rows: Rows, sealer: &Sealer) -> Result<(), StoreError> {
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.get();
        if rows.revision != last.revision {
            self.snapshot.store(Arc::new(build(rows, sealer, &last)?));
        }
        Ok(())
    }

    /// Builds the snapshot of these rows and puts it in place, unless a newer one is there.
    pub(crate) fn update(&self, rows: Rows, sealer: &Sealer) -> Result<(), StoreError> {
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.get();
        if rows.revision > last.revision {
            self.snapshot.store(Arc::new(build(rows, sealer, &last)?));
        }
        Ok(())
    }
}

fn build(rows: Rows, sealer: &Sealer, last: &Directory) -> Result<Directory, StoreError> {
    let scopes = rows.scopes.into_iter().map(ScopeDefinition::try_from);
    let groups = rows.groups.into_iter().map(Group::try_from);
    let resources = rows.resources.into_iter().map(Resource::try_from);
    let upstreams = rows.upstreams.into_iter().map(|row| row.open(sealer));
    Ok(Directory {
        revision: rows.revision,
        clients: clients::collect(rows.clients, rows.secrets, sealer)?,
        scopes: scopes.map(|scope| scope.map(|scope| (scope.name.clone(), scope))).collect::<Result<_, _>>()?,
        groups: groups.map(|group| group.map(|group| (group.name.clone(), group))).collect::<Result<_, _>>()?,
        resources: resources.map(|api| api.map(|api| (api.identifier.clone(), api))).collect::<Result<_, _>>()?,
        apps: rows.apps.into_iter().map(ProxiedApp::try_from).collect::<Result<Apps, _>>()?,
        upstreams: upstreams
            .map(|upstream| upstream.map(|upstream| (upstream.definition.name.clone(), Arc::new(upstream))))
            .collect::<Result<_, _>>()?,
        keys: signing_keys::collect(rows.keys, sealer, &last.keys)?,
        secrets: root_secret::open(&rows.root_secret, sealer)?,
        epoch: rows.epoch.map(Time::from_millis),
    })
}
