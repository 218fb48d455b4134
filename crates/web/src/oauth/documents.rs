//! Metadata and key set, written once for each state of the directory and then only copied.

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use grantor_core::metadata::{Endpoints, metadata};
use grantor_core::provider::Provider;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_storage::Database;

use crate::app::App;
use crate::locale::Language;
use crate::routes::{CHECK_SESSION, ENDPOINTS};

/// The public documents.
#[derive(Debug)]
pub(crate) struct Documents {
    revision: i64,
    /// Until when no key begins or ends to be published, or to sign.
    good_until: Time,
    /// How long others may keep them.
    pub(crate) cache_control: HeaderValue,
    pub(crate) metadata: Bytes,
    pub(crate) jwks: Bytes,
}

impl Documents {
    pub(crate) fn build(provider: &Provider<Database>, now: Time) -> Self {
        let directory = provider.store.directory();
        let registration = ENDPOINTS.registration.filter(|_| provider.policy.registration.is_on());
        let check_session = provider.policy.session_management.then_some(CHECK_SESSION);
        let endpoints = Endpoints { check_session, registration, ..ENDPOINTS };
        let languages = Language::ALL.map(Language::tag);
        let metadata = metadata(provider, &endpoints, &languages, now);
        let dates =
            directory.keys.keys.iter().flat_map(|key| [Some(key.created_at), Some(key.active_from), key.remove_at]);
        // "The "jwks_uri" SHOULD include a "Cache-Control" header in the response that contains a "max-age" directive, as
        // defined in RFC 7234 [RFC7234], which enables the encrypting party to safely cache the JWK Set and not have to
        // re-retrieve the document for every encryption event." (OIDC Core §10.2.1)
        let kept = format!("public, max-age={}", provider.policy.lifetimes.jwks_cache.as_secs());
        Self {
            cache_control: HeaderValue::try_from(kept).unwrap_or(HeaderValue::from_static("no-cache")),
            revision: directory.revision,
            good_until: dates.flatten().filter(|date| *date > now).min().unwrap_or(Time::from_millis(i64::MAX)),
            metadata: serde_json::to_vec(&metadata).unwrap_or_default().into(),
            // "These OPs MUST publish their public keys as bare JWK keys (which MAY also be accompanied by X.509
            // representations of those keys)." (OIDC Core §15.2)
            jwks: serde_json::to_vec(&directory.jwks(now)).unwrap_or_default().into(),
        }
    }
}

impl App {
    /// The documents as they are now.
    pub(crate) fn documents(&self) -> Arc<Documents> {
        let now = self.clock.now();
        let known = self.documents.load_full();
        if known.revision == self.directory().revision && now < known.good_until {
            return known;
        }
        let fresh = Arc::new(Documents::build(&self.provider, now));
        self.documents.store(Arc::clone(&fresh));
        fresh
    }
}
