//! `--dev`: everything under `.grantor-dev` of the working directory, with people and apps to try things out with.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use grantor_jose::random::Random;
use grantor_jose::seal::KeyEncryptionKey;
use grantor_web::demo::DemoSettings;
use grantor_web::mail::MailSink;

use crate::commands::CommandError;
use crate::config::check::is_loopback;
use crate::config::load::load_over;
use crate::config::{Config, Hidden, Log, LogFormat};
use crate::declare::{self, Declaration, Faults};
use crate::place::Source;

/// The folder, below the working directory.
pub const FOLDER: &str = ".grantor-dev";
const DECLARATION: &str = include_str!("dev.toml");
const DEMO: &str = "http://localhost:8081";

/// The settings of `--dev` in `folder`; its key-encryption key is made at the first start.
///
/// # Errors
/// When the folder cannot be written, or a setting that was changed is wrong.
pub fn settings(folder: &Path, file: Option<&Path>) -> Result<Config, CommandError> {
    let home = folder.join(FOLDER);
    let key = home.join("key");
    prepare(&home, &key).map_err(|source| CommandError::File { path: home.clone(), source })?;
    let defaults = Config {
        issuer: "http://localhost:8080".into(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
        database_url: Hidden::new(format!("sqlite:{}", home.join("grantor.db").display())),
        key_encryption_key_file: Some(key),
        log: Log { format: LogFormat::Text, ..Log::default() },
        ..Config::default()
    };
    let mut config = load_over(&defaults, file)?;
    if config.issuer == defaults.issuer && config.listen.port() != defaults.listen.port() {
        config.issuer = format!("http://localhost:{}", config.listen.port());
    }
    // Nobody is written to from here, whatever the settings say.
    config.mail.sunk = true;
    // The passwords of the demo's people are known to everybody who reads the source.
    for (key, address) in [("listen", config.listen), ("demo_listen", config.demo_listen)] {
        if !is_loopback(&address) {
            return Err(CommandError::Refused(format!(
                "{key}: {address} is reached from other hosts; --dev listens on 127.0.0.1 only"
            )));
        }
    }
    Ok(config)
}

fn prepare(home: &Path, key: &Path) -> std::io::Result<()> {
    if !home.is_dir() {
        fs::DirBuilder::new().mode(0o700).recursive(true).create(home)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(key) {
        Ok(mut file) => writeln!(file, "{}", *KeyEncryptionKey::generate(&Random::new()).to_text()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The demo's people, apps and API, with the demo app where the settings have it.
///
/// # Errors
/// Never with the text that is built in.
pub fn declaration(config: &Config) -> Result<Declaration, Faults> {
    declare::parse(&Source::new("dev.toml", &DECLARATION.replace(DEMO, &demo_origin(config))))
}

/// What the demo app is told: where it is, and the secrets that it is declared with.
pub fn demo(config: &Config, declaration: &Declaration, mails: MailSink) -> DemoSettings {
    let secret = |client_id: &str| {
        let client = declaration.clients.iter().find(|client| client.client_id == client_id);
        client.and_then(|client| client.secret.as_ref()).map(|secret| secret.expose().to_owned())
    };
    DemoSettings {
        issuer: config.issuer.clone(),
        base_url: demo_origin(config),
        client_id: "demo".into(),
        client_secret: secret("demo"),
        api_client_id: "demo-api".into(),
        api_client_secret: secret("demo-api").unwrap_or_default(),
        mails,
        api_identifier: declaration.resources.first().map(|api| api.resource.identifier.clone()),
    }
}

/// The web origin of the demo app.
pub fn demo_origin(config: &Config) -> String {
    format!("http://localhost:{}", config.demo_listen.port())
}

/// What a person who tries it out needs to know.
pub fn greeting(config: &Config) -> String {
    let demo = demo_origin(config);
    format!(
        "\n  Grantor is running, to be tried out; never use it like this for real.\n\n\
         \x20   The demo app    {demo}/\n\
         \x20   Your account    {issuer}/account\n\
         \x20   Its mails       {demo}/mails\n\
         \x20   Discovery       {issuer}/.well-known/openid-configuration\n\n\
         \x20   Sign in as      alice   correct horse battery staple\n\
         \x20             or    bob     tomorrow never knows the way\n\n\
         \x20   Everything is kept under {FOLDER}; remove the folder to start anew. Ctrl-C ends it.\n\n",
        issuer = config.issuer
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn dev_settings_are_sound_and_stay_the_same() {
        let folder = Scratch::new();
        let first = settings(folder.folder(), None).unwrap();
        assert_eq!(first.findings(), []);
        let key = fs::read_to_string(folder.path(".grantor-dev/key")).unwrap();
        let mode = fs::metadata(folder.path(".grantor-dev/key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(settings(folder.folder(), None).unwrap(), first);
        assert_eq!(fs::read_to_string(folder.path(".grantor-dev/key")).unwrap(), key);
    }

    #[test]
    fn dev_is_for_this_host_only() {
        let folder = Scratch::new();
        let file = folder.write("open.toml", "listen = \"0.0.0.0:8080\"\n");
        let message = settings(folder.folder(), Some(&file)).unwrap_err().to_string();
        assert!(message.starts_with("listen: 0.0.0.0:8080 is reached from other hosts"), "{message}");
    }

    #[test]
    fn the_demo_is_declared_without_fault() {
        let folder = Scratch::new();
        let file = folder.write("ports.toml", "demo_listen = \"127.0.0.1:9999\"\nlisten = \"127.0.0.1:9998\"\n");
        let config = settings(folder.folder(), Some(&file)).unwrap();
        let declaration = declaration(&config).unwrap();
        assert_eq!(declaration.warnings, [""; 0]);
        assert_eq!(declaration.clients[0].metadata.redirect_uris, ["http://localhost:9999/callback"]);
        assert_eq!(config.issuer, "http://localhost:9998");
    }
}
