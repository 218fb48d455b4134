//! For whom an access token is: its audience, its form and its life follow from the scopes and the `resource` parameter
//! (RFC 8707), never from unchecked text.

use std::time::Duration;

use crate::account::ACCOUNT_TOKENS;
use crate::client::{AccessTokenFormat, Client};
use crate::directory::{Directory, Resource};
use crate::error::Error;
use crate::fault::{Fault, seeded};
use crate::params::Params;
use crate::policy::Policy;
use crate::provider::Issuer;
use crate::scope::Scope;

/// What an access token will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it allows.
    pub scope: Scope,
    /// The APIs it is for.
    pub audience: Vec<String>,
    /// Its form.
    pub format: AccessTokenFormat,
    /// Its life.
    pub lifetime: Duration,
}

/// The APIs that a request names.
///
/// # Errors
/// `ResourceUnknown`.
pub fn requested(directory: &Directory, issuer: &Issuer, params: &Params) -> Result<Vec<String>, Error> {
    // Only declared identifiers are taken, and their form is checked when they are declared.
    let known = |resource: &str| directory.resources.contains_key(resource) || resource == issuer.as_str();
    let mut named: Vec<String> = params.all("resource").map(str::to_owned).collect();
    named.sort_unstable();
    named.dedup();
    // "invalid_target The requested resource is invalid, missing, unknown, or malformed." (RFC 8707 §2)
    if named.iter().all(|resource| known(resource)) { Ok(named) } else { Err(Error::ResourceUnknown) }
}

/// Works out what an access token for `client` will be.
///
/// `approved` are the APIs of the authorization request, `named` those of the token request.
///
/// # Errors
/// `ResourceNotGranted`.
// "To mitigate this threat, the Access Token SHOULD be audience and scope restricted." (OIDC Core §16.8)
pub(crate) fn target(about: &About<'_>, scope: &Scope, approved: &[String], named: &[String]) -> Result<Target, Error> {
    // A token request can only choose among the APIs that were approved (RFC 8707 §2.2).
    let is_approved = |resource: &String| approved.contains(resource) || seeded(Fault::AnyApiCounts);
    if !approved.is_empty() && !named.iter().all(is_approved) {
        return Err(Error::ResourceNotGranted);
    }
    let explicit = if named.is_empty() { approved } else { named };
    check_granted(about.directory, about.issuer, named, scope)?;
    let is_chosen = |resource: &&Resource| {
        has_scope(resource, scope) && (explicit.is_empty() || explicit.contains(&resource.identifier))
    };
    let chosen: Vec<&Resource> = about.directory.resources.values().filter(is_chosen).collect();
    let scope = if explicit.is_empty() { scope.clone() } else { narrowed(about.directory, scope, &chosen) };
    let mut audience: Vec<String> = chosen.iter().map(|resource| resource.identifier.clone()).collect();
    // "If the request does not include a "resource" parameter, the authorization server MUST use a default resource
    // indicator in the "aud" claim." (RFC 9068 §3)
    // Ours is the issuer, whose userinfo endpoint takes the token.
    // An app that names APIs names the issuer with them where it wants to ask userinfo, too.
    let names_issuer = explicit.is_empty() || explicit.iter().any(|name| name == about.issuer.as_str());
    if audience.is_empty() || (names_issuer && is_for_issuer(&scope)) {
        audience.push(about.issuer.as_str().to_owned());
    }
    Ok(Target {
        scope,
        audience,
        format: format(about.client, &chosen),
        lifetime: chosen
            .iter()
            .filter_map(|resource| resource.access_token_lifetime)
            .min()
            .unwrap_or(about.policy.lifetimes.access_token),
    })
}

/// What a target is worked out from.
pub(crate) struct About<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) policy: &'a Policy,
    pub(crate) issuer: &'a Issuer,
    pub(crate) client: &'a Client,
}

/// Refuses an API that none of the scopes belongs to: nobody approved a token for it.
///
/// # Errors
/// `ResourceNotGranted`.
pub(crate) fn check_granted(
    directory: &Directory,
    issuer: &Issuer,
    named: &[String],
    scope: &Scope,
) -> Result<(), Error> {
    let granted = |name: &String| match directory.resources.get(name) {
        Some(resource) => has_scope(resource, scope),
        None => name == issuer.as_str() && is_for_issuer(scope),
    };
    if named.iter().all(granted) { Ok(()) } else { Err(Error::ResourceNotGranted) }
}

/// Whether the issuer itself takes such a token: at userinfo, or for the account.
fn is_for_issuer(scope: &Scope) -> bool {
    scope.contains("openid") || scope.contains(ACCOUNT_TOKENS)
}

fn has_scope(resource: &Resource, scope: &Scope) -> bool {
    !resource.scopes.intersection(scope).is_empty()
}

/// The scopes that mean something at the chosen APIs, and those that belong to no API.
fn narrowed(directory: &Directory, scope: &Scope, chosen: &[&Resource]) -> Scope {
    let of_any = |token: &str| directory.resources.values().any(|resource| resource.scopes.contains(token));
    scope.filter(|token| !of_any(token) || chosen.iter().any(|resource| resource.scopes.contains(token)))
}

fn format(client: &Client, chosen: &[&Resource]) -> AccessTokenFormat {
    let declared = || chosen.iter().filter_map(|resource| resource.access_token_format);
    if declared().any(|format| format == AccessTokenFormat::Opaque) {
        return AccessTokenFormat::Opaque;
    }
    declared().next().unwrap_or(client.metadata.access_token_format)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::client::tests::sample;

    fn directory() -> Directory {
        let api = |identifier: &str, scopes: &str| Resource {
            identifier: identifier.into(),
            name: String::new(),
            scopes: scopes.parse().unwrap(),
            access_token_format: None,
            access_token_lifetime: None,
            introspection_clients: Vec::new(),
            personal_access_tokens: false,
            networks: crate::network::Networks::ANYWHERE,
        };
        let resources = [api("https://notes", "notes.read notes.write"), api("https://mail", "mail.read")];
        Directory {
            resources: resources.into_iter().map(|r| (r.identifier.clone(), r)).collect(),
            ..Directory::default()
        }
    }

    fn targeted(scope: &str, approved: &[&str], named: &[&str]) -> Result<Target, Error> {
        let (directory, policy, client) = (directory(), Policy::default(), sample("wiki"));
        let issuer = Issuer::parse("https://id.example").unwrap();
        let about = About { directory: &directory, policy: &policy, issuer: &issuer, client: &client };
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        target(&about, &scope.parse().unwrap(), &owned(approved), &owned(named))
    }

    #[test]
    fn the_audience_follows_from_the_scopes() {
        assert_eq!(targeted("openid notes.read", &[], &[]).unwrap().audience, ["https://notes", "https://id.example"]);
        assert_eq!(targeted("", &[], &[]).unwrap().audience, ["https://id.example"]);
    }

    #[test]
    fn a_named_api_narrows_audience_and_scope() {
        let target = targeted("notes.read mail.read", &[], &["https://mail"]).unwrap();
        assert_eq!((target.audience, target.scope.as_str()), (vec!["https://mail".to_owned()], "mail.read"));
    }

    #[test]
    fn an_api_without_an_approved_scope_is_no_audience() {
        assert!(matches!(targeted("openid notes.read", &[], &["https://mail"]), Err(Error::ResourceNotGranted)));
        let named = targeted("openid notes.read", &[], &["https://notes"]).unwrap();
        assert_eq!(named.audience, ["https://notes"]);
        let with_userinfo = targeted("openid notes.read", &[], &["https://notes", "https://id.example"]).unwrap();
        assert_eq!(with_userinfo.audience, ["https://notes", "https://id.example"]);
    }

    #[test]
    fn only_an_approved_api_can_be_named() {
        assert!(matches!(targeted("mail.read", &["https://notes"], &["https://mail"]), Err(Error::ResourceNotGranted)));
    }

    #[test]
    fn an_unknown_api_is_refused() {
        let params = Params::from_pairs([("resource", "https://evil")]).unwrap();
        assert!(matches!(
            requested(&directory(), &Issuer::parse("https://id.example").unwrap(), &params),
            Err(Error::ResourceUnknown)
        ));
    }
}
