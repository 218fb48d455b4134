//! Commands as an operator types them, with the settings of a test.

use std::path::Path;

use clap::Parser;
use grantor_core::time::Time;
use grantor_server::cli::{Cli, Command};
use grantor_server::clock::system_time;
use grantor_server::commands::events::follow::{self, Follower};
use grantor_server::commands::{
    CommandError, app, backup, client, events, logout, mail, migrate, new_epoch, registration, restore, token,
    upstream, usage, user, webhook,
};
use grantor_server::config::Config;
use grantor_server::declare;
use grantor_server::place::Source;
use grantor_server::settings::{self, Role};
use grantor_storage::EventFilter;

fn parsed(arguments: &[&str]) -> Command {
    Cli::try_parse_from([&["grantor"], arguments].concat()).expect("a command").command
}

/// `grantor backup FILE`.
pub fn back_up(config: &Config, file: &Path) -> Result<String, CommandError> {
    match parsed(&["backup", file.to_str().unwrap()]) {
        Command::Backup(arguments) => backup::make(config, &arguments),
        other => panic!("{other:?}"),
    }
}

/// `grantor restore FILE …`.
pub async fn restore(config: &Config, file: &Path, more: &[&str]) -> Result<String, CommandError> {
    match parsed(&[&["restore", file.to_str().unwrap()], more].concat()) {
        Command::Restore(arguments) => restore::put_back(config.clone(), &arguments).await,
        other => panic!("{other:?}"),
    }
}

/// `grantor new-epoch`.
pub async fn new_epoch(config: &Config) -> Result<String, CommandError> {
    match parsed(&["new-epoch"]) {
        Command::NewEpoch(_) => new_epoch::begin(config.clone()).await,
        other => panic!("{other:?}"),
    }
}

/// `grantor app …`.
pub async fn app(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::App(command) = parsed(&[&["app"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = app::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor events …`, as of a moment.
pub async fn events(config: &Config, arguments: &[&str], now: Time) -> Result<String, CommandError> {
    let Command::Events(arguments) = parsed(&[&["events"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = events::answer(&opened, &arguments, now).await;
    opened.close().await;
    answer
}

/// A round of `grantor events --follow …`: what is shown of what this follower was not shown before.
pub async fn follow(
    config: &Config,
    arguments: &[&str],
    follower: &mut Follower,
    now: Time,
) -> Result<String, CommandError> {
    let Command::Events(arguments) = parsed(&[&["events", "--follow"], arguments].concat()) else {
        panic!("another command")
    };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let shown = follow::round(&opened, &arguments, (follower, &EventFilter::default()), now).await;
    opened.close().await;
    shown
}

/// `grantor token …`.
pub async fn token(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Token(command) = parsed(&[&["token"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = token::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor usage …`.
pub async fn usage(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Usage(arguments) = parsed(&[&["usage"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = usage::answer(&opened, arguments).await;
    opened.close().await;
    answer
}

/// `grantor client …`.
pub async fn client(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Client(command) = parsed(&[&["client"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = client::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor logout …`.
pub async fn logout(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Logout(command) = parsed(&[&["logout"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = logout::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor user …`.
pub async fn user(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::User(command) = parsed(&[&["user"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = user::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor apply`, of a text.
pub async fn apply(config: &Config, declaration: &str) {
    let declaration = declare::parse(&Source::new("test.toml", declaration)).expect("the declaration is right");
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let applied = declare::apply::apply(&opened.database, &declaration, opened.tools(system_time()), false).await;
    applied.expect("the declaration is applied");
    opened.close().await;
}

/// `grantor mail …`.
pub async fn mail(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Mail(command) = parsed(&[&["mail"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = mail::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// What `grantor events --follow …` shows first, as of a moment, and who follows from there.
pub async fn begin_to_follow(config: &Config, arguments: &[&str], now: Time) -> (String, Follower) {
    let Command::Events(arguments) = parsed(&[&["events", "--follow"], arguments].concat()) else { panic!("another") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let mut shown = String::new();
    let follower = events::begin_to_follow(&opened, &arguments, now, &mut |text| shown.push_str(text)).await.unwrap();
    opened.close().await;
    (shown, follower)
}

/// `grantor registration …`.
pub async fn registration(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Registration(command) = parsed(&[&["registration"], arguments].concat()) else { panic!("another") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = registration::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor webhook …`.
pub async fn webhook(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Webhook(command) = parsed(&[&["webhook"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = webhook::answer(&opened, command).await;
    opened.close().await;
    answer
}

/// `grantor upstream …`.
pub async fn upstream(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Upstream(command) = parsed(&[&["upstream"], arguments].concat()) else { panic!("another command") };
    let opened = settings::open(config.clone(), Role::Command).unwrap();
    let answer = upstream::answer(&opened, &command).await;
    opened.close().await;
    answer
}

/// `grantor migrate …`, on a thread where it keeps nobody waiting.
pub async fn migrate(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Migrate(arguments) = parsed(&[&["migrate"], arguments].concat()) else { panic!("another command") };
    let config = config.clone();
    let work = move || super::server::runtime().block_on(migrate::work(config, arguments));
    tokio::task::spawn_blocking(work).await.unwrap()
}
