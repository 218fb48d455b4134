//! What an app says of itself beside its name: its page, its privacy policy, its terms. Never its logo: a page of ours asks no other
//! server for anything.
//!
//! Whoever registered itself could send people anywhere with a link on a page that they trust; so its links are those to where this
//! answer goes. The addresses of a privacy policy and of terms that are elsewhere are told as text, as what they are.

use grantor_core::authorization::AuthorizationRequest;
use grantor_core::client::Trust;

use crate::locale::Language;

/// What is shown of what an app says.
#[derive(Clone, Debug, Default)]
pub struct AppLinks {
    /// Its pages.
    pub links: Vec<Link>,
    /// Those of another site than where the answer goes, of an app that nobody has checked: their addresses are shown, not linked.
    pub elsewhere: Vec<Link>,
    /// Whether it registered itself, and nobody has checked it.
    pub unchecked: bool,
}

/// A page of an app.
#[derive(Clone, Debug)]
pub struct Link {
    /// The address.
    pub href: String,
    /// The key of its text.
    pub key: &'static str,
}

impl AppLinks {
    /// What the app of a request says to people who read a language.
    pub(crate) fn of(request: &AuthorizationRequest, language: Language) -> Self {
        let client = &request.client;
        // "If present, the server SHOULD display this URL to the end-user in a clickable fashion. ... The authorization server
        // SHOULD display this URL to the end-user if it is provided." (RFC 7591 §2)
        // "If present, the server SHOULD display this URL to the End-User in a followable fashion." (OIDC Registration §2)
        // "The OpenID Provider SHOULD display this URL to the End-User if it is given." (OIDC Registration §2)
        let pages = [("client_uri", "app-link-page"), ("policy_uri", "app-link-policy"), ("tos_uri", "app-link-terms")];
        let link = |(member, key)| {
            let page = client.page_in(member, language.tag(), &request.redirect_uri)?;
            Some(Link { href: page.to_owned(), key })
        };
        // "The Authorization Server SHOULD check to see if the "logo_uri" and "policy_uri" have the same host as the hosts
        // defined in the array of "redirect_uris"." (OIDC Registration §9.1)
        let text = |(member, key)| {
            let href = client.page_elsewhere(member, language.tag(), &request.redirect_uri)?;
            Some(Link { href, key })
        };
        Self {
            links: pages.into_iter().filter_map(link).collect(),
            elsewhere: pages.into_iter().filter_map(text).collect(),
            unchecked: client.trust == Trust::SelfRegistered,
        }
    }
}
