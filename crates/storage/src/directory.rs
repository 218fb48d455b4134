//! The snapshot of clients, scopes, groups, resources and keys: how it is read, and which one counts.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use grantor_core::client::{Client, Clients, Trust};
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
    /// The snapshot before, whose clients that registered themselves are kept where these rows have no other; none where all are
    /// among the rows.
    pub(crate) before: Option<Arc<Directory>>,
    pub(crate) clients: Vec<clients::Row>,
    pub(crate) secrets: Vec<clients::SecretRow>,
    pub(crate) scopes: Vec<scopes::Row>,
    pub(crate) groups: Vec<groups::Row>,
    pub(crate) resources: Vec<resources::Row>,
    pub(crate) apps: Vec<proxied_apps::Row>,
    pub(crate) upstreams: Vec<upstreams::Row>,
    /// The identifiers of all clients, where some of those before are gone.
    pub(crate) identifiers: Option<Vec<String>>,
}

/// How many snapshots follow from the one before, until one is read in whole again: whatever a snapshot may have missed, as of a
/// standby that took over, is known after so many.
const FOLLOWING: i64 = 256;

impl Rows {
    /// The snapshot that one of `revision` may follow from: an earlier one of the same history.
    pub(crate) fn following(last: &Arc<Directory>, revision: i64) -> Option<Arc<Directory>> {
        let follows =
            last.revision > 0 && last.revision < revision && revision / FOLLOWING == last.revision / FOLLOWING;
        follows.then(|| Arc::clone(last))
    }

    /// Whether as many clients are there as these rows and the snapshot before tell of.
    pub(crate) fn is_whole(before: Option<&Arc<Directory>>, rows: &[clients::Row], count: i64) -> bool {
        let Some(before) = before else { return true };
        let read: HashSet<&str> = rows.iter().map(clients::Row::client_id).collect();
        let kept = kept(before).filter(|client| !read.contains(client.client_id.as_str())).count();
        i64::try_from(kept + read.len()).is_ok_and(|known| known == count)
    }
}

/// The clients of a snapshot that need not be read again.
fn kept(before: &Directory) -> impl Iterator<Item = &Arc<Client>> {
    before.clients.values().filter(|client| client.trust == Trust::SelfRegistered)
}

/// Defines `read_directory` for one kind of connection, whose `RunQueryDsl` is in scope.
macro_rules! define_read_directory {
    ($connection:ty, [$($async:tt)?], [$($wait:tt)*]) => {
        /// Reads what makes a snapshot; to be called inside a transaction.
        pub(crate) $($async)? fn read_directory(last: &Arc<Directory>, connection: &mut $connection) -> QueryResult<directory::Rows> {
            let revision = directory_revision::find().first(connection)$($wait)*?;
            let before = directory::Rows::following(last, revision);
            let since = before.as_ref().map_or(i64::MIN, |before| before.revision);
            let clients: Vec<clients::Row> = clients::since(clients::SELF_REGISTERED, since).load(connection)$($wait)*?;
            let is_whole = directory::Rows::is_whole(before.as_ref(), &clients, clients::count().first(connection)$($wait)*?);
            Ok(directory::Rows {
                revision,
                before,
                identifiers: if is_whole { None } else { Some(clients::identifiers().load(connection)$($wait)*?) },
                root_secret: root_secret::find().first(connection)$($wait)*?,
                epoch: root_secret::epoch().first(connection)$($wait)*?,
                keys: signing_keys::all().load(connection)$($wait)*?,
                clients,
                secrets: clients::secrets_since(clients::SELF_REGISTERED, since).load(connection)$($wait)*?,
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
    let clients =
        build_clients(rows.before.as_deref(), rows.identifiers, clients::collect(rows.clients, rows.secrets, sealer)?);
    let scopes = rows.scopes.into_iter().map(ScopeDefinition::try_from);
    let groups = rows.groups.into_iter().map(Group::try_from);
    let resources = rows.resources.into_iter().map(Resource::try_from);
    let upstreams = rows.upstreams.into_iter().map(|row| row.open(sealer));
    Ok(Directory {
        revision: rows.revision,
        clients,
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

/// The clients of the snapshot before that need not be read again and are still there, and those that were read.
fn build_clients(before: Option<&Directory>, identifiers: Option<Vec<String>>, read: Vec<Client>) -> Clients {
    let mut clients = before.map(|before| before.clients.clone()).unwrap_or_default();
    let present: Option<HashSet<String>> = identifiers.map(|identifiers| identifiers.into_iter().collect());
    let read_ids: HashSet<&str> = read.iter().map(|client| client.client_id.as_str()).collect();
    let is_there = |client: &Client| {
        let may_stay = client.trust == Trust::SelfRegistered || read_ids.contains(client.client_id.as_str());
        may_stay && present.as_ref().is_none_or(|present| present.contains(&client.client_id))
    };
    let gone: Vec<String> =
        clients.values().filter(|client| !is_there(client)).map(|client| client.client_id.clone()).collect();
    for client_id in gone {
        clients.remove(&client_id);
    }
    for client in read {
        clients.insert(client.client_id.clone(), Arc::new(client));
    }
    clients
}
