//! Changes: the only way anything is written. A decision returns them as values; the store applies all of them or none.

use grantor_jose::id::Id;
use grantor_jose::secret::SecretHash;

use crate::api_token::watch::Watch;
use crate::api_token::{ApiToken, ApiTokenEnd, LastUse, Owner, Rotation};
use crate::audit::Event;
use crate::backchannel_logout::NoticeChange;
use crate::client::Client;
use crate::consent::Consent;
use crate::directory::{Group, Resource, ScopeDefinition};
use crate::forward_auth::ProxiedApp;
use crate::grant::{AccessToken, AuthorizationCode, Grant, GrantEnd, RefreshToken};
use crate::grant_type::GrantType;
use crate::key::KeyRecord;
use crate::notice::Notice;
use crate::outbox::OutboxChange;
use crate::registration::RegistrationChange;
use crate::second_factor::SecondFactorChange;
use crate::session::Session;
use crate::time::Time;
use crate::upstream::UpstreamChange;
use crate::usage::Usage;
use crate::user::User;

/// The grants that one change ends together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantsOf {
    /// Those of one client.
    Client(String),
    /// Those given in one session that do not outlive it (see [`Grant::outlives_session`]).
    Session(Id),
    /// Those of one person.
    User(Id),
    /// Those of one person for one client.
    UserAndClient(Id, String),
    /// Those given in one session, also those that outlive it: for a session that somebody else may have used.
    WholeSession(Id),
    /// Those of one person given in any session but this, that do not outlive theirs.
    UserExceptSession(Id, Id),
}

/// One change to what is kept. An expectation that does not hold makes the whole commit a `Conflict`.
#[derive(Clone, Debug)]
pub enum Change {
    /// Expects that an access token was not revoked before its time. Changes nothing.
    AccessTokenExpect {
        /// The token's identifier.
        id: Id,
    },
    /// Keeps an opaque access token.
    AccessTokenInsert(Box<AccessToken>),
    /// Notes that a token ends before its time, until it would have expired.
    AccessTokenRevoke {
        /// The token's identifier.
        id: Id,
        /// Until when the note is needed.
        expires_at: Time,
    },
    /// Changes name, scopes, API, networks and end of an API token. Expects the secret that was read.
    ApiTokenAmend(Box<ApiToken>),
    /// Ends an API token. Expects that it has not ended.
    ApiTokenEnd {
        /// The token.
        id: Id,
        /// When.
        at: Time,
        /// Why.
        end: ApiTokenEnd,
    },
    /// Keeps an API token. Expects that there is none with this identifier.
    ApiTokenInsert(Box<ApiToken>),
    /// Gives an API token a new secret. Expects the secret that was read, and that the token has not ended.
    ApiTokenRotate {
        /// The token.
        id: Id,
        /// What it changes.
        rotation: Rotation,
    },
    /// Expects that fewer tokens of an owner count than this, until the set is committed. Changes nothing.
    ApiTokensExpect {
        /// The owner.
        owner: Owner,
        /// When they count.
        at: Time,
        /// How many there may be, with one more.
        fewer_than: usize,
    },
    /// Notes that an API token was used, unless a later use is known.
    ApiTokenUsed {
        /// The token.
        id: Id,
        /// When and from where.
        last_use: LastUse,
    },
    /// Keeps what is known of an API token beside itself. Expects what was read.
    ApiTokenWatchPut {
        /// The revision that was read; none where there was none.
        expected: Option<i64>,
        /// What is known now.
        watch: Box<Watch>,
    },
    /// Notes the use of a client assertion, or of whatever else counts once. Expects that it was not used before.
    AssertionSpend {
        /// SHA-256 over what names it: client and `jti`.
        digest: [u8; 32],
        /// Until when the note is needed.
        expires_at: Time,
    },
    /// Counts failed sign-ins in a slot. Expects that the row still is as it was read, so that of many guesses at once each
    /// one counts.
    AttemptsPut {
        /// Failures and start of the window as they were read; none when there was no row.
        expected: Option<(i64, Time)>,
        /// The slot: 65536 for accounts, as many for addresses, then as many for known browsers, then for codes.
        slot: i64,
        /// How many failed.
        failures: i64,
        /// Since when.
        window_started: Time,
    },
    /// Expects that a client is still the one that was read, and is not switched off. Changes nothing.
    ClientExpect {
        /// The client.
        client_id: String,
        /// When it was changed last.
        updated_at: Time,
    },
    /// Declares or changes a client.
    ClientPut(Box<Client>),
    /// Removes a client with its grants and consents.
    ClientRemove(String),
    /// Keeps an authorization code.
    CodeInsert(Box<AuthorizationCode>),
    /// Spends a code. Expects exactly one unspent row.
    CodeSpend {
        /// The code.
        id: Id,
        /// When.
        at: Time,
    },
    /// Expects that a person's answer about an app is still the one that was read. Changes nothing.
    ConsentExpect {
        /// The person.
        user_id: Id,
        /// The app.
        client_id: String,
        /// When the person answered.
        updated_at: Time,
    },
    /// Remembers a person's answer about an app. Expects that the one before is still the one that was read.
    ConsentPut {
        /// The answer.
        consent: Box<Consent>,
        /// When the person answered before; none when they had not.
        expected: Option<Time>,
    },
    /// Forgets a person's answer about an app.
    ConsentRemove {
        /// The person.
        user_id: Id,
        /// The app.
        client_id: String,
    },
    /// Expects that clients, scopes, APIs and keys are still those that were read. Changes nothing.
    DirectoryExpect {
        /// The revision of the snapshot.
        revision: i64,
    },
    /// Begins a new epoch, as after a restore: nothing that was issued before counts any more. Codes, opaque access tokens and
    /// signing keys go, sessions and grants end, the root secret is another one, and assertions of before are refused. The
    /// keys that sign from now on come later in the same set. Counts of failed sign-ins go, too: their slots follow from the
    /// secret.
    EpochBegin {
        /// When.
        at: Time,
    },
    /// Records a security event.
    EventInsert(Box<Event>),
    /// Ends a grant. Expects that it has not ended, so that of many at once one ends it and notes why.
    GrantEnd {
        /// The grant.
        id: Id,
        /// When.
        at: Time,
        /// Why.
        end: GrantEnd,
    },
    /// Expects that a grant has not ended. Changes nothing.
    GrantExpect {
        /// The grant.
        id: Id,
    },
    /// Keeps a grant.
    GrantInsert(Box<Grant>),
    /// Ends several grants, those that have not ended.
    GrantsEnd {
        /// Which.
        of: GrantsOf,
        /// When.
        at: Time,
        /// Why.
        end: GrantEnd,
    },
    /// Lets the grants that were given in one session hang on another one of the same person.
    GrantsMove {
        /// The session that ends.
        from: Id,
        /// The one that follows it.
        to: Id,
    },
    /// Declares or changes a group.
    GroupPut(Box<Group>),
    /// Removes what is declared of a group.
    GroupRemove(String),
    /// Keeps a signing key or its new dates.
    KeyPut(Box<KeyRecord>),
    /// Removes a signing key.
    KeyRemove(Id),
    /// What becomes of what apps are told of ends of sessions.
    LogoutNotice(NoticeChange),
    /// Takes a notice from its person's account, unless it is gone.
    NoticeDismiss {
        /// The notice.
        id: Id,
        /// Whose it is; nobody dismisses those of others.
        user_id: Id,
        /// When.
        at: Time,
    },
    /// Keeps a notice in its person's account.
    NoticeInsert(Box<Notice>),
    /// What becomes of a message in the outbox.
    Outbox(OutboxChange),
    /// Declares or changes an app behind a proxy.
    ProxiedAppPut(Box<ProxiedApp>),
    /// Removes an app behind a proxy.
    ProxiedAppRemove(String),
    /// Keeps a grant's first refresh token.
    RefreshTokenInsert(Box<RefreshToken>),
    /// Replaces a refresh token by its successor. Expects exactly one row of `generation`.
    RefreshTokenRotate {
        /// The grant.
        grant_id: Id,
        /// The generation presented.
        generation: u32,
        /// The hash of the successor's secret.
        successor: SecretHash,
        /// When.
        at: Time,
        /// Until when the successor can be used if it is not.
        idle_expires_at: Time,
    },
    /// What is kept of clients that register themselves.
    Registration(RegistrationChange),
    /// Records a refusal in a ring of fixed size, so that strangers cannot fill the database.
    RefusalInsert(Box<Event>),
    /// Declares or changes an API.
    ResourcePut(Box<Resource>),
    /// Removes an API.
    ResourceRemove(String),
    /// Declares or changes a scope.
    ScopePut(Box<ScopeDefinition>),
    /// Removes a scope.
    ScopeRemove(String),
    /// What is kept of people's second factors.
    SecondFactor(SecondFactorChange),
    /// Ends a session, unless it has ended.
    SessionEnd {
        /// The session.
        id: Id,
        /// When.
        at: Time,
    },
    /// Expects that a session has not ended. Changes nothing.
    SessionExpect {
        /// The session.
        id: Id,
    },
    /// Keeps a session.
    SessionInsert(Box<Session>),
    /// Notes that a session was used.
    SessionSeen {
        /// The session.
        id: Id,
        /// When.
        at: Time,
    },
    /// Ends all sessions of a person, one excepted.
    SessionsEnd {
        /// The person.
        user_id: Id,
        /// The session that stays.
        except: Option<Id>,
        /// When.
        at: Time,
    },
    /// Adds to the count of tokens issued.
    TokensCount {
        /// Whole days since 1970.
        day: i64,
        /// The client.
        client_id: String,
        /// By which grant.
        grant_type: GrantType,
        /// How many more.
        issued: i64,
    },
    /// Writes what is kept of upstreams.
    Upstream(UpstreamChange),
    /// Adds to what is known of uses. Expects that the person is there.
    UsageAdd(Box<Usage>),
    /// Expects that a person may sign in with the password whose hash was read. Changes nothing.
    UserExpect {
        /// The person.
        id: Id,
        /// The hash in PHC text.
        password: String,
    },
    /// Expects that a person is there and not switched off. Changes nothing.
    UserMayEnter {
        /// The person.
        id: Id,
        /// Whether they must have no password, too: somebody may have set one since it was read.
        without_password: bool,
    },
    /// Expects that what is declared of a person is still what was read. Changes nothing.
    UserExpectUnchanged {
        /// The person.
        id: Id,
        /// When their account was changed last.
        updated_at: Time,
    },
    /// Keeps a new hash of a person's password.
    UserPassword {
        /// The person.
        id: Id,
        /// The hash in PHC text.
        password: String,
    },
    /// Makes or changes a person's account. Expects that no other account has the username.
    UserPut(Box<User>),
    /// Removes a person with everything that hangs on them.
    UserRemove(Id),
    /// Keeps a name from those who make accounts for themselves; one that is kept already stays so.
    UsernameRetire {
        /// The keyed hash of the name.
        digest: [u8; 32],
        /// When.
        at: Time,
    },
}

impl From<RegistrationChange> for Change {
    fn from(change: RegistrationChange) -> Self {
        Self::Registration(change)
    }
}

impl From<SecondFactorChange> for Change {
    fn from(change: SecondFactorChange) -> Self {
        Self::SecondFactor(change)
    }
}

impl From<UpstreamChange> for Change {
    fn from(change: UpstreamChange) -> Self {
        Self::Upstream(change)
    }
}
