//! Reading an authorization request: first what proves where errors may go, then one rule after the other.

use std::sync::Arc;

use oxide_auth::code_grant::authorization::{Authorization, Input, Output};
use oxide_auth::primitives::grant::Extensions;

use super::request::{AuthorizationRequest, Prompt, Refused, Started};
use super::respond::refuse_at;
use super::response_type::{ResponseMode, ResponseType};
use crate::audience;
use crate::claims::{self, ClaimsRequest};
use crate::client::Client;
use crate::directory::Directory;
use crate::error::Error;
use crate::grant::OFFLINE_ACCESS;
use crate::id_token::{self, Hint};
use crate::kernel;
use crate::level::{self, Level};
use crate::params::Params;
use crate::pkce::CodeChallenge;
use crate::policy::ClientPolicy;
use crate::provider::Provider;
use crate::redirect_uri::ValidRedirectUri;
use crate::scope::{self, Scope};
use crate::store::Store;
use crate::time::Time;

/// Reads a request.
///
/// # Errors
/// [`Refused::Show`] until client and redirect URI are proven, then [`Refused::Send`].
pub fn read<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    started: Started,
    now: Time,
) -> Result<AuthorizationRequest, Refused> {
    let directory = provider.store.directory();
    let show = |error, client: Option<&Arc<Client>>| Refused::Show { error, client: client.cloned() };
    // "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client identifier is
    // missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically
    // redirect the user-agent to the invalid redirection URI." (RFC 6749 §4.1.2.1)
    // "client_id REQUIRED. OAuth 2.0 Client Identifier valid at the Authorization Server." (OIDC Core §3.1.2.1)
    let client_id = params.required("client_id").map_err(|error| show(error, None))?;
    let client = directory.client(client_id).ok_or_else(|| show(Error::ClientUnknown, None))?;
    // "If the Redirection URI is invalid, the Authorization Server MUST NOT redirect the User Agent to the invalid
    // Redirection URI." (OIDC Core §3.1.2.6)
    let named = params.get("redirect_uri");
    let redirect_uri = client.redirect_uri(named).map_err(|error| show(error, Some(client)))?;
    // "redirect_uri REQUIRED. Redirection URI to which the response will be sent." (OIDC Core §3.1.2.1)
    // "redirect_uri REQUIRED. Redirection URI to which the response will be sent. This URI MUST exactly match one of the Redirection
    // URI values for the Client pre-registered at the OpenID Provider, with the matching performed as described in Section 6.2.1 of
    // [RFC3986] (Simple String Comparison)." (OIDC Core §3.2.2.1)
    let kind = params.get("response_type").and_then(|kind| kind.parse().ok());
    // "The Authorization Server MUST verify that all the REQUIRED parameters are present and their usage conforms to this
    // specification." (OIDC Core §3.1.2.2)
    let is_openid = params.get("scope").is_some_and(scope::is_openid);
    if named.is_none() && (is_openid || kind.is_some_and(ResponseType::is_front_channel)) {
        return Err(show(Error::RedirectUriRequired, Some(client)));
    }
    let response_mode = ResponseMode::of(params);
    let state = params.get("state").map(str::to_owned);
    let send = |error: Error| {
        let answer = refuse_at(&provider.issuer, (&redirect_uri, response_mode, state.as_deref()), &error);
        Refused::Send { error, client: Arc::clone(client), answer }
    };
    let reading = Reading { directory: &directory, client, params, redirect_uri: &redirect_uri };
    let read = reading.rules(provider, now).map_err(send)?;
    Ok(AuthorizationRequest {
        client: Arc::clone(client),
        response_mode,
        state: state.clone(),
        started,
        redirect_uri: redirect_uri.clone(),
        ..read
    })
}

struct Reading<'a> {
    directory: &'a Directory,
    client: &'a Arc<Client>,
    params: &'a Params,
    redirect_uri: &'a ValidRedirectUri,
}

impl Reading<'_> {
    /// One rule after the other; the first that is broken names the error.
    fn rules<S: Store>(&self, provider: &Provider<S>, now: Time) -> Result<AuthorizationRequest, Error> {
        // "The Authorization Server MUST validate the request received as follows: ... The Authorization Server MUST
        // validate all the OAuth 2.0 parameters according to the OAuth 2.0 specification." (OIDC Core §3.1.2.2)
        let response_type = self.response_type(&provider.policy.clients)?;
        self.check_unsupported()?;
        let code_challenge = self.code_challenge(response_type, &provider.policy.clients)?;
        let scope = self.run_kernel(response_type)?;
        self.check_id_token(response_type, &scope)?;
        let prompt = self.prompt(provider.policy.self_registration)?;
        let claims = self.params.get("claims").map(ClaimsRequest::parse).transpose()?.unwrap_or_default();
        let offered = self.offered(&claims);
        let claims = claims.with_acr_values(self.acr_values());
        check_acr(&claims, self.directory)?;
        let scopes_of_claims = self.scopes_of_claims(&claims, response_type, &scope);
        let hint = self.params.get("id_token_hint").map(|hint| id_token::read_hint(provider, hint, now)).transpose()?;
        let resources = audience::requested(self.directory, &provider.issuer, self.params)?;
        audience::check_granted(self.directory, &provider.issuer, &resources, &scope)?;
        // "As specified in OAuth 2.0 [RFC6749], Authorization Servers SHOULD ignore unrecognized request parameters."
        // (OIDC Core §3.1.2.2)
        let text = |name: &str| self.params.get(name).map(str::to_owned);
        Ok(AuthorizationRequest {
            client: Arc::clone(self.client),
            redirect_uri: self.redirect_uri.clone(),
            response_mode: ResponseMode::default(),
            response_type,
            state: None,
            scope: scope.union(&scopes_of_claims),
            scopes_of_claims,
            // "Authorization Servers SHOULD perform no other processing on "nonce" values used." (OIDC Core §2)
            nonce: text("nonce"),
            prompt,
            max_age: self.max_age()?,
            login_hint: text("login_hint").filter(|hint| !hint.trim().is_empty()),
            hinted_names: Vec::new(),
            // "OPs MUST support requests for preferred languages and scripts for the user interface and for Claims via the
            // "ui_locales" and "claims_locales" request parameters, as defined in Section 3.1.2." (OIDC Core §15.1)
            ui_locales: text("ui_locales"),
            subject: subject(hint, &claims)?,
            claims,
            offered,
            claims_locales: self.params.get("claims_locales").map(claims::locales).unwrap_or_default(),
            resources,
            code_challenge,
            redirect_uri_sent: self.params.get("redirect_uri").is_some(),
            started: Started::now(now),
        })
    }

    fn response_type(&self, policy: &ClientPolicy) -> Result<ResponseType, Error> {
        // "If an authorization request is missing the "response_type" parameter, or if the response type is not understood,
        // the authorization server MUST return an error response as described in Section 4.1.2.1." (RFC 6749 §3.1.1)
        // "response_type REQUIRED. OAuth 2.0 Response Type value that determines the authorization processing flow to be
        // used, including what parameters are returned from the endpoints used." (OIDC Core §3.1.2.1)
        // "response_type REQUIRED. OAuth 2.0 Response Type value that determines the authorization processing flow to be
        // used, including what parameters are returned from the endpoints used." (OIDC Core §3.2.2.1)
        // "response_type REQUIRED. OAuth 2.0 Response Type value that determines the authorization processing flow to be
        // used, including what parameters are returned from the endpoints used." (OIDC Core §3.3.2.1)
        let response_type: ResponseType = self.params.required("response_type")?.parse()?;
        if response_type.is_front_channel() && !policy.allow_front_channel_tokens {
            return Err(Error::FrontChannelOff);
        }
        if !self.client.allows_response_type(response_type) {
            return Err(Error::ResponseTypeNotAllowed);
        }
        ResponseMode::check(self.params.get("response_mode"), response_type)?;
        Ok(response_type)
    }

    /// The challenge for the code; without a code there is nothing that it could bind.
    fn code_challenge(
        &self,
        response_type: ResponseType,
        policy: &ClientPolicy,
    ) -> Result<Option<CodeChallenge>, Error> {
        if !response_type.has_code() {
            return Ok(None);
        }
        CodeChallenge::read(self.params, self.client.requires_pkce(policy.require_pkce))
    }

    fn check_id_token(&self, response_type: ResponseType, scope: &Scope) -> Result<(), Error> {
        if !response_type.has_id_token() {
            return Ok(());
        }
        // "nonce REQUIRED. String value used to associate a Client session with an ID Token, and to mitigate replay attacks."
        // (OIDC Core §3.2.2.1)
        // "nonce REQUIRED if the Response Type of the request is "code id_token" or "code id_token token" and OPTIONAL when the
        // Response Type of the request is "code token"." (OIDC Core §3.3.2.1)
        if self.params.get("nonce").is_none() {
            return Err(Error::NonceMissing);
        }
        // "OpenID Connect requests MUST contain the "openid" scope value." (OIDC Core §3.1.2.1)
        if scope.contains("openid") { Ok(()) } else { Err(Error::OpenidMissing) }
    }

    fn check_unsupported(&self) -> Result<(), Error> {
        let sent = |name: &str| self.params.get(name).is_some();
        // What it says is read before, and here it has no say any more.
        if sent("request") || sent("request_uri") {
            return Err(Error::RequestObjectInvalid);
        }
        if sent("registration") { Err(Error::RegistrationNotSupported) } else { Ok(()) }
    }

    fn prompt(&self, may_create: bool) -> Result<Prompt, Error> {
        let mut prompt = Prompt::default();
        let words: Vec<&str> =
            self.params.get("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
        for word in &words {
            match *word {
                // "If the OpenID Provider receives a prompt value that it does not support (not declared in the
                // prompt_values_supported metadata field) the OP SHOULD respond with an HTTP 400 (Bad Request) status code and an
                // error value of invalid_request." (OIDC Prompt Create §4.1); told to the app, as each error here.
                "create" if may_create => prompt.create = true,
                // "OPs MUST support the "prompt" parameter, as defined in Section 3.1.2, including the specified user
                // interface behaviors such as "none" and "login"." (OIDC Core §15.1)
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                // "If an OP receives a "prompt" value outside the set defined above that it does not understand, it MAY
                // return an error or it MAY ignore it" (OIDC Core §3.1.2.1)
                _ => return Err(Error::PromptInvalid),
            }
        }
        // "If this parameter contains "none" with any other value, an error is returned." (OIDC Core §3.1.2.1)
        if prompt.none && words.len() > 1 { Err(Error::PromptInvalid) } else { Ok(prompt) }
    }

    /// The authentication contexts that are wished for, the preferred one first: those of the request, or else of the app.
    // "Values specified in the "acr_values" request parameter or an individual "acr" Claim request override these default values."
    // (OIDC Registration §2)
    fn acr_values(&self) -> impl Iterator<Item = &str> {
        // "OPs MUST support requests for specific Authentication Context Class Reference values via the "acr_values"
        // parameter, as defined in Section 3.1.2." (OIDC Core §15.1)
        let sent = self.params.get("acr_values");
        let of_app = self.client.metadata.default_acr_values.iter().filter(move |_| sent.is_none()).map(String::as_str);
        sent.into_iter().flat_map(|values| values.split(' ')).filter(|value| !value.is_empty()).chain(of_app)
    }

    /// The lowest level that `acr_values` of the request itself asks for, where all of them are ours.
    ///
    /// Clients send them whom an API has sent back for more (RFC 9470 §4): with a lower level, given without a word, they would be sent
    /// back again, and so on.
    fn offered(&self, claims: &ClaimsRequest) -> Option<Level> {
        let sent = self.params.get("acr_values").filter(|_| !claims.names_acr())?;
        let values = sent.split(' ').filter(|value| !value.is_empty()).map(Level::of_acr);
        values.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    fn max_age(&self) -> Result<Option<u64>, Error> {
        let sent = self.params.get("max_age");
        let sent = sent.map(|text| text.parse().map_err(|_| Error::MaxAgeMalformed)).transpose()?;
        // "Specifies that the End-User MUST be actively authenticated if the End-User was authenticated longer ago than the
        // specified number of seconds." (OIDC Registration §2)
        Ok(sent.or(self.client.metadata.default_max_age))
    }

    /// The scopes of the request that this app may have and this provider knows.
    fn negotiate(&self, response_type: ResponseType) -> Result<Scope, Error> {
        // "If the client omits the scope parameter when requesting authorization, the authorization server MUST either process
        // the request using a pre-defined default value or fail the request indicating an invalid scope." (RFC 6749 §3.3)
        // "scope REQUIRED." (OIDC Core §3.1.2.1)
        let asked: Scope = self.params.get("scope").ok_or(Error::ScopeMissing)?.parse()?;
        // "Scope values used that are not understood by an implementation SHOULD be ignored." (OIDC Core §3.1.2.1)
        let allowed = asked.intersection(&self.client.metadata.scope).filter(|token| self.directory.knows_scope(token));
        // "MUST ignore the "offline_access" request unless the Client is using a "response_type" value that would result in an
        // Authorization Code being returned" (OIDC Core §11)
        let allowed = allowed.filter(|token| token != OFFLINE_ACCESS || response_type.has_code());
        if allowed.is_empty() { Err(Error::ScopeNotAllowed) } else { Ok(allowed) }
    }

    /// The scopes that people are asked for because of claims, in a request of OpenID Connect.
    fn scopes_of_claims(&self, claims: &ClaimsRequest, response_type: ResponseType, scope: &Scope) -> Scope {
        if !scope.contains("openid") {
            return Scope::default();
        }
        claims::wanted(self.directory, claims, response_type, (scope, &self.client.metadata.scope))
    }

    /// Runs oxide-auth's machine to the point where the person must be asked; returns the scope to ask about.
    fn run_kernel(&self, response_type: ResponseType) -> Result<Scope, Error> {
        let scope = self.negotiate(response_type)?;
        let (client_id, address) = (self.client.client_id.as_str(), Some(self.redirect_uri.as_str()));
        let view =
            kernel::Request { params: self.params, client_id, redirect_uri: address, scope: Some(scope.as_str()) };
        let mut machine = Authorization::new(&view);
        let mut input = Input::None;
        loop {
            input = match machine.advance(input) {
                Output::Bind { .. } => {
                    Input::Bound { request: &view, bound_client: kernel::bound(client_id, address)? }
                }
                Output::Extend => Input::Extended(Extensions::new()),
                Output::Negotiate { .. } => {
                    Input::Negotiated { pre_grant: kernel::negotiated(client_id, address, &scope)?, state: None }
                }
                Output::Ok { pre_grant, .. } => return Ok(kernel::own_scope(&pre_grant.scope)),
                Output::Err(_) => return Err(Error::ScopeNotAllowed),
            };
        }
    }
}

/// Nobody can be both of two people.
fn subject(hint: Option<Hint>, claims: &ClaimsRequest) -> Result<Option<String>, Error> {
    match hint {
        Some(hint) if !claims.accepts_subject(&hint.sub) => Err(Error::HintMismatch),
        hint => Ok(hint.map(|hint| hint.sub)),
    }
}

fn check_acr(claims: &ClaimsRequest, directory: &Directory) -> Result<(), Error> {
    // "If the acr Claim is requested as an Essential Claim for the ID Token with a "value" or "values" parameter requesting specific
    // Authentication Context Class Reference values and the implementation supports the claims parameter, the Authorization
    // Server MUST return an acr Claim Value that matches one of the requested values. ... If this is an Essential Claim and
    // the requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed authentication
    // attempt." (OIDC Core §5.5.1.1)
    if level::can_be_met(claims, directory) { Ok(()) } else { Err(Error::AcrUnmet) }
}
