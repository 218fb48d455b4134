//! What becomes of a request to register, read, update or remove a client. Plain functions: the caller reads what is kept, hands in
//! new identifiers and secrets, and commits.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::secret::{Secret, SecretText};

use super::answer::{Information, Made, information};
pub use super::opened::{Opened, open};
use super::read::Members;
use super::{InitialToken, Registration, RegistrationChange, read, statement};
use crate::audit::{Event, EventKind};
use crate::change::{Change, GrantsOf};
use crate::client::{Client, ClientMetadata, ClientSecret, Trust};
use crate::client_auth::{ClientAuthMethod, least_secret};
use crate::directory::Directory;
use crate::error::{Decision, Error};
use crate::grant::GrantEnd;
use crate::policy::Policy;
use crate::provider::{Call, Fresh};
use crate::redirect_uri;
use crate::time::Time;
use crate::token::REGISTRATION;

/// What is decided by.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The settings.
    pub policy: &'a Policy,
    /// The clients and keys.
    pub directory: &'a Directory,
    /// When, and from where.
    pub call: Call<'a>,
    /// The identifier of the event that tells of it.
    pub event_id: Id,
    /// The address of the registration endpoint.
    pub endpoint: &'a str,
}

/// Who registers: from where as limits count it, and with which initial access token.
#[derive(Clone, Debug)]
pub struct Registrant {
    /// The address, as limits count it.
    pub address: String,
    /// The token, which is good.
    pub token: Option<InitialToken>,
}

/// Registers a client.
///
/// # Errors
/// Those of what the body says: `RegistrationMalformed`, `MetadataInvalid`, `RedirectUriUnsafe`, `SoftwareStatement…`.
pub fn register(
    about: About<'_>,
    body: &[u8],
    who: Registrant,
    (fresh, secret): (&Fresh, &Secret),
) -> Result<Decision<Information>, Error> {
    let now = about.call.now;
    let metadata = about.metadata(read::members(body)?)?;
    // "It SHOULD NOT be currently valid for any other registered client" (RFC 7591 §3.2.1); nor is it one that the client chose
    // "It MUST NOT be currently valid for any other registered Client." (OIDC Registration §3.2)
    let client_id = super::client_id(fresh.id);
    let made = about.made(&metadata, secret);
    let secrets = made.iter().map(|made| made.kept(&metadata, now)).collect();
    let client = Client {
        client_id: client_id.clone(),
        metadata,
        secrets,
        trust: Trust::SelfRegistered,
        disabled: false,
        created_at: now,
        updated_at: now,
    };
    let registration = Registration {
        id: fresh.id,
        client_id,
        secret: fresh.secret.hash(),
        replaced: None,
        address: who.address.clone(),
        initial_token: who.token.as_ref().map(|token| token.id),
        created_at: now,
    };
    let policy = &about.policy.registration;
    let room = RegistrationChange::Room { address: who.address, per_address: policy.per_address, in_all: policy.most };
    let spend = who.token.as_ref().map(|token| RegistrationChange::TokenSpend { id: token.id, at: now }.into());
    let event = about.event(EventKind::ClientRegistered, &client);
    let event = match &who.token {
        Some(token) => event.detail(&format!("with {} ({})", token.hint(), token.name)),
        None => event,
    };
    let reply = about.told(&client, made.as_ref(), REGISTRATION.format(fresh.id, &fresh.secret));
    let changes = std::iter::once(room.into()).chain(spend).chain([
        Change::ClientPut(Box::new(client)),
        RegistrationChange::Insert(Box::new(registration)).into(),
        Change::EventInsert(Box::new(event)),
    ]);
    Ok(Decision { changes: changes.collect(), reply })
}

/// Tells a client what is registered of it. Its token stays as it is; where the answer to its last update was lost, it is told the
/// token that followed.
pub fn read(about: About<'_>, opened: &Opened) -> Decision<Information> {
    // "This operation SHOULD be idempotent -- not causing changes to the Client configuration." (OIDC Registration §4.2)
    // "However, since Read operations are intended to be idempotent, the Client Read Request itself SHOULD NOT cause changes
    // to the Client's registered Metadata values." (OIDC Registration §4.3)
    let successor = opened.presented.successor(&about.directory.secrets.registration);
    // After a new epoch another one follows from it.
    let follows = opened.is_replaced && opened.registration.secret.matches(&successor);
    let token = REGISTRATION.format(opened.registration.id, if follows { &successor } else { &opened.presented });
    let lost = about.lost(opened, &opened.client.metadata, &opened.client.secrets);
    Decision { changes: opened.acknowledged(), reply: about.told(&opened.client, lost.as_ref(), token) }
}

/// Puts what a client says in the place of what is registered of it.
///
/// # Errors
/// Those of [`register`], and `MetadataInvalid` for a member that the request must not have.
pub fn update(about: About<'_>, body: &[u8], opened: &Opened) -> Result<Decision<Information>, Error> {
    let now = about.call.now;
    let said = read::members(body)?;
    opened.check_own(&said, now)?;
    let metadata = about.metadata(said)?;
    let before = opened.client.as_ref();
    let live: Vec<ClientSecret> = before
        .secrets
        .iter()
        .filter(|secret| is_live(secret, now))
        .filter_map(|secret| served(secret, &metadata))
        .collect();
    let made = about.made(&metadata, &opened.presented).filter(|_| about.needs_secret(&live));
    let told = if made.is_some() { None } else { about.lost(opened, &metadata, &live) };
    let secrets = match (uses_secret(&metadata), &made) {
        (false, _) => Vec::new(),
        (true, None) => live,
        (true, Some(made)) => {
            let kept = made.kept(&metadata, now);
            // The same one made again, after its answer was lost for long, goes on.
            live.into_iter().filter(|known| known.hash != kept.hash).chain([kept.clone()]).collect()
        }
    };
    // "its "sub" Claim Value MUST be the same as in the ID Token issued when the original authentication occurred" (OIDC Core
    // §12.2); so who gets another subject signs in anew.
    let renames = !before.metadata.keeps_subjects(&metadata);
    let client = Client { metadata, secrets, updated_at: now, ..before.clone() };
    let successor = opened.presented.successor(&about.directory.secrets.registration);
    let rotated = RegistrationChange::Secret {
        id: opened.registration.id,
        expected: opened.registration.secret,
        secret: successor.hash(),
        replaced: Some(opened.replaced(now)),
    };
    let event = about.event(EventKind::ClientChanged, &client).detail("updated by itself");
    let told = made.as_ref().or(told.as_ref());
    let reply = about.told(&client, told, REGISTRATION.format(opened.registration.id, &successor));
    let of = GrantsOf::Client(client.client_id.clone());
    let ended = renames.then_some(Change::GrantsEnd { of, at: now, end: GrantEnd::RevokedByClient });
    // The registration first, which others that change or remove the client wait for.
    let client_id = client.client_id.clone();
    let forgotten =
        is_another(&before.metadata, &client.metadata).then(|| RegistrationChange::ConsentsForget { client_id }.into());
    let changes = [rotated.into(), opened.unchanged()].into_iter().chain(ended).chain(forgotten);
    let put = [Change::ClientPut(Box::new(client)), Change::EventInsert(Box::new(event))];
    Ok(Decision { changes: changes.chain(put).collect(), reply })
}

/// Removes a client with everything that it was allowed.
pub fn remove(about: About<'_>, opened: &Opened) -> Vec<Change> {
    // "If possible, the authorization server SHOULD immediately invalidate all existing authorization grants and currently active
    // access tokens, all refresh tokens, and all other tokens associated with this client." (RFC 7592 §2.3)
    let event = about.event(EventKind::ClientChanged, &opened.client).detail("removed by itself");
    vec![
        opened.held(),
        opened.unchanged(),
        Change::ClientRemove(opened.client.client_id.clone()),
        Change::EventInsert(Box::new(event)),
    ]
}

impl About<'_> {
    /// What the members of a request and of its statement make of a client.
    fn metadata(self, said: Members) -> Result<ClientMetadata, Error> {
        let (policy, now) = (&self.policy.registration, self.call.now);
        let (said, statement) = statement::merge(said, policy, (&self.policy.lifetimes, now))?;
        // "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response." (RFC 7591 §2)
        if said.contains_key("jwks") && said.contains_key("jwks_uri") {
            return Err(Error::MetadataInvalid("jwks", "must not stand beside jwks_uri; leave out one of them"));
        }
        let metadata = read::metadata(&said, self.policy)?;
        let ours = self.directory.keys.algorithms(now);
        check_algorithms(&metadata, &ours)?;
        // RS256 is what is meant where nothing is said; a server that has no such key says what it has.
        let has_default = ours.contains(&Algorithm::Rs256);
        let substitute = ours.first().copied().filter(|_| !has_default);
        let id_token_signed_response_alg = metadata.id_token_signed_response_alg.or(substitute);
        Ok(ClientMetadata { software_statement: statement, id_token_signed_response_alg, ..metadata })
    }

    /// The secret of a client that uses one. It follows from `seed`: from the token that was shown for an update, so that an answer
    /// that was lost can be had again.
    fn made(self, metadata: &ClientMetadata, seed: &Secret) -> Option<Made> {
        let lifetime = self.policy.registration.client_secret;
        let expires_at = (!lifetime.is_zero()).then(|| self.call.now.plus(lifetime));
        uses_secret(metadata).then(|| Made {
            text: self.text(metadata.token_endpoint_auth_method.needs_secret_text(), seed),
            expires_at,
        })
    }

    /// The long one is long enough for each algorithm of a method that needs the text.
    fn text(self, is_long: bool, seed: &Secret) -> SecretText {
        let key = &self.directory.secrets.registration;
        // "The same Client Secret value MUST NOT be assigned to multiple Clients." (OIDC Registration §3.2)
        let part = |number: &[u8]| SecretText::from(&seed.bound(key, &[b"client_secret", number]));
        if is_long {
            return SecretText::new(format!("{}{}", part(b"1").expose(), part(b"2").expose()));
        }
        part(b"1")
    }

    /// The secret that an update has made whose answer was lost, as the token says that was shown.
    fn lost(self, opened: &Opened, metadata: &ClientMetadata, live: &[ClientSecret]) -> Option<Made> {
        if !opened.is_replaced || !uses_secret(metadata) {
            return None;
        }
        // The update that was lost may have asked for another method than this one.
        let is_of_text = metadata.token_endpoint_auth_method.needs_secret_text();
        let texts = [true, false].into_iter().filter(|is_long| *is_long || !is_of_text);
        texts.map(|is_long| self.text(is_long, &opened.presented)).find_map(|text| {
            let hash = text.hash();
            let kept = live.iter().find(|known| known.hash == hash && is_live(known, self.call.now))?;
            Some(Made { text, expires_at: kept.expires_at })
        })
    }

    /// Whether none of these secrets counts for as long again as half of a secret's life.
    fn needs_secret(self, live: &[ClientSecret]) -> bool {
        let half = self.call.now.plus(self.policy.registration.client_secret / 2);
        !live.iter().any(|secret| secret.expires_at.is_none_or(|end| end > half))
    }

    fn event(self, kind: EventKind, client: &Client) -> Event {
        Event::new(self.event_id, self.call.now, kind).client(&client.client_id).address(self.call.address)
    }

    fn told(self, client: &Client, made: Option<&Made>, token: String) -> Information {
        information(client, made, (self.endpoint, token))
    }
}

const fn uses_secret(metadata: &ClientMetadata) -> bool {
    match metadata.token_endpoint_auth_method {
        ClientAuthMethod::ClientSecretBasic
        | ClientAuthMethod::ClientSecretJwt
        | ClientAuthMethod::ClientSecretPost => true,
        ClientAuthMethod::None | ClientAuthMethod::PrivateKeyJwt => false,
    }
}

impl Made {
    /// The secret as it is kept for a client with these metadata.
    fn kept(&self, metadata: &ClientMetadata, now: Time) -> ClientSecret {
        let secret = ClientSecret::new(&self.text, metadata.token_endpoint_auth_method, now);
        ClientSecret { expires_at: self.expires_at, ..secret }
    }
}

/// A secret as a client with these metadata goes on with it: one of which only the hash is known is of no use to a method that needs
/// its text, nor is one that is too short for it; and of no other the text is kept.
fn served(secret: &ClientSecret, metadata: &ClientMetadata) -> Option<ClientSecret> {
    let Some(least) = least_secret(metadata.token_endpoint_auth_method, metadata.token_endpoint_auth_signing_alg)
    else {
        return Some(ClientSecret { text: None, ..secret.clone() });
    };
    let is_enough = secret.text.as_ref().is_some_and(|text| text.expose().len() >= least);
    is_enough.then(|| secret.clone())
}

/// Whether people would see another app than the one that they have answered about.
fn is_another(before: &ClientMetadata, after: &ClientMetadata) -> bool {
    // An address without an origin is a place of its own.
    let place = |uri: &String| redirect_uri::origin(uri).unwrap_or_else(|| uri.clone());
    let known: Vec<String> = before.redirect_uris.iter().map(place).collect();
    let names = |metadata: &ClientMetadata| -> Vec<String> {
        let translated = metadata.localized.iter().filter(|(member, _)| member.starts_with("client_name#"));
        let translated = translated.map(|(member, name)| format!("{member} {name}"));
        translated.chain([metadata.client_name.clone()]).collect()
    };
    names(before) != names(after) || after.redirect_uris.iter().any(|uri| !known.contains(&place(uri)))
}

pub(super) fn is_live(secret: &ClientSecret, now: Time) -> bool {
    secret.expires_at.is_none_or(|end| now < end)
}

/// What we sign with an algorithm needs a key of ours.
fn check_algorithms(metadata: &ClientMetadata, ours: &[Algorithm]) -> Result<(), Error> {
    let asked = [
        ("id_token_signed_response_alg", metadata.id_token_signed_response_alg),
        ("userinfo_signed_response_alg", metadata.userinfo_signed_response_alg),
        ("introspection_signed_response_alg", metadata.introspection_signed_response_alg),
    ];
    let unmet = asked.into_iter().find(|(_, algorithm)| algorithm.is_some_and(|algorithm| !ours.contains(&algorithm)));
    match unmet {
        Some((member, _)) => Err(Error::MetadataInvalid(member, "is an algorithm that this server has no key for")),
        None => Ok(()),
    }
}
