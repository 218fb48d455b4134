//! Reading the settings, so that each error names the key and where it stands.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};

use crate::config::Config;
use crate::place::{Source, Suggestion};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "grantor.toml";
const PREFIX: &str = "GRANTOR_";

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A setting is wrong, one line for each.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

/// Reads the settings from `file`, or from `grantor.toml` where there is one, and from the environment.
///
/// # Errors
/// When the file cannot be read or a key or value is not understood.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    read(&Config::default(), file.or(Path::new(DEFAULT_FILE).exists().then_some(Path::new(DEFAULT_FILE))))
}

/// Reads the settings of `--dev`: its own defaults, `file` if one is named, and the environment.
///
/// # Errors
/// Those of [`load`].
pub fn load_over(defaults: &Config, file: Option<&Path>) -> Result<Config, ConfigError> {
    read(defaults, file)
}

fn read(defaults: &Config, file: Option<&Path>) -> Result<Config, ConfigError> {
    let Some(path) = file else { return extract(defaults, None) };
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    extract(defaults, Some(&Source::new(&path.display().to_string(), &text)))
}

/// The settings that the text of a file makes of the defaults, without the environment.
///
/// # Errors
/// When a key or value is not understood.
pub fn parse(source: &Source) -> Result<Config, ConfigError> {
    settle(&layers(&Config::default(), Some(source))?, Some(source))
}

/// The settings that `source` and the environment make of `defaults`.
fn extract(defaults: &Config, source: Option<&Source>) -> Result<Config, ConfigError> {
    let environment = Env::prefixed(PREFIX).ignore(&["config"]).split("__");
    settle(&layers(defaults, source)?.merge(environment), source)
}

fn layers(defaults: &Config, source: Option<&Source>) -> Result<Figment, ConfigError> {
    let figment = Figment::from(Serialized::defaults(defaults));
    let Some(source) = source else { return Ok(figment) };
    source.parse().map_err(|fault| ConfigError::Wrong(vec![fault.to_string()]))?;
    Ok(figment.merge(Toml::string(source.text())))
}

fn settle(figment: &Figment, source: Option<&Source>) -> Result<Config, ConfigError> {
    let wrong = |error: figment::Error| error.into_iter().map(|error| describe(&error, source)).collect();
    figment.extract().map_err(|error| ConfigError::Wrong(wrong(error)))
}

/// One line about one error: place, key, what is wrong.
fn describe(error: &figment::Error, source: Option<&Source>) -> String {
    let mut path = error.path.clone();
    let message = match &error.kind {
        Kind::UnknownField(name, known) => {
            if path.last() != Some(name) {
                path.push(name.clone());
            }
            format!("is not a setting{}", Suggestion::of(name, known))
        }
        kind => kind.to_string(),
    };
    let from_environment = error.metadata.as_ref().is_some_and(|metadata| metadata.name.contains("environment"));
    match source.filter(|_| !from_environment).and_then(|source| source.fault_at(&path, &message)) {
        Some(fault) => fault.to_string(),
        None => format!("{PREFIX}{}: {message}", path.join("__").to_uppercase()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), key in "[a-z_]{1,12}", value in "[\\[\\]{}\"0-9a-z.=-]{0,12}") {
            let _ = read(&text);
            if let Err(error) = read(&format!("{key} = {value}")) {
                prop_assert!(error.starts_with("grantor.toml:1: "), "{}", error);
            }
        }
    }

    fn read(text: &str) -> Result<Config, String> {
        parse(&Source::new("grantor.toml", text)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let config = read("issuer = \"https://id.example\"\n[lifetimes]\naccess_token = \"5m\"\n").unwrap();
        assert_eq!(config.issuer, "https://id.example");
        assert_eq!(config.lifetimes.access_token.as_secs(), 300);
        assert_eq!(config.lifetimes.id_token, Config::default().lifetimes.id_token);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_likely_one() {
        let error = read("issuer = \"https://id.example\"\n\n[lifetimes]\nacces_token = \"5m\"\n").unwrap_err();
        assert_eq!(error, "grantor.toml:4: lifetimes.acces_token: is not a setting; did you mean \"access_token\"?");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_line() {
        let error = read("name = \"x\"\nlisten = 8080\n").unwrap_err();
        assert!(error.starts_with("grantor.toml:2: listen: "), "{error}");
        let error = read("[lifetimes]\n\nsession_idle = \"often\"\n").unwrap_err();
        assert!(error.starts_with("grantor.toml:3: lifetimes.session_idle: \"often\" is no lifetime"), "{error}");
    }

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let error = read("name = \"x\"\nlisten = \n").unwrap_err();
        assert!(error.starts_with("grantor.toml:2: "), "{error}");
    }
}
