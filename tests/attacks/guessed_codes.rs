//! Guesses at the codes of a second factor, by whoever knows the password.

use std::time::Duration;

use super::second_factor::{HALF_MINUTE, give, half, with_app};
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

// MF-02
#[tokio::test]
async fn codes_are_guessed_ten_times_and_then_seldom() {
    let (server, alice, app) = with_app().await;
    let (mut guessed, mut waited) = (0, 0);
    for _ in 0..10 {
        let (thief, page) = half(&server).await;
        for _ in 0..3 {
            match give(&thief, &page, &app.wrong_code(&server)).await.status.as_u16() {
                422 => guessed += 1,
                429 => waited += 1,
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!((guessed, waited), (10, 20));
    let (thief, page) = half(&server).await;
    let page = give(&thief, &page, &app.code(&server)).await;
    assert_eq!(page.status, 429, "not even the right one is looked at");
    assert!(page.header("retry-after").unwrap().parse::<u64>().unwrap() >= 30);
    let told = alice.open("/account").await.text().matches("Somebody tries codes").count();
    assert_eq!(told, 1, "and she is told, once");
    server.clock.advance(HALF_MINUTE);
    let (alice, page) = half(&server).await;
    assert_eq!(give(&alice, &page, &app.code(&server)).await.name(), "account", "who waits comes in");
}

// MF-02
#[tokio::test]
async fn guesses_that_come_nine_at_a_time_wait_like_any_others() {
    let (server, _alice, app) = with_app().await;
    let mut looked_at = 0;
    for _ in 0..4 {
        let (thief, page) = half(&server).await;
        for number in 0..9 {
            let wrong = if number % 2 == 0 { app.wrong_code(&server) } else { "abcd-efgh-ijkl-mnop".to_owned() };
            looked_at += usize::from(give(&thief, &page, &wrong).await.status == 422);
        }
        server.clock.advance(Duration::from_mins(15));
    }
    assert_eq!(looked_at, 12, "ten, and then one in each quarter of an hour; recovery codes count, too");
}

// MF-02
#[tokio::test]
async fn browsers_that_came_in_before_the_app_was_there_share_its_tries() {
    let server = Server::start().await;
    let (alice, mut thieves) = (Person::new(&server), Vec::new());
    alice.sign_in().await;
    for _ in 0..4 {
        let thief = Person::new(&server);
        thief.sign_in().await;
        thieves.push(thief);
    }
    let app = Authenticator::set_up(&server, &alice).await;
    let mut looked_at = 0;
    for thief in &thieves {
        let page = thief.sign_in_on(&thief.open("/sign-in").await, ALICE, ALICE_PASSWORD).await;
        for _ in 0..4 {
            looked_at += usize::from(give(thief, &page, &app.wrong_code(&server)).await.status == 422);
        }
    }
    assert_eq!(looked_at, 10);
}

// MF-02
#[tokio::test]
async fn a_right_code_forgives_no_wrong_one_and_the_guesses_at_one_person_stop_no_other() {
    let (server, _alice, app) = with_app().await;
    let bob = Person::new(&server);
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    let of_bob = Authenticator::set_up(&server, &bob).await;
    server.clock.advance(HALF_MINUTE);
    for expected in ["account", "sign-in-code"] {
        let (person, page) = half(&server).await;
        for _ in 0..5 {
            assert_eq!(give(&person, &page, &app.wrong_code(&server)).await.status, 422);
        }
        assert_eq!(give(&person, &page, &app.code(&server)).await.name(), expected);
    }
    let page = bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    assert_eq!(give(&bob, &page, &of_bob.code(&server)).await.name(), "account");
}

// MF-02
#[tokio::test]
async fn guesses_at_once_and_on_two_nodes_count_each() {
    let (server, _alice, app) = with_app().await;
    let second = server.another_node().await;
    let wrong = app.wrong_code(&server);
    let mut forms = Vec::new();
    for number in 0..24 {
        let (thief, page) = half(if number % 2 == 0 { &server } else { &second }).await;
        forms.push((thief, page.form(CODE).with("code", &wrong)));
    }
    let tries = forms.into_iter().map(|(thief, form)| tokio::spawn(async move { thief.post(&form).await.status }));
    let mut looked_at = 0;
    for guess in tries.collect::<Vec<_>>() {
        looked_at += usize::from(guess.await.unwrap() == 422);
    }
    assert!(looked_at <= 10, "{looked_at}");
}

// MF-02
#[tokio::test]
async fn who_does_not_know_the_password_locks_nobody_out_of_the_code() {
    let (server, _alice, app) = with_app().await;
    for _ in 0..12 {
        let stranger = Person::new(&server);
        let page = stranger.open("/sign-in").await;
        stranger.sign_in_on(&page, BOB, "wrong").await;
        let form = page.form(r#"form[action="/sign-in"]"#).at(&server.at("/sign-in/code"));
        stranger.send(&form.with("half", "AAAA.AAAA").with("code", "000000")).await;
    }
    let (alice, page) = half(&server).await;
    assert_eq!(give(&alice, &page, &app.code(&server)).await.name(), "account");
}
