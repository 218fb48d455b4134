//! `grantor token`: API keys of apps, and the tokens that people made.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use grantor_core::api_token::issue::{self, About, Holder, Wanted};
use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner, rights};
use grantor_core::directory::Directory;
use grantor_core::error::Error;
use grantor_core::policy::TokenPolicy;
use grantor_core::provider::{Call, Fresh};
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_jose::id::Id;
use serde_json::{Value, json};

use super::generate::{self, Generate};
use super::{CommandError, user};
use crate::clock::{self, system_time};
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

const DAY: u64 = 24 * 60 * 60;

/// How often a key is made that met another one.
const MAX_RACES: usize = 8;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key for a declaration file, without a database: print it, and its [[api_keys]] with the hash.
    Generate(Generate),
    /// Issue an API key to an app; it is shown once.
    Issue(Issue),
    /// List the API keys of an app, or the tokens of a person, with those that expired or ended lately.
    List(List),
    /// Give an API key a new secret and show it once; the old one counts for a while yet.
    Rotate(Named),
    /// Revoke an API key or a person's token; it counts no more at once.
    Revoke(Named),
}

/// A new API key.
#[derive(Debug, Args)]
pub struct Issue {
    /// The app's identifier.
    client_id: String,
    /// What uses it, so that it is recognised later.
    #[arg(long)]
    name: String,
    /// What it allows, separated by spaces: scopes of APIs that the app is registered for.
    #[arg(long)]
    scope: String,
    /// How many days it lives, from its issue and from each new secret.
    #[arg(long, value_name = "NUMBER", default_value_t = 90)]
    days: u64,
    /// A network that it may be used from, as 192.0.2.0/24; once for each. From anywhere where none is named.
    #[arg(long, value_name = "CIDR")]
    network: Vec<String>,
    /// The only API that it is for.
    #[arg(long, value_name = "IDENTIFIER")]
    resource: Option<String>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Whose tokens.
#[derive(Debug, Args)]
pub struct List {
    /// Those of an app.
    #[arg(long, value_name = "CLIENT_ID", required_unless_present = "user", conflicts_with = "user")]
    client: Option<String>,
    /// Those of a person.
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One token.
#[derive(Debug, Args)]
pub struct Named {
    /// What `grantor token list` shows in its first column.
    token: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// When the owner or the token is not there, the token cannot be had, or the store fails.
pub async fn run(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    if let Command::Generate(asked) = &command {
        print(&generate::text(asked, system_time()));
        return Ok(ExitCode::SUCCESS);
    }
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
        Command::Generate(asked) => Ok(generate::text(&asked, system_time())),
        Command::Issue(wanted) => insert(opened, &wanted).await,
        Command::List(of) => list(opened, &of).await,
        Command::Rotate(named) => rotate(opened, &named).await,
        Command::Revoke(named) => revoke(opened, &named).await,
    }
}

/// What decisions are taken by at one moment.
struct Desk {
    directory: std::sync::Arc<Directory>,
    policy: TokenPolicy,
    event_id: Id,
    now: Time,
}

impl Desk {
    fn of(opened: &Opened) -> Self {
        let now = system_time();
        let (directory, policy) = (opened.database.directory(), opened.config.tokens.clone());
        Self { directory, policy, event_id: opened.mint.id(now.millis()), now }
    }

    fn about(&self) -> About<'_> {
        let call = Call::new(self.now, "");
        About { directory: &self.directory, policy: &self.policy, call, event_id: self.event_id }
    }

    fn draft(&self, opened: &Opened) -> Fresh {
        Fresh { id: opened.mint.id(self.now.millis()), secret: opened.mint.secret() }
    }
}

async fn insert(opened: &Opened, asked: &Issue) -> Result<String, CommandError> {
    for _ in 0..MAX_RACES {
        if let Some(made) = insert_once(opened, asked).await? {
            return Ok(shown(&made, asked.json));
        }
    }
    Err(StoreError::Busy.into())
}

/// The key; none where somebody else made one meanwhile.
async fn insert_once(opened: &Opened, asked: &Issue) -> Result<Option<String>, CommandError> {
    let desk = Desk::of(opened);
    if !desk.directory.clients.contains_key(&asked.client_id) {
        return Err(unknown_client(&asked.client_id));
    }
    let owner = Owner::Client(asked.client_id.clone());
    let tokens = opened.database.api_tokens_of(&owner).await?;
    let holder = Holder { owner: &owner, person: None, tokens: &tokens };
    let wanted = Wanted {
        name: asked.name.clone(),
        scope: asked.scope.parse()?,
        resource: asked.resource.clone(),
        networks: asked.network.clone().try_into().map_err(|error| refused(&error))?,
        lifetime: Duration::from_secs(asked.days.saturating_mul(DAY)),
    };
    let made = issue::issue(desk.about(), holder, &desk.draft(opened), wanted);
    let made = made.map_err(|error| refused(&error))?;
    match opened.database.commit(made.changes).await {
        Ok(()) => Ok(Some(made.reply)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn refused(error: &Error) -> CommandError {
    CommandError::Refused(error.told().description.to_owned())
}

fn shown(text: &str, json: bool) -> String {
    if json {
        return output::json(&json!({"token": text}));
    }
    format!("{text}\n\nIt is shown this once. Send it to the API as: Authorization: Bearer …\n")
}

async fn list(opened: &Opened, of: &List) -> Result<String, CommandError> {
    let (owner, person) = owner(opened, of).await?;
    let tokens = opened.database.api_tokens_of(&owner).await?;
    let (directory, now) = (opened.database.directory(), system_time());
    let rows: Vec<Value> = tokens.iter().map(|token| members(&directory, token, person.as_ref(), now)).collect();
    if of.json {
        return Ok(output::json(&rows.into()));
    }
    let mut table = Table::new(&["token", "name", "state", "expires", "last used", "allows"]);
    for row in &rows {
        let cell = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        table.row(["id", "name", "state", "expires_at", "last_used_at", "scope"].map(cell));
    }
    Ok(table.render())
}

async fn owner(opened: &Opened, of: &List) -> Result<(Owner, Option<User>), CommandError> {
    if let Some(name) = &of.user {
        let user = user::find(opened, name).await?;
        return Ok((Owner::User(user.id), Some(user)));
    }
    let client_id = of.client.clone().unwrap_or_default();
    if opened.database.directory().clients.contains_key(&client_id) {
        Ok((Owner::Client(client_id), None))
    } else {
        Err(unknown_client(&client_id))
    }
}

fn unknown_client(client_id: &str) -> CommandError {
    let client_id = printable(client_id);
    CommandError::Refused(format!("there is no app \"{client_id}\"; `grantor client list` shows all"))
}

/// A token as JSON, without its secret.
fn members(directory: &Directory, token: &ApiToken, person: Option<&User>, now: Time) -> Value {
    let state = match token.ended {
        Some((_, end)) => end.as_str(),
        None if token.is_live(now) => "live",
        None => "expired",
    };
    let last_use = token.last_use.as_ref();
    json!({
        "id": token.id.to_string(),
        "hint": token.hint(),
        "name": token.name,
        "state": state,
        "scope": rights::of_token(directory, token, person).scope,
        "issued_for": token.scope,
        "resource": token.resource,
        "networks": token.networks,
        "created_at": clock::text(token.created_at),
        "rotated_at": clock::text(token.rotated_at),
        "expires_at": clock::text(token.expires_at),
        "ended_at": token.ended.map(|(at, _)| clock::text(at)),
        "last_used_at": last_use.map(|last_use| clock::text(last_use.at)),
        "last_used_from": last_use.map(|last_use| last_use.address.clone()),
    })
}

async fn find(opened: &Opened, named: &Named) -> Result<ApiToken, CommandError> {
    let unknown = || {
        let token = printable(&named.token);
        CommandError::Refused(format!("there is no token \"{token}\"; `grantor token list` shows those of an owner"))
    };
    let id: Id = named.token.parse().map_err(|_| unknown())?;
    let found = opened.database.api_token_find(id).await?;
    found.map(|facts| facts.token).ok_or_else(unknown)
}

/// People make the new secrets of their own tokens: nobody else shall ever have seen one.
async fn rotate(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let token = find(opened, named).await?;
    if matches!(token.owner, Owner::User(_)) {
        let why = "it is a person's token, and only they may have its secret: they give it a new one in their account";
        return Err(CommandError::Refused(why.to_owned()));
    }
    let desk = Desk::of(opened);
    let rotated = issue::rotate(desk.about(), &token, &desk.draft(opened));
    let rotated = rotated.map_err(|error| refused(&error))?;
    opened.database.commit(rotated.changes).await?;
    Ok(shown(&rotated.reply, named.json))
}

async fn revoke(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let token = find(opened, named).await?;
    let desk = Desk::of(opened);
    match opened.database.commit(issue::revoke(desk.about(), &token, ApiTokenEnd::RevokedByAdministrator)).await {
        // Somebody else has just ended it.
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    let done = json!({"revoked": token.id});
    Ok(if named.json { output::json(&done) } else { format!("Revoked {}.\n", printable(&token.name)) })
}
