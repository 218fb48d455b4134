//! The rules between the members of a client that registers itself, beside those that hold for every client.

use url::Url;

use super::RegistrationPolicy;
use super::members::settable;
use crate::audit::is_shown;
use crate::client::ClientMetadata;
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::redirect_uri::{self, ApplicationType};

/// The longest name, in characters.
const NAME_LONGEST: usize = 200;

/// Checks what has been read and completed.
pub(super) fn check(metadata: &ClientMetadata, policy: &RegistrationPolicy) -> Result<(), Error> {
    for uri in &metadata.post_logout_redirect_uris {
        let why =
            "holds an address that cannot be registered: it must be absolute and https, or on the loopback interface";
        redirect_uri::check(uri, metadata.application_type)
            .map_err(|_| Error::MetadataInvalid("post_logout_redirect_uris", why))?;
    }
    check_addresses(metadata)?;
    metadata.check()?;
    check_pages(metadata)?;
    check_types(metadata)?;
    let unfit = |grant: &&GrantType| !policy.grant_types.contains(grant);
    if metadata.grant_types.iter().flatten().any(|grant| unfit(&grant)) {
        return Err(Error::MetadataInvalid("grant_types", "holds one that apps cannot register themselves for"));
    }
    Ok(())
}

/// The rules of the kinds of apps.
// "The Authorization Server MUST verify that all the registered "redirect_uris" conform to these constraints."
// (OIDC Registration §2)
fn check_addresses(metadata: &ClientMetadata) -> Result<(), Error> {
    let implicit = metadata.response_types.iter().flatten().any(|kind| kind.split(' ').any(|part| part != "code"));
    for uri in &metadata.redirect_uris {
        let Ok(url) = Url::parse(uri) else { return Err(Error::RedirectUriUnsafe("it is not an absolute URI")) };
        match metadata.application_type {
            // "Web Clients using the OAuth Implicit Grant Type MUST only register URLs using the "https" scheme as
            // "redirect_uris"; they MUST NOT use "localhost" as the hostname." (OIDC Registration §2)
            ApplicationType::Web if implicit && (url.scheme() != "https" || redirect_uri::is_loopback(&url)) => {
                return Err(Error::RedirectUriUnsafe(
                    "tokens in the answer of the authorization endpoint need https and a host that is not this machine",
                ));
            }
            // "Native Clients MUST only register "redirect_uris" using custom URI schemes or loopback URLs using the "http"
            // scheme" (OIDC Registration §2)
            ApplicationType::Native if url.scheme() == "https" => {
                return Err(Error::RedirectUriUnsafe(
                    "a native app answers at a scheme of its own or at the loopback interface; for https register application_type web",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

// "If any of the validation procedures defined in this specification fail, any operations requiring the information that failed to
// correctly validate MUST be aborted and the information that failed to validate MUST NOT be used." (OIDC Registration §7)
/// What people read or follow must be what it looks like.
fn check_pages(metadata: &ClientMetadata) -> Result<(), Error> {
    let single = [
        ("client_uri", &metadata.client_uri),
        ("logo_uri", &metadata.logo_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
    ];
    let single = single.into_iter().filter_map(|(member, value)| Some((member, value.as_deref()?)));
    let named = Some(("client_name", metadata.client_name.as_str())).filter(|(_, name)| !name.is_empty());
    let localized =
        metadata.localized.iter().filter_map(|(name, value)| Some((name.split_once('#')?.0, value.as_str())));
    for (member, value) in single.chain(named).chain(localized) {
        let (member, what) = settable(member).unwrap_or(("client_name", "cannot be had in several languages"));
        let fits = match member {
            "client_name" => {
                let is_seen =
                    |c: char| !c.is_whitespace() && !matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}');
                value.chars().count() <= NAME_LONGEST && value.chars().all(is_shown) && value.contains(is_seen)
            }
            // "The value of this field MUST point to a valid web page." (RFC 7591 §2)
            _ => redirect_uri::web_page(value).is_some(),
        };
        if !fits {
            return Err(Error::MetadataInvalid(member, what));
        }
    }
    // "URI using the "https" scheme that a third party can use to initiate a login by the RP" (OIDC Registration §2)
    match metadata.initiate_login_uri.as_deref().map(redirect_uri::web_page) {
        Some(None) => Err(Error::MetadataInvalid("initiate_login_uri", "must be an address that begins with https://")),
        Some(Some(url)) if url.scheme() != "https" => {
            Err(Error::MetadataInvalid("initiate_login_uri", "must be an address that begins with https://"))
        }
        _ => Ok(()),
    }
}

/// Grant types and response types go together.
// "SHOULD take steps to ensure that a client cannot register itself into an inconsistent state" (RFC 7591 §2.1)
fn check_types(metadata: &ClientMetadata) -> Result<(), Error> {
    let grants: Vec<&str> = metadata.grant_types.iter().flatten().map(|grant| grant.as_str()).collect();
    let types: Vec<&str> = metadata.response_types.iter().flatten().map(String::as_str).collect();
    // "The following table lists the correspondence between "response_type" values that the Client will use and "grant_type"
    // values that MUST be included in the registered "grant_types" list" (OIDC Registration §2)
    let code = types.iter().any(|kind| kind.split(' ').any(|part| part == "code"));
    let implicit = types.iter().any(|kind| kind.split(' ').any(|part| part != "code"));
    if code && !grants.contains(&"authorization_code") {
        return Err(Error::MetadataInvalid(
            "grant_types",
            "lacks authorization_code, which the response type code needs",
        ));
    }
    if !code && grants.contains(&"authorization_code") {
        return Err(Error::MetadataInvalid(
            "response_types",
            "lacks code, which the grant type authorization_code needs",
        ));
    }
    if implicit && !grants.contains(&"implicit") {
        return Err(Error::MetadataInvalid(
            "grant_types",
            "lacks implicit, which the response types id_token and token need",
        ));
    }
    Ok(())
}
