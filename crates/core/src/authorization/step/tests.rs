#![expect(clippy::unwrap_used, reason = "tests")]

use grantor_jose::id::Id;
use proptest::prelude::*;

use super::*;
use crate::authorization::tests::request as sample;
use crate::authorization::{Prompt, Started};
use crate::key::Secrets;
use crate::user::tests::ada;

const NOW: Time = Time::from_seconds(10_000);

fn session(auth_time: Time) -> Session {
    Session { last_seen_at: NOW, ..crate::session::tests::session(auth_time) }
}

fn consent(granted: &str, declined: &str, updated_at: Time) -> Consent {
    Consent {
        user_id: ada().id,
        client_id: "wiki".into(),
        granted: granted.parse().unwrap(),
        declined: declined.parse().unwrap(),
        created_at: Time::default(),
        updated_at,
    }
}

fn request(prompt: Prompt) -> AuthorizationRequest {
    AuthorizationRequest { prompt, started: Started::now(NOW), ..sample() }
}

fn chosen(
    request: &AuthorizationRequest,
    session: Option<&Session>,
    consent: Option<&Consent>,
) -> Result<Step, &'static str> {
    let (user, lifetimes) = (ada(), Lifetimes::default());
    let (session, subjects) = (session.map(|session| (session, &user)), &Secrets::default().subjects);
    let situation = Situation { session, consent, reachable: None, subjects, lifetimes: &lifetimes, now: NOW };
    next_step(request, situation).map_err(|error| error.reason())
}

fn granted(scope: &str, answered_at: Time) -> Step {
    Step::Respond(Approved { scope: scope.parse().unwrap(), answered_at: Some(answered_at) })
}

#[test]
fn who_is_signed_in_and_has_answered_goes_straight_on() {
    let (live, known) = (session(NOW), consent("openid profile", "email", Time::default()));
    assert_eq!(
        chosen(&request(Prompt::default()), Some(&live), Some(&known)),
        Ok(granted("openid profile", Time::default()))
    );
}

#[test]
fn only_what_is_new_is_unanswered() {
    let (live, known) = (session(NOW), consent("openid", "profile", Time::default()));
    let step = chosen(&request(Prompt::default()), Some(&live), Some(&known));
    assert_eq!(step, Ok(Step::Consent { unanswered: "email".parse().unwrap() }));
}

#[test]
fn prompt_none_turns_each_page_into_its_error() {
    let none = request(Prompt { none: true, ..Prompt::default() });
    let live = session(NOW);
    assert_eq!(chosen(&none, None, None), Err("LoginRequired"));
    assert_eq!(chosen(&none, Some(&live), None), Err("ConsentRequired"));
    assert_eq!(
        chosen(&none, Some(&live), Some(&consent("openid profile email", "", NOW))),
        Ok(granted("openid profile email", NOW))
    );
}

#[test]
fn prompt_login_and_max_age_ask_until_the_person_signs_in_for_this_request() {
    let known = consent("openid profile email", "", Time::default());
    let before = session(Time::from_seconds(9_000));
    for mut asked in [
        request(Prompt { login: true, ..Prompt::default() }),
        AuthorizationRequest { max_age: Some(0), ..request(Prompt::default()) },
    ] {
        assert_eq!(chosen(&asked, Some(&session(NOW)), Some(&known)), Ok(Step::Login));
        asked.started.resumed = true;
        assert_eq!(chosen(&asked, Some(&before), Some(&known)), Ok(Step::Login));
        assert_eq!(
            chosen(&asked, Some(&session(NOW)), Some(&known)),
            Ok(granted("openid profile email", Time::default()))
        );
    }
    let aged = AuthorizationRequest { max_age: Some(1000), ..request(Prompt::default()) };
    assert_eq!(chosen(&aged, Some(&before), Some(&known)), Ok(granted("openid profile email", Time::default())));
    let aged = AuthorizationRequest { max_age: Some(999), ..aged };
    assert_eq!(chosen(&aged, Some(&before), Some(&known)), Ok(Step::Login));
}

#[test]
fn an_account_is_made_for_the_request_that_asks_for_it() {
    let known = consent("openid profile email", "", Time::default());
    let mut asked = request(Prompt { create: true, ..Prompt::default() });
    let before = session(Time::from_seconds(9_000));
    assert_eq!(chosen(&asked, None, None), Ok(Step::SignUp));
    assert_eq!(chosen(&asked, Some(&before), Some(&known)), Ok(Step::SignUp));
    asked.started.resumed = true;
    assert_eq!(chosen(&asked, Some(&before), Some(&known)), Ok(Step::SignUp));
    assert_eq!(chosen(&asked, Some(&session(NOW)), Some(&known)), Ok(granted("openid profile email", Time::default())));
}

#[test]
fn the_choice_of_account_is_asked_once() {
    let known = consent("openid profile email", "", Time::default());
    let mut asked = request(Prompt { select_account: true, ..Prompt::default() });
    assert_eq!(chosen(&asked, Some(&session(Time::from_seconds(9_000))), Some(&known)), Ok(Step::SelectAccount));
    asked.started.selected = true;
    assert_eq!(
        chosen(&asked, Some(&session(Time::from_seconds(9_000))), Some(&known)),
        Ok(granted("openid profile email", Time::default()))
    );
}

#[test]
fn another_person_than_the_one_asked_for_gets_no_code() {
    let known = consent("openid profile email", "", Time::default());
    let mut asked = AuthorizationRequest { subject: Some("somebody else".into()), ..request(Prompt::default()) };
    assert_eq!(chosen(&asked, Some(&session(NOW)), Some(&known)), Ok(Step::Login));
    asked.started.resumed = true;
    assert_eq!(chosen(&asked, Some(&session(NOW)), Some(&known)), Err("HintMismatch"));
}

#[test]
fn an_ended_or_old_session_counts_as_none() {
    let known = consent("openid profile email", "", NOW);
    let lifetimes = Lifetimes::default();
    let live = session(NOW);
    let ended = Session { ended_at: Some(NOW), ..live.clone() };
    let idle = Session { last_seen_at: NOW.minus(lifetimes.session_idle), ..live.clone() };
    let old = Session { auth_time: NOW.minus(lifetimes.session_absolute), ..live.clone() };
    let foreign = Session { user_id: Id::from_i64(99), ..live };
    for session in [ended, idle, old, foreign] {
        assert_eq!(chosen(&request(Prompt::default()), Some(&session), Some(&known)), Ok(Step::Login));
    }
}

proptest! {
    /// No order of facts gives a code for a scope that was not asked for or not allowed, or to nobody.
    #[test]
    fn a_code_is_only_for_what_was_allowed(
        signed_in in any::<bool>(),
        granted in "(openid ?)?(profile ?)?(email ?)?(admin ?)?",
        declined in "(profile ?)?(email ?)?",
        flags in any::<[bool; 7]>(),
        auth_seconds in 0i64..10_000,
    ) {
        let known = consent(&granted, &declined, Time::from_seconds(auth_seconds));
        let [none, login, consent_asked, select_account, create, ..] = flags;
        let prompt = Prompt { none, login, consent: consent_asked, select_account, create };
        let mut asked = request(prompt);
        asked.started.resumed = flags[5];
        asked.started.selected = flags[6];
        let live = session(Time::from_seconds(auth_seconds));
        if let Ok(Step::Respond(Approved { scope, .. })) = chosen(&asked, signed_in.then_some(&live), Some(&known)) {
            prop_assert!(signed_in && scope.is_subset(&asked.scope) && scope.is_subset(&known.granted) && !scope.is_empty());
            prop_assert!(!(prompt.login || prompt.create) || flags[5]);
        }
    }
}
