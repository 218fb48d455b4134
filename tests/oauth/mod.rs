//! OAuth 2.0 over HTTP, in the order of the specifications.

mod access_token;
mod answer;
mod assertion;
mod authorize;
mod client_auth;
mod client_credentials;
mod client_secret_jwt;
mod code;
mod cors;
mod events;
mod introspection;
mod introspection_signed;
pub mod jwks_uri;
mod limits;
mod main_path;
mod pkce;
mod prompt;
mod redirect_uri;
mod refresh;
mod refresh_end;
mod registration;
mod registration_management;
mod resource;
mod resource_server;
mod response_modes;
mod revocation;
mod token;
