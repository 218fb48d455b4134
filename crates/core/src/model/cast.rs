//! Who plays: two people, two apps, two APIs, and the authorizations that may be asked for.

use std::sync::{Arc, LazyLock};

use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::key::SigningKey;
use grantor_jose::random::{Mint, Random};
use grantor_jose::secret::SecretText;

use super::rows::Rows;
use crate::client::tests::sample;
use crate::client::{AccessTokenFormat, Client, ClientSecret};
use crate::client_auth::ClientAuthMethod;
use crate::consent::Consent;
use crate::directory::{Directory, Resource};
use crate::key::{KeyRecord, KeyRing};
use crate::provider::Issuer;
use crate::scope::Scope;
use crate::time::Time;
use crate::user::User;
use crate::user::tests::ada;

/// When every play begins.
pub(super) const START: Time = Time::from_seconds(1_800_000_000);

/// The one address of both apps.
pub(super) const REDIRECT_URI: &str = "https://wiki.example/cb";

/// The verifier and the challenge of RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const NOTES: &str = "https://notes.example";
const MAIL: &str = "https://mail.example";

pub(super) static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer::parse("https://id.example").unwrap());
static BEGINNING: LazyLock<Arc<Rows>> = LazyLock::new(|| Arc::new(beginning()));

/// The people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Person {
    Ada,
    Bob,
}

/// The apps: a confidential one and a public one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum App {
    Wiki,
    Blog,
}

/// An authorization that may be asked for.
pub(super) struct Asked {
    pub(super) person: Person,
    pub(super) app: App,
    scope: &'static str,
    /// One scope of those.
    pub(super) narrower: &'static str,
    /// The API that it is for, where one is named, and one that it is not for.
    pub(super) resource: Option<&'static str>,
    pub(super) other: &'static str,
}

/// The first hangs on its session and is for one API; the others outlive theirs.
pub(super) const ASKED: [Asked; 3] = [
    Asked {
        person: Person::Ada,
        app: App::Wiki,
        scope: "mail.read notes.read notes.write",
        narrower: "notes.read",
        resource: Some(NOTES),
        other: MAIL,
    },
    Asked {
        person: Person::Bob,
        app: App::Blog,
        scope: "notes.read offline_access",
        narrower: "notes.read",
        resource: None,
        other: MAIL,
    },
    Asked {
        person: Person::Ada,
        app: App::Blog,
        scope: "mail.read offline_access",
        narrower: "mail.read",
        resource: None,
        other: NOTES,
    },
];

impl Asked {
    pub(super) fn scope(&self) -> Scope {
        self.scope.parse().unwrap()
    }
}

impl Person {
    pub(super) const ALL: [Self; 2] = [Self::Ada, Self::Bob];

    pub(super) fn id(self) -> Id {
        Id::from_i64(match self {
            Self::Ada => 7,
            Self::Bob => 8,
        })
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Ada => Self::Bob,
            Self::Bob => Self::Ada,
        }
    }
}

impl App {
    pub(super) const ALL: [Self; 2] = [Self::Wiki, Self::Blog];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Wiki => "wiki",
            Self::Blog => "blog",
        }
    }

    /// What the app proves itself with, as parameters of its requests.
    pub(super) fn credentials(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Wiki => vec![("client_id", "wiki"), ("client_secret", "secret of the wiki")],
            Self::Blog => vec![("client_id", "blog")],
        }
    }

    fn client(self) -> Client {
        let mut client = sample(self.id());
        client.metadata.scope = "mail.read notes.delete notes.read notes.write offline_access".parse().unwrap();
        match self {
            Self::Wiki => {
                client.metadata.token_endpoint_auth_method = ClientAuthMethod::ClientSecretPost;
                let secret = SecretText::new("secret of the wiki".into());
                client.secrets.push(ClientSecret::hashed(&secret, START));
            }
            Self::Blog => client.metadata.token_endpoint_auth_method = ClientAuthMethod::None,
        }
        client
    }
}

/// Every scope that a person can allow an app: more than any app asks for at once.
pub(super) fn everything() -> Scope {
    "mail.read notes.delete notes.read notes.write offline_access".parse().unwrap()
}

/// What is there before anything happens: nobody has signed in, and both people allow both apps everything.
pub(super) fn rows() -> Arc<Rows> {
    Arc::clone(&BEGINNING)
}

fn beginning() -> Rows {
    let mut rows = Rows { directory: Arc::new(directory()), ..Rows::default() };
    for person in Person::ALL {
        let name = format!("{person:?}");
        let user =
            User { id: person.id(), subject: name.clone(), username: name, password: Some("hash".into()), ..ada() };
        rows.users.insert(user.id, Arc::new(user));
        for app in App::ALL {
            let consent = Consent {
                user_id: person.id(),
                client_id: app.id().into(),
                granted: everything(),
                declined: Scope::EMPTY,
                created_at: START,
                updated_at: START,
            };
            rows.consents.insert((person.id(), app.id().into()), Arc::new(consent));
        }
    }
    rows
}

fn directory() -> Directory {
    let api = |identifier: &str, scopes: &str, format| Resource {
        identifier: identifier.into(),
        name: String::new(),
        scopes: scopes.parse().unwrap(),
        access_token_format: Some(format),
        access_token_lifetime: None,
        introspection_clients: Vec::new(),
        personal_access_tokens: false,
        networks: crate::network::Networks::ANYWHERE,
    };
    let apis = [
        api(NOTES, "notes.delete notes.read notes.write", AccessTokenFormat::Opaque),
        api(MAIL, "mail.read", AccessTokenFormat::Jwt),
    ];
    let key = Arc::new(SigningKey::generate(Algorithm::Es256, &Random::seeded(1)).unwrap());
    Directory {
        clients: App::ALL.map(|app| (app.id().to_owned(), Arc::new(app.client()))).into(),
        resources: apis.map(|api| (api.identifier.clone(), api)).into(),
        keys: KeyRing { keys: vec![KeyRecord::fresh(Mint::seeded(2).id(1), key, START, START)] },
        ..Directory::default()
    }
}
