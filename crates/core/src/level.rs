//! Levels: how surely a person was known when they signed in.
//!
//! A session has one level, and its `acr` names it. A request may wish for some (`acr_values`, the claim `acr`), or need one of them
//! (the claim `acr`, essential). A session of a higher level does for a lower one: it is told by the value that was asked for.
//!
//! # What is reached, and how
//! * [`Level::Upstream`]: by an upstream of which nothing is believed but who the person is.
//! * [`Level::Password`]: by the password here.
//! * [`Level::TwoFactors`]: by the password, or an upstream, and a code of an authenticator app or a recovery code; or by an upstream
//!   that says so and is believed in that (`two_factors` of its declaration).
//! * [`Level::PhishingResistant`]: by an upstream that says so and is believed in that (`phishing_resistant`).
//!
//! A person who has an authenticator app gives a code whenever they sign in with their password. One who comes from an upstream
//! gives one where an app asks for more than the upstream has done.
//!
//! # What may be declined
//! A mere wish ([`is_wish`]) leaves the person the choice, whether they have a second factor or not: who is signed in goes on with the
//! session that there is, and the answer tells its level. What is essential, or the least that the app takes, is never left. Nor is the
//! code of a sign-in with a password: until then there is no session to go on with. Nor what is wished of a sign-in that the app has
//! asked for anew. All of it is decided by [`next_step`](crate::authorization::next_step).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claims::{ClaimRequest, ClaimsRequest};
use crate::directory::Directory;
use crate::session::Session;
use crate::upstream::UpstreamDefinition;

/// How surely a person was known; a later one is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// By an upstream: what that knows of the person is its own affair.
    Upstream,
    /// By a password.
    Password,
    /// By two factors.
    TwoFactors,
    /// By something that works at no other site than this.
    PhishingResistant,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 4] = [Self::Upstream, Self::Password, Self::TwoFactors, Self::PhishingResistant];

    /// The authentication context, as `acr` names it.
    // "An absolute URI or an RFC 6711 [RFC6711] registered name SHOULD be used as the "acr" value; registered names MUST NOT be
    // used with a different meaning than that which is registered." (OIDC Core §2)
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Upstream => "urn:grantor:acr:upstream",
            Self::Password => "urn:grantor:acr:password",
            Self::TwoFactors => "urn:grantor:acr:two-factors",
            Self::PhishingResistant => "urn:grantor:acr:phishing-resistant",
        }
    }

    /// The level of an authentication context, where it is one of ours.
    pub fn of_acr(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.acr() == acr)
    }

    /// The level of a sign-in at an upstream: the highest that it says and is believed in.
    pub fn of_upstream(upstream: &UpstreamDefinition, acr: Option<&str>, amr: &[String]) -> Self {
        let says = |believed: &[String]| {
            believed.iter().any(|value| acr == Some(value.as_str()) || amr.iter().any(|method| method == value))
        };
        if says(&upstream.phishing_resistant) {
            Self::PhishingResistant
        } else if says(&upstream.two_factors) {
            Self::TwoFactors
        } else {
            Self::Upstream
        }
    }

    /// What an upstream is asked for so that it reaches this level; nothing where it is not believed to.
    pub fn asked_of(self, upstream: &UpstreamDefinition) -> Vec<&str> {
        let (two, resistant) = (&upstream.two_factors, &upstream.phishing_resistant);
        let values: Vec<&String> = match self {
            Self::Upstream => Vec::new(),
            // Which is what is higher than a password.
            Self::Password | Self::TwoFactors => two.iter().chain(resistant).collect(),
            Self::PhishingResistant => resistant.iter().collect(),
        };
        values.into_iter().map(String::as_str).collect()
    }

    /// The levels that somebody can reach here, for the metadata.
    ///
    /// "The presence of acr_values_supported in the authorization server metadata document signals that the authorization server
    /// will understand and honor the acr_values and max_age parameters in incoming authorization requests." (RFC 9470 §7)
    pub fn reachable(directory: &Directory) -> Vec<Self> {
        let enabled = || directory.upstreams.values().filter(|upstream| !upstream.definition.disabled);
        let resistant = enabled().any(|upstream| !upstream.definition.phishing_resistant.is_empty());
        let upstream = enabled().next().is_some();
        [Self::Password, Self::TwoFactors]
            .into_iter()
            .chain(upstream.then_some(Self::Upstream))
            .chain(resistant.then_some(Self::PhishingResistant))
            .collect()
    }
}

/// What a request needs beyond the session that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// This level, which the person can reach now.
    Raise(Level),
    /// This level at least, which the person cannot reach now, and must.
    Beyond(Level),
}

/// The levels that a request asks for, the preferred one first; what is none of ours is left out.
fn asked(request: &ClaimRequest) -> impl Iterator<Item = Level> {
    let values = request.value.iter().chain(request.values.iter().flatten());
    let levels = values.filter(|value| request.accepts(value)).filter_map(Value::as_str).filter_map(Level::of_acr);
    levels.collect::<Vec<_>>().into_iter()
}

/// What an app and its request need beyond a session of this level, where the person could reach `reachable` by proving more: `least`
/// whatever the request says, and what it asks for.
pub fn need((claims, least): (&ClaimsRequest, Option<Level>), level: Level, reachable: Option<Level>) -> Need {
    match (need_of_request(claims, level, reachable), least.filter(|least| level < *least)) {
        (of_request, None) => of_request,
        (Need::Nothing, Some(least)) if reachable.is_some_and(|reachable| least <= reachable) => Need::Raise(least),
        (Need::Nothing, Some(least)) => Need::Beyond(least),
        (Need::Raise(wanted), Some(least)) if reachable < Some(least) => Need::Beyond(wanted.max(least)),
        (Need::Raise(wanted), Some(least)) => Need::Raise(wanted.max(least)),
        (Need::Beyond(wanted), Some(least)) => Need::Beyond(wanted.max(least)),
    }
}

fn need_of_request(claims: &ClaimsRequest, level: Level, reachable: Option<Level>) -> Need {
    let Some(request) = claims.id_token_claim("acr") else { return Need::Nothing };
    let in_reach = |wanted: &Level| *wanted <= level || reachable.is_some_and(|reachable| *wanted <= reachable);
    match asked(request).find(in_reach) {
        Some(wanted) if wanted <= level => Need::Nothing,
        // "an authorization server receiving a request containing the acr_values parameter MAY attempt to authenticate the user in a
        // manner that satisfies the requested authentication context class reference" (RFC 9470 §5)
        Some(wanted) => Need::Raise(wanted),
        // Less strict than RFC 9470 §5, which would have each wish fail that is not met: because "acr_values" is a voluntary wish,
        // and the answer says what it is. Who needs it asks for an essential claim.
        None if !request.essential => Need::Nothing,
        None => asked(request).min().map_or(Need::Nothing, Need::Beyond),
    }
}

/// Whether what an app and its request ask for beyond a session of this level is a mere wish: nothing of it is essential, and the app
/// takes this level.
pub fn is_wish((claims, least): (&ClaimsRequest, Option<Level>), level: Level) -> bool {
    let is_essential = claims.id_token_claim("acr").is_some_and(|request| request.essential);
    !is_essential && least.is_none_or(|least| least <= level)
}

/// The level that a request asks for, the preferred one, and no less than its app does.
pub fn wanted(claims: &ClaimsRequest, least: Option<Level>) -> Option<Level> {
    claims.id_token_claim("acr").and_then(|request| asked(request).next()).max(least)
}

/// Whether an app or its request asks for more than this session, so that it counts what else the person could prove.
pub fn asks_for_more(asked: (&ClaimsRequest, Option<Level>), session: &Session) -> bool {
    need(asked, session.level(), Some(Level::PhishingResistant)) != Need::Nothing
}

/// Whether any of the levels can be reached here that a request needs; so it is where it needs none.
pub(crate) fn can_be_met(claims: &ClaimsRequest, directory: &Directory) -> bool {
    let highest = Level::reachable(directory).into_iter().max();
    let Some(request) = claims.id_token_claim("acr").filter(|request| request.essential) else { return true };
    let names_none = request.value.is_none() && request.values.is_none();
    names_none || asked(request).any(|wanted| Some(wanted) <= highest)
}

/// The `acr` that an answer to a request tells of a session: of what was asked for, the first that the session does for; else its own.
///
/// "Authorization Server MUST return an acr Claim Value that matches one of the requested values." (OIDC Core §5.5.1.1)
pub(crate) fn told(claims: &ClaimsRequest, session: &Session) -> String {
    let asked = claims.id_token_claim("acr").into_iter().flat_map(asked).find(|wanted| *wanted <= session.level());
    asked.map_or_else(|| session.acr.clone(), |level| level.acr().to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::session::tests::session;
    use crate::time::Time;

    fn claims(request: &Value) -> ClaimsRequest {
        ClaimsRequest::parse(&json!({"id_token": {"acr": request}}).to_string()).unwrap()
    }

    fn values(levels: &[Level]) -> Vec<&'static str> {
        levels.iter().map(|level| level.acr()).collect()
    }

    fn of(level: Level) -> Session {
        Session { acr: level.acr().to_owned(), ..session(Time::default()) }
    }

    #[test]
    fn a_wish_is_met_where_the_person_can_and_left_where_not() {
        let wish = claims(&json!({"values": ["urn:x:gold", Level::TwoFactors.acr()]}));
        assert_eq!(need((&wish, None), Level::Password, Some(Level::TwoFactors)), Need::Raise(Level::TwoFactors));
        assert_eq!(need((&wish, None), Level::Password, None), Need::Nothing);
        assert_eq!(need((&wish, None), Level::PhishingResistant, None), Need::Nothing);
        assert_eq!(told(&wish, &of(Level::Password)), Level::Password.acr());
        assert_eq!(told(&wish, &of(Level::PhishingResistant)), Level::TwoFactors.acr());
    }

    #[test]
    fn what_is_essential_is_needed() {
        let need_of = |level, reachable| {
            need((&claims(&json!({"essential": true, "value": Level::TwoFactors.acr()})), None), level, reachable)
        };
        assert_eq!(need_of(Level::Upstream, None), Need::Beyond(Level::TwoFactors));
        assert_eq!(need_of(Level::Upstream, Some(Level::TwoFactors)), Need::Raise(Level::TwoFactors));
        assert_eq!(need_of(Level::TwoFactors, None), Need::Nothing);
        assert_eq!(need((&claims(&json!({"essential": true})), None), Level::Upstream, None), Need::Nothing);
    }

    #[test]
    fn a_wish_is_what_is_neither_essential_nor_the_least() {
        let values = [Level::TwoFactors.acr(), Level::Password.acr()];
        let (wish, needed) =
            (claims(&json!({"values": values})), claims(&json!({"essential": true, "values": values})));
        assert!(is_wish((&wish, None), Level::Password) && is_wish((&wish, Some(Level::Password)), Level::Password));
        assert!(!is_wish((&wish, Some(Level::TwoFactors)), Level::Password));
        assert!(!is_wish((&needed, None), Level::Password), "also where the session does for the last of its values");
    }

    #[test]
    fn what_an_app_needs_at_least_is_needed_whatever_its_request_says() {
        let wish = claims(&json!({"values": [Level::Password.acr()]}));
        let need_of = |least, reachable| need((&wish, Some(least)), Level::Password, reachable);
        assert_eq!(need_of(Level::Password, None), Need::Nothing);
        assert_eq!(need_of(Level::TwoFactors, None), Need::Beyond(Level::TwoFactors));
        assert_eq!(need_of(Level::TwoFactors, Some(Level::TwoFactors)), Need::Raise(Level::TwoFactors));
        assert_eq!(need_of(Level::PhishingResistant, Some(Level::TwoFactors)), Need::Beyond(Level::PhishingResistant));
    }

    #[test]
    fn an_upstream_is_believed_in_what_is_declared_and_nothing_else() {
        let upstream = |extra: Value| {
            let mut all = json!({"name": "corp", "kind": "oidc", "client_id": "a"});
            all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            serde_json::from_value::<UpstreamDefinition>(all).unwrap()
        };
        let amr = ["pwd".to_owned(), "mfa".to_owned()];
        assert_eq!(Level::of_upstream(&upstream(json!({})), Some("mfa"), &amr), Level::Upstream);
        let believed = upstream(json!({"two_factors": ["mfa"], "phishing_resistant": ["phr"]}));
        assert_eq!(Level::of_upstream(&believed, None, &amr), Level::TwoFactors);
        assert_eq!(Level::of_upstream(&believed, Some("phr"), &amr), Level::PhishingResistant);
        assert_eq!(Level::of_upstream(&believed, Some("MFA"), &[]), Level::Upstream);
        assert_eq!(Level::TwoFactors.asked_of(&believed), ["mfa", "phr"]);
        assert_eq!(Level::Password.asked_of(&believed), ["mfa", "phr"]);
        assert!(Level::Upstream.asked_of(&believed).is_empty());
    }

    fn any_level() -> impl Strategy<Value = Level> {
        prop::sample::select(Level::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn what_is_told_is_never_more_than_the_session(level in any_level(), wanted in prop::collection::vec(any_level(), 0..4)) {
            let told = told(&claims(&json!({"values": values(&wanted)})), &of(level));
            prop_assert!(Level::of_acr(&told).unwrap() <= level);
        }

        #[test]
        fn what_is_essential_and_told_is_one_of_what_was_asked_for(
            level in any_level(),
            wanted in prop::collection::vec(any_level(), 1..4),
            reachable in prop::option::of(any_level()),
        ) {
            let essential = claims(&json!({"essential": true, "values": values(&wanted)}));
            match need((&essential, None), level, reachable) {
                Need::Nothing => prop_assert!(values(&wanted).contains(&told(&essential, &of(level)).as_str())),
                Need::Raise(to) => prop_assert!(level < to && Some(to) <= reachable),
                Need::Beyond(to) => prop_assert!(level < to && reachable < Some(to)),
            }
        }
    }
}
