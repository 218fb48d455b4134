//! A request that has just arrived: its request object may be encrypted to us, and is signed with keys that may lie elsewhere.
//!
//! So it is read in steps. Between them somebody reads the object itself, where it lies at an address that the client has registered, and
//! the keys, where the client publishes them.

use std::borrow::Cow;
use std::sync::Arc;

use grantor_jose::hash::sha256_text;
use grantor_jose::jwe::{self, DecryptionKey};
use grantor_jose::jwk::JwkSet;
use grantor_jose::verify;

use super::request::Refused;
use super::request_object::{self, RequestObjectSigning};
use super::respond::refuse_at;
use super::response_type::ResponseMode;
use crate::client::Client;
use crate::client_auth::PublishedKeys;
use crate::directory::Directory;
use crate::error::Error;
use crate::params::{MAX_PARAMETER_BYTES, Params};
use crate::provider::Provider;
use crate::store::Store;
use crate::time::Time;

/// The parameters of a request, and the request object among them, decrypted, of which nothing is proven yet.
#[derive(Debug)]
pub struct Arrived<'p> {
    params: &'p Params,
    client: Option<Arc<Client>>,
    object: Object<'p>,
}

#[derive(Debug)]
enum Object<'p> {
    /// There is none.
    None,
    /// It lies at this address, and has not been read.
    At(&'p str),
    /// What it says, or why it says nothing.
    Here(Result<Cow<'p, str>, Error>),
}

impl<'p> Arrived<'p> {
    /// Looks whose request it is, and decrypts its object, where it stands in the request.
    pub fn read(directory: &Directory, params: &'p Params) -> Self {
        let client = params.get("client_id").and_then(|client_id| directory.client(client_id)).cloned();
        let object = match (&client, params.get("request"), params.get("request_uri")) {
            (None, ..) | (_, None, None) => Object::None,
            // "If one of these parameters is used, the other MUST NOT be used in the same request." (OIDC Core §6)
            (_, Some(_), Some(_)) => Object::Here(Err(Error::RequestObjectAmbiguous)),
            (_, Some(object), None) => Object::Here(decrypted(object, &directory.secrets.request_objects)),
            // "Pre-registration is REQUIRED when the value is "true"." (OIDC Discovery §3)
            // "These OPs MUST support requests made using a Request Object value that is retrieved from a Request URI that
            // is provided with the "request_uri" parameter, as defined in Section 6.2." (OIDC Core §15.2)
            (Some(client), None, Some(uri)) if has_registered(client, uri) => Object::At(uri),
            (Some(_), None, Some(_)) => Object::Here(Err(Error::RequestUriUnknown)),
        };
        Self { params, client, object }
    }

    /// The client and the address at which its object lies, where somebody has to read it there.
    pub fn lies_at(&self) -> Option<(&Client, &'p str)> {
        match (self.client.as_deref(), &self.object) {
            (Some(client), Object::At(uri)) => Some((client, uri)),
            _ => None,
        }
    }

    /// The request with what was read at the address of its object; none where nothing could be read.
    #[must_use]
    pub fn with_object(self, directory: &Directory, read: Option<&[u8]>) -> Self {
        let Object::At(uri) = self.object else { return self };
        // "The contents of the resource referenced by the URL MUST be a Request Object." (OIDC Core §6.2)
        let object = fetched(uri, read)
            .and_then(|object| Ok(Cow::Owned(decrypted(object, &directory.secrets.request_objects)?.into_owned())));
        Self { object: Object::Here(object), ..self }
    }

    /// The client, where its object is to be verified with the keys at its `jwks_uri`.
    pub fn needs_keys(&self) -> Option<&Client> {
        let is_there = matches!(self.object, Object::Here(Ok(_)));
        let is_signed = |client: &&Client| {
            client.metadata.request_object_signing_alg != Some(RequestObjectSigning::Nobody)
                && client.metadata.jwks_uri.is_some()
        };
        self.client.as_deref().filter(|client| is_there && is_signed(client))
    }

    /// Whether its object may be by one of these keys, or else by one that the client has published since they were read.
    pub fn may_be_by(&self, keys: &JwkSet) -> bool {
        matches!(&self.object, Object::Here(Ok(object)) if verify::may_be_by(object, keys))
    }

    /// The parameters, with those of the request object in their place; none where there is no object. `keys` are those that were
    /// read at the client's `jwks_uri`.
    ///
    /// # Errors
    /// [`Refused::Show`] until client and redirect URI are proven, then [`Refused::Send`]; an object that is not good proves nothing.
    pub fn unpack<S: Store>(
        self,
        provider: &Provider<S>,
        keys: Option<&PublishedKeys>,
        now: Time,
    ) -> Result<Option<Params>, Refused> {
        let Self { params, client, object } = self;
        // Whom nobody knows is refused by whoever reads the parameters. The client counts as it is now: the keys took their time.
        let directory = provider.store.directory();
        let Some(client) = client.and_then(|client| directory.client(&client.client_id)) else { return Ok(None) };
        let assembled = match object {
            // "When the value of it as client metadata is "true", then the server MUST reject the authorization request from the
            // client that does not conform to this specification." (RFC 9101 §10.5)
            Object::None if client.metadata.require_signed_request_object => Err(Error::RequestObjectMissing),
            Object::None => return Ok(None),
            Object::At(_) => Err(Error::RequestUriUnreachable),
            Object::Here(object) => {
                // "The authorization server MUST only use the parameters in the Request Object, even if the same parameter is
                // provided in the query parameter." (RFC 9101 §6.3)
                let alone = client.metadata.require_signed_request_object;
                object
                    // "In the former case, signature validation MUST be performed as defined in Section 6.3.2."
                    // (OIDC Core §6.3.1)
                    .and_then(|object| request_object::read(provider, (client, keys), &object, now))
                    .and_then(|claims| request_object::assemble(params, &claims, alone))
            }
        };
        assembled.map(Some).map_err(|error| {
            // Where the answer goes is known only by what stands outside.
            let Ok(redirect_uri) = client.redirect_uri(params.get("redirect_uri")) else {
                return Refused::Show { error, client: Some(client.clone()) };
            };
            let to = (&redirect_uri, ResponseMode::of(params), params.get("state"));
            let answer = refuse_at(&provider.issuer, to, &error);
            Refused::Send { error, client: client.clone(), answer }
        })
    }
}

/// Whether the client has registered the address, or all of it but the fragment, which is never sent there.
fn has_registered(client: &Client, uri: &str) -> bool {
    let known = |uri: &str| client.metadata.request_uris.iter().any(|known| known == uri);
    known(uri) || uri.split_once('#').is_some_and(|(bare, _)| known(bare))
}

/// The object that was read at an address.
fn fetched<'r>(uri: &str, read: Option<&'r [u8]>) -> Result<&'r str, Error> {
    let read = read.filter(|read| read.len() <= MAX_PARAMETER_BYTES).ok_or(Error::RequestUriUnreachable)?;
    // "If the contents of the referenced resource could ever change, the URI SHOULD include the base64url-encoded SHA-256 hash of
    // the referenced resource contents as the fragment component of the URI." (OIDC Core §6.2)
    if uri.split_once('#').is_some_and(|(_, hash)| hash != sha256_text(read)) {
        return Err(Error::RequestUriChanged);
    }
    std::str::from_utf8(read).map(str::trim_ascii).map_err(|_| Error::RequestObjectInvalid)
}

/// What is inside an object that is encrypted to us; any other is what it is. A client says in its metadata how it may encrypt, and is
/// not held to it, as OIDC Registration §2 has it.
fn decrypted<'p>(object: &'p str, keys: &[DecryptionKey]) -> Result<Cow<'p, str>, Error> {
    if !jwe::is_encrypted(object) {
        return Ok(Cow::Borrowed(object));
    }
    let keys: Vec<&DecryptionKey> = keys.iter().collect();
    // "The Authorization Server MUST return an error if decryption fails." (OIDC Core §6.3.1) It is one for all that can be wrong.
    // "The Authorization Server MUST decrypt the JWT in accordance with the JSON Web Encryption [JWE] specification."
    // (OIDC Core §6.3.1)
    let decrypted = jwe::decrypt(object, &keys).map_err(|_| Error::RequestObjectUndecryptable)?;
    // "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in this case, the value MUST
    // be "JWT", to indicate that a Nested JWT is carried in this JWT." (RFC 7519 §5.2)
    let is_nested = decrypted.cty.is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"));
    let inside = std::str::from_utf8(&decrypted.plaintext).ok().filter(|_| is_nested);
    inside.map(|inside| Cow::Owned(inside.to_owned())).ok_or(Error::RequestObjectUndecryptable)
}
