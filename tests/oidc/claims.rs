//! Which claims an app gets (OIDC Core §5): what the approved scopes release, wherever they are asked for, and nothing else.

use serde_json::{Value, json};

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE_PASSWORD, BOB, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;

/// An account with every kind of claim, an app that may ask for all of them, and a scope of our own.
fn everything() -> String {
    format!(
        r#"
        [[scopes]]
        name = "staff"
        description.en = "See where you work"
        claims = ["department", "badge"]

        [[users]]
        username = "alice"
        password = "{ALICE_PASSWORD}"
        name = "Alice Liddell"
        "name#de" = "Alice Liddell aus Oxford"
        "name#ja-Kana-JP" = "アリス"
        given_name = "Alice"
        nickname = "Al"
        website = "https://alice.example/"
        birthdate = "1852-05-04"
        zoneinfo = "Europe/London"
        locale = "en"
        email = "alice@example.com"
        email_verified = true
        phone_number = "+44 1865 270000"
        phone_number_verified = false
        address = {{ locality = "Oxford", country = "GB" }}
        groups = ["engineering", "admins"]
        claims = {{ department = "Wonderland", badge = 42, shoe_size = 36 }}

        [[clients]]
        client_id = "portal"
        client_secret = "{SECRET}"
        redirect_uris = ["https://portal.example/cb"]
        scope = "openid profile email phone address groups staff"
        skip_consent = true
        "#
    )
}

async fn started() -> Server {
    let server = Server::start().await;
    server.apply(&everything()).await;
    server
}

async fn userinfo(server: &Server, scope: &str, changes: &[(&str, &str)]) -> Value {
    let portal = App::new(server, "portal");
    let tokens = portal.tokens_with(&Person::new(server), scope, changes).await;
    portal.userinfo(tokens.access()).await.json()
}

async fn id_token(server: &Server, scope: &str, changes: &[(&str, &str)]) -> Value {
    claims(App::new(server, "portal").tokens_with(&Person::new(server), scope, changes).await.id())
}

fn names(claims: &Value) -> Vec<&str> {
    claims.as_object().unwrap().keys().map(String::as_str).collect()
}

// "profile OPTIONAL. This scope value requests access to the End-User's default profile Claims" (OIDC Core §5.4)
// "Normal Claims MUST be supported." (OIDC Core §5.6)
#[tokio::test]
async fn each_scope_releases_its_claims_and_no_others() {
    let server = started().await;
    let released = [
        ("openid", vec!["sub"]),
        ("openid email", vec!["email", "email_verified", "sub"]),
        ("openid phone", vec!["phone_number", "phone_number_verified", "sub"]),
        ("openid address", vec!["address", "sub"]),
        ("openid groups", vec!["groups", "sub"]),
        ("openid staff", vec!["badge", "department", "sub"]),
    ];
    for (scope, expected) in released {
        assert_eq!(names(&userinfo(&server, scope, &[]).await), expected, "{scope}");
    }
    let profile = userinfo(&server, "openid profile", &[]).await;
    let expected = [
        "birthdate",
        "given_name",
        "locale",
        "name",
        "name#de",
        "name#ja-Kana-JP",
        "nickname",
        "preferred_username",
        "sub",
        "updated_at",
        "website",
        "zoneinfo",
    ];
    assert_eq!(names(&profile), expected);
}

#[tokio::test]
async fn claims_have_the_types_of_the_specification() {
    let server = started().await;
    let all = userinfo(&server, "openid profile email phone address groups staff", &[]).await;
    assert_eq!((&all["email_verified"], &all["phone_number_verified"]), (&json!(true), &json!(false)));
    assert_eq!(all["address"], json!({ "locality": "Oxford", "country": "GB" }));
    // "Its value is a JSON number representing the number of seconds from 1970-01-01T00:00:00Z" (OIDC Core §5.1)
    assert_eq!(all["updated_at"], server.clock.read().seconds());
    assert_eq!(all["preferred_username"], "alice");
    assert_eq!(all["groups"], json!(["admins", "engineering"]));
    assert_eq!((&all["department"], &all["badge"]), (&json!("Wonderland"), &json!(42)));
}

#[tokio::test]
async fn a_claim_that_the_person_does_not_have_is_left_out() {
    let server = started().await;
    let all = userinfo(&server, "openid profile email", &[]).await;
    // "If a Claim is not returned, that Claim Name SHOULD be omitted from the JSON object representing the Claims; it SHOULD NOT
    // be present with a null or empty string value." (OIDC Core §5.3.2)
    assert!(all.get("family_name").is_none() && all.get("picture").is_none());
    assert!(all.as_object().unwrap().values().all(|value| !value.is_null() && value != ""), "{all}");
}

// "BCP47 [RFC5646] language tags are added to member names, delimited by a "#" character." (OIDC Core §5.2)
#[tokio::test]
async fn a_claim_in_other_languages_comes_with_its_tags() {
    let server = started().await;
    let profile = userinfo(&server, "openid profile", &[]).await;
    assert_eq!(profile["name"], "Alice Liddell");
    assert_eq!(profile["name#de"], "Alice Liddell aus Oxford");
    assert_eq!(profile["name#ja-Kana-JP"], "アリス");
    assert!(userinfo(&server, "openid email", &[]).await.get("name#de").is_none());
}

#[tokio::test]
async fn claims_are_those_of_now_not_of_the_sign_in() {
    let server = started().await;
    let portal = App::new(&server, "portal");
    let tokens = portal.tokens("openid profile").await;
    server.apply(&everything().replace("name = \"Alice Liddell\"", "name = \"Alice Hargreaves\"")).await;
    assert_eq!(portal.userinfo(tokens.access()).await.json()["name"], "Alice Hargreaves");
}

// "id_token OPTIONAL. Requests that the listed individual Claims be returned in the ID Token." (OIDC Core §5.5)
#[tokio::test]
async fn a_claim_asked_for_in_the_id_token_stands_there() {
    let server = started().await;
    let wishes = [
        json!(null),
        json!({ "essential": true }),
        json!({ "essential": false }),
        json!({ "value": "alice@example.com" }),
        json!({ "values": ["a@example.com", "alice@example.com"] }),
        json!({ "heard_of": "never" }),
    ];
    for wish in wishes {
        let wanted = json!({ "id_token": { "email": wish } }).to_string();
        let token = id_token(&server, "openid email", &[("claims", &wanted)]).await;
        assert_eq!(token["email"], "alice@example.com", "{wanted}");
        assert!(token.get("email_verified").is_none(), "{wanted}");
    }
}

// "When the Claim value does not match the requested value, the Claim is not included in the response." (OIDC Core §5.5.1)
// "the Authorization Server MUST NOT generate an error when Claims are not returned, whether they are Essential or Voluntary, unless
// otherwise specified in the description of the specific claim." (OIDC Core §5.5.1)
#[tokio::test]
async fn a_claim_of_another_value_than_the_one_asked_for_is_left_out_and_no_error() {
    let server = started().await;
    for wish in [
        json!({ "value": "bob@example.com" }),
        json!({ "value": "bob@example.com", "essential": true }),
        json!({ "values": ["bob@example.com", "Alice@example.com"] }),
        json!({ "values": [] }),
        json!({ "value": true }),
    ] {
        let wanted = json!({ "id_token": { "email": wish }, "userinfo": { "email": wish } }).to_string();
        let token = id_token(&server, "openid email", &[("claims", &wanted)]).await;
        assert!(token.get("email").is_none(), "{wanted}");
        assert_eq!(
            names(&userinfo(&server, "openid email", &[("claims", &wanted)]).await),
            ["email_verified", "sub"],
            "{wanted}"
        );
    }
    let wanted = json!({ "userinfo": { "phone_number": { "values": ["+1", "+44 1865 270000"] }, "address": { "value": { "country": "GB", "locality": "Oxford" } } } });
    let answer = userinfo(&server, "openid phone address", &[("claims", &wanted.to_string())]).await;
    assert_eq!((&answer["phone_number"], &answer["address"]["country"]), (&json!("+44 1865 270000"), &json!("GB")));
}

// "it is RECOMMENDED that OPs return Claims without language tags when they employ this language and script." (OIDC Core §5.2)
// "However, since BCP47 language tag values are case insensitive, implementations SHOULD interpret the language tag values
// supplied in a case-insensitive manner. ... An error SHOULD NOT result if some or all of the requested locales are not
// supported by the OpenID Provider." (OIDC Core §5.2)
#[tokio::test]
async fn claims_in_one_language_come_without_its_tag() {
    let server = started().await;
    for (locales, name) in [
        ("de", "Alice Liddell aus Oxford"),
        ("DE-ch", "Alice Liddell aus Oxford"),
        ("ja", "アリス"),
        ("fr", "Alice Liddell"),
        ("en", "Alice Liddell"),
        ("not_a_tag", "Alice Liddell"),
    ] {
        let answer = userinfo(&server, "openid profile", &[("claims_locales", locales)]).await;
        assert_eq!(answer["name"], name, "{locales}");
        let tagged = names(&answer).iter().filter(|name| name.contains('#')).count();
        assert_eq!(tagged, if locales == "not_a_tag" { 2 } else { 0 }, "{locales}: {answer}");
    }
    let wanted = [("claims_locales", "de"), ("claims", r#"{"id_token":{"name":null}}"#)];
    assert_eq!(id_token(&server, "openid profile", &wanted).await["name"], "Alice Liddell aus Oxford");
}

// "End-User's preferred languages and scripts for Claims being returned, represented as a space-separated list of BCP47 [RFC5646]
// language tag values, ordered by preference." (OIDC Core §5.2)
// "Where possible, OPs SHOULD try to match requested Claim locales with Claims it has." (OIDC Core §5.2)
// "OPs MUST support requests for preferred languages and scripts for the user interface and for Claims via the "ui_locales"
// and "claims_locales" request parameters, as defined in Section 3.1.2." (OIDC Core §15.1)
#[tokio::test]
async fn of_several_languages_the_preferred_one_comes_with_its_tag() {
    let server = started().await;
    for (locales, tag) in [("fr de ja", "name#de"), ("ja de", "name#ja-Kana-JP")] {
        let answer = userinfo(&server, "openid profile", &[("claims_locales", locales)]).await;
        let tagged: Vec<_> = names(&answer).into_iter().filter(|name| name.contains('#')).collect();
        assert_eq!((tagged, &answer["name"]), (vec![tag], &json!("Alice Liddell")), "{locales}");
    }
}

// "requested languages and scripts for particular Claims MAY be requested by including Claim Names that contain "#"-separated BCP47
// [RFC5646] language tags in the Claims request" (OIDC Core §5.5.2)
#[tokio::test]
async fn a_claim_asked_for_in_a_language_stands_there_in_it() {
    let server = started().await;
    let wanted = r#"{"id_token":{"name#DE":null,"name#fr":null,"email#de":null}}"#;
    let token = id_token(&server, "openid profile", &[("claims", wanted)]).await;
    assert_eq!(token["name#de"], "Alice Liddell aus Oxford");
    let others = ["name", "name#fr", "name#ja-Kana-JP", "email", "email#de"];
    assert!(others.iter().all(|name| token.get(name).is_none()), "{token}");
    let token = id_token(&server, "openid email", &[("claims", wanted)]).await;
    assert_eq!((token.get("name"), &token["name#de"]), (None, &json!("Alice Liddell aus Oxford")), "{token}");
}

// "If the Claim is not Essential and a requested value cannot be provided, the Authorization Server SHOULD return the session's
// current "acr" as the value of the "acr" Claim." (OIDC Core §5.5.1.1)
// "OPs MUST support requests for specific Authentication Context Class Reference values via the "acr_values" parameter, as
// defined in Section 3.1.2." (OIDC Core §15.1)
#[tokio::test]
async fn an_authentication_context_that_is_wished_for_is_no_condition() {
    let server = started().await;
    for wish in [
        ("acr_values", "urn:example:silver"),
        ("acr_values", "urn:example:silver urn:grantor:acr:password"),
        ("acr_values", " "),
        ("claims", r#"{"id_token":{"acr":{"value":"urn:example:silver"}}}"#),
        ("claims", r#"{"id_token":{"acr":null}}"#),
    ] {
        assert_eq!(id_token(&server, "openid", &[wish]).await["acr"], "urn:grantor:acr:password", "{wish:?}");
    }
    let wishing = everything().replace("skip_consent", "default_acr_values = [\"urn:example:gold\"]\nskip_consent");
    server.clock.advance(std::time::Duration::from_millis(1));
    server.apply(&wishing).await;
    assert_eq!(id_token(&server, "openid", &[]).await["acr"], "urn:grantor:acr:password");
}

#[tokio::test]
async fn a_claim_asked_for_in_the_id_token_comes_with_its_languages() {
    let server = started().await;
    let token = id_token(&server, "openid profile", &[("claims", r#"{"id_token":{"name":null}}"#)]).await;
    assert_eq!((&token["name"], &token["name#de"]), (&json!("Alice Liddell"), &json!("Alice Liddell aus Oxford")));
    assert!(token.get("nickname").is_none());
}

// "userinfo OPTIONAL. Requests that the listed individual Claims be returned from the UserInfo Endpoint. If present, the
// listed Claims are being requested to be added to any Claims that are being requested using scope values." (OIDC Core §5.5)
#[tokio::test]
async fn a_claim_asked_for_at_userinfo_does_not_stand_in_the_id_token() {
    let server = started().await;
    let wanted = [("claims", r#"{"userinfo":{"email":{"essential":true}}}"#)];
    let answer = userinfo(&server, "openid email", &wanted).await;
    assert_eq!(names(&answer), ["email", "email_verified", "sub"]);
    assert!(id_token(&server, "openid email", &wanted).await.get("email").is_none());
}

#[tokio::test]
async fn a_claim_asked_for_by_itself_needs_a_scope_that_the_app_may_have() {
    let server = started().await;
    server.clock.advance(std::time::Duration::from_millis(1));
    server.apply(&everything().replace("email phone address groups staff", "email staff")).await;
    // A scope of our own may allow more than to know its claims, and has to be asked for by its name.
    let wanted = [(
        "claims",
        r#"{"id_token":{"groups":null,"department":null,"shoe_size":null},"userinfo":{"phone_number":null,"badge":{"essential":true},"shoe_size":null}}"#,
    )];
    assert_eq!(names(&userinfo(&server, "openid", &wanted).await), ["sub"]);
    let token = id_token(&server, "openid profile", &wanted).await;
    assert!(
        ["groups", "department", "shoe_size", "phone_number"].iter().all(|name| token.get(name).is_none()),
        "{token}"
    );
}

#[tokio::test]
async fn a_claim_of_an_unticked_scope_is_released_nowhere() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    person.sign_in().await;
    let wanted = r#"{"id_token":{"email":{"essential":true}},"userinfo":{"email":{"essential":true}}}"#;
    let page = person.open(wiki.authorize_url("openid profile email", &[("claims", wanted)])).await;
    let form = page.form(r#"form[action="/consent"]"#).unticked("scope", "email").with("decision", "allow");
    let tokens = Tokens(wiki.redeem(&Answer::of(&person.send(&form).await).param("code")).await.json());
    assert!(claims(tokens.id()).get("email").is_none());
    let answer = wiki.userinfo(tokens.access()).await.json();
    assert_eq!((answer.get("email"), &answer["name"]), (None, &json!("Alice Liddell")));
}

#[tokio::test]
async fn claims_that_make_up_a_token_cannot_be_asked_for_as_something_else() {
    let server = started().await;
    let wanted = r#"{"id_token":{"iss":{"value":"https://evil.example"},"aud":{"value":"evil"},"exp":{"value":9999999999},"sid":{"value":"x"}}}"#;
    let token = id_token(&server, "openid", &[("claims", wanted)]).await;
    assert_eq!((&token["iss"], &token["aud"]), (&json!(server.url), &json!(["portal"])));
    assert_eq!(token["exp"], server.clock.read().seconds() + 600);
    assert_ne!(token["sid"], "x");
}

// "Any members used that are not understood MUST be ignored." (OIDC Core §5.5)
// "Any members used that are not understood MUST be ignored." (OIDC Core §5.5.1)
#[tokio::test]
async fn members_that_are_not_understood_are_ignored() {
    let server = started().await;
    let wanted =
        r#"{"access_token":{"email":null},"id_token":{"email":null,"urn:x:unheard":{"essential":true}},"v":[1]}"#;
    assert_eq!(id_token(&server, "openid email", &[("claims", wanted)]).await["email"], "alice@example.com");
}

// "The member values MUST be one of the following:" (OIDC Core §5.5.1)
#[tokio::test]
async fn claims_that_are_not_the_object_of_the_specification_are_an_error() {
    let server = started().await;
    let person = Person::new(&server);
    let many = json!({ "id_token": (0..100).map(|n| (n.to_string(), Value::Null)).collect::<serde_json::Map<_, _>>() });
    for wrong in ["x", "[]", "1", "null", r#"{"id_token":[]}"#, r#"{"id_token":{"email":1}}"#, &many.to_string()] {
        let answer = App::new(&server, "portal").approved_with(&person, "openid", &[("claims", wrong)]).await;
        assert_eq!((answer.param("error").as_str(), answer.has("code")), ("invalid_request", false), "{wrong}");
        assert_eq!(server.reasons().await[0], "ClaimsMalformed", "{wrong}");
    }
}

#[tokio::test]
async fn the_registered_claims_of_an_app_stand_in_its_id_tokens_where_the_scope_was_asked_for() {
    let server = Server::start().await;
    let portal = App::new(&server, "portal");
    let token = claims(portal.tokens("openid profile email groups").await.id());
    assert_eq!((&token["email"], &token["groups"]), (&json!("alice@example.com"), &json!(["admins", "engineering"])));
    assert!(token.get("name").is_none() && token.get("email_verified").is_none(), "{token}");
    let token = claims(portal.tokens("openid profile email").await.id());
    assert_eq!((token.get("groups"), &token["email"]), (None, &json!("alice@example.com")));
    let token = claims(portal.tokens("openid").await.id());
    assert_eq!((token.get("groups"), token.get("email")), (None, None));
}

#[tokio::test]
async fn a_refreshed_id_token_has_the_claims_that_were_asked_for_at_first() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let wanted = [("claims", r#"{"id_token":{"email":null}}"#)];
    let first = wiki.tokens_with(&person, "openid email offline_access", &wanted).await;
    let second = Tokens(wiki.refresh(first.refresh()).await.json());
    assert_eq!(claims(second.id())["email"], "alice@example.com");
}

#[tokio::test]
async fn a_token_refreshed_for_fewer_scopes_reads_fewer_claims() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let first = wiki.tokens("openid profile email offline_access").await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", first.refresh()), ("scope", "openid email")];
    let second = Tokens(wiki.post("/token", &form).await.json());
    assert_eq!(names(&wiki.userinfo(second.access()).await.json()), ["email", "email_verified", "sub"]);
    assert_eq!(wiki.userinfo(first.access()).await.json()["name"], "Alice Liddell");
}

#[tokio::test]
async fn somebody_without_groups_is_in_none() {
    let server = Server::start().await;
    let (person, portal) = (Person::new(&server), App::new(&server, "portal"));
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let tokens = portal.tokens_with(&person, "openid groups", &[]).await;
    assert_eq!(portal.userinfo(tokens.access()).await.json()["groups"], json!([]));
}
