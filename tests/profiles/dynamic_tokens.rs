//! `oidcc-dynamic-certification-test-plan`: its modules about tokens, keys that change, and requests that lie elsewhere.

use std::collections::HashSet;
use std::time::Duration;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::key::Typ;
use serde_json::{Value, json};

use super::dynamic_suite::{
    self, Client, Files, KEYS, RESPONSE_TYPES, SignedIn, Suite, WITH_CODE, jwks, signed, unsigned, well_formed,
};
use crate::harness::app::{Tokens, claims, header};
use crate::harness::server::Server;
use crate::oidc::keys::{self, is_signed, rotate};

const OFFLINE: &[(&str, &str)] = &[("scope", "openid offline_access"), ("prompt", "consent")];

/// `oidcc-idtoken-rs256`
#[tokio::test]
async fn an_id_token_is_by_rs256_and_names_its_key() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for kind in RESPONSE_TYPES {
        let client = suite.registers(kind, json!({"id_token_signed_response_alg": "RS256"})).await;
        let signed_in = suite.signs_in(&client, &[]).await;
        assert_eq!(header(&signed_in.id_token)["alg"], "RS256");
        suite.leaves(client).await;
    }
}

/// `oidcc-idtoken-unsigned` is skipped where `none` is not listed; nor can it be registered.
#[tokio::test]
async fn an_id_token_without_a_signature_is_neither_offered_nor_registered() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let listed = suite.documents().await["id_token_signing_alg_values_supported"].clone();
    assert!(!listed.as_array().unwrap().contains(&json!("none")));
    let refused = suite.is_refused("code", json!({"id_token_signed_response_alg": "none"})).await;
    assert_eq!(refused, "400 invalid_client_metadata");
}

/// `oidcc-userinfo-rs256`
#[tokio::test]
async fn userinfo_is_signed_by_rs256_for_this_app() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for kind in RESPONSE_TYPES.into_iter().filter(|kind| *kind != "id_token") {
        let client = suite.registers(kind, json!({"userinfo_signed_response_alg": "RS256"})).await;
        let signed_in = suite.signs_in(&client, &[]).await;
        is_signed_userinfo(&suite, &client, &signed_in, "RS256").await;
        suite.leaves(client).await;
    }
}

async fn is_signed_userinfo(suite: &Suite<'_>, client: &Client, signed_in: &SignedIn, algorithm: &str) {
    let page = suite.userinfo(signed_in.access_token.as_ref().unwrap()).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("application/jwt")));
    let (said, known) = (claims(&page.body), claims(&signed_in.id_token));
    assert_eq!(header(&page.body)["alg"], algorithm);
    assert_eq!((&said["iss"], &said["sub"]), (&known["iss"], &known["sub"]));
    assert!(said["aud"] == client.told["client_id"] && said.get("nonce").is_none(), "{said}");
}

/// Beside the plan: whatever algorithm is listed can be registered, for ID tokens and for userinfo.
#[tokio::test]
async fn each_algorithm_that_is_listed_signs_id_tokens_and_userinfo() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let documents = suite.documents().await;
    for algorithm in documents["id_token_signing_alg_values_supported"].as_array().unwrap() {
        let both = json!({"id_token_signed_response_alg": algorithm, "userinfo_signed_response_alg": algorithm});
        let client = suite.registers("code", both).await;
        let signed_in = suite.signs_in(&client, &[]).await;
        assert_eq!(header(&signed_in.id_token)["alg"], *algorithm);
        is_signed_userinfo(&suite, &client, &signed_in, algorithm.as_str().unwrap()).await;
    }
    for member in ["id_token_signed_response_alg", "userinfo_signed_response_alg", "request_object_signing_alg"] {
        let refused = suite.is_refused("code", json!({ member: "HS256" })).await;
        assert_eq!(refused, "400 invalid_client_metadata", "{member}");
    }
}

/// `oidcc-server-rotate-keys`: the operator says `grantor key rotate --algorithm RS256`.
#[tokio::test]
async fn after_a_rotation_the_key_set_has_the_new_key_beside_the_old_one() {
    let server = dynamic_suite::server().await;
    let signing = async || {
        let set = keys::jwks(&server).await;
        let all = set["keys"].as_array().unwrap().clone();
        let secret = ["d", "p", "q", "k"];
        assert!(all.iter().all(|key| secret.iter().all(|name| key.get(name).is_none())), "{set}");
        let signing: Vec<Value> = all.into_iter().filter(|key| key["use"] == "sig").collect();
        let names: HashSet<String> = signing.iter().map(|key| key["kid"].to_string()).collect();
        assert_eq!(names.len(), signing.len(), "each key has a name of its own");
        signing
    };
    let before = signing().await;
    rotate(&server, Algorithm::Rs256, false).await;
    let after = signing().await;
    assert!(before.iter().all(|key| after.contains(key)), "what signs now stays");
    let new: Vec<&Value> = after.iter().filter(|key| !before.contains(key)).collect();
    assert!(new.len() == 1 && new[0]["kty"] == "RSA" && new[0]["alg"] == "RS256", "{new:?}");
    assert!(before.iter().all(|key| key["kid"] != new[0]["kid"] && key["n"] != new[0]["n"]));
}

/// `oidcc-refresh-token-rp-key-rotation`
#[tokio::test]
async fn an_app_that_has_published_another_key_goes_on_with_it_after_a_minute() {
    let (server, files) = (dynamic_suite::server().await, Files::start());
    let suite = Suite::new(&server);
    for kind in WITH_CODE {
        let uri = files.serves("/client1_jwks", "application/json", &jwks(&KEYS[0], true).to_string());
        let keyed = with_refresh(kind, json!({"jwks": null, "jwks_uri": uri}));
        let client = Client { is_named: true, ..suite.registers(kind, keyed).await };
        let tokens = suite.signs_in(&client, OFFLINE).await.tokens.unwrap();
        files.serves("/client1_jwks", "application/json", &jwks(&KEYS[1], true).to_string());
        server.clock.advance(Duration::from_mins(1));
        let client = Client { key: 1, ..client };
        refreshed(&suite, &client, &tokens, "openid offline_access").await;
        suite.leaves(client).await;
    }
}

/// The members of an app that refreshes.
fn with_refresh(kind: &str, mut changes: Value) -> Value {
    let mut grants = Suite::metadata(kind, json!({}))["grant_types"].clone();
    grants.as_array_mut().unwrap().push(json!("refresh_token"));
    changes["grant_types"] = grants;
    changes
}

/// Refreshes, and checks what must stay of the first ID token.
async fn refreshed(suite: &Suite<'_>, client: &Client, before: &Tokens, scope: &str) -> Tokens {
    suite.server.clock.advance(Duration::from_secs(1));
    let form = [("grant_type", "refresh_token"), ("refresh_token", before.refresh()), ("scope", scope)];
    let form: Vec<_> = form.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let after = well_formed(&suite.asks_for_tokens(client, &form).await);
    let (old, new) = (claims(before.id()), claims(after.id()));
    for name in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(new[name], old[name], "{name}");
    }
    assert!(new["iat"].as_i64() > old["iat"].as_i64() && before.access() != after.access());
    assert!(after.refresh().bytes().all(|byte| (0x20..=0x7E).contains(&byte)));
    assert_eq!(suite.userinfo(after.access()).await.status, 200);
    after
}

/// `oidcc-refresh-token`
#[tokio::test]
async fn a_refresh_token_is_for_the_app_that_was_given_it() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    assert!(suite.documents().await["grant_types_supported"].as_array().unwrap().contains(&json!("refresh_token")));
    for kind in WITH_CODE {
        let one = suite.registers(kind, with_refresh(kind, json!({}))).await;
        let tokens = suite.signs_in(&one, OFFLINE).await.tokens.unwrap();
        refreshed(&suite, &one, &tokens, "openid offline_access").await;
        let two = suite.registers(kind, with_refresh(kind, json!({"jwks": jwks(&KEYS[1], false)}))).await;
        let two = Client { key: 1, ..two };
        let tokens = suite.signs_in(&two, OFFLINE).await.tokens.unwrap();
        let of_two = refreshed(&suite, &two, &tokens, "").await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", of_two.refresh())];
        assert_eq!(suite.asks_for_tokens(&one, &form).await.brief(), "400 invalid_grant", "{kind}");
        suite.leaves(one).await;
        suite.leaves(two).await;
    }
}

/// `oidcc-ensure-client-assertion-with-iss-aud-succeeds`
#[tokio::test]
async fn an_assertion_may_be_for_the_issuer_instead_of_the_token_endpoint() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for kind in WITH_CODE {
        let client = suite.registers(kind, json!({})).await;
        let client = Client { audience: Some(server.url.clone()), ..client };
        suite.signs_in(&client, &[]).await;
        suite.leaves(client).await;
    }
}

/// The request of a module, whole, as the claims of an object.
fn object(suite: &Suite<'_>, client: &Client) -> Value {
    let url = url::Url::parse(&suite.request(client, &[])).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

/// `oidcc-request-uri-signed-rs256`
#[tokio::test]
async fn a_request_may_lie_at_a_registered_address_signed_by_rs256() {
    let (server, files) = (dynamic_suite::server().await, Files::start());
    let suite = Suite::new(&server);
    let documents = suite.documents().await;
    assert_eq!(documents["request_uri_parameter_supported"], true);
    assert!(documents["request_object_signing_alg_values_supported"].as_array().unwrap().contains(&json!("RS256")));
    let kind = "application/oauth-authz-req+jwt";
    for response_type in RESPONSE_TYPES {
        let uri = files.serves("/requesturi/8lG2rQp0", kind, "");
        let said = json!({"request_uris": [uri], "request_object_signing_alg": "RS256"});
        let client = suite.registers(response_type, said).await;
        let mut said = object(&suite, &client);
        said["aud"] = json!(server.url);
        said["iss"] = client.told["client_id"].clone();
        files.serves("/requesturi/8lG2rQp0", kind, &signed(&KEYS[0], false, &said));
        // What must stand beside it stands there; the state and the nonce come of the object.
        let beside = [("state", ""), ("nonce", ""), ("request_uri", uri.as_str())];
        suite.signs_in(&client, &beside).await;
        suite.leaves(client).await;
    }
}

/// Without `allow_unsigned_request_objects` the modules about objects that nobody signed are skipped, since `none` is not listed: such an
/// object is taken from an app alone that is registered for it. With the setting they are walked in `request_objects.rs`.
// "All Request Objects from this Client MUST be rejected, if not signed with this algorithm." (OIDC Registration §2)
#[tokio::test]
async fn without_the_setting_an_object_that_nobody_signed_is_taken_from_an_app_alone_that_has_chosen_it() {
    let files = Files::start();
    let server = Server::start_with(|config| {
        dynamic_suite::settings(config);
        config.clients.allow_unsigned_request_objects = false;
    })
    .await;
    let suite = Suite::new(&server);
    for (algorithm, is_taken) in [(Value::Null, false), (json!("none"), true)] {
        let uri = files.serves("/requesturi/4fPq", "application/jwt", "");
        let said = json!({"request_uris": [uri], "request_object_signing_alg": algorithm});
        let client = suite.registers("code", said).await;
        files.serves("/requesturi/4fPq", "application/jwt", &unsigned(&object(&suite, &client)));
        let page = suite.person.open(suite.request(&client, &[("request_uri", &uri)])).await;
        let answer = crate::harness::app::Answer::of(&suite.person.approve(page).await);
        assert_eq!(answer.has("code"), is_taken, "{}", answer.0);
        let listed = suite.documents().await["request_object_signing_alg_values_supported"].clone();
        assert!(!listed.as_array().unwrap().contains(&json!("none")), "{listed}");
    }
}

/// Every token of these modules is one of ours by the type that it has.
#[tokio::test]
async fn an_access_token_of_a_module_is_no_id_token() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let client = suite.registers("code", json!({})).await;
    let signed_in = suite.signs_in(&client, &[]).await;
    let access_token = signed_in.access_token.unwrap();
    assert!(is_signed(&server, &access_token, Typ::AtJwt).await && !is_signed(&server, &access_token, Typ::Jwt).await);
}
