//! Tokens and keys: of our own, of apps that sign, and of anybody who writes something that looks like one.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::client_auth;
use grantor_core::params::Params;
use grantor_core::token::{ACCESS, CODE, Jti, REFRESH, SESSION};
use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::jwk::{Jwk, JwkSet, MAX_KEYS};
use grantor_jose::key::SigningKey;
use grantor_jose::verify::{Expected, MAX_TOKEN, TypRule, verify};
use serde_json::Value;

use super::mutation::Grammar;
use super::parser::{Parser, text, texts};

const ANYTHING: Expected<'_> = Expected { typ: TypRule::Any, algorithms: Algorithm::ALL };

// RFC 7515 §A.2, §A.3 and RFC 8037 §A.4
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

const RSA_KEY: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const EC_KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"1","alg":"ES256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const OKP_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const PRIVATE: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

const KEY_WORDS: &[&str] = &[
    "\"kty\":",
    "\"RSA\"",
    "\"EC\"",
    "\"OKP\"",
    "\"oct\"",
    "\"crv\":",
    "\"P-384\"",
    "\"P-521\"",
    "\"d\":\"AA\"",
    "\"k\":1",
    "\"alg\":\"none\"",
    "\"use\":\"enc\"",
    "\"n\":",
    "AAAA",
    "\"e\":\"Aw\"",
    "null",
    "{",
    "}",
    ",",
    "\"keys\":[",
];
const JSON_BRACKETS: &[(&str, &str)] = &[("[", "]"), ("{\"a\":", "}"), ("{\"keys\":[", "]}"), ("\"", "\"")];

/// A key of ours.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_private_jwk(Algorithm::EdDsa, PRIVATE).unwrap());

/// The keys of the examples, and as many more as are tried for one token.
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let keys = [RSA_KEY, EC_KEY, OKP_KEY, EC_KEY, RSA_KEY, RSA_KEY].map(|key| serde_json::from_str(key).unwrap());
    JwkSet { keys: keys.into() }
});

#[test]
fn a_jwt_is_verified_or_refused() {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let mut examples = texts(&[RS256, ES256, EDDSA, "..", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.e30."]);
    for header in [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"ES256","kid":"1","crit":["exp"],"exp":1}"#,
        r#"{"alg":"EdDSA","alg":"none","jwk":{"kty":"oct","k":"AA"},"jku":"https://evil.example/"}"#,
    ] {
        examples.push(format!("{}.{}.AAAA", encode(header), encode(r#"{"sub":"a"}"#)).into_bytes());
    }
    let grammar = Grammar {
        examples: &examples,
        words: &[".", "e30", "eyJhbGciOiJub25lIn0", "eyJhbGciOiJFUzI1NiJ9", "=", "-", "_", "AAAA", "W1tb", "eyJhIjp7"],
        brackets: &[("W1tb", "XV1d"), ("eyJhIjp7", "fX19"), (".", ".")],
        longest: MAX_TOKEN + 1_000,
    };
    let read = |input: &[u8]| {
        let verified = verify(&text(input), &ANYTHING, &*KEYS);
        let _ = verified.and_then(|verified| verified.claims::<Value>());
    };
    let check = |input: &[u8]| {
        let text = text(input);
        assert!(
            verify(&text, &ANYTHING, &*KEYS).is_err() || [RS256, ES256, EDDSA].contains(&&*text),
            "nobody signed it"
        );
        let _ = client_auth::claimed(&Params::from_pairs([("client_assertion", text)]).unwrap(), None);
    };
    Parser { name: "JWT", share: 50, grammar, read: &read, check: &check }.run();
}

#[test]
fn whatever_is_signed_is_read_or_refused() {
    let examples = texts(&[
        "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}\n{\"iss\":\"app\",\"sub\":\"app\",\"aud\":[\"https://id.example\"],\"exp\":1,\"jti\":\"1\"}",
        "{\"alg\":\"EdDSA\",\"kid\":null}\n{\"sub\":\"a\",\"sub\":\"b\",\"n\":1.5e300,\"deep\":{\"a\":[[[{}]]]}}",
        "{\"alg\":\"EdDSA\",\"crit\":[]}\n[]",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &[
            "\"alg\":\"EdDSA\"",
            "\"sub\":",
            "\"aud\":",
            "[",
            "]",
            "{",
            "}",
            ",",
            "\"",
            "\\u0061",
            "1e400",
            "null",
        ],
        brackets: JSON_BRACKETS,
        longest: MAX_TOKEN * 3 / 4 - 100,
    };
    let signed = |input: &[u8]| {
        let (header, claims) = input.split_at(input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len()));
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(KEY.sign(signed.as_bytes()).unwrap());
        (format!("{signed}.{signature}"), claims.to_vec())
    };
    let read = |input: &[u8]| {
        let verified = verify(&signed(input).0, &ANYTHING, KEY.jwk());
        let _ = verified.and_then(|verified| verified.claims::<Value>());
    };
    let check = |input: &[u8]| {
        let (token, claims) = signed(input);
        assert!(verify(&token, &ANYTHING, KEY.jwk()).map_or(true, |verified| verified.payload == claims));
        let _ = client_auth::claimed(&Params::from_pairs([("client_assertion", token)]).unwrap(), None);
    };
    Parser { name: "signed claims", share: 30, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_key_is_read_or_refused() {
    let p384 = format!(r#"{{"kty":"EC","crv":"P-384","x":"{0}","y":"{0}"}}"#, "A".repeat(64));
    let examples = texts(&[RSA_KEY, EC_KEY, OKP_KEY, &p384, PRIVATE, r#"{"kty":"oct","k":"AA"}"#, "{}"]);
    let grammar = Grammar { examples: &examples, words: KEY_WORDS, brackets: JSON_BRACKETS, longest: 16 * 1024 };
    let read = |input: &[u8]| {
        let Ok(jwk) = serde_json::from_slice::<Jwk>(input) else { return };
        for algorithm in Algorithm::ALL {
            assert!(!jwk.verify(*algorithm, b"a message", &[0x5a; 256]) && !jwk.verify(*algorithm, b"", &[0x5a; 64]));
        }
    };
    let check = |input: &[u8]| {
        let Ok(jwk) = serde_json::from_slice::<Jwk>(input) else { return };
        let again: Jwk = serde_json::from_str(&serde_json::to_string(&jwk).unwrap()).unwrap();
        assert_eq!(again, jwk);
        assert_eq!(again.thumbprint(), jwk.thumbprint());
    };
    Parser { name: "JWK", share: 40, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_private_key_is_read_or_refused() {
    let ec = EC_KEY.replace("\"kid\"", r#""d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","kid""#);
    let rsa = RSA_KEY.replace("\"e\"", r#""d":"AQAB","p":"Aw","q":"BQ","e""#);
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let examples = texts(&[PRIVATE, &ec, &rsa, pem, OKP_KEY]);
    let grammar = Grammar { examples: &examples, words: KEY_WORDS, brackets: JSON_BRACKETS, longest: 16 * 1024 };
    let read = |input: &[u8]| drop(SigningKey::from_private_jwk(Algorithm::Rs256, &text(input)));
    let check = |input: &[u8]| {
        for algorithm in Algorithm::ALL {
            let of_jwk = SigningKey::from_private_jwk(*algorithm, &text(input));
            for key in [of_jwk, SigningKey::from_pem(*algorithm, &text(input))].into_iter().flatten() {
                assert_eq!(SigningKey::from_pkcs8(*algorithm, &key.to_pkcs8()).unwrap().kid(), key.kid());
            }
        }
    };
    Parser { name: "private key", share: 5, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_set_of_keys_is_read_or_refused() {
    let set = |keys: &[&str]| format!(r#"{{"keys":[{}]}}"#, keys.join(","));
    let many = set(&[OKP_KEY; MAX_KEYS]);
    let examples =
        texts(&[&set(&[RSA_KEY, EC_KEY, OKP_KEY]), &set(&[r#"{"kty":"AKP","x":5}"#, EC_KEY]), &set(&[]), &many]);
    let grammar = Grammar { examples: &examples, words: KEY_WORDS, brackets: JSON_BRACKETS, longest: 64 * 1024 };
    let read = |input: &[u8]| {
        let Ok(set) = serde_json::from_slice::<JwkSet>(input) else { return };
        let _ = [RS256, ES256, EDDSA].map(|token| verify(token, &ANYTHING, &set).is_ok());
    };
    let check = |input: &[u8]| {
        let Ok(set) = serde_json::from_slice::<JwkSet>(input) else { return };
        assert!(set.keys.len() <= MAX_KEYS);
        let again: JwkSet = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
        assert_eq!(again, set);
    };
    Parser { name: "JWK set", share: 15, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_token_of_ours_is_read_as_it_is_written() {
    let examples = texts(&[
        "gtr_ac_0BxVq7aY2Lk.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "gtr_rt_AzL8n0Y58m7.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "gtr_at_00000000000.E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "gtr_se_zzzzzzzzzzz.____________________________________________",
        "0BxVq7aY2Lk.0BxVq7aY2Lk",
        "AzL8n0Y58m8",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &["gtr_ac_", "gtr_rt_", "gtr_at_", "gtr_se_", ".", "_", "-", "0", "z", "AzL8n0Y58m7"],
        brackets: &[],
        longest: 8 * 1024,
    };
    let read = |input: &[u8]| {
        let text = text(input);
        let _ = ([ACCESS, CODE, REFRESH, SESSION].map(|kind| kind.parse(&text)), text.parse::<Jti>());
    };
    let check = |input: &[u8]| {
        let text = text(input);
        for kind in [ACCESS, CODE, REFRESH, SESSION] {
            assert!(kind.parse(&text).is_none_or(|(id, secret)| kind.format(id, &secret) == text));
        }
        assert!(text.parse::<Id>().map_or(true, |id| id.to_string() == text));
        assert!(text.parse::<Jti>().map_or(true, |jti| jti.to_string() == text));
    };
    Parser { name: "token of ours", share: 30, grammar, read: &read, check: &check }.run();
}
