//! `[[upstreams]]`: other providers that people sign in through.

use grantor_core::upstream::{UpstreamAuthMethod, UpstreamDefinition, UpstreamKind};
use grantor_jose::secret::SecretText;
use url::Url;

use super::section::{Place, Section};
use crate::fields::names;

const OWN: [&str; 1] = ["client_secret"];
const NAME_LONGEST: usize = 40;

/// An upstream as declared.
#[derive(Clone, Debug)]
pub struct DeclaredUpstream {
    /// The upstream.
    pub definition: UpstreamDefinition,
    /// Our secret there; left as it is when absent.
    pub client_secret: Option<SecretText>,
    /// Where it stands.
    pub place: Place,
}

/// Reads one upstream.
pub(super) fn read(section: &mut Section) -> Option<DeclaredUpstream> {
    let place = section.place();
    section.only(&[&OWN, names::<UpstreamDefinition>()]);
    let client_secret = section.take::<SecretText>("client_secret");
    let definition = section.rest::<UpstreamDefinition>()?;
    if !is_name(&definition.name) {
        section.fault("name", "is not lower-case letters, digits and hyphens, as \"corp\"; it stands in addresses");
    }
    if definition.client_id.is_empty() {
        section.fault("client_id", "is empty");
    }
    check_addresses(section, &definition);
    for (key, values) in
        [("two_factors", &definition.two_factors), ("phishing_resistant", &definition.phishing_resistant)]
    {
        if !values.is_empty() && definition.kind == UpstreamKind::OAuth2 {
            section.fault(key, "is said in ID tokens, which kind \"oauth2\" has none of; leave it out");
        }
        if values.iter().any(|value| value.is_empty() || value.contains(|c: char| c.is_whitespace() || c.is_control()))
        {
            section.fault(key, "has a value that no acr or amr can be: empty, or with a space in it");
        }
    }
    if client_secret.is_some() && definition.token_endpoint_auth_method == UpstreamAuthMethod::None {
        section.fault("client_secret", "is not used with this token_endpoint_auth_method; leave it out");
    }
    for (index, domain) in definition.allowed_domains.iter().enumerate() {
        if domain.is_empty() || domain.contains(['@', '*', ' ', '/']) || domain.starts_with('.') {
            section.fault(&format!("allowed_domains[{index}]"), "is no domain, as \"example.com\"; each one is named");
        }
    }
    Some(DeclaredUpstream { definition, client_secret, place })
}

/// Each kind has its own addresses.
fn check_addresses(section: &mut Section, definition: &UpstreamDefinition) {
    let endpoints = [
        ("authorization_endpoint", &definition.authorization_endpoint),
        ("token_endpoint", &definition.token_endpoint),
        ("profile_endpoint", &definition.profile_endpoint),
    ];
    let of_oidc = definition.kind == UpstreamKind::Oidc;
    for (key, address) in endpoints {
        match address {
            Some(_) if of_oidc => section.fault(key, "is discovered of kind \"oidc\"; leave it out"),
            None if !of_oidc => section.fault(key, "is missing; kind \"oauth2\" has no discovery"),
            Some(address) => check_address(section, key, address),
            None => {}
        }
    }
    match &definition.issuer {
        None if of_oidc => section.fault("issuer", "is missing; kind \"oidc\" is discovered from it"),
        Some(issuer) => check_address(section, "issuer", issuer),
        None => {}
    }
    if of_oidc && definition.claims.subject.is_some() {
        section.fault("claims", "names a subject; that of an ID token is sub");
    }
}

/// Stricter than OIDC Core §3.1.2.1 asks of us: because the guard of what is asked lets https alone through.
fn check_address(section: &mut Section, key: &str, address: &str) {
    let parsed = Url::parse(address).ok();
    let is_right = |url: &Url| url.scheme() == "https" && url.username().is_empty() && url.fragment().is_none();
    if !parsed.as_ref().is_some_and(is_right) {
        section.fault(key, "is no https address");
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= NAME_LONGEST && text.bytes().all(is_part) && !text.starts_with('-')
}
