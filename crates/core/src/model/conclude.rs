//! Whether an answer is one that may be given, and what an onlooker concludes from it.

use std::sync::Arc;

use super::ask::{Ask, Reply};
use super::cast::ASKED;
use super::family::{Access, Family, Over, Refresh, Stage};
use super::probe::{check_bounds, present};
use super::rule::{Broken, Rule};
use super::world::{Answer, Flight, World};
use crate::error::Error;
use crate::policy::Lifetimes;
use crate::scope::Scope;
use crate::store::StoreError;
use crate::token::{CODE, TokenResponse};

impl World {
    /// Takes an answer. A request is right by what it loaded last: what happened since then came after it.
    pub(super) fn conclude(&mut self, flight: &Flight, reply: Reply, answer: Answer) -> Result<(), Broken> {
        let is_heard = answer == Answer::Heard;
        match (reply, &flight.judged) {
            (Reply::Refused(Error::Store(StoreError::Failed(error))), _) => {
                Err(Broken::new(Rule::CountsUntilEnded, error.to_string()))
            }
            (Reply::Refused(error), _) => self.refused(flight, &error),
            (_, Err(rule)) => Err(Broken::new(*rule, format!("{:?} was done", flight.ask))),
            (Reply::Code(code), Ok(approved)) => {
                self.code_given(flight, code, approved, is_heard);
                Ok(())
            }
            (Reply::Done, Ok(_)) => {
                self.revoked(flight);
                Ok(())
            }
            (Reply::Tokens(tokens), Ok(most)) => self.tokens_given(flight, &tokens, most, is_heard),
        }
    }

    fn refused(&mut self, flight: &Flight, error: &Error) -> Result<(), Broken> {
        let place = flight.ask.family();
        match (flight.ask, &flight.judged) {
            // The browser is sent to a page instead, where the person did something in the meantime.
            (Ask::Authorize { .. }, _) if !flight.seen.is_empty() => {
                self.families[place] = Arc::default();
                Ok(())
            }
            (_, Ok(_)) => Err(Broken::new(Rule::CountsUntilEnded, format!("{:?}: {}", flight.ask, error.reason()))),
            (_, Err(Rule::OneFamily | Rule::OneLine)) => {
                self.family_mut(place).end(Over::Replayed);
                Ok(())
            }
            (_, Err(_)) => Ok(()),
        }
    }

    fn code_given(&mut self, flight: &Flight, code: String, approved: &Scope, is_heard: bool) {
        let place = flight.ask.family();
        let (id, _) = CODE.parse(&code).unwrap();
        let (code, scope) = (code.into(), approved.clone());
        let expires_at = flight.now.plus(Lifetimes::default().authorization_code);
        let known = Family::clone(&self.families[place]);
        let mut family = Family { stage: Stage::Code, id, code, is_heard, scope, expires_at, ..known };
        self.take_back(place, &mut family);
        self.families[place] = Arc::new(family);
    }

    fn revoked(&mut self, flight: &Flight) {
        let place = flight.ask.family();
        if flight.ask.by() != ASKED[place].app {
            return;
        }
        match flight.ask {
            Ask::RevokeRefresh { .. } => self.family_mut(place).end(Over::Ended),
            Ask::RevokeAccess { token, .. } if flight.counted => {
                let text = Arc::clone(&flight.told.access[token].text);
                if let Some(token) = self.family_mut(place).access.iter_mut().find(|token| token.text == text) {
                    token.revoked = true;
                }
            }
            _ => {}
        }
    }

    fn tokens_given(
        &mut self,
        flight: &Flight,
        tokens: &TokenResponse,
        most: &Scope,
        is_heard: bool,
    ) -> Result<(), Broken> {
        let place = flight.ask.family();
        let scope: Scope = tokens.scope.parse().unwrap();
        if !scope.is_subset(most) {
            return Err(Broken::new(Rule::NeverGrows, format!("{scope} is more than {most}")));
        }
        let family = self.family_mut(place);
        let generation = match flight.ask {
            Ask::Refresh { generation, .. } => generation + 1,
            _ if family.is_grant() => return Err(Broken::new(Rule::OneFamily, "a code was redeemed twice")),
            _ => 0,
        };
        family.stage = Stage::Grant;
        let text: Arc<str> = tokens.refresh_token.as_deref().unwrap().into();
        match family.refresh.get_mut(generation) {
            Some(known) if known.text == text => known.is_heard |= is_heard,
            Some(_) => return Err(Broken::new(Rule::OneLine, "a refresh token has two successors")),
            None => {
                family.refresh.push(Refresh { text, is_heard });
                family.rotated_at = flight.now;
            }
        }
        let text: Arc<str> = tokens.access_token.as_str().into();
        let expires_at = flight.now.plus(Lifetimes::default().access_token);
        family.keep(Access { text: Arc::clone(&text), is_heard, scope, expires_at, revoked: false });
        present(self, &text).map_or(Ok(()), |live| check_bounds(self, place, &live))
    }
}
