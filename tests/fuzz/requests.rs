//! What requests carry: forms and parameters, each up to the size that the server lets through to it.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::claims::ClaimsRequest;
use grantor_core::client::{Client, ClientMetadata, Trust};
use grantor_core::error::Error;
use grantor_core::interaction::Interaction;
use grantor_core::params::{MAX_PARAMETER_BYTES, MAX_PARAMETERS, Params};
use grantor_core::pkce::CodeChallenge;
use grantor_core::policy::Lifetimes;
use grantor_core::redirect_uri::{self, ApplicationType, ValidRedirectUri};
use grantor_core::scope::Scope;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use url::Url;

use super::mutation::Grammar;
use super::parser::{Parser, text, texts};

/// The largest body that is read.
const BODY: usize = 64 * 1024;

const JSON_BRACKETS: &[(&str, &str)] = &[("[", "]"), ("{\"a\":", "}"), ("{", "}"), ("\"", "\"")];

#[test]
fn a_form_is_read_or_refused() {
    let examples = texts(&[
        "grant_type=authorization_code&code=gtr_ac_0BxVq7aY2Lk.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&redirect_uri=https%3A%2F%2Fwiki.example%2Fcb",
        "client_id=wiki&response_type=code&scope=openid+profile+email&state=a%26b&nonce=%C3%A9&claims=%7B%22id_token%22%3A%7B%7D%7D",
        "resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example&scope=",
        "csrf=AAAA&request=e30.AAAA&username=ada%40example.com&password=correct+horse&=&&x",
        "a=%&b=%zz&c=%00&d=%ff&e=%ed%a0%80",
        "",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &["&", "=", "%", "+", "%26", "%3D", "resource=", "scope=", "&state=", "a=1&", "%C3%A9", "%F0%9F%98%80"],
        brackets: &[("%25", ""), ("resource=a&", ""), ("a=", "&")],
        longest: BODY,
    };
    let check = |input: &[u8]| {
        let Ok(params) = Params::parse(input) else { return };
        let pairs: Vec<(&str, &str)> = params.iter().collect();
        assert!(pairs.len() <= MAX_PARAMETERS);
        for (at, (name, value)) in pairs.iter().enumerate() {
            assert!(!value.is_empty() && !value.contains('\0') && !name.contains('\0'));
            assert!(*name == "resource" || !pairs[..at].iter().any(|(other, _)| other == name), "{name} stands twice");
        }
        match Params::parse(params.to_query().as_bytes()) {
            Ok(again) => assert!(again.iter().eq(params.iter())),
            // Percent signs make three bytes of one.
            Err(error) => assert!(matches!(error, Error::ParameterTooLarge), "{error}"),
        }
    };
    Parser { name: "form", share: 150, grammar, read: &|input| drop(Params::parse(input)), check: &check }.run();
}

#[test]
fn a_scope_is_read_or_refused() {
    let examples =
        texts(&["openid profile email offline_access", "notes.read notes.write", "b a  b", "a", " ", "é \""]);
    let grammar = Grammar {
        examples: &examples,
        words: &[" ", "openid", "  ", "a ", "offline_access ", "\"", "\\"],
        brackets: &[("a ", ""), ("b c ", " a")],
        longest: MAX_PARAMETER_BYTES,
    };
    let check = |input: &[u8]| {
        let Ok(scope) = text(input).parse::<Scope>() else { return };
        assert_eq!(scope.as_str().parse::<Scope>().unwrap(), scope);
        assert!(scope.iter().is_sorted_by(|left, right| left < right), "each once, in order");
        let registered: Scope = "openid profile email offline_access notes.read".parse().unwrap();
        let allowed = scope.intersection(&registered);
        assert!(allowed.is_subset(&registered));
        assert_eq!(scope.without(&registered).union(&allowed), scope);
    };
    Parser { name: "scope", share: 120, grammar, read: &|input| drop(text(input).parse::<Scope>()), check: &check }
        .run();
}

fn client(application_type: ApplicationType, redirect_uris: &[&str]) -> Client {
    let redirect_uris = redirect_uris.iter().map(|uri| (*uri).to_owned()).collect();
    Client {
        client_id: "app".into(),
        metadata: ClientMetadata { application_type, redirect_uris, ..ClientMetadata::default() },
        secrets: Vec::new(),
        trust: Trust::Administrator,
        disabled: false,
        created_at: Time::default(),
        updated_at: Time::default(),
    }
}

static WEB: LazyLock<Client> =
    LazyLock::new(|| client(ApplicationType::Web, &["https://wiki.example/cb", "https://wiki.example/cb?a=1&b=%20"]));
static NATIVE: LazyLock<Client> =
    LazyLock::new(|| client(ApplicationType::Native, &["http://127.0.0.1/cb", "com.example.desk:/cb"]));

/// An address that answers go to takes them, where it is, and stands on a page as one source of its policy.
fn takes_answers(address: &ValidRedirectUri) {
    let answer = address.with_query([("code", "a b&c#d")].into_iter());
    let (bare, answer) = (Url::parse(address.as_str()).unwrap(), Url::parse(&answer).unwrap());
    let place =
        |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port(), url.path().to_owned());
    assert_eq!(place(&bare), place(&answer));
    assert!(answer.query_pairs().any(|pair| pair == ("code".into(), "a b&c#d".into())));
    let source = address.form_action();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.:/_".contains(&byte);
    assert!(!source.is_empty() && source.bytes().all(plain), "{source:?}");
}

#[test]
fn a_redirect_uri_is_proven_or_refused() {
    let examples = texts(&[
        "https://wiki.example/cb",
        "https://wiki.example/cb?a=1&b=%20",
        "http://127.0.0.1:49152/cb",
        "http://[::1]:8080/cb",
        "com.example.desk:/cb",
        "com.example.desk://host:1/cb?x",
        "https://user:pass@wiki.example/cb",
        "https://wiki.example/a/../cb",
        "https://wiki.example\\@evil.example/cb",
        "https://wiki.example/cb#f",
        "https://xn--bcher-kva.example:65535/",
        "javascript:alert(1)",
        "http://0x7f.1/cb",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &[
            "https://",
            "http://",
            "127.0.0.1",
            "[::1]",
            ":80",
            "@",
            "//",
            "..",
            "%2e%2e",
            "localhost",
            ";",
            "*",
            ",",
        ],
        brackets: &[("a/", ""), ("a.", ""), ("%25", ""), ("[", "]")],
        longest: MAX_PARAMETER_BYTES,
    };
    let check = |input: &[u8]| {
        let text = &text(input);
        if let Ok(proven) = WEB.redirect_uri(Some(text)) {
            assert!(WEB.metadata.redirect_uris.iter().any(|registered| registered == text));
            takes_answers(&proven);
        }
        if let Ok(proven) = NATIVE.redirect_uri(Some(text)) {
            let url = Url::parse(text).unwrap();
            assert!(text == "com.example.desk:/cb" || (url.host_str(), url.path()) == (Some("127.0.0.1"), "/cb"));
            takes_answers(&proven);
        }
        for kind in [ApplicationType::Web, ApplicationType::Native] {
            if redirect_uri::check(text, kind).is_ok() {
                takes_answers(&client(kind, &[text]).redirect_uri(Some(text)).unwrap());
            }
        }
    };
    let read = |input: &[u8]| {
        let text = &text(input);
        let _ = (WEB.redirect_uri(Some(text)), NATIVE.redirect_uri(Some(text)));
        let _ =
            (redirect_uri::check(text, ApplicationType::Native), redirect_uri::host(text), redirect_uri::origin(text));
    };
    Parser { name: "redirect URI", share: 100, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_claims_parameter_is_read_or_refused() {
    let examples = texts(&[
        r#"{"userinfo":{"given_name":{"essential":true},"nickname":null,"email":{"essential":true}},"id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}"#,
        r#"{"id_token":{"sub":{"value":"248289761001"}},"userinfo":{"sub":{"values":[1,2.5,null,true,{"a":[]}]}}}"#,
        r#"{"userinfo":{},"id_token":{},"other":[1e5,-1,"\u00e9"]}"#,
        r#"{"id_token":{"name#ja-Kana-JP":{"value":"x","essential":false,"other":1}}}"#,
        "[]",
    ]);
    let grammar = Grammar {
        examples: &examples,
        words: &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "null",
            "true",
            "\\u0000",
            "\\ud800",
            "\"essential\":true",
            "1.5",
            "\"sub\":",
        ],
        brackets: JSON_BRACKETS,
        longest: MAX_PARAMETER_BYTES,
    };
    let check = |input: &[u8]| {
        let Ok(request) = ClaimsRequest::parse(&text(input)) else { return };
        assert!(request.userinfo.len() + request.id_token.len() <= 64);
        let written = serde_json::to_string(&request).unwrap();
        let again = ClaimsRequest::parse(&written).unwrap();
        // A fraction may come back as its neighbour.
        assert!(again == request || written.contains(['.', 'e']), "{written}");
        assert_eq!(request.is_empty(), written == "{}");
        let _ = (request.accepts_subject("ada"), request.id_token_claim("acr"));
    };
    Parser {
        name: "claims",
        share: 90,
        grammar,
        read: &|input| drop(ClaimsRequest::parse(&text(input))),
        check: &check,
    }
    .run();
}

#[test]
fn a_challenge_is_read_or_refused() {
    let examples =
        texts(&["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "plain"]);
    let grammar = Grammar {
        examples: &examples,
        words: &["=", "-", "_", "+", "/", "A"],
        brackets: &[],
        longest: MAX_PARAMETER_BYTES,
    };
    let challenge = |input: &[u8]| {
        let pairs = [("code_challenge", &*text(input)), ("code_challenge_method", "S256")];
        CodeChallenge::read(&Params::from_pairs(pairs).ok()?, true).ok()?
    };
    let read = |input: &[u8]| drop(challenge(input));
    let check = |input: &[u8]| {
        let (Some(challenge), text) = (challenge(input), text(input)) else { return };
        assert!(text.len() == 43 && challenge.as_stored().contains(&*text));
        assert_eq!(CodeChallenge::from_stored(challenge.as_stored().to_owned()), challenge);
    };
    Parser { name: "challenge", share: 40, grammar, read: &read, check: &check }.run();
}

#[test]
fn a_started_request_is_opened_or_refused() {
    let open = |text: &str| {
        let key = MacKey::new([7; 32]);
        Interaction::open(text, (&key, "mark"), &Lifetimes::default(), Time::from_seconds(1_001))
    };
    let key = MacKey::new([7; 32]);
    let sealed = |query: &str| {
        let interaction = Interaction {
            started_at: Time::from_seconds(1_000),
            selected: Some(Id::from_i64(7)),
            declined: true,
            query: query.to_owned(),
        };
        interaction.seal(&key, "mark").into_bytes()
    };
    let mut examples = texts(&[
        r#"{"t":1000000,"q":"client_id=wiki&state=a%26b"}"#,
        r#"{"t":-9223372036854775808,"s":false,"q":"","more":[1]}"#,
        r#"{"t":9223372036854775807,"s":true,"q":"%zz&&a=%00"}"#,
    ]);
    examples.extend(["client_id=wiki&response_type=code&scope=openid", ""].map(sealed));
    let grammar = Grammar {
        examples: &examples,
        words: &[".", "{", "}", "\"q\":", "\"t\":", "\"s\":true", "e30", "AAAA"],
        brackets: JSON_BRACKETS,
        longest: MAX_PARAMETER_BYTES,
    };
    let check = |input: &[u8]| {
        let (key, text) = (MacKey::new([7; 32]), text(input));
        assert!(open(&text).is_ok_and(|opened| opened.seal(&key, "mark") == text) || open(&text).is_err());
        // Whatever it says, sealed by us.
        let body = URL_SAFE_NO_PAD.encode(input);
        let tag = URL_SAFE_NO_PAD.encode(key.tag(&[b"interaction", b"mark", body.as_bytes()]));
        if let Ok(opened) = open(&format!("{body}.{tag}")) {
            assert_eq!(open(&opened.seal(&key, "mark")).unwrap(), opened);
            let _ = opened.params();
        }
    };
    let read = |input: &[u8]| drop(open(&text(input)).and_then(|opened| opened.params()));
    Parser { name: "started request", share: 50, grammar, read: &read, check: &check }.run();
}
