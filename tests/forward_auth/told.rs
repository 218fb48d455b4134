//! What an app is told, who may believe it, and who enters only with more than a password.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use serde_json::{Value, json};

use super::{BOARD, HANDBOOK, NAVIGATION, Visitor, guarded, identity, target};
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::tokens::exchange::{CLI, exchange};
use crate::tokens::token;

/// What Handbook is told of Alice, signed.
async fn told(server: &Server) -> String {
    let page = Visitor::new(server).enters(HANDBOOK, "/").await;
    page.header("remote-jwt").unwrap().to_owned()
}

#[tokio::test]
async fn what_an_app_is_told_verifies_with_the_published_keys_and_as_nothing_else() {
    let server = guarded().await;
    let jwt = told(&server).await;
    let keys: JwkSet = serde_json::from_value(Person::new(&server).get("/jwks").await.json()).unwrap();
    let verified = |typ| verify(&jwt, &Expected { typ: TypRule::Is(typ), algorithms: &[Algorithm::Es256] }, &keys);
    let claims: Value = verified(Typ::ForwardAuthJwt).unwrap().claims().unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.url), &json!("https://handbook.example")));
    assert_eq!((&claims["app"], &claims["preferred_username"]), (&json!("Handbook"), &json!("alice")));
    for other in [Typ::AtJwt, Typ::Jwt, Typ::IntrospectionJwt] {
        assert!(verified(other).is_err(), "{other:?}");
    }
    let last = jwt.len() - 5;
    let altered = format!("{}{}{}", &jwt[..last], if &jwt[last..=last] == "A" { "B" } else { "A" }, &jwt[last + 1..]);
    let expected = Expected { typ: TypRule::Is(Typ::ForwardAuthJwt), algorithms: &[Algorithm::Es256] };
    assert!(verify(&altered, &expected, &keys).is_err());
}

#[tokio::test]
async fn what_an_app_is_told_opens_nothing_itself() {
    let server = guarded().await;
    server.apply(CLI).await;
    let jwt = told(&server).await;
    let (wiki, api, cli) = (App::new(&server, "wiki"), App::new(&server, "notes-api"), App::new(&server, "spa"));
    assert_eq!(wiki.userinfo(&jwt).await.status, 401);
    for app in [&wiki, &api] {
        assert_eq!(app.introspect(&jwt).await, json!({ "active": false }), "{}", app.client_id);
    }
    let bearer = format!("Bearer {jwt}");
    for host in [HANDBOOK, BOARD] {
        let page = Visitor::new(&server).asks(host, "/", &[("authorization", &bearer)]).await;
        assert_eq!(page.status, 401, "{host}");
    }
    assert_eq!(exchange(&cli, &jwt, &[]).await.brief(), "400 invalid_request");
    let account = api.request_raw("GET", "/account/api/tokens", &[("authorization", &bearer)]).await;
    assert_eq!(account.status, 401);
    assert_eq!(wiki.refresh(&jwt).await.brief(), "400 invalid_grant");
}

/// An app for whom the methods `amr` are needed.
async fn needing(server: &Server, amr: &str) {
    server.clock.advance(std::time::Duration::from_millis(1));
    let declaration = format!(
        "[[apps]]\nname = \"Board\"\norigins = [\"https://board.example\"]\neverybody = true\namr = [{amr}]\n\
         resource = \"https://notes.example/api\"\n"
    );
    server.apply(&declaration).await;
}

#[tokio::test]
async fn a_person_with_a_password_alone_does_not_enter_where_more_is_asked_for() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    needing(&server, r#""pwd", "otp""#).await;
    assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 403, "also with the cookie from before");
    assert_eq!(server.reason().await, "EntryMethodMissing");
    let told = alice.follows(BOARD, &alice.opens(BOARD, "/").await).await;
    assert_eq!((told.status.as_u16(), told.name().as_str()), (403, "enter"));
    assert!(told.text().contains("Board asks for a stronger sign-in"), "{}", told.text());
    assert!(told.has("#another"), "she can sign in again");
    needing(&server, r#""pwd""#).await;
    assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 200);
}

#[tokio::test]
async fn a_token_enters_where_methods_are_asked_for_only_if_it_comes_from_such_a_sign_in() {
    let server = guarded().await;
    needing(&server, r#""pwd""#).await;
    let alice = Visitor::new(&server);
    alice.person.sign_in().await;
    let kept = token(&alice.person, &["notes.read"]).await;
    let of_app = App::new(&server, "wiki").tokens("openid notes.read").await;
    let service = App::new(&server, "service").client_credentials("notes.read").await.json();
    let enters = async |token: &str| {
        let bearer = format!("Bearer {token}");
        Visitor::new(&server).asks(BOARD, "/", &[("authorization", &bearer)]).await.status.as_u16()
    };
    assert_eq!(enters(of_app.access()).await, 200, "the app got it by a sign-in with a password");
    for token in [&kept, service["access_token"].as_str().unwrap()] {
        assert_eq!((enters(token).await, server.reason().await.as_str()), (403, "EntryMethodMissing"));
    }
    needing(&server, r#""pwd", "otp""#).await;
    assert_eq!(enters(of_app.access()).await, 403);
}

#[tokio::test]
async fn envoy_asks_with_the_path_and_host_of_the_request_itself() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    let cookie = alice.cookies_of(HANDBOOK);
    let app = App::new(&server, "wiki");
    let asks = async |method: &str, path: &str, host: &str| {
        let headers = [("host", host), ("cookie", &cookie), NAVIGATION[0], NAVIGATION[1]];
        app.request_raw(method, &format!("/forward-auth{path}"), &headers).await
    };
    for method in ["GET", "POST", "DELETE"] {
        let page = asks(method, "/chapter?page=2", HANDBOOK).await;
        assert_eq!((page.status.as_u16(), identity(&page)[0]), (200, "alice"), "{method}");
    }
    assert_eq!(identity(&asks("GET", "/health", HANDBOOK).await)[0], "", "no sign-in there");
    let refused = asks("GET", "/cellar/key", HANDBOOK).await;
    assert_eq!((refused.status.as_u16(), refused.location().unwrap().path()), (302, "/enter"), "it is Bob's");
    assert_eq!(asks("POST", "/cellar/key", HANDBOOK).await.status, 403);
    let sent = asks("GET", "/a?b=c", BOARD).await;
    let back = alice.person.open(sent.location().unwrap()).await.location().unwrap();
    assert_eq!((back.host_str(), back.path()), (Some(BOARD), "/.grantor/callback"));
    let entered = asks("GET", &target(&back), BOARD).await;
    assert!(
        entered.location().is_some() && entered.status == 302,
        "our own paths are answered there: {}",
        entered.status
    );
}

#[tokio::test]
async fn a_token_in_the_address_enters_nothing() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.person.sign_in().await;
    let kept = token(&alice.person, &["notes.read"]).await;
    let program = Visitor::new(&server);
    for name in ["access_token", "token", "authorization"] {
        let page = program.asks(HANDBOOK, &format!("/?{name}={kept}"), &[]).await;
        assert_eq!((page.status.as_u16(), page.header("remote-user")), (401, None), "{name}");
    }
    let asked = format!("/forward-auth?access_token={kept}");
    let headers = [("x-forwarded-host", HANDBOOK), ("x-forwarded-uri", "/")];
    let page = App::new(&server, "wiki").request_raw("GET", &asked, &headers).await;
    assert_eq!((page.status.as_u16(), page.header("remote-user")), (401, None), "nor in the question's own address");
}
