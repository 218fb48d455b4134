//! What one client has picked up on its way: cookies, codes, tokens, forms, and where it was sent.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::connection::Answer;
use crate::harness::dice::Dice;

/// How many of a kind are kept; the oldest are used up long ago.
const KEPT: usize = 6;

/// What can be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An access token.
    Access,
    /// A client's assertion.
    Assertion,
    /// An authorization code.
    Code,
    /// The proof of a form.
    Csrf,
    /// The draft of a token that a person may keep.
    Draft,
    /// An ID token.
    Id,
    /// A token that a person keeps.
    Kept,
    /// A refresh token.
    Refresh,
    /// A started request.
    Started,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Access,
        Self::Assertion,
        Self::Code,
        Self::Csrf,
        Self::Draft,
        Self::Id,
        Self::Kept,
        Self::Refresh,
        Self::Started,
    ];
}

/// What a page or a redirect leads to.
#[derive(Clone, Debug)]
pub enum Next {
    /// An address of the server.
    Address(String),
    /// A form: where it goes, and its fields.
    Form(String, Vec<(String, String)>),
    /// A code to be redeemed.
    Redeem,
    /// Tokens to be used.
    Use,
}

/// The pocket of one client.
#[derive(Default)]
pub struct Pocket {
    /// The app that it comes from, with its address: another one now and then.
    pub app: (&'static str, &'static str),
    /// Whether it mostly does what pages and answers lead to, and so comes far.
    pub is_careful: bool,
    /// Its cookies.
    pub cookies: BTreeMap<String, String>,
    /// Where its way goes on.
    pub next: Option<Next>,
    /// How often each kind was found.
    pub met: BTreeMap<Kind, usize>,
    found: BTreeMap<Kind, Vec<String>>,
}

impl Pocket {
    /// An empty one.
    pub fn of(is_careful: bool) -> Self {
        Self { is_careful, ..Self::default() }
    }

    /// One thing of a kind, most often the newest; a made-up one where there is none.
    pub fn find(&self, kind: Kind, dice: &mut Dice) -> String {
        match self.found.get(&kind).map(Vec::as_slice) {
            Some([.., newest]) if !dice.one_in(4) => newest.clone(),
            Some(found @ [_, ..]) => found[dice.roll(found.len())].clone(),
            _ => "gtr_ac_0BxVq7aY2Lk.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        }
    }

    /// Puts something in.
    pub fn put(&mut self, kind: Kind, text: &str) {
        *self.met.entry(kind).or_default() += 1;
        let found = self.found.entry(kind).or_default();
        if found.len() >= KEPT {
            found.remove(0);
        }
        found.push(text.to_owned());
    }

    /// Takes what an answer has.
    pub fn take(&mut self, answer: &Answer, dice: &mut Dice) {
        for cookie in answer.headers("set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap_or((cookie, ""));
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(location) = answer.header("location") {
            self.take_address(location);
        } else if answer.body.starts_with('{') {
            self.take_json(&serde_json::from_str(&answer.body).unwrap_or_default());
        } else {
            self.take_page(&answer.body, dice);
        }
    }

    fn take_address(&mut self, location: &str) {
        self.next = location.starts_with('/').then(|| Next::Address(location.to_owned()));
        for (name, value) in location.split(['?', '&']).filter_map(|pair| pair.split_once('=')) {
            match name {
                "code" => {
                    self.put(Kind::Code, value);
                    self.next = Some(Next::Redeem);
                }
                "request" | "resume" => self.put(Kind::Started, value),
                _ => {}
            }
        }
    }

    fn take_json(&mut self, body: &Value) {
        let names = [("access_token", Kind::Access), ("refresh_token", Kind::Refresh), ("id_token", Kind::Id)];
        for (name, kind) in names {
            if let Some(token) = body[name].as_str() {
                self.put(kind, token);
                self.next = Some(Next::Use);
            }
        }
        for (name, kind) in [("draft", Kind::Draft), ("token", Kind::Kept)] {
            if let Some(text) = body[name].as_str() {
                self.put(kind, text);
            }
        }
    }

    /// Takes one of the forms of a page.
    fn take_page(&mut self, page: &str, dice: &mut Dice) {
        if let Some(kept) = page.split("value=\"gtr_pat_").nth(1).and_then(|rest| rest.split('"').next()) {
            self.put(Kind::Kept, &format!("gtr_pat_{kept}"));
        }
        let forms: Vec<&str> = page.split("<form method=\"post\" action=\"").skip(1).collect();
        if forms.is_empty() {
            return;
        }
        // The form that a page is for stands behind those of its frame.
        let first = forms.iter().position(|form| form.starts_with("/account/tokens/")).unwrap_or(0);
        let strays = dice.one_in(if self.is_careful { 16 } else { 4 });
        let form = forms[if strays { dice.roll(forms.len()) } else { first }];
        let form = form.split("</form>").next().unwrap_or_default();
        let action = form.split('"').next().unwrap_or_default().replace("&amp;", "&");
        let fields: Vec<(String, String)> = form.split("name=\"").skip(1).map(field).collect();
        for (name, value) in &fields {
            match name.as_str() {
                "csrf" => self.put(Kind::Csrf, value),
                "request" => self.put(Kind::Started, value),
                "code" => self.put(Kind::Code, value),
                "draft" => self.put(Kind::Draft, value),
                _ => {}
            }
        }
        self.next = Some(Next::Form(action, fields));
    }
}

/// A field, from behind the mark of its name on.
fn field(text: &str) -> (String, String) {
    let (name, rest) = text.split_once('"').unwrap_or((text, ""));
    let tag = rest.split('>').next().unwrap_or_default();
    let value = tag.split("value=\"").nth(1).and_then(|value| value.split('"').next()).unwrap_or_default();
    (name.to_owned(), value.replace("&amp;", "&"))
}
