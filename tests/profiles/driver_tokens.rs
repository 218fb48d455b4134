//! The tokens of a flow, with the checks that the suite makes of any: by its way through the browser, at the token endpoint, and at
//! userinfo.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;
use openidconnect::core::{
    CoreGenderClaim, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{ClientId, ClientSecret, IssuerUrl, Nonce};
use serde_json::Value;

use super::driver::Module;
use super::driver_answer::Answered;
use crate::harness::app::{claims, header};
use crate::harness::page::Page;
use crate::harness::relying_party::Extra;

type IdToken =
    openidconnect::IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// A flow that has come to its end.
#[derive(Debug)]
pub struct Flow {
    /// The answer of the authorization endpoint.
    pub answer: Answered,
    /// The answer of the token endpoint, where a code came.
    pub tokens: Option<Value>,
    front: Option<Value>,
    back: Option<Value>,
}

impl Flow {
    /// Takes what came through the browser, redeems the code, and asks userinfo with each access token.
    pub async fn finish(module: &Module<'_>, answer: Answered) -> Self {
        let has = |word| module.variant.has(word);
        assert_eq!(["code", "token", "id_token"].map(has), ["code", "access_token", "id_token"].map(|n| answer.has(n)));
        let front = if has("id_token") { Some(front_token(module, &answer).await) } else { None };
        if has("token") {
            check_access_token(answer.param("access_token"), answer.param("token_type"));
            assert!(answer.param("expires_in").parse::<u64>().is_ok_and(|seconds| seconds > 0));
            assert_eq!(module.userinfo(answer.param("access_token")).await.status, 200);
        }
        let mut flow = Self { answer, tokens: None, front, back: None };
        if has("code") {
            flow.redeem(module).await;
        }
        flow
    }

    async fn redeem(&mut self, module: &Module<'_>) {
        let code = self.answer.param("code").to_owned();
        assert!(entropy(&code) > 96.0 && code.len() >= 22, "the code can be guessed: {code}");
        let tokens = granted(&redeem(module, &code, &self.answer.request.redirect_uri).await);
        let id_token = tokens["id_token"].as_str().expect("an ID token");
        let back = id_token_of(module, id_token, self.answer.request.nonce.as_deref()).await;
        check_hash(&back, "at_hash", tokens["access_token"].as_str());
        check_hash(&back, "c_hash", Some(&code));
        // "If an ID Token is returned from both the Authorization Endpoint and from the Token Endpoint, which is the case for the
        // "response_type" values "code id_token" and "code id_token token", the "iss" and "sub" Claim Values MUST be identical in
        // both ID Tokens." (OIDC Core §3.3.3.6)
        if let Some(front) = &self.front {
            assert_eq!((&front["iss"], &front["sub"]), (&back["iss"], &back["sub"]));
        }
        assert_eq!(module.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
        (self.tokens, self.back) = (Some(tokens), Some(back));
    }

    /// The claims of the ID token: of the token endpoint's, or else of the one that came through the browser.
    pub fn id_token(&self) -> &Value {
        self.back.as_ref().or(self.front.as_ref()).expect("an ID token")
    }

    /// Those of each ID token.
    pub fn id_tokens(&self) -> Vec<&Value> {
        self.front.iter().chain(&self.back).collect()
    }

    /// The ID token as it was sent.
    pub fn id_token_text(&self) -> &str {
        match &self.tokens {
            Some(tokens) => tokens["id_token"].as_str().unwrap(),
            None => self.answer.param("id_token"),
        }
    }

    /// The access token: of the token endpoint's, or else of the one that came through the browser.
    pub fn access_token(&self) -> &str {
        match &self.tokens {
            Some(tokens) => tokens["access_token"].as_str().unwrap(),
            None => self.answer.param("access_token"),
        }
    }

    /// The code.
    pub fn code(&self) -> &str {
        self.answer.param("code")
    }
}

/// Redeems a code as the suite does.
pub async fn redeem(module: &Module<'_>, code: &str, redirect_uri: &str) -> Page {
    module.token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)]).await
}

/// The tokens of an answer of the token endpoint.
pub fn granted(page: &Page) -> Value {
    assert_eq!(page.status, 200, "{}", page.whole());
    assert_eq!(page.header("content-type"), Some("application/json"));
    // "The authorization server MUST include the HTTP "Cache-Control" response header field [RFC2616] with a value of "no-store" in
    // any response containing tokens, credentials, or other sensitive information" (RFC 6749 §5.1)
    assert_eq!((page.header("cache-control"), page.header("pragma")), (Some("no-store"), Some("no-cache")));
    let tokens = page.json();
    check_access_token(tokens["access_token"].as_str().unwrap(), tokens["token_type"].as_str().unwrap());
    assert!(tokens["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "{tokens}");
    if let Some(token) = tokens["refresh_token"].as_str() {
        assert!(entropy(token) > 96.0 && token.len() >= 22 && token.bytes().all(|byte| matches!(byte, 0x20..=0x7E)));
    }
    tokens
}

/// The error of an answer of the token endpoint, with all that the suite checks of one.
pub fn refused(page: &Page) -> String {
    assert_eq!(page.status, 400, "{}", page.whole());
    assert_eq!(page.header("content-type"), Some("application/json"));
    let answer = page.json();
    let described = answer["error_description"].as_str().unwrap_or_default();
    assert!(described.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{described}");
    answer["error"].as_str().unwrap().to_owned()
}

fn check_access_token(token: &str, kind: &str) {
    assert!(kind.eq_ignore_ascii_case("bearer"), "{kind}");
    assert!(entropy(token) > 96.0 && token.bytes().all(|byte| matches!(byte, 0x20..=0x7E)), "{token}");
}

async fn front_token(module: &Module<'_>, answer: &Answered) -> Value {
    let front = id_token_of(module, answer.param("id_token"), answer.request.nonce.as_deref()).await;
    let has = |word| module.variant.has(word);
    assert_eq!([has("token"), has("code")], ["at_hash", "c_hash"].map(|name| front[name].is_string()), "{front}");
    check_hash(&front, "at_hash", has("token").then(|| answer.param("access_token")));
    check_hash(&front, "c_hash", has("code").then(|| answer.param("code")));
    front
}

/// The claims of an ID token that is right in all that the suite checks of any.
pub async fn id_token_of(module: &Module<'_>, text: &str, nonce: Option<&str>) -> Value {
    let (server, client_id) = (module.server, module.known("client_id"));
    let keys = Page::of(module.http.get(server.at("/jwks")).send().await.unwrap()).await.json();
    let kid = header(text)["kid"].clone();
    let signers = keys["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == kid && key["use"] == "sig");
    assert_eq!((kid.is_string(), signers.count()), (true, 1), "one key has signed it: {kid}");
    let keys: CoreJsonWebKeySet = serde_json::from_value(keys).unwrap();
    let issuer = IssuerUrl::new(server.url.clone()).unwrap();
    let secret = ClientSecret::new(module.known("client_secret").to_owned());
    let now = server.clock.read().seconds();
    let verifier =
        CoreIdTokenVerifier::new_confidential_client(ClientId::new(client_id.to_owned()), secret, issuer, keys)
            .set_time_fn(move || chrono::DateTime::from_timestamp(now, 0).unwrap());
    let is_same = |found: Option<&Nonce>| {
        let is_same = found.map(|nonce| nonce.secret().as_str()) == nonce;
        if is_same { Ok(()) } else { Err("the nonce is another one".to_owned()) }
    };
    let token: IdToken = text.parse().expect("an ID token");
    token.claims(&verifier, is_same).expect("the ID token verifies");
    let claims = claims(text);
    assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty() && sub.len() <= 255), "{claims}");
    assert!(claims["updated_at"].is_null() || claims["updated_at"].is_i64(), "{claims}");
    claims
}

/// Where the claim is there, it is of this token (OIDC Core §3.1.3.6).
fn check_hash(claims: &Value, name: &str, of: Option<&str>) {
    let hash = |text: &str| URL_SAFE_NO_PAD.encode(&sha256(text.as_bytes())[..16]);
    if let Some(found) = claims[name].as_str() {
        assert_eq!(Some(found.to_owned()), of.map(hash), "{name} of {claims}");
    }
}

/// The entropy of a text in bits, as far as a text shows it: Shannon's, of its signs.
fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, u32> = HashMap::new();
    text.chars().for_each(|sign| *counts.entry(sign).or_default() += 1);
    let length = f64::from(u32::try_from(text.chars().count()).unwrap());
    counts.into_values().map(|count| f64::from(count) * (length / f64::from(count)).log2()).sum()
}
