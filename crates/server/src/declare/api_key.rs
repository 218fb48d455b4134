//! `[[api_keys]]`: a key of an app, by its hash, or by where the key itself stands. The key in clear never stands in the file.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::api_token::issue::MAX_NAME;
use grantor_core::audit::printable;
use grantor_core::network::Networks;
use grantor_core::scope::Scope;
use grantor_core::time::Time;
use grantor_core::token::API_KEY;
use grantor_jose::id::Id;
use grantor_jose::secret::SecretHash;
use time::{Date, Month, UtcOffset};
use toml::value::Datetime;

use super::section::{Place, Section};

const OWN: [&str; 10] =
    ["client_id", "name", "scope", "resource", "networks", "expires", "key_hash", "key_file", "key_env", "revoked"];

/// Between the identifier and the hash.
const SHA256: &str = ".sha256.";

/// A key as declared.
#[derive(Clone, Debug)]
pub struct DeclaredKey {
    /// The app that it belongs to.
    pub client_id: String,
    /// What uses it.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// The only API that it is for.
    pub resource: Option<String>,
    /// From where it may be used.
    pub networks: Networks,
    /// Until when it counts.
    pub expires_at: Time,
    /// Whether it counts no more.
    pub revoked: bool,
    /// The key.
    pub proof: KeyProof,
    /// Where it stands.
    pub place: Place,
}

/// What is known of a key: enough to recognise it, and nothing that could be used in its place.
#[derive(Clone, Copy, Debug)]
pub struct KeyProof {
    /// Its identifier.
    pub id: Id,
    /// The hash of its secret.
    pub secret: SecretHash,
}

impl KeyProof {
    /// That of a key; none where the text is no key, or has a slip in it.
    pub fn of(key: &str) -> Option<Self> {
        API_KEY.parse(key).map(|(id, secret)| Self { id, secret: secret.hash() })
    }
}

impl fmt::Display for KeyProof {
    /// `gtr_key_ID.sha256.HASH`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = URL_SAFE_NO_PAD.encode(self.secret.as_bytes());
        write!(out, "{}_{}{SHA256}{hash}", API_KEY.prefix(), self.id)
    }
}

impl FromStr for KeyProof {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let body = text.strip_prefix(API_KEY.prefix()).and_then(|body| body.strip_prefix('_')).ok_or(())?;
        let (id, hash) = body.split_once(SHA256).ok_or(())?;
        let hash: [u8; 32] = URL_SAFE_NO_PAD.decode(hash).ok().and_then(|hash| hash.try_into().ok()).ok_or(())?;
        Ok(Self { id: id.parse().map_err(drop)?, secret: SecretHash::new(hash) })
    }
}

/// Reads one key.
pub(super) fn read(section: &mut Section) -> Option<DeclaredKey> {
    let place = section.place();
    if section.keys().iter().any(|name| name == "key") {
        section.take::<toml::Value>("key");
        section.fault("key", "would stand in the file in clear; give key_hash, as `grantor token generate` makes it, key_file or key_env");
    } else {
        section.only(&[&OWN]);
    }
    let client_id = section.required("client_id");
    let name = section.required("name").and_then(|name| named(section, &name));
    let scope = section.required("scope").and_then(|scope| scoped(section, &scope));
    let (resource, networks) = (section.take("resource"), section.take("networks"));
    let expires_at = expires(section);
    let revoked = section.take("revoked").unwrap_or_default();
    let proof = proof(section);
    Some(DeclaredKey {
        client_id: client_id?,
        name: name?,
        scope: scope?,
        resource,
        networks: networks.unwrap_or_default(),
        expires_at: expires_at?,
        revoked,
        proof: proof?,
        place,
    })
}

fn named(section: &mut Section, name: &str) -> Option<String> {
    let fits = printable(name.trim()) == name && name.chars().count() <= MAX_NAME;
    if !fits {
        section.fault("name", "has spaces around it, a control character, or more than 80 characters");
    }
    fits.then(|| name.to_owned())
}

fn scoped(section: &mut Section, scope: &str) -> Option<Scope> {
    let read = scope.parse::<Scope>().ok().filter(|scope| !scope.is_empty());
    if read.is_none() {
        section.fault("scope", "is no list of scopes with spaces between them");
    }
    read
}

fn expires(section: &mut Section) -> Option<Time> {
    if !section.has("expires") {
        section.fault("expires", "is missing; no key is without an end");
        return None;
    }
    let moment = match section.take::<toml::Value>("expires")? {
        toml::Value::Datetime(moment) => Some(moment),
        toml::Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let time = moment.and_then(time_of);
    if time.is_none() {
        section.fault("expires", "is no day, as 2027-03-01, and no moment, as 2027-03-01T12:00:00Z");
    }
    time
}

/// A day counts from its beginning, and what names no offset is UTC.
fn time_of(moment: Datetime) -> Option<Time> {
    let date = moment.date?;
    let date = Date::from_calendar_date(i32::from(date.year), Month::try_from(date.month).ok()?, date.day).ok()?;
    let (hour, minute, second) =
        moment.time.map_or((0, 0, 0), |time| (time.hour, time.minute, time.second.unwrap_or_default()));
    let minutes = match moment.offset {
        Some(toml::value::Offset::Custom { minutes }) => i32::from(minutes),
        _ => 0,
    };
    let offset = UtcOffset::from_whole_seconds(minutes * 60).ok()?;
    let moment = date.with_hms(hour, minute, second.min(59)).ok()?.assume_offset(offset);
    Some(Time::from_seconds(moment.unix_timestamp()))
}

/// The key, by the one way of three that is given. No text of it ever stands in a fault.
fn proof(section: &mut Section) -> Option<KeyProof> {
    let given: Vec<&str> = ["key_hash", "key_file", "key_env"].into_iter().filter(|name| section.has(name)).collect();
    let [name] = given.as_slice() else {
        let (place, why) = match given.as_slice() {
            [] => (
                "key_hash",
                "is missing; `grantor token generate` makes a key and its hash (or give key_file, key_env)",
            ),
            [_, second, ..] => (*second, "stands beside another way to give the key; give one"),
            [one] => (*one, ""),
        };
        section.fault(place, why);
        return None;
    };
    let value = section.take::<String>(name)?;
    let read = match *name {
        "key_hash" => value.parse().map_err(|()| "is no hash of a key; `grantor token generate` prints it".to_owned()),
        "key_file" => key_in(std::fs::read_to_string(&value).map_err(|error| format!("cannot be read: {error}"))),
        _ => key_in(variable(&value)),
    };
    read.map_err(|why| section.fault(name, &why)).ok()
}

/// What does not look like the name of a variable may be the key itself, and is not repeated.
fn variable(name: &str) -> Result<String, String> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let told = if is_name { format!("\"{name}\"") } else { "variable of this name".to_owned() };
    std::env::var(name).map_err(|_| format!("the environment has no readable {told}"))
}

fn key_in(text: Result<String, String>) -> Result<KeyProof, String> {
    KeyProof::of(text?.trim()).ok_or_else(|| "holds no key, or one with a slip in it".to_owned())
}
