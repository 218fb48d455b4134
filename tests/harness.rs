//! What a story needs around it.

pub mod amount;
pub mod app;
pub mod assertion;
pub mod authenticator;
pub mod browser;
pub mod command;
pub mod connection;
pub mod dice;
pub mod folder;
pub mod front_channel;
pub mod page;
pub mod person;
pub mod postgres;
pub mod receiver;
pub mod registrar;
pub mod relying_party;
pub mod seeds;
pub mod server;
pub mod site;
pub mod smtp;
pub mod tls;
