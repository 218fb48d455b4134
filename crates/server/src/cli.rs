//! The command line. Each command's own arguments stand in its file under `commands`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    app, apply, backup, client, config, doctor, events, key, logout, mail, migrate, new_epoch, registration, restore,
    serve, token, upstream, usage, user, webhook,
};

/// Grantor, an OAuth 2.0 and OpenID Connect authorization server.
///
/// Start with `grantor serve --dev`, which needs no settings. For real use: `grantor config example > grantor.toml`, change
/// it, make an encryption key with `grantor key generate-encryption-key`, then `grantor doctor` and `grantor serve`.
#[derive(Debug, Parser)]
#[command(name = "grantor", version, max_term_width = 100)]
pub struct Cli {
    /// The settings; by default `grantor.toml` in the working directory, if it is there.
    #[arg(long, global = true, value_name = "FILE", env = "GRANTOR_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Try it out: no settings, everything under .grantor-dev, demo users and apps. Never for real use.
    #[arg(long, global = true)]
    pub dev: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(serve::Arguments),
    /// Make clients, users, groups, scopes, APIs, apps behind proxies and upstreams what a file says.
    ///
    /// The file holds [[clients]] with the names of RFC 7591, [[users]] with the standard claims of OpenID Connect, [[groups]],
    /// [[scopes]], [[resources]], [[apps]], [[upstreams]], and [[api_keys]] by their hashes. What the file does not name is left
    /// alone. Applied twice, the second changes nothing.
    Apply(apply::Arguments),
    /// List, show and remove apps behind a proxy that asks about each request; `grantor apply` declares them.
    #[command(subcommand)]
    App(app::Command),
    /// List, show, add and remove apps.
    #[command(subcommand)]
    Client(client::Command),
    /// List, show, add and remove people; set passwords; switch accounts off and on.
    #[command(subcommand)]
    User(user::Command),
    /// Issue API keys to apps; list, rotate and revoke them; list and revoke the tokens that people made.
    #[command(subcommand)]
    Token(token::Command),
    /// Make, list and revoke the tokens with which apps register themselves.
    #[command(subcommand)]
    Registration(registration::Command),
    /// Show what apps and tokens were used for: which scopes, how often, when last, from which networks, at which APIs.
    Usage(usage::Arguments),
    /// List and remove the providers that people sign in through.
    #[command(subcommand)]
    Upstream(upstream::Command),
    /// List what apps were told of sessions that had ended, and tell those again that did not take it.
    #[command(subcommand)]
    Logout(logout::Command),
    /// List the mails that could not be sent, and send those again that were given up.
    #[command(subcommand)]
    Mail(mail::Command),
    /// List the systems that are told of events, tell them again, or try one out.
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// List, make, rotate and remove signing keys; make an encryption key.
    #[command(subcommand)]
    Key(key::Command),
    /// Bring the database to this version's layout; `serve` does so by itself. With --to, move it to PostgreSQL.
    ///
    /// --to copies every row of a SQLite database into an empty PostgreSQL one, and verifies number and hash of the rows of
    /// each table. Users, sessions, grants, tokens and keys go on working, with the same key-encryption key. It all happens in
    /// one transaction: where it fails, PostgreSQL has nothing but an empty layout, and a second run works.
    ///
    /// The server may go on running. While rows are copied it reads, and answers what it would have to write, as a sign-in,
    /// with 503 and Retry-After. From then on the SQLite database takes no more writes, so that nothing is lost and nothing
    /// that was spent can be spent again: start the server with its new database_url at once. Rehearse first with --dry-run,
    /// which disturbs nobody and says how long it takes.
    Migrate(migrate::Arguments),
    /// Copy the database into a file, while the server runs.
    ///
    /// The file is of one moment, readable by this user only, and checked before it gets its name. It is of no use without the
    /// key-encryption key, which is not in it: keep that, and keep it elsewhere. PostgreSQL has pg_dump for this.
    Backup(backup::Arguments),
    /// Put a backup in the place of a database that is not there.
    ///
    /// A backup knows nothing of what came after it. What was spent, ended or revoked since counts again: codes, recovery
    /// codes, refresh tokens, sessions, access tokens, client assertions. With --new-epoch none of it does, nor anything else that was
    /// issued: people sign in again, and apps ask again. Passwords, client secrets, accounts, apps and approvals that were
    /// changed or removed since come back as they were, with or without it: change them again.
    Restore(restore::Arguments),
    /// End everything that was issued: sessions, codes, grants, tokens, signing keys.
    ///
    /// For a database that was put back by other means than `grantor restore --new-epoch`, as by pg_restore, and for the day
    /// on which somebody has got hold of it. People sign in again, apps ask again, and every key is a new one, those added
    /// from files too. People, apps, approvals, scopes, APIs and events stay. A running server follows within a second; APIs
    /// that check signatures by themselves do when they fetch the key set again.
    NewEpoch(new_epoch::Arguments),
    /// Show security events: refusals by the case number of an error page, sign-ins, approvals, changes.
    Events(events::Arguments),
    /// Check settings, database, keys, clock and whether the issuer answers; each finding comes with its fix.
    Doctor(doctor::Arguments),
    /// Show the commented example of all settings, or check the settings.
    #[command(subcommand)]
    Config(config::Command),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
