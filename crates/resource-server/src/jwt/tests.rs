use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::key::SigningKey;
use grantor_jose::random::Random;
use grantor_jose::verify::VerifyError;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::*;
use crate::bearer::{self, Presented};
use crate::claims::tests::rules;

const NOW: i64 = 1_000;

static KEYS: LazyLock<[SigningKey; 2]> = LazyLock::new(|| {
    [Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| SigningKey::generate(algorithm, &Random::new()).unwrap())
});

static PUBLISHED: LazyLock<JwkSet> =
    LazyLock::new(|| JwkSet { keys: KEYS.iter().map(|key| key.jwk().clone()).collect() });

fn claims() -> Value {
    json!({"iss": "https://id.example", "aud": "https://api.example", "exp": 1_600, "iat": 990, "jti": "1", "sub": "alice",
           "client_id": "app", "scope": "notes.read"})
}

fn checked(token: &str) -> Result<Access, Fault> {
    check(token, &PUBLISHED, &rules(), NOW)
}

/// The claims with changes; `null` removes one.
fn signed(changes: &Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name)
        } else {
            claims.as_object_mut().unwrap().insert(name.clone(), value.clone())
        };
    }
    KEYS[0].sign_compact(Typ::AtJwt, &claims).unwrap()
}

/// A token with any header and any payload, and a true signature.
fn signed_raw(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

#[test]
fn a_token_of_the_issuer_for_this_api_counts() {
    let access = checked(&signed(&json!({"acr": "pwd", "auth_time": 900}))).unwrap();
    assert_eq!((access.subject.as_str(), access.acr.as_deref(), access.auth_time), ("alice", Some("pwd"), Some(900)));
    assert!(access.scope.has("notes.read"));
    assert!(checked(&KEYS[1].sign_compact(Typ::AtJwt, &claims()).unwrap()).is_ok());
}

#[test]
fn each_claim_of_rfc_9068_must_be_there() {
    for name in ["iss", "exp", "sub", "client_id", "iat", "jti"] {
        let mut without = json!({});
        without[name] = Value::Null;
        assert_eq!(checked(&signed(&without)).unwrap_err(), Fault::ClaimMissing(name));
    }
    assert_eq!(checked(&signed(&json!({"aud": null}))).unwrap_err(), Fault::AudienceMismatch);
}

#[test]
fn other_kinds_of_tokens_are_no_access_tokens() {
    for typ in [Typ::Jwt, Typ::LogoutJwt, Typ::IntrospectionJwt] {
        let token = KEYS[0].sign_compact(typ, &claims()).unwrap();
        assert_eq!(checked(&token).unwrap_err(), Fault::Unverified(VerifyError::TypMismatch));
    }
    let payload = claims().to_string();
    let header = |typ: &str| format!(r#"{{"alg":"ES256","kid":"{}"{typ}}}"#, KEYS[0].kid());
    assert!(checked(&signed_raw(&KEYS[0], &header(r#","typ":"application/AT+JWT""#), &payload)).is_ok());
    for typ in ["", r#","typ":"at""#, r#","typ":"application/jwt""#, r#","typ":"at+jwt+x""#] {
        assert!(checked(&signed_raw(&KEYS[0], &header(typ), &payload)).is_err(), "{typ}");
    }
}

#[test]
fn no_other_algorithm_and_no_other_key_is_taken() {
    let payload = claims().to_string();
    for alg in ["none", "None", "HS256", "HS512", "RS512", "ES384", "EdDSA", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": KEYS[0].kid()}).to_string();
        assert!(checked(&signed_raw(&KEYS[0], &header, &payload)).is_err(), "{alg}");
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(&payload));
        assert!(checked(&unsigned).is_err(), "{alg}");
    }
    let stranger = SigningKey::generate(Algorithm::Es256, &Random::new()).unwrap();
    let token = stranger.sign_compact(Typ::AtJwt, &claims()).unwrap();
    assert_eq!(checked(&token).unwrap_err(), Fault::Unverified(VerifyError::KeyUnknown));
    let as_ours = json!({"alg": "ES256", "typ": "at+jwt", "kid": KEYS[0].kid()}).to_string();
    let token = signed_raw(&stranger, &as_ours, &payload);
    assert_eq!(checked(&token).unwrap_err(), Fault::Unverified(VerifyError::SignatureInvalid));
    let inside =
        json!({"alg": "ES256", "typ": "at+jwt", "jwk": stranger.jwk(), "jku": "https://evil.example"}).to_string();
    assert!(checked(&signed_raw(&stranger, &inside, &payload)).is_err());
}

#[test]
fn algorithms_that_were_chosen_are_the_only_ones() {
    let rules = Rules { algorithms: Some(vec![Algorithm::EdDsa]), ..rules() };
    let check = |key: &SigningKey| check(&key.sign_compact(Typ::AtJwt, &claims()).unwrap(), &PUBLISHED, &rules, NOW);
    assert!(check(&KEYS[1]).is_ok());
    assert_eq!(check(&KEYS[0]).unwrap_err(), Fault::Unverified(VerifyError::AlgorithmNotAllowed));
}

#[test]
fn a_claim_that_stands_twice_or_has_another_type_refuses_the_token() {
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": KEYS[0].kid()}).to_string();
    let twice = claims().to_string().replacen('{', r#"{"aud":"https://api.example","#, 1);
    assert!(checked(&signed_raw(&KEYS[0], &header, &twice)).is_err());
    for wrong in [
        json!({"exp": "1600"}),
        json!({"exp": 1e300}),
        json!({"scope": ["a"]}),
        json!({"sub": 1}),
        json!({"networks": {}}),
    ] {
        assert_eq!(checked(&signed(&wrong)).unwrap_err(), Fault::Unverified(VerifyError::ClaimsInvalid), "{wrong}");
    }
}

#[test]
fn three_parts_are_a_jwt_and_nothing_else_is() {
    for (token, is_jwt) in [
        ("a.b.c", true),
        ("..", true),
        ("gtr_at_00000000000.E9Mel", false),
        ("gtr_pat_x", false),
        ("a.b.c.d", false),
        ("", false),
    ] {
        assert_eq!(has_form(token), is_jwt, "{token}");
    }
}

/// How many inputs each property gets: `TEST_INPUTS=1000000`, with `--release`, for as many.
#[expect(clippy::disallowed_methods, reason = "a test's amount is told to it")]
fn inputs() -> Config {
    let cases = std::env::var("TEST_INPUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    Config { cases, failure_persistence: None, max_shrink_iters: 10_000, ..Config::default() }
}

/// Texts that look like tokens more or less.
fn texts() -> impl Strategy<Value = String> {
    let part = || {
        prop_oneof![
            "[A-Za-z0-9_-]{0,40}",
            Just(URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"at+jwt"}"#)),
            any::<Vec<u8>>().prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
            "[{}\\[\\]\":,a-z0-9.]{0,40}".prop_map(|json| URL_SAFE_NO_PAD.encode(json)),
        ]
    };
    prop_oneof![
        (part(), part(), part()).prop_map(|(header, payload, signature)| format!("{header}.{payload}.{signature}")),
        ".{0,60}",
        "gtr_(at|pat|key)_[A-Za-z0-9._-]{0,60}",
    ]
}

#[test]
fn whatever_comes_as_a_token_is_read_or_refused() {
    let mut runner = TestRunner::new(inputs());
    let outcome = runner.run(&texts(), |text| {
        let header = format!("Bearer {text}");
        if let Presented::Token(token) = bearer::read([header.as_bytes()]) {
            prop_assert!(checked(token).is_err(), "nobody signed it");
        }
        let _ = has_form(&text);
        prop_assert!(checked(&text).is_err(), "nobody signed it");
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_token_that_was_changed_anywhere_is_refused() {
    let token = signed(&json!({}));
    let cuts = (0..token.len(), any::<u8>(), 0_usize..4);
    let mut runner = TestRunner::new(inputs());
    let outcome = runner.run(&cuts, |(at, byte, how)| {
        let mut bytes = token.clone().into_bytes();
        match how {
            0 => bytes[at] = byte,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        let changed = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(checked(&changed).is_ok(), *changed == *token);
        Ok(())
    });
    outcome.unwrap();
}

/// Claims as nobody would write them.
fn strange_claims() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["https://api.example", "https://id.example", "10.0.0.0/8", "::/0"])
            .prop_map(Value::from),
        prop::collection::vec("[a-z0-9:./]{0,12}", 0..3).prop_map(Value::from),
        Just(json!({"jkt": [[{}]]})),
    ];
    let name = prop::sample::select(vec![
        "iss",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "sub",
        "client_id",
        "scope",
        "acr",
        "auth_time",
        "networks",
        "cnf",
        "token_type",
        "username",
        "new",
    ]);
    prop::collection::vec((name, value), 0..4).prop_map(|changes| {
        let mut claims = claims();
        for (name, value) in changes {
            claims[name] = value;
        }
        claims
    })
}

#[test]
fn whatever_the_issuer_signs_counts_only_for_us_and_now() {
    let mut runner = TestRunner::new(inputs());
    let outcome = runner.run(&strange_claims(), |claims| {
        let token = KEYS[1].sign_compact(Typ::AtJwt, &claims).unwrap();
        let Ok(access) = checked(&token) else { return Ok(()) };
        prop_assert_eq!(&claims["iss"], "https://id.example");
        let is_ours = |audience: &Value| audience == "https://api.example";
        prop_assert!(is_ours(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(is_ours)));
        prop_assert!(claims["exp"].as_i64().unwrap().saturating_add(10) > NOW);
        prop_assert!(claims["nbf"].as_i64().is_none_or(|nbf| nbf <= NOW + 10));
        prop_assert!(claims.get("cnf").is_none() && !access.subject.is_empty());
        let networks = claims["networks"].as_array().map(Vec::len);
        prop_assert_eq!(access.networks.map(|networks| networks.len()), networks);
        Ok(())
    });
    outcome.unwrap();
}

/// With `--release` and `--nocapture`, the figure; no limit, since others may have the processor.
#[test]
#[expect(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "a test measures what a check costs")]
fn what_a_check_costs_is_told() {
    let rounds = inputs().cases.min(20_000);
    for key in KEYS.iter() {
        let token = key.sign_compact(Typ::AtJwt, &claims()).unwrap();
        let begun = std::time::Instant::now();
        for _ in 0..rounds {
            assert!(checked(&token).is_ok());
        }
        println!("a check of {}: {:.1} µs", key.algorithm(), begun.elapsed().as_micros() as f64 / f64::from(rounds));
    }
}
