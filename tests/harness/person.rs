//! A person with a browser that has cookies and no scripts. Redirects are followed as far as our own server goes.

use url::Url;

use super::page::{Form, Page};
use super::seeds;
use super::server::Server;
use super::tls;

/// A person's browser.
#[derive(Clone)]
pub struct Person {
    http: reqwest::Client,
    /// The issuer's origin, which stands in its forms.
    origin: String,
    /// Where the server listens.
    address: String,
}

impl Person {
    /// A fresh browser.
    pub fn new(server: &Server) -> Self {
        Self::with_language(server, "en")
    }

    /// A fresh browser whose person reads `language`.
    pub fn with_language(server: &Server, language: &'static str) -> Self {
        Self { address: server.address.clone(), ..Self::at(&server.url, language) }
    }

    /// The same for a server of which only the issuer is known.
    pub fn at(issuer: &str, language: &'static str) -> Self {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("accept", "text/html,*/*;q=0.8".parse().unwrap());
        headers.insert("accept-language", language.parse().unwrap());
        let http = tls::browser().cookie_store(true).default_headers(headers);
        Self { http: http.build().unwrap(), origin: issuer.to_owned(), address: issuer.to_owned() }
    }

    /// A request that is not followed.
    pub async fn get(&self, url: impl AsRef<str>) -> Page {
        let url = self.absolute(url.as_ref());
        Page::of(self.http.get(url).send().await.unwrap()).await
    }

    /// A request with other headers, which is not followed.
    pub async fn get_with(&self, url: impl AsRef<str>, headers: &[(&str, &str)]) -> Page {
        let request = self.http.get(self.absolute(url.as_ref()));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Page::of(request.send().await.unwrap()).await
    }

    /// Opens an address and follows redirects until a page, or until the browser would leave for an app.
    pub async fn open(&self, url: impl AsRef<str>) -> Page {
        let page = self.get(url).await;
        self.follow(page).await
    }

    /// Sends a form, and follows.
    pub async fn send(&self, form: &Form) -> Page {
        let page = self.post(form).await;
        self.follow(page).await
    }

    /// Sends a form, without following.
    pub async fn post(&self, form: &Form) -> Page {
        let request = self.http.post(form.action.clone()).header("origin", &self.origin).form(&form.fields);
        Page::of(request.send().await.unwrap()).await
    }

    /// Sends a form with other headers, without following.
    pub async fn post_with(&self, form: &Form, headers: &[(&str, &str)]) -> Page {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let request = self.http.post(form.action.clone()).form(&form.fields).headers(headers);
        Page::of(request.send().await.unwrap()).await
    }

    /// Fills in the sign-in page.
    pub async fn sign_in_on(&self, page: &Page, username: &str, password: &str) -> Page {
        let form = page.form(r#"form[action="/sign-in"]"#).with("username", username).with("password", password);
        self.send(&form).await
    }

    /// Signs in to the account as Alice.
    pub async fn sign_in(&self) -> Page {
        let page = self.open("/sign-in").await;
        self.sign_in_on(&page, seeds::ALICE, seeds::ALICE_PASSWORD).await
    }

    /// Allows what the consent page has ticked.
    pub async fn allow_on(&self, page: &Page) -> Page {
        self.send(&page.form(r#"form[action="/consent"]"#).with("decision", "allow")).await
    }

    /// Goes on from a page as Alice, who signs in where she is asked to, and allows what is ticked.
    pub async fn approve(&self, mut page: Page) -> Page {
        if page.name() == "sign-in" {
            page = self.sign_in_on(&page, seeds::ALICE, seeds::ALICE_PASSWORD).await;
        }
        if page.name() == "consent" { self.allow_on(&page).await } else { page }
    }

    /// Follows the redirects of an answer as far as our own server goes.
    pub async fn follow(&self, mut page: Page) -> Page {
        for _ in 0..10 {
            match page.location() {
                Some(next) if self.is_own(&next) => page = self.get(next.as_str()).await,
                _ => return page,
            }
        }
        panic!("the redirects end");
    }

    fn is_own(&self, url: &Url) -> bool {
        [&self.origin, &self.address].contains(&&url.origin().ascii_serialization())
    }

    fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.address) } else { url.to_owned() }
    }
}
