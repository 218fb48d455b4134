//! The difference between what a file declares and what is kept. A plain function: nothing is read, drawn or written here.

pub mod api_keys;
mod taken;

use std::collections::{BTreeSet, HashMap};

use grantor_core::client::{Client, ClientMetadata, ClientSecret};
use grantor_core::directory::{Directory, Group, Resource, ScopeDefinition};
use grantor_core::forward_auth::{Apps, ProxiedApp};
use grantor_core::network::Networks;
use grantor_core::upstream::{Upstream, UpstreamAuthMethod, UpstreamDefinition};
use grantor_core::user::User;
use grantor_jose::secret::SecretText;
use serde::Serialize;
use serde_json::{Map, Value};

use api_keys::{KeyFacts, KeyItem};

use super::client::too_short;
use super::{Declaration, DeclaredClient, DeclaredPassword, DeclaredUpstream, DeclaredUser};

/// What is kept now, as far as a declaration concerns it.
pub struct Current<'a> {
    /// Clients, scopes and APIs.
    pub directory: &'a Directory,
    /// The people who are declared, or let in to a declared app by name, and have an account; by username.
    pub users: &'a HashMap<String, User>,
    /// The keys of apps.
    pub keys: KeyFacts<'a>,
    /// Whether a password is the one of a hash.
    pub verify: &'a dyn Fn(&SecretText, &str) -> bool,
}

/// What to do so that what is kept is what is declared.
#[derive(Debug, Default)]
pub struct Plan {
    /// One for each declared thing that is new or differs.
    pub steps: Vec<Step>,
    /// How many declared things are as declared.
    pub unchanged: usize,
    /// What is allowed, and better otherwise.
    pub warnings: Vec<String>,
    /// What cannot be done, so that nothing is.
    pub faults: Vec<String>,
}

/// One thing to make or change.
#[derive(Debug)]
pub struct Step {
    /// The thing as it shall be.
    pub item: Item,
    /// The names of what differs; nothing when the thing is new.
    pub fields: Option<Vec<String>>,
}

/// A thing as it shall be.
#[derive(Debug)]
pub enum Item {
    /// A key of an app.
    ApiKey(Box<KeyItem>),
    /// An app behind a proxy.
    App(ProxiedApp),
    /// An app.
    Client(Box<ClientItem>),
    /// A group.
    Group(Group),
    /// An API.
    Resource(Resource),
    /// A scope.
    Scope(ScopeDefinition),
    /// An upstream.
    Upstream(UpstreamItem),
    /// A person.
    User(UserItem),
}

/// An upstream as it shall be.
#[derive(Debug)]
pub struct UpstreamItem {
    /// What is declared of it.
    pub definition: UpstreamDefinition,
    /// Our secret there.
    pub client_secret: Option<SecretText>,
    /// The upstream as it is.
    pub before: Option<std::sync::Arc<Upstream>>,
}

/// An app as it shall be.
#[derive(Debug)]
pub struct ClientItem {
    /// The identifier.
    pub client_id: String,
    /// What is registered of it.
    pub metadata: ClientMetadata,
    /// Whether it is switched off.
    pub disabled: bool,
    /// What becomes of its secrets.
    pub secret: SecretStep,
    /// The app as it is.
    pub before: Option<std::sync::Arc<Client>>,
}

/// What becomes of an app's secrets.
#[derive(Clone, Debug)]
pub enum SecretStep {
    /// They go, since the app authenticates in another way.
    Drop,
    /// One is made, and shown once.
    Generate,
    /// They stay.
    Keep,
    /// They stay, and the one that counts is this one, of which only the hash was kept: from now on it is needed itself.
    Know(SecretText),
    /// This one counts from now on, the one before for a while yet.
    Replace(SecretText),
}

/// A person as they shall be.
#[derive(Debug)]
pub struct UserItem {
    /// The name to sign in with.
    pub username: String,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The groups.
    pub groups: Vec<String>,
    /// From where the person may sign in and be served.
    pub networks: Networks,
    /// Whether the account is switched off.
    pub disabled: bool,
    /// The new password; nothing when it stays.
    pub password: Option<DeclaredPassword>,
    /// The person as they are.
    pub before: Option<User>,
}

impl UserItem {
    /// Whether sessions and grants end: the account is switched off, or its password is another.
    pub fn ends_access(&self) -> bool {
        self.before.as_ref().is_some_and(|before| self.password.is_some() || (self.disabled && !before.disabled))
    }
}

impl Item {
    /// What it is, for people and machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::App(_) => "app",
            Self::Client(_) => "client",
            Self::Group(_) => "group",
            Self::Resource(_) => "resource",
            Self::Scope(_) => "scope",
            Self::Upstream(_) => "upstream",
            Self::User(_) => "user",
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::ApiKey(key) => &key.label,
            Self::App(app) => &app.name,
            Self::Client(client) => &client.client_id,
            Self::Group(group) => &group.name,
            Self::Resource(resource) => &resource.identifier,
            Self::Scope(scope) => &scope.name,
            Self::Upstream(upstream) => &upstream.definition.name,
            Self::User(user) => &user.username,
        }
    }
}

/// Compares a declaration with what is kept.
pub fn plan(declaration: &Declaration, current: &Current) -> Plan {
    let directory = current.directory;
    let scopes = declaration.scopes.iter().map(|declared| {
        let before = directory.scopes.get(&declared.definition.name);
        (Item::Scope(declared.definition.clone()), before.map(|before| differing(before, &declared.definition)))
    });
    let groups = declaration.groups.iter().map(|declared| {
        let before = directory.groups.get(&declared.group.name);
        (Item::Group(declared.group.clone()), before.map(|before| differing(before, &declared.group)))
    });
    let resources = declaration.resources.iter().map(|declared| {
        let before = directory.resources.get(&declared.resource.identifier);
        (Item::Resource(declared.resource.clone()), before.map(|before| differing(before, &declared.resource)))
    });
    let apps = declaration.apps.iter().map(|declared| {
        let before = directory.apps.get(&declared.app.name);
        (Item::App(declared.app.clone()), before.map(|before| differing(before.as_ref(), &declared.app)))
    });
    let clients = declaration.clients.iter().map(|declared| client(declared, directory));
    let upstreams = declaration.upstreams.iter().map(|declared| upstream(declared, directory));
    let users = declaration.users.iter().map(|declared| user(declared, current));
    let mut plan = Plan { warnings: declaration.warnings.clone(), ..Plan::default() };
    let declared = scopes.chain(groups).chain(resources).chain(clients).chain(upstreams).chain(users).chain(apps);
    for (item, fields) in declared {
        match fields {
            Some(fields) if fields.is_empty() => plan.unchanged += 1,
            fields => plan.steps.push(Step { item, fields }),
        }
    }
    plan.faults.extend(declaration.clients.iter().filter_map(|declared| unfit_secret(declared, directory)));
    // After the apps that they belong to.
    api_keys::plan(declaration, current, &mut plan);
    plan.faults.extend(declaration.clients.iter().filter_map(|declared| taken::client(declared, directory)));
    plan.faults.extend(declaration.users.iter().filter_map(|declared| taken::user(declared, current)));
    plan.warnings.extend(loose_ends(declaration, directory));
    plan.warnings.extend(declaration.apps.iter().flat_map(|declared| taken::let_in(declared, current)));
    plan
}

fn client(declared: &DeclaredClient, directory: &Directory) -> (Item, Option<Vec<String>>) {
    let before = directory.clients.get(&declared.client_id);
    let secret = secret_step(declared, before.map(AsRef::as_ref));
    let disabled = declared.disabled.unwrap_or_else(|| before.is_some_and(|before| before.disabled));
    let fields = before.map(|before| {
        let mut fields = differing(&before.metadata, &declared.metadata);
        if !matches!(secret, SecretStep::Keep) {
            fields.push("client_secret".into());
        }
        if before.disabled != disabled {
            fields.push("disabled".into());
        }
        fields
    });
    let metadata = declared.metadata.clone();
    let item =
        ClientItem { client_id: declared.client_id.clone(), metadata, disabled, secret, before: before.cloned() };
    (Item::Client(Box::new(item)), fields)
}

fn secret_step(declared: &DeclaredClient, before: Option<&Client>) -> SecretStep {
    let (kept, method) = (current_secret(before), declared.metadata.token_endpoint_auth_method);
    match (&declared.secret, kept) {
        _ if !method.uses_secret() => {
            let any = before.is_some_and(|before| !before.secrets.is_empty());
            if any { SecretStep::Drop } else { SecretStep::Keep }
        }
        (None, None) => SecretStep::Generate,
        (None, Some(_)) => SecretStep::Keep,
        (Some(given), Some(kept)) if kept.hash == given.hash() => {
            let is_unknown = method.needs_secret_text() && kept.text.is_none();
            if is_unknown { SecretStep::Know(given.clone()) } else { SecretStep::Keep }
        }
        (Some(given), _) => SecretStep::Replace(given.clone()),
    }
}

/// The secret of an app that no other has replaced.
fn current_secret(before: Option<&Client>) -> Option<&ClientSecret> {
    before?.secrets.iter().find(|secret| secret.expires_at.is_none())
}

/// Why an app cannot go on with the secret that is kept of it.
fn unfit_secret(declared: &DeclaredClient, directory: &Directory) -> Option<String> {
    let method = declared.metadata.token_endpoint_auth_method;
    let kept = current_secret(directory.clients.get(&declared.client_id).map(AsRef::as_ref))?;
    if declared.secret.is_some() || !method.needs_secret_text() {
        return None;
    }
    let why = match &kept.text {
        None => "is kept as a hash alone, and client_secret_jwt needs it itself".to_owned(),
        Some(text) => {
            format!(
                "as it is kept is shorter than {} bytes, which its algorithm needs",
                too_short(text, &declared.metadata)?
            )
        }
    };
    let command =
        format!("grantor client secret {} --token-endpoint-auth-method client_secret_jwt", declared.client_id);
    Some(declared.place.remark("client_secret", &format!("{why}; declare one here, or have one made by `{command}`")))
}

fn upstream(declared: &DeclaredUpstream, directory: &Directory) -> (Item, Option<Vec<String>>) {
    let before = directory.upstreams.get(&declared.definition.name);
    let kept = before.and_then(|before| before.client_secret.as_ref());
    let given = declared.client_secret.as_ref();
    let differs = given.is_some_and(|given| kept.is_none_or(|kept| kept.hash() != given.hash()));
    let fields = before.map(|before| {
        let mut fields = differing(&before.definition, &declared.definition);
        fields.extend(differs.then(|| "client_secret".to_owned()));
        fields
    });
    let client_secret = given.or(kept).cloned();
    let item = UpstreamItem { definition: declared.definition.clone(), client_secret, before: before.cloned() };
    (Item::Upstream(item), fields)
}

fn user(declared: &DeclaredUser, current: &Current) -> (Item, Option<Vec<String>>) {
    let before = current.users.get(&declared.username);
    let password = declared.password.clone().filter(|password| !is_kept(password, before, current));
    let disabled = declared.disabled.unwrap_or_else(|| before.is_some_and(|before| before.disabled));
    let groups: Vec<String> = declared.groups.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let fields = before.map(|before| {
        let mut fields = differing(&before.claims, &declared.claims);
        let others = [
            ("groups", before.groups != groups),
            ("networks", before.networks != declared.networks),
            ("password", password.is_some()),
            ("disabled", before.disabled != disabled),
        ];
        fields.extend(others.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()));
        fields
    });
    let claims = declared.claims.clone();
    let item = UserItem {
        username: declared.username.clone(),
        claims,
        groups,
        networks: declared.networks.clone(),
        disabled,
        password,
        before: before.cloned(),
    };
    (Item::User(item), fields)
}

fn is_kept(password: &DeclaredPassword, before: Option<&User>, current: &Current) -> bool {
    let Some(kept) = before.and_then(|before| before.password.as_deref()) else { return false };
    match password {
        DeclaredPassword::Plain(plain) => (current.verify)(plain, kept),
        DeclaredPassword::Hash(hash) => hash.expose() == kept,
    }
}

/// The names of members that differ.
fn differing<T: Serialize>(before: &T, after: &T) -> Vec<String> {
    let members = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let (before, after) = (members(before), members(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// Names that lead nowhere, which is no error, since another file may declare what they mean.
fn loose_ends(declaration: &Declaration, directory: &Directory) -> Vec<String> {
    let declared = |scope: &str| {
        declaration.scopes.iter().any(|known| known.definition.name == scope)
            || declaration.resources.iter().any(|known| known.resource.scopes.contains(scope))
    };
    let mut remarks = Vec::new();
    for client in &declaration.clients {
        for scope in client.metadata.scope.iter().filter(|scope| !directory.knows_scope(scope) && !declared(scope)) {
            remarks
                .push(client.place.remark("scope", &format!("\"{scope}\" is declared nowhere; add it to [[scopes]]")));
        }
    }
    for api in &declaration.resources {
        let unknown = |client_id: &&String| {
            !directory.clients.contains_key(*client_id)
                && !declaration.clients.iter().any(|client| client.client_id == **client_id)
        };
        for client_id in api.resource.introspection_clients.iter().filter(unknown) {
            remarks.push(api.place.remark("introspection_clients", &format!("\"{client_id}\" is declared nowhere")));
        }
    }
    for declared in &declaration.apps {
        let is_declared = |identifier: &String| {
            directory.resources.contains_key(identifier)
                || declaration.resources.iter().any(|known| known.resource.identifier == *identifier)
        };
        if let Some(unknown) = declared.app.resource.as_ref().filter(|identifier| !is_declared(identifier)) {
            let message = format!("\"{unknown}\" is declared nowhere; add it to [[resources]]");
            remarks.push(declared.place.remark("resource", &message));
        }
        let declared_apps: Apps = declaration.apps.iter().map(|known| known.app.clone()).collect();
        let others = directory.apps.rivals(&declared.app).filter(|name| declared_apps.get(name).is_none());
        for rival in others.chain(declared_apps.rivals(&declared.app)) {
            let message = format!(
                "\"{rival}\" is declared for the same address, so nobody can enter either there; `grantor app remove` takes one away"
            );
            remarks.push(declared.place.remark("paths", &message));
        }
    }
    remarks.extend(declaration.upstreams.iter().filter_map(|declared| without_secret(declared, directory)));
    remarks
}

fn without_secret(declared: &DeclaredUpstream, directory: &Directory) -> Option<String> {
    let kept = directory.upstreams.get(&declared.definition.name).and_then(|before| before.client_secret.as_ref());
    let needs_one = declared.definition.token_endpoint_auth_method != UpstreamAuthMethod::None;
    let message = "is missing, and none is kept; or set token_endpoint_auth_method = \"none\"";
    let is_missing = needs_one && declared.client_secret.is_none() && kept.is_none();
    is_missing.then(|| declared.place.remark("client_secret", message))
}
