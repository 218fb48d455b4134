//! All clients, and the web origins that they allow: what one client changes is changed here without looking at the others.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use super::{Client, Trust};
use crate::redirect_uri;

/// The clients by identifier, the disabled ones too. Read as a map.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    by_id: HashMap<String, Arc<Client>>,
    /// How many clients that are not switched off allow each origin.
    origins: HashMap<String, usize>,
    self_registered: usize,
}

impl Clients {
    /// Puts a client in the place of the one with the same identifier, which is returned.
    pub fn insert(&mut self, client_id: String, client: Arc<Client>) -> Option<Arc<Client>> {
        let before = self.remove(&client_id);
        for origin in origins(&client) {
            *self.origins.entry(origin).or_default() += 1;
        }
        self.self_registered += usize::from(client.trust == Trust::SelfRegistered);
        self.by_id.insert(client_id, client);
        before
    }

    /// Takes a client out.
    pub fn remove(&mut self, client_id: &str) -> Option<Arc<Client>> {
        let client = self.by_id.remove(client_id)?;
        for origin in origins(&client) {
            if let Some(count) = self.origins.get_mut(&origin) {
                *count -= 1;
                if *count == 0 {
                    self.origins.remove(&origin);
                }
            }
        }
        self.self_registered -= usize::from(client.trust == Trust::SelfRegistered);
        Some(client)
    }

    /// Whether any client that is not switched off allows scripts of `origin` to read its answers.
    pub fn allow_origin(&self, origin: &str) -> bool {
        self.origins.contains_key(origin)
    }

    /// How many have registered themselves.
    pub fn self_registered(&self) -> usize {
        self.self_registered
    }
}

impl Deref for Clients {
    type Target = HashMap<String, Arc<Client>>;

    fn deref(&self) -> &Self::Target {
        &self.by_id
    }
}

impl FromIterator<(String, Arc<Client>)> for Clients {
    fn from_iter<I: IntoIterator<Item = (String, Arc<Client>)>>(clients: I) -> Self {
        let mut all = Self::default();
        for (client_id, client) in clients {
            all.insert(client_id, client);
        }
        all
    }
}

impl<const N: usize> From<[(String, Arc<Client>); N]> for Clients {
    fn from(clients: [(String, Arc<Client>); N]) -> Self {
        clients.into_iter().collect()
    }
}

/// The origins that a client allows, each once.
fn origins(client: &Client) -> Vec<String> {
    if client.disabled {
        return Vec::new();
    }
    let mut origins: Vec<String> = match &client.metadata.allowed_origins {
        Some(origins) => origins.clone(),
        None => client.metadata.redirect_uris.iter().filter_map(|uri| redirect_uri::origin(uri)).collect(),
    };
    origins.sort_unstable();
    origins.dedup();
    origins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::sample;

    fn client(client_id: &str, origins: &[&str], disabled: bool) -> Arc<Client> {
        let mut client = sample(client_id);
        client.metadata.allowed_origins = Some(origins.iter().map(|origin| (*origin).to_owned()).collect());
        client.disabled = disabled;
        Arc::new(client)
    }

    #[test]
    fn an_origin_counts_as_long_as_any_client_allows_it() {
        let mut clients = Clients::default();
        clients.insert("a".into(), client("a", &["https://x", "https://x"], false));
        clients.insert("b".into(), client("b", &["https://x", "https://y"], false));
        clients.insert("b".into(), client("b", &["https://x", "https://y"], true));
        assert!(clients.allow_origin("https://x") && !clients.allow_origin("https://y"));
        clients.remove("a");
        assert!(!clients.allow_origin("https://x"));
        assert_eq!(clients.len(), 1);
    }

    #[test]
    fn those_that_registered_themselves_are_counted() {
        let registered = |id: &str| Arc::new(Client { trust: Trust::SelfRegistered, ..sample(id) });
        let mut clients = Clients::from([("a".to_owned(), registered("a")), ("b".to_owned(), Arc::new(sample("b")))]);
        clients.insert("a".into(), registered("a"));
        assert_eq!(clients.self_registered(), 1);
        clients.remove("a");
        assert_eq!(clients.self_registered(), 0);
    }
}
