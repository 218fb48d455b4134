//! Encrypted answers: which of them a client wants encrypted, and how (OIDC Registration §2, OIDC Core §10.2).

use grantor_jose::jwe::{self, Content, ContentEncryption, KeyAlgorithm, Recipient};
use grantor_jose::jwk::JwkSet;
use grantor_jose::random::Random;

use super::{Client, ClientMetadata};
use crate::client_auth::PublishedKeys;
use crate::error::Error;

/// How an answer is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// How the key of the content reaches the client.
    pub algorithm: KeyAlgorithm,
    /// How the content is encrypted.
    pub encryption: ContentEncryption,
}

impl Encryption {
    fn of(algorithm: Option<KeyAlgorithm>, encryption: Option<ContentEncryption>) -> Option<Self> {
        // "If "id_token_encrypted_response_alg" is specified, the default "id_token_encrypted_response_enc" value is
        // "A128CBC-HS256"." (OIDC Registration §2)
        Some(Self { algorithm: algorithm?, encryption: encryption.unwrap_or_default() })
    }

    /// Whether one of `keys` fits.
    pub fn fits(self, keys: &JwkSet) -> bool {
        keys.encryption_key(self.algorithm).is_some()
    }

    /// `text`, encrypted to the one of `keys` that fits.
    ///
    /// # Errors
    /// `EncryptionKeyMissing`: what shall be encrypted is never sent otherwise.
    pub(crate) fn encrypt(
        self,
        text: &str,
        content: Content,
        keys: Option<&JwkSet>,
        random: &Random,
    ) -> Result<String, Error> {
        let recipient = self.recipient(keys)?;
        jwe::encrypt(text.as_bytes(), content, &recipient, random).map_err(|_| Error::EncryptionKeyMissing)
    }

    /// A signed token, encrypted in the same way, that says in its header from whom it is.
    ///
    /// # Errors
    /// `EncryptionKeyMissing`.
    pub(crate) fn encrypt_of(
        self,
        issuer: &str,
        token: &str,
        keys: Option<&JwkSet>,
        random: &Random,
    ) -> Result<String, Error> {
        let recipient = self.recipient(keys)?;
        jwe::encrypt_of(token.as_bytes(), Content::Token, Some(issuer), &recipient, random)
            .map_err(|_| Error::EncryptionKeyMissing)
    }

    fn recipient(self, keys: Option<&JwkSet>) -> Result<Recipient<'_>, Error> {
        let Self { algorithm, encryption } = self;
        // "The other public key used for the key agreement computation MUST be a public key published by the recipient in its JWK
        // Set document." (OIDC Core §10.2)
        // "The encrypting party MUST select an encryption algorithm based on the algorithms supported by the recipient."
        // (OIDC Core §10.2)
        // "The public key to which the content was encrypted MUST be a public key used for encryption published by the
        // recipient in its JWK Set document." (OIDC Core §10.2)
        let key = keys.and_then(|keys| keys.encryption_key(algorithm)).ok_or(Error::EncryptionKeyMissing)?;
        Ok(Recipient { algorithm, encryption, key })
    }
}

impl Client {
    /// How its ID tokens are encrypted, if they are.
    pub fn id_token_encryption(&self) -> Option<Encryption> {
        let ClientMetadata { id_token_encrypted_response_alg, id_token_encrypted_response_enc, .. } = self.metadata;
        // "JWE "alg" algorithm [JWA] REQUIRED for encrypting the ID Token issued to this Client. ... JWE "enc" algorithm
        // [JWA] REQUIRED for encrypting the ID Token issued to this Client." (OIDC Registration §2)
        Encryption::of(id_token_encrypted_response_alg, id_token_encrypted_response_enc)
    }

    /// How userinfo answers to it are encrypted, if they are.
    pub fn userinfo_encryption(&self) -> Option<Encryption> {
        let ClientMetadata { userinfo_encrypted_response_alg, userinfo_encrypted_response_enc, .. } = self.metadata;
        // "JWE [JWE] "alg" algorithm [JWA] REQUIRED for encrypting UserInfo Responses. ... JWE "enc" algorithm [JWA]
        // REQUIRED for encrypting UserInfo Responses." (OIDC Registration §2)
        Encryption::of(userinfo_encrypted_response_alg, userinfo_encrypted_response_enc)
    }

    /// Whether an ID token could be encrypted, where it has to be.
    ///
    /// # Errors
    /// `EncryptionKeyMissing`.
    pub(crate) fn check_id_token_encryption(&self, published: Option<&PublishedKeys>) -> Result<(), Error> {
        let Some(encryption) = self.id_token_encryption() else { return Ok(()) };
        let fits = self.public_keys(published).is_some_and(|keys| encryption.fits(keys));
        if fits { Ok(()) } else { Err(Error::EncryptionKeyMissing) }
    }

    /// The keys that answers to it are encrypted to, and that its request objects are signed with: those that it has declared, or those that were read at the address that it
    /// names now.
    pub fn public_keys<'k>(&'k self, published: Option<&'k PublishedKeys>) -> Option<&'k JwkSet> {
        match &self.metadata.jwks_uri {
            Some(uri) => published.filter(|published| published.uri == *uri).map(|published| &published.keys),
            None => self.metadata.jwks.as_ref(),
        }
    }
}

impl ClientMetadata {
    /// Checks that what is asked for can be done.
    pub(super) fn check_encryption(&self) -> Result<(), Error> {
        let asked = [
            (
                "id_token_encrypted_response_alg",
                self.id_token_encrypted_response_alg,
                "id_token_encrypted_response_enc",
                self.id_token_encrypted_response_enc,
            ),
            (
                "userinfo_encrypted_response_alg",
                self.userinfo_encrypted_response_alg,
                "userinfo_encrypted_response_enc",
                self.userinfo_encrypted_response_enc,
            ),
        ];
        for (alg, algorithm, enc, encryption) in asked {
            match algorithm {
                // "When "id_token_encrypted_response_enc" is included, "id_token_encrypted_response_alg" MUST also be provided."
                // (OIDC Registration §2)
                // "When "userinfo_encrypted_response_enc" is included, "userinfo_encrypted_response_alg" MUST also be
                // provided." (OIDC Registration §2)
                None if encryption.is_some() => {
                    return Err(Error::MetadataInvalid(enc, "needs the _alg of the same name beside it"));
                }
                Some(algorithm) if !self.has_key_for(algorithm) => {
                    return Err(Error::MetadataInvalid(
                        alg,
                        "needs a public key in jwks of that type and curve, with use \"enc\" or none; or jwks_uri",
                    ));
                }
                _ => {}
            }
        }
        self.check_request_object_encryption()
    }

    fn check_request_object_encryption(&self) -> Result<(), Error> {
        match (self.request_object_encryption_alg, self.request_object_encryption_enc) {
            // "When "request_object_encryption_enc" is included, "request_object_encryption_alg" MUST also be provided."
            // (OIDC Registration §2)
            (None, Some(_)) => Err(Error::MetadataInvalid(
                "request_object_encryption_enc",
                "needs the _alg of the same name beside it",
            )),
            (Some(algorithm), _) if !KeyAlgorithm::TO_US.contains(&algorithm) => Err(Error::MetadataInvalid(
                "request_object_encryption_alg",
                "is no algorithm for what is encrypted to this server; the ECDH-ES family is",
            )),
            _ => Ok(()),
        }
    }

    /// What lies at an address is seen when it is needed.
    fn has_key_for(&self, algorithm: KeyAlgorithm) -> bool {
        self.jwks_uri.is_some() || self.jwks.as_ref().is_some_and(|keys| keys.encryption_key(algorithm).is_some())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use grantor_jose::jwe::{Curve, DecryptionKey};

    fn refusal(metadata: &ClientMetadata) -> String {
        metadata.check().unwrap_err().to_string()
    }

    #[test]
    fn an_algorithm_needs_a_key_that_fits_and_an_encryption_its_algorithm() {
        let key = DecryptionKey::generate(Curve::X25519, &Random::seeded(1)).unwrap();
        let keys = JwkSet { keys: vec![key.jwk().clone()] };
        let mut metadata = crate::client::tests::sample("wiki").metadata;
        metadata.userinfo_encrypted_response_enc = Some(ContentEncryption::A256Gcm);
        assert!(refusal(&metadata).starts_with("userinfo_encrypted_response_enc: needs the _alg"));
        metadata.userinfo_encrypted_response_alg = Some(KeyAlgorithm::RsaOaep256);
        assert!(refusal(&metadata).starts_with("userinfo_encrypted_response_alg: needs a public key"));
        metadata.jwks = Some(keys);
        assert!(refusal(&metadata).starts_with("userinfo_encrypted_response_alg: needs a public key"));
        metadata.userinfo_encrypted_response_alg = Some(KeyAlgorithm::EcdhEs);
        assert!(metadata.check().is_ok());
    }

    #[test]
    fn nobody_says_that_it_encrypts_to_us_with_rsa() {
        let mut metadata = crate::client::tests::sample("wiki").metadata;
        metadata.request_object_encryption_enc = Some(ContentEncryption::A256Gcm);
        assert!(refusal(&metadata).starts_with("request_object_encryption_enc: needs the _alg"));
        metadata.request_object_encryption_alg = Some(KeyAlgorithm::RsaOaep256);
        assert!(refusal(&metadata).starts_with("request_object_encryption_alg: is no algorithm"));
        metadata.request_object_encryption_alg = Some(KeyAlgorithm::EcdhEs);
        assert!(metadata.check().is_ok());
    }

    #[test]
    fn without_a_key_nothing_is_written() {
        let encryption = Encryption::of(Some(KeyAlgorithm::EcdhEs), None).unwrap();
        assert_eq!(encryption.encryption, ContentEncryption::A128CbcHs256);
        let refused = encryption.encrypt("claims", Content::Claims, None, &Random::new());
        assert!(matches!(refused, Err(Error::EncryptionKeyMissing)));
    }
}
