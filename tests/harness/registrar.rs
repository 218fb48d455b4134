//! A client that registers itself, by hand, so that a story can break any part of it.

use serde_json::{Value, json};

use super::page::Page;
use super::server::Server;

/// Who registers.
pub struct Registrar<'a> {
    server: &'a Server,
    http: reqwest::Client,
}

/// Metadata that are right.
pub fn metadata() -> Value {
    json!({"client_name": "Notebook", "redirect_uris": ["https://notebook.example/cb"]})
}

/// The metadata with other members; `null` takes one out.
pub fn metadata_with(changes: Value) -> Value {
    let mut metadata = metadata();
    if let Value::Object(changes) = changes {
        changes.into_iter().for_each(|(name, value)| metadata[name.as_str()] = value);
    }
    metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    metadata
}

impl<'a> Registrar<'a> {
    /// A client of a server.
    pub fn new(server: &'a Server) -> Self {
        Self { server, http: reqwest::Client::new() }
    }

    /// Registers with these metadata.
    pub async fn register(&self, metadata: &Value) -> Page {
        self.send("POST", "/register", None, metadata.to_string()).await
    }

    /// Registers with a token.
    pub async fn register_with(&self, token: &str, metadata: &Value) -> Page {
        self.send("POST", "/register", Some(token), metadata.to_string()).await
    }

    /// What is registered, where it must be.
    pub async fn registered(&self, metadata: &Value) -> Value {
        let page = self.register(metadata).await;
        assert_eq!(page.status, 201, "{}", page.whole());
        page.json()
    }

    /// Registers with a body of any kind.
    pub async fn register_raw(&self, body: impl Into<reqwest::Body>) -> Page {
        self.send("POST", "/register", None, body).await
    }

    /// Reads what is registered.
    pub async fn read(&self, client: &Value) -> Page {
        self.manage("GET", client, "").await
    }

    /// Updates what is registered.
    pub async fn update(&self, client: &Value, metadata: &Value) -> Page {
        self.manage("PUT", client, metadata.to_string()).await
    }

    /// Removes what is registered.
    pub async fn remove(&self, client: &Value) -> Page {
        self.manage("DELETE", client, "").await
    }

    /// Asks at the address of a client with its token.
    pub async fn manage(&self, method: &str, client: &Value, body: impl Into<reqwest::Body>) -> Page {
        let uri = client["registration_client_uri"].as_str().unwrap();
        let path = uri.strip_prefix(&self.server.url).unwrap().to_owned();
        self.send(method, &path, client["registration_access_token"].as_str(), body).await
    }

    /// Sends anything.
    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, body: impl Into<reqwest::Body>) -> Page {
        let request = self.http.request(method.parse().unwrap(), self.server.at(path));
        let request = request.header("content-type", "application/json").body(body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Page::of(request.send().await.unwrap()).await
    }
}

/// What an update says so that all stays as it is.
pub fn unchanged(client: &Value) -> Value {
    let mut said = client.clone();
    let own =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    said.as_object_mut().unwrap().retain(|name, _| !own.contains(&name.as_str()));
    said
}
