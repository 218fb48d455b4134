//! Which apps have a person's access, told from consents and grants.

use std::collections::BTreeMap;

use grantor_core::consent::still_allowed;
use grantor_core::grant::{Grant, RefreshToken};
use grantor_core::scope::Scope;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_core::usage::{self, Usage};
use grantor_core::user::User;
use grantor_storage::UsagesOf;

use crate::pages::apps::Access;
use crate::pages::used::Granted;
use crate::respond::{app_of, scope_sentence};
use crate::usage::lately;
use crate::visit::Visit;

/// What is known of one app's access.
#[derive(Debug)]
struct Known {
    scope: Scope,
    since: Time,
    last_used: Option<Time>,
    offline: bool,
}

/// The apps with access, the last used first.
pub(crate) async fn of(visit: &Visit, user: &User) -> Result<Vec<Access>, StoreError> {
    let store = &visit.app.provider.store;
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let consents = store.consents_of(user.id).await?;
    let usages = visit.app.usages_of(UsagesOf::AppsOf(user.id)).await?;
    let directory = visit.app.directory();
    for consent in &consents {
        let scope = consent.granted.filter(|scope| directory.may_have(user, scope));
        let first = Known { scope, since: consent.created_at, last_used: None, offline: false };
        known.insert(consent.client_id.clone(), first);
    }
    for (grant, refresh_token) in store.grants_of(user.id).await? {
        let consent = consents.iter().find(|consent| consent.client_id == grant.client_id);
        // What the app cannot use any more is not its access.
        let Some(client) = directory.clients.get(&grant.client_id) else { continue };
        let scope = still_allowed((&directory, client, user), &grant.scope, consent).unwrap_or_default();
        add(&mut known, Grant { scope, ..grant }, refresh_token.as_ref());
    }
    let mut rows: Vec<Access> = known
        .into_iter()
        .filter_map(|(client_id, known)| {
            let its: Vec<&Usage> = usages.iter().filter(|usage| usage.held.client_id == client_id).collect();
            shown(visit, &client_id, &known, &its)
        })
        .collect();
    rows.sort_by_key(|access| std::cmp::Reverse(access.last_used));
    Ok(rows)
}

fn add(known: &mut BTreeMap<String, Known>, grant: Grant, refresh_token: Option<&RefreshToken>) {
    let offline = grant.is_offline();
    let used = refresh_token.map_or(grant.created_at, |token| token.rotated_at.max(grant.created_at));
    let entry = known.entry(grant.client_id).or_insert_with(|| Known {
        scope: Scope::EMPTY,
        since: grant.created_at,
        last_used: None,
        offline: false,
    });
    entry.scope = entry.scope.union(&grant.scope);
    entry.since = entry.since.min(grant.created_at);
    entry.last_used = entry.last_used.max(Some(used));
    entry.offline |= offline;
}

fn shown(visit: &Visit, client_id: &str, known: &Known, usages: &[&Usage]) -> Option<Access> {
    let directory = visit.app.directory();
    let client = directory.clients.get(client_id)?;
    let language = visit.language(None);
    // Who it is comes first; "do this when you are not here" speaks of the others and comes last.
    let mut scopes: Vec<&str> = known.scope.iter().collect();
    scopes.sort_by_key(|scope| (*scope != "openid", *scope == "offline_access"));
    let of_scopes = usage::by_scope(usages.iter().copied());
    let granted = |scope: &str| Granted {
        last_used: of_scopes.get(scope).map(|summary| summary.last_at.seconds()),
        sentence: scope_sentence(&directory, language, scope),
    };
    let last = usages.iter().max_by_key(|usage| usage.last_at);
    let last_used = known.last_used.max(last.map(|usage| usage.last_at));
    let place = last.filter(|usage| Some(usage.last_at) == last_used).map(|usage| usage.network.clone());
    Some(Access {
        open: client.sign_in_page(visit.app.provider.issuer.as_str()),
        app: app_of(client, language),
        id: client_id.to_owned(),
        last_used: last_used.map(Time::seconds),
        offline: known.offline,
        place: place.filter(|network| !network.is_empty()),
        scopes: scopes.into_iter().map(granted).collect(),
        since: known.since.seconds(),
        used: lately(&visit.app, usages),
    })
}
