//! `grantor client`: apps, one at a time.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::client::{Client, ClientMetadata};
use grantor_core::grant_type::GrantType;
use grantor_core::redirect_uri::ApplicationType;
use grantor_core::store::Store;
use grantor_jose::secret::SecretText;
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::declare::client::new_secret;
use crate::declare::{Declaration, DeclaredClient, Place, apply};
use crate::output::{self, Table, print, printable, sheet};
use crate::settings::{Opened, Settings};

/// What to do with apps.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add an app; its secret is made and shown once. `grantor apply` takes every other setting of an app.
    Add(Add),
    /// List all apps.
    List(Format),
    /// Show one app.
    Show(Named),
    /// Make a new secret for an app and show it once; the old one counts for a day yet.
    Secret(Renew),
    /// Remove an app; everything it was allowed ends.
    Remove(Named),
}

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One app.
#[derive(Debug, Args)]
pub struct Named {
    /// The app's identifier.
    client_id: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// An app that gets a new secret.
#[derive(Debug, Args)]
pub struct Renew {
    #[command(flatten)]
    named: Named,
    /// Let the app prove who it is in another way from now on: client_secret_basic, client_secret_post or client_secret_jwt. Of a
    /// secret before only the hash is kept, so that it does not count yet for client_secret_jwt.
    #[arg(long, value_name = "METHOD")]
    token_endpoint_auth_method: Option<String>,
}

/// A new app.
#[derive(Debug, Args)]
pub struct Add {
    /// The app's identifier.
    client_id: String,
    /// The name people are shown.
    #[arg(long, default_value = "")]
    name: String,
    /// Where answers may be sent; once for each address.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Where a browser may be sent after sign-out; once for each address.
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,
    /// A grant type, as authorization_code, refresh_token or client_credentials; once for each.
    #[arg(long, value_name = "TYPE")]
    grant_type: Vec<String>,
    /// The scopes that the app may ask for, separated by spaces.
    #[arg(long, default_value = "openid profile email")]
    scope: String,
    /// How the app proves who it is: client_secret_basic, client_secret_post, client_secret_jwt or none.
    #[arg(long, value_name = "METHOD", default_value = "client_secret_basic")]
    token_endpoint_auth_method: String,
    /// An app on people's own devices: any port of the loopback address, and schemes of its own.
    #[arg(long)]
    native: bool,
    /// For the team's own apps: people are not asked.
    #[arg(long)]
    skip_consent: bool,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// For how many days tokens are added up.
const DAYS_COUNTED: i64 = 30;

/// Does it.
///
/// # Errors
/// When the app is not there, is there already, or breaks a rule; or the store fails.
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
        Command::List(format) => Ok(list(opened, format.json)),
        Command::Remove(named) => remove(opened, &named).await,
        Command::Secret(renewed) => renew(opened, &renewed).await,
        Command::Show(named) => show(opened, &named).await,
    }
}

async fn insert(opened: &Opened, add: Add) -> Result<String, CommandError> {
    if opened.database.directory().clients.contains_key(&add.client_id) {
        return Err(CommandError::Refused(format!(
            "there is an app \"{}\" already; change it with `grantor apply`",
            add.client_id
        )));
    }
    let metadata = ClientMetadata {
        client_name: add.name,
        redirect_uris: add.redirect_uri,
        post_logout_redirect_uris: add.post_logout_redirect_uri,
        grant_types: grant_types(&add.grant_type)?,
        scope: add.scope.parse()?,
        token_endpoint_auth_method: read("token-endpoint-auth-method", &add.token_endpoint_auth_method)?,
        application_type: if add.native { ApplicationType::Native } else { ApplicationType::Web },
        skip_consent: add.skip_consent,
        ..ClientMetadata::default()
    };
    metadata.check()?;
    put(
        opened,
        DeclaredClient { client_id: add.client_id, metadata, secret: None, disabled: None, place: Place::default() },
        add.json,
    )
    .await
}

fn grant_types(names: &[String]) -> Result<Option<Vec<GrantType>>, CommandError> {
    let types = names.iter().map(|name| read("grant-type", name)).collect::<Result<Vec<_>, _>>()?;
    Ok((!types.is_empty()).then_some(types))
}

/// A word of the metadata, by the names that its type reads.
fn read<T: serde::de::DeserializeOwned>(argument: &str, word: &str) -> Result<T, CommandError> {
    serde_json::from_value(Value::from(word)).map_err(|error| CommandError::Refused(format!("--{argument}: {error}")))
}

async fn renew(opened: &Opened, renewed: &Renew) -> Result<String, CommandError> {
    let client = find(opened, &renewed.named.client_id)?;
    let mut metadata = client.metadata.clone();
    if let Some(method) = &renewed.token_endpoint_auth_method {
        metadata.token_endpoint_auth_method = read("token-endpoint-auth-method", method)?;
        metadata.check()?;
    }
    if !metadata.token_endpoint_auth_method.uses_secret() {
        return Err(CommandError::Refused(format!(
            "\"{}\" has no secret: it proves who it is in another way",
            client.client_id
        )));
    }
    let secret = new_secret(&opened.mint, metadata.token_endpoint_auth_method);
    let declared = DeclaredClient {
        client_id: client.client_id.clone(),
        metadata,
        secret: Some(secret.clone()),
        disabled: None,
        place: Place::default(),
    };
    let _ = put(opened, declared, renewed.named.json).await?;
    Ok(shown_once(&client.client_id, Some(&secret), renewed.named.json))
}

/// Makes the app what it shall be.
async fn put(opened: &Opened, declared: DeclaredClient, json: bool) -> Result<String, CommandError> {
    let client_id = declared.client_id.clone();
    let declaration = Declaration { clients: vec![declared], ..Declaration::default() };
    let outcome = apply::apply(&opened.database, &declaration, opened.tools(system_time()), false).await?;
    Ok(shown_once(&client_id, outcome.secrets.first().map(|(_, secret)| secret), json))
}

fn shown_once(client_id: &str, secret: Option<&SecretText>, json: bool) -> String {
    match (secret, json) {
        (Some(secret), true) => output::json(&json!({"client_id": client_id, "client_secret": secret.expose()})),
        (None, true) => output::json(&json!({"client_id": client_id})),
        (Some(secret), false) => {
            format!("client_id      {client_id}\nclient_secret  {}   (shown this once)\n", secret.expose())
        }
        (None, false) => format!("client_id  {client_id}\n"),
    }
}

fn list(opened: &Opened, json: bool) -> String {
    let directory = opened.database.directory();
    let mut clients: Vec<_> = directory.clients.values().collect();
    clients.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    if json {
        return output::json(&clients.iter().map(|client| members(client)).collect());
    }
    let mut table = Table::new(&["client_id", "name", "proves itself by", "scope", "since"]);
    for client in clients {
        let method = serde_json::to_value(client.metadata.token_endpoint_auth_method).unwrap_or_default();
        let off = if client.disabled { " (off)" } else { "" };
        let id = format!("{}{off}", client.client_id);
        let method = method.as_str().unwrap_or_default().to_owned();
        table.row([
            id,
            client.name().to_owned(),
            method,
            client.metadata.scope.to_string(),
            clock::text(client.created_at),
        ]);
    }
    table.render()
}

async fn show(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let client = find(opened, &named.client_id)?;
    let mut shown = members(&client);
    let since = system_time().day() - DAYS_COUNTED;
    for (_, grant_type, issued) in opened.database.token_counts_of(&client.client_id, since).await? {
        let known = shown["tokens_in_30_days"][&grant_type].as_i64().unwrap_or_default();
        shown["tokens_in_30_days"][&grant_type] = json!(known + issued);
    }
    Ok(if named.json { output::json(&shown) } else { sheet(&shown) })
}

/// An app as JSON, without its secrets.
fn members(client: &Client) -> Value {
    let mut members = serde_json::to_value(&client.metadata).unwrap_or_default();
    if let Some(members) = members.as_object_mut() {
        members.insert("client_id".into(), json!(client.client_id));
        members.insert("client_secrets".into(), json!(client.secrets.len()));
        members.insert("disabled".into(), json!(client.disabled));
        members.insert("created_at".into(), json!(clock::text(client.created_at)));
        members.insert("updated_at".into(), json!(clock::text(client.updated_at)));
    }
    members
}

async fn remove(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let client = find(opened, &named.client_id)?;
    let now = system_time();
    let event = Event::new(opened.mint.id(now.millis()), now, EventKind::ClientChanged)
        .client(&client.client_id)
        .detail("removed");
    opened
        .database
        .commit(vec![Change::ClientRemove(client.client_id.clone()), Change::EventInsert(Box::new(event))])
        .await?;
    let done = json!({"removed": client.client_id});
    Ok(if named.json { output::json(&done) } else { format!("Removed {}.\n", printable(&client.client_id)) })
}

fn find(opened: &Opened, client_id: &str) -> Result<std::sync::Arc<Client>, CommandError> {
    let directory = opened.database.directory();
    let found = directory.clients.get(client_id).cloned();
    found.ok_or_else(|| {
        CommandError::Refused(format!("there is no app \"{}\"; `grantor client list` shows all", printable(client_id)))
    })
}
