//! An answer of the authorization endpoint as the suite takes it: where it has to stand, and what has to be in it.

use reqwest::StatusCode;
use url::Url;

use super::driver::{Module, Request};
use crate::harness::page::Page;

/// An answer, and the request that it is to.
#[derive(Debug)]
pub struct Answered {
    /// The request.
    pub request: Request,
    /// Its parameters, wherever they stand.
    pub params: Vec<(String, String)>,
}

impl Answered {
    /// Takes the answer that a page carries to the app, by a redirect or by its form.
    pub fn receive(module: &Module<'_>, request: Request, page: &Page) -> Self {
        let sent = |name: &str| request.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let is_posted = sent("response_mode") == Some("form_post");
        let (to, params) = if is_posted { posted(page) } else { redirected(page) };
        let expected = Url::parse(&request.redirect_uri).unwrap();
        assert_eq!((to.origin(), to.path()), (expected.origin(), expected.path()), "it goes where it was to go");
        let query = pairs(to.query());
        // "The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted (per Appendix B) query component
        // ([RFC3986] Section 3.4), which MUST be retained when adding additional query parameters." (RFC 6749 §3.1.2)
        let own = pairs(expected.query());
        assert!(own.iter().all(|pair| query.contains(pair)), "{to}: {own:?}");
        // "When using the Implicit Flow, all response parameters are added to the fragment component of the Redirection URI, as
        // specified in OAuth 2.0 Multiple Response Type Encoding Practices [OAuth.Responses], unless a different Response Mode was
        // specified." (OIDC Core §3.2.2.5)
        let in_query = sent("response_type").is_none_or(|kind| kind == "code") && !is_posted;
        let params = match (is_posted, in_query) {
            (true, _) => params,
            (false, true) => query.iter().filter(|pair| !own.contains(pair)).cloned().collect(),
            (false, false) => pairs(to.fragment()),
        };
        if !in_query {
            assert!(!query.iter().any(|(name, _)| name == "code" || name == "error"), "not in the query: {to}");
        }
        let answer = Self { request, params };
        answer.check(&module.server.url);
        answer
    }

    fn check(&self, issuer: &str) {
        let names = self.params.iter().map(|(name, _)| name.as_str());
        assert!(
            names.clone().all(|name| names.clone().filter(|known| *known == name).count() == 1),
            "each once: {self:?}"
        );
        // "REQUIRED if the "state" parameter was present in the client authorization request. The exact value received from the
        // client." (RFC 6749 §4.1.2)
        assert_eq!(self.find("state"), self.request.state.as_deref(), "the state is the one that was sent");
        assert_eq!(self.find("iss"), Some(issuer), "it is of the server that was asked");
    }

    /// A parameter.
    pub fn param(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("{name} in {:?}", self.params))
    }

    /// Whether a parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The error of an answer that says no, with all that the suite checks of one.
    pub fn error(&self) -> &str {
        // "Unless the Redirection URI is invalid, the Authorization Server returns the Client to the Redirection URI specified in
        // the Authorization Request with the appropriate error and state parameters. Other parameters SHOULD NOT be returned."
        // (OIDC Core §3.1.2.6)
        let known = ["error", "error_description", "error_uri", "state", "session_state", "iss"];
        assert!(self.params.iter().all(|(name, _)| known.contains(&name.as_str())), "{:?}", self.params);
        // "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
        // (RFC 6749 §4.1.2.1)
        let described = self.find("error_description").unwrap_or_default();
        assert!(described.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{described}");
        self.param("error")
    }
}

/// What a browser without scripts posts when its user presses the button of the page.
fn posted(page: &Page) -> (Url, Vec<(String, String)>) {
    assert_eq!((page.status, page.name()), (StatusCode::OK, "form-post".to_owned()), "{}", page.body);
    assert!(page.has("form#answer[method=post] button#continue"), "{}", page.body);
    assert!(page.has("script[src]"), "and by itself, where there are scripts: {}", page.body);
    let form = page.form("form#answer");
    (form.action, form.fields)
}

fn redirected(page: &Page) -> (Url, Vec<(String, String)>) {
    let to =
        page.location().unwrap_or_else(|| panic!("a redirect, not {} {}: {}", page.status, page.name(), page.body));
    (to, Vec::new())
}

fn pairs(text: Option<&str>) -> Vec<(String, String)> {
    let parsed = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
    parsed.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
