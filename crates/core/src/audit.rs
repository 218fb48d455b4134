//! Security events: who did what, when and from where, with a typed reason, in the same commit as what they record.

pub mod catalogue;

use grantor_jose::id::Id;

use crate::time::Time;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $($(#[doc = $doc])+ $name,)*
        }

        impl EventKind {
            /// Every kind, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word for rows and listings.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What happened, in a sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

kinds! {
    /// A request was refused; the reason says why.
    Refused = "refused",
    /// What an API token is for, or how long it lives, was changed.
    ApiTokenChanged = "api_token_changed",
    /// An API token ended before its time; the reason says why.
    ApiTokenEnded = "api_token_ended",
    /// An API token comes to its end soon.
    ApiTokenExpires = "api_token_expires",
    /// A personal access token or an API key was issued.
    ApiTokenIssued = "api_token_issued",
    /// An API token got a new secret.
    ApiTokenRotated = "api_token_rotated",
    /// An API token was used in a network that is new for it.
    ApiTokenUsedElsewhere = "api_token_used_elsewhere",
    /// A person's browser entered an app behind a proxy.
    AppEntered = "app_entered",
    /// An app was declared, changed or removed.
    ClientChanged = "client_changed",
    /// An app registered itself.
    ClientRegistered = "client_registered",
    /// A person allowed an app.
    ConsentGiven = "consent_given",
    /// A person did not allow an app.
    ConsentDenied = "consent_denied",
    /// The database was put back from a backup.
    DatabaseRestored = "database_restored",
    /// Everything that had been issued was ended, and every key replaced.
    EpochBegun = "epoch_begun",
    /// Another server was not asked, although something named it; the reason says why.
    FetchRefused = "fetch_refused",
    /// A grant ended; the reason says why.
    GrantEnded = "grant_ended",
    /// A group was declared, changed or removed.
    GroupChanged = "group_changed",
    /// An initial access token was made or revoked.
    InitialTokenChanged = "initial_token_changed",
    /// A signing key was made, retired or removed.
    KeyChanged = "key_changed",
    /// An app was told that a session had ended, and has signed the person out.
    LogoutDelivered = "logout_delivered",
    /// An app could not be told that a session had ended, or refused to act upon it; the reason says which.
    LogoutFailed = "logout_failed",
    /// An app behind a proxy was declared, changed or removed.
    ProxiedAppChanged = "proxied_app_changed",
    /// A recovery code was used.
    RecoveryCodeUsed = "recovery_code_used",
    /// A person was given new recovery codes.
    RecoveryCodesMade = "recovery_codes_made",
    /// A scope or an API was declared, changed or removed.
    ResourceChanged = "resource_changed",
    /// A second factor was set up.
    SecondFactorAdded = "second_factor_added",
    /// A second factor was taken away.
    SecondFactorRemoved = "second_factor_removed",
    /// A sign-in failed.
    SignInFailed = "sign_in_failed",
    /// A sign-in succeeded.
    SignInSucceeded = "sign_in_succeeded",
    /// A sign-in had to wait.
    SignInThrottled = "sign_in_throttled",
    /// A person signed out.
    SignedOut = "signed_out",
    /// A single token was revoked.
    TokenRevoked = "token_revoked",
    /// An upstream was declared, changed or removed.
    UpstreamChanged = "upstream_changed",
    /// An account was linked with one at an upstream.
    UpstreamLinked = "upstream_linked",
    /// Such a link was removed.
    UpstreamUnlinked = "upstream_unlinked",
    /// A person's account was made, changed or removed.
    UserChanged = "user_changed",
}

/// One security event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The identifier; its text is the case number on error pages.
    pub id: Id,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub kind: EventKind,
    /// The named reason, for refusals and ends.
    pub reason: Option<String>,
    /// The client concerned.
    pub client_id: Option<String>,
    /// The person concerned.
    pub user_id: Option<Id>,
    /// The address it came from.
    pub address: Option<String>,
    /// What else helps to understand it; never a secret.
    pub detail: Option<String>,
}

/// The longest text kept of anything that came from outside, in characters.
pub const MAX_DETAIL: usize = 200;

impl Event {
    /// An event with the facts that all have.
    pub fn new(id: Id, at: Time, kind: EventKind) -> Self {
        Self { id, at, kind, reason: None, client_id: None, user_id: None, address: None, detail: None }
    }

    /// With the named reason.
    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// With the client concerned.
    #[must_use]
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = Some(printable(client_id));
        self
    }

    /// With the person concerned.
    #[must_use]
    pub fn user(mut self, user_id: Id) -> Self {
        self.user_id = Some(user_id);
        self
    }

    /// With the address it came from.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        self.address = Some(printable(address));
        self
    }

    /// With what else helps to understand it.
    #[must_use]
    pub fn detail(mut self, detail: &str) -> Self {
        self.detail = Some(printable(detail));
        self
    }
}

/// Whether a character shows itself and nothing else: none that steers a terminal, ends a line, turns the direction of text or
/// hides in it. The joiners are none of these, for Persian and for emoji need them.
pub fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
        )
        && !matches!(c, '\u{2060}'..='\u{206F}' | '\u{E000}'..='\u{F8FF}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}')
        && !matches!(c, '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

/// `text` on one line, with a mark in the place of each character that is not shown as itself, cut to [`MAX_DETAIL`].
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { '\u{FFFD}' }).take(MAX_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_outside_stays_on_one_line() {
        assert_eq!(printable("a\r\nb\u{1b}[31m\0"), "a\u{FFFD}\u{FFFD}b\u{FFFD}[31m\u{FFFD}");
        assert_eq!(printable(&"x".repeat(9999)).len(), MAX_DETAIL);
        assert_eq!(printable("\u{202E}a\u{2028}b\u{2066}\u{200B}c"), "\u{FFFD}a\u{FFFD}b\u{FFFD}\u{FFFD}c");
        assert_eq!(printable("می\u{200C}خواهم ☃"), "می\u{200C}خواهم ☃");
    }
}
