//! `[[apps]]`: apps behind a proxy that asks about each request.

use grantor_core::forward_auth::ProxiedApp;
use grantor_identity::username::Username;

use super::section::{Place, Section};
use crate::fields::names;

/// An app behind a proxy, as declared.
#[derive(Clone, Debug)]
pub struct DeclaredApp {
    /// The app.
    pub app: ProxiedApp,
    /// Where it stands.
    pub place: Place,
}

/// Reads one app.
pub(super) fn read(section: &mut Section) -> Option<DeclaredApp> {
    let place = section.place();
    section.only(&[names::<ProxiedApp>()]);
    let mut app = section.rest::<ProxiedApp>()?;
    for name in &mut app.users {
        match Username::parse(name) {
            Ok(username) => username.as_str().clone_into(name),
            Err(error) => section.fault("users", &format!("\"{name}\": {error}")),
        }
    }
    if app.name.trim().is_empty() {
        section.fault("name", "is empty");
    }
    for (key, message) in app.findings() {
        section.fault(key, &message);
    }
    Some(DeclaredApp { app, place })
}
