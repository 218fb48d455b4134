//! Keys of apps: which are issued, changed and revoked. What was ended in another way stays ended, and what has had a new secret
//! by command is left to commands.

use grantor_core::api_token::{ApiToken, Owner};
use grantor_core::policy::TokenPolicy;
use grantor_core::scope::Scope;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use super::{Current, Item, Plan, Step};
use crate::declare::{Declaration, DeclaredKey};

/// What is kept of the keys of declared apps, and what is decided by.
#[derive(Clone, Copy)]
pub struct KeyFacts<'a> {
    /// The keys of the apps of which some are declared, and the declared ones.
    pub kept: &'a [ApiToken],
    /// Those of the declared ones that had ended when their app was removed.
    pub ended: &'a [Id],
    /// How long keys may live.
    pub policy: &'a TokenPolicy,
    /// When.
    pub now: Time,
}

/// A key as it shall be.
#[derive(Debug)]
pub struct KeyItem {
    /// The app and the name of the key.
    pub label: String,
    /// The key; what does not change as it is.
    pub token: ApiToken,
    /// What becomes of it.
    pub step: KeyStep,
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// It is another in name, scopes, API, networks or end.
    Change,
    /// It counts from now on.
    Issue,
    /// It counts no more.
    Revoke,
}

/// Adds what is to be done with keys.
pub(super) fn plan(declaration: &Declaration, current: &Current<'_>, plan: &mut Plan) {
    for declared in &declaration.api_keys {
        let key = Key { declaration, declared, current };
        let found = current.keys.kept.iter().find(|token| token.id == declared.proof.id);
        let step = match found {
            None => key.unknown(plan),
            Some(token) => key.known(token, plan),
        };
        let counting = step.as_ref().ok().and_then(|step| key.counting(step.as_ref(), found));
        let replaced = counting.map(|counting| key.before(counting)).unwrap_or_default();
        match step {
            Ok(Some(step)) => plan.steps.push(step),
            Ok(None) => plan.unchanged += 1,
            Err((name, why)) => plan.faults.push(declared.place.remark(name, why)),
        }
        plan.steps.extend(replaced);
        if found.is_none_or(|token| token.ended.is_none()) && !declared.revoked {
            plan.warnings.extend(key.loose_ends());
        }
    }
}

/// The key of the declaration that is wrong, and what is wrong with it.
type Fault = (&'static str, &'static str);

/// One declared key and what is known beside it.
struct Key<'a> {
    declaration: &'a Declaration,
    declared: &'a DeclaredKey,
    current: &'a Current<'a>,
}

impl Key<'_> {
    fn owner(&self) -> Owner {
        Owner::Client(self.declared.client_id.clone())
    }

    fn label(&self) -> String {
        format!("{}/{}", self.declared.client_id, self.declared.name)
    }

    /// A key that is not kept.
    fn unknown(&self, plan: &mut Plan) -> Result<Option<Step>, Fault> {
        let (declared, facts) = (self.declared, self.current.keys);
        self.check_client()?;
        if facts.ended.contains(&declared.proof.id) {
            self.warn_of_end(plan);
            return Ok(None);
        }
        if declared.expires_at <= facts.now {
            plan.warnings.push(declared.place.remark("expires", "is over; leave the key out, or make another"));
            return Ok(None);
        }
        if declared.revoked {
            return Ok(None);
        }
        self.check_end()?;
        let owner = self.owner();
        let planned = plan.steps.iter().filter(
            |step| matches!(&step.item, Item::ApiKey(item) if item.token.owner == owner && item.step == KeyStep::Issue),
        );
        let live = facts.kept.iter().filter(|token| token.owner == owner && token.is_live(facts.now));
        if live.count() + planned.count() >= facts.policy.per_owner {
            return Err(("client_id", "has as many keys as one app may have (tokens.per_owner); revoke one first"));
        }
        let token = ApiToken {
            id: declared.proof.id,
            owner,
            name: declared.name.clone(),
            secret: declared.proof.secret,
            replaced: None,
            scope: declared.scope.clone(),
            resource: declared.resource.clone(),
            networks: declared.networks.clone(),
            created_at: facts.now,
            rotated_at: facts.now,
            expires_at: declared.expires_at,
            ended: None,
            last_use: None,
        };
        let item = KeyItem { label: self.label(), token, step: KeyStep::Issue };
        Ok(Some(Step { item: Item::ApiKey(Box::new(item)), fields: None }))
    }

    /// A key that is kept, live or not.
    fn known(&self, token: &ApiToken, plan: &mut Plan) -> Result<Option<Step>, Fault> {
        let declared = self.declared;
        if token.owner != self.owner() {
            return Err(("client_id", "is not the one whose key this is"));
        }
        let changed = |token: ApiToken, step, fields: Vec<&str>| {
            let item = KeyItem { label: self.label(), token, step };
            let fields = fields.into_iter().map(str::to_owned).collect();
            Ok(Some(Step { item: Item::ApiKey(Box::new(item)), fields: Some(fields) }))
        };
        if token.ended.is_some() {
            self.warn_of_end(plan);
            return Ok(None);
        }
        if declared.revoked {
            return changed(token.clone(), KeyStep::Revoke, vec!["revoked"]);
        }
        if token.secret != declared.proof.secret {
            let why = "the key has had a new secret by command since, and is left as it is; to declare it again, make another";
            plan.warnings.push(declared.place.remark("key_hash", why));
            return Ok(None);
        }
        let differs = [
            ("name", token.name != declared.name),
            ("scope", token.scope != declared.scope),
            ("resource", token.resource != declared.resource),
            ("networks", token.networks != declared.networks),
            ("expires", token.expires_at != declared.expires_at),
        ];
        let fields: Vec<&str> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        if fields.is_empty() {
            return Ok(None);
        }
        if fields.contains(&"expires") {
            self.check_end()?;
        }
        let token = ApiToken {
            name: declared.name.clone(),
            scope: declared.scope.clone(),
            resource: declared.resource.clone(),
            networks: declared.networks.clone(),
            expires_at: declared.expires_at,
            ..token.clone()
        };
        changed(token, KeyStep::Change, fields)
    }

    fn warn_of_end(&self, plan: &mut Plan) {
        if !self.declared.revoked {
            plan.warnings.push(self.declared.place.remark("key_hash", "the key has ended, and stays so; make another"));
        }
    }

    /// The key as it is after the step, if it counts then.
    fn counting<'t>(&self, step: Option<&'t Step>, found: Option<&'t ApiToken>) -> Option<&'t ApiToken> {
        let after = match step.map(|step| &step.item) {
            Some(Item::ApiKey(item)) if item.step == KeyStep::Revoke => None,
            Some(Item::ApiKey(item)) => Some(&item.token),
            _ => found,
        };
        after.filter(|token| token.is_live(self.current.keys.now))
    }

    /// The older keys of the same name that this one takes the place of: they count for a while yet, so that nobody is cut off.
    fn before(&self, counting: &ApiToken) -> Vec<Step> {
        let facts = self.current.keys;
        let until = facts.now.plus(facts.policy.rotation_overlap);
        let is_declared = |token: &&ApiToken| self.declaration.api_keys.iter().any(|key| key.proof.id == token.id);
        let is_before = |token: &&ApiToken| {
            token.owner == self.owner() && token.name == self.declared.name && token.created_at < counting.created_at
        };
        let live = facts.kept.iter().filter(|token| token.is_live(facts.now) && until < token.expires_at);
        let replaced = live.filter(is_before).filter(|token| !is_declared(token)).map(|token| {
            let token = ApiToken { expires_at: until, ..token.clone() };
            let item = KeyItem { label: format!("{}, the one before", self.label()), token, step: KeyStep::Change };
            Step { item: Item::ApiKey(Box::new(item)), fields: Some(vec!["expires".to_owned()]) }
        });
        replaced.collect()
    }

    fn check_client(&self) -> Result<(), Fault> {
        let client_id = &self.declared.client_id;
        let declared = self.declaration.clients.iter().any(|client| client.client_id == *client_id);
        let known = declared || self.current.directory.clients.contains_key(client_id);
        if known { Ok(()) } else { Err(("client_id", "is no app that is declared or kept")) }
    }

    fn check_end(&self) -> Result<(), Fault> {
        let facts = self.current.keys;
        let in_time = self.declared.expires_at <= facts.now.plus(facts.policy.longest);
        if in_time { Ok(()) } else { Err(("expires", "is later than tokens may live here (tokens.longest)")) }
    }

    /// Scopes that the key does not give as long as its app, or the API, does not have them: no error, since what it gives is
    /// judged each time it is shown.
    fn loose_ends(&self) -> Vec<String> {
        let (declaration, directory, place) = (self.declaration, self.current.directory, &self.declared.place);
        let of_file = declaration.clients.iter().find(|client| client.client_id == self.declared.client_id);
        let kept = directory.clients.get(&self.declared.client_id).map(|client| &client.metadata.scope);
        let registered = of_file.map(|client| &client.metadata.scope).or(kept).cloned().unwrap_or(Scope::EMPTY);
        let declared = declaration.resources.iter().map(|declared| &declared.resource);
        let redeclared = |name: &str| declaration.resources.iter().any(|declared| declared.resource.identifier == name);
        let others = directory.resources.values().filter(|api| !redeclared(&api.identifier));
        let only = self.declared.resource.as_ref();
        let apis = declared.chain(others).filter(|api| only.is_none_or(|only| *only == api.identifier));
        let offered = apis.fold(Scope::EMPTY, |offered, api| offered.union(&api.scopes));
        let missing = self.declared.scope.filter(|scope| !registered.contains(scope) || !offered.contains(scope));
        let say = |scope| place.remark("scope", &format!("\"{scope}\" is not one that the app has and an API takes"));
        missing.iter().map(say).collect()
    }
}
