//! `grantor user`: people, one at a time.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_core::store::Store;
use grantor_core::user::User;
use grantor_core::{retired_username, second_factor};
use grantor_identity::password_policy::PasswordPolicy;
use grantor_identity::username::Username;
use serde_json::{Map, Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::declare::{Declaration, DeclaredPassword, DeclaredUser, apply};
use crate::output::{self, Table, print, printable, sheet};
use crate::passwords;
use crate::settings::{Opened, Settings};

/// How many people are read at one time.
const PAGE: u32 = 1000;

/// What to do with people.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a person; the password is asked for on the terminal.
    Add(Add),
    /// Switch an account off: sessions and grants end, and nobody can sign in to it.
    Disable(Named),
    /// Switch an account on again.
    Enable(Named),
    /// List all people.
    List(Format),
    /// Set a password; sessions and grants of the person end.
    Password(Password),
    /// Remove a person with everything they allowed; nobody makes an account of the name for themselves from then on, and `add` and
    /// a declaration may give it to somebody.
    Remove(Named),
    /// Remove a second factor that its person has lost; sessions and grants of the person end, and the password alone is enough to
    /// sign in.
    RemoveFactor(Named),
    /// Show one person.
    Show(Named),
}

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One person.
#[derive(Debug, Args)]
pub struct Named {
    /// The name the person signs in with.
    username: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Whose password.
#[derive(Debug, Args)]
pub struct Password {
    /// The name the person signs in with.
    username: String,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

/// A new person.
#[derive(Debug, Args)]
pub struct Add {
    /// The name to sign in with.
    username: String,
    /// The person's name.
    #[arg(long)]
    name: Option<String>,
    /// The person's e-mail address, taken as proved.
    #[arg(long)]
    email: Option<String>,
    /// A group the person is in; once for each.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// When the person is not there or is there already, the password cannot be used, or the store fails.
pub async fn run(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    let text = answer(&opened, command).await;
    opened.close().await;
    print(&text?);
    Ok(ExitCode::SUCCESS)
}

/// The text that a command prints.
///
/// # Errors
/// Those of [`run`].
pub async fn answer(opened: &Opened, command: Command) -> Result<String, CommandError> {
    match command {
        Command::Add(add) => insert(opened, add).await,
        Command::Disable(named) => switch(opened, &named, true).await,
        Command::Enable(named) => switch(opened, &named, false).await,
        Command::List(format) => list(opened, format.json).await,
        Command::Password(password) => set_password(opened, &password).await,
        Command::Remove(named) => remove(opened, &named).await,
        Command::RemoveFactor(named) => remove_factor(opened, &named).await,
        Command::Show(named) => show_one(opened, &named).await,
    }
}

async fn insert(opened: &Opened, add: Add) -> Result<String, CommandError> {
    let name = Username::parse(&add.username).map_err(|error| CommandError::Refused(error.to_string()))?;
    let username = name.as_str().to_owned();
    if opened.database.user_find_by_username(&username).await?.is_some() {
        return Err(CommandError::Refused(format!("there is a person \"{}\" already", printable(&username))));
    }
    let password = passwords::ask(add.password_stdin)?;
    passwords::judge(&password, &name, &PasswordPolicy::default())?;
    let mut claims = Map::new();
    claims.extend(add.name.map(|name| ("name".to_owned(), Value::from(name))));
    if let Some(email) = add.email {
        claims.extend([("email".to_owned(), Value::from(email)), ("email_verified".to_owned(), Value::from(true))]);
    }
    let password = Some(DeclaredPassword::Plain(password));
    put(
        opened,
        DeclaredUser { username: username.clone(), password, claims, groups: add.group, ..DeclaredUser::default() },
    )
    .await?;
    Ok(show(&find(opened, &username).await?, add.json))
}

async fn switch(opened: &Opened, named: &Named, off: bool) -> Result<String, CommandError> {
    let user = find(opened, &named.username).await?;
    put(opened, DeclaredUser { disabled: Some(off), ..DeclaredUser::of(&user) }).await?;
    Ok(show(&find(opened, &user.username).await?, named.json))
}

async fn set_password(opened: &Opened, arguments: &Password) -> Result<String, CommandError> {
    let user = find(opened, &arguments.username).await?;
    let name = Username::parse(&user.username).map_err(|error| CommandError::Refused(error.to_string()))?;
    let password = passwords::ask(arguments.password_stdin)?;
    passwords::judge(&password, &name, &PasswordPolicy::default())?;
    put(opened, DeclaredUser { password: Some(DeclaredPassword::Plain(password)), ..DeclaredUser::of(&user) }).await?;
    Ok("The password is set; the person's sessions and grants have ended.\n".into())
}

/// Makes the person what they shall be.
async fn put(opened: &Opened, declared: DeclaredUser) -> Result<(), CommandError> {
    let declaration = Declaration { users: vec![declared], ..Declaration::default() };
    apply::apply(&opened.database, &declaration, opened.tools(system_time()), false).await?;
    Ok(())
}

async fn list(opened: &Opened, json: bool) -> Result<String, CommandError> {
    let users = everybody(opened).await?;
    if json {
        return Ok(output::json(&users.iter().map(members).collect()));
    }
    let mut table = Table::new(&["username", "name", "e-mail", "groups", "since"]);
    for user in &users {
        let off = if user.disabled { " (off)" } else { "" };
        let email = user.claims.get("email").and_then(Value::as_str).unwrap_or("-");
        let name = format!("{}{off}", user.username);
        table.row([
            name,
            user.display_name().to_owned(),
            email.to_owned(),
            user.groups.join(" "),
            clock::text(user.created_at),
        ]);
    }
    Ok(table.render())
}

async fn everybody(opened: &Opened) -> Result<Vec<User>, CommandError> {
    let mut users: Vec<User> = Vec::new();
    loop {
        let page = opened.database.users(PAGE, users.last().map(|user| user.id)).await?;
        if page.is_empty() {
            return Ok(users);
        }
        users.extend(page);
    }
}

/// One person, and whether they have a second factor.
async fn show_one(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let user = find(opened, &named.username).await?;
    let mut shown = members(&user);
    shown["has_second_factor"] = opened.database.has_second_factor(user.id).await?.into();
    Ok(if named.json { output::json(&shown) } else { sheet(&shown) })
}

fn show(user: &User, json: bool) -> String {
    if json { output::json(&members(user)) } else { sheet(&members(user)) }
}

/// A person as JSON, without their password.
fn members(user: &User) -> Value {
    json!({
        "username": user.username,
        "sub": user.subject,
        "id": user.id.to_string(),
        "claims": user.claims,
        "groups": user.groups,
        "networks": user.networks,
        "has_password": user.password.is_some(),
        "disabled": user.disabled,
        "created_at": clock::text(user.created_at),
        "updated_at": clock::text(user.updated_at),
    })
}

async fn remove(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let user = find(opened, &named.username).await?;
    let (now, directory) = (system_time(), opened.database.directory());
    let changes = retired_username::remove(&user, &directory.secrets, opened.mint.id(now.millis()), now);
    opened.database.commit(changes).await?;
    let done = json!({"removed": user.username});
    Ok(if named.json { output::json(&done) } else { format!("Removed {}.\n", printable(&user.username)) })
}

async fn remove_factor(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let user = find(opened, &named.username).await?;
    let now = system_time();
    let Some(factor) = opened.database.second_factor_of(user.id).await? else {
        return Err(CommandError::Refused(format!("\"{}\" has no second factor", printable(&user.username))));
    };
    opened.database.commit(second_factor::reset(&factor, opened.mint.id(now.millis()), now)).await?;
    let done = json!({"removed_factor_of": user.username});
    let text = "The second factor is removed; the person's sessions and grants have ended.\n";
    Ok(if named.json { output::json(&done) } else { text.to_owned() })
}

pub(super) async fn find(opened: &Opened, name: &str) -> Result<User, CommandError> {
    let user = match Username::parse(name) {
        Ok(username) => opened.database.user_find_by_username(username.as_str()).await?,
        Err(_) => None,
    };
    user.ok_or_else(|| {
        CommandError::Refused(format!("there is no person \"{}\"; `grantor user list` shows all", printable(name)))
    })
}
