//! The catalogue of events: what each kind carries, and of which type. Kinds and their sentences stand in [`super`]; they are only
//! ever added to, so that whoever reads events need not be changed.

use super::{Event, EventKind};

/// What an event can carry beside its identifier, its moment and its kind, which all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The address it came from.
    Address,
    /// The client concerned.
    ClientId,
    /// What else helps to understand it.
    Detail,
    /// The named reason.
    Reason,
    /// The person concerned.
    UserId,
}

impl Field {
    /// Every field, in the order of their names.
    pub const ALL: [Self; 5] = [Self::Address, Self::ClientId, Self::Detail, Self::Reason, Self::UserId];

    /// The name in rows and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::ClientId => "client_id",
            Self::Detail => "detail",
            Self::Reason => "reason",
            Self::UserId => "user_id",
        }
    }

    /// What its values are.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Address => "an IP address",
            Self::ClientId => "a client identifier",
            Self::Detail => "text on one line, of 200 characters at most",
            Self::Reason => "a word",
            Self::UserId => "an identifier of 11 letters and digits",
        }
    }

    const fn is_in(self, event: &Event) -> bool {
        match self {
            Self::Address => event.address.is_some(),
            Self::ClientId => event.client_id.is_some(),
            Self::Detail => event.detail.is_some(),
            Self::Reason => event.reason.is_some(),
            Self::UserId => event.user_id.is_some(),
        }
    }
}

/// A field that events of one kind carry.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// Which.
    pub field: Field,
    /// Whether each event of the kind has it.
    pub always: bool,
    /// What it means in this kind.
    pub meaning: &'static str,
}

const fn always(field: Field, meaning: &'static str) -> Carried {
    Carried { field, always: true, meaning }
}

const fn sometimes(field: Field, meaning: &'static str) -> Carried {
    Carried { field, always: false, meaning }
}

/// An API token: its owner, and from where it was done, which commands do not say.
const OF_KEY: Carried = sometimes(Field::ClientId, "the app whose key it is, or that did it for the person");
const THEIR_KEY: Carried = sometimes(Field::ClientId, "the app whose key it is");
const OF_TOKEN: Carried = sometimes(Field::UserId, "the person whose token it is");
const FROM: Carried = sometimes(Field::Address, "who did it, unless by a command");

const APP: Carried = always(Field::ClientId, "the app");
const PERSON: Carried = always(Field::UserId, "the person");
const BROWSER: Carried = always(Field::Address, "the browser");
const ACTOR: Carried = always(Field::Address, "who did it");
const CHANGED: Carried = always(Field::Detail, "what was changed");
const FINDER: Carried = sometimes(Field::Detail, "who found it, and where");
const REFUSAL: Carried = always(Field::Reason, "why, by the name of the refusal");

const REFUSED: &[Carried] = &[
    REFUSAL,
    sometimes(Field::ClientId, "the app that it claims to be, proven or not"),
    sometimes(Field::UserId, "the person whose limit is met"),
    always(Field::Address, "who asked"),
    sometimes(Field::Detail, "what the database said, or how many were refused"),
];
const API_TOKEN_CHANGED: &[Carried] =
    &[always(Field::ClientId, "the app whose key it is"), always(Field::Detail, "app, name, and what was changed")];
const API_TOKEN_ENDED: &[Carried] = &[
    always(Field::Reason, "leaked, revoked_by_administrator or revoked_by_owner"),
    OF_KEY,
    OF_TOKEN,
    FROM,
    always(Field::Detail, "the beginning of the token; who found it, and where"),
];
const API_TOKEN_ISSUED: &[Carried] =
    &[OF_KEY, OF_TOKEN, FROM, always(Field::Detail, "the beginning of the token, and its scopes")];
const API_TOKEN_ROTATED: &[Carried] = &[OF_KEY, OF_TOKEN, FROM, always(Field::Detail, "the beginning of the token")];
const API_TOKEN_EXPIRES: &[Carried] = &[THEIR_KEY, OF_TOKEN, always(Field::Detail, "the beginning of the token")];
const API_TOKEN_USED_ELSEWHERE: &[Carried] = &[
    THEIR_KEY,
    OF_TOKEN,
    always(Field::Address, "who used it, as the API or the proxy tells"),
    always(Field::Detail, "the beginning of the token"),
];
const APP_ENTERED: &[Carried] = &[PERSON, BROWSER, always(Field::Detail, "the origin of the app")];
const CLIENT_CHANGED: &[Carried] =
    &[APP, sometimes(Field::Address, "the app itself, where it registered itself"), CHANGED];
const CLIENT_REGISTERED: &[Carried] =
    &[APP, ACTOR, sometimes(Field::Detail, "the beginning of the initial access token, and what it is for")];
const INITIAL_TOKEN_CHANGED: &[Carried] = &[
    always(Field::Reason, "leaked, made or revoked"),
    always(Field::Detail, "the beginning of the token, what it is for, and for how many apps; who found it, and where"),
];
const CONSENT_GIVEN: &[Carried] = &[APP, PERSON, BROWSER, always(Field::Detail, "the scopes that were allowed")];
const DATABASE_RESTORED: &[Carried] = &[always(Field::Detail, "of when the backup is")];
const FETCH_REFUSED: &[Carried] = &[
    REFUSAL,
    sometimes(Field::ClientId, "the app that named the server"),
    sometimes(Field::Address, "who registers the app that named it"),
    always(Field::Detail, "the server, and why in words"),
];
const GRANT_ENDED: &[Carried] = &[
    always(Field::Reason, "code_replayed, leaked, refresh_token_reused, revoked_by_client or revoked_by_user"),
    APP,
    PERSON,
    ACTOR,
    FINDER,
];
const GROUP_CHANGED: &[Carried] = &[always(Field::Detail, "the group, and what was changed")];
const KEY_CHANGED: &[Carried] =
    &[always(Field::Reason, "what became of it, in a word"), always(Field::Detail, "algorithm and kid")];
const LOGOUT_DELIVERED: &[Carried] = &[APP, PERSON, always(Field::Detail, "the session, as the app knows it")];
const LOGOUT_FAILED: &[Carried] = &[
    always(Field::Reason, "given_up or refused"),
    APP,
    PERSON,
    always(Field::Detail, "the session, as the app knows it, and what the app answered"),
];
const PROXIED_APP_CHANGED: &[Carried] = &[always(Field::Detail, "the app, and what was changed")];
const RESOURCE_CHANGED: &[Carried] = &[always(Field::Detail, "the scope or the API, and what was changed")];
const RECOVERY_CODE_USED: &[Carried] = &[PERSON, BROWSER, always(Field::Detail, "how many are left")];
const SECOND_FACTOR_REMOVED: &[Carried] = &[
    PERSON,
    sometimes(Field::Address, "the browser, unless by a command"),
    sometimes(Field::Detail, "that a command did it"),
];
const SIGN_IN_FAILED: &[Carried] = &[
    sometimes(
        Field::Reason,
        "UserNetwork, where only the network was wrong; SecondFactorWrong, where the password was right; why an upstream was not believed",
    ),
    sometimes(Field::UserId, "the person, where the name is somebody's"),
    BROWSER,
    sometimes(Field::Detail, "the upstream, and what was wrong with its answer"),
];
const SIGN_IN_SUCCEEDED: &[Carried] =
    &[PERSON, BROWSER, sometimes(Field::Detail, "the upstream, where one has proved who it is")];
const SIGNED_OUT: &[Carried] = &[
    sometimes(Field::Reason, "leaked, where the session's cookie was found"),
    PERSON,
    ACTOR,
    sometimes(Field::Detail, "which sessions, where it is not this one; who found the cookie, and where"),
];
const TOKEN_REVOKED: &[Carried] = &[
    sometimes(Field::Reason, "leaked, where it was found in public"),
    sometimes(Field::ClientId, "the app that had it"),
    sometimes(Field::UserId, "the person whom it spoke for"),
    ACTOR,
    FINDER,
];
const UPSTREAM_CHANGED: &[Carried] = &[always(Field::Detail, "the upstream, and what was changed")];
const UPSTREAM_LINKED: &[Carried] =
    &[PERSON, BROWSER, always(Field::Detail, "the upstream, who the person is there, and how it was proven")];
const UPSTREAM_UNLINKED: &[Carried] =
    &[PERSON, BROWSER, always(Field::Detail, "the upstream, and who the person is there")];
const USER_CHANGED: &[Carried] = &[
    PERSON,
    sometimes(Field::Address, "the browser, where somebody came from an upstream or made the account"),
    CHANGED,
];

/// What events of a kind carry.
pub const fn carried(kind: EventKind) -> &'static [Carried] {
    match kind {
        EventKind::Refused => REFUSED,
        EventKind::ApiTokenChanged => API_TOKEN_CHANGED,
        EventKind::ApiTokenEnded => API_TOKEN_ENDED,
        EventKind::ApiTokenExpires => API_TOKEN_EXPIRES,
        EventKind::ApiTokenIssued => API_TOKEN_ISSUED,
        EventKind::ApiTokenRotated => API_TOKEN_ROTATED,
        EventKind::ApiTokenUsedElsewhere => API_TOKEN_USED_ELSEWHERE,
        EventKind::AppEntered => APP_ENTERED,
        EventKind::ClientChanged => CLIENT_CHANGED,
        EventKind::ClientRegistered => CLIENT_REGISTERED,
        EventKind::InitialTokenChanged => INITIAL_TOKEN_CHANGED,
        EventKind::ConsentGiven => CONSENT_GIVEN,
        EventKind::ConsentDenied => &[APP, PERSON, BROWSER],
        EventKind::DatabaseRestored => DATABASE_RESTORED,
        EventKind::EpochBegun => &[],
        EventKind::FetchRefused => FETCH_REFUSED,
        EventKind::GrantEnded => GRANT_ENDED,
        EventKind::GroupChanged => GROUP_CHANGED,
        EventKind::KeyChanged => KEY_CHANGED,
        EventKind::LogoutDelivered => LOGOUT_DELIVERED,
        EventKind::LogoutFailed => LOGOUT_FAILED,
        EventKind::ProxiedAppChanged => PROXIED_APP_CHANGED,
        EventKind::ResourceChanged => RESOURCE_CHANGED,
        EventKind::RecoveryCodeUsed => RECOVERY_CODE_USED,
        EventKind::RecoveryCodesMade | EventKind::SecondFactorAdded => &[PERSON, BROWSER],
        EventKind::SecondFactorRemoved => SECOND_FACTOR_REMOVED,
        EventKind::SignInFailed => SIGN_IN_FAILED,
        EventKind::SignInSucceeded => SIGN_IN_SUCCEEDED,
        EventKind::SignInThrottled => &[BROWSER],
        EventKind::SignedOut => SIGNED_OUT,
        EventKind::TokenRevoked => TOKEN_REVOKED,
        EventKind::UpstreamChanged => UPSTREAM_CHANGED,
        EventKind::UpstreamLinked => UPSTREAM_LINKED,
        EventKind::UpstreamUnlinked => UPSTREAM_UNLINKED,
        EventKind::UserChanged => USER_CHANGED,
    }
}

/// A field that an event has and its kind does not carry, or the other way round; none where the event is as the catalogue says.
pub fn misfit(event: &Event) -> Option<Field> {
    let carried = carried(event.kind);
    let entry = |field: Field| carried.iter().find(|carried| carried.field == field);
    Field::ALL.into_iter().find(|field| match entry(*field) {
        Some(carried) => carried.always && !field.is_in(event),
        None => field.is_in(event),
    })
}

#[cfg(test)]
mod tests {
    use grantor_jose::id::Id;

    use super::*;
    use crate::time::Time;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_a_sentence() {
        for (place, kind) in EventKind::ALL.iter().enumerate() {
            let name = kind.as_str();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(EventKind::ALL[..place].iter().all(|other| other.as_str() != name), "{name}");
            assert!(kind.sentence().ends_with('.') && !kind.sentence().starts_with(' '), "{name}");
            let fields: Vec<&str> = carried(*kind).iter().map(|carried| carried.field.name()).collect();
            assert!(fields.iter().enumerate().all(|(at, name)| !fields[..at].contains(name)), "{name}: {fields:?}");
        }
    }

    #[test]
    fn an_event_that_says_more_or_less_than_its_kind_does_not_fit() {
        let event = || Event::new(Id::from_i64(1), Time::default(), EventKind::SignInSucceeded);
        assert_eq!(misfit(&event().user(Id::from_i64(7)).address("::1")), None);
        assert_eq!(misfit(&event().user(Id::from_i64(7))), Some(Field::Address));
        assert_eq!(misfit(&event().user(Id::from_i64(7)).address("::1").client("wiki")), Some(Field::ClientId));
    }
}
