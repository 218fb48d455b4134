//! A server of a few lines: it believes everything.

use std::{net::TcpListener, sync::Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use openidconnect::{
    AccessToken, AccessTokenHash, JsonWebKeyId, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};

/// Of the demo and of its API.
pub(super) const SECRET: &str = "correct horse battery staple";

pub(super) struct FakeOp {
    pub(super) issuer: String,
    state: web::Data<State>,
    handle: ServerHandle,
}

struct State {
    issuer: String,
    facts: Mutex<Facts>,
}

#[derive(Default)]
struct Facts {
    nonce: String,
    redeemed: u32,
    revoked: bool,
}

/// The demo's credentials as they go over the wire.
pub(super) fn basic() -> String {
    STANDARD.encode(format!("demo:{}", SECRET.replace(' ', "+")))
}

impl FakeOp {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = web::Data::new(State { issuer: issuer.clone(), facts: Mutex::default() });
        let data = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/.well-known/openid-configuration", web::get().to(discovery))
                .route("/jwks", web::get().to(jwks))
                .route("/token", web::post().to(token))
                .route("/userinfo", web::get().to(|| async { HttpResponse::Ok().json(json!({ "sub": "ada" })) }))
                .route("/introspect", web::post().to(introspect))
                .route("/revoke", web::post().to(revoke))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0).listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { issuer, state, handle }
    }

    /// The nonce of the next ID token.
    pub(super) fn expect_nonce(&self, nonce: &str) {
        nonce.clone_into(&mut self.state.facts.lock().unwrap().nonce);
    }

    pub(super) fn redeemed(&self) -> u32 {
        self.state.facts.lock().unwrap().redeemed
    }

    pub(super) async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

async fn discovery(state: web::Data<State>) -> HttpResponse {
    let at = |path: &str| format!("{}/{path}", state.issuer);
    HttpResponse::Ok().json(json!({
        "issuer": state.issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "introspection_endpoint": at("introspect"),
        "revocation_endpoint": at("revoke"),
        "end_session_endpoint": at("end-session"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn token(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let credentials = request.headers().get("authorization").unwrap();
    assert_eq!(credentials.to_str().unwrap(), format!("Basic {}", basic()));
    let mut facts = state.facts.lock().unwrap();
    facts.redeemed += 1;
    let access_token = format!("access-{}", facts.redeemed);
    let id_token = id_token(&state.issuer, &facts.nonce, &access_token);
    HttpResponse::Ok().json(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": "invalid-looking.token",
        "id_token": id_token,
        "scope": "openid offline_access notes.read",
    }))
}

/// An Ed25519 key of 32 like bytes, in PKCS #8.
fn key() -> CoreEdDsaPrivateSigningKey {
    let der = [b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".as_slice(), &[7; 32]].concat();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("key-1".to_owned()))).unwrap()
}

async fn jwks() -> HttpResponse {
    HttpResponse::Ok().json(CoreJsonWebKeySet::new(vec![key().as_verification_key()]))
}

fn id_token(issuer: &str, nonce: &str, access_token: &str) -> String {
    let algorithm = CoreJwsSigningAlgorithm::EdDsa;
    let access_token = AccessToken::new(access_token.to_owned());
    let at_hash = AccessTokenHash::from_token(&access_token, &algorithm, &key().as_verification_key()).unwrap();
    let claims: Value = json!({
        "iss": issuer, "sub": "ada", "aud": "demo", "name": "Ada Lovelace", "nonce": nonce, "at_hash": at_hash,
        "iat": 1_773_308_400, "auth_time": 1_773_308_300, "exp": 4_102_444_800_i64,
    });
    let header = r#"{"alg":"EdDSA","kid":"key-1"}"#;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key().sign(&algorithm, signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn introspect(state: web::Data<State>) -> HttpResponse {
    let active = !state.facts.lock().unwrap().revoked;
    let answer = if active {
        json!({ "active": true, "scope": "openid notes.read", "sub": "ada" })
    } else {
        json!({ "active": false })
    };
    HttpResponse::Ok().json(answer)
}

async fn revoke(state: web::Data<State>) -> HttpResponse {
    state.facts.lock().unwrap().revoked = true;
    HttpResponse::Ok().finish()
}
