//! The flows themselves: plans Basic, Implicit, Hybrid, and Form Post for each (`oidcc-basic-…`, `oidcc-implicit-…`, `oidcc-hybrid-…`,
//! `oidcc-formpost-…-certification-test-plan`).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;
use serde_json::json;

use super::driver::{Module, Variant, all, conformance, plans, random, variant, with_code};
use super::driver_answer::Answered;
use super::driver_tokens::{Flow, granted, id_token_of, redeem, refused};
use crate::harness::page::Page;

/// `oidcc-server`
#[tokio::test]
async fn every_response_type_leads_to_its_tokens() {
    let server = conformance().await;
    for variant in all() {
        let module = Module::begin(&server, variant).await;
        let flow = module.run(&[]).await;
        assert!(flow.id_tokens().iter().all(|token| token.get("name").is_none()), "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-server-client-secret-post`
#[tokio::test]
async fn a_secret_in_the_body_authenticates_the_app() {
    let server = conformance().await;
    for variant in with_code() {
        let module = Module::begin(&server, Variant { post: true, ..variant }).await;
        module.run(&[]).await;
        module.end().await;
    }
}

/// `oidcc-response-type-missing`
#[tokio::test]
async fn a_request_without_response_type_is_refused_at_the_app() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let request = module.request(&[("response_type", "")]);
        let page = module.visit(&request).await;
        let answer = Answered::receive(&module, request, &page);
        assert!(["invalid_request", "unsupported_response_type"].contains(&answer.error()), "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-ensure-request-without-nonce-succeeds-for-code-flow`
#[tokio::test]
async fn without_a_nonce_a_code_is_had_all_the_same() {
    let server = conformance().await;
    for variant in plans().into_iter().filter(|variant| !variant.has("id_token")) {
        let module = Module::begin(&server, variant).await;
        let flow = module.run(&[("nonce", "")]).await;
        assert!(flow.id_token().get("nonce").is_none(), "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-ensure-request-without-nonce-fails`
#[tokio::test]
async fn without_a_nonce_no_id_token_comes_through_the_browser() {
    let server = conformance().await;
    for variant in plans().into_iter().filter(|variant| variant.has("id_token")) {
        let module = Module::begin(&server, variant).await;
        let request = module.request(&[("nonce", "")]);
        let page = module.visit(&request).await;
        assert_eq!(Answered::receive(&module, request, &page).error(), "invalid_request", "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-ensure-registered-redirect-uri`
#[tokio::test]
async fn an_address_that_is_not_registered_is_shown_and_not_followed() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let bad = format!("{}/callback/{}", super::driver::SUITE, random(10));
        is_shown(&module.visit(&module.request(&[("redirect_uri", &bad)])).await, "This app gave us a wrong address");
        module.end().await;
    }
}

/// `oidcc-ensure-redirect-uri-in-authorization-request`, which the plan Dynamic has; the suite registers two addresses.
#[tokio::test]
async fn a_request_without_address_is_shown_and_not_guessed() {
    let server = conformance().await;
    let callback = format!("{}/callback", super::driver::SUITE);
    for addresses in [vec![callback.clone()], vec![callback.clone(), format!("{callback}1")]] {
        let changes = json!({"redirect_uris": addresses});
        let module = Module::begin_with(&server, variant("code", false, true), changes).await;
        is_shown(&module.visit(&module.request(&[("redirect_uri", "")])).await, "This app gave us no address");
        module.end().await;
    }
}

fn is_shown(page: &Page, title: &str) {
    assert_eq!((page.status.as_u16(), page.location()), (400, None), "{}", page.body);
    assert!(page.text().contains(title), "{}", page.text());
}

/// `oidcc-ensure-post-request-succeeds`
#[tokio::test]
async fn a_request_may_be_posted() {
    let server = conformance().await;
    for variant in plans().into_iter().filter(|variant| variant.response_type == "code") {
        let module = Module::begin(&server, variant).await;
        let request = module.request(&[]);
        // Its browser sends the body alone, with no header that tells where it comes from.
        let form = crate::harness::page::Form {
            action: server.at("/authorize").parse().unwrap(),
            fields: request.pairs.clone(),
        };
        let page = module.person.follow(module.person.post_with(&form, &[]).await).await;
        let answer = module.received(request, &module.go_on(page).await);
        module.finish(answer).await;
        module.end().await;
    }
}

/// `oidcc-ensure-request-with-valid-pkce-succeeds`
#[tokio::test]
async fn a_request_may_have_pkce_where_none_is_needed() {
    let server = conformance().await;
    for variant in with_code() {
        let module = Module::begin(&server, variant).await;
        let verifier = random(43);
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        let pkce = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
        let answer = module.answered(module.request(&pkce)).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", answer.param("code")),
            ("redirect_uri", &answer.request.redirect_uri),
            ("code_verifier", &verifier),
        ];
        granted(&module.token(&form).await);
        module.end().await;
    }
}

/// `oidcc-codereuse` and `oidcc-codereuse-30seconds`
#[tokio::test]
async fn a_code_is_good_once_and_takes_its_tokens_with_it() {
    let server = conformance().await;
    for variant in with_code() {
        for seconds in [0, 30] {
            let module = Module::begin(&server, variant).await;
            let flow = module.run(&[]).await;
            server.clock.advance(Duration::from_secs(seconds));
            let again = redeem(&module, flow.code(), &flow.answer.request.redirect_uri).await;
            assert_eq!(refused(&again), "invalid_grant", "{variant:?}");
            // "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke
            // (when possible) all tokens previously issued based on that authorization code." (RFC 6749 §4.1.2)
            assert_eq!(module.userinfo(flow.access_token()).await.status, 401, "{variant:?}");
            module.end().await;
        }
    }
}

/// `oidcc-refresh-token`
#[tokio::test]
async fn a_refresh_token_is_good_for_the_app_that_it_was_issued_to() {
    let server = conformance().await;
    for variant in with_code() {
        let grants = json!({"grant_types": ["authorization_code", "implicit", "refresh_token"]});
        let first = Module::begin_with(&server, variant, grants.clone()).await;
        let second = first.second(grants).await;
        let nonce = random(43);
        refreshed(&first, &[], Some("openid offline_access")).await;
        let token = refreshed(&second, &[("nonce", &nonce)], None).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", &token), ("scope", "openid offline_access")];
        assert_eq!(refused(&first.token(&form).await), "invalid_grant", "{variant:?}");
        first.end().await;
        second.end().await;
    }
}

/// A flow for `offline_access`, and a refresh with this scope; the refresh token that is left.
async fn refreshed(module: &Module<'_>, changes: &[(&str, &str)], scope: Option<&str>) -> String {
    let offline = [("scope", "openid offline_access"), ("prompt", "consent")];
    let flow: Flow = module.run(&[&offline, changes].concat()).await;
    let tokens = flow.tokens.as_ref().unwrap();
    assert_eq!(tokens["scope"], "offline_access openid");
    module.server.clock.advance(Duration::from_secs(1));
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    form.extend(scope.map(|scope| ("scope", scope)));
    let again = granted(&module.token(&form).await);
    assert_ne!(again["access_token"], tokens["access_token"]);
    let (before, after) = (flow.id_token(), id_token_of(module, again["id_token"].as_str().unwrap(), None).await);
    // "its "iat" Claim MUST represent the time that the new ID Token is issued," (OIDC Core §12.2)
    assert_ne!(before["iat"], after["iat"]);
    let same = ["iss", "sub", "aud", "auth_time", "azp"];
    assert!(same.into_iter().all(|name| before.get(name) == after.get(name)), "{before} {after}");
    assert_eq!(module.userinfo(again["access_token"].as_str().unwrap()).await.status, 200);
    again["refresh_token"].as_str().unwrap_or(tokens["refresh_token"].as_str().unwrap()).to_owned()
}

/// `oidcc-idtoken-signature`; `oidcc-idtoken-unsigned` is skipped, since `none` is not offered.
#[tokio::test]
async fn an_id_token_is_signed_by_rs256_where_nothing_else_is_registered() {
    let server = conformance().await;
    for variant in plans().into_iter().filter(|variant| variant.dynamic) {
        let module = Module::begin(&server, variant).await;
        let header = crate::harness::app::header(module.run(&[]).await.id_token_text());
        assert!(header["alg"] == "RS256" && header["kid"].is_string(), "{header}");
        module.end().await;
    }
    let metadata = super::config::metadata(&server).await;
    assert!(!metadata["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&json!("none")));
}
