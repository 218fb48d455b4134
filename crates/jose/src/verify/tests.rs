//! Examples of the standards, and what attackers send.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::key::SigningKey;
use crate::key::tests::{sample, samples};

const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
                     cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
                     cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJd\
                     bF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOL\
                     n6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp\
                     0igcN_IoypGlUPQGe77Rw";
const EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcN\
                     R4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2l\
                     ZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2\
                     R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDT\
                     W9gb54h4FRWyuXpoQ";

const ANYTHING: Expected<'_> = Expected { typ: TypRule::Any, algorithms: Algorithm::ALL };

fn key(jwk: Value) -> Jwk {
    serde_json::from_value(jwk).unwrap()
}

fn refusal(token: &str, keys: &impl KeySource) -> VerifyError {
    verify(token, &ANYTHING, keys).unwrap_err()
}

/// A token with any header and claims, truly signed.
fn forge(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", base64url::encode(&signature))
}

#[test]
fn the_examples_of_rfc_7515_and_rfc_8037_verify() {
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    let es256 = key(json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}));
    let verified = verify(ES256, &ANYTHING, &es256).unwrap();
    assert_eq!(verified.algorithm, Algorithm::Es256);
    assert_eq!(verified.claims::<Value>().unwrap()["iss"], "joe");
    let rs256 = key(json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"}));
    assert_eq!(verify(RS256, &ANYTHING, &rs256).unwrap().claims::<Value>().unwrap()["exp"], 1_300_819_380);
    let eddsa = key(json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}));
    assert_eq!(verify(EDDSA, &ANYTHING, &eddsa).unwrap().payload, b"Example of Ed25519 signing");
    assert_eq!(refusal(EDDSA, &es256), VerifyError::KeyUnknown);
}

#[test]
fn a_point_off_the_curve_verifies_nothing() {
    let off =
        key(json!({"kty": "EC", "crv": "P-256", "x": base64url::encode(&[1; 32]), "y": base64url::encode(&[2; 32])}));
    assert_eq!(refusal(ES256, &off), VerifyError::SignatureInvalid);
}

#[test]
fn no_token_chooses_its_own_algorithm() {
    let key = sample(Algorithm::Rs256);
    for alg in ["none", "None", "NONE", "HS256", "HS512", "RS1", "rs256", ""] {
        let token = forge(key, &format!(r#"{{"alg":"{alg}"}}"#), "{}");
        assert_eq!(refusal(&token, key.jwk()), VerifyError::AlgorithmNotAllowed, "{alg}");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(refusal(&unsigned, key.jwk()), VerifyError::AlgorithmNotAllowed);
    }
    // A known algorithm that is not expected, and one that the key is not for.
    let token = key.sign_compact(Typ::Jwt, &json!({})).unwrap();
    let only = Expected { typ: TypRule::Any, algorithms: &[Algorithm::Es256, Algorithm::Ps256] };
    assert_eq!(verify(&token, &only, key.jwk()).unwrap_err(), VerifyError::AlgorithmNotAllowed);
    assert_eq!(refusal(&forge(key, r#"{"alg":"PS256"}"#, "{}"), key.jwk()), VerifyError::KeyUnknown);
    // HMAC with the public key's text as secret, the classic.
    let signed = format!("{}.e30", base64url::encode(br#"{"alg":"HS256"}"#));
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, serde_json::to_string(key.jwk()).unwrap().as_bytes());
    let tag = ring::hmac::sign(&secret, signed.as_bytes());
    let token = format!("{signed}.{}", base64url::encode(tag.as_ref()));
    assert_eq!(refusal(&token, key.jwk()), VerifyError::AlgorithmNotAllowed);
}

#[test]
fn keys_that_the_token_brings_along_are_ignored() {
    let (ours, theirs) =
        (sample(Algorithm::Es256), SigningKey::generate(Algorithm::Es256, &crate::random::Random::new()).unwrap());
    let jwk = serde_json::to_string(theirs.jwk()).unwrap();
    let header = format!(r#"{{"alg":"ES256","jwk":{jwk},"jku":"https://evil.example/","kid":"{}"}}"#, ours.kid());
    assert_eq!(refusal(&forge(&theirs, &header, "{}"), ours.jwk()), VerifyError::SignatureInvalid);
}

#[test]
fn critical_extensions_and_bad_headers_are_refused() {
    let key = sample(Algorithm::EdDsa);
    let refused = |header: &str| refusal(&forge(key, header, "{}"), key.jwk());
    assert_eq!(refused(r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#), VerifyError::CriticalExtension);
    for crit in ["[]", "null", "0"] {
        assert_eq!(refused(&format!(r#"{{"alg":"EdDSA","crit":{crit}}}"#)), VerifyError::CriticalExtension);
    }
    for header in [
        r#"{"alg":"none","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","x":1,"x":2}"#,
        "{}",
        "[]",
        "",
        r#"{"alg":"EdDSA","kid":5}"#,
    ] {
        assert_eq!(refused(header), VerifyError::HeaderInvalid, "{header}");
    }
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let key = sample(Algorithm::Es256);
    let check = |header: &str, rule| {
        let expected = Expected { typ: rule, algorithms: Algorithm::ALL };
        verify(&forge(key, header, "{}"), &expected, key.jwk()).map(|_| ())
    };
    let (at, plain) = (TypRule::Is(Typ::AtJwt), TypRule::Is(Typ::Jwt));
    for good in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert_eq!(check(&format!(r#"{{"alg":"ES256","typ":"{good}"}}"#), at), Ok(()), "{good}");
    }
    for bad in ["", "JWT", "logout+jwt", "text/at+jwt", "application/application/at+jwt", "at+jwt ", "application/"] {
        assert_eq!(check(&format!(r#"{{"alg":"ES256","typ":"{bad}"}}"#), at), Err(VerifyError::TypMismatch), "{bad}");
    }
    assert_eq!(check(r#"{"alg":"ES256"}"#, at), Err(VerifyError::TypMismatch));
    assert_eq!(check(r#"{"alg":"ES256"}"#, plain), Ok(()));
    assert_eq!(check(r#"{"alg":"ES256","typ":"jwt"}"#, plain), Ok(()));
    assert_eq!(check(r#"{"alg":"ES256","typ":"at+jwt"}"#, plain), Err(VerifyError::TypMismatch));
    assert_eq!(check(r#"{"alg":"ES256","typ":"anything"}"#, TypRule::Any), Ok(()));
}

#[test]
fn a_key_is_found_by_its_name_or_by_trying_a_few() {
    let key = sample(Algorithm::Es256);
    let others: Vec<Jwk> = samples().iter().map(|key| key.jwk().clone()).collect();
    let set = JwkSet { keys: others };
    let named = key.sign_compact(Typ::Jwt, &json!({})).unwrap();
    let nameless = forge(key, r#"{"alg":"ES256"}"#, "{}");
    assert!(verify(&named, &ANYTHING, &set).is_ok() && verify(&nameless, &ANYTHING, &set).is_ok());
    assert_eq!(refusal(&forge(key, r#"{"alg":"ES256","kid":"other"}"#, "{}"), &set), VerifyError::KeyUnknown);
    let many = JwkSet { keys: vec![key.jwk().clone(); MAX_TRIED + 1] };
    assert_eq!(refusal(&nameless, &many), VerifyError::KeysTooMany);
    let enough = JwkSet { keys: vec![key.jwk().clone(); MAX_TRIED] };
    assert!(verify(&nameless, &ANYTHING, &enough).is_ok());
}

#[test]
fn size_is_measured_before_anything_is_read() {
    let key = sample(Algorithm::EdDsa).jwk();
    assert_eq!(refusal(&"a".repeat(MAX_TOKEN + 1), key), VerifyError::TokenTooLong);
    assert_eq!(refusal(&format!("{}.e30.AA", "a".repeat(MAX_HEADER + 1)), key), VerifyError::HeaderTooLong);
    for bad in ["", ".", "a.b", "a.b.c.d", "....", "a.b.c.d.e"] {
        assert_eq!(refusal(bad, key), VerifyError::PartCount, "{bad}");
    }
    assert_eq!(refusal("..", key), VerifyError::HeaderInvalid);
    assert_eq!(refusal("e30=.e30.", key), VerifyError::Base64Invalid);
}

#[test]
fn claims_that_repeat_a_name_are_refused() {
    #[derive(Debug, Deserialize)]
    struct Claims {
        sub: String,
    }
    let key = sample(Algorithm::Es256);
    let claims = |payload: &str| {
        verify(&forge(key, r#"{"alg":"ES256"}"#, payload), &ANYTHING, key.jwk()).unwrap().claims::<Claims>()
    };
    assert_eq!(claims(r#"{"sub":"alice","more":1}"#).unwrap().sub, "alice");
    for bad in
        [r#"{"sub":"alice","sub":"bob"}"#, r#"{"sub":"alice","x":1,"x":1}"#, r#"{"sub":5}"#, "{}", "not JSON", ""]
    {
        assert_eq!(claims(bad).unwrap_err(), VerifyError::ClaimsInvalid, "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[A-Za-z0-9_.=-]{0,60}|.{0,60}", header in r#"\{("alg":|"ES256"|"typ":|null|,|\[|\]|5){0,8}\}"#) {
        let key = sample(Algorithm::Es256).jwk();
        prop_assert!(verify(&text, &ANYTHING, key).is_err());
        let with_header = format!("{}.{text}", base64url::encode(header.as_bytes()));
        prop_assert!(verify(&with_header, &ANYTHING, key).is_err());
    }

    #[test]
    fn a_token_with_one_character_changed_is_refused(place in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.=+/ -]", algorithm in 0_usize..5) {
        let key = &samples()[algorithm];
        let token = key.sign_compact(Typ::AtJwt, &json!({"sub": "alice", "scope": "openid"})).unwrap();
        let place = place.index(token.len());
        prop_assume!(token[place..=place] != with);
        let (before, after) = (&token[..place], &token[place + 1..]);
        let longer = format!("{token}{with}");
        prop_assert!(verify(&token, &ANYTHING, key.jwk()).is_ok());
        for altered in [format!("{before}{with}{after}"), format!("{before}{after}"), longer] {
            prop_assert!(verify(&altered, &ANYTHING, key.jwk()).is_err());
        }
    }
}

#[test]
fn an_unsecured_token_is_read_only_by_who_asks_for_one() {
    let part = |text: &str| base64url::encode(text.as_bytes());
    let read = |header: &str, signature: &str| {
        let token = format!("{}.{}.{signature}", part(header), part(r#"{"a":1}"#));
        assert!(verify(&token, &ANYTHING, &crate::jwk::JwkSet::default()).is_err());
        read_unsecured::<Value>(&token, TypRule::JwtOr("oauth-authz-req+jwt"))
    };
    for typ in ["", r#","typ":"JWT""#, r#","typ":"oauth-authz-req+jwt""#, r#","typ":"application/OAuth-Authz-Req+JWT""#]
    {
        assert_eq!(read(&format!(r#"{{"alg":"none"{typ}}}"#), "").unwrap(), json!({"a": 1}), "{typ}");
    }
    assert_eq!(read(r#"{"alg":"none","typ":"at+jwt"}"#, ""), Err(VerifyError::TypMismatch));
    assert_eq!(read(r#"{"alg":"none"}"#, "AA"), Err(VerifyError::SignatureInvalid));
    for alg in ["None", "ES256", "HS256", ""] {
        assert_eq!(read(&format!(r#"{{"alg":"{alg}"}}"#), ""), Err(VerifyError::AlgorithmNotAllowed), "{alg}");
    }
}
