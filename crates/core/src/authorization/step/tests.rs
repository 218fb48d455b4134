#![expect(clippy::unwrap_used, reason = "tests")]

use grantor_jose::id::Id;
use proptest::prelude::*;

use super::*;
use crate::authorization::tests::request as sample;
use crate::authorization::{Other, Prompt, Started};
use crate::key::Secrets;
use crate::user::tests::ada;

mod hints;
mod untimed;

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
    let situation = Situation {
        session,
        origin: None,
        consent,
        other: None,
        reachable: None,
        subjects,
        lifetimes: &lifetimes,
        now: NOW,
    };
    next_step(request, situation).map_err(|error| error.reason())
}

/// The same where Bob, whose answer is `consent`, is signed in beside Ada, who has allowed everything.
fn chosen_beside(
    request: &AuthorizationRequest,
    ada_too: bool,
    bobs: (&Session, Option<&Consent>),
) -> Result<Step, &'static str> {
    let (user, lifetimes, secrets) = (ada(), Lifetimes::default(), Secrets::default());
    let (here, known) = (session(Time::from_seconds(9_500)), consent("openid profile email", "", Time::default()));
    let bob = bob();
    let situation = Situation {
        session: ada_too.then_some((&here, &user)),
        origin: None,
        consent: Some(&known),
        other: Some(Other { request, session: bobs.0, origin: None, user: &bob, consent: bobs.1, reachable: None }),
        reachable: None,
        subjects: &secrets.subjects,
        lifetimes: &lifetimes,
        now: NOW,
    };
    next_step(request, situation).map_err(|error| error.reason())
}

fn bob() -> User {
    User { id: Id::from_i64(8), subject: "bobs-subject".into(), username: "bob".into(), ..ada() }
}

fn session_of_bob(auth_time: Time) -> Session {
    Session { id: Id::from_i64(80), user_id: bob().id, ..session(auth_time) }
}

fn for_bob(prompt: Prompt) -> AuthorizationRequest {
    AuthorizationRequest { subject: Some(bob().subject), ..request(prompt) }
}

fn beside(scope: &str) -> Step {
    Step::Beside(Approved { scope: scope.parse().unwrap(), answered_at: Some(Time::default()) })
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
    asked.started.selected = Some(ada().id);
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
fn a_level_that_is_wished_for_is_offered_until_the_person_declines_it() {
    let known = consent("openid profile email", "", Time::default());
    let answered = Ok(granted("openid profile email", Time::default()));
    let chosen = |asked: &AuthorizationRequest| chosen(asked, Some(&session(NOW)), Some(&known));
    let offered = Some(Level::TwoFactors);
    let mut asked = AuthorizationRequest { offered, ..request(Prompt::default()) };
    assert_eq!(chosen(&asked), Ok(Step::OfferMore(Level::TwoFactors)));
    assert_eq!(chosen(&AuthorizationRequest { offered, ..request(NONE) }), answered, "and nobody is asked there");
    asked.started.declined = true;
    assert_eq!(chosen(&asked), answered);
    let reached = AuthorizationRequest { offered: Some(Level::Password), ..request(Prompt::default()) };
    assert_eq!(chosen(&reached), answered);
}

/// The same where Ada, who signed in at 9,500 seconds, could prove a second factor.
fn chosen_with_factor(request: &AuthorizationRequest) -> Result<Step, &'static str> {
    let (user, lifetimes, secrets) = (ada(), Lifetimes::default(), Secrets::default());
    let (here, known) = (session(Time::from_seconds(9_500)), consent("openid profile email", "", Time::default()));
    let situation = Situation {
        session: Some((&here, &user)),
        origin: None,
        consent: Some(&known),
        other: None,
        reachable: Some(Level::TwoFactors),
        subjects: &secrets.subjects,
        lifetimes: &lifetimes,
        now: NOW,
    };
    next_step(request, situation).map_err(|error| error.reason())
}

#[test]
fn a_code_is_left_only_where_it_is_wished_for_and_its_person_goes_on_without() {
    let acr = |essential: bool| {
        let acr =
            format!(r#"{{"id_token":{{"acr":{{"essential":{essential},"value":"{}"}}}}}}"#, Level::TwoFactors.acr());
        crate::claims::ClaimsRequest::parse(&acr).unwrap()
    };
    let started = |at| Started { resumed: true, at: Time::from_seconds(at), selected: Some(ada().id), declined: false };
    let asked = |essential, prompt, at| AuthorizationRequest {
        claims: acr(essential),
        started: started(at),
        ..request(prompt)
    };
    let declined = |asked: AuthorizationRequest| {
        let started = Started { declined: true, ..asked.started };
        chosen_with_factor(&AuthorizationRequest { started, ..asked })
    };
    let login = Prompt { login: true, ..Prompt::default() };
    let wish = asked(false, Prompt::default(), 9_900);
    assert_eq!(chosen_with_factor(&wish), Ok(Step::Prove { may_decline: true }));
    assert_eq!(declined(wish), Ok(granted("openid profile email", Time::default())));
    for needed in [asked(true, Prompt::default(), 9_900), asked(false, login, 9_400)] {
        assert_eq!(chosen_with_factor(&needed), Ok(Step::Prove { may_decline: false }));
        assert_eq!(declined(needed), Ok(Step::Prove { may_decline: false }));
    }
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

const NONE: Prompt = Prompt { none: true, create: false, login: false, consent: false, select_account: false };

#[test]
fn who_is_named_and_signed_in_beside_is_answered_for_with_a_page_or_without() {
    let (live, known) =
        (session_of_bob(Time::from_seconds(9_000)), consent("openid", "profile email", Time::default()));
    for ada_too in [true, false] {
        for prompt in [NONE, Prompt::default()] {
            assert_eq!(chosen_beside(&for_bob(prompt), ada_too, (&live, Some(&known))), Ok(beside("openid")));
        }
        let wider = consent("profile", "", Time::default());
        assert_eq!(chosen_beside(&for_bob(NONE), ada_too, (&live, Some(&wider))), Err("ConsentRequired"));
        assert_eq!(chosen_beside(&for_bob(NONE), ada_too, (&live, None)), Err("LoginRequired"), "as for nobody");
        assert_eq!(chosen_beside(&for_bob(Prompt::default()), ada_too, (&live, None)), Ok(Step::SelectAccount));
    }
}

#[test]
fn what_the_person_beside_must_prove_anew_is_asked_of_them() {
    let (live, known) =
        (session_of_bob(Time::from_seconds(9_000)), consent("openid", "profile email", Time::default()));
    let aged = |prompt| AuthorizationRequest { max_age: Some(10), ..for_bob(prompt) };
    assert_eq!(chosen_beside(&aged(Prompt::default()), true, (&live, Some(&known))), Ok(Step::Login));
    assert_eq!(chosen_beside(&aged(NONE), true, (&live, Some(&known))), Err("LoginRequired"));
    let idle = Session { last_seen_at: NOW.minus(Lifetimes::default().session_idle), ..live };
    assert_eq!(chosen_beside(&for_bob(NONE), true, (&idle, Some(&known))), Err("LoginRequired"));
}

#[test]
fn whom_the_person_chose_or_signed_in_as_goes_before_whom_the_app_names() {
    let (live, known) =
        (session_of_bob(Time::from_seconds(9_000)), consent("openid", "profile email", Time::default()));
    let mut asked = for_bob(Prompt::default());
    asked.started.selected = Some(ada().id);
    assert_eq!(chosen_beside(&asked, true, (&live, Some(&known))), Ok(Step::Login), "and no answer for Ada");
    asked.started = Started { resumed: true, at: Time::from_seconds(9_400), selected: None, declined: false };
    assert_eq!(chosen_beside(&asked, true, (&live, Some(&known))), Err("HintMismatch"));
}

#[test]
fn a_name_alone_is_never_answered_for_somebody_beside() {
    let (live, known) =
        (session_of_bob(Time::from_seconds(9_000)), consent("openid", "profile email", Time::default()));
    let hinted = |prompt| AuthorizationRequest { login_hint: Some("Bob".into()), ..request(prompt) };
    for bobs in [None, Some(&known)] {
        let of_ada = granted("openid profile email", Time::default());
        assert_eq!(chosen_beside(&hinted(NONE), true, (&live, bobs)), Ok(of_ada));
        assert_eq!(chosen_beside(&hinted(NONE), false, (&live, bobs)), Err("LoginRequired"));
        assert_eq!(chosen_beside(&hinted(Prompt::default()), true, (&live, bobs)), Ok(Step::SelectAccount));
        let create = Prompt { create: true, ..Prompt::default() };
        assert_eq!(chosen_beside(&hinted(create), true, (&live, bobs)), Ok(Step::SignUp));
    }
}

// "If it cannot obtain an account selection choice made by the End-User, it MUST return an error, typically
// "account_selection_required"." (OIDC Core §3.1.2.1)
#[test]
fn what_was_chosen_as_one_person_is_answered_for_no_other() {
    let known = consent("openid profile email", "", NOW);
    let selected = |prompt| {
        let started =
            Started { resumed: true, at: Time::from_seconds(9_000), selected: Some(bob().id), declined: false };
        AuthorizationRequest { started, ..request(prompt) }
    };
    for at in [8_000, 9_500] {
        let here = session(Time::from_seconds(at));
        assert_eq!(chosen(&selected(Prompt::default()), Some(&here), Some(&known)), Ok(Step::SelectAccount), "{at}");
        assert_eq!(chosen(&selected(NONE), Some(&here), Some(&known)), Err("SelectionRequired"));
    }
    let of_bob = session_of_bob(Time::from_seconds(9_000));
    let named = AuthorizationRequest { subject: Some(bob().subject), ..selected(Prompt::default()) };
    assert_eq!(chosen_beside(&named, true, (&of_bob, Some(&known))), Ok(Step::SelectAccount));
}

proptest! {
    /// Whatever is so, an answer is for somebody whom the request allows, and who has allowed it.
    #[test]
    fn an_answer_is_for_whom_it_may_be(
        flags in any::<[bool; 8]>(), named in 0u8..4, granted in "(openid ?)?(profile ?)?", seconds in 0i64..10_000
    ) {
        let prompt = Prompt { none: flags[0], login: flags[1], consent: flags[2], select_account: flags[3], create: false };
        let mut asked = request(prompt);
        asked.started.resumed = flags[4];
        asked.started.selected = flags[5].then(|| ada().id);
        match named {
            0 => asked.subject = Some(bob().subject),
            1 => asked.subject = Some(ada().subject),
            2 => asked.login_hint = Some("bob".into()),
            _ => {}
        }
        let known = consent(&granted, "", Time::default());
        let bobs = session_of_bob(Time::from_seconds(seconds));
        match chosen_beside(&asked, flags[6], (&bobs, flags[7].then_some(&known))) {
            Ok(Step::Beside(approved)) => {
                prop_assert!(named == 0 && flags[7] && approved.scope.is_subset(&known.granted) && !flags[5]);
            }
            // By a name alone nobody else is answered for, unless nobody may be asked, or they were chosen.
            Ok(Step::Respond(_)) => prop_assert!(flags[6] && named != 0 && (named != 2 || flags[0] || flags[5])),
            Ok(step) => prop_assert!(!prompt.none, "{step:?}"),
            Err(_) => {}
        }
    }

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
        asked.started.selected = flags[6].then(|| ada().id);
        let live = session(Time::from_seconds(auth_seconds));
        if let Ok(Step::Respond(Approved { scope, .. })) = chosen(&asked, signed_in.then_some(&live), Some(&known)) {
            prop_assert!(signed_in && scope.is_subset(&asked.scope) && scope.is_subset(&known.granted) && !scope.is_empty());
            prop_assert!(!(prompt.login || prompt.create) || flags[5]);
        }
    }
}
