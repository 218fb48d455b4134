#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::client::AccessTokenFormat;
use crate::client::tests::sample;
use crate::directory::ScopeDefinition;
use crate::grant_type::tests::Frame;
use crate::params::Params;
use crate::time::Time;

fn decided(scope: Option<&str>, format: AccessTokenFormat) -> Result<Decision<Redeemed>, Refusal> {
    let mut client = sample("svc");
    client.metadata.scope = "api.read api.write openid".parse().unwrap();
    client.metadata.access_token_format = format;
    let mut frame = Frame::of(client);
    let known = |name: &str| ScopeDefinition {
        name: name.into(),
        description: BTreeMap::new(),
        claims: Vec::new(),
        groups: Vec::new(),
    };
    frame.directory.scopes = ["api.read", "api.write"].map(|name| (name.to_owned(), known(name))).into();
    let mut pairs = vec![("grant_type", "client_credentials")];
    pairs.extend(scope.map(|scope| ("scope", scope)));
    let params = Params::from_pairs(pairs).unwrap();
    decide(&frame.request(&params, Time::from_seconds(1)), frame.fresh())
}

#[test]
fn a_jwt_for_the_client_itself_needs_no_write() {
    let Decision { changes, reply } = decided(None, AccessTokenFormat::Jwt).unwrap();
    assert!(changes.is_empty() && reply.refresh_token.is_none() && reply.approval.is_none());
    assert_eq!(reply.target.scope.as_str(), "api.read api.write");
    assert_eq!(decided(None, AccessTokenFormat::Opaque).unwrap().changes.len(), 1);
}

#[test]
fn scopes_of_people_mean_nothing_here() {
    assert_eq!(decided(Some("openid"), AccessTokenFormat::Jwt).unwrap_err().error.reason(), "ScopeNotAllowed");
}

proptest! {
    #[test]
    fn no_scope_is_given_that_is_not_registered(scope in "[a-z. ]{1,30}|api.read .{0,9}") {
        let registered: Scope = "api.read api.write".parse().unwrap();
        if let Ok(Decision { reply, .. }) = decided(Some(&scope), AccessTokenFormat::Jwt) {
            prop_assert!(reply.target.scope.is_subset(&registered));
        }
    }
}
