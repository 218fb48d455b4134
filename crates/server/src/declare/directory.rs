//! `[[scopes]]`, `[[groups]]` and `[[resources]]`: what apps can ask for, who people belong to, and the APIs that it is good for.

use grantor_core::directory::{Group, Resource, ScopeDefinition};
use grantor_core::scope::Scope;
use url::Url;

use super::claim::is_language;
use super::section::{Place, Section};
use crate::fields::names;

/// A scope as declared.
#[derive(Clone, Debug)]
pub struct DeclaredScope {
    /// The scope.
    pub definition: ScopeDefinition,
    /// Where it stands.
    pub place: Place,
}

/// A group as declared.
#[derive(Clone, Debug)]
pub struct DeclaredGroup {
    /// The group.
    pub group: Group,
    /// Where it stands.
    pub place: Place,
}

/// An API as declared.
#[derive(Clone, Debug)]
pub struct DeclaredResource {
    /// The API.
    pub resource: Resource,
    /// Where it stands.
    pub place: Place,
}

/// Reads one scope.
pub(super) fn read_scope(section: &mut Section) -> Option<DeclaredScope> {
    let place = section.place();
    section.only(&[names::<ScopeDefinition>()]);
    let definition = section.rest::<ScopeDefinition>()?;
    let tokens = definition.name.parse::<Scope>().map_or(0, |scope| scope.iter().count());
    if tokens != 1 || definition.name.contains(' ') {
        section.fault("name", "is not one scope: visible ASCII without spaces, quotation marks and backslashes");
    }
    for language in definition.description.keys().filter(|tag| !is_language(tag)) {
        section
            .fault(&format!("description.{language}"), "is no language tag; write description.en and description.de");
    }
    Some(DeclaredScope { definition, place })
}

/// Reads one group.
pub(super) fn read_group(section: &mut Section) -> Option<DeclaredGroup> {
    let place = section.place();
    section.only(&[names::<Group>()]);
    let group = section.rest::<Group>()?;
    if group.name.trim().is_empty() {
        section.fault("name", "is empty");
    }
    Some(DeclaredGroup { group, place })
}

/// Reads one API.
pub(super) fn read_resource(section: &mut Section) -> Option<DeclaredResource> {
    let place = section.place();
    section.only(&[names::<Resource>()]);
    let resource = section.rest::<Resource>()?;
    // "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. … The URI MUST NOT include a fragment
    // component." (RFC 8707 §2)
    if Url::parse(&resource.identifier).is_err() || resource.identifier.contains(['#', ' ']) {
        section.fault("identifier", "is no absolute URI without fragment, as \"https://api.example.com/notes\"");
    }
    if resource.access_token_lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
        section.fault("access_token_lifetime", "is zero");
    }
    Some(DeclaredResource { resource, place })
}
