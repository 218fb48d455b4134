//! Who came by an upstream that tells no time.

use super::*;

/// Where a session began, at an upstream that tells or does not tell when its person signed in there.
fn origin(session: &Session, tells_time: bool) -> UpstreamSession {
    UpstreamSession {
        session_id: session.id,
        upstream_id: Id::from_i64(70),
        subject: "there".into(),
        sid: None,
        tells_time,
    }
}

#[test]
fn who_came_by_an_upstream_that_tells_no_time_has_not_signed_in_for_who_asks_when() {
    let (user, lifetimes, secrets) = (ada(), Lifetimes::default(), Secrets::default());
    let (here, known) = (session(NOW), consent("openid profile email", "", Time::default()));
    let bobs = session_of_bob(NOW);
    let next = |request: &AuthorizationRequest, tells_time, is_beside| {
        let (origin, of_bob) = (origin(&here, tells_time), origin(&bobs, tells_time));
        let bob = bob();
        let other = Other {
            request,
            session: &bobs,
            origin: Some(&of_bob),
            user: &bob,
            consent: Some(&known),
            reachable: None,
        };
        let situation = Situation {
            session: Some((&here, &user)),
            origin: Some(&origin),
            consent: Some(&known),
            other: Some(other).filter(|_| is_beside),
            reachable: None,
            subjects: &secrets.subjects,
            lifetimes: &lifetimes,
            now: NOW,
        };
        next_step(request, situation).map_err(|error| error.reason())
    };
    let resumed = |request: AuthorizationRequest| {
        let started = Started { resumed: true, ..request.started };
        AuthorizationRequest { started, ..request }
    };
    let answered = || Ok(granted("openid profile email", Time::default()));
    let login = Prompt { login: true, ..Prompt::default() };
    let none = Prompt { none: true, ..Prompt::default() };
    let aged = |prompt| AuthorizationRequest { max_age: Some(60), ..request(prompt) };
    for asked in [resumed(request(login)), aged(Prompt::default()), resumed(aged(Prompt::default()))] {
        assert_eq!((next(&asked, true, false), next(&asked, false, false)), (answered(), Ok(Step::Login)));
    }
    // Also where the session began lately enough for any age.
    let old = AuthorizationRequest { max_age: Some(u64::MAX), ..request(Prompt::default()) };
    assert_eq!((next(&old, true, false), next(&old, false, false)), (answered(), Ok(Step::Login)));
    assert_eq!(next(&aged(none), false, false), Err("LoginRequired"));
    assert_eq!(next(&request(Prompt::default()), false, false), answered(), "who does not ask");
    for (tells_time, expected) in [(true, Ok(beside("openid profile email"))), (false, Ok(Step::Login))] {
        let asked = AuthorizationRequest { max_age: Some(60), ..for_bob(Prompt::default()) };
        assert_eq!(next(&asked, tells_time, true), expected);
    }
}
