#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::claims::ClaimsRequest;
use crate::client::tests::sample;
use crate::error::Error;
use crate::provider::Issuer;
use crate::time::Time;

/// A request of the sample client, of this moment.
pub(crate) fn request() -> AuthorizationRequest {
    let client = Arc::new(sample("wiki"));
    AuthorizationRequest {
        redirect_uri: client.redirect_uri(None).unwrap(),
        client,
        response_mode: ResponseMode::Query,
        response_type: ResponseType::Code,
        state: None,
        scope: "openid profile email".parse().unwrap(),
        scopes_of_claims: crate::scope::Scope::default(),
        nonce: None,
        prompt: Prompt::default(),
        max_age: None,
        login_hint: None,
        hinted_names: Vec::new(),
        ui_locales: None,
        offered: None,
        claims_locales: Vec::new(),
        claims: ClaimsRequest::default(),
        subject: None,
        resources: Vec::new(),
        code_challenge: None,
        redirect_uri_sent: true,
        started: Started::now(Time::from_seconds(10_000)),
    }
}

proptest! {
    /// Whatever `state` is: it comes back unchanged, and starts no parameter and no header of its own.
    #[test]
    fn state_comes_back_unchanged(state in any::<String>()) {
        let request = AuthorizationRequest { state: Some(state.clone()), ..request() };
        let issuer = Issuer::parse("https://id.example").unwrap();
        let location = refuse(&request, &issuer, &Error::ConsentDenied).location();
        prop_assert!(!location.contains(['\r', '\n', ' ']));
        let url = url::Url::parse(&location).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs.len(), 4);
        prop_assert_eq!(&pairs[2], &("state".to_owned(), state));
        prop_assert_eq!(&pairs[3], &("iss".to_owned(), "https://id.example".to_owned()));
    }
}
