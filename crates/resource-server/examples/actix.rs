//! Notes behind access tokens, with actix-web.
//!
//! 1. `cargo run -- serve --dev` starts a server on <http://localhost:8080>, where the API `http://localhost:8081/api` is declared.
//! 2. `cargo run -p grantor-resource-server --features actix --example actix` starts this API on <http://localhost:8082>.
//! 3. A token, here in the API's own name; an app gets one for a person:
//!
//!    ```sh
//!    token=$(curl -s -u demo-api:a-secret-for-the-demo-api-and-nothing-else \
//!        -d grant_type=client_credentials -d scope=notes.read http://localhost:8080/token | sed 's/.*"access_token":"\([^"]*\).*/\1/')
//!    curl -i http://localhost:8082/api/notes                                       # 401: no token
//!    curl -i -H "Authorization: Bearer $token" http://localhost:8082/api/notes     # 200
//!    curl -i -H "Authorization: Bearer $token" -X DELETE http://localhost:8082/api/notes   # 403: it may only read
//!    ```

#![expect(clippy::disallowed_methods, reason = "an example reads its settings from the environment")]

use std::time::Duration;

use actix_web::{App, HttpServer, Responder, delete, get, web};
use grantor_resource_server::actix::{Protect, describe};
use grantor_resource_server::{Call, RequiredScope, Scoped, Verifier};

/// What reading needs.
struct NotesRead;

impl RequiredScope for NotesRead {
    const SCOPE: &str = "notes.read";
}

/// What deleting needs: another scope, and a person who has signed in within the last five minutes.
struct NotesDelete;

impl RequiredScope for NotesDelete {
    const SCOPE: &str = "notes.write";
    const MAX_AGE: Option<Duration> = Some(Duration::from_mins(5));
}

#[get("/notes")]
async fn read_notes(call: Scoped<NotesRead>) -> impl Responder {
    format!("the notes of {}: water the plants\n", call.subject)
}

#[delete("/notes")]
async fn delete_notes(call: Scoped<NotesDelete>) -> impl Responder {
    format!("the notes of {} are gone\n", call.subject)
}

#[get("/me")]
async fn me(call: Call) -> impl Responder {
    format!("{} by {}, with {}\n", call.subject, call.client_id, call.scope.as_str())
}

#[actix_web::main]
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
    let listen = setting("LISTEN", "127.0.0.1:8082");
    println!("http://{listen}/api/notes");
    HttpServer::new(move || {
        App::new().configure(describe(&verifier)).service(
            web::scope("/api")
                .wrap(Protect::new(verifier.clone()))
                .service(read_notes)
                .service(delete_notes)
                .service(me),
        )
    })
    .bind(listen)?
    .run()
    .await
}
