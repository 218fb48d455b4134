//! The command line. Each command's own arguments stand in its file under `commands`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{apply, client, config, doctor, events, key, migrate, serve, user};

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
    /// Make clients, users, scopes and APIs what a file says.
    ///
    /// The file holds [[clients]] with the names of RFC 7591, [[users]] with the standard claims of OpenID Connect,
    /// [[scopes]] and [[resources]]. What the file does not name is left alone. Applied twice, the second changes nothing.
    Apply(apply::Arguments),
    /// List, show, add and remove apps.
    #[command(subcommand)]
    Client(client::Command),
    /// List, show, add and remove people; set passwords; switch accounts off and on.
    #[command(subcommand)]
    User(user::Command),
    /// List, make, rotate and remove signing keys; make an encryption key.
    #[command(subcommand)]
    Key(key::Command),
    /// Bring the database to this version's layout; `serve` does so by itself.
    Migrate(migrate::Arguments),
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
