//! Consent: what a person has allowed an app, remembered so that the same is not asked twice.

use grantor_jose::id::Id;

use crate::scope::Scope;
use crate::time::Time;

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
