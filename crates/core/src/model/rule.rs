//! The rules that must hold, whatever happens in which order.

use super::world::Action;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Rule {
    /// What nobody has ended counts, and a request that may succeed does.
    CountsUntilEnded,
    /// Nothing counts after its end, be it a code, a refresh token or an access token.
    EndIsEnd,
    /// What has expired gives nothing.
    Expired,
    /// While a person or an app is switched off, nothing of theirs counts.
    NothingWhileOff,
    /// A code becomes one family at most.
    OneFamily,
    /// A family has one line: a replaced refresh token gives nothing but, for a moment, its successor again.
    OneLine,
    /// What one app was given is nothing to another.
    OwnClient,
    /// A replayed code and a reused refresh token end their family.
    ReplayEnds,
    /// Scope and audience never grow: not over what was approved, was asked for, or is still allowed.
    NeverGrows,
}

/// A rule that was broken, and the shortest story in which it is.
#[derive(Debug)]
#[expect(dead_code, reason = "read by people, where a test fails")]
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) how: String,
    pub(super) story: Vec<Action>,
}

impl Broken {
    pub(super) fn new(rule: Rule, how: impl Into<String>) -> Self {
        Self { rule, how: how.into(), story: Vec::new() }
    }
}
