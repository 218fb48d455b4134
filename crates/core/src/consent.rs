//! Consent: what a person has allowed an app, remembered so that the same is not asked twice.

use grantor_jose::id::Id;

use crate::account::ACCOUNT_TOKENS;
use crate::client::Client;
use crate::directory::Directory;
use crate::error::Error;
use crate::fault::{Fault, seeded};
use crate::grant::OFFLINE_ACCESS;
use crate::scope::Scope;
use crate::time::Time;
use crate::user::User;

/// The remembered answer of one person about one app.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// The person.
    pub user_id: Id,
    /// The app.
    pub client_id: String,
    /// The scopes allowed.
    pub granted: Scope,
    /// The scopes offered and not ticked.
    pub declined: Scope,
    /// When the person first allowed the app.
    pub created_at: Time,
    /// When the person last answered.
    pub updated_at: Time,
}

impl Consent {
    /// The scopes of a request that the person has not been asked about.
    pub fn unanswered(consent: Option<&Self>, requested: &Scope) -> Scope {
        match consent {
            None => requested.clone(),
            Some(known) => requested.without(&known.granted.union(&known.declined)),
        }
    }
}

/// What a client may still do of what it was granted: the scopes that neither an administrator has taken from it or from the
/// person, nor the person unticked, since then.
///
/// # Errors
/// `ConsentWithdrawn`.
pub fn still_allowed(
    (directory, client, user): (&Directory, &Client, &User),
    granted: &Scope,
    consent: Option<&Consent>,
) -> Result<Scope, Error> {
    let registered = granted
        .intersection(&client.metadata.scope)
        .filter(|token| directory.knows_scope(token) && directory.may_have(user, token));
    // This much is never given without an answer.
    let answered =
        |scope: &str| scope != ACCOUNT_TOKENS || consent.is_some_and(|consent| consent.granted.contains(scope));
    let registered = registered.filter(answered);
    match consent {
        // An app that asks nobody overrules an earlier answer, but not who would not have it outlive the sign-in.
        Some(consent) if client.metadata.skip_consent && !client.is_public() => {
            Ok(registered.filter(|scope| scope != OFFLINE_ACCESS || !consent.declined.contains(scope)))
        }
        Some(_) if seeded(Fault::UntickedIsGiven) => Ok(registered),
        Some(consent) => Ok(registered.intersection(&consent.granted)),
        None if client.metadata.skip_consent => Ok(registered),
        None => Err(Error::ConsentWithdrawn),
    }
}
