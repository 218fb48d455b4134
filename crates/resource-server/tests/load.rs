//! Rotations, revocations and outages while many calls come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use grantor_jose::algorithm::Algorithm;
use grantor_resource_server::Verifier;
use serde_json::json;
use tokio::task::JoinSet;

use crate::answers::{asked, asked_from};
use crate::issuer::{Issuer, key};

const CALLERS: usize = 16;
const ROTATIONS: usize = 20;

/// Callers that come again and again until they are told to stop, and what became of their calls.
struct Crowd {
    done: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    callers: JoinSet<BTreeMap<String, usize>>,
}

impl Crowd {
    /// Each caller takes a token from `token` for each call.
    fn new(verifier: &Verifier, token: impl Fn() -> String + Clone + Send + 'static) -> Self {
        let (done, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (done, count, verifier, token) =
                (Arc::clone(&done), Arc::clone(&count), verifier.clone(), token.clone());
            callers.spawn(async move {
                let mut words = BTreeMap::new();
                while !done.load(Ordering::SeqCst) {
                    *words.entry(asked(&verifier, &token()).await).or_default() += 1;
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
                words
            });
        }
        Self { done, count, callers }
    }

    /// Waits until so many more calls are through.
    async fn calls(&self, more: usize) {
        let target = self.count.load(Ordering::SeqCst) + more;
        while self.count.load(Ordering::SeqCst) < target {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// How often each word was the answer.
    async fn end(self) -> BTreeMap<String, usize> {
        self.done.store(true, Ordering::SeqCst);
        let mut all = BTreeMap::new();
        for words in self.callers.join_all().await {
            for (word, count) in words {
                *all.entry(word).or_default() += count;
            }
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_follow_one_another_under_load_and_no_good_token_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().read_keys_at_most_every(Duration::from_millis(50)).build().unwrap();
    verifier.ready().await.unwrap();
    let signing = issuer.clone();
    let crowd = Crowd::new(&verifier, move || signing.jwt(&json!({})));
    for rotation in 0..ROTATIONS {
        crowd.calls(100).await;
        let mut doing = issuer.doing();
        // Used at once, as after a theft: no time to become known. The last two stay.
        doing.keys.push(key([Algorithm::Es256, Algorithm::EdDsa][rotation % 2]));
        let old = doing.keys.len().saturating_sub(3);
        doing.keys.drain(..old);
    }
    crowd.calls(100).await;
    let (words, readings) = (crowd.end().await, issuer.keys_asked());
    println!("{words:?}; {readings} readings for {ROTATIONS} rotations");
    assert_eq!(words.keys().collect::<Vec<_>>(), ["ok"]);
    assert!(readings <= 2 * ROTATIONS + 1, "{readings} readings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_a_removed_key_is_refused_after_the_next_reading() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().read_keys_at_least_every(Duration::from_millis(100)).build().unwrap();
    verifier.ready().await.unwrap();
    let stolen = Arc::clone(&issuer.doing().keys[0]);
    issuer.doing().keys.push(key(Algorithm::Es256));
    let signing = issuer.clone();
    let crowd = Crowd::new(&verifier, move || signing.jwt(&json!({})));
    crowd.calls(100).await;
    issuer.doing().keys.remove(0);
    // One reading may be under way, and have the key still.
    let (forged, removed_at) = (issuer.jwt_by(&stolen, &json!({})), issuer.keys_asked());
    while issuer.keys_asked() < removed_at + 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(asked(&verifier, &forged).await, "KeyUnknown");
    crowd.calls(100).await;
    assert_eq!(crowd.end().await.into_keys().collect::<Vec<_>>(), ["ok"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_is_refused_by_the_next_call_under_load() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().thinks_for = Duration::from_millis(2);
    for round in 0..20 {
        let token = format!("token-{round}");
        issuer.issue(&token, &json!({}));
        let for_all = token.clone();
        let crowd = Crowd::new(&verifier, move || for_all.clone());
        crowd.calls(50).await;
        issuer.revoke(&token);
        // This call begins after the revocation, while questions from before it are on their way.
        assert_eq!(asked(&verifier, &token).await, "Inactive");
        crowd.calls(50).await;
        let words = crowd.end().await;
        assert_eq!(words.keys().collect::<Vec<_>>(), ["Inactive", "ok"]);
    }
    assert_eq!(issuer.inside.most_at_work.load(Ordering::SeqCst), 1, "one question at a time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_answer_outlives_a_revocation_only_as_long_as_it_may() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=2");
    issuer.issue("token", &json!({}));
    let crowd = Crowd::new(&verifier, || "token".to_owned());
    crowd.calls(2_000).await;
    assert_eq!(issuer.tokens_asked(), 1);
    issuer.revoke("token");
    crowd.calls(2_000).await;
    assert_eq!(asked(&verifier, "token").await, "ok");
    issuer.advance(2);
    assert_eq!(asked(&verifier, "token").await, "Inactive");
    crowd.calls(100).await;
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_under_load_lets_nothing_through_that_is_not_known() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.issue("token", &json!({}));
    let (jwts, opaque) = (issuer.clone(), Arc::new(AtomicUsize::new(0)));
    let of_jwts = Crowd::new(&verifier, move || jwts.jwt(&json!({})));
    let of_opaque = Crowd::new(&verifier, move || match opaque.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => "token".to_owned(),
        _ => "made-up".to_owned(),
    });
    of_opaque.calls(100).await;
    issuer.doing().down = Some((StatusCode::SERVICE_UNAVAILABLE, "1"));
    for token in ["token", "made-up", "new"] {
        assert_eq!(asked(&verifier, token).await, "come again in 1s");
    }
    of_opaque.calls(100).await;
    issuer.doing().down = None;
    // Who waits for a question of before is told what came of it.
    of_opaque.calls(100).await;
    // The rest that the issuer asked for is over.
    issuer.advance(1);
    of_opaque.calls(100).await;
    assert_eq!(asked(&verifier, "token").await, "ok");
    of_jwts.calls(100).await;
    assert_eq!(of_jwts.end().await.into_keys().collect::<Vec<_>>(), ["ok"]);
    assert_eq!(of_opaque.end().await.into_keys().collect::<Vec<_>>(), ["Inactive", "come again in 1s", "ok"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_made_up_tokens_leaves_good_ones_alone() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=10");
    issuer.issue("token", &json!({}));
    assert_eq!(asked(&verifier, "token").await, "ok");
    let number = Arc::new(AtomicUsize::new(0));
    let flood = Crowd::new(&verifier, move || format!("made-up-{}", number.fetch_add(1, Ordering::SeqCst)));
    let good = Crowd::new(&verifier, || "token".to_owned());
    flood.calls(3_000).await;
    good.calls(1_000).await;
    assert_eq!(good.end().await.into_keys().collect::<Vec<_>>(), ["ok"]);
    assert_eq!(flood.end().await.into_keys().collect::<Vec<_>>(), ["Inactive"]);
    assert!(issuer.inside.most_at_work.load(Ordering::SeqCst) <= CALLERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_from_one_address_keeps_few_others_waiting() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().thinks_for = Duration::from_millis(200);
    let call = |token: String, address: String| {
        let verifier = verifier.clone();
        tokio::spawn(async move { asked_from(&verifier, &token, &address).await })
    };
    let flood: Vec<_> = (0..2_000).map(|number| call(format!("made-up-{number}"), "192.0.2.1".to_owned())).collect();
    while issuer.tokens_asked() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (0..40).for_each(|number| issuer.issue(&format!("good-{number}"), &json!({})));
    let good: Vec<_> = (0..40).map(|number| call(format!("good-{number}"), format!("198.51.100.{number}"))).collect();
    let mut served = 0;
    for call in good {
        served += usize::from(call.await.unwrap() == "ok");
    }
    // An eighth of them shares its place, by chance.
    assert!(served > 20, "{served} of 40");
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}
