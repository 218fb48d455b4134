#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::api_token::rights::Rights;
use crate::api_token::tests::{self as api_token, DAY, start};
use crate::client::tests::sample;
use crate::grant_type::tests::Frame;
use crate::user::tests::ada;

/// A token for notes and pay, shown by an app.
fn live() -> LiveApiToken {
    let token = api_token::token_of(&ada(), "notes.read notes.write pay.read");
    let rights = crate::api_token::rights::of_token(&api_token::directory(), &token, Some(&ada()));
    LiveApiToken { until: token.expires_at, token, rights, user: Some(ada()) }
}

fn exchange(live: LiveApiToken, params: &[(&str, &str)], after: Duration) -> Result<Redeemed, &'static str> {
    let frame = Frame { directory: api_token::directory(), ..Frame::of(sample("cli")) };
    let params = Params::from_pairs(params.iter().copied()).unwrap();
    let decision = decide(&frame.request(&params, start().plus(after)), live, frame.fresh());
    decision.map(|decision| decision.reply).map_err(|error| error.reason())
}

#[test]
fn a_token_becomes_a_jwt_for_one_api() {
    let redeemed = exchange(live(), &[("scope", "notes.read")], Duration::ZERO).unwrap();
    assert_eq!((redeemed.target.scope.as_str(), redeemed.target.format), ("notes.read", AccessTokenFormat::Jwt));
    assert_eq!(redeemed.target.audience, ["https://notes"]);
    let all = exchange(live(), &[("resource", "https://notes")], Duration::ZERO).unwrap();
    assert_eq!(all.target.scope.as_str(), "notes.read notes.write");
    let named = exchange(live(), &[("audience", "https://payroll")], Duration::ZERO).unwrap();
    assert_eq!((named.target.scope.as_str(), named.refresh_token), ("pay.read", None));
}

#[test]
fn what_is_not_one_api_or_not_held_is_refused() {
    let refused = |params: &[(&str, &str)]| exchange(live(), params, Duration::ZERO).map(|_| ()).unwrap_err();
    assert_eq!(refused(&[]), "ResourceAmbiguous");
    assert_eq!(refused(&[("scope", "notes.read pay.read")]), "ResourceAmbiguous");
    assert_eq!(refused(&[("scope", "notes.read admin")]), "TokenScopeNotHeld");
    assert_eq!(refused(&[("resource", "https://mail")]), "ResourceNotGranted");
    assert_eq!(refused(&[("audience", "https://evil")]), "ResourceUnknown");
    assert_eq!(refused(&[("resource", "https://notes"), ("audience", "https://payroll")]), "ResourceAmbiguous");
}

#[test]
fn the_jwt_does_not_outlive_the_token() {
    let life = |after| exchange(live(), &[("scope", "pay.read")], after).unwrap().target.lifetime;
    assert_eq!(life(Duration::ZERO), Duration::from_mins(10));
    assert_eq!(life(29 * DAY + Duration::from_secs(86_393)), Duration::from_secs(7));
}

#[test]
fn a_key_is_exchanged_by_its_own_client_only() {
    let key = |owner: &str| {
        let live = live();
        let token = crate::api_token::ApiToken { owner: Owner::Client(owner.into()), ..live.token };
        LiveApiToken { token, user: None, ..live }
    };
    assert!(exchange(key("cli"), &[("scope", "notes.read")], Duration::ZERO).is_ok());
    assert_eq!(exchange(key("wiki"), &[("scope", "notes.read")], Duration::ZERO).unwrap_err(), "SubjectTokenInvalid");
}

#[test]
fn other_types_of_tokens_are_refused_by_name() {
    let checked = |params: &[(&str, &str)]| {
        let token_type = ("subject_token_type", ACCESS_TOKEN_TYPE);
        let params =
            params.iter().copied().chain((params.first() != Some(&("subject_token_type", "x"))).then_some(token_type));
        check_types(&Params::from_pairs(params).unwrap()).map_err(|error| error.reason())
    };
    assert_eq!(checked(&[]), Ok(()));
    assert_eq!(checked(&[("requested_token_type", JWT_TYPE)]), Ok(()));
    assert_eq!(checked(&[("subject_token_type", "x")]), Err("SubjectTokenTypeUnsupported"));
    assert_eq!(checked(&[("actor_token", "x")]), Err("ActorTokenUnsupported"));
    assert_eq!(checked(&[("requested_token_type", "x")]), Err("RequestedTokenTypeUnsupported"));
}

proptest! {
    /// Whatever is asked for: what is issued is within what the token allows, and for one API.
    #[test]
    fn an_exchange_never_widens(
        held in proptest::sample::subsequence(vec!["notes.read", "notes.write", "pay.read"], 0..=3),
        asked in proptest::sample::subsequence(vec!["notes.read", "notes.write", "pay.read", "mail.read"], 0..=4),
        named in proptest::option::of(proptest::sample::select(vec!["https://notes", "https://payroll", "https://mail"])),
    ) {
        let scope: Scope = held.iter().copied().collect();
        let audience = api_token::directory().resources.values()
            .filter(|api| !api.scopes.intersection(&scope).is_empty()).map(|api| api.identifier.clone()).collect();
        let live = LiveApiToken { rights: Rights { scope: scope.clone(), audience }, ..live() };
        let asked = asked.join(" ");
        let params: Vec<(&str, &str)> = [("scope", asked.as_str())].into_iter().chain(named.map(|api| ("resource", api))).collect();
        if let Ok(redeemed) = exchange(live, &params, Duration::ZERO) {
            prop_assert!(redeemed.target.scope.is_subset(&scope) && !redeemed.target.scope.is_empty());
            prop_assert_eq!(redeemed.target.audience.len(), 1);
            prop_assert!(named.is_none_or(|api| redeemed.target.audience == [api]));
        }
    }
}
