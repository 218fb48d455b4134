//! What the pages of a person's own tokens share.

use std::time::Duration;

use grantor_core::api_token::issue::{About, Draft};
use grantor_core::api_token::{ApiToken, Owner};
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::provider::Fresh;
use grantor_core::store::{Store, StoreError};
use grantor_core::token::DRAFT;
use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;
use grantor_storage::Database;

use crate::pages::token_made::TokenMade;
use crate::visit::Visit;

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// What the decisions of a request are taken by.
pub(crate) fn about<'a>(visit: &'a Visit, directory: &'a Directory) -> About<'a> {
    About { directory, policy: &visit.app.provider.policy.tokens, call: visit.call(), event_id: visit.app.id() }
}

/// All that an owner holds, and what a draft has made already, also where that ended long ago.
///
/// # Errors
/// `DraftUsed` where the identifier of the draft is somebody else's: it is in no form of this owner.
pub(crate) async fn held(store: &Database, owner: &Owner, draft: Id) -> Result<Vec<ApiToken>, Error> {
    let mut tokens = store.api_tokens_of(owner).await?;
    if tokens.iter().all(|token| token.id != draft) {
        let made = store.api_token_find(draft).await?.map(|found| found.token);
        if made.as_ref().is_some_and(|made| made.owner != *owner) {
            return Err(Error::DraftUsed);
        }
        tokens.extend(made);
    }
    Ok(tokens)
}

/// How often a form that met another one is looked at again.
pub(crate) const MAX_RACES: usize = 8;

/// Commits what a form decided, if the sign-in that it came from goes on; `false` where another form came first.
pub(crate) async fn commit(visit: &Visit, mut changes: Vec<Change>) -> Result<bool, Error> {
    if !changes.is_empty() {
        changes.extend(visit.session().map(|(session, _)| Change::SessionExpect { id: session.id }));
    }
    let store = &visit.app.provider.store;
    match store.commit(changes).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => match visit.session() {
            Some((session, _))
                if store.session_find(session.id).await?.is_some_and(|(now, _)| now.ended_at.is_none()) =>
            {
                Ok(false)
            }
            _ => Err(Error::LoginRequired),
        },
        Err(error) => Err(error.into()),
    }
}

/// The draft of a form.
pub(crate) fn draft(form: &Params) -> Result<Draft, Error> {
    let (id, secret) = form.get("draft").and_then(|draft| DRAFT.parse(draft)).ok_or(Error::DraftExpired)?;
    Ok(Fresh { id, secret })
}

/// The page that shows a token as it is now, with its text.
pub(crate) async fn made(visit: &Visit, owner: &Owner, id: Id, text: String) -> Result<TokenMade, Error> {
    let token = visit.app.provider.store.api_token_of(owner, id).await?.ok_or(Error::TokenEnded)?;
    // Coming back to this page by the choice of languages would not show the token again.
    let frame = crate::pages::Frame { return_to: None, ..visit.frame(None, None) };
    Ok(TokenMade {
        frame,
        hint: token.hint(),
        replaced_until: token.replaced.map(|replaced| replaced.until.seconds()),
        until: token.expires_at.seconds(),
        name: token.name,
        token: SecretText::new(text),
    })
}
