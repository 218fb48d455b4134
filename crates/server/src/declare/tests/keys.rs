//! Declared keys of apps: what is issued, changed, revoked and replaced.

use grantor_core::token::API_KEY;
use grantor_jose::id::Id;
use grantor_jose::secret::Secret;

use super::*;

pub(super) const KEY: &str = "gtr_key_00000000001.sha256.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An app with a key; `more` are further lines of the key.
fn keyed(proof: &str, more: &str) -> Declaration {
    let text = format!(
        "[[resources]]\nidentifier = \"https://a.example/\"\nscopes = \"read write\"\n[[clients]]\nclient_id = \"a\"\nscope = \"read\"\n\
         grant_types = [\"client_credentials\"]\n[[api_keys]]\nclient_id = \"a\"\nname = \"Nightly\"\nkey_hash = \"{proof}\"\n{more}\n"
    );
    read(&text).unwrap()
}

#[test]
fn a_key_is_issued_changed_and_revoked_by_its_hash() {
    let mut kept = Kept::default();
    let first = keyed(KEY, "scope = \"read\"\nexpires = 2033-06-01");
    let (plan, _) = kept.apply(&first, 0);
    assert_eq!((plan.faults.as_slice(), plan.warnings.as_slice()), (&[][..], &[][..]));
    assert_eq!(plan.steps.last().map(|step| step.item.name()), Some("a/Nightly"));
    assert!(kept.plan_at(&first, 9).steps.is_empty(), "applied again, nothing is left to change");
    let (plan, _) =
        kept.apply(&keyed(KEY, "scope = \"read write\"\nexpires = 2033-07-01\nnetworks = [\"10.0.0.1\"]"), 1);
    assert_eq!(plan.steps[0].fields.as_deref().unwrap(), ["scope", "networks", "expires"]);
    assert_eq!(plan.warnings, ["a.toml:8: api_keys[0].scope: \"write\" is not one that the app has and an API takes"]);
    let revoked = keyed(KEY, "scope = \"read\"\nexpires = 2033-07-01\nrevoked = true");
    kept.apply(&revoked, 2);
    assert!(kept.keys[0].ended.is_some() && kept.plan_at(&revoked, 3).steps.is_empty());
    let back = kept.plan_at(&keyed(KEY, "scope = \"read\"\nexpires = 2033-07-01"), 4);
    assert!(back.steps.is_empty() && back.warnings[0].contains("has ended, and stays so"), "{:?}", back.warnings);
    let longer = kept.plan_at(&keyed(KEY, "scope = \"read\"\nexpires = 2034-01-01"), 5);
    assert!(longer.steps.is_empty() && longer.warnings[0].contains("has ended, and stays so"), "{:?}", longer.warnings);
}

#[test]
fn another_key_of_the_same_name_takes_its_place_after_a_while() {
    let mut kept = Kept::default();
    let other = KEY.replace("00000000001", "00000000002");
    kept.apply(&keyed(KEY, "scope = \"read\"\nexpires = 2033-06-01"), 0);
    let second = keyed(&other, "scope = \"read\"\nexpires = 2033-06-01");
    let (plan, _) = kept.apply(&second, 60);
    let names: Vec<&str> = plan.steps.iter().map(|step| step.item.name()).collect();
    assert_eq!(names, ["a/Nightly", "a/Nightly, the one before"]);
    let first = kept.keys.iter().find(|key| key.id.to_string() == "00000000001").unwrap();
    assert_eq!(first.expires_at, Time::from_seconds(2_000_000_060 + 86_400));
    assert!(kept.plan_at(&second, 120).steps.is_empty());
}

#[test]
fn a_key_that_does_not_count_or_is_older_takes_the_place_of_none() {
    let (mut kept, month) = (Kept::default(), 31 * 86_400);
    let other = |expires: &str| {
        keyed(&KEY.replace("00000000001", "00000000002"), &format!("scope = \"read\"\nexpires = {expires}"))
    };
    kept.apply(&keyed(KEY, "scope = \"read\"\nexpires = 2034-01-01"), 60);
    let over = kept.plan(&other("2033-05-01"));
    assert!(
        over.steps.is_empty() && over.warnings[0].contains("is over"),
        "it is applied on 2033-05-18: {:?}",
        over.steps
    );
    let first = kept.keys[0].clone();
    kept.apply(&other("2033-06-01"), 120);
    kept.keys.retain(|key| key.id != first.id);
    kept.keys.push(first);
    assert_eq!(kept.plan_at(&other("2033-06-01"), 180).steps.len(), 1, "it counts, and was made later");
    let expired = kept.plan_at(&other("2033-06-01"), month);
    assert!(expired.steps.is_empty(), "{:?}", expired.steps);
    kept.keys[0].created_at = Time::from_seconds(2_000_000_030);
    let older = kept.plan_at(&other("2033-06-01"), 180);
    assert!(older.steps.is_empty(), "{:?}", older.steps);
}

#[test]
fn what_a_file_may_not_say_of_a_key_is_found_by_line() {
    let text = format!(
        "[[api_keys]]\nclient_id = \"a\"\nname = \" x\"\nscope = \"\\u0022\"\nkey = \"gtr_key_secret\"\n[[api_keys]]\nclient_id = \"a\"\nname = \"y\"\n\
         scope = \"read\"\nexpires = \"soon\"\nkey_hash = \"gtr_key_x.sha256.y\"\n[[api_keys]]\nname = \"z\"\nscope = \"read\"\nexpires = 2033-06-01\n\
         key_hash = \"{KEY}\"\nkey_env = \"PATH\"\nnetworks = [\"10.0.0.0/99\"]\nscopes = 1\n"
    );
    let faults = read(&text).unwrap_err();
    for expected in [
        "a.toml:3: api_keys[0].name: has spaces around it",
        "a.toml:4: api_keys[0].scope: is no list of scopes",
        "a.toml:5: api_keys[0].key: would stand in the file in clear",
        "a.toml:1: api_keys[0].expires: is missing",
        "a.toml:10: api_keys[1].expires: is no day",
        "a.toml:11: api_keys[1].key_hash: is no hash of a key",
        "a.toml:12: api_keys[2].client_id: is missing",
        "a.toml:17: api_keys[2].key_env: stands beside another way",
        "a.toml:18: api_keys[2].networks: ",
        "a.toml:19: api_keys[2].scopes: is not known here; did you mean \"scope\"?",
    ] {
        assert!(faults.contains(expected), "missing: {expected}\nin:\n{faults}");
    }
    assert!(!faults.contains("gtr_key_secret"), "{faults}");
}

#[test]
fn a_key_in_the_place_of_the_name_of_a_variable_is_not_repeated() {
    let key = API_KEY.format(Id::from_i64(1), &Secret::from_bytes([7; 32]));
    let faults = |name: &str| {
        let head = "[[api_keys]]\nclient_id = \"a\"\nname = \"x\"\nscope = \"read\"\nexpires = 2033-06-01\n";
        read(&format!("{head}key_env = \"{name}\"\n")).unwrap_err()
    };
    let expected = "a.toml:6: api_keys[0].key_env: the environment has no readable";
    assert_eq!(faults("NO_SUCH_KEY"), format!("{expected} \"NO_SUCH_KEY\""));
    for text in [&key, &key[..key.len() - 1], &key["gtr_key_".len()..]] {
        assert_eq!(faults(text), format!("{expected} variable of this name"));
    }
}

#[test]
fn what_cannot_be_with_what_is_kept_changes_nothing() {
    let faults = |declaration: &Declaration| Kept::default().plan(declaration).faults;
    let late = faults(&keyed(KEY, "scope = \"read\"\nexpires = 2099-06-01"));
    assert_eq!(late, ["a.toml:8: api_keys[0].expires: is later than tokens may live here (tokens.longest)"]);
    let text = format!(
        "[[api_keys]]\nclient_id = \"b\"\nname = \"x\"\nscope = \"read\"\nexpires = 2033-06-01\nkey_hash = \"{KEY}\"\n"
    );
    assert_eq!(faults(&read(&text).unwrap()), ["a.toml:1: api_keys[0].client_id: is no app that is declared or kept"]);
    let over = Kept::default().plan(&keyed(KEY, "scope = \"read\"\nexpires = 2020-06-01"));
    assert!(over.faults.is_empty() && over.warnings[0].contains("is over"), "{:?}", over.warnings);
}
