//! A registration that was opened with its own token: which token opens it, for how long, and what an update may say of it.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::id::Id;
use grantor_jose::secret::{Secret, SecretText};
use serde_json::Value;

use super::decide::is_live;
use super::read::Members;
use super::{Registration, RegistrationChange, Replaced};
use crate::change::Change;
use crate::client::{Client, ClientMetadata};
use crate::directory::Directory;
use crate::error::Error;
use crate::time::Time;

/// How long the token before counts where its successor is never used: long enough to ask again for an answer that was lost, and no
/// longer, for it may have been replaced because somebody else has it.
const REPLACED_COUNTS: Duration = Duration::from_hours(24);

/// A registration that was opened with its own token.
#[derive(Debug)]
pub struct Opened {
    pub(super) registration: Registration,
    pub(super) client: Arc<Client>,
    pub(super) presented: Secret,
    pub(super) is_replaced: bool,
}

/// Opens a registration with the token that was shown for it. Whether there is such a client is told by nothing.
///
/// # Errors
/// `TokenUnknown` for another token, and where there is no such client; `RegistrationForbidden` for one that is switched off.
pub fn open(
    directory: &Directory,
    found: Option<Registration>,
    (id, secret): (Id, Secret),
    now: Time,
) -> Result<Opened, Error> {
    // "If the client does not exist on this server, the server MUST respond with HTTP 401 Unauthorized" (RFC 7592 §2.1)
    // "These common patterns can help the Server to more easily determine the Client to which the request pertains, which
    // MUST be matched against the Client to which the Registration Access Token was issued." (OIDC Registration §4.1)
    // "If the Registration Access Token used to make this request is not valid, the server MUST respond with an error as
    // described in OAuth Bearer Token Usage [RFC6750]. If the Client does not exist on this server, the Client is invalid,
    // or the Registration Access Token used is invalid, the server MUST respond with the HTTP 401 Unauthorized status code."
    // (OIDC Registration §4.4)
    // "endpoints MUST NOT return the HTTP 404 Not Found status code." (OIDC Registration §4.4)
    let registration = found.filter(|found| found.id == id).ok_or(Error::TokenUnknown)?;
    let is_replaced = registration.replaced.is_some_and(|replaced| replaced.matches(&secret, now));
    if !registration.secret.matches(&secret) && !is_replaced {
        return Err(Error::TokenUnknown);
    }
    let client = directory.clients.get(&registration.client_id).ok_or(Error::TokenUnknown)?;
    // "If the client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden." (RFC 7592 §2.1)
    // "If the Client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden."
    // (OIDC Registration §4.4)
    if client.disabled {
        return Err(Error::RegistrationForbidden);
    }
    Ok(Opened { registration, client: Arc::clone(client), presented: secret, is_replaced })
}

impl Opened {
    /// What is registered so far.
    pub fn metadata(&self) -> &ClientMetadata {
        &self.client.metadata
    }

    /// Whoever uses a token has had it: the one before counts no longer.
    pub(super) fn acknowledged(&self) -> Vec<Change> {
        if self.is_replaced || self.registration.replaced.is_none() {
            return Vec::new();
        }
        let secret = self.registration.secret;
        vec![RegistrationChange::Secret { id: self.registration.id, expected: secret, secret, replaced: None }.into()]
    }

    /// What counts beside the token that an update gives: the one that was shown, for so long. Where that was replaced already, its
    /// end stays where it was.
    pub(super) fn replaced(&self, now: Time) -> Replaced {
        let kept = self.registration.replaced.filter(|_| self.is_replaced);
        kept.unwrap_or_else(|| Replaced { secret: self.presented.hash(), until: now.plus(REPLACED_COUNTS) })
    }

    /// Changes nothing of the registration: of several that would change it next, one has it then.
    pub(super) fn held(&self) -> Change {
        let Registration { id, secret, replaced, .. } = self.registration;
        RegistrationChange::Secret { id, expected: secret, secret, replaced }.into()
    }

    pub(super) fn unchanged(&self) -> Change {
        Change::ClientExpect { client_id: self.client.client_id.clone(), updated_at: self.client.updated_at }
    }

    /// Checks what an update says of the client's own credentials.
    pub(super) fn check_own(&self, said: &Members, now: Time) -> Result<(), Error> {
        // "The updated client metadata fields request MUST NOT include the "registration_access_token", "registration_client_uri",
        // "client_secret_expires_at", or "client_id_issued_at" fields described in Section 3." (RFC 7592 §2.2)
        for name in
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"]
        {
            if said.contains_key(name) {
                return Err(Error::MetadataInvalid(name, "must not stand in an update; leave it out"));
            }
        }
        // "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently issued client
        // identifier." (RFC 7592 §2.2)
        if said.get("client_id").and_then(Value::as_str) != Some(&self.client.client_id) {
            return Err(Error::MetadataInvalid("client_id", "must stand in an update, and be that of this app"));
        }
        // "If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued
        // client secret for that client." (RFC 7592 §2.2)
        let Some(secret) = said.get("client_secret") else { return Ok(()) };
        let received = SecretText::new(secret.as_str().unwrap_or_default().to_owned()).hash();
        let live = self.client.secrets.iter().filter(|known| is_live(known, now));
        let matched = live.fold(false, |matched, known| (known.hash == received) | matched);
        let why = "must be the secret of this app as it was issued; leave it out, for a secret cannot be chosen";
        if matched { Ok(()) } else { Err(Error::MetadataInvalid("client_secret", why)) }
    }
}
