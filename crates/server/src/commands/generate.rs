//! `grantor token generate`: a key for a declaration file, made without a database.

use std::time::Duration;

use clap::Args;
use grantor_core::time::Time;
use grantor_core::token::API_KEY;
use grantor_jose::random::{Mint, Random};
use serde_json::json;

use crate::clock;
use crate::declare::KeyProof;
use crate::output;

/// How far ahead the suggested end is.
const SUGGESTED: Duration = Duration::from_hours(24 * 90);

/// A key that only a declaration makes count.
#[derive(Debug, Args)]
pub struct Generate {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// The key, and what the declaration says of it.
pub fn text(asked: &Generate, now: Time) -> String {
    // Its identifier comes from nobody who keeps count of them; the number of the node is drawn.
    let [node] = Random::new().bytes::<1>();
    let mint = Mint::new(node);
    let (id, secret) = (mint.id(now.millis()), mint.secret());
    let key = API_KEY.format(id, &secret);
    let proof = KeyProof { id, secret: secret.hash() };
    if asked.json {
        return output::json(&json!({"token": key, "key_hash": proof.to_string()}));
    }
    let moment = clock::text(now.plus(SUGGESTED));
    let day = moment.split('T').next().unwrap_or_default();
    format!(
        "{key}\n\nIt is shown this once, and counts when this is applied:\n\n[[api_keys]]\nclient_id = \"…\"\nname = \"…\"\nscope = \"…\"\n\
         expires = {day}\nkey_hash = \"{proof}\"\n"
    )
}
