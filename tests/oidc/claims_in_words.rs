//! How claims are written: in which language (OIDC Core §5.2, §5.5.2), phone numbers (§5.1), and letters that only look alike (§14).

use serde_json::{Value, json};

use crate::harness::app::{App, claims};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE_PASSWORD, SECRET};
use crate::harness::server::Server;

/// Alice, of whom `more` is declared, and an app that may know it.
async fn started(more: &str) -> Server {
    let server = Server::start().await;
    server
        .apply(&format!(
            "[[users]]\nusername = \"alice\"\npassword = \"{ALICE_PASSWORD}\"\nname = \"Alice Liddell\"\n{more}\n\n\
             [[clients]]\nclient_id = \"portal\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"https://portal.example/cb\"]\n\
             scope = \"openid profile email phone\"\nskip_consent = true\n"
        ))
        .await;
    server
}

async fn userinfo(server: &Server, scope: &str, wanted: &str) -> Value {
    let portal = App::new(server, "portal");
    let tokens = portal.tokens_with(&Person::new(server), scope, &[("claims", wanted)]).await;
    portal.userinfo(tokens.access()).await.json()
}

// "If an OP receives a request for human-readable Claims in a language and script that it does not have, any versions of those Claims
// returned that do not use the requested language and script SHOULD use a language tag in the Claim Name." (OIDC Core §5.5.2)
#[tokio::test]
async fn a_claim_that_is_not_there_in_the_language_asked_for_says_which_one_it_is_in() {
    let server = started("locale = \"en-GB\"\n\"name#de\" = \"Alice aus Oxford\"\nnickname = \"Al\"").await;
    let alone = async |server, wanted| {
        let mut told = userinfo(server, "openid", &format!(r#"{{"userinfo":{wanted}}}"#)).await;
        told.as_object_mut().unwrap().remove("sub");
        told
    };
    for (wanted, told) in [
        (r#"{"name#fr":null}"#, json!({"name#en-GB": "Alice Liddell"})),
        (r#"{"name#en":null}"#, json!({"name#en-GB": "Alice Liddell"})),
        (r#"{"name#de":null}"#, json!({"name#de": "Alice aus Oxford"})),
        (r#"{"name#fr":{"value":"Alice"},"gender#fr":null}"#, json!({})),
    ] {
        assert_eq!(alone(&server, wanted).await, told, "{wanted}");
    }
    let nameless = started("\"name#de\" = \"Alice aus Oxford\"").await;
    let told = alone(&nameless, r#"{"name#fr":null}"#).await;
    assert_eq!(told, json!({}), "nobody has said which language the other one is");
}

// "If present, the listed Claims are being requested to be added to any Claims that are being requested using scope values."
// (OIDC Core §5.5)
#[tokio::test]
async fn a_claim_in_a_language_is_added_to_those_of_the_scope() {
    let server = started("locale = \"en-GB\"\n\"name#de\" = \"Alice aus Oxford\"\nnickname = \"Al\"").await;
    for (wanted, own) in [
        (r#"{"name#fr":null}"#, Some(&json!("Alice Liddell"))),
        (r#"{"name#fr":null,"name":null}"#, Some(&json!("Alice Liddell"))),
        (r#"{"name#de":null}"#, None),
        ("{}", None),
    ] {
        let told = userinfo(&server, "openid profile", &format!(r#"{{"userinfo":{wanted}}}"#)).await;
        assert_eq!((&told["name"], told.get("name#en-GB")), (&json!("Alice Liddell"), own), "{wanted}: {told}");
        assert_eq!((&told["name#de"], &told["nickname"]), (&json!("Alice aus Oxford"), &json!("Al")), "{told}");
    }
}

#[tokio::test]
async fn an_app_may_be_registered_for_a_claim_in_one_language_in_its_id_tokens() {
    let server = started("\"name#de\" = \"Alice aus Oxford\"").await;
    server.clock.advance(std::time::Duration::from_secs(1));
    server
        .apply(&format!(
            "[[clients]]\nclient_id = \"portal\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"https://portal.example/cb\"]\n\
             scope = \"openid profile email phone\"\nskip_consent = true\nid_token_claims = [\"name#de\"]\n"
        ))
        .await;
    for (scope, told) in [("openid profile", Some(&json!("Alice aus Oxford"))), ("openid email", None)] {
        let tokens = App::new(&server, "portal").tokens_with(&Person::new(&server), scope, &[]).await;
        let token = claims(tokens.id());
        assert_eq!((token.get("name#de"), token.get("name")), (told, None), "{scope}");
    }
}

// "Since Claim Names are case sensitive, it is strongly RECOMMENDED that language tag values used in Claim Names be spelled using the
// character case with which they are registered in the IANA "Language Subtag Registry" [IANA.Language]." (OIDC Core §5.2)
#[tokio::test]
async fn a_tag_is_told_as_it_was_declared() {
    let server = started("\"name#ja-Kana-JP\" = \"アリス\"").await;
    let told = userinfo(&server, "openid profile", r#"{"userinfo":{"name#JA-KANA-jp":null}}"#).await;
    assert_eq!(told["name#ja-Kana-JP"], "アリス", "{told}");
    assert!(told.get("name#JA-KANA-jp").is_none(), "{told}");
}

// "When true, the "phone_number" Claim MUST be in E.164 format and any extensions MUST be represented in RFC 3966 format."
// (OIDC Core §5.1)
#[tokio::test]
async fn a_phone_number_is_verified_only_where_all_the_world_can_call_it() {
    for (number, verified) in [
        ("+442079460018", true),
        ("+1 (604) 555-1234;ext=5678", true),
        ("020 7946 0018", false),
        ("+1 (604) 555-1234 ext 5678", false),
    ] {
        let server = started(&format!("phone_number = \"{number}\"\nphone_number_verified = true")).await;
        let told = userinfo(&server, "openid phone", "{}").await;
        assert_eq!((&told["phone_number"], &told["phone_number_verified"]), (&json!(number), &json!(verified)));
    }
}

// "Therefore, comparisons between JSON strings and other Unicode strings MUST be performed as specified below: ... Unicode
// Normalization [USA15] MUST NOT be applied at any point to either the JSON string or to the string it is to be compared against.
// ... Comparisons between the two strings MUST be performed as a Unicode code point to code point equality comparison."
// (OIDC Core §14)
#[tokio::test]
async fn letters_that_only_look_alike_are_different_and_escapes_are_the_same() {
    let server = started("nickname = \"Zo\u{eb}\"").await;
    for (wanted, is_same) in [
        ("Zo\u{eb}", true),
        (r"Zo\u00eb", true),
        (r"\u005ao\u00EB", true),
        ("Zoe\u{308}", false),
        ("zo\u{eb}", false),
        ("Zo\u{eb} ", false),
        ("\u{ff3a}o\u{eb}", false),
    ] {
        let wanted = format!(r#"{{"id_token":{{"nickname":{{"value":"{wanted}"}}}}}}"#);
        let tokens = App::new(&server, "portal");
        let tokens = tokens.tokens_with(&Person::new(&server), "openid profile", &[("claims", &wanted)]).await;
        let told = claims(tokens.id());
        assert_eq!(told.get("nickname"), is_same.then_some(&json!("Zo\u{eb}")), "{wanted}");
    }
}
