//! What is issued: the one way to the signing of tokens. It is made of proofs alone, those of the token endpoint or that of the
//! authorization endpoint, so that a token without them does not compile.

use grantor_jose::secret::Secret;

use crate::api_token::live::LiveApiToken;
use crate::audience::Target;
use crate::authorization::{Handed, ResponseType};
use crate::client::Client;
use crate::client_auth::AuthenticatedClient;
use crate::directory::Directory;
use crate::grant::Grant;
use crate::grant_type::Redeemed;
use crate::provider::Fresh;
use crate::reach::Reach;
use crate::token::{Jti, Origin};
use crate::user::User;

/// What is issued, to whom and for what.
#[derive(Debug)]
pub(crate) struct Issuance<'a> {
    client: &'a Client,
    target: &'a Target,
    approval: Option<(&'a Grant, &'a User)>,
    api_token: Option<&'a LiveApiToken>,
    access: &'a Fresh,
    nonce: Option<&'a str>,
    is_id_token_alone: bool,
}

impl<'a> Issuance<'a> {
    /// At the token endpoint: of a client that proved who it is, and a grant that is spent.
    pub(crate) fn redeemed(client: &'a AuthenticatedClient, redeemed: &'a Redeemed) -> Self {
        Self {
            client: client.client(),
            target: &redeemed.target,
            approval: redeemed.approval.as_ref().map(|(grant, user)| (grant, user)),
            api_token: redeemed.api_token.as_ref(),
            access: &redeemed.access,
            nonce: redeemed.nonce.as_deref(),
            is_id_token_alone: false,
        }
    }

    /// At the authorization endpoint: of an approval that the store keeps, for a proven address.
    pub(crate) fn handed(handed: &'a Handed, response_type: ResponseType) -> Self {
        let approval = handed.approval();
        Self {
            client: handed.client(),
            target: handed.target(),
            approval: Some(approval),
            api_token: None,
            access: handed.access(),
            nonce: approval.0.context.nonce.as_deref(),
            is_id_token_alone: response_type == ResponseType::IdToken,
        }
    }

    /// To whom.
    pub(crate) fn client(&self) -> &'a Client {
        self.client
    }

    /// For what.
    pub(crate) fn target(&self) -> &'a Target {
        self.target
    }

    /// The approval and its person; none for the client's own credentials.
    pub(crate) fn approval(&self) -> Option<(&'a Grant, &'a User)> {
        self.approval
    }

    /// The nonce for the ID token.
    pub(crate) fn nonce(&self) -> Option<&'a str> {
        self.nonce
    }

    /// Whether an ID token is all that the app gets, so that it can ask userinfo for nothing.
    pub(crate) fn is_id_token_alone(&self) -> bool {
        self.is_id_token_alone
    }

    /// The secret of an opaque access token.
    pub(crate) fn secret(&self) -> &'a Secret {
        &self.access.secret
    }

    /// The identifiers of the access token and of what it hangs on.
    pub(crate) fn jti(&self) -> Jti {
        let origin = match (self.approval, self.api_token) {
            (Some((grant, _)), _) => Origin::Grant(grant.id),
            (None, Some(live)) => Origin::ApiToken(live.token.id),
            (None, None) => Origin::Client,
        };
        Jti { origin, token_id: self.access.id }
    }

    /// From where the access token may be used.
    pub(crate) fn reach(&self, directory: &'a Directory) -> Reach<'a> {
        let of_approval = self.approval.map(|(_, user)| user);
        Reach {
            directory,
            client: Some(self.client),
            user: of_approval.or(self.api_token.and_then(|live| live.user.as_ref())),
            audience: &self.target.audience,
            own: self.api_token.map(|live| &live.token.networks),
        }
    }
}
