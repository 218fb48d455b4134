//! What every page has around it: the issuer's name, the account in use, the choice of languages.

use askama::filters::Safe;

use crate::{
    html::{self, ToArgument},
    locale::{self, Language},
};

/// The frame of a page; every page struct has one in its field `frame`.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The account in use, where somebody is signed in.
    pub account: Option<SignedIn>,
    /// The value of the hidden field `csrf` in each form of the page.
    pub csrf: String,
    /// Whose server this is.
    pub issuer: Issuer,
    /// The language of the page.
    pub language: Language,
    /// Seconds since the epoch, for "3 days ago".
    pub now: i64,
    /// The path and query of this page, to come back to from the choice of languages; without it there is no choice.
    pub return_to: Option<String>,
}

/// Whose server this is, as configured.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The address of the logo, on our own origin.
    pub logo: Option<String>,
    /// The name people know it by.
    pub name: String,
    /// The address of the stylesheet with the issuer's accent colour, see [`crate::statics::theme`].
    pub theme: Option<String>,
}

impl Default for Issuer {
    fn default() -> Self {
        Self { logo: None, name: "Grantor".to_owned(), theme: None }
    }
}

/// The account in use.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The path at which another account can be chosen, where this makes sense on the page.
    pub change: Option<String>,
    /// What the person is called; the username where nothing better is known.
    pub name: String,
    /// What the person signs in with.
    pub username: String,
}

/// An app as people know it.
#[derive(Clone, Debug)]
pub struct App {
    /// The app's own host, such as `wiki.example.com`; empty where none is known.
    pub host: String,
    /// What the app calls itself.
    pub name: String,
    /// Whether it registered itself, and nobody has checked it.
    pub unchecked: bool,
}

impl Frame {
    /// A message.
    pub fn t(&self, key: &str) -> String {
        locale::text(self.language, key)
    }

    /// A message with one thing set in, as HTML.
    pub fn with(&self, key: &str, name: &str, value: impl ToArgument) -> Safe<String> {
        html::message(self.language, key, [(name, value.to_argument())], false)
    }

    /// A message with one thing set in and emphasised, as HTML.
    pub fn strong(&self, key: &str, name: &str, value: impl ToArgument) -> Safe<String> {
        html::message(self.language, key, [(name, value.to_argument())], true)
    }

    /// A message with one thing set in, as text: for titles and attributes.
    pub fn say(&self, key: &str, name: &str, value: impl ToArgument) -> String {
        html::message_text(self.language, key, [(name, value.to_argument())])
    }

    /// The day, as `<time>`.
    pub fn date(&self, at: &i64) -> Safe<String> {
        time_element(*at, &locale::date(self.language, *at))
    }

    /// How long ago, as `<time>`.
    pub fn ago(&self, at: &i64) -> Safe<String> {
        time_element(*at, &locale::ago(self.language, *at, self.now))
    }

    /// How long, in words.
    pub fn duration(&self, seconds: &i64) -> String {
        locale::duration(self.language, *seconds)
    }
}

/// Both parts are made of digits, signs and our own words.
fn time_element(at: i64, words: &str) -> Safe<String> {
    Safe(format!("<time datetime=\"{}\">{words}</time>", locale::machine_readable(at)))
}
