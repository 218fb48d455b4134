//! Committing a plan: every change with its event, all or none.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::api_token::issue::room;
use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::{Change, GrantsOf};
use grantor_core::client::{Client, ClientSecret, Trust};
use grantor_core::directory::Directory;
use grantor_core::grant::GrantEnd;
use grantor_core::notice::{News, Notice};
use grantor_core::policy::{Lifetimes, TokenPolicy};
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::upstream::{Upstream, UpstreamChange};
use grantor_core::user::User;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use grantor_jose::secret::SecretText;
use grantor_storage::Database;

use super::client::new_secret;
use super::plan::api_keys::{KeyFacts, KeyItem, KeyStep};
use super::plan::{ClientItem, Current, Item, Plan, SecretStep, UpstreamItem, UserItem, plan};
use super::{Declaration, DeclaredPassword};
use crate::passwords::{self, PasswordError};

/// How often a plan is made again when somebody else changed something meanwhile.
const ATTEMPTS: usize = 5;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// What is declared cannot be, with what is kept.
    #[error("{}", .0.join("\n"))]
    Impossible(Vec<String>),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a plan is carried out with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Where identifiers and secrets come from.
    pub mint: &'a Mint,
    /// How long a replaced secret counts.
    pub lifetimes: &'a Lifetimes,
    /// How long keys may live.
    pub tokens: &'a TokenPolicy,
    /// When.
    pub now: Time,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The plan.
    pub plan: Plan,
    /// The secrets made, by client. They are shown once and kept nowhere.
    pub secrets: Vec<(String, SecretText)>,
}

/// Makes what is kept what is declared; with `dry_run`, only says how.
///
/// # Errors
/// When a password cannot be hashed or the store fails; nothing was changed then.
pub async fn apply(
    database: &Database,
    declaration: &Declaration,
    tools: Tools<'_>,
    dry_run: bool,
) -> Result<Outcome, ApplyError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let directory = database.directory();
        let plan = load_and_plan(database, (declaration, &directory), tools).await?;
        if !plan.faults.is_empty() {
            return Err(ApplyError::Impossible(plan.faults));
        }
        if dry_run || plan.steps.is_empty() {
            return Ok(Outcome { plan, secrets: Vec::new() });
        }
        let Decided { mut changes, secrets } = decide(&plan, tools)?;
        // An app that was removed meanwhile may have had a key that has ended.
        changes.insert(0, Change::DirectoryExpect { revision: directory.revision });
        match database.commit(changes).await {
            Ok(()) => return Ok(Outcome { plan, secrets }),
            Err(StoreError::Conflict) if attempts < ATTEMPTS => database.refresh_directory().await?,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn load_and_plan(
    database: &Database,
    (declaration, directory): (&Declaration, &Directory),
    tools: Tools<'_>,
) -> Result<Plan, StoreError> {
    let mut users = HashMap::new();
    let let_in = declaration.apps.iter().flat_map(|declared| &declared.app.users);
    let names: BTreeSet<&String> = declaration.users.iter().map(|declared| &declared.username).chain(let_in).collect();
    for name in names {
        if let Some(user) = database.user_find_by_username(name).await? {
            users.insert(name.clone(), user);
        }
    }
    let kept = load_keys(database, declaration).await?;
    let declared: Vec<Id> = declaration.api_keys.iter().map(|key| key.proof.id).collect();
    let ended = if declared.is_empty() { Vec::new() } else { database.ended_keys(&declared).await? };
    let keys = KeyFacts { kept: &kept, ended: &ended, policy: tools.tokens, now: tools.now };
    Ok(plan(declaration, &Current { directory, users: &users, keys, verify: &passwords::verify }))
}

/// The keys of each app of which one is declared, and the declared ones, whoever has them.
async fn load_keys(database: &Database, declaration: &Declaration) -> Result<Vec<ApiToken>, StoreError> {
    let mut kept: Vec<ApiToken> = Vec::new();
    let owners: BTreeSet<&String> = declaration.api_keys.iter().map(|key| &key.client_id).collect();
    for client_id in owners {
        kept.extend(database.api_tokens_of(&Owner::Client(client_id.clone())).await?);
    }
    for declared in &declaration.api_keys {
        if kept.iter().all(|token| token.id != declared.proof.id) {
            kept.extend(database.api_token_find(declared.proof.id).await?.map(|facts| facts.token));
        }
    }
    Ok(kept)
}

/// The changes of a plan, and the secrets made for it.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) changes: Vec<Change>,
    secrets: Vec<(String, SecretText)>,
}

pub(super) fn decide(plan: &Plan, tools: Tools) -> Result<Decided, ApplyError> {
    let mut decided = Decided::default();
    for step in &plan.steps {
        let detail = match &step.fields {
            None => "created".to_owned(),
            Some(fields) => format!("changed {}", fields.join(", ")),
        };
        let event = |kind| {
            Event::new(tools.mint.id(tools.now.millis()), tools.now, kind)
                .detail(&format!("{} {detail}", step.item.name()))
        };
        match &step.item {
            Item::App(app) => {
                decided.directory(Change::ProxiedAppPut(Box::new(app.clone())), event(EventKind::ProxiedAppChanged));
            }
            Item::ApiKey(item) => decided.key(item, &event, tools),
            Item::Client(item) => decided.client(item, event(EventKind::ClientChanged).client(&item.client_id), tools),
            Item::User(item) => decided.user(item, event(EventKind::UserChanged), tools)?,
            Item::Scope(scope) => {
                decided.directory(Change::ScopePut(Box::new(scope.clone())), event(EventKind::ResourceChanged));
            }
            Item::Group(group) => {
                decided.directory(Change::GroupPut(Box::new(group.clone())), event(EventKind::GroupChanged));
            }
            Item::Upstream(item) => decided.upstream(item, event(EventKind::UpstreamChanged), tools),
            Item::Resource(api) => {
                decided.directory(Change::ResourcePut(Box::new(api.clone())), event(EventKind::ResourceChanged));
            }
        }
    }
    Ok(decided)
}

impl Decided {
    fn key(&mut self, KeyItem { token, step, .. }: &KeyItem, event: &dyn Fn(EventKind) -> Event, tools: Tools) {
        let client_id = match &token.owner {
            Owner::Client(client_id) => client_id.as_str(),
            Owner::User(_) => "",
        };
        let (kind, change) = match step {
            KeyStep::Change => (EventKind::ApiTokenChanged, Change::ApiTokenAmend(Box::new(token.clone()))),
            KeyStep::Issue => (EventKind::ApiTokenIssued, Change::ApiTokenInsert(Box::new(token.clone()))),
            KeyStep::Revoke => {
                let end = ApiTokenEnd::RevokedByAdministrator;
                (EventKind::ApiTokenEnded, Change::ApiTokenEnd { id: token.id, at: tools.now, end })
            }
        };
        let told = event(kind).client(client_id);
        let told = match step {
            KeyStep::Issue => told.detail(&format!("{} {}", token.hint(), token.scope)),
            KeyStep::Revoke => told.reason(ApiTokenEnd::RevokedByAdministrator.as_str()).detail(&token.hint()),
            KeyStep::Change => told,
        };
        let room = matches!(step, KeyStep::Issue).then(|| room(token.owner.clone(), tools.tokens, tools.now));
        self.changes.extend(room);
        self.changes.extend([change, Change::EventInsert(Box::new(told))]);
    }

    fn directory(&mut self, change: Change, event: Event) {
        self.changes.extend([change, Change::EventInsert(Box::new(event))]);
    }

    fn client(&mut self, item: &ClientItem, event: Event, tools: Tools) {
        let (before, method) = (item.before.as_deref(), item.metadata.token_endpoint_auth_method);
        let secret = match &item.secret {
            SecretStep::Generate => {
                let text = new_secret(tools.mint, method);
                self.secrets.push((item.client_id.clone(), text.clone()));
                Some(text)
            }
            SecretStep::Replace(text) => Some(text.clone()),
            SecretStep::Drop | SecretStep::Keep | SecretStep::Know(_) => None,
        };
        let secret = secret.map(|text| ClientSecret::new(&text, method, tools.now));
        let client = Client {
            client_id: item.client_id.clone(),
            metadata: item.metadata.clone(),
            secrets: with_secret(kept_secrets(item), secret, tools),
            trust: before.map_or(Trust::Administrator, |before| before.trust),
            disabled: item.disabled,
            created_at: before.map_or(tools.now, |before| before.created_at),
            updated_at: tools.now,
        };
        // Also when it is switched on again: a node that had not heard yet may have given it something meanwhile.
        let is_switched = before.is_some_and(|before| before.disabled != item.disabled);
        // "its "sub" Claim Value MUST be the same as in the ID Token issued when the original authentication occurred" (OIDC Core
        // §12.2); so who gets another subject signs in anew.
        let renames = before.is_some_and(|before| !before.metadata.keeps_subjects(&item.metadata));
        if is_switched || renames {
            self.changes.push(ended(GrantsOf::Client(item.client_id.clone()), tools.now));
        }
        self.changes.extend([Change::ClientPut(Box::new(client)), Change::EventInsert(Box::new(event))]);
    }

    fn upstream(&mut self, item: &UpstreamItem, event: Event, tools: Tools) {
        let id = item.before.as_ref().map_or_else(|| tools.mint.id(tools.now.millis()), |before| before.id);
        let (definition, client_secret) = (item.definition.clone(), item.client_secret.clone());
        // Whoever came in through it is not believed any longer; also when it is switched on again, since a node that had not heard
        // yet may have let somebody in meanwhile.
        if item.before.as_ref().is_some_and(|before| before.definition.disabled != definition.disabled) {
            self.changes.push(UpstreamChange::SessionsEnd { id, at: tools.now }.into());
        }
        let upstream = UpstreamChange::Put(Box::new(Upstream { id, definition, client_secret }));
        self.directory(upstream.into(), event);
    }

    fn user(&mut self, item: &UserItem, event: Event, tools: Tools) -> Result<(), ApplyError> {
        let before = item.before.as_ref();
        let id = before.map_or_else(|| tools.mint.id(tools.now.millis()), |before| before.id);
        let password = match &item.password {
            Some(DeclaredPassword::Plain(plain)) => Some(passwords::hash(plain, tools.mint.random())?),
            Some(DeclaredPassword::Hash(hash)) => Some(hash.expose().to_owned()),
            None => before.and_then(|before| before.password.clone()),
        };
        let user = User {
            id,
            subject: before
                .map_or_else(|| URL_SAFE_NO_PAD.encode(tools.mint.bytes::<16>()), |before| before.subject.clone()),
            username: item.username.clone(),
            password,
            claims: item.claims.clone(),
            groups: item.groups.clone(),
            networks: item.networks.clone(),
            disabled: item.disabled,
            self_made: before.is_some_and(|before| before.self_made),
            created_at: before.map_or(tools.now, |before| before.created_at),
            updated_at: tools.now,
        };
        let event = event.user(id);
        let notice = |id, news| Change::NoticeInsert(Box::new(Notice { id, user_id: user.id, at: tools.now, news }));
        if before.is_some() && item.password.is_some() {
            self.changes.push(notice(event.id, News::PasswordChanged));
        }
        if let Some(former) = before.and_then(User::proved_email).filter(|former| user.proved_email() != Some(former)) {
            let news = News::EmailChanged { former: former.to_owned() };
            self.changes.push(notice(tools.mint.id(tools.now.millis()), news));
        }
        self.changes.extend([Change::UserPut(Box::new(user)), Change::EventInsert(Box::new(event))]);
        if item.ends_access() {
            self.changes.extend([
                Change::SessionsEnd { user_id: id, except: None, at: tools.now },
                ended(GrantsOf::User(id), tools.now),
            ]);
        }
        Ok(())
    }
}

/// What stays of an app's secrets.
fn kept_secrets(item: &ClientItem) -> Vec<ClientSecret> {
    let kept = item.before.as_ref().map(|before| before.secrets.clone()).unwrap_or_default();
    let known = |secret: ClientSecret| match &item.secret {
        SecretStep::Know(text) if text.hash() == secret.hash => ClientSecret { text: Some(text.clone()), ..secret },
        _ => secret,
    };
    if matches!(item.secret, SecretStep::Drop) { Vec::new() } else { kept.into_iter().map(known).collect() }
}

/// An app's secrets when `fresh` counts from now on: the ones before count for a while yet, so that no app is cut off.
fn with_secret(kept: Vec<ClientSecret>, fresh: Option<ClientSecret>, tools: Tools) -> Vec<ClientSecret> {
    let Some(fresh) = fresh else { return kept };
    let overlap = tools.now.plus(tools.lifetimes.client_secret_overlap);
    let living = kept.into_iter().filter(|secret| secret.expires_at.is_none_or(|end| tools.now < end));
    let replaced = living.map(|secret| ClientSecret {
        expires_at: Some(secret.expires_at.map_or(overlap, |end| end.min(overlap))),
        ..secret
    });
    replaced.chain([fresh]).collect()
}

fn ended(of: GrantsOf, at: Time) -> Change {
    Change::GrantsEnd { of, at, end: GrantEnd::RevokedByAdministrator }
}
