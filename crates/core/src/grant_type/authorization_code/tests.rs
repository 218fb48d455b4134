#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::client::tests::sample;
use crate::grant::OidcContext;
use crate::grant_type::tests::Frame;
use crate::params::Params;
use crate::pkce::CodeChallenge;
use crate::user::tests::ada;

// The pair of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ISSUED: Time = Time::from_seconds(1000);

fn code(frame: &Frame) -> AuthorizationCode {
    let fresh = frame.fresh();
    AuthorizationCode {
        id: fresh.id,
        secret: fresh.secret.hash(),
        client_id: "wiki".into(),
        user_id: ada().id,
        session_id: frame.fresh().id,
        redirect_uri: "https://wiki.example/cb".into(),
        redirect_uri_sent: true,
        code_challenge: Some(CodeChallenge::from_stored(format!("{CHALLENGE}S"))),
        scope: "openid email".parse().unwrap(),
        context: OidcContext { nonce: Some("n".into()), ..OidcContext::default() },
        expires_at: ISSUED.plus(frame.policy.lifetimes.authorization_code),
        spent_at: None,
    }
}

fn params(verifier: &str, redirect_uri: &str) -> Params {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("code_verifier", verifier),
        ("redirect_uri", redirect_uri),
    ];
    Params::from_pairs(pairs).unwrap()
}

fn good() -> Params {
    params(VERIFIER, "https://wiki.example/cb")
}

fn facts(frame: &Frame, code: AuthorizationCode) -> Facts {
    let (access, refresh) = (frame.fresh(), frame.fresh());
    let consent = Consent {
        user_id: ada().id,
        client_id: "wiki".into(),
        granted: code.scope.clone(),
        declined: Scope::EMPTY,
        created_at: ISSUED,
        updated_at: ISSUED,
    };
    Facts {
        code,
        user: ada(),
        session_ended: false,
        grant_ended: false,
        consent: Some(consent),
        access,
        refresh,
        address: "::1".into(),
    }
}

fn decided(frame: &Frame, code: AuthorizationCode, params: &Params, now: Time) -> Result<Decision<Redeemed>, Refusal> {
    decide(&frame.request(params, now), facts(frame, code))
}

fn refused(frame: &Frame, code: AuthorizationCode, params: &Params) -> &'static str {
    decided(frame, code, params, ISSUED).unwrap_err().error.reason()
}

#[test]
fn a_code_becomes_a_grant_of_its_own_id() {
    let frame = Frame::new();
    let code = code(&frame);
    let id = code.id;
    let Decision { changes, reply } = decided(&frame, code, &good(), ISSUED).unwrap();
    assert!(matches!(&changes[0], Change::CodeSpend { id: spent, .. } if *spent == id));
    assert!(matches!(&changes[1], Change::SessionExpect { .. }));
    assert!(matches!(&changes[2], Change::ConsentExpect { .. }));
    let is_its = |grant: &Grant| grant.id == id && grant.scope.as_str() == "email openid";
    assert!(matches!(&changes[3], Change::GrantInsert(grant) if is_its(grant)));
    assert!(matches!(&changes[4], Change::RefreshTokenInsert(token) if token.grant_id == id && token.generation == 0));
    assert_eq!(reply.nonce.as_deref(), Some("n"));
}

#[test]
fn a_spent_code_ends_its_grant() {
    let frame = Frame::new();
    let code = AuthorizationCode { spent_at: Some(ISSUED), ..code(&frame) };
    let id = code.id;
    let refusal = decided(&frame, code, &good(), ISSUED).unwrap_err();
    assert_eq!(refusal.error.reason(), "CodeReplayed");
    assert!(
        matches!(refusal.changes[0], Change::GrantEnd { id: ended, end: GrantEnd::CodeReplayed, .. } if ended == id)
    );
    assert!(
        matches!(&refusal.changes[1], Change::EventInsert(event) if event.reason.as_deref() == Some("code_replayed"))
    );
}

#[test]
fn a_second_replay_writes_nothing() {
    let frame = Frame::new();
    let code = AuthorizationCode { spent_at: Some(ISSUED), ..code(&frame) };
    let refusal =
        decide(&frame.request(&good(), ISSUED), Facts { grant_ended: true, ..facts(&frame, code) }).unwrap_err();
    assert_eq!((refusal.error.reason(), refusal.changes.len()), ("CodeReplayed", 0));
}

#[test]
fn another_client_cannot_redeem_nor_end_it() {
    let frame = Frame::of(sample("other"));
    let refusal =
        decided(&frame, AuthorizationCode { spent_at: Some(ISSUED), ..code(&frame) }, &good(), ISSUED).unwrap_err();
    assert_eq!((refusal.error.reason(), refusal.changes.len()), ("CodeClientMismatch", 0));
}

#[test]
fn a_code_lives_as_long_as_the_policy_says() {
    let frame = Frame::new();
    let at = |seconds| {
        decided(&frame, code(&frame), &good(), Time::from_seconds(seconds)).map_err(|refusal| refusal.error.reason())
    };
    assert!(at(1059).is_ok());
    assert_eq!(at(1060).unwrap_err(), "CodeExpired");
}

#[test]
fn another_redirect_uri_or_verifier_is_refused() {
    let frame = Frame::new();
    let refused = |params: &Params| refused(&frame, code(&frame), params);
    assert_eq!(refused(&params(VERIFIER, "https://wiki.example/other")), "CodeRedirectUriMismatch");
    assert_eq!(refused(&params(CHALLENGE, "https://wiki.example/cb")), "VerifierMismatch");
    assert_eq!(refused(&params("", "https://wiki.example/cb")), "VerifierMissing");
}

#[test]
fn a_verifier_for_a_code_without_challenge_is_a_downgrade() {
    let frame = Frame::new();
    assert_eq!(
        refused(&frame, AuthorizationCode { code_challenge: None, ..code(&frame) }, &good()),
        "VerifierUnexpected"
    );
}

#[test]
fn a_disabled_person_gives_nothing() {
    let frame = Frame::new();
    let facts = Facts { user: User { disabled: true, ..ada() }, ..facts(&frame, code(&frame)) };
    assert_eq!(decide(&frame.request(&good(), ISSUED), facts).unwrap_err().error.reason(), "UserDisabled");
}

#[test]
fn what_was_taken_back_since_gives_nothing() {
    let frame = Frame::new();
    let reason = |facts| decide(&frame.request(&good(), ISSUED), facts).unwrap_err().error.reason();
    assert_eq!(reason(Facts { session_ended: true, ..facts(&frame, code(&frame)) }), "GrantEnded");
    assert_eq!(reason(Facts { consent: None, ..facts(&frame, code(&frame)) }), "ConsentWithdrawn");
}

#[test]
fn a_refresh_token_without_offline_access_lives_no_longer_than_the_session_may() {
    let frame = Frame::new();
    let lives_until = |scope: &str| {
        let context = OidcContext { auth_time: ISSUED, ..OidcContext::default() };
        let code = AuthorizationCode { scope: scope.parse().unwrap(), context, ..code(&frame) };
        let changes = decided(&frame, code, &good(), ISSUED).unwrap().changes;
        changes.into_iter().find_map(|change| match change {
            Change::RefreshTokenInsert(token) => Some(token.absolute_expires_at),
            _ => None,
        })
    };
    let lifetimes = &frame.policy.lifetimes;
    assert_eq!(lives_until("openid"), Some(ISSUED.plus(lifetimes.session_absolute)));
    assert_eq!(lives_until("openid offline_access"), Some(ISSUED.plus(lifetimes.refresh_token_absolute)));
}

proptest! {
    /// Whatever stands in the request: a grant never allows more than its code, and a refusal makes none.
    #[test]
    fn a_grant_never_allows_more_than_its_code(
        verifier in prop_oneof![Just(VERIFIER.to_owned()), "[A-Za-z0-9]{0,60}"],
        address in prop_oneof![Just("https://wiki.example/cb".to_owned()), "[a-z:/.]{0,30}"],
        seconds in 0i64..3000,
        spent in any::<bool>(),
    ) {
        let frame = Frame::new();
        let code = AuthorizationCode { spent_at: spent.then_some(ISSUED), ..code(&frame) };
        let outcome = decided(&frame, code.clone(), &params(&verifier, &address), Time::from_seconds(seconds));
        match outcome {
            Ok(Decision { reply, .. }) => {
                prop_assert!(!spent && seconds < 1060 && verifier == VERIFIER);
                let (grant, _) = reply.approval.unwrap();
                prop_assert!(grant.scope.is_subset(&code.scope) && reply.target.scope.is_subset(&grant.scope));
            }
            Err(Refusal { changes, .. }) => {
                let inserts_grant = changes.iter().any(|change| matches!(change, Change::GrantInsert(_)));
                prop_assert!(!inserts_grant);
            }
        }
    }
}
