//! Declarations: what is read, what is found wrong and where, and that applying twice changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use grantor_core::api_token::ApiToken;
use grantor_core::change::Change;
use grantor_core::client_auth::ClientAuthMethod;
use grantor_core::directory::Directory;
use grantor_core::policy::{Lifetimes, TokenPolicy};
use grantor_core::time::Time;
use grantor_core::upstream::UpstreamChange;
use grantor_core::user::User;
use grantor_jose::random::Mint;
use proptest::prelude::*;

use super::apply::{Tools, decide};
use super::plan::api_keys::KeyFacts;
use super::plan::{Current, Plan, plan};
use super::{Declaration, Faults, parse};
use crate::passwords;
use crate::place::Source;

mod keys;

fn read(text: &str) -> Result<Declaration, String> {
    parse(&Source::new("a.toml", text))
        .map_err(|Faults(faults)| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// What is kept, in the memory of a test.
#[derive(Default)]
struct Kept {
    directory: Directory,
    users: HashMap<String, User>,
    keys: Vec<ApiToken>,
}

impl Kept {
    fn plan(&self, declaration: &Declaration) -> Plan {
        self.plan_at(declaration, 0)
    }

    fn plan_at(&self, declaration: &Declaration, seconds: i64) -> Plan {
        let (directory, users) = (&self.directory, &self.users);
        let now = Time::from_seconds(2_000_000_000 + seconds);
        let keys = KeyFacts { kept: &self.keys, ended: &[], policy: &TokenPolicy::default(), now };
        plan(declaration, &Current { directory, users, keys, verify: &passwords::verify })
    }

    fn apply(&mut self, declaration: &Declaration, seconds: i64) -> (Plan, Vec<Change>) {
        let plan = self.plan_at(declaration, seconds);
        let tools = Tools {
            mint: &Mint::seeded(7),
            lifetimes: &Lifetimes::default(),
            tokens: &TokenPolicy::default(),
            now: Time::from_seconds(2_000_000_000 + seconds),
        };
        let changes = decide(&plan, tools).unwrap().changes;
        for change in changes.clone() {
            self.keep(change);
        }
        (plan, changes)
    }

    fn keep(&mut self, change: Change) {
        match change {
            Change::ClientPut(client) => {
                drop(self.directory.clients.insert(client.client_id.clone(), Arc::new(*client)));
            }
            Change::ApiTokenInsert(token) => self.keys.push(*token),
            Change::ApiTokenAmend(token) => {
                self.keys.retain(|kept| kept.id != token.id);
                self.keys.push(*token);
            }
            Change::ApiTokenEnd { id, at, end } => {
                self.keys.iter_mut().filter(|kept| kept.id == id).for_each(|kept| kept.ended = Some((at, end)));
            }
            Change::GroupPut(group) => drop(self.directory.groups.insert(group.name.clone(), *group)),
            Change::ProxiedAppPut(app) => {
                let kept = self.directory.apps.iter().map(|kept| (**kept).clone());
                self.directory.apps = kept.chain([*app]).collect();
            }
            Change::Upstream(UpstreamChange::Put(upstream)) => {
                drop(self.directory.upstreams.insert(upstream.definition.name.clone(), Arc::new(*upstream)));
            }
            Change::ResourcePut(api) => drop(self.directory.resources.insert(api.identifier.clone(), *api)),
            Change::ScopePut(scope) => drop(self.directory.scopes.insert(scope.name.clone(), *scope)),
            Change::UserPut(user) => drop(self.users.insert(user.username.clone(), *user)),
            _ => {}
        }
    }
}

const WHOLE: &str = include_str!("whole.toml");

#[test]
fn applied_again_nothing_is_left_to_change() {
    let (mut kept, declaration) = (Kept::default(), read(WHOLE).unwrap());
    assert_eq!(declaration.warnings, [""; 0]);
    let (first, _) = kept.apply(&declaration, 0);
    assert_eq!((first.steps.len(), first.unchanged), (13, 0));
    assert_eq!(first.warnings, [""; 0]);
    let again = kept.plan(&declaration);
    assert_eq!((again.steps.len(), again.unchanged), (0, 13), "{:?}", again.steps);
    let alice = &kept.users["alice"];
    assert_eq!(alice.claims["birthdate"], "1990-05-04");
    assert_eq!(alice.claims["department"], "R&D");
    assert_eq!(alice.groups, ["a", "b"]);
    assert_eq!(kept.directory.clients["wiki"].secrets.len(), 1);
}

#[test]
fn each_fault_names_file_line_and_key() {
    let text = "[[clients]]\nclient_id = \"a\"\nredirect_uri = []\nredirect_uris = [\"http://evil.example/\", \"https://a/#x\"]\n\n\
                [[clients]]\nclient_id = \"b\"\ngrant_types = [\"client_credentials\"]\nscope = 3\ntoken_endpoint_auth_method = \"none\"\n\n\
                [[users]]\nusername = \"\"\nemail_verified = \"yes\"\n\n[[user]]\n";
    let faults = read(text).unwrap_err();
    for expected in [
        "a.toml:3: clients[0].redirect_uri: is not known here; did you mean \"redirect_uris\"?",
        "a.toml:4: clients[0].redirect_uris[0]: \"http://evil.example/\" cannot be registered: it is http",
        "a.toml:4: clients[0].redirect_uris[1]: \"https://a/#x\" cannot be registered: it holds a fragment",
        "a.toml:9: clients[1].scope: invalid type: integer `3`, expected a string",
        "a.toml:8: clients[1].grant_types: client_credentials needs an app that authenticates",
        "a.toml:13: users[0].username: is empty",
        "a.toml:14: users[0].email_verified: is not true or false",
        "a.toml:16: user: is not known here; did you mean \"users\"?",
    ] {
        assert!(faults.contains(expected), "missing: {expected}\nin:\n{faults}");
    }
    assert_eq!(faults.lines().count(), 8, "{faults}");
}

// "When "userinfo_encrypted_response_enc" is included, "userinfo_encrypted_response_alg" MUST also be provided."
// (OIDC Registration §2)
#[test]
fn encrypted_answers_need_a_key_and_pairwise_subjects_a_sector() {
    let app = |id: &str, members: &str| {
        format!(
            "[[clients]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://a.example/\", \"https://b.example/\"]\n{members}\n\n"
        )
    };
    let text = [
        app("a", "id_token_encrypted_response_alg = \"ECDH-ES\""),
        app("b", "userinfo_encrypted_response_enc = \"A128GCM\""),
        app("c", "subject_type = \"pairwise\""),
        app("d", "sector_identifier_uri = \"http://a.example/apps.json\""),
        app("e", "id_token_encrypted_response_alg = \"RSA1_5\""),
    ];
    let faults = read(&text.concat()).unwrap_err();
    for expected in [
        "a.toml:4: clients[0].id_token_encrypted_response_alg: needs a public key in jwks",
        "a.toml:9: clients[1].userinfo_encrypted_response_enc: needs the _alg of the same name",
        "clients[2].sector_identifier_uri: is needed",
        "a.toml:19: clients[3].sector_identifier_uri: must be an https address",
        "a.toml:24: clients[4].id_token_encrypted_response_alg: unknown variant `RSA1_5`",
    ] {
        assert!(faults.contains(expected), "missing: {expected}\nin:\n{faults}");
    }
}

#[test]
fn an_upstream_has_the_addresses_of_its_kind_and_https_ones() {
    let faults = read(
        "[[upstreams]]\nname = \"Corp\"\nkind = \"oidc\"\nclient_id = \"a\"\ntoken_endpoint = \"https://idp.example/token\"\n\n\
         [[upstreams]]\nname = \"code\"\nkind = \"oauth2\"\nclient_id = \"a\"\ntoken_endpoint = \"http://code.example/\"\n\
         authorization_endpoint = \"https://code.example/\"\nallowed_domains = [\"*.example\"]\n",
    )
    .unwrap_err();
    for expected in [
        "a.toml:2: upstreams[0].name: is not lower-case letters",
        "a.toml:5: upstreams[0].token_endpoint: is discovered",
        "a.toml:1: upstreams[0].issuer: is missing",
        "a.toml:11: upstreams[1].token_endpoint: is no https address",
        "a.toml:7: upstreams[1].profile_endpoint: is missing",
        "a.toml:13: upstreams[1].allowed_domains[0]: is no domain",
    ] {
        assert!(faults.contains(expected), "missing: {expected}\nin:\n{faults}");
    }
    assert_eq!(faults.lines().count(), 6, "{faults}");
}

#[test]
fn a_thing_is_declared_once() {
    let faults = read("[[scopes]]\nname = \"a\"\n[[scopes]]\nname = \"a\"\n").unwrap_err();
    assert_eq!(faults, "a.toml:3: scopes[1].name: \"a\" is declared before");
}

#[test]
fn a_replaced_secret_counts_until_its_overlap_ends() {
    let declared = |secret: &str| {
        read(&format!(
            "[[clients]]\nclient_id = \"a\"\nclient_secret = \"{secret}\"\nredirect_uris = [\"https://a.example/\"]\n"
        ))
        .unwrap()
    };
    let (first, second) = (declared("0123456789abcdef0123456789abcdef"), declared("ABCDEFGHIJKLMNOPabcdefghijklmnop"));
    let mut kept = Kept::default();
    kept.apply(&first, 0);
    let (plan, _) = kept.apply(&second, 60);
    assert_eq!(plan.steps[0].fields.as_deref(), Some(&["client_secret".to_owned()][..]));
    let ends: Vec<_> = kept.directory.clients["a"].secrets.iter().map(|secret| secret.expires_at).collect();
    assert_eq!(ends, [Some(Time::from_seconds(2_000_000_060 + 86_400)), None]);
    assert!(kept.plan(&second).steps.is_empty());
}

#[test]
fn an_app_that_needs_no_secret_has_none() {
    let mut kept = Kept::default();
    let text = "[[clients]]\nclient_id = \"a\"\nredirect_uris = [\"https://a.example/\"]\n";
    kept.apply(&read(text).unwrap(), 0);
    kept.apply(&read(&format!("{text}token_endpoint_auth_method = \"none\"\n")).unwrap(), 1);
    let client = &kept.directory.clients["a"];
    assert_eq!(client.metadata.token_endpoint_auth_method, ClientAuthMethod::None);
    assert!(client.secrets.is_empty());
    assert!(
        read(&format!("{text}token_endpoint_auth_method = \"none\"\nclient_secret = \"{}\"\n", "x".repeat(40)))
            .is_err()
    );
}

#[test]
fn another_password_ends_sessions_and_grants_and_the_same_does_not() {
    let declared = |more: &str| read(&format!("[[users]]\nusername = \"alice\"\n{more}\n")).unwrap();
    let mut kept = Kept::default();
    let ends = |changes: &[Change]| changes.iter().any(|change| matches!(change, Change::SessionsEnd { .. }));
    let (_, changes) = kept.apply(&declared("password = \"correct horse battery staple\""), 0);
    assert!(!ends(&changes));
    assert!(kept.plan(&declared("password = \"correct horse battery staple\"")).steps.is_empty());
    let (_, changes) = kept.apply(&declared("password = \"tomorrow never knows the way\""), 1);
    assert!(ends(&changes));
    let (_, changes) = kept.apply(&declared("disabled = true"), 2);
    assert!(ends(&changes) && kept.users["alice"].disabled);
    assert!(kept.plan(&declared("")).steps.is_empty(), "what is not declared is left alone");
}

#[test]
fn secrets_are_not_shown_by_debug() {
    let declaration = read(
        "[[clients]]\nclient_id = \"a\"\nclient_secret = \"hunter2hunter2hunter2\"\nredirect_uris = [\"https://a.example/\"]\n\
         [[users]]\nusername = \"b\"\npassword = \"hunter2 hunter2 hunter2\"\n",
    )
    .unwrap();
    assert!(!format!("{declaration:?} {:?}", Kept::default().plan(&declaration)).contains("hunter2"));
}

#[test]
fn names_that_lead_nowhere_are_remarked() {
    let declaration =
        read("[[clients]]\nclient_id = \"a\"\nredirect_uris = [\"https://a.example/\"]\nscope = \"openid profil\"\n")
            .unwrap();
    let warnings = Kept::default().plan(&declaration).warnings;
    assert_eq!(warnings, ["a.toml:1: clients[0].scope: \"profil\" is declared nowhere; add it to [[scopes]]"]);
}

#[test]
fn an_empty_text_is_no_network_and_does_not_mean_from_anywhere() {
    let text = "[[users]]\nusername = \"ada\"\nnetworks = [\"\"]\n\n[[groups]]\nname = \"staff\"\nnetworks = [\"10.0.0.0/8\", \"\"]\n\n\
                [[clients]]\nclient_id = \"a\"\ngrant_types = [\"client_credentials\"]\nnetworks = [\" \"]\n\n\
                [[resources]]\nidentifier = \"https://a.example\"\nscopes = \"read\"\nnetworks = [\"10.0.0.0/8 10.1.0.0/16\"]\n";
    let key = format!(
        "\n[[api_keys]]\nclient_id = \"a\"\nname = \"x\"\nscope = \"read\"\nexpires = 2033-06-01\nkey_hash = \"{}\"\nnetworks = [\"\"]\n",
        keys::KEY
    );
    let faults = read(&format!("{text}{key}")).unwrap_err();
    for expected in [
        "a.toml:3: users[0].networks: ",
        "a.toml:7: groups[0].networks: ",
        "a.toml:12: clients[0].networks: ",
        "a.toml:17: resources[0].networks: ",
        "a.toml:25: api_keys[0].networks: ",
    ] {
        assert!(faults.contains(expected), "missing: {expected}\nin:\n{faults}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn any_toml_is_read_or_refused(
        list in prop::sample::select(vec!["clients", "users", "groups", "scopes", "resources", "api_keys", "user"]),
        lines in prop::collection::vec((
            prop::sample::select(vec![
                "client_id", "client_secret", "redirect_uris", "scope", "jwks", "username", "password", "password_hash", "email", "address",
                "birthdate", "claims", "name", "\"name#de\"", "description", "identifier", "access_token_lifetime", "grant_types", "networks", "expires", "key_hash",
                "key_env", "key", "nonsense",
            ]),
            prop::sample::select(vec![
                "\"\"", "\"a\"", "\"\\u0000\"", "1", "-1", "1.5", "inf", "true", "[]", "[1]", "[\"https://a.example/\"]", "{}", "{a=1}",
                "{keys=[]}", "1990-05-04", "\"10.0.0.0/8\"", "[\"::/0\"]", "\"https://a.example/\"", "\"$argon2id$\"", "[[]]", "[{}]",
            ]),
        ), 0..6),
    ) {
        let text = lines.iter().fold(format!("[[{list}]]\n"), |text, (key, value)| format!("{text}{key} = {value}\n"));
        if let Err(faults) = read(&text) {
            prop_assert!(faults.lines().all(|line| line.starts_with("a.toml:")), "{}", faults);
        }
    }

    #[test]
    fn whatever_is_declared_is_kept_after_one_applying(
        names in prop::collection::btree_set("[a-z]{1,6}", 1..4),
        method in prop::sample::select(vec!["client_secret_basic", "client_secret_post", "none"]),
        scope in "[a-c]( [a-c]){0,2}",
        groups in prop::collection::vec("[a-c]", 0..4),
        disabled in prop::sample::select(vec!["", "disabled = true\n", "disabled = false\n"]),
    ) {
        let text = names.iter().fold(String::new(), |text, name| {
            format!("{text}[[clients]]\nclient_id = \"{name}\"\nredirect_uris = [\"https://{name}.example/\"]\nscope = \"{scope}\"\n\
                     token_endpoint_auth_method = \"{method}\"\n{disabled}[[users]]\nusername = \"{name}\"\ngroups = {groups:?}\n{disabled}")
        });
        let declaration = read(&text).unwrap();
        let mut kept = Kept::default();
        kept.apply(&declaration, 0);
        prop_assert!(kept.plan(&declaration).steps.is_empty());
    }
}
