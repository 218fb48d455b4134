//! What a request may be given, and what may count, by what an onlooker knows.

use super::ask::{Ask, Want};
use super::cast::{ASKED, App, Person};
use super::family::{Access, Family, Over};
use super::rule::Rule;
use super::world::World;
use crate::policy::Lifetimes;
use crate::scope::Scope;
use crate::time::Time;

/// The most that a request may be given, or the rule by which it is given nothing.
pub(super) type Judged = Result<Scope, Rule>;

impl World {
    /// What a request that loads now may be given.
    pub(super) fn judge(&self, ask: Ask, now: Time) -> Judged {
        let (family, asked) = (&*self.families[ask.family()], &ASKED[ask.family()]);
        match ask {
            Ask::Authorize { family } => Ok(asked.scope().intersection(&self.allowed(family))),
            _ if self.is_off(None, ask.by()) => Err(Rule::NothingWhileOff),
            Ask::RevokeAccess { .. } | Ask::RevokeRefresh { .. } => Ok(Scope::EMPTY),
            _ if ask.by() != asked.app => Err(Rule::OwnClient),
            Ask::Redeem { .. } if family.is_grant() => Err(Rule::OneFamily),
            _ if family.over.is_some() => Err(family.over.map_or(Rule::EndIsEnd, Over::rule)),
            Ask::Redeem { .. } if now >= family.expires_at => Err(Rule::Expired),
            Ask::Refresh { generation, .. } if is_replaced(family, generation, now) => Err(Rule::OneLine),
            Ask::Refresh { .. } if is_idle(family, now) => Err(Rule::Expired),
            _ if self.is_off(Some(asked.person), asked.app) => Err(Rule::NothingWhileOff),
            Ask::Refresh { family, .. } if self.is_signed_out(family) => Err(Rule::EndIsEnd),
            Ask::Redeem { .. } => Ok(family.scope.clone()),
            Ask::Refresh { want, .. } => self.judge_want(ask.family(), want),
        }
    }

    fn judge_want(&self, place: usize, want: Want) -> Judged {
        let family = &self.families[place];
        let wanted = want.scope(place).unwrap_or_else(|| family.scope.clone());
        let of_others = ASKED[place].resource.map_or(Scope::EMPTY, |resource| self.scopes_of_others(resource));
        let given = self.allowed(place).intersection(&family.scope).intersection(&wanted).without(&of_others);
        let is_approved = wanted.is_subset(&family.scope) && want != Want::OtherApi;
        if is_approved && !given.is_empty() { Ok(given) } else { Err(Rule::NeverGrows) }
    }

    /// The scopes of the APIs that are not this one.
    fn scopes_of_others(&self, resource: &str) -> Scope {
        let others = self.rows.directory.resources.values().filter(|api| api.identifier != resource);
        others.fold(Scope::EMPTY, |scopes, api| scopes.union(&api.scopes))
    }

    /// What the person of a family allows its app now.
    pub(super) fn allowed(&self, place: usize) -> Scope {
        let asked = &ASKED[place];
        let consent = self.rows.consents.get(&(asked.person.id(), asked.app.id().to_owned()));
        consent.map(|consent| consent.granted.clone()).unwrap_or_default()
    }

    /// Whether the browser that asks for this code now gets one, without a page in between.
    pub(super) fn gets_code(&self, place: usize) -> bool {
        let asked = &ASKED[place];
        let session = self.rows.sessions.get(&self.session(asked.person));
        let is_signed_in = session.is_some_and(|session| session.ended_at.is_none());
        let is_allowed = !self.allowed(place).intersection(&asked.scope()).is_empty();
        is_allowed && is_signed_in && !self.is_off(Some(asked.person), asked.app)
    }

    /// Whether an access token counts now; else the rule by which it does not.
    pub(super) fn counts(&self, place: usize, access: &Access) -> Result<(), Rule> {
        let asked = &ASKED[place];
        match self.families[place].over {
            Some(over) => Err(over.rule()),
            None if access.revoked => Err(Rule::EndIsEnd),
            None if self.now >= access.expires_at => Err(Rule::Expired),
            None if self.is_off(Some(asked.person), asked.app) => Err(Rule::NothingWhileOff),
            None => Ok(()),
        }
    }

    /// Whether a refresh token gives tokens now; else the rule by which it does not.
    pub(super) fn is_good(&self, place: usize, generation: usize) -> Result<(), Rule> {
        let (family, asked) = (&*self.families[place], &ASKED[place]);
        match family.over {
            Some(over) => Err(over.rule()),
            None if is_replaced(family, generation, self.now) => Err(Rule::OneLine),
            None if is_idle(family, self.now) => Err(Rule::Expired),
            None if self.is_off(Some(asked.person), asked.app) => Err(Rule::NothingWhileOff),
            None if self.is_signed_out(place) => Err(Rule::EndIsEnd),
            None => self.judge_want(place, Want::Same).map(drop),
        }
    }

    /// Whether the person lets the app's access outlive their session.
    pub(super) fn outlives(&self, place: usize) -> bool {
        self.families[place].scope.intersection(&self.allowed(place)).contains("offline_access")
    }

    /// Whether a family that does not, or not any more, outlive its session has lost it.
    fn is_signed_out(&self, place: usize) -> bool {
        let family = &self.families[place];
        let session = self.rows.sessions.get(&family.session);
        !self.outlives(place) && session.is_none_or(|session| session.ended_at.is_some())
    }

    /// Whether a person or an app is switched off.
    pub(super) fn is_off(&self, person: Option<Person>, app: App) -> bool {
        let is_off = |person: Person| self.rows.users.get(&person.id()).is_none_or(|user| user.disabled);
        let client = self.rows.directory.clients.get(app.id());
        client.is_none_or(|client| client.disabled) || person.is_some_and(is_off)
    }
}

/// Whether a refresh token was replaced, and cannot give its successor again.
fn is_replaced(family: &Family, generation: usize, now: Time) -> bool {
    let is_recent = now.since(family.rotated_at) < Lifetimes::default().refresh_token_grace;
    generation + usize::from(is_recent) < family.newest()
}

/// Whether the newest refresh token was not used for too long.
fn is_idle(family: &Family, now: Time) -> bool {
    now >= family.rotated_at.plus(Lifetimes::default().refresh_token_idle)
}
