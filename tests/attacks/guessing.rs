//! Guessing: which names there are, and their passwords.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use grantor_core::audit::EventKind;

use super::wire;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// One guess of a stranger in a fresh browser.
async fn guess(server: &Server, username: &str, password: &str) -> Page {
    guess_from(server, username, password, &[]).await
}

async fn guess_from(server: &Server, username: &str, password: &str, headers: &[(&str, &str)]) -> Page {
    let person = Person::new(server);
    let form = person.open("/sign-in").await.form(r#"form[action="/sign-in"]"#);
    person.post_with(&form.with("username", username).with("password", password), headers).await
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let server = Server::start().await;
    let known = guess(&server, ALICE, "wrong").await;
    let unknown = guess(&server, "nobod", "wrong").await;
    assert_eq!(known.status, unknown.status);
    assert_eq!(shape(&known), shape(&unknown));
    let names = |page: &Page| page.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(names(&known), names(&unknown));
    assert_eq!((known.cookies().len(), unknown.cookies().len()), (0, 0));
}

/// The page without what was typed and what differs each time.
fn shape(page: &Page) -> String {
    let csrf = page.attribute("[name=csrf]", "value").unwrap();
    let typed = page.attribute("#username", "value").unwrap();
    page.body.replace(&csrf, "").replace(&format!("value=\"{typed}\""), "")
}

#[tokio::test]
async fn the_same_work_is_done_for_a_name_that_nobody_has() {
    let server = Server::start().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..7 {
        known.push(time_of(&server, ALICE).await);
        unknown.push(time_of(&server, &format!("nobody-{number}")).await);
    }
    known.sort();
    unknown.sort();
    // An answer without a hash takes a tenth of this time, or less.
    assert!(unknown[3] > known[3] / 3, "{unknown:?} against {known:?}");
}

async fn time_of(server: &Server, username: &str) -> Duration {
    let person = Person::new(server);
    let form = person.open("/sign-in").await.form(r#"form[action="/sign-in"]"#);
    let form = form.with("username", username).with("password", "a wrong password");
    let begun = Instant::now();
    person.post(&form).await;
    begun.elapsed()
}

#[tokio::test]
async fn a_person_who_is_switched_off_looks_like_nobody() {
    let server = Server::start().await;
    server.apply("[[users]]\nusername = \"bob\"\ndisabled = true\n").await;
    let (off, unknown) = (guess(&server, BOB, BOB_PASSWORD).await, guess(&server, "nob", BOB_PASSWORD).await);
    assert_eq!((off.status, shape(&off)), (unknown.status, shape(&unknown)));
}

#[tokio::test]
async fn forty_guesses_at_one_account_are_slowed_down_however_they_are_spelled() {
    let server = Server::start().await;
    let mut waited = 0;
    for number in 0..40 {
        let name = ["alice", "ALICE", " Alice ", "Alice\u{A0}", "ａｌｉｃｅ"][number % 5];
        let address = format!("203.0.113.{number}");
        let page = guess_from(
            &server,
            name,
            &format!("guess {number}"),
            &[("x-forwarded-for", &address), ("forwarded", &format!("for={address}"))],
        )
        .await;
        if page.status == 429 {
            assert!(page.header("retry-after").unwrap().parse::<u64>().unwrap() >= 30);
            assert!(page.text().contains("Too many tries."), "{}", page.text());
            waited += 1;
        }
    }
    assert_eq!(waited, 30, "ten guesses are free");
    assert_eq!(guess(&server, ALICE, ALICE_PASSWORD).await.status, 429, "not even the right one is looked at");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_slowed_down_the_same_way() {
    let server = Server::start().await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..12 {
        known.push(guess(&server, ALICE, "wrong").await.status);
        unknown.push(guess(&server, "nobody", "wrong").await.status);
    }
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn many_guesses_at_once_count_each() {
    let server = Server::start().await;
    let guesses = (0..25).map(|number| {
        let server = &server;
        async move { guess(server, ALICE, &format!("guess {number}")).await.status.as_u16() }
    });
    let answers = join_all(guesses).await;
    assert!(answers.iter().filter(|status| **status == 422).count() <= 10, "{answers:?}");
}

/// Waits for all of them, side by side.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in waiting.iter_mut().filter(|(_, answer)| answer.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *answer = Some(value);
            }
        }
        if waiting.iter().all(|(_, answer)| answer.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn a_wait_ends_and_grows_with_each_guess() {
    let server = Server::start().await;
    for _ in 0..10 {
        guess(&server, ALICE, "wrong").await;
    }
    let wait = |page: &Page| page.header("retry-after").map(|text| text.parse::<u64>().unwrap());
    assert_eq!(wait(&guess(&server, ALICE, "wrong").await), Some(30));
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(guess(&server, ALICE, "wrong").await.status, 422);
    assert_eq!(wait(&guess(&server, ALICE, "wrong").await), Some(60));
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(guess(&server, ALICE, ALICE_PASSWORD).await.status, 303);
}

#[tokio::test]
async fn an_address_that_tries_many_names_is_slowed_down() {
    let server = Server::start().await;
    for number in 0..50 {
        assert_eq!(guess(&server, &format!("name-{number}"), "Summer2026!").await.status, 422);
    }
    assert_eq!(guess(&server, "one-more", "Summer2026!").await.status, 429);
    assert_eq!(guess_from(&server, "one-more", "Summer2026!", &[("x-forwarded-for", "203.0.113.7")]).await.status, 429);
}

#[tokio::test]
async fn the_address_that_a_trusted_proxy_names_counts() {
    let server = Server::start_with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    for number in 0..50 {
        // What stands left of the proxy's own entry, the client made up.
        let claimed = format!("198.51.100.{number}, 203.0.113.7");
        guess_from(&server, &format!("name-{number}"), "Summer2026!", &[("x-forwarded-for", &claimed)]).await;
    }
    assert_eq!(guess_from(&server, "one-more", "x", &[("x-forwarded-for", "203.0.113.7")]).await.status, 429);
    assert_eq!(guess_from(&server, "one-more", "x", &[("x-forwarded-for", "203.0.113.8")]).await.status, 422);
}

#[tokio::test]
async fn the_guesses_of_others_do_not_lock_a_person_out_of_a_known_browser() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    let page = alice.sign_in().await;
    alice.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    for _ in 0..60 {
        guess(&server, ALICE, "wrong").await;
    }
    assert_eq!(guess(&server, ALICE, ALICE_PASSWORD).await.status, 429);
    assert_eq!(alice.sign_in().await.name(), "account");
}

#[tokio::test]
async fn a_known_browser_cannot_guess_for_ever_either() {
    let server = Server::start().await;
    let alice = Person::new(&server);
    let page = alice.sign_in().await;
    let mut page = alice.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    for _ in 0..11 {
        let form = alice.open("/sign-in").await;
        page = alice.sign_in_on(&form, ALICE, "wrong").await;
    }
    assert_eq!(page.status, 429);
}

#[tokio::test]
async fn the_proof_of_a_known_browser_is_good_for_its_own_person_alone() {
    let server = Server::start().await;
    let mallory = Person::new(&server);
    let page = mallory.open("/sign-in").await;
    let page = mallory.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    mallory.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    for _ in 0..11 {
        let form = mallory.open("/sign-in").await;
        mallory.sign_in_on(&form, ALICE, "wrong").await;
    }
    assert_eq!(guess(&server, ALICE, ALICE_PASSWORD).await.status, 429, "his guesses at Alice count as a stranger's");
}

#[tokio::test]
async fn every_other_door_is_closed_to_passwords() {
    let server = Server::start().await;
    let basic = crate::harness::app::basic(ALICE, ALICE_PASSWORD);
    for path in ["/account", "/userinfo", "/authorize"] {
        let page = wire::send("GET", &server.at(path), &[("authorization", &basic)], "").await;
        assert!(page.status != 200 && !page.body.contains("Alice"), "{path}: {}", page.status);
    }
    let wiki = crate::harness::app::App::new(&server, "wiki");
    let page =
        wiki.post("/token", &[("grant_type", "password"), ("username", ALICE), ("password", ALICE_PASSWORD)]).await;
    assert_eq!(page.json()["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a_password_is_neither_cut_nor_read_to_its_first_nul() {
    let server = Server::start().await;
    let long = "correct horse battery staple ".repeat(8);
    server.apply(&format!("[[users]]\nusername = \"carol\"\npassword = \"{long}!\"\n")).await;
    assert_eq!(guess(&server, "carol", &format!("{long}?")).await.status, 422);
    assert_eq!(guess(&server, "carol", &format!("{long}!")).await.status, 303);
    assert_eq!(guess(&server, ALICE, &format!("{ALICE_PASSWORD}\0anything")).await.status, 400);
    assert_eq!(guess(&server, ALICE, &"x".repeat(2_000)).await.status, 422);
    assert_eq!(guess(&server, ALICE, &"x".repeat(1_000_000)).await.status, 413);
}

#[tokio::test]
async fn a_password_is_the_same_from_any_keyboard() {
    let server = Server::start().await;
    server.apply("[[users]]\nusername = \"dora\"\npassword = \"Zu\u{308}rcher Schiffla\u{308}nde um vier\"\n").await;
    assert_eq!(guess(&server, "dora", "Zürcher Schifflände um vier").await.status, 303);
    assert_eq!(guess(&server, "dora", "zürcher schifflände um vier").await.status, 422, "its case counts");
}

#[tokio::test]
async fn a_guess_is_in_the_log_with_the_account_and_where_it_came_from() {
    let server = Server::start().await;
    for _ in 0..11 {
        guess(&server, ALICE, "wrong").await;
    }
    let events = server.events().await;
    let count = |kind| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!((count(EventKind::SignInFailed), count(EventKind::SignInThrottled)), (10, 1));
    let failed = events.iter().filter(|event| event.kind == EventKind::SignInFailed);
    assert!(failed.into_iter().all(|event| event.user_id.is_some() && event.address.as_deref() == Some("127.0.0.1")));
}
