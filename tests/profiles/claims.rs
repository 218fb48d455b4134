//! What apps are told of a person: userinfo, scopes, claims that are asked for by themselves, and languages.

use serde_json::{Value, json};

use super::driver::{Module, Variant, conformance, plans};
use super::driver_tokens::Flow;
use crate::harness::page::Page;

/// What each scope stands for (OIDC Core §5.4).
const SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "given_name",
            "family_name",
            "middle_name",
            "nickname",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
            "preferred_username",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// What the flow tells of the person: at userinfo, or in the ID token that comes alone.
async fn told(module: &Module<'_>, flow: &Flow) -> Value {
    if !module.variant.has_access_token() {
        return flow.id_token().clone();
    }
    let page = module.userinfo(flow.access_token()).await;
    right(&page, flow)
}

/// A userinfo answer that is right in all that the suite checks of any.
fn right(page: &Page, flow: &Flow) -> Value {
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("application/json")), "{}", page.body);
    let told = page.json();
    assert!(flow.id_tokens().iter().all(|token| token["sub"] == told["sub"]), "{told}");
    check_kinds(&told);
    told
}

/// Each standard claim is of its type (OIDC Core §5.1).
fn check_kinds(told: &Value) {
    for (name, value) in told.as_object().unwrap() {
        let is_right = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_number(),
            "address" => {
                value.as_object().is_some_and(|parts| !parts.is_empty() && parts.values().all(Value::is_string))
            }
            name if SCOPES.iter().any(|(_, claims)| claims.contains(&name)) => value.is_string(),
            _ => true,
        };
        assert!(is_right, "{name} is {value}");
    }
}

/// `oidcc-userinfo-get`, `oidcc-userinfo-post-header`, `oidcc-userinfo-post-body`
#[tokio::test]
async fn userinfo_is_asked_by_get_and_by_post() {
    let server = conformance().await;
    for variant in plans().into_iter().filter(|variant| variant.has_access_token()) {
        let module = Module::begin(&server, variant).await;
        let flow = module.run(&[]).await;
        let at = server.at("/userinfo");
        let (token, http) = (flow.access_token(), &module.http);
        for request in [
            http.get(&at).bearer_auth(token),
            http.post(&at).bearer_auth(token).header("content-type", "application/x-www-form-urlencoded"),
            http.post(&at).bearer_auth(token).header("content-length", "0"),
            http.post(&at).form(&[("access_token", token)]),
        ] {
            right(&Page::of(request.send().await.unwrap()).await, &flow);
        }
        module.end().await;
    }
}

/// `oidcc-scope-profile`, `oidcc-scope-email`, `oidcc-scope-address`, `oidcc-scope-phone`, `oidcc-scope-all`
#[tokio::test]
async fn each_scope_tells_all_its_claims() {
    let server = conformance().await;
    for variant in plans() {
        for scope in ["profile", "email", "address", "phone", "email phone address profile"] {
            let module = Module::begin(&server, variant).await;
            let flow = module.run(&[("scope", &format!("openid {scope}"))]).await;
            let told = told(&module, &flow).await;
            check_kinds(&told);
            for (name, claims) in SCOPES {
                let is_asked = scope.split(' ').any(|asked| asked == name);
                let all = claims.iter().all(|claim| told.get(claim).is_some() == is_asked);
                assert!(all, "{variant:?} {scope}: {told}");
            }
            module.end().await;
        }
    }
}

/// `oidcc-ensure-other-scope-order-succeeds`
#[tokio::test]
async fn the_order_of_scopes_says_nothing() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let mut request = module.request(&[("scope", "email openid")]);
        request.pairs.reverse();
        let answer = module.answered(request).await;
        let flow = module.finish(answer).await;
        assert_eq!(told(&module, &flow).await["email"], "ada@example.com", "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-claims-essential`
#[tokio::test]
async fn a_claim_that_is_asked_for_by_itself_is_told_where_it_was_asked_for() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let to = if variant.has_access_token() { "userinfo" } else { "id_token" };
        let wanted = json!({to: {"name": {"essential": true}}}).to_string();
        let flow = module.run(&[("claims", &wanted)]).await;
        let told = told(&module, &flow).await;
        assert_eq!(told["name"], "Ada Augusta King", "{variant:?}");
        assert!(told.get("birthdate").is_none(), "and no other of its scope: {told}");
        let in_tokens = flow.id_tokens().iter().any(|token| token.get("name").is_some());
        assert_eq!(in_tokens, !variant.has_access_token(), "{variant:?}");
        module.end().await;
    }
}

/// `oidcc-claims-locales`
#[tokio::test]
async fn languages_of_claims_are_no_error() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        module.run(&[("claims_locales", "se"), ("scope", "openid profile")]).await;
        module.end().await;
    }
}

/// A variant has an access token exactly where userinfo can be asked.
#[test]
fn variants_know_what_they_have() {
    let without = plans().into_iter().filter(|variant: &Variant| !variant.has_access_token());
    assert!(without.map(|variant| variant.response_type).all(|kind| kind == "id_token"));
}
