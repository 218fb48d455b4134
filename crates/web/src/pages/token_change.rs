//! Asks once before a token gets a new secret, or is revoked.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::api_token::issue;
use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner};
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::store::StoreError;
use grantor_core::token::DRAFT;
use grantor_core::user::User;
use grantor_jose::secret::SecretText;

use super::Frame;
use super::status::Kind;
use super::token_made::TokenMade;
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::sign_in_for;
use crate::{api_tokens, form, routes};

/// Posts `token`, `csrf` and, for a new secret, `draft` to `/account/tokens/revoke` or `/account/tokens/rotate`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/token_change.html")]
pub struct TokenChange {
    /// What is about to happen.
    pub change: Change,
    /// The frame.
    pub frame: Frame,
    /// The beginning of the token's text.
    pub hint: String,
    /// What names the token.
    pub id: String,
    /// What the person calls it.
    pub name: String,
}

/// What is about to happen to a token.
#[derive(Clone, Debug)]
pub enum Change {
    /// It ends.
    Revoke,
    /// It gets a new secret.
    Rotate(Rotation),
}

/// What a new secret brings.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// What the secret will be made from.
    pub draft: SecretText,
    /// How long the token lives from then on, in seconds.
    pub lifetime: i64,
    /// How long the secret before still counts, in seconds.
    pub overlap: i64,
}

impl TokenChange {
    fn page(&self) -> &'static str {
        match self.change {
            Change::Revoke => "token-revoke",
            Change::Rotate(_) => "token-rotate",
        }
    }

    fn title_key(&self) -> &'static str {
        match self.change {
            Change::Revoke => "token-revoke-title",
            Change::Rotate(_) => "token-rotate-title",
        }
    }

    fn of(visit: &Visit, token: &ApiToken, change: Change) -> Self {
        let frame = visit.frame(None, None);
        Self { change, frame, hint: token.hint(), id: token.id.to_string(), name: token.name.clone() }
    }
}

/// Asks once before a token is revoked.
pub(crate) async fn get_token_revoke(visit: Visit) -> HttpResponse {
    ask(&visit, |_| Change::Revoke).await
}

/// Asks once before a token gets a new secret.
pub(crate) async fn get_token_rotate(visit: Visit) -> HttpResponse {
    let rotation = |token: &ApiToken| {
        let (fresh, policy) = (visit.app.provider.fresh(visit.now), &visit.app.provider.policy.tokens);
        let seconds = |span: std::time::Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Change::Rotate(Rotation {
            draft: SecretText::new(DRAFT.format(fresh.id, &fresh.secret)),
            lifetime: seconds(issue::lifetime(token, policy)),
            overlap: seconds(policy.rotation_overlap.min(token.expires_at.since(visit.now))),
        })
    };
    ask(&visit, rotation).await
}

async fn ask(visit: &Visit, change: impl FnOnce(&ApiToken) -> Change) -> HttpResponse {
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::TOKENS) };
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    match find(visit, user, &query).await {
        Ok(Some(token)) if token.is_live(visit.now) => {
            let page = TokenChange::of(visit, &token, change(&token));
            respond::page(visit, &page, &How::default())
        }
        Ok(_) => respond::redirect(routes::TOKENS),
        Err(error) => respond::failure(visit, &error.into()).await,
    }
}

/// Revokes a token.
pub(crate) async fn post_token_revoke(visit: Visit, payload: Payload) -> HttpResponse {
    let (form, user) = match posted(&visit, payload).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    match revoke(&visit, &user, &form).await {
        Ok(()) => {
            let query = Params::from_pairs([("revoked", form.get("token").unwrap_or_default())]).unwrap_or_default();
            respond::redirect(&format!("{}?{}", routes::TOKENS, query.to_query()))
        }
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// Gives a token a new secret, and shows it.
pub(crate) async fn post_token_rotate(visit: Visit, payload: Payload) -> HttpResponse {
    let (form, user) = match posted(&visit, payload).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    match rotate(&visit, &user, &form).await {
        Ok(page) => respond::page(&visit, &page, &How { script: true, ..How::default() }),
        Err(Error::TokenEnded | Error::DraftUsed | Error::DraftExpired) => respond::redirect(routes::TOKENS),
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// The form, where it is one of ours, and whose it is.
async fn posted(visit: &Visit, payload: Payload) -> Result<(Params, User), HttpResponse> {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return Err(respond::failure(visit, &error).await),
    };
    let Some((_, user)) = visit.session() else { return Err(sign_in_for(routes::TOKENS)) };
    if !visit.is_own_form(form.get("csrf")) {
        return Err(respond::status_page(visit, Kind::FormRefused, None));
    }
    Ok((form, user.clone()))
}

/// Only a token of this person can be named.
async fn find(visit: &Visit, user: &User, params: &Params) -> Result<Option<ApiToken>, StoreError> {
    let Ok(id) = params.get("token").unwrap_or_default().parse() else { return Ok(None) };
    visit.app.provider.store.api_token_of(&Owner::User(user.id), id).await
}

/// What has ended needs no end: the second click of a double click ends here, too.
async fn revoke(visit: &Visit, user: &User, form: &Params) -> Result<(), Error> {
    for _ in 0..api_tokens::MAX_RACES {
        let Some(token) = find(visit, user, form).await? else { return Ok(()) };
        let directory = visit.app.directory();
        let changes = issue::revoke(api_tokens::about(visit, &directory), &token, ApiTokenEnd::RevokedByOwner);
        if api_tokens::commit(visit, changes).await? {
            return Ok(());
        }
    }
    Err(StoreError::Busy.into())
}

async fn rotate(visit: &Visit, user: &User, form: &Params) -> Result<TokenMade, Error> {
    let draft = api_tokens::draft(form)?;
    for _ in 0..api_tokens::MAX_RACES {
        let token = find(visit, user, form).await?.ok_or(Error::TokenEnded)?;
        let directory = visit.app.directory();
        let rotated = issue::rotate(api_tokens::about(visit, &directory), &token, &draft)?;
        if api_tokens::commit(visit, rotated.changes).await? {
            return api_tokens::made(visit, &token.owner, token.id, rotated.reply).await;
        }
    }
    Err(StoreError::Busy.into())
}

#[cfg(test)]
impl TokenChange {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, HOSTILE, LONG, signed_in};
        let page = |name: &str, change: Change| Self {
            change,
            frame: signed_in("Ada Lovelace"),
            hint: "gtr_pat_0BxVq7aY2Lk".to_owned(),
            id: "0BxVq7aY2Lk".to_owned(),
            name: name.to_owned(),
        };
        let draft = SecretText::new("gtr_dr_0BxVq7aY2Lk.c2VjcmV0".to_owned());
        let rotation = Change::Rotate(Rotation { draft, lifetime: 30 * DAY, overlap: DAY });
        vec![
            ("revoke", page("Backup script", Change::Revoke)),
            ("rotate", page("Backup script", rotation.clone())),
            ("long", page(LONG, rotation)),
            ("hostile", page(HOSTILE, Change::Revoke)),
        ]
    }
}
