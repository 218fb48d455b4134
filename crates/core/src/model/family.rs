//! What an onlooker knows of a family: what was asked, answered and ended. It is told by the answers and by what people did,
//! never read from the rows of codes, grants and tokens, so that those can be judged by it.

use std::sync::Arc;

use grantor_jose::id::Id;

use super::rule::Rule;
use crate::scope::Scope;
use crate::time::Time;

/// How far a family has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Stage {
    /// Nobody has asked.
    #[default]
    Unasked,
    /// The browser has asked for a code.
    Asked,
    /// There is a code.
    Code,
    /// The code was redeemed.
    Grant,
}

/// Why a family gives nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Over {
    /// Somebody who may end it has ended it.
    Ended,
    /// Its code was replayed, or a replaced refresh token of it was used again.
    Replayed,
    /// Before its code was redeemed, the person took back what it is for. It counts again where they allow that again.
    TakenBack,
}

impl Over {
    /// The rule that is broken where something counts all the same.
    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Ended | Self::TakenBack => Rule::EndIsEnd,
            Self::Replayed => Rule::ReplayEnds,
        }
    }
}

/// A refresh token that was sent.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) text: Arc<str>,
    /// Whether the answer arrived.
    pub(super) is_heard: bool,
}

/// An access token that was sent.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) text: Arc<str>,
    pub(super) is_heard: bool,
    pub(super) scope: Scope,
    pub(super) expires_at: Time,
    /// Whether it was revoked.
    pub(super) revoked: bool,
}

/// One authorization, from the request to its last token.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) stage: Stage,
    /// The session that it hangs on.
    pub(super) session: Id,
    /// The code, and its identifier, which is the grant's, too.
    pub(super) code: Arc<str>,
    pub(super) id: Id,
    /// Whether the code arrived.
    pub(super) is_heard: bool,
    /// What was approved.
    pub(super) scope: Scope,
    /// Until when the code can be redeemed.
    pub(super) expires_at: Time,
    /// Its refresh tokens, each the successor of the one before.
    pub(super) refresh: Vec<Refresh>,
    /// When the newest refresh token was made.
    pub(super) rotated_at: Time,
    /// Its access tokens; of those that are alike, the newest.
    pub(super) access: Vec<Access>,
    pub(super) over: Option<Over>,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            stage: Stage::Unasked,
            session: Id::from_i64(0),
            code: Arc::from(""),
            id: Id::from_i64(0),
            is_heard: false,
            scope: Scope::EMPTY,
            expires_at: Time::default(),
            refresh: Vec::new(),
            rotated_at: Time::default(),
            access: Vec::new(),
            over: None,
        }
    }
}

impl Family {
    /// Whether a code was redeemed.
    pub(super) fn is_grant(&self) -> bool {
        self.stage == Stage::Grant
    }

    /// The generation of the newest refresh token.
    pub(super) fn newest(&self) -> usize {
        self.refresh.len().saturating_sub(1)
    }

    /// Ends it, unless it is over for good.
    pub(super) fn end(&mut self, over: Over) {
        if self.stage != Stage::Unasked && !matches!(self.over, Some(Over::Ended | Over::Replayed)) {
            self.over = Some(over);
        }
    }

    /// Ends it, if its code was redeemed.
    pub(super) fn end_grant(&mut self, over: Over) {
        if self.is_grant() {
            self.end(over);
        }
    }

    /// The person has signed in again: a grant goes on with the new session, what is none yet does not.
    pub(super) fn go_on(&mut self, before: Id, now: Id) {
        if !self.is_grant() {
            self.end(Over::Ended);
        } else if self.session == before {
            self.session = now;
        }
    }

    /// Keeps an access token in the place of one that is alike.
    pub(super) fn keep(&mut self, access: Access) {
        let alike = |known: &Access| {
            (&known.scope, known.expires_at, known.is_heard, known.revoked)
                == (&access.scope, access.expires_at, access.is_heard, access.revoked)
        };
        match self.access.iter().position(alike) {
            Some(place) => self.access[place] = access,
            None => self.access.push(access),
        }
    }
}
