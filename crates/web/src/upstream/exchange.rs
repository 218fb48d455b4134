//! The code is redeemed at the upstream, and what it says about the person is read.
//!
//! 2026-11-30: the requests are written here and not by `openidconnect`, whose answer to a code must be an ID token that it can read
//! itself: see `grantor_core::upstream::id_token`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_core::error::Error;
use grantor_core::time::Time;
use grantor_core::upstream::flow::Flow;
use grantor_core::upstream::id_token::{self, Asked};
use grantor_core::upstream::{Upstream, UpstreamAuthMethod, UpstreamKind, UpstreamPerson};
use openidconnect::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use openidconnect::http::{Method, Request, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::discovery::{Endpoints, keys_for};
use super::{Refused, callback_address, holder};
use crate::outbound::{Asker, OutboundError};
use crate::visit::Visit;

/// What an upstream has proved.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) person: UpstreamPerson,
    pub(super) sid: Option<String>,
    pub(super) auth_time: Option<Time>,
    pub(super) acr: Option<String>,
    pub(super) amr: Vec<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    token_type: Option<String>,
    id_token: Option<String>,
    error: Option<String>,
}

/// Redeems a code, and reads who came.
pub(super) async fn redeem(
    visit: &Visit,
    upstream: &Upstream,
    flow: &Flow,
    (code, endpoints): (&str, &Endpoints),
) -> Result<Proved, Refused> {
    // A profile says nothing of when its person signed in.
    if upstream.definition.kind == UpstreamKind::OAuth2 && flow.earliest().is_some() {
        return Err(Error::UpstreamAuthTime.into());
    }
    let tokens = token_request(visit, upstream, flow, (code, endpoints)).await?;
    // "The client MUST NOT use an access token if it does not understand the token type." (RFC 6749 §7.1)
    let is_bearer = tokens.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    let access_token = tokens.access_token.filter(|_| is_bearer);
    let access_token = access_token.ok_or_else(|| Refused::with(Error::UpstreamAnswerMalformed, "no bearer token"))?;
    match upstream.definition.kind {
        UpstreamKind::Oidc => {
            let id_token = tokens.id_token.ok_or(Error::UpstreamIdTokenMalformed)?;
            by_id_token(visit, upstream, flow, (&id_token, &access_token, endpoints)).await
        }
        UpstreamKind::OAuth2 => {
            let members =
                profile(visit, upstream, (endpoints.profile.as_deref().unwrap_or_default(), &access_token)).await?;
            let person = upstream.definition.person(&members).ok_or(Error::UpstreamAnswerMalformed)?;
            Ok(Proved { person, sid: None, auth_time: None, acr: None, amr: Vec::new() })
        }
    }
}

async fn token_request(
    visit: &Visit,
    upstream: &Upstream,
    flow: &Flow,
    (code, endpoints): (&str, &Endpoints),
) -> Result<TokenAnswer, Refused> {
    let declared = &upstream.definition;
    let secret = upstream.client_secret.as_ref().map_or("", |secret| secret.expose());
    let redirect_uri = callback_address(visit, upstream);
    let verifier = flow.verifier(&visit.app.directory().secrets, holder(visit, upstream));
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code").append_pair("code", code);
    form.append_pair("redirect_uri", &redirect_uri).append_pair("code_verifier", &verifier);
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(endpoints.token.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json");
    match declared.token_endpoint_auth_method {
        UpstreamAuthMethod::ClientSecretBasic => {
            // "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B,
            // and the encoded value is used as the username" (RFC 6749 §2.3.1)
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let credentials = STANDARD.encode(format!("{}:{}", encoded(&declared.client_id), encoded(secret)));
            request = request.header(AUTHORIZATION, format!("Basic {credentials}"));
        }
        UpstreamAuthMethod::ClientSecretPost => {
            form.append_pair("client_id", &declared.client_id).append_pair("client_secret", secret);
        }
        UpstreamAuthMethod::None => drop(form.append_pair("client_id", &declared.client_id)),
    }
    let request = request.body(form.finish().into_bytes()).map_err(|_| Error::UpstreamUnreachable)?;
    let answer: TokenAnswer = read(&ask(visit, upstream, request).await?)?;
    match &answer.error {
        Some(error) => Err(Refused::with(Error::UpstreamRefused, &format!("token endpoint: {error}"))),
        None => Ok(answer),
    }
}

async fn by_id_token(
    visit: &Visit,
    upstream: &Upstream,
    flow: &Flow,
    (id_token, access_token, endpoints): (&str, &str, &Endpoints),
) -> Result<Proved, Refused> {
    let keys = keys_for(visit, upstream, id_token).await?;
    let skew = visit.app.provider.policy.lifetimes.clock_skew;
    let nonce = flow.nonce(&visit.app.directory().secrets, holder(visit, upstream));
    let asked = Asked {
        issuer: upstream.definition.authority(),
        client_id: &upstream.definition.client_id,
        nonce: &nonce,
        access_token,
        earliest: flow.earliest(),
    };
    let told = id_token::check(id_token, &asked, &*keys, (skew, visit.now))?;
    let mut members = told.members;
    // Many providers tell names and addresses there alone.
    if let Some(userinfo) = endpoints.profile.as_deref().filter(|_| lacks(upstream, &members)) {
        let more = profile(visit, upstream, (userinfo, access_token)).await?;
        // "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token; if they do
        // not match, the UserInfo Response values MUST NOT be used." (OIDC Core §5.3.2)
        if more.get("sub").and_then(Value::as_str) != Some(&told.subject) {
            return Err(Error::UpstreamSubjectMismatch.into());
        }
        complete(upstream, &mut members, more);
    }
    let person = upstream.definition.person(&members).ok_or(Error::UpstreamIdTokenMalformed)?;
    Ok(Proved { person, sid: told.sid, auth_time: told.auth_time, acr: told.acr, amr: told.amr })
}

/// Whether an ID token leaves out what is wanted.
fn lacks(upstream: &Upstream, members: &Map<String, Value>) -> bool {
    let (names, groups) = (&upstream.definition.claims, &upstream.definition.allowed_groups);
    let lacks = |declared: &Option<String>, name: &str| !members.contains_key(declared.as_deref().unwrap_or(name));
    lacks(&names.email, "email") || lacks(&names.name, "name") || !groups.is_empty() && lacks(&names.groups, "groups")
}

/// What is signed comes first. An address and what is said of it stay together: neither completes the other.
fn complete(upstream: &Upstream, members: &mut Map<String, Value>, more: Map<String, Value>) {
    let declared = &upstream.definition.claims;
    let address = declared.email.as_deref().unwrap_or("email");
    let verified = declared.email_verified.as_deref().unwrap_or("email_verified");
    let has_address = members.contains_key(address) || members.contains_key(verified);
    for (name, value) in more {
        if !(has_address && [address, verified].contains(&name.as_str())) {
            members.entry(name).or_insert(value);
        }
    }
}

async fn profile(
    visit: &Visit,
    upstream: &Upstream,
    (address, access_token): (&str, &str),
) -> Result<Map<String, Value>, Refused> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(address)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {access_token}"))
        .body(Vec::new())
        .map_err(|_| Error::UpstreamAnswerMalformed)?;
    let answer = ask(visit, upstream, request).await?;
    if !answer.status().is_success() {
        return Err(Refused::with(Error::UpstreamRefused, &format!("profile: {}", answer.status())));
    }
    read(&answer)
}

async fn ask(visit: &Visit, upstream: &Upstream, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Refused> {
    let asker = Asker::Upstream(&upstream.definition.name);
    let answered = visit.app.fetch(request, asker).await;
    answered.map_err(|error: OutboundError| Refused::with(Error::UpstreamUnreachable, &error))
}

fn read<'a, T: Deserialize<'a>>(answer: &'a Response<Vec<u8>>) -> Result<T, Refused> {
    let status = answer.status();
    serde_json::from_slice(answer.body())
        .map_err(|_| Refused::with(Error::UpstreamAnswerMalformed, &format!("{status}, and no JSON of its kind")))
}
