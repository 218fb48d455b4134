//! Whether apps can get what they are declared for.

use grantor_core::authorization::ResponseType;
use grantor_core::client::Client;
use grantor_core::directory::Directory;
use grantor_core::policy::ClientPolicy;

use super::{Finding, doubtful};

/// Apps that are declared for tokens through the browser, where none may travel there.
pub(super) fn unanswered(directory: &Directory, policy: &ClientPolicy) -> Option<Finding> {
    if policy.allow_front_channel_tokens {
        return None;
    }
    let kinds = ResponseType::ALL.into_iter().filter(|kind| kind.is_front_channel());
    let is_declared = |client: &Client| kinds.clone().any(|kind| client.allows_response_type(kind));
    let clients = directory.clients.values().filter(|client| !client.disabled && is_declared(client));
    let mut names: Vec<&str> = clients.map(|client| client.client_id.as_str()).collect();
    names.sort_unstable();
    let message = format!("{}: declared for tokens through the browser, where none may travel", names.join(", "));
    let fix = "set clients.allow_front_channel_tokens, or declare response_types = [\"code\"] alone";
    (!names.is_empty()).then(|| doubtful("apps", message, fix))
}
