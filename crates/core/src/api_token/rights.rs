//! What an API token allows now: never more than its owner, whatever it was issued for.

use super::{ApiToken, Owner};
use crate::claims::is_standard_scope;
use crate::directory::{Directory, Resource};
use crate::scope::Scope;
use crate::user::User;

/// What a token allows, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The scopes.
    pub scope: Scope,
    /// The APIs that these belong to.
    pub audience: Vec<String>,
}

/// The person that a personal access token belongs to; none for an API key.
pub type Person<'a> = Option<&'a User>;

/// What the owner of a token could put into one now.
pub fn of_owner(directory: &Directory, owner: &Owner, person: Person<'_>) -> Scope {
    let is_offered = |resource: &&Resource| matches!(owner, Owner::Client(_)) || resource.personal_access_tokens;
    let offered: Scope =
        directory.resources.values().filter(is_offered).flat_map(|resource| resource.scopes.iter()).collect();
    // What speaks of a person's sign-in means nothing in a token that nobody signs in with.
    let offered = offered.filter(|scope| !is_standard_scope(scope));
    match owner {
        Owner::Client(client_id) => {
            let client = directory.client(client_id);
            client.map(|client| offered.intersection(&client.metadata.scope)).unwrap_or_default()
        }
        Owner::User(_) => match person.filter(|user| !user.disabled) {
            Some(user) => offered.filter(|scope| directory.may_have(user, scope)),
            None => Scope::EMPTY,
        },
    }
}

/// What a token allows now.
pub fn of_token(directory: &Directory, token: &ApiToken, person: Person<'_>) -> Rights {
    let held = token.scope.intersection(&of_owner(directory, &token.owner, person));
    let is_for = |resource: &&Resource| {
        let accepts = matches!(token.owner, Owner::Client(_)) || resource.personal_access_tokens;
        accepts && token.resource.as_ref().is_none_or(|only| *only == resource.identifier)
    };
    let apis: Vec<&Resource> = directory.resources.values().filter(is_for).collect();
    let scope = held.filter(|scope| apis.iter().any(|api| api.scopes.contains(scope)));
    let has_scope = |api: &&&Resource| !api.scopes.intersection(&scope).is_empty();
    let audience = apis.iter().filter(has_scope).map(|api| api.identifier.clone()).collect();
    Rights { scope, audience }
}
