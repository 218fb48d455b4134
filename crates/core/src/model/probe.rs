//! Presenting every token to the shipped code, to see whether it counts where it may and only there.

use super::cast::{ASKED, App, ISSUER};
use super::rule::{Broken, Rule};
use super::store::{Beats, run};
use super::world::{World, mint};
use crate::access_token::{self, LiveAccessToken};
use crate::directory::Resource;
use crate::introspection;
use crate::params::Params;
use crate::policy::Policy;
use crate::provider::{Call, Provider};
use crate::scope::Scope;

/// Presents all tokens.
pub(super) fn probe(world: &World) -> Result<(), Broken> {
    for (place, family) in world.families.iter().enumerate() {
        for access in &family.access {
            let broken = |rule| Broken::new(rule, format!("an access token of family {place}"));
            match (world.counts(place, access), present(world, &access.text)) {
                (Ok(()), Some(live)) => check_bounds(world, place, &live)?,
                (Ok(()), None) => return Err(broken(Rule::CountsUntilEnded)),
                (Err(rule), Some(_)) => return Err(broken(rule)),
                (Err(_), None) => {}
            }
        }
        introspect(world, place)?;
    }
    Ok(())
}

/// What an access token is, if it counts.
pub(super) fn present(world: &World, token: &str) -> Option<LiveAccessToken> {
    run(access_token::find(&provider(world), token, world.now)).and_then(Result::ok).flatten()
}

/// An access token is its app's, and for no more than was approved.
pub(super) fn check_bounds(world: &World, place: usize, live: &LiveAccessToken) -> Result<(), Broken> {
    let (family, asked) = (&world.families[place], &ASKED[place]);
    if live.client_id != asked.app.id() {
        return Err(Broken::new(Rule::OwnClient, format!("{} has it", live.client_id)));
    }
    let apis = &world.rows.directory.resources;
    let is_of = |api: &Resource, scope: &Scope| !api.scopes.intersection(scope).is_empty();
    let is_approved = |api: &String| match asked.resource {
        Some(resource) => api == resource,
        None => apis.get(api).is_some_and(|api| is_of(api, &family.scope)),
    };
    // All that is left where the person unticks each scope of the API that was named.
    let is_for_none = live.audience == [ISSUER.as_str()] && !apis.values().any(|api| is_of(api, &live.scope));
    if live.scope.is_subset(&family.scope) && (is_for_none || live.audience.iter().all(is_approved)) {
        return Ok(());
    }
    Err(Broken::new(Rule::NeverGrows, format!("{} for {:?}", live.scope, live.audience)))
}

/// An app that can prove itself asks about its refresh tokens.
fn introspect(world: &World, place: usize) -> Result<(), Broken> {
    let asked = &ASKED[place];
    let of_wiki = world.families[place].refresh.iter().filter(|_| asked.app == App::Wiki);
    for (generation, refresh) in of_wiki.enumerate() {
        let pairs = asked.app.credentials().into_iter().chain([("token", &*refresh.text)]);
        let params = Params::from_pairs(pairs).unwrap();
        let call = Call::new(world.now, "::1");
        let answer = run(introspection::introspect(&provider(world), &params, None, call));
        let is_active = answer.and_then(Result::ok).is_some_and(|answer| answer.active);
        let broken = |rule| Broken::new(rule, format!("refresh token {generation} of family {place}"));
        match world.is_good(place, generation) {
            Ok(()) if !is_active => return Err(broken(Rule::CountsUntilEnded)),
            Err(rule) if is_active => return Err(broken(rule)),
            _ => {}
        }
    }
    Ok(())
}

fn provider(world: &World) -> Provider<Beats<'_>> {
    Provider { issuer: ISSUER.clone(), policy: Policy::default(), store: Beats::alone(&world.rows), mint: mint(0) }
}
