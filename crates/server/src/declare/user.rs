//! `[[users]]`: a person's account with the standard claims of OpenID Connect.

use grantor_core::network::Networks;
use grantor_core::user::User;
use grantor_identity::password::{Password, PasswordHash};
use grantor_identity::password_policy::PasswordPolicy;
use grantor_identity::username::Username;
use grantor_jose::secret::SecretText;
use serde_json::{Map, Value};

use super::claim::{self, STANDARD};
use super::section::{Place, Section};
use crate::passwords;

const OWN: [&str; 7] = ["username", "password", "password_hash", "groups", "networks", "disabled", "claims"];

/// A person as declared.
#[derive(Clone, Debug, Default)]
pub struct DeclaredUser {
    /// The name to sign in with, in its normal form.
    pub username: String,
    /// The password, where the declaration gives one.
    pub password: Option<DeclaredPassword>,
    /// The claims about the person.
    pub claims: Map<String, Value>,
    /// The groups.
    pub groups: Vec<String>,
    /// From where the person may sign in and be served.
    pub networks: Networks,
    /// Whether the account is switched off; left as it is when absent.
    pub disabled: Option<bool>,
    /// Where it stands.
    pub place: Place,
}

/// A password, in the clear or hashed before.
#[derive(Clone, Debug)]
pub enum DeclaredPassword {
    /// The password itself.
    Plain(SecretText),
    /// Its hash in PHC text.
    Hash(SecretText),
}

impl DeclaredUser {
    /// A person as they are, to be declared with a difference.
    pub fn of(user: &User) -> Self {
        let (claims, groups, networks) = (user.claims.clone(), user.groups.clone(), user.networks.clone());
        Self { username: user.username.clone(), claims, groups, networks, ..Self::default() }
    }
}

/// Reads one person.
pub(super) fn read(section: &mut Section, warnings: &mut Vec<String>) -> Option<DeclaredUser> {
    let place = section.place();
    let tagged: Vec<String> =
        section.keys().into_iter().filter(|name| name.contains('#') && claim::is_standard(name)).collect();
    section.only(&[&OWN, &STANDARD, &tagged.iter().map(String::as_str).collect::<Vec<_>>()]);
    let username = section.required("username").and_then(|name| normal(section, &name));
    let password = password(section);
    if let (Some(name), Some(DeclaredPassword::Plain(plain))) = (&username, &password)
        && let Err(why) = passwords::judge(plain, name, &PasswordPolicy::default())
    {
        warnings.push(place.remark("password", &why.to_string()));
    }
    let groups = section.take("groups").unwrap_or_default();
    let networks = section.take("networks").unwrap_or_default();
    let disabled = section.take("disabled");
    let mut claims = others(section);
    for name in section.keys() {
        let Some(value) = section.take::<toml::Value>(&name).map(claim::json) else { continue };
        match claim::fault(&name, &value) {
            Some(message) => section.fault(&name, &message),
            None => drop(claims.insert(name, value)),
        }
    }
    warnings.extend(claim::doubts(&claims).map(|(name, doubt)| place.remark(name, doubt)));
    let username = username?.as_str().to_owned();
    Some(DeclaredUser { username, password, claims, groups, networks, disabled, place })
}

fn normal(section: &mut Section, name: &str) -> Option<Username> {
    Username::parse(name).map_err(|error| section.fault("username", &error.to_string())).ok()
}

/// The password; what can never be one is found here, not when somebody signs in.
fn password(section: &mut Section) -> Option<DeclaredPassword> {
    let plain = section.take::<SecretText>("password");
    let hash = section.take::<SecretText>("password_hash");
    match (plain, hash) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            section.fault("password_hash", "stands beside \"password\"; give one of the two");
            None
        }
        (Some(plain), None) => match Password::parse(plain.expose()) {
            Ok(_) => Some(DeclaredPassword::Plain(plain)),
            Err(error) => {
                section.fault("password", &error.to_string());
                None
            }
        },
        (None, Some(hash)) => match PasswordHash::parse(hash.expose()) {
            Ok(_) => Some(DeclaredPassword::Hash(hash)),
            Err(error) => {
                section.fault("password_hash", &error.to_string());
                None
            }
        },
    }
}

/// The claims of the table `claims`, for names that are not standard.
fn others(section: &mut Section) -> Map<String, Value> {
    let table = section.take::<toml::Table>("claims").unwrap_or_default();
    let mut claims = Map::new();
    for (name, value) in table {
        let value = claim::json(value);
        match claim::fault_of_other(&name, &value) {
            Some(message) => section.fault(&format!("claims.{name}"), &message),
            None => drop(claims.insert(name, value)),
        }
    }
    claims
}
