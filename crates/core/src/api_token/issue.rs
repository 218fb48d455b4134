//! The life of an API token: issued, rotated, revoked. Each answers a form that may be sent twice: the second time gives the
//! very token of the first, whose answer may have been lost.

use std::time::Duration;

use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use grantor_jose::secret::Secret;

use super::rights::{self, Person};
use super::{ApiToken, ApiTokenEnd, Owner, Rotation};
use crate::audit::{Event, EventKind, printable};
use crate::change::Change;
use crate::directory::Directory;
use crate::error::{Decision, Error};
use crate::network::Networks;
use crate::notice::{News, Notice};
use crate::policy::TokenPolicy;
use crate::provider::{Call, Fresh};
use crate::scope::Scope;
use crate::time::Time;

/// The longest name, in characters.
pub const MAX_NAME: usize = 80;

/// How old a form may be that makes a token, and how long its second sending gives the same token again.
const DRAFT_COUNTS_FOR: Duration = Duration::from_hours(24);

/// How far a node's clock may be behind that of the one that made the form.
const CLOCKS_APART: Duration = Duration::from_mins(1);

/// What an owner wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What to call it.
    pub name: String,
    /// What it is for.
    pub scope: Scope,
    /// The only API it is for.
    pub resource: Option<String>,
    /// Where it may be used from.
    pub networks: Networks,
    /// How long it lives.
    pub lifetime: Duration,
}

/// What decisions about tokens are taken by.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Clients, scopes and APIs.
    pub directory: &'a Directory,
    /// How long tokens may live.
    pub policy: &'a TokenPolicy,
    /// The request.
    pub call: Call<'a>,
    /// The identifier of the event.
    pub event_id: Id,
}

/// What an owner holds: the tokens, and the person where the owner is one.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Whose tokens they are.
    pub owner: &'a Owner,
    /// The person; none for a client.
    pub person: Person<'a>,
    /// Those that the owner has already.
    pub tokens: &'a [ApiToken],
}

/// A form that makes a token: its identifier, and what the secret is derived from. The form alone has it, and only we have the
/// key; so the same form makes the same token, and neither is kept.
pub type Draft = Fresh;

/// Issues a token; the reply is its text, which is shown this once.
///
/// # Errors
/// `TokenNameInvalid`, `TokenScopeEmpty`, `TokenScopeNotHeld`, `ResourceUnknown`, `TokenLifetimeTooLong`, `TokensTooMany`,
/// `DraftUsed`, `DraftExpired`.
pub fn issue(about: About<'_>, holder: Holder<'_>, draft: &Draft, wanted: Wanted) -> Result<Decision<String>, Error> {
    check_draft(draft, about.call.now)?;
    let (secret, kind) = (derived(about.directory, draft, (holder.owner, draft.id)), holder.owner.kind());
    if let Some(made) = holder.tokens.iter().find(|token| token.id == draft.id) {
        let again = made.secret.matches(&secret) && made.is_live(about.call.now);
        let text = again.then(|| kind.format(draft.id, &secret)).ok_or(Error::DraftUsed)?;
        return Ok(Decision { changes: Vec::new(), reply: text });
    }
    check(about, holder, &wanted)?;
    let now = about.call.now;
    let token = ApiToken {
        id: draft.id,
        owner: holder.owner.clone(),
        name: named(&wanted.name)?,
        secret: secret.hash(),
        replaced: None,
        scope: wanted.scope,
        resource: wanted.resource,
        networks: wanted.networks,
        created_at: now,
        rotated_at: now,
        expires_at: now.plus(wanted.lifetime),
        ended: None,
        last_use: None,
    };
    let event = event(about, EventKind::ApiTokenIssued, &token).detail(&format!("{} {}", token.hint(), token.scope));
    let news = News::TokenMade { token: token.named(), address: about.call.address.to_owned() };
    let notice = notice(about, &token, news);
    // First of all: of many at once each waits here for its turn.
    let room = room(holder.owner.clone(), about.policy, now);
    let mut changes = vec![room, Change::ApiTokenInsert(Box::new(token)), Change::EventInsert(Box::new(event))];
    changes.extend(notice);
    Ok(Decision { changes, reply: kind.format(draft.id, &secret) })
}

/// Gives a token a new secret and as much time as it had; the one before counts for a while longer, until whatever uses the
/// token knows the new one.
///
/// # Errors
/// `TokenEnded`, `DraftExpired`, `DraftUsed`.
pub fn rotate(about: About<'_>, token: &ApiToken, draft: &Draft) -> Result<Decision<String>, Error> {
    let now = about.call.now;
    check_draft(draft, now)?;
    let secret = derived(about.directory, draft, (&token.owner, token.id));
    let text = token.owner.kind().format(token.id, &secret);
    if !token.is_live(now) {
        return Err(Error::TokenEnded);
    }
    if token.secret.matches(&secret) {
        return Ok(Decision { changes: Vec::new(), reply: text });
    }
    // A form from before the last rotation would bring an old secret back, whatever the clocks say.
    if token.replaced.as_ref().is_some_and(|replaced| replaced.secret.matches(&secret)) {
        return Err(Error::DraftUsed);
    }
    if Time::from_millis(draft.id.created_ms()) < token.rotated_at {
        return Err(Error::DraftUsed);
    }
    let rotation = Rotation {
        expected: token.secret,
        successor: secret.hash(),
        at: now,
        // It gets no more time than it had.
        replaced_until: now.plus(about.policy.rotation_overlap).min(token.expires_at),
        expires_at: now.plus(lifetime(token, about.policy)),
    };
    let rotated = Change::ApiTokenRotate { id: token.id, rotation };
    let event = event(about, EventKind::ApiTokenRotated, token).detail(&token.hint());
    let address = about.call.address.to_owned();
    let notice = notice(about, token, News::TokenRotated { token: token.named(), address });
    let changes = [rotated, Change::EventInsert(Box::new(event))].into_iter().chain(notice).collect();
    Ok(Decision { changes, reply: text })
}

/// Expects that the owner may have one more.
pub fn room(owner: Owner, policy: &TokenPolicy, now: Time) -> Change {
    Change::ApiTokensExpect { owner, at: now, fewer_than: policy.per_owner }
}

/// How long a token lives from a rotation on: as long as it was made for.
pub fn lifetime(token: &ApiToken, policy: &TokenPolicy) -> Duration {
    token.expires_at.since(token.rotated_at).min(policy.longest)
}

/// Ends a token; nothing to do where it has ended.
pub fn revoke(about: About<'_>, token: &ApiToken, end: ApiTokenEnd) -> Vec<Change> {
    if token.ended.is_some() {
        return Vec::new();
    }
    let event = event(about, EventKind::ApiTokenEnded, token).reason(end.as_str()).detail(&token.hint());
    let ended = Change::ApiTokenEnd { id: token.id, at: about.call.now, end };
    vec![ended, Change::EventInsert(Box::new(event))]
}

/// The secret that a draft makes for one token of one owner: whoever gets hold of somebody's form makes nothing of it.
fn derived(directory: &Directory, draft: &Draft, (owner, token_id): (&Owner, Id)) -> Secret {
    let key: &MacKey = &directory.secrets.drafts;
    let owner = match owner {
        Owner::Client(client_id) => format!("client {client_id}"),
        Owner::User(id) => format!("user {id}"),
    };
    let ids = [draft.id, token_id].map(|id| id.as_i64().to_be_bytes());
    draft.secret.bound(key, &[&ids[0], &ids[1], owner.as_bytes()])
}

fn check_draft(draft: &Draft, now: Time) -> Result<(), Error> {
    let made_at = Time::from_millis(draft.id.created_ms());
    let counts = now.since(made_at) < DRAFT_COUNTS_FOR && made_at <= now.plus(CLOCKS_APART);
    if counts { Ok(()) } else { Err(Error::DraftExpired) }
}

fn check(about: About<'_>, holder: Holder<'_>, wanted: &Wanted) -> Result<(), Error> {
    let Holder { owner, person, tokens } = holder;
    if wanted.scope.is_empty() {
        return Err(Error::TokenScopeEmpty);
    }
    if !wanted.scope.is_subset(&rights::of_owner(about.directory, owner, person)) {
        return Err(Error::TokenScopeNotHeld);
    }
    if let Some(only) = &wanted.resource {
        let api = about.directory.resources.get(only).ok_or(Error::ResourceUnknown)?;
        if !wanted.scope.is_subset(&api.scopes) {
            return Err(Error::TokenScopeNotHeld);
        }
    }
    if wanted.lifetime > about.policy.longest || wanted.lifetime.is_zero() {
        return Err(Error::TokenLifetimeTooLong);
    }
    let live = tokens.iter().filter(|token| token.is_live(about.call.now)).count();
    if live >= about.policy.per_owner { Err(Error::TokensTooMany) } else { Ok(()) }
}

/// A name on one line, without spaces around it.
fn named(name: &str) -> Result<String, Error> {
    let name = printable(name.trim());
    if name.is_empty() || name.chars().count() > MAX_NAME { Err(Error::TokenNameInvalid) } else { Ok(name) }
}

fn event(about: About<'_>, kind: EventKind, token: &ApiToken) -> Event {
    let event = Event::new(about.event_id, about.call.now, kind);
    // A command comes from no address.
    let is_command = about.call.address.is_empty();
    event_of(if is_command { event } else { event.address(about.call.address) }, &token.owner)
}

/// A person is told that a token of theirs was made, or got a new secret: whoever uses their session may not be them.
fn notice(about: About<'_>, token: &ApiToken, news: News) -> Option<Change> {
    let Owner::User(user_id) = token.owner else { return None };
    Some(Change::NoticeInsert(Box::new(Notice { id: about.event_id, user_id, at: about.call.now, news })))
}

/// An event that concerns the owner of a token.
pub(crate) fn event_of(event: Event, owner: &Owner) -> Event {
    match owner {
        Owner::Client(client_id) => event.client(client_id),
        Owner::User(id) => event.user(*id),
    }
}
