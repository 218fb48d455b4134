//! What a call needs beyond a token that counts: scopes, and how and when its person has signed in.

use std::time::Duration;

use crate::access::Access;
use crate::denied::Reason;

/// A demand as a type, so that a handler's parameters say what its calls need:
///
/// ```
/// use grantor_resource_server::RequiredScope;
///
/// struct NotesRead;
///
/// impl RequiredScope for NotesRead {
///     const SCOPE: &str = "notes.read";
/// }
/// ```
pub trait RequiredScope {
    /// The scopes, all of which a token must have; several with a space between.
    const SCOPE: &str;
    /// How the person must have proved who they are: one of these `acr` values, the preferred ones first. None: in any way.
    const ACR_VALUES: &[&str] = &[];
    /// How long ago that may be.
    const MAX_AGE: Option<Duration> = None;
}

/// A demand as a value, for what only the call itself can tell: that an amount is large, say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    scope: String,
    acr_values: Vec<String>,
    max_age: Option<Duration>,
}

impl Demand {
    /// Of these scopes, with spaces between.
    pub fn scope(scope: impl Into<String>) -> Self {
        Self { scope: scope.into(), ..Self::default() }
    }

    /// What the type demands.
    pub fn of<R: RequiredScope>() -> Self {
        Self::scope(R::SCOPE).acr_values(R::ACR_VALUES).max_age(R::MAX_AGE)
    }

    /// And the person has signed in in one of these ways.
    #[must_use]
    pub fn acr_values(mut self, acr_values: &[&str]) -> Self {
        self.acr_values = acr_values.iter().map(|value| (*value).to_owned()).collect();
        self
    }

    /// And no longer ago than that.
    #[must_use]
    pub fn max_age(mut self, max_age: impl Into<Option<Duration>>) -> Self {
        self.max_age = max_age.into();
        self
    }

    /// Whether it is met at `now`; clocks may differ by `skew`.
    pub(crate) fn check(&self, access: &Access, skew: i64, now: i64) -> Result<(), Reason> {
        if !self.scope.split(' ').filter(|name| !name.is_empty()).all(|name| access.scope.has(name)) {
            return Err(Reason::InsufficientScope(self.scope.clone()));
        }
        let is_as_demanded = access.acr.as_ref().is_some_and(|acr| self.acr_values.contains(acr));
        let is_recent = |max_age: Duration| {
            let until = |time: i64| time.saturating_add(seconds(max_age)).saturating_add(skew);
            access.auth_time.is_some_and(|time| now <= until(time))
        };
        // "The authentication event associated with the access token presented with the request does not meet the authentication
        // requirements of the protected resource." (RFC 9470 §3)
        if (is_as_demanded || self.acr_values.is_empty()) && self.max_age.is_none_or(is_recent) {
            return Ok(());
        }
        Err(Reason::InsufficientAuthentication { acr_values: self.acr_values.join(" "), max_age: self.max_age })
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Scope;

    fn access() -> Access {
        let (scope, acr) = (Scope::new("notes.read notes.write"), Some("mfa".to_owned()));
        Access { scope, acr, auth_time: Some(1_000), ..Access::default() }
    }

    struct Transfer;

    impl RequiredScope for Transfer {
        const SCOPE: &str = "notes.read notes.write";
        const ACR_VALUES: &[&str] = &["passkey", "mfa"];
        const MAX_AGE: Option<Duration> = Some(Duration::from_mins(5));
    }

    #[test]
    fn every_scope_is_needed() {
        for met in ["", "notes.read", "notes.write notes.read", " notes.read "] {
            assert_eq!(Demand::scope(met).check(&access(), 10, 0), Ok(()), "{met:?}");
        }
        for unmet in ["notes", "notes.read mail.read", "NOTES.READ"] {
            assert_eq!(Demand::scope(unmet).check(&access(), 10, 0), Err(Reason::InsufficientScope(unmet.into())));
        }
    }

    #[test]
    fn a_sign_in_must_be_of_a_kind_and_recent() {
        let demand = Demand::of::<Transfer>();
        assert_eq!(demand.check(&access(), 10, 1_310), Ok(()));
        let too_late = demand.check(&access(), 10, 1_311);
        let max_age = Some(Duration::from_mins(5));
        assert_eq!(too_late, Err(Reason::InsufficientAuthentication { acr_values: "passkey mfa".into(), max_age }));
        for acr in [None, Some("pwd".to_owned()), Some(String::new())] {
            assert!(demand.check(&Access { acr, ..access() }, 10, 1_000).is_err());
        }
    }

    #[test]
    fn who_has_never_signed_in_meets_no_age() {
        let of_client = Access { auth_time: None, acr: None, ..access() };
        assert_eq!(Demand::scope("notes.read").check(&of_client, 10, 0), Ok(()));
        assert!(Demand::scope("").max_age(Duration::MAX).check(&of_client, 10, 0).is_err());
        assert_eq!(Demand::scope("").max_age(Duration::MAX).check(&access(), 10, i64::MAX), Ok(()));
    }
}
