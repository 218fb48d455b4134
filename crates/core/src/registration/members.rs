//! What a client may say of itself: each member of [`ClientMetadata`](crate::client::ClientMetadata), and whether it may.
//!
//! A test compares the list with the members that there are, so that a new one is a decision, taken here and nowhere else.

/// The members that people read, which may be there in several languages: `client_name#de`.
// "Human-readable client metadata values and client metadata values that reference human-readable values MAY be represented in
// multiple languages and scripts." (RFC 7591 §2.2)
pub const TAGGED: [&str; 5] = ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"];

/// Whether a client that registers itself may set a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Yes; and what the value must be.
    Set(&'static str),
    /// No: it is for administrators, or follows from others.
    NotSet,
}

const PAGE: &str = "must be the address of a web page, beginning with https:// or http://";
const ALGORITHM: &str = "must be a signature algorithm that the metadata of this server list; none is not offered";
const ENCRYPTION: &str = "must be an algorithm that the metadata of this server list";

/// Every member.
pub const MEMBERS: &[(&str, May)] = &[
    ("client_name", May::Set("must be a text of at most 200 visible characters")),
    ("client_uri", May::Set(PAGE)),
    ("logo_uri", May::Set(PAGE)),
    ("policy_uri", May::Set(PAGE)),
    ("tos_uri", May::Set(PAGE)),
    ("contacts", May::Set("must be a list of texts, as mail addresses")),
    ("application_type", May::Set("must be web or native")),
    ("redirect_uris", May::Set("must be a list of at most 100 absolute URIs")),
    ("post_logout_redirect_uris", May::Set("must be a list of at most 100 absolute URIs")),
    ("backchannel_logout_uri", May::Set("must be an address that begins with https://")),
    ("backchannel_logout_session_required", May::Set("must be true or false")),
    ("frontchannel_logout_uri", May::Set("must be an address of the origin of a redirect URI")),
    ("frontchannel_logout_session_required", May::Set("must be true or false")),
    ("grant_types", May::Set("must be a list of grant types")),
    ("response_types", May::Set("must be a list of response types")),
    ("token_endpoint_auth_method", May::Set("must be a method that the metadata of this server list")),
    ("scope", May::Set("must be scopes separated by spaces")),
    ("jwks", May::Set("must be a JWK set of public keys that are whole and strong, without private parts")),
    ("jwks_uri", May::Set("must be an address that begins with https://")),
    (
        "token_endpoint_auth_signing_alg",
        May::Set("must be an algorithm that the metadata of this server list for its method"),
    ),
    ("request_object_signing_alg", May::Set("must be an algorithm that the metadata of this server list, or none")),
    ("request_object_encryption_alg", May::Set(ENCRYPTION)),
    ("request_object_encryption_enc", May::Set(ENCRYPTION)),
    ("request_uris", May::Set("must be a list of at most 100 addresses that begin with https://")),
    ("require_signed_request_object", May::Set("must be true or false")),
    ("subject_type", May::Set("must be public or pairwise")),
    // The file at the address is read before it is believed.
    ("sector_identifier_uri", May::Set("must be an address that begins with https://")),
    ("id_token_encrypted_response_alg", May::Set(ENCRYPTION)),
    ("id_token_encrypted_response_enc", May::Set(ENCRYPTION)),
    ("userinfo_encrypted_response_alg", May::Set(ENCRYPTION)),
    ("userinfo_encrypted_response_enc", May::Set(ENCRYPTION)),
    ("id_token_signed_response_alg", May::Set(ALGORITHM)),
    ("userinfo_signed_response_alg", May::Set(ALGORITHM)),
    ("introspection_signed_response_alg", May::Set(ALGORITHM)),
    ("default_max_age", May::Set("must be a whole number of seconds")),
    ("require_auth_time", May::Set("must be true or false")),
    ("default_acr_values", May::Set("must be a list of texts")),
    ("initiate_login_uri", May::Set("must be an address that begins with https://")),
    ("software_id", May::Set("must be a text")),
    ("software_version", May::Set("must be a text")),
    // Set by reading it; its own claims come first.
    ("software_statement", May::NotSet),
    // Written as members of their own.
    ("localized", May::NotSet),
    ("access_token_format", May::NotSet),
    ("skip_consent", May::NotSet),
    ("require_pkce", May::NotSet),
    ("least_level", May::NotSet),
    ("id_token_claims", May::NotSet),
    ("allowed_origins", May::NotSet),
    ("networks", May::NotSet),
];

/// The name of a member that may be set as the list has it, and what its value must be.
pub fn settable(name: &str) -> Option<(&'static str, &'static str)> {
    MEMBERS.iter().find_map(|(known, may)| match may {
        May::Set(what) if *known == name => Some((*known, *what)),
        _ => None,
    })
}

/// The member and the language of `client_name#de`.
pub fn tagged(name: &str) -> Option<(&'static str, &str)> {
    let (member, tag) = name.split_once('#')?;
    let member = TAGGED.into_iter().find(|known| *known == member)?;
    let well_formed =
        !tag.is_empty() && tag.len() <= 35 && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    well_formed.then_some((member, tag))
}
