//! Software statements: what somebody whom the operator trusts says of software (RFC 7591 §2.3).

use grantor_jose::algorithm::Algorithm;
use grantor_jose::verify::{Expected, TypRule, VerifyError, verify};
use serde::Deserialize;
use serde_json::Value;

use super::read::Members;
use super::{RegistrationPolicy, StatementIssuer};
use crate::error::Error;
use crate::policy::Lifetimes;
use crate::time::Time;

/// The claims of the token itself, which say nothing of the software.
const OWN: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

#[derive(Deserialize)]
struct Dates {
    exp: Option<i64>,
    nbf: Option<i64>,
}

/// What the request and its statement say together, and the statement as it was sent.
pub(super) fn merge(
    mut said: Members,
    policy: &RegistrationPolicy,
    (lifetimes, now): (&Lifetimes, Time),
) -> Result<(Members, Option<String>), Error> {
    let Some(statement) = said.remove("software_statement") else { return Ok((said, None)) };
    let Value::String(statement) = statement else { return Err(Error::SoftwareStatementInvalid) };
    let claims = open(&statement, &policy.software_statements)?;
    let dates: Dates =
        serde_json::from_value(Value::Object(claims.clone())).map_err(|_| Error::SoftwareStatementInvalid)?;
    let at = |moment: Option<i64>| moment.map(Time::from_seconds);
    let is_over = at(dates.exp).is_some_and(|exp| now >= exp.plus(lifetimes.clock_skew));
    if is_over || at(dates.nbf).is_some_and(|nbf| nbf > now.plus(lifetimes.clock_skew)) {
        return Err(Error::SoftwareStatementInvalid);
    }
    // "If the same client metadata name is present in both locations and the software statement is trusted by the authorization
    // server, the value of a claim in the software statement MUST take precedence." (RFC 7591 §2)
    // "If the software statement is valid and signed by an acceptable authority (such as the software API publisher), the values of
    // client metadata within the software statement MUST take precedence over those metadata values presented in the plain JSON
    // object, which could have been intercepted and modified." (RFC 7591 §5)
    // "client metadata values conveyed in the software statement MUST take precedence over those conveyed using plain JSON
    // elements." (RFC 7591 §3.1.1)
    let claims = claims.into_iter().filter(|(name, value)| !OWN.contains(&name.as_str()) && !value.is_null());
    said.extend(
        claims.filter(|(name, _)| !matches!(name.as_str(), "client_id" | "client_secret" | "software_statement")),
    );
    Ok((said, Some(statement)))
}

/// The claims of a statement whose issuer is trusted and has signed it.
fn open(statement: &str, trusted: &[StatementIssuer]) -> Result<Members, Error> {
    // "the software statement MUST be digitally signed or MACed using JSON Web Signature (JWS) [RFC7515] and MUST contain an "iss"
    // (issuer) claim denoting the party attesting to the claims in the software statement." (RFC 7591 §2.3)
    let expected = Expected { typ: TypRule::Any, algorithms: Algorithm::ALL };
    for StatementIssuer { issuer, jwks } in trusted {
        let verified = match verify(statement, &expected, jwks) {
            Ok(verified) => verified,
            Err(VerifyError::KeyUnknown | VerifyError::SignatureInvalid | VerifyError::KeysTooMany) => continue,
            Err(_) => return Err(Error::SoftwareStatementInvalid),
        };
        let claims: Members = verified.claims().map_err(|_| Error::SoftwareStatementInvalid)?;
        // Nobody signs for others.
        if claims.get("iss").and_then(Value::as_str) == Some(issuer) {
            return Ok(claims);
        }
    }
    // "The software statement presented is not approved for use by this authorization server." (RFC 7591 §3.2.2)
    let has_form = statement.split('.').count() == 3 && statement.len() <= grantor_jose::verify::MAX_TOKEN;
    Err(if has_form { Error::SoftwareStatementUnapproved } else { Error::SoftwareStatementInvalid })
}
