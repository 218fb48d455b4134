//! `[[clients]]`: an app by the names of RFC 7591, and our own.

use grantor_core::client::ClientMetadata;
use grantor_core::client_auth::{ClientAuthMethod, least_secret};
use grantor_core::error::Error;
use grantor_core::redirect_uri;
use grantor_jose::random::Mint;
use grantor_jose::secret::SecretText;

use super::section::{Place, Section};
use crate::fields::names;

const OWN: [&str; 3] = ["client_id", "client_secret", "disabled"];
/// Fewer characters than this can be guessed; a secret is kept as a fast hash, since it shall have entropy of its own.
const SECRET_ADVISED: usize = 32;
const SECRET_SHORTEST: usize = 16;
const IDENTIFIER_LONGEST: usize = 255;

/// An app as declared.
#[derive(Clone, Debug)]
pub struct DeclaredClient {
    /// The identifier.
    pub client_id: String,
    /// The secret, where the declaration gives one; else one is made.
    pub secret: Option<SecretText>,
    /// Whether the app is switched off; left as it is when absent.
    pub disabled: Option<bool>,
    /// What is registered of it.
    pub metadata: ClientMetadata,
    /// Where it stands.
    pub place: Place,
}

/// Reads one app.
pub(super) fn read(section: &mut Section, warnings: &mut Vec<String>) -> Option<DeclaredClient> {
    let place = section.place();
    section.only(&[&OWN, names::<ClientMetadata>()]);
    let client_id = section.required("client_id");
    if client_id.as_ref().is_some_and(|id| !is_identifier(id)) {
        section.fault("client_id", "holds a space or a character outside visible ASCII, or is longer than 255");
    }
    let secret = section.take::<SecretText>("client_secret");
    let disabled = section.take("disabled");
    let metadata = section.rest::<ClientMetadata>()?;
    check(section, &metadata);
    if let Some(secret) = &secret {
        check_secret(section, secret, &metadata);
        if secret.expose().len() < SECRET_ADVISED {
            warnings
                .push(place.remark("client_secret", "is shorter than 32 characters; leave it out to have one made"));
        }
    }
    Some(DeclaredClient { client_id: client_id?, secret, disabled, metadata, place })
}

/// Finds fault with members that break a rule; each address by itself, so that the message says which.
fn check(section: &mut Section, metadata: &ClientMetadata) {
    let lists = [
        ("redirect_uris", &metadata.redirect_uris),
        ("post_logout_redirect_uris", &metadata.post_logout_redirect_uris),
    ];
    for (name, uris) in lists {
        for (index, uri) in uris.iter().enumerate() {
            if let Err(Error::RedirectUriUnsafe(why)) = redirect_uri::check(uri, metadata.application_type) {
                section.fault(&format!("{name}[{index}]"), &format!("\"{uri}\" cannot be registered: {why}"));
            }
        }
    }
    for (index, origin) in metadata.allowed_origins.iter().flatten().enumerate() {
        if redirect_uri::origin(origin).as_deref() != Some(origin) {
            section.fault(
                &format!("allowed_origins[{index}]"),
                &format!("\"{origin}\" is no origin; write it as \"https://app.example\""),
            );
        }
    }
    if let Err(Error::MetadataInvalid(member, why)) = metadata.check() {
        section.fault(member, why);
    }
}

fn check_secret(section: &mut Section, secret: &SecretText, metadata: &ClientMetadata) {
    if !metadata.token_endpoint_auth_method.uses_secret() {
        section.fault("client_secret", "is not used with this token_endpoint_auth_method; leave it out");
    }
    if let Some(least) = too_short(secret, metadata) {
        let why = format!("is shorter than {least} bytes, which its algorithm needs; leave it out to have one made");
        section.fault("client_secret", &why);
    } else if secret.expose().len() < SECRET_SHORTEST {
        section.fault("client_secret", "is shorter than 16 characters; leave it out to have one made");
    }
}

/// A new secret for an app that authenticates in this way: long enough for each of its algorithms.
pub fn new_secret(mint: &Mint, method: ClientAuthMethod) -> SecretText {
    let first = SecretText::from(&mint.secret());
    if !method.needs_secret_text() {
        return first;
    }
    SecretText::new(format!("{}{}", first.expose(), SecretText::from(&mint.secret()).expose()))
}

/// How many bytes a secret has at least for what is registered of the app, where this one has fewer.
pub fn too_short(secret: &SecretText, metadata: &ClientMetadata) -> Option<usize> {
    let least = least_secret(metadata.token_endpoint_auth_method, metadata.token_endpoint_auth_signing_alg)?;
    (secret.expose().len() < least).then_some(least)
}

/// "client-id = *VSCHAR" (RFC 6749 §A.1); stricter than it: no spaces, since nobody sees them.
fn is_identifier(text: &str) -> bool {
    text.len() <= IDENTIFIER_LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}
