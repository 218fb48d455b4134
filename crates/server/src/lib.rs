//! The binary `grantor` as a library, so that tests can run it in their own process.
//!
//! Here and nowhere else: the clock, the environment, the command line, TLS, logs, threads of the background, and the wiring of
//! one provider. What is decided is decided in `grantor-core`; what is kept is kept by `grantor-storage`.
//!
//! | file | what |
//! |---|---|
//! | `config` | every setting with its default, its manual and its rules |
//! | `declare` | `grantor apply`: read, plan, commit |
//! | `commands` | one file a command |
//! | `running` | one provider, wired and run |
//! | `settings` | from the command line to an open database |
//! | `keys`, `key_schedule` | the life of signing keys: decided, carried out |
//! | `epoch` | the end of everything that was issued |
//! | `background` | what goes on beside requests |
//! | `outgoing` | the mailer and the webhooks, with their secrets |
//! | `dev` | `--dev` |
//! | `checkup` | the doctor's examinations |

pub mod background;
pub mod checkup;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod declare;
pub mod dev;
pub mod epoch;
pub mod fields;
pub mod key_schedule;
pub mod keys;
pub mod outgoing;
pub mod output;
pub mod passwords;
pub mod place;
pub mod registrations;
pub mod running;
#[cfg(test)]
mod scratch;
pub mod settings;
pub mod telemetry;
pub mod tls;
