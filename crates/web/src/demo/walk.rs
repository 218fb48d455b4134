//! The demo against a server of a few lines, driven as a browser would drive it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod fake_op;
mod robot;

use self::{fake_op::FakeOp, robot::Robot};

#[actix_web::test]
async fn a_sign_in_shows_each_request_and_never_the_secret() {
    let (op, mut robot) = start().await;
    let page = sign_in(&op, &mut robot).await;
    for shown in [
        "Signed in as",
        "Ada Lovelace",
        "code_verifier",
        "invalid-looking.token",
        "base64(demo:[redacted])",
        "Verify the ID token",
    ] {
        assert!(page.contains(shown), "{shown} is not on the page");
    }
    assert!(!page.contains(fake_op::SECRET) && !page.contains(&fake_op::basic()), "the secret is on the page");
    assert!(!page.contains("To come") && !page.contains("Failed") && !page.contains('⟦'), "{page}");
}

#[actix_web::test]
async fn each_button_makes_its_step() {
    let (op, mut robot) = start().await;
    sign_in(&op, &mut robot).await;
    for (path, shown) in [
        ("/userinfo", "/userinfo</code>"),
        ("/call-api", "Water the plants"),
        ("/introspect", "base64(notes-api:[redacted])"),
        ("/refresh", "access-2"),
        ("/revoke", "token_type_hint"),
    ] {
        let page = robot.press(path, &[]).await;
        assert!(page.contains(shown), "{path}: {shown} is not on the page");
        assert!(!page.contains("demo-notice demo-bad"), "{path} failed");
        assert!(!page.contains(fake_op::SECRET), "{path} shows the secret");
    }
    let page = robot.press("/call-api", &[]).await;
    assert!(page.contains("401 Unauthorized") && page.contains(">invalid_token</code>"));
}

#[actix_web::test]
async fn signing_out_forgets_the_tokens_and_comes_back_with_its_state() {
    let (op, mut robot) = start().await;
    sign_in(&op, &mut robot).await;
    let away = robot.post("/sign-out", &[]).await;
    assert!(away.starts_with(&format!("{}/end-session?", op.issuer)), "{away}");
    assert!(robot::parameter(&away, "id_token_hint").is_some());
    assert!(robot.get("/").await.contains("Waiting"));
    robot.get(&format!("/signed-out?state={}", robot::parameter(&away, "state").unwrap())).await;
    let page = robot.get("/").await;
    assert!(!page.contains("Signed in as") && !page.contains("Waiting"));
}

#[actix_web::test]
async fn a_refusal_is_shown_in_the_words_of_the_server() {
    let (op, mut robot) = start().await;
    let away = robot.post("/start", &[("scope", "openid"), ("prompt", "none")]).await;
    assert_eq!(robot::parameter(&away, "prompt").as_deref(), Some("none"));
    let state = robot::parameter(&away, "state").unwrap();
    robot
        .get(&format!("/callback?error=login_required&error_description=Sign+in+first&state={state}&iss={}", op.issuer))
        .await;
    let page = robot.get("/").await;
    assert!(page.contains(">login_required</code>") && page.contains("Sign in first"));
}

#[actix_web::test]
async fn an_answer_that_nobody_asked_for_is_not_used() {
    let (op, mut robot) = start().await;
    let away = robot.post("/start", &[("scope", "openid")]).await;
    let state = robot::parameter(&away, "state").unwrap();
    for wrong in [
        format!("code=code-1&state=x&iss={}", op.issuer),
        format!("code=code-1&state={state}&state={state}&iss={}", op.issuer),
        format!("code=code-1&state={state}&iss=http://evil.example"),
    ] {
        robot.get(&format!("/callback?{wrong}")).await;
        assert!(robot.get("/").await.contains("demo-notice demo-bad"), "{wrong}");
    }
    assert_eq!(op.redeemed(), 0);
}

#[actix_web::test]
async fn an_id_token_with_another_nonce_is_not_believed() {
    let (op, mut robot) = start().await;
    let away = robot.post("/start", &[("scope", "openid")]).await;
    op.expect_nonce("somebody-else");
    let state = robot::parameter(&away, "state").unwrap();
    robot.get(&format!("/callback?code=code-1&state={state}&iss={}", op.issuer)).await;
    let page = robot.get("/").await;
    assert!(page.contains("The ID token cannot be accepted") && !page.contains("Signed in as"));
}

#[actix_web::test]
async fn a_form_without_the_right_csrf_does_nothing() {
    let (op, mut robot) = start().await;
    sign_in(&op, &mut robot).await;
    robot.csrf = "guessed".to_owned();
    assert!(robot.post("/revoke", &[]).await.ends_with("/?stale"));
    assert!(!robot.get("/").await.contains("Revoke a token"));
}

#[actix_web::test]
async fn the_page_is_read_in_german_too() {
    let (op, mut robot) = start().await;
    robot.language = "de-AT, en;q=0.5";
    let page = sign_in(&op, &mut robot).await;
    assert!(page.contains("<html lang=\"de\"") && page.contains("Angemeldet als") && !page.contains('⟦'));
}

#[actix_web::test]
async fn a_server_that_is_not_there_is_said_so() {
    let (op, mut robot) = start().await;
    op.stop().await;
    let page = robot.press("/start", &[("scope", "openid")]).await;
    assert!(page.contains("does not answer") && page.contains("role=\"alert\""), "{page}");
}

async fn start() -> (FakeOp, Robot) {
    let op = FakeOp::start();
    let robot = Robot::open(&op).await;
    (op, robot)
}

/// Starts, answers for the server, and gives the page after it.
async fn sign_in(op: &FakeOp, robot: &mut Robot) -> String {
    let away = robot.post("/start", &[("scope", "openid"), ("scope", "offline_access"), ("max_age", "600")]).await;
    op.expect_nonce(&robot::parameter(&away, "nonce").unwrap());
    let state = robot::parameter(&away, "state").unwrap();
    robot.get(&format!("/callback?code=code-1&state={state}&iss={}", op.issuer)).await;
    robot.get("/").await
}
