//! Notes behind access tokens, with axum. It is tried out like the example for actix-web:
//! `cargo run -p grantor-resource-server --features axum --example axum`.

#![expect(clippy::disallowed_methods, reason = "an example reads its settings from the environment")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use grantor_resource_server::tower::Protect;
use grantor_resource_server::{Call, Demand, Denied, RequiredScope, Scoped, Verifier};

/// What reading needs.
struct NotesRead;

impl RequiredScope for NotesRead {
    const SCOPE: &str = "notes.read";
}

async fn read_notes(call: Scoped<NotesRead>) -> String {
    format!("the notes of {}: water the plants\n", call.subject)
}

/// A demand that the call itself makes: here, for the sake of the example, always.
async fn delete_notes(call: Call) -> Result<String, Denied> {
    call.demand(&Demand::scope("notes.write").max_age(Duration::from_mins(5)))?;
    Ok(format!("the notes of {} are gone\n", call.subject))
}

async fn me(call: Call) -> String {
    format!("{} by {}, with {}\n", call.subject, call.client_id, call.scope.as_str())
}

fn router(verifier: Verifier) -> Router {
    let metadata = verifier.metadata().cloned();
    let protect =
        Protect::new(verifier).peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    let router = Router::new()
        .route("/api/notes", get(read_notes).delete(delete_notes))
        .route("/api/me", get(me))
        .route_layer(protect);
    // To everybody, so outside of the layer.
    match metadata {
        Some(metadata) => {
            let path = metadata.path().to_owned();
            router.route(&path, get(|| async move { metadata }))
        }
        None => router,
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let setting = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let issuer = setting("ISSUER", "http://localhost:8080");
    let verifier = Verifier::builder(issuer, setting("AUDIENCE", "http://localhost:8081/api"))
        .introspection(
            setting("CLIENT_ID", "demo-api"),
            setting("CLIENT_SECRET", "a-secret-for-the-demo-api-and-nothing-else"),
        )
        .scopes(["notes.read", "notes.write"])
        .name("Notes")
        .build()
        .map_err(std::io::Error::other)?;
    let listener = tokio::net::TcpListener::bind(setting("LISTEN", "127.0.0.1:8082")).await?;
    println!("http://{}/api/notes", listener.local_addr()?);
    axum::serve(listener, router(verifier).into_make_service_with_connect_info::<SocketAddr>()).await
}
