//! Levels of sign-in: `acr_values`, the claim `acr`, and to prove more where an app asks for it (OpenID Connect Core §5.5.1.1, RFC 9470).

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::app::{Answer, App, claims};
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::command;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;
use crate::oauth::resource_server::Api;

const PASSWORD: &str = "urn:grantor:acr:password";
const TWO_FACTORS: &str = "urn:grantor:acr:two-factors";
const RESISTANT: &str = "urn:grantor:acr:phishing-resistant";

const HALF_MINUTE: Duration = Duration::from_secs(30);

fn essential(values: &[&str]) -> String {
    json!({"id_token": {"acr": {"essential": true, "values": values}}}).to_string()
}

fn error(page: &Page) -> String {
    Answer::of(page).param("error")
}

/// Alice, signed in with her password alone in one browser, and with an authenticator app that she has set up in another one.
async fn with_password_session(server: &Server) -> (Person, Authenticator) {
    let (alice, elsewhere) = (Person::new(server), Person::new(server));
    alice.sign_in().await;
    elsewhere.sign_in().await;
    let app = Authenticator::set_up(server, &elsewhere).await;
    server.clock.advance(HALF_MINUTE);
    (alice, app)
}

async fn give(person: &Person, page: &Page, code: &str) -> Page {
    person.send(&page.form(CODE).with("code", code)).await
}

/// The claims of the ID token that an app gets in the end.
async fn told(app: &App<'_>, person: &Person, page: Page) -> Value {
    let page = if page.name() == "consent" { person.allow_on(&page).await } else { page };
    let code = Answer::of(&page).param("code");
    claims(app.redeem(&code).await.json()["id_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_person_with_an_app_signs_in_with_two_factors() {
    let server = Server::start().await;
    let (_, app) = with_password_session(&server).await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!(page.attribute("#code", "autocomplete").as_deref(), Some("one-time-code"));
    assert_eq!(page.attribute("#code", "inputmode").as_deref(), Some("numeric"));
    let told = told(&wiki, &person, give(&person, &page, &app.code(&server)).await).await;
    assert_eq!((&told["acr"], &told["amr"]), (&json!(TWO_FACTORS), &json!(["pwd", "otp", "mfa"])));
}

#[tokio::test]
async fn a_recovery_code_stands_in_for_the_app() {
    let server = Server::start().await;
    let (_, app) = with_password_session(&server).await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    let page = person.send(&page.form(CODE).with("way", "recovery")).await;
    assert!(page.text().contains("Enter a recovery code"), "{}", page.text());
    let told = told(&wiki, &person, give(&person, &page, &app.recovery[0]).await).await;
    assert_eq!((&told["acr"], &told["amr"]), (&json!(TWO_FACTORS), &json!(["pwd", "mfa"])));
}

// "Authorization Server MUST return an acr Claim Value that matches one of the requested values." (OIDC Core §5.5.1.1)
#[tokio::test]
async fn who_is_signed_in_is_asked_for_the_code_alone() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    for wish in [("acr_values", TWO_FACTORS), ("claims", &essential(&["urn:x:gold", TWO_FACTORS]))] {
        let person = alice.clone();
        let page = person.open(wiki.authorize_url("openid", &[wish])).await;
        if page.name() == "sign-in-code" {
            assert!(!page.has("#password") && page.text().contains("asks for a second proof"), "{}", page.text());
            let raised = person.post(&page.form(CODE).with("code", &app.code(&server))).await;
            assert!(raised.cookies().iter().any(|cookie| cookie.contains("session")), "the session is another one");
            let told = told(&wiki, &person, person.follow(raised).await).await;
            assert_eq!((&told["acr"], &told["amr"]), (&json!(TWO_FACTORS), &json!(["pwd", "otp", "mfa"])));
            assert_eq!(told["auth_time"], server.clock.read().seconds() - 30, "a code alone is no new sign-in");
        } else {
            let told = told(&wiki, &person, page).await;
            assert_eq!(told["acr"], TWO_FACTORS, "the second time, nothing is missing");
        }
    }
}

#[tokio::test]
async fn grants_of_a_session_go_on_in_the_raised_one() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let (alice, app) = with_password_session(&server).await;
    let tokens = wiki.tokens_with(&alice, "openid", &[]).await;
    let page = alice.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await;
    give(&alice, &page, &app.code(&server)).await;
    let refreshed = wiki.refresh(tokens.refresh()).await.json();
    assert_eq!(refreshed["error"], Value::Null, "{refreshed}");
    assert_eq!(claims(refreshed["access_token"].as_str().unwrap())["acr"], PASSWORD, "what it was given for stays");
}

#[tokio::test]
async fn a_code_answers_no_request_for_a_new_sign_in() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    let waiting = alice.open(wiki.authorize_url("openid", &[("prompt", "login")])).await;
    let waiting = waiting.attribute("[name=request]", "value").unwrap();
    let page = alice.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await;
    assert_eq!(give(&alice, &page, &app.code(&server)).await.name(), "consent");
    assert_eq!(alice.open(format!("/authorize?resume={waiting}")).await.name(), "sign-in");
    assert_eq!(alice.open(wiki.authorize_url("openid", &[("max_age", "29")])).await.name(), "sign-in");
    assert_eq!(alice.open(wiki.authorize_url("openid", &[("max_age", "60")])).await.name(), "consent");
}

#[tokio::test]
async fn a_new_sign_in_with_two_factors_ends_where_it_should() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    let needs = essential(&[TWO_FACTORS]);
    for age in [("prompt", "login"), ("max_age", "0"), ("max_age", "10")] {
        let page = alice.open(wiki.authorize_url("openid", &[("claims", &needs), age])).await;
        let page = alice.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
        let told = told(&wiki, &alice, give(&alice, &page, &app.code(&server)).await).await;
        assert_eq!((&told["acr"], &told["auth_time"]), (&json!(TWO_FACTORS), &json!(server.clock.read().seconds())));
        server.clock.advance(HALF_MINUTE);
    }
}

// A client that an API has sent back for more shall not come back with the same, and be sent back again.
#[tokio::test]
async fn a_wish_that_is_not_met_yet_is_offered_once_and_told_as_it_is() {
    let server = Server::start().await;
    let (wiki, alice) = (App::new(&server, "wiki"), Person::new(&server));
    alice.sign_in().await;
    let asked = wiki.authorize_url("openid", &[("acr_values", &format!("{RESISTANT} {TWO_FACTORS}"))]);
    let page = alice.open(&asked).await;
    assert_eq!((page.name().as_str(), page.has("#set-up"), page.has("#deny")), ("sign-in-more", true, true));
    let form = page.form(r#"form[action="/sign-in/more"]"#);
    let left = told(&wiki, &alice, alice.send(&form.clone().with("decision", "decline")).await).await;
    assert_eq!(left["acr"], PASSWORD);
    assert_eq!(error(&alice.send(&form.with("decision", "deny")).await), "unmet_authentication_requirements");
    let silent = alice.open(format!("{asked}&prompt=none")).await;
    assert_eq!(told(&wiki, &alice, silent).await["acr"], PASSWORD, "where nobody may be asked, it is left");
    let (_, page) =
        Authenticator::set_up_on(&server, &alice, &alice.open(page.attribute("#set-up", "href").unwrap()).await).await;
    let page = alice.open(page.attribute("#done", "href").unwrap()).await;
    assert_eq!(told(&wiki, &alice, page).await["acr"], TWO_FACTORS);
}

#[tokio::test]
async fn who_has_a_factor_goes_on_without_a_code_where_it_is_a_mere_wish() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    let asked = wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)]);
    let page = alice.open(&asked).await;
    assert_eq!((page.name().as_str(), page.has("#decline"), page.has("#deny")), ("sign-in-code", true, true));
    let left = told(&wiki, &alice, alice.send(&page.form(CODE).with("decision", "decline")).await).await;
    assert_eq!((&left["acr"], &left["amr"]), (&json!(PASSWORD), &json!(["pwd"])));
    let wrong = give(&alice, &alice.open(&asked).await, &app.wrong_code(&server)).await;
    assert!(
        wrong.status == 422 && wrong.has("#decline"),
        "she is asked the next time, and not held after a wrong code"
    );
    assert_eq!(told(&wiki, &alice, give(&alice, &wrong, &app.code(&server)).await).await["acr"], TWO_FACTORS);
}

#[tokio::test]
async fn nobody_goes_on_without_a_code_that_is_needed() {
    let server = Server::start().await;
    let (alice, _) = with_password_session(&server).await;
    server
        .apply(
            "[[clients]]\nclient_id = \"vault\"\nclient_secret = \"a-secret-for-tests-and-nothing-else-at-all\"\n\
             redirect_uris = [\"https://wiki.example/cb\"]\nscope = \"openid\"\nleast_level = \"two-factors\"\n",
        )
        .await;
    let (wiki, vault) = (App::new(&server, "wiki"), App::new(&server, "vault"));
    let stranger = Person::new(&server);
    let half = stranger.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await;
    let anew = alice.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS), ("prompt", "login")])).await;
    for (person, page) in [
        (&alice, alice.open(wiki.authorize_url("openid", &[("claims", &essential(&[TWO_FACTORS]))])).await),
        (&alice, alice.open(wiki.authorize_url("openid", &[("claims", &essential(&[TWO_FACTORS, PASSWORD]))])).await),
        (&alice, alice.open(vault.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await),
        (&alice, alice.sign_in_on(&anew, ALICE, ALICE_PASSWORD).await),
        (&stranger, stranger.sign_in_on(&half, ALICE, ALICE_PASSWORD).await),
    ] {
        assert_eq!((page.name().as_str(), page.has("#decline")), ("sign-in-code", false));
        let page = person.send(&page.form(CODE).with("decision", "decline")).await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (422, "sign-in-code"), "{}", page.text());
    }
    assert_eq!(stranger.open("/account").await.name(), "sign-in", "a password alone is no sign-in of hers");
}

#[tokio::test]
async fn a_wish_for_what_is_not_known_here_is_left_without_a_page() {
    let server = Server::start().await;
    let (wiki, alice) = (App::new(&server, "wiki"), Person::new(&server));
    alice.sign_in().await;
    let tokens = wiki.tokens_with(&alice, "openid", &[("acr_values", &format!("urn:x:gold {TWO_FACTORS}"))]).await;
    assert_eq!(claims(tokens.id())["acr"], PASSWORD);
    assert_eq!(claims(tokens.access())["acr"], PASSWORD);
}

#[tokio::test]
async fn an_acr_that_is_asked_for_without_a_value_has_those_of_acr_values() {
    let server = Server::start().await;
    let (alice, _app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    for asked in ["null", r#"{"essential":true}"#] {
        let asked = format!(r#"{{"id_token":{{"acr":{asked}}}}}"#);
        let both = [("claims", asked.as_str()), ("acr_values", TWO_FACTORS)];
        assert_eq!(alice.open(wiki.authorize_url("openid", &both)).await.name(), "sign-in-code", "{asked}");
    }
}

#[tokio::test]
async fn the_wishes_that_an_app_is_registered_with_count_as_those_of_a_request() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let careful = format!(
        "[[clients]]\nclient_id = \"careful\"\nclient_secret = \"a-secret-for-tests-and-nothing-else-at-all\"\n\
         redirect_uris = [\"https://wiki.example/cb\"]\nscope = \"openid\"\ndefault_acr_values = [\"{TWO_FACTORS}\"]\n"
    );
    server.apply(&careful).await;
    let careful = App::new(&server, "careful");
    assert_eq!(alice.open(careful.authorize_url("openid", &[("acr_values", PASSWORD)])).await.name(), "consent");
    let page = alice.open(careful.authorize_url("openid", &[])).await;
    assert_eq!(page.name(), "sign-in-code");
    assert_eq!(told(&careful, &alice, give(&alice, &page, &app.code(&server)).await).await["acr"], TWO_FACTORS);
}

// An error stands for the page that would be needed: to prove more, or nothing that would help.
#[tokio::test]
async fn without_a_page_what_is_missing_is_an_error() {
    let server = Server::start().await;
    let (wiki, bob) = (App::new(&server, "wiki"), Person::new(&server));
    let (alice, _) = with_password_session(&server).await;
    wiki.tokens_with(&alice, "openid", &[]).await;
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    let needs = essential(&[TWO_FACTORS]);
    let ask = async |person: &Person, more: (&str, &str)| {
        person.open(wiki.authorize_url("openid", &[("prompt", "none"), more])).await
    };
    assert_eq!(error(&ask(&alice, ("claims", &needs)).await), "login_required");
    assert_eq!(error(&ask(&bob, ("claims", &needs)).await), "unmet_authentication_requirements");
    let wished = ask(&alice, ("acr_values", TWO_FACTORS)).await;
    assert_eq!(told(&wiki, &alice, wished).await["acr"], PASSWORD);
}

#[tokio::test]
async fn who_has_no_app_sets_one_up_and_goes_on() {
    let server = Server::start().await;
    let (wiki, alice) = (App::new(&server, "wiki"), Person::new(&server));
    alice.sign_in().await;
    let page = alice.open(wiki.authorize_url("openid", &[("claims", &essential(&[TWO_FACTORS]))])).await;
    assert_eq!((page.name().as_str(), page.has("#deny")), ("sign-in-more", true), "{}", page.body);
    let page = alice.open(page.attribute("#set-up", "href").unwrap()).await;
    let (_, page) = Authenticator::set_up_on(&server, &alice, &page).await;
    let page = alice.open(page.attribute("#done", "href").unwrap()).await;
    assert_eq!(told(&wiki, &alice, page).await["acr"], TWO_FACTORS);
}

#[tokio::test]
async fn who_does_not_prove_more_is_sent_back_with_the_reason() {
    let server = Server::start().await;
    let (wiki, bob) = (App::new(&server, "wiki"), Person::new(&server));
    let asked = wiki.authorize_url("openid", &[("claims", &essential(&[TWO_FACTORS]))]);
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    let page = bob.open(&asked).await;
    let page = bob.send(&page.form(r#"form[action="/sign-in/more"]"#).with("decision", "deny")).await;
    assert_eq!(error(&page), "unmet_authentication_requirements");
    let (alice, _) = with_password_session(&server).await;
    let page = alice.open(&asked).await;
    let page = alice.send(&page.form(CODE).with("decision", "deny")).await;
    assert_eq!(error(&page), "unmet_authentication_requirements");
}

#[tokio::test]
async fn what_an_app_needs_at_least_is_asked_for_whatever_its_request_says() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    server
        .apply(
            "[[clients]]\nclient_id = \"vault\"\nclient_secret = \"a-secret-for-tests-and-nothing-else-at-all\"\n\
             redirect_uris = [\"https://wiki.example/cb\"]\nscope = \"openid\"\nleast_level = \"two-factors\"\n",
        )
        .await;
    let (vault, bob) = (App::new(&server, "vault"), Person::new(&server));
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    assert_eq!(bob.open(vault.authorize_url("openid", &[("acr_values", PASSWORD)])).await.name(), "sign-in-more");
    let silent = [("prompt", "none")];
    assert_eq!(error(&alice.open(vault.authorize_url("openid", &silent)).await), "login_required");
    let page = alice.open(vault.authorize_url("openid", &[])).await;
    assert_eq!(told(&vault, &alice, give(&alice, &page, &app.code(&server)).await).await["acr"], TWO_FACTORS);
}

#[tokio::test]
async fn no_code_is_given_for_a_request_that_needs_none() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    let page = alice.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await;
    let again = alice.open(wiki.authorize_url("openid", &[("prompt", "login")])).await;
    let request = again.attribute("[name=request]", "value").unwrap();
    let form = page.form(CODE).with("request", &request).with("code", &app.code(&server));
    assert_eq!(alice.send(&form).await.name(), "sign-in", "a code is no password");
}

#[tokio::test]
async fn an_operator_removes_a_factor_that_was_lost_and_its_person_is_told() {
    let server = Server::start().await;
    let (alice, _) = with_password_session(&server).await;
    assert!(
        command::user(server.config(), &["show", ALICE, "--json"])
            .await
            .unwrap()
            .contains("\"has_second_factor\": true")
    );
    command::user(server.config(), &["remove-factor", ALICE]).await.unwrap();
    assert_eq!(alice.open("/account").await.name(), "sign-in", "whoever was signed in is no more");
    let page = Person::new(&server).sign_in().await;
    assert!(page.text().contains("The people who run this server removed the authenticator app"), "{}", page.text());
    assert!(command::user(server.config(), &["remove-factor", ALICE]).await.is_err());
}

/// What an API says to a token that was got with too little, and what a client makes of it.
// "A client receiving a challenge from the resource server carrying the insufficient_user_authentication error code SHOULD parse the
// WWW-Authenticate header for acr_values and max_age and use them, if present, in constructing an authorization request."
// (RFC 9470 §4)
#[tokio::test]
async fn an_api_demands_two_factors_and_the_client_comes_back_with_them() {
    let server = Server::start().await;
    let (alice, app) = with_password_session(&server).await;
    let wiki = App::new(&server, "wiki");
    let api = Api::start(&server).await;
    let token = wiki.tokens_with(&alice, "openid notes.read", &[]).await;
    let refused = api.delete(token.access()).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate").unwrap().to_owned();
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    let (_, rest) = challenge.split_once("acr_values=\"").unwrap();
    let demanded = rest.split('"').next().unwrap();
    let page = alice.open(wiki.authorize_url("openid notes.read", &[("acr_values", demanded)])).await;
    assert_eq!(page.name(), "sign-in-code", "{demanded}");
    let page = give(&alice, &page, &app.code(&server)).await;
    let page = if page.name() == "consent" { alice.allow_on(&page).await } else { page };
    let tokens = wiki.redeem(&Answer::of(&page).param("code")).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(api.delete(token).await.status, 200);
    let notes = App::new(&server, "notes-api");
    assert_eq!(notes.introspect(token).await["acr"], TWO_FACTORS);
}

#[tokio::test]
async fn what_is_reached_here_is_in_the_metadata() {
    let server = Server::start().await;
    let page = Person::new(&server).get("/.well-known/openid-configuration").await;
    assert_eq!(page.json()["acr_values_supported"], json!([PASSWORD, TWO_FACTORS]));
}
