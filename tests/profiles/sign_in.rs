//! How a person is asked to sign in: `prompt`, `max_age`, hints, and what is only not to be an error.

use std::time::Duration;

use serde_json::Value;

use super::driver::{Module, Variant, conformance, plans, random};
use super::driver_answer::Answered;
use super::driver_tokens::Flow;

/// A flow in which nobody is asked anything: the answer comes at once.
async fn silent(module: &Module<'_>, changes: &[(&str, &str)]) -> Flow {
    let request = module.request(changes);
    let page = module.visit(&request).await;
    let answer = module.received(request, &page);
    module.finish(answer).await
}

/// A flow in which the person signs in, although she is signed in.
async fn again(module: &Module<'_>, changes: &[(&str, &str)]) -> Flow {
    let request = module.request(changes);
    let page = module.visit(&request).await;
    assert_eq!(page.name(), "sign-in", "{:?}", module.variant);
    assert!(page.text().contains("Sign in"), "what the suite takes a picture of: {}", page.text());
    let answer = module.received(request, &module.go_on(page).await);
    module.finish(answer).await
}

fn auth_time(flow: &Flow) -> i64 {
    let times: Vec<_> = flow.id_tokens().into_iter().map(|token| token["auth_time"].as_i64()).collect();
    assert!(times.windows(2).all(|pair| pair[0] == pair[1]), "{times:?}");
    times[0].expect("auth_time")
}

/// `oidcc-prompt-login` and `oidcc-max-age-1`
#[tokio::test]
async fn who_is_asked_to_sign_in_again_has_a_later_auth_time() {
    let server = conformance().await;
    for variant in plans() {
        for (seconds, change) in [(1, ("prompt", "login")), (2, ("max_age", "1"))] {
            let module = Module::begin(&server, variant).await;
            let first = module.run(&[]).await;
            server.clock.advance(Duration::from_secs(seconds));
            let second = again(&module, &[change]).await;
            assert!(auth_time(&second) > auth_time(&first), "{variant:?} {change:?}");
            assert_eq!(auth_time(&second), server.clock.read().seconds());
            module.end().await;
        }
    }
}

/// `oidcc-prompt-none-not-logged-in`
#[tokio::test]
async fn nobody_who_is_not_signed_in_is_asked_to() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let request = module.request(&[("prompt", "none"), ("state", &random(128))]);
        let page = module.visit(&request).await;
        assert_eq!(Answered::receive(&module, request, &page).error(), "login_required", "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-prompt-none-logged-in`, `oidcc-max-age-10000` and `oidcc-id-token-hint`
#[tokio::test]
async fn who_is_signed_in_is_the_same_without_being_asked() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let first = module.run(&[("max_age", "15000")]).await;
        server.clock.advance(Duration::from_secs(3));
        let hint = first.id_token_text().to_owned();
        let ways: [&[(&str, &str)]; 3] =
            [&[("prompt", "none")], &[("max_age", "10000")], &[("prompt", "none"), ("id_token_hint", &hint)]];
        for changes in ways {
            let second = silent(&module, changes).await;
            assert_eq!(auth_time(&second), auth_time(&first), "{variant:?} {changes:?}");
            assert_eq!(second.id_token()["sub"], first.id_token()["sub"], "{variant:?} {changes:?}");
        }
        module.end().await;
    }
}

/// `oidcc-display-page`, `oidcc-display-popup`, `oidcc-login-hint`, `oidcc-ui-locales` and
/// `oidcc-ensure-request-with-unknown-parameter-succeeds`
#[tokio::test]
async fn what_the_server_need_not_know_is_no_error() {
    let server = conformance().await;
    for variant in plans() {
        for change in [
            ("display", "page"),
            ("display", "popup"),
            ("login_hint", "buffy@127.0.0.1"),
            ("ui_locales", "se"),
            ("extra", "foobar"),
        ] {
            let module = Module::begin(&server, variant).await;
            module.run(&[change]).await;
            module.end().await;
        }
    }
}

/// `oidcc-ensure-request-with-acr-values-succeeds`
#[tokio::test]
async fn the_authentication_context_is_one_of_those_that_were_wished_for() {
    let server = conformance().await;
    let metadata = super::config::metadata(&server).await;
    let offered = metadata["acr_values_supported"].as_array().expect("they are listed");
    let wished: Vec<&str> = offered.iter().filter_map(Value::as_str).collect();
    for variant in plans() {
        let module: Module<'_> = Module::begin(&server, variant).await;
        let flow = module.run(&[("acr_values", &wished.join(" "))]).await;
        assert!(flow.id_tokens().iter().all(|token| offered.contains(&token["acr"])), "{}", said(variant, &flow));
        module.end().await;
    }
}

fn said(variant: Variant, flow: &Flow) -> String {
    format!("{variant:?}: {:?}", flow.id_tokens())
}
