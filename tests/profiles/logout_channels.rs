//! `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`, `oidcc-backchannel-rp-initiated-logout-certification-test-plan`
//! and `oidcc-session-management-certification-test-plan`: the same sign-out, and how the app is told of it.

use grantor_jose::key::Typ;
use serde_json::json;
use url::Url;

use super::dynamic_suite::{self, Suite, at};
use super::logout::{begun, ends, is_back, is_signed_out};
use crate::harness::app::{claims, header};
use crate::harness::receiver::Receiver;
use crate::harness::server::Server;
use crate::oidc::keys::is_signed;

/// `oidcc-frontchannel-rp-initiated-logout`
#[tokio::test]
async fn the_page_of_signing_out_frames_the_app_and_then_goes_back_to_it() {
    let server = dynamic_suite::server().await;
    for response_type in dynamic_suite::RESPONSE_TYPES {
        let suite = Suite::new(&server);
        let framed = json!({
            "frontchannel_logout_uri": at("/frontchannel_logout"), "frontchannel_logout_session_required": true,
        });
        let (client, signed_in) = begun(&suite, response_type, framed).await;
        let page = ends(&suite, &signed_in, &[]).await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "signed-out"), "{}", page.body);
        let sources = page.attributes("iframe", "src");
        let [source] = &sources[..] else { panic!("{sources:?}") };
        let source = Url::parse(source).unwrap();
        assert_eq!(source.as_str().split('?').next(), Some(at("/frontchannel_logout").as_str()));
        let sid = claims(&signed_in.id_token)["sid"].as_str().unwrap().to_owned();
        let told: Vec<_> = source.query_pairs().into_owned().collect();
        assert_eq!(told, [("iss".to_owned(), server.url.clone()), ("sid".to_owned(), sid)]);
        let back = Url::parse(&page.attribute("a#back", "href").unwrap()).unwrap();
        assert!(is_back(&back), "{back}");
        is_signed_out(&suite, &client).await;
        suite.leaves(client).await;
    }
}

/// `oidcc-backchannel-rp-initiated-logout`
#[tokio::test]
async fn the_app_is_sent_a_logout_token_and_the_person_goes_back_to_it() {
    let receiver = Receiver::start();
    let server = Server::start_with(|config| {
        dynamic_suite::settings(config);
        receiver.trusted()(config);
    })
    .await;
    for (before, response_type) in dynamic_suite::RESPONSE_TYPES.into_iter().enumerate() {
        let suite = Suite::new(&server);
        let told = json!({"backchannel_logout_uri": receiver.url, "backchannel_logout_session_required": true});
        let (client, signed_in) = begun(&suite, response_type, told).await;
        let back = ends(&suite, &signed_in, &[]).await.location().unwrap();
        assert!(is_back(&back), "{back}");
        let message = receiver.wait_for(before + 1).await.remove(before);
        let pairs: Vec<_> = url::form_urlencoded::parse(message.body.as_bytes()).into_owned().collect();
        let [(name, token)] = &pairs[..] else { panic!("{pairs:?}") };
        assert_eq!(name, "logout_token", "and no other parameter");
        assert!(is_signed(&server, token, Typ::LogoutJwt).await);
        assert_eq!(header(token)["alg"], "RS256");
        let (said, known) = (claims(token), claims(&signed_in.id_token));
        for name in ["iss", "sub", "sid"] {
            assert_eq!(said[name], known[name], "{name}");
        }
        assert!(said["aud"] == client.told["client_id"] && said["jti"].is_string() && said["iat"].is_i64(), "{said}");
        assert_eq!(said["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
        assert!(said.get("nonce").is_none());
        is_signed_out(&suite, &client).await;
        suite.leaves(client).await;
    }
}

/// `oidcc-session-management-rp-initiated-logout`: what the frame says in a browser before and after is shown by
/// `the_frame_says_whether_the_person_is_still_the_same`; here, that each answer carries the state, and that it has changed afterwards.
#[tokio::test]
async fn each_answer_tells_a_session_state_that_is_another_after_signing_out() {
    let server = dynamic_suite::server().await;
    for response_type in dynamic_suite::RESPONSE_TYPES {
        let suite = Suite::new(&server);
        let (client, signed_in) = begun(&suite, response_type, json!({})).await;
        let before = signed_in.answer.param("session_state");
        assert!(!before.contains(' ') && !before.is_empty());
        let page = ends(&suite, &signed_in, &[]).await;
        let gone = page.headers.get_all("set-cookie").iter().any(|cookie| {
            let cookie = cookie.to_str().unwrap();
            cookie.starts_with("grantor_state=;") && cookie.contains("Max-Age=0")
        });
        assert!(gone, "what the frame compares with is gone: {:?}", page.headers);
        is_signed_out(&suite, &client).await;
        suite.leaves(client).await;
    }
}

/// A lint, by words: the suite's own browser is HtmlUnit, which knows no hash function and nothing of what scripts have learnt lately;
/// nor do old browsers. What the script says is shown by `the_frame_says_whether_the_person_is_still_the_same`, in one browser of today.
#[test]
fn the_script_of_the_frame_is_written_without_what_old_browsers_do_not_know() {
    let script = include_str!("../../static/check-session.js");
    let code: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    for new in [
        "=>",
        "`",
        "...",
        "?.",
        "??",
        "**",
        "async ",
        "await ",
        "const ",
        "let ",
        "class ",
        " of ",
        "catch {",
        "crypto.",
        "replaceAll",
        "padStart",
        "padEnd",
        "startsWith",
        "endsWith",
        "includes",
        ".find(",
        ".findIndex(",
        ".fill(",
        ".repeat(",
        ".flat",
        "Array.from",
        "Object.assign",
        "Object.entries",
        "Symbol",
        "Map(",
        "Set(",
        "TextEncoder",
        "Uint32Array",
        "Uint8Array",
    ] {
        assert!(!code.iter().any(|line| line.contains(new)), "{new}");
    }
}
