//! The demo's API: notes behind an access token, which it checks by asking the server about it.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use openidconnect::{AccessToken, IntrospectionUrl, TokenIntrospectionResponse, core::CoreTokenIntrospectionResponse};
use serde_json::json;

use super::{Demo, provider, tokens::introspect};

/// The scope that the API asks for.
pub(super) const SCOPE: &str = "notes.read";

/// Why the API does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    InsufficientScope,
    InvalidToken,
    NoToken,
    ServerUnreachable,
}

/// `GET /api/notes`
pub(super) async fn get_notes(demo: web::Data<Demo>, request: HttpRequest) -> HttpResponse {
    match authorize(&demo, &request).await {
        Ok(subject) => HttpResponse::Ok().json(json!({
            "of": subject,
            "notes": ["Water the plants", "Ask Grace about the compiler", "A token is not a password"],
        })),
        Err(refusal) => refuse(refusal),
    }
}

/// Whose notes may be read.
async fn authorize(demo: &Demo, request: &HttpRequest) -> Result<Option<String>, Refusal> {
    let token = bearer(request).ok_or(Refusal::NoToken)?;
    let endpoint = endpoint(demo).await.ok_or(Refusal::ServerUnreachable)?;
    let caller = request.peer_addr().map(|peer| peer.ip());
    let facts =
        introspect(demo, endpoint, (&token, caller), &demo.http).await.map_err(|_| Refusal::ServerUnreachable)?;
    decide(&facts, demo.settings.api_identifier.as_deref())
}

/// Whether what the server says of the token is enough.
fn decide(facts: &CoreTokenIntrospectionResponse, api: Option<&str>) -> Result<Option<String>, Refusal> {
    let for_us = match (api, facts.aud()) {
        (Some(api), Some(audience)) => audience.iter().any(|name| name == api),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if !facts.active() || !for_us {
        return Err(Refusal::InvalidToken);
    }
    let allowed = facts.scopes().is_some_and(|scopes| scopes.iter().any(|scope| scope.as_str() == SCOPE));
    if allowed { Ok(facts.sub().map(str::to_owned)) } else { Err(Refusal::InsufficientScope) }
}

fn bearer(request: &HttpRequest) -> Option<AccessToken> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| AccessToken::new(token.trim().to_owned()))
}

/// Asked for once; the server does not move while it runs.
async fn endpoint(demo: &Demo) -> Option<IntrospectionUrl> {
    let ask = || async { provider::introspection_endpoint(&demo.issuer, &demo.http).await.ok_or(()) };
    demo.introspection.get_or_try_init(ask).await.ok().cloned()
}

fn refuse(refusal: Refusal) -> HttpResponse {
    let (mut answer, challenge) = match refusal {
        // "If the request lacks any authentication information … the resource server SHOULD NOT include an error code or other error information." (RFC 6750 §3.1)
        Refusal::NoToken => (HttpResponse::Unauthorized(), r#"Bearer realm="notes""#.to_owned()),
        // "The resource SHOULD respond with the HTTP 401 (Unauthorized) status code." (RFC 6750 §3.1)
        Refusal::InvalidToken => (
            HttpResponse::Unauthorized(),
            r#"Bearer realm="notes", error="invalid_token", error_description="The token has ended or is not for this API.""#.to_owned(),
        ),
        // "The resource server SHOULD respond with the HTTP 403 (Forbidden) status code and MAY include the "scope" attribute" (RFC 6750 §3.1)
        Refusal::InsufficientScope => (
            HttpResponse::Forbidden(),
            format!(r#"Bearer realm="notes", error="insufficient_scope", error_description="This needs {SCOPE}.", scope="{SCOPE}""#),
        ),
        Refusal::ServerUnreachable => {
            return HttpResponse::BadGateway().json(json!({ "message": "The API cannot ask the server about the token." }));
        }
    };
    answer
        .insert_header((header::WWW_AUTHENTICATE, challenge))
        .json(json!({ "message": "The API does not answer without a token that allows it." }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn facts(json: &serde_json::Value) -> CoreTokenIntrospectionResponse {
        serde_json::from_value(json.clone()).unwrap()
    }

    #[test]
    fn a_token_for_this_api_with_the_scope_opens_it() {
        let facts = facts(&json!({ "active": true, "scope": "openid notes.read", "aud": "urn:notes", "sub": "alice" }));
        assert_eq!(decide(&facts, Some("urn:notes")), Ok(Some("alice".to_owned())));
        assert_eq!(decide(&facts, None), Ok(Some("alice".to_owned())));
    }

    #[test]
    fn a_token_that_has_ended_does_not() {
        assert_eq!(decide(&facts(&json!({ "active": false })), None), Err(Refusal::InvalidToken));
    }

    #[test]
    fn a_token_for_another_api_does_not() {
        let facts = facts(&json!({ "active": true, "scope": "notes.read", "aud": ["urn:mail"] }));
        assert_eq!(decide(&facts, Some("urn:notes")), Err(Refusal::InvalidToken));
    }

    #[test]
    fn a_token_without_the_scope_does_not() {
        let facts = facts(&json!({ "active": true, "scope": "openid notes.readwrite", "aud": ["urn:notes"] }));
        assert_eq!(decide(&facts, Some("urn:notes")), Err(Refusal::InsufficientScope));
    }

    #[test]
    fn each_refusal_has_its_status_and_challenge() {
        let seen = |refusal| {
            let answer = refuse(refusal);
            let challenge =
                answer.headers().get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), challenge.unwrap_or_default())
        };
        assert_eq!(seen(Refusal::NoToken), (401, r#"Bearer realm="notes""#.to_owned()));
        assert!(seen(Refusal::InvalidToken).1.contains(r#"error="invalid_token""#));
        assert_eq!(seen(Refusal::InsufficientScope).0, 403);
        assert!(seen(Refusal::InsufficientScope).1.ends_with(r#"scope="notes.read""#));
        assert_eq!(seen(Refusal::ServerUnreachable).0, 502);
    }
}
