//! Request objects: the parameters of an authorization request as a JWT that the client signed (OIDC Core §6, RFC 9101).
//!
//! An object is read once, when the request arrives: what it says takes the place of what stands beside it, and the pages carry
//! the parameters that come of it. So it may expire while the person signs in. What it leaves out is taken from beside it, as
//! OpenID Connect has it, and so is not signed: `state` and `nonce` mostly.

use grantor_jose::algorithm::{Algorithm, AlgorithmUnknown};
use grantor_jose::verify::{Expected, TypRule, VerifyError, read_unsecured, verify};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::response_type::ResponseType;
use crate::client::Client;
use crate::client_auth::PublishedKeys;
use crate::error::Error;
use crate::params::{MAX_PARAMETERS, Params};
use crate::provider::Provider;
use crate::scope;
use crate::store::Store;
use crate::time::Time;

/// How a client's request objects are signed, as it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RequestObjectSigning {
    /// By this algorithm.
    By(Algorithm),
    /// Not at all, `none`: anybody can have made them.
    Nobody,
}

impl RequestObjectSigning {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::By(algorithm) => algorithm.as_str(),
            Self::Nobody => "none",
        }
    }
}

impl TryFrom<String> for RequestObjectSigning {
    type Error = AlgorithmUnknown;

    fn try_from(name: String) -> Result<Self, AlgorithmUnknown> {
        if name == "none" { Ok(Self::Nobody) } else { name.parse().map(Self::By) }
    }
}

impl From<RequestObjectSigning> for String {
    fn from(signing: RequestObjectSigning) -> Self {
        signing.as_str().to_owned()
    }
}

/// The claims of the JWT itself; the others are parameters.
const OF_THE_JWT: [&str; 7] = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"];

/// Verifies an object, and what it says of itself.
pub(super) fn read<S: Store>(
    provider: &Provider<S>,
    (client, keys): (&Client, Option<&PublishedKeys>),
    object: &str,
    now: Time,
) -> Result<Map<String, Value>, Error> {
    let claims = verified((client, keys), object, provider.policy.clients.allow_unsigned_request_objects)?;
    let about: About =
        serde_json::from_value(Value::Object(claims.clone())).map_err(|_| Error::RequestObjectInvalid)?;
    // "The "iss" value SHOULD be the Client ID of the RP, unless it was signed by a different party than the RP. The "aud" value
    // SHOULD be or include the OP's Issuer Identifier URL." (OIDC Core §6.1)
    let fits = about.iss.is_none_or(|iss| iss == client.client_id)
        && about.aud.is_none_or(|aud| aud.includes(provider.issuer.as_str()))
        && about.client_id.is_none_or(|client_id| client_id == client.client_id);
    // Stricter than OIDC Core: because what a client signs to prove who it is, with "sub", is no request (RFC 8725 §3.12).
    if !fits || about.sub.is_some_and(|sub| sub == client.client_id) {
        return Err(Error::RequestObjectMismatch);
    }
    let skew = provider.policy.lifetimes.clock_skew;
    // "The "exp" (expiration time) claim identifies the expiration time on or after which the JWT MUST NOT be accepted for
    // processing." (RFC 7519 §4.1.4)
    let is_over = about.exp.is_some_and(|exp| now >= Time::from_seconds(exp).plus(skew));
    // "The "nbf" (not before) claim identifies the time before which the JWT MUST NOT be accepted for processing."
    // (RFC 7519 §4.1.5)
    let is_ahead = |moment: Option<i64>| moment.is_some_and(|moment| Time::from_seconds(moment) > now.plus(skew));
    if is_over || is_ahead(about.nbf) || is_ahead(about.iat) {
        return Err(Error::RequestObjectExpired);
    }
    Ok(claims)
}

/// The claims of an object that is signed as the client is registered; with `unsigned_too`, those that nobody has signed count of
/// who is registered for no algorithm.
fn verified(
    (client, published): (&Client, Option<&PublishedKeys>),
    object: &str,
    unsigned_too: bool,
) -> Result<Map<String, Value>, Error> {
    let metadata = &client.metadata;
    // "the "alg" Header Parameter in the JOSE Header MUST match the value of the "request_object_signing_alg" set during Client
    // Registration [OpenID.Registration] or a value that was pre-registered by other means." (OIDC Core §6.3.2)
    let algorithms = match &metadata.request_object_signing_alg {
        Some(RequestObjectSigning::Nobody) if metadata.require_signed_request_object => &[],
        Some(RequestObjectSigning::Nobody) => {
            return read_unsecured(object, TYP).map_err(|_| Error::RequestObjectInvalid);
        }
        // "JWS [JWS] "alg" algorithm [JWA] that MUST be used for signing Request Objects sent to the OP. All Request Objects
        // from this Client MUST be rejected, if not signed with this algorithm. ... This algorithm MUST be used both when
        // the Request Object is passed by value (using the "request" parameter) and when it is passed by reference (using
        // the "request_uri" parameter)." (OIDC Registration §2)
        Some(RequestObjectSigning::By(algorithm)) => std::slice::from_ref(algorithm),
        // "The default, if omitted, is that any algorithm supported by the OP and the RP MAY be used." (OIDC Registration §2)
        None if unsigned_too && !metadata.require_signed_request_object => match read_unsecured(object, TYP) {
            Err(VerifyError::AlgorithmNotAllowed) => Algorithm::ALL,
            read => return read.map_err(|_| Error::RequestObjectInvalid),
        },
        // Stricter than OIDC Registration: because nobody has signed it, "none" has to be registered, unless the operator has said
        // otherwise.
        // "Servers SHOULD support "RS256"." (OIDC Registration §2)
        None => Algorithm::ALL,
    };
    let keys = client.public_keys(published).ok_or(match metadata.jwks_uri {
        Some(_) => Error::RequestObjectKeysUnreachable,
        None => Error::RequestObjectSignature,
    })?;
    // "The Authorization Server MUST return an error if signature validation fails." (OIDC Core §6.3.2)
    // "The signature MUST be validated against the appropriate key for that "client_id" and algorithm." (OIDC Core §6.3.2)
    let verified = verify(object, &Expected { typ: TYP, algorithms }, keys).map_err(|error| match error {
        VerifyError::AlgorithmNotAllowed => Error::RequestObjectAlgorithm,
        VerifyError::SignatureInvalid | VerifyError::KeyUnknown => Error::RequestObjectSignature,
        _ => Error::RequestObjectInvalid,
    })?;
    verified.claims().map_err(|_| Error::RequestObjectInvalid)
}

/// Its own type, or none that says another thing: access tokens and the like are no requests.
const TYP: TypRule = TypRule::JwtOr("oauth-authz-req+jwt");

/// What an object says of itself.
#[derive(Deserialize)]
struct About {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    client_id: Option<String>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn includes(&self, issuer: &str) -> bool {
        match self {
            Self::One(one) => one == issuer,
            Self::Many(many) => many.iter().any(|one| one == issuer),
        }
    }
}

/// "The Authorization Server MUST assemble the set of Authorization Request parameters to be used from the Request Object value
/// and the OAuth 2.0 Authorization Request parameters (minus the "request" or "request_uri" parameters). If the same parameter
/// exists both in the Request Object and the OAuth Authorization Request parameters, the parameter in the Request Object is
/// used." (OIDC Core §6.3.3) With `alone`, nothing is taken from beside the object but the client.
pub(super) fn assemble(outside: &Params, claims: &Map<String, Value>, alone: bool) -> Result<Params, Error> {
    // ""request" and "request_uri" parameters MUST NOT be included in Request Objects." (OIDC Core §6.1)
    if claims.contains_key("request") || claims.contains_key("request_uri") || claims.len() > MAX_PARAMETERS {
        return Err(Error::RequestObjectInvalid);
    }
    check_response_type(outside, claims)?;
    if !alone {
        check_scope(outside, claims)?;
    }
    // "The Authorization Server MUST assemble the set of Authorization Request parameters to be used from the Request Object
    // value and the OAuth 2.0 Authorization Request parameters (minus the "request" or "request_uri" parameters)."
    // (OIDC Core §6.3.3)
    let mut pairs = Vec::new();
    for (name, value) in claims.iter().filter(|(name, _)| !OF_THE_JWT.contains(&name.as_str())) {
        pairs.extend(texts(name, value)?.into_iter().map(|text| (name.clone(), text)));
    }
    let is_taken = |name: &str| !matches!(name, "request" | "request_uri") && (!alone || name == "client_id");
    let beside = outside.iter().filter(|(name, _)| is_taken(name) && !claims.contains_key(*name));
    pairs.extend(beside.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // As many as are read back after the sign-in.
    if pairs.len() > MAX_PARAMETERS {
        return Err(Error::RequestObjectInvalid);
    }
    Params::from_pairs(pairs).map_err(|_| Error::RequestObjectInvalid)
}

fn check_response_type(outside: &Params, claims: &Map<String, Value>) -> Result<(), Error> {
    // "values for the "response_type" and "client_id" parameters MUST be included using the OAuth 2.0 request syntax, since they
    // are REQUIRED by OAuth 2.0. The values for these parameters MUST match those in the Request Object, if present."
    // (OIDC Core §6.1)
    // "So that the request is a valid OAuth 2.0 Authorization Request, values for the "response_type" and "client_id" parameters
    // MUST be included using the OAuth 2.0 request syntax, since they are REQUIRED by OAuth 2.0." (OIDC Core §6.2)
    // Laxer than OIDC Core: without "response_type" outside, that of the object counts, as RFC 9101 §5 has it.
    // "The values for these parameters MUST match those in the Request Object, if present." (OIDC Core §6.2)
    let (Some(outside), Some(inside)) = (outside.get("response_type"), claims.get("response_type")) else {
        return Ok(());
    };
    let inside = inside.as_str().unwrap_or_default();
    let kind = |text: &str| text.parse::<ResponseType>().ok();
    let is_same = outside == inside || kind(outside).is_some_and(|outside| kind(inside) == Some(outside));
    if is_same { Ok(()) } else { Err(Error::RequestObjectMismatch) }
}

/// What OAuth is told beside the object, and OpenID Connect inside, is one request.
fn check_scope(outside: &Params, claims: &Map<String, Value>) -> Result<(), Error> {
    // "Even if a "scope" parameter is present in the Request Object value, a "scope" parameter MUST always be passed using the OAuth
    // 2.0 request syntax containing the "openid" scope value to indicate to the underlying OAuth 2.0 logic that this is an OpenID
    // Connect request." (OIDC Core §6.1)
    // "Even if a "scope" parameter is present in the referenced Request Object, a "scope" parameter MUST always be passed using the
    // OAuth 2.0 request syntax containing the "openid" scope value to indicate to the underlying OAuth 2.0 logic that this is an
    // OpenID Connect request." (OIDC Core §6.2)
    // Laxer than OIDC Core: without "scope" outside, that of the object counts, as RFC 9101 §5 has it.
    let inside = claims.get("scope").and_then(Value::as_str).is_some_and(scope::is_openid);
    let fits = !inside || outside.get("scope").is_none_or(scope::is_openid);
    if fits { Ok(()) } else { Err(Error::RequestObjectMismatch) }
}

/// A member as the parameter it stands for; several values for those that may stand more than once.
fn texts(name: &str, value: &Value) -> Result<Vec<String>, Error> {
    let texts = match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(_) | Value::Bool(_) | Value::Object(_) => vec![value.to_string()],
        Value::Array(values) if name == "resource" => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or(Error::RequestObjectInvalid)?
        }
        Value::Array(_) | Value::Null => return Err(Error::RequestObjectInvalid),
    };
    // As in any other request, a null character cannot be read.
    if texts.iter().any(|text| text.contains('\0')) { Err(Error::RequestObjectInvalid) } else { Ok(texts) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn assembled(outside: &str, claims: &Value) -> Result<Vec<(String, String)>, &'static str> {
        let params = Params::parse(outside.as_bytes()).unwrap();
        let assembled = assemble(&params, claims.as_object().unwrap(), false).map_err(|error| error.reason())?;
        Ok(assembled.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn what_the_object_says_takes_the_place_of_what_stands_beside_it() {
        let claims = json!({"iss": "wiki", "scope": "openid", "max_age": 5, "resource": ["https://a", "https://b"]});
        let pairs = assembled("scope=openid+admin&state=x&resource=https%3A%2F%2Fevil&request=a.b.c", &claims).unwrap();
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["max_age=5", "resource=https://a", "resource=https://b", "scope=openid", "state=x"]);
    }

    #[test]
    fn of_an_app_that_always_signs_nothing_else_counts() {
        let params = Params::parse(b"client_id=wiki&scope=admin&state=x").unwrap();
        let claims = json!({"scope": "openid"});
        let assembled = assemble(&params, claims.as_object().unwrap(), true).unwrap();
        assert_eq!(assembled.to_query(), "scope=openid&client_id=wiki");
    }

    #[test]
    fn response_types_agree() {
        let claims = json!({"response_type": "code id_token"});
        assert!(assembled("response_type=id_token+code", &claims).is_ok());
        assert!(assembled("", &claims).is_ok());
        assert_eq!(assembled("response_type=code", &claims), Err("RequestObjectMismatch"));
        assert_eq!(assembled("response_type=code", &json!({"response_type": 1})), Err("RequestObjectMismatch"));
    }

    #[test]
    fn scopes_agree_on_whether_it_is_an_openid_request() {
        let verdict = |outside: &str, inside: &str| assembled(outside, &json!({ "scope": inside })).map(drop);
        for (outside, inside) in [
            ("", "openid"),
            ("scope=openid", "openid x"),
            ("scope=x+openid", "openid"),
            ("scope=x", "y"),
            ("scope=openid", "y"),
        ] {
            assert_eq!(verdict(outside, inside), Ok(()), "{outside} beside {inside}");
        }
        for outside in ["scope=x", "scope=openidx", "scope=OPENID"] {
            assert_eq!(verdict(outside, "openid x"), Err("RequestObjectMismatch"), "{outside}");
        }
    }

    #[test]
    fn no_object_stands_in_an_object() {
        for claims in [json!({"request": "a.b.c"}), json!({"request_uri": "urn:x"}), json!({"state": "a\u{0}b"})] {
            assert_eq!(assembled("", &claims), Err("RequestObjectInvalid"), "{claims}");
        }
        for claims in [json!({"state": null}), json!({"scope": ["openid"]}), json!({"resource": [1]})] {
            assert_eq!(assembled("", &claims), Err("RequestObjectInvalid"), "{claims}");
        }
    }

    #[test]
    fn the_registered_algorithm_is_read_and_written_by_its_name() {
        let read = |text: &str| serde_json::from_value::<RequestObjectSigning>(json!(text)).ok();
        assert_eq!(read("none"), Some(RequestObjectSigning::Nobody));
        assert_eq!(read("ES256"), Some(RequestObjectSigning::By(Algorithm::Es256)));
        assert_eq!(serde_json::to_value(RequestObjectSigning::Nobody).unwrap(), "none");
        assert!(["None", "HS256", ""].into_iter().all(|text| read(text).is_none()));
    }

    proptest! {
        /// Whatever stands beside it: a parameter of the object is never another one.
        #[test]
        fn nothing_beside_an_object_changes_it(outside in "(scope=[a-z]{1,3}&|state=[a-z]{1,3}&){0,1}", scope in "[a-z]{1,5}") {
            let pairs = assembled(&outside, &json!({"scope": scope})).unwrap();
            let scopes: Vec<&str> = pairs.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str()).collect();
            prop_assert_eq!(scopes, [scope.as_str()]);
        }
    }
}
