//! What an API says of itself (RFC 9728): where its tokens come from, and how they are sent to it.

use serde::Serialize;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The document at [`ResourceMetadata::path`].
#[derive(Clone, Debug)]
pub struct ResourceMetadata {
    url: String,
    path: String,
    json: String,
}

/// The members of the document (RFC 9728 §2).
#[derive(Debug, Serialize)]
pub(crate) struct Members<'a> {
    pub(crate) resource: &'a str,
    pub(crate) authorization_servers: [&'a str; 1],
    pub(crate) bearer_methods_supported: [&'a str; 1],
    // "Parameters with zero values MUST be omitted from the response." (RFC 9728 §3.2)
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) scopes_supported: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource_name: Option<&'a str>,
}

impl ResourceMetadata {
    /// The document of the resource; none where its identifier is no URL that a client could ask.
    pub(crate) fn new(members: &Members<'_>) -> Option<Self> {
        let (origin, rest) = split(members.resource)?;
        // "If the resource identifier value contains a path or query component, any terminating slash (/) following the host
        // component MUST be removed before inserting /.well-known/ and the well-known URI path suffix between the host component
        // and the path and/or query components." (RFC 9728 §3.1)
        let rest = if rest == "/" || rest.starts_with("/?") { &rest[1..] } else { rest };
        let path = format!("{WELL_KNOWN}{}", rest.split('?').next().unwrap_or_default());
        let json = serde_json::to_string(members).ok()?;
        Some(Self { url: format!("{origin}{WELL_KNOWN}{rest}"), path, json })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path at which the API must serve it, to everybody.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The document.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// Origin, and what follows it. "a URL that uses the https scheme and has no fragment component" (RFC 9728 §1.2), or one on this
/// machine, to try things out.
fn split(identifier: &str) -> Option<(&str, &str)> {
    let url = url::Url::parse(identifier).ok()?;
    if !crate::fetch::is_private(&url) || url.fragment().is_some() {
        return None;
    }
    let after_scheme = identifier.find("://")? + 3;
    let end = identifier[after_scheme..].find(['/', '?']).map_or(identifier.len(), |at| after_scheme + at);
    Some(identifier.split_at(end))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn of(resource: &str) -> Option<ResourceMetadata> {
        let (authorization_servers, scopes_supported) = (["https://id.example"], &["notes.read".to_owned()][..]);
        let methods = ["header"];
        ResourceMetadata::new(&Members {
            resource,
            authorization_servers,
            bearer_methods_supported: methods,
            scopes_supported,
            resource_name: None,
        })
    }

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        for (resource, url, path) in [
            ("https://api.example", "https://api.example/.well-known/oauth-protected-resource", ""),
            ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource", ""),
            (
                "https://api.example:8443/notes",
                "https://api.example:8443/.well-known/oauth-protected-resource/notes",
                "/notes",
            ),
            (
                "https://api.example/notes/",
                "https://api.example/.well-known/oauth-protected-resource/notes/",
                "/notes/",
            ),
            ("https://api.example?x=1", "https://api.example/.well-known/oauth-protected-resource?x=1", ""),
            ("https://api.example/?x=1", "https://api.example/.well-known/oauth-protected-resource?x=1", ""),
            ("https://api.example/a?x=/b", "https://api.example/.well-known/oauth-protected-resource/a?x=/b", "/a"),
            ("http://localhost:8081/api", "http://localhost:8081/.well-known/oauth-protected-resource/api", "/api"),
        ] {
            let metadata = of(resource).unwrap();
            assert_eq!((metadata.url(), metadata.path()), (url, format!("{WELL_KNOWN}{path}").as_str()), "{resource}");
        }
    }

    #[test]
    fn an_identifier_that_nobody_can_ask_has_no_document() {
        for resource in ["urn:notes", "http://api.example", "https://api.example/#f", "notes", "", "https://"] {
            assert!(of(resource).is_none(), "{resource}");
        }
    }

    #[test]
    fn the_document_names_the_api_letter_for_letter() {
        assert_eq!(
            of("https://API.example/").unwrap().json(),
            r#"{"resource":"https://API.example/","authorization_servers":["https://id.example"],"bearer_methods_supported":["header"],"scopes_supported":["notes.read"]}"#
        );
    }
}
