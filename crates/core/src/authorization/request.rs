//! An authorization request as it is read, and its refusal.

use std::sync::Arc;

use grantor_jose::id::Id;

use super::respond::Answer;
use super::response_type::{ResponseMode, ResponseType};
use crate::claims::ClaimsRequest;
use crate::client::Client;
use crate::error::Error;
use crate::interaction::Interaction;
use crate::level::Level;
use crate::pkce::CodeChallenge;
use crate::redirect_uri::ValidRedirectUri;
use crate::scope::Scope;
use crate::time::Time;

/// What `prompt` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of five words of the wire")]
pub struct Prompt {
    /// The person makes an account.
    pub create: bool,
    /// No page may be shown.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person is asked again.
    pub consent: bool,
    /// The person chooses the account.
    pub select_account: bool,
}

/// An authorization request whose client and redirect URI are proven and whose parameters are read.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The app that asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub redirect_uri: ValidRedirectUri,
    /// How it travels.
    pub response_mode: ResponseMode,
    /// What it holds.
    pub response_type: ResponseType,
    /// `state`, given back unchanged.
    pub state: Option<String>,
    /// The scopes that this app may have and this provider knows, of those asked for.
    pub scope: Scope,
    /// Those of them that were not asked for by their names, but by a claim of theirs.
    pub scopes_of_claims: Scope,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `prompt`.
    pub prompt: Prompt,
    /// `max_age` in seconds, that of the request or else of the client.
    pub max_age: Option<u64>,
    /// `login_hint`, whom the app means, as it was sent.
    pub login_hint: Option<String>,
    /// The same as names to sign in with, in their normal form; none where it can be no such name, or nobody has looked.
    pub hinted_names: Vec<String>,
    /// `ui_locales`, for the pages.
    pub ui_locales: Option<String>,
    /// `claims`.
    pub claims: ClaimsRequest,
    /// The level that is offered to the person where they cannot reach it yet: the lowest of `acr_values`.
    pub offered: Option<Level>,
    /// `claims_locales`: the languages for claims, the preferred one first; all when empty.
    pub claims_locales: Vec<String>,
    /// The subject that must be signed in, by `id_token_hint`; `claims` may name one too.
    pub subject: Option<String>,
    /// The APIs named by `resource`.
    pub resources: Vec<String>,
    /// The PKCE challenge.
    pub code_challenge: Option<CodeChallenge>,
    /// Whether `redirect_uri` was sent.
    pub redirect_uri_sent: bool,
    /// When and how it came here.
    pub started: Started,
}

impl AuthorizationRequest {
    /// Whether the person is not asked: the operator has, and the app does not want it otherwise.
    pub fn asks_nobody(&self) -> bool {
        // "The Authorization Server SHOULD prompt the End-User for consent before returning information to the Client."
        // (OIDC Core §3.1.2.1)
        !self.prompt.consent && self.client.asks_nobody(self.redirect_uri.as_str(), &self.scope)
    }

    /// Whether something hangs on when the person proved who they are.
    pub fn asks_when(&self) -> bool {
        self.prompt.login || self.max_age.is_some()
    }
}

/// When a request started and what has happened since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// When it started: what the person does after this moment answers this request.
    pub at: Time,
    /// Whether it comes back from a page.
    pub resumed: bool,
    /// The person whom somebody chose to go on with on the way, or signed in or answered as.
    pub selected: Option<Id>,
    /// Whether the person chose to go on without the level that was offered.
    pub declined: bool,
}

impl Started {
    /// A request that has just arrived.
    pub fn now(now: Time) -> Self {
        Self { at: now, resumed: false, selected: None, declined: false }
    }
}

impl From<&Interaction> for Started {
    fn from(interaction: &Interaction) -> Self {
        Self {
            at: interaction.started_at,
            resumed: true,
            selected: interaction.selected,
            declined: interaction.declined,
        }
    }
}

/// A refusal at the authorization endpoint: shown on our page while client or address are not proven, else sent.
#[derive(Debug)]
pub enum Refused {
    /// Shown, never followed.
    Show {
        /// Why.
        error: Error,
        /// The client, where it is known.
        client: Option<Arc<Client>>,
    },
    /// Sent to the proven address.
    Send {
        /// Why.
        error: Error,
        /// The client.
        client: Arc<Client>,
        /// The answer that says so.
        answer: Answer,
    },
}
