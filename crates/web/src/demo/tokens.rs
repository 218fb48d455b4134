//! What can be done with the tokens of a sign-in: one button, one step each.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::{HttpResponse, web};
use openidconnect::{
    AccessToken, ClientId, ClientSecret, EmptyAdditionalClaims, IntrospectionUrl, JsonWebKeySet, OAuth2TokenResponse,
    TokenResponse, UserInfoClaims,
    core::{CoreClient, CoreGenderClaim, CoreIdToken, CoreTokenIntrospectionResponse, CoreTokenResponse},
    http::{Method, Request, StatusCode, header},
};

use super::{
    Demo,
    browser::Post,
    callback,
    error::{StepError, TokenError},
    exchange::Recorder,
    id_token::{self, Expected},
    provider::Provider,
    session::SignedIn,
    step::{Step, StepKind},
};

/// `POST /userinfo`
pub(super) async fn post_userinfo(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let Some(signed_in) = &post.session.signed_in else { return super::home() };
    let recorder = demo.recorder();
    let result = userinfo(signed_in, &recorder).await;
    super::to_step(post.session.log.push(Step::ended(StepKind::UserInfo, recorder.finish(), &result)))
}

/// `POST /call-api`
pub(super) async fn post_call_api(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let Some(signed_in) = &post.session.signed_in else { return super::home() };
    let recorder = demo.recorder();
    let result = call_api(&demo, signed_in, &recorder).await;
    super::to_step(post.session.log.push(Step::ended(StepKind::ApiCall, recorder.finish(), &result)))
}

/// `POST /introspect`
pub(super) async fn post_introspect(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let Some(signed_in) = &post.session.signed_in else { return super::home() };
    let recorder = demo.recorder();
    let result = match signed_in.provider.endpoints.introspection_endpoint.clone() {
        Some(url) => introspect(&demo, url, (&signed_in.access_token, None), &recorder).await.map_err(StepError::from),
        None => Err(StepError::NoEndpoint("introspection_endpoint")),
    };
    super::to_step(post.session.log.push(Step::ended(StepKind::Introspection, recorder.finish(), &result)))
}

/// `POST /refresh`
pub(super) async fn post_refresh(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let Some(signed_in) = &post.session.signed_in else { return super::home() };
    let recorder = demo.recorder();
    let result = refresh(signed_in, &recorder).await;
    let id_token = result.as_ref().ok().and_then(|answer| answer.id_token());
    let newer = match id_token {
        Some(id_token) if !signed_in.provider.has_key_of(id_token) => Provider::discover(&demo, &recorder).await.ok(),
        _ => None,
    };
    let mut step = Step::ended(StepKind::Refresh, recorder.finish(), &result);
    if let (Ok(answer), Some(signed_in)) = (&result, &mut post.session.signed_in) {
        step.tokens = callback::tokens(answer);
        signed_in.provider = newer.map_or_else(|| Arc::clone(&signed_in.provider), Arc::new);
        if id_token.is_none_or(|id_token| accepts(&mut step, signed_in, id_token, answer.access_token())) {
            keep(signed_in, answer);
        }
    }
    super::to_step(post.session.log.push(step))
}

async fn userinfo(
    signed_in: &SignedIn,
    recorder: &Recorder<'_>,
) -> Result<UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim>, StepError> {
    // "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the ID Token" (OIDC Core §5.3.2)
    let request = signed_in.provider.client.user_info(signed_in.access_token.clone(), signed_in.subject.clone())?;
    Ok(request.request_async(recorder).await?)
}

async fn call_api(demo: &Demo, signed_in: &SignedIn, recorder: &Recorder<'_>) -> Result<(), StepError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(demo.address("api/notes").as_str())
        .header(header::AUTHORIZATION, format!("Bearer {}", signed_in.access_token.secret()))
        .body(Vec::new())?;
    match recorder.send(request).await?.status() {
        StatusCode::OK => Ok(()),
        status => Err(StepError::Status(status)),
    }
}

/// Asks about a token as the API does, with the API's own credentials; and says who uses it, for tokens that are limited to some
/// networks.
pub(super) async fn introspect<C>(
    demo: &Demo,
    url: IntrospectionUrl,
    (token, caller): (&AccessToken, Option<IpAddr>),
    http: &C,
) -> Result<CoreTokenIntrospectionResponse, TokenError>
where
    C: for<'c> openidconnect::AsyncHttpClient<'c, Error = crate::outbound::OutboundError>,
{
    let settings = &demo.settings;
    let api =
        CoreClient::new(ClientId::new(settings.api_client_id.clone()), demo.issuer.clone(), JsonWebKeySet::default())
            .set_client_secret(ClientSecret::new(settings.api_client_secret.clone()))
            .set_introspection_url(url);
    let request = api.introspect(token).set_token_type_hint("access_token");
    match caller {
        Some(address) => request.add_extra_param("client_address", address.to_string()).request_async(http).await,
        None => request.request_async(http).await,
    }
}

async fn refresh(signed_in: &SignedIn, recorder: &Recorder<'_>) -> Result<CoreTokenResponse, StepError> {
    let token = signed_in.refresh_token.as_ref().ok_or(StepError::NoRefreshToken)?;
    Ok(signed_in.provider.client.exchange_refresh_token(token)?.request_async(recorder).await?)
}

fn accepts(step: &mut Step, signed_in: &SignedIn, id_token: &CoreIdToken, access_token: &AccessToken) -> bool {
    let expected = Expected {
        provider: &signed_in.provider,
        nonce: &signed_in.nonce,
        nonce_may_be_absent: true,
        max_age: None,
        subject: signed_in.subject.as_ref(),
    };
    id_token::verify(step, &expected, id_token, access_token).is_some()
}

fn keep(signed_in: &mut SignedIn, answer: &CoreTokenResponse) {
    signed_in.access_token = answer.access_token().clone();
    // "The authorization server MAY issue a new refresh token, in which case the client MUST discard the old refresh token
    // and replace it with the new refresh token." (RFC 6749 §6)
    if let Some(token) = answer.refresh_token() {
        signed_in.refresh_token = Some(token.clone());
    }
    if let Some(id_token) = answer.id_token() {
        signed_in.id_token = Some(id_token.clone());
    }
}
