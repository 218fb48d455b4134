//! A request that has just arrived: its request object may be encrypted to us, and is signed with keys that may lie elsewhere.
//!
//! So it is read in two steps. Between them somebody reads the keys, where the client publishes them at an address.

use std::borrow::Cow;
use std::sync::Arc;

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
use crate::params::Params;
use crate::provider::Provider;
use crate::store::Store;
use crate::time::Time;

/// The parameters of a request, and the request object among them, decrypted, of which nothing is proven yet.
#[derive(Debug)]
pub struct Arrived<'p> {
    params: &'p Params,
    client: Option<Arc<Client>>,
    object: Option<Result<Cow<'p, str>, Error>>,
}

impl<'p> Arrived<'p> {
    /// Looks whose request it is, and decrypts its object.
    pub fn read(directory: &Directory, params: &'p Params) -> Self {
        let client = params.get("client_id").and_then(|client_id| directory.client(client_id)).cloned();
        let object = client.as_ref().and_then(|_| params.get("request"));
        let object = object.map(|object| decrypted(object, &directory.secrets.request_objects));
        Self { params, client, object }
    }

    /// The client, where its object is to be verified with the keys at its `jwks_uri`.
    pub fn needs_keys(&self) -> Option<&Client> {
        let is_there = matches!(self.object, Some(Ok(_)));
        let is_signed = |client: &&Client| {
            client.metadata.request_object_signing_alg != Some(RequestObjectSigning::Nobody)
                && client.metadata.jwks_uri.is_some()
        };
        self.client.as_deref().filter(|client| is_there && is_signed(client))
    }

    /// Whether its object may be by one of these keys, or else by one that the client has published since they were read.
    pub fn may_be_by(&self, keys: &JwkSet) -> bool {
        matches!(&self.object, Some(Ok(object)) if verify::may_be_by(object, keys))
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
            None if client.metadata.require_signed_request_object => Err(Error::RequestObjectMissing),
            None => return Ok(None),
            Some(object) => {
                // "The authorization server MUST only use the parameters in the Request Object, even if the same parameter is
                // provided in the query parameter." (RFC 9101 §6.3)
                let alone = client.metadata.require_signed_request_object;
                object
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

/// What is inside an object that is encrypted to us; any other is what it is. A client says in its metadata how it may encrypt, and is
/// not held to it, as OIDC Registration §2 has it.
fn decrypted<'p>(object: &'p str, keys: &[DecryptionKey]) -> Result<Cow<'p, str>, Error> {
    if !jwe::is_encrypted(object) {
        return Ok(Cow::Borrowed(object));
    }
    let keys: Vec<&DecryptionKey> = keys.iter().collect();
    // "The Authorization Server MUST return an error if decryption fails." (OIDC Core §6.3.1) It is one for all that can be wrong.
    let decrypted = jwe::decrypt(object, &keys).map_err(|_| Error::RequestObjectUndecryptable)?;
    // "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in this case, the value MUST
    // be "JWT", to indicate that a Nested JWT is carried in this JWT." (RFC 7519 §5.2)
    let is_nested = decrypted.cty.is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"));
    let inside = std::str::from_utf8(&decrypted.plaintext).ok().filter(|_| is_nested);
    inside.map(|inside| Cow::Owned(inside.to_owned())).ok_or(Error::RequestObjectUndecryptable)
}
