//! Faults that a test seeds, one at a time, to show that the model (`model`) finds them. Outside of tests there are none.

/// What one line does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A token request names any API, also one that was not approved.
    AnyApiCounts,
    /// A code is redeemed by any client.
    AnyClientRedeems,
    /// A refresh token is used by any client.
    AnyClientRefreshes,
    /// A refresh token is revoked by any client.
    AnyClientRevokes,
    /// A commit that lost its race is taken for one that was done.
    ConflictIsSuccess,
    /// A code is redeemed whether the person still allows the app or not.
    ConsentUnchecked,
    /// A client that is switched off is one like any other.
    DisabledClientCounts,
    /// An access token counts although its person is switched off.
    DisabledUserCounts,
    /// A code is redeemed although its person is switched off.
    DisabledUserRedeems,
    /// A refresh token is used although its person is switched off.
    DisabledUserRefreshes,
    /// An access token counts although its grant has ended.
    EndedGrantCounts,
    /// A refresh token is used although its grant has ended.
    EndedGrantRefreshes,
    /// A replaced refresh token gives its successor again for ever.
    GraceWithoutEnd,
    /// A spent code is taken for an unspent one.
    ReplayUnnoticed,
    /// A replaced refresh token counts like the one that replaced it.
    ReuseUnnoticed,
    /// An access token counts although it was revoked.
    RevokedCounts,
    /// A refresh asks for scopes that were not approved.
    ScopeWidened,
    /// A refresh gives what the person has unticked since.
    UntickedIsGiven,
    /// The store forgets what a code's redemption expects of the code.
    #[cfg(test)]
    CodeSpendFitsAlways,
    /// The store forgets what a redemption expects of the person's answer.
    #[cfg(test)]
    ConsentFitsAlways,
    /// The store reads a refresh token's grant as one that has not ended.
    #[cfg(test)]
    EndIsNotRead,
    /// The store forgets every expectation.
    #[cfg(test)]
    EverythingFits,
    /// The store does not end a single grant.
    #[cfg(test)]
    GrantEndLost,
    /// The store leaves grants with the session in which they were given.
    #[cfg(test)]
    GrantsMoveLost,
    /// The store forgets which generation a rotation expects.
    #[cfg(test)]
    RotationFitsAlways,
    /// The store reads the scopes of the person's answer for those of the grant.
    #[cfg(test)]
    ScopeOfConsentIsRead,
    /// The store forgets what a redemption expects of the session.
    #[cfg(test)]
    SessionFitsAlways,
}

/// Whether this fault is seeded: never, outside of tests.
#[cfg(not(test))]
pub(crate) const fn seeded(_: Fault) -> bool {
    false
}

#[cfg(test)]
pub(crate) use switch::{seeded, with};

#[cfg(test)]
mod switch {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        static SEEDED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Whether this fault is seeded in this thread.
    pub(crate) fn seeded(fault: Fault) -> bool {
        SEEDED.get() == Some(fault)
    }

    /// Runs with a fault seeded in this thread.
    pub(crate) fn with<R>(fault: Fault, run: impl FnOnce() -> R) -> R {
        SEEDED.set(Some(fault));
        let outcome = run();
        SEEDED.set(None);
        outcome
    }
}
