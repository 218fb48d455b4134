//! A person's authenticator app, and the recovery codes that they keep.

use grantor_identity::totp::TotpKey;
use grantor_storage::Database;

use super::page::Page;
use super::person::Person;
use super::server::Server;

/// What a person proves themselves with beside their password.
pub struct Authenticator {
    /// The key in the app.
    pub key: TotpKey,
    /// The recovery codes.
    pub recovery: Vec<String>,
}

impl Authenticator {
    /// Sets one up for whoever is signed in; the code of the present half minute is spent with that.
    pub async fn set_up(server: &Server, person: &Person) -> Self {
        let page = person.open("/account/second-factor").await;
        Self::set_up_on(server, person, &page).await.0
    }

    /// The same on a page that is open, and the page with the recovery codes.
    pub async fn set_up_on(server: &Server, person: &Person, page: &Page) -> (Self, Page) {
        let key = shown_key(page);
        let code = key.code_at(server.clock.read().seconds()).to_string();
        let page = person.send(&page.form(FACTOR).with("code", &code)).await;
        assert_eq!(page.name(), "recovery-codes", "{}", page.body);
        (Self { key, recovery: recovery_codes(&page) }, page)
    }

    /// What the app shows.
    pub fn code(&self, server: &Server) -> String {
        self.key.code_at(server.clock.read().seconds()).to_string()
    }

    /// A code that is none of those that count.
    pub fn wrong_code(&self, server: &Server) -> String {
        let now = server.clock.read().seconds();
        let near: Vec<String> = (-3..=3).map(|step| self.key.code_at(now + 30 * step).to_string()).collect();
        (0..8).map(|digit| format!("{digit}00000")).find(|code| !near.contains(code)).unwrap()
    }
}

/// The form of the page for the code.
pub const CODE: &str = r#"form[action="/sign-in/code"]"#;
/// The form of the page in the account.
pub const FACTOR: &str = r#"form[action="/account/second-factor"]"#;

/// The key that a page shows.
pub fn shown_key(page: &Page) -> TotpKey {
    let link = page.attribute("#link", "href").unwrap_or_else(|| panic!("a new key on {}: {}", page.name(), page.body));
    let (_, rest) = link.split_once("secret=").unwrap();
    TotpKey::parse(rest.split('&').next().unwrap()).unwrap()
}

/// The recovery codes that a page shows.
pub fn recovery_codes(page: &Page) -> Vec<String> {
    let is_code = |line: &&str| line.len() == 19 && line.matches('-').count() == 3;
    page.lines().lines().filter(is_code).map(str::to_owned).collect()
}

/// Everything that the database has of a person's factor, as text.
pub async fn kept(database: &Database, username: &str) -> Option<String> {
    let user = database.user_find_by_username(username).await.unwrap().unwrap();
    database.second_factor_of(user.id).await.unwrap().map(|factor| format!("{factor:?}"))
}
