//! The commented example: every setting with its default.

/// The text of `grantor.example.toml`, which `grantor config example` prints.
pub const TEXT: &str = include_str!("../../grantor.example.toml");

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::Config;
    use crate::config::rates::{AccountRate, AddressRate, ClientRate, GrantRate};
    use crate::fields::names;

    /// The example as a table; with `all`, the lines that are switched off by one `#` too.
    fn table(all: bool) -> toml::Table {
        let switched_off =
            |line: &str| line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
        let lines = TEXT.lines().map(|line| if all && switched_off(line) { &line[1..] } else { line });
        lines.collect::<Vec<_>>().join("\n").parse().unwrap()
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let read: Config = table(false).try_into().unwrap();
        assert_eq!(read, Config::default());
    }

    #[test]
    fn the_example_shows_every_setting_and_no_other() {
        let table = table(true);
        let shown = |section: &toml::Table| section.keys().cloned().collect::<BTreeSet<_>>();
        let known = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(shown(&table), known(names::<Config>()));
        for (section, names) in [
            ("tls", names::<crate::config::Tls>()),
            ("log", names::<crate::config::Log>()),
            ("limits", names::<crate::config::Limits>()),
            ("sign_in", names::<crate::config::SignIn>()),
            ("mail", names::<crate::config::outgoing::Mail>()),
            ("outbound", names::<crate::config::Outbound>()),
            ("lifetimes", names::<grantor_core::policy::Lifetimes>()),
            ("tokens", names::<grantor_core::policy::TokenPolicy>()),
            ("registration", names::<grantor_core::registration::RegistrationPolicy>()),
            ("clients", names::<grantor_core::policy::ClientPolicy>()),
        ] {
            assert_eq!(shown(table[section].as_table().unwrap()), known(names), "[{section}]");
        }
        for (endpoint, value) in table["limits"].as_table().unwrap() {
            let Some(rates) = value.as_table() else { continue };
            let names = match (rates.contains_key("per_client"), rates.contains_key("per_account")) {
                (false, false) => names::<AddressRate>(),
                (false, true) => names::<AccountRate>(),
                (true, false) => names::<ClientRate>(),
                (true, true) => names::<GrantRate>(),
            };
            assert_eq!(shown(rates), known(names), "limits.{endpoint}");
        }
    }
}
