use proptest::prelude::*;
use serde_json::json;

use super::decide::{self, About, Registrant};
use super::members::{MEMBERS, tagged};
use super::{Mode, Registration, RegistrationChange, RegistrationPolicy, Replaced};
use crate::change::Change;
use crate::client::{Client, ClientMetadata, Trust};
use crate::directory::Directory;
use crate::error::Error;
use crate::policy::Policy;
use crate::provider::{Call, Fresh};
use crate::time::Time;
use grantor_jose::id::Id;
use grantor_jose::secret::Secret;

#[test]
fn a_tag_is_a_language_and_its_member_is_for_people() {
    assert_eq!(tagged("client_name#de-CH"), Some(("client_name", "de-CH")));
    for name in ["client_name", "client_name#", "client_name#d e", "scope#de", "#de", "client_name#\u{e9}"] {
        assert_eq!(tagged(name), None, "{name}");
    }
}

#[test]
fn the_nearest_language_is_read() {
    let localized = [("client_name#de", "d"), ("client_name#de-ch", "c"), ("client_name#pt-br", "b")];
    let localized = localized.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let metadata = ClientMetadata { localized, ..ClientMetadata::default() };
    for (language, text) in [("de", "d"), ("DE-CH", "c"), ("de-AT", "d"), ("pt", "b"), ("pt-PT", "b")] {
        assert_eq!(metadata.in_language("client_name", language), Some(text), "{language}");
    }
    assert_eq!((metadata.in_language("client_name", "fr"), metadata.in_language("tos_uri", "de")), (None, None));
}

fn policy() -> Policy {
    let registration = RegistrationPolicy { mode: Mode::Open, ..RegistrationPolicy::default() };
    Policy { registration, ..Policy::default() }
}

fn about<'a>(policy: &'a Policy, directory: &'a Directory) -> About<'a> {
    let call = Call::new(Time::from_seconds(1_800_000_000), "192.0.2.1");
    About { policy, directory, call, event_id: Id::from_i64(9), endpoint: "https://id.example/register" }
}

fn register(body: &[u8]) -> Result<(Client, Registration), Error> {
    let (policy, directory) = (policy(), Directory::default());
    let fresh = Fresh { id: Id::from_i64(7), secret: Secret::from_bytes([1; 32]) };
    let who = Registrant { address: "192.0.2.1".into(), token: None };
    let decision = decide::register(about(&policy, &directory), body, who, (&fresh, &Secret::from_bytes([2; 32])))?;
    let (mut client, mut registration) = (None, None);
    for change in decision.changes {
        match change {
            Change::ClientPut(put) => client = Some(*put),
            Change::Registration(RegistrationChange::Insert(kept)) => registration = Some(*kept),
            _ => {}
        }
    }
    Ok((client.unwrap(), registration.unwrap()))
}

#[test]
fn a_token_after_a_new_epoch_is_not_promised_what_it_is_not() {
    let (policy, mut directory) = (policy(), Directory::default());
    let (client, registration) = register(br#"{"redirect_uris":["https://a.example/cb"]}"#).unwrap();
    let (old, id) = (|| Secret::from_bytes([3; 32]), registration.id);
    directory.clients.insert(client.client_id.clone(), std::sync::Arc::new(client));
    let (now, until) = (Time::from_seconds(1_800_000_000), Time::from_seconds(1_800_000_001));
    let replaced = Registration { replaced: Some(Replaced { secret: old().hash(), until }), ..registration };
    let opened = decide::open(&directory, Some(replaced), (id, old()), now).unwrap();
    let told = serde_json::to_value(decide::read(about(&policy, &directory), &opened).reply).unwrap();
    let expected = crate::token::REGISTRATION.format(id, &old());
    assert_eq!(told["registration_access_token"], json!(expected), "the token that was shown still counts");
}

// "If the Client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden." (OIDC Registration
// §4.4)
// "If the client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden." (RFC 7592 §2.1)
// "If the client is not allowed to update its records, the server MUST respond with HTTP 403 Forbidden." (RFC 7592 §2.2)
// "If the client is not allowed to delete itself, the server MUST respond with HTTP 403 Forbidden." (RFC 7592 §2.3)
#[test]
fn a_client_that_is_switched_off_manages_nothing() {
    let mut directory = Directory::default();
    let (client, registration) = register(br#"{"redirect_uris":["https://a.example/cb"]}"#).unwrap();
    let (id, client) = (registration.id, Client { disabled: true, ..client });
    directory.clients.insert(client.client_id.clone(), std::sync::Arc::new(client));
    let refused =
        decide::open(&directory, Some(registration), (id, Secret::from_bytes([1; 32])), Time::default()).unwrap_err();
    assert!(matches!(refused, Error::RegistrationForbidden));
}

proptest! {
    /// Whatever it says: it is refused, or it is a client that nobody has raised.
    #[test]
    fn nobody_raises_themselves(
        name in prop::sample::select(MEMBERS.iter().map(|(name, _)| *name).chain(["client_id", "trust", "x"]).collect::<Vec<_>>()),
        value in prop::sample::select(vec![
            json!(true), json!(1), json!("none"), json!("openid admin"), json!(["client_credentials"]), json!([]), json!({}),
            json!(["https://b.example/cb"]), json!("https://b.example/"), json!(["email"]), json!("native"), json!("\u{202e}x"),
        ]),
    ) {
        let mut said = json!({"redirect_uris": ["https://a.example/cb"]});
        said[name] = value;
        if let Ok((client, _)) = register(said.to_string().as_bytes()) {
            let metadata = &client.metadata;
            prop_assert_eq!(client.trust, Trust::SelfRegistered);
            prop_assert!(client.client_id.starts_with(super::PREFIX) && !client.disabled);
            prop_assert!(!metadata.skip_consent && metadata.require_pkce.is_none() && metadata.id_token_claims.is_empty());
            prop_assert!(metadata.scope.is_subset(&RegistrationPolicy::default().scopes));
            let allowed = RegistrationPolicy::default().grant_types;
            prop_assert!(metadata.grant_types.iter().flatten().all(|grant| allowed.contains(grant)));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        let _ = register(&bytes);
    }
}
