//! Clocks of two nodes that are five seconds apart.

use std::time::Duration;

use super::pair;
use crate::harness::app::App;
use crate::harness::person::Person;

const APART: Duration = Duration::from_secs(5);

#[tokio::test]
async fn what_a_node_with_a_fast_clock_gave_counts_on_one_with_a_slow_clock() {
    let (fast, slow) = pair().await;
    fast.clock.advance(APART);
    let (there, here) = (App::new(&fast, "wiki"), App::new(&slow, "wiki"));
    let code = there.approved_by(&Person::new(&fast), "openid email offline_access").await.param("code");
    let tokens: serde_json::Value = here.redeem(&code).await.json();
    let mut refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(there.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
    for app in [&there, &here, &there, &here] {
        let answer = app.refresh(&refresh).await;
        assert_eq!(answer.brief(), "200");
        let tokens: serde_json::Value = answer.json();
        // Signed in the future, as the slow clock has it, and counted all the same.
        assert_eq!(here.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 200);
        tokens["refresh_token"].as_str().unwrap().clone_into(&mut refresh);
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_by_the_other_node_whichever_clock_is_ahead() {
    for fast_first in [true, false] {
        let (first, second) = pair().await;
        if fast_first { &first } else { &second }.clock.advance(APART);
        let (one, other) = (App::new(&first, "wiki"), App::new(&second, "wiki"));
        let tokens = one.tokens("openid offline_access").await;
        let lost: serde_json::Value = one.refresh(tokens.refresh()).await.json();
        let again: serde_json::Value = other.refresh(tokens.refresh()).await.json();
        assert_eq!(lost["refresh_token"], again["refresh_token"]);
    }
}

#[tokio::test]
async fn a_session_begun_in_the_future_is_one_and_satisfies_max_age() {
    let (fast, slow) = pair().await;
    fast.clock.advance(APART);
    let person = Person::new(&fast);
    App::new(&fast, "wiki").approved_by(&person, "openid").await;
    let page = person.get(format!("{}/account", slow.address)).await;
    assert_eq!(page.status, 200);
    let again = App::new(&fast, "wiki").approved_with(&person, "openid", &[("max_age", "60")]).await;
    assert!(again.has("code"));
}
