//! A notice in words, as it stands in the account and goes by e-mail; and the form that takes it from the account.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::filters::Safe;
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::error::Error;
use grantor_core::notice::{self, News};
use grantor_core::store::Store;
use grantor_core::user::User;
use grantor_jose::id::Id;

use super::sessions::Device;
use super::status::Kind;
use crate::html::{self, Argument, ToArgument};
use crate::locale::{self, Language};
use crate::respond;
use crate::visit::Visit;
use crate::{form, routes};

/// What a person is told; the form of each notice posts `notice` and `csrf` to `/account/notices`.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What the app concerned calls itself; empty where none is.
    pub app: String,
    /// When it happened, in seconds.
    pub at: i64,
    /// What names it in the field `notice`.
    pub id: String,
    /// What happened.
    pub news: News,
}

/// What may be set into the sentences: all of it in each, since a message takes what it needs.
type Facts = [(&'static str, Argument); 8];

impl Notice {
    /// A notice that is kept. An app that is not there any more is called by its identifier.
    pub(crate) fn of(notice: &notice::Notice, directory: &Directory) -> Self {
        let app = match &notice.news {
            News::AppTokenLeaked { client_id, .. } => {
                let client = directory.clients.get(client_id);
                client.map_or_else(|| client_id.clone(), |client| client.name().to_owned())
            }
            _ => String::new(),
        };
        Self { app, at: notice.at.seconds(), id: notice.id.to_string(), news: notice.news.clone() }
    }

    /// What happened, in a line.
    pub fn title(&self, language: &Language) -> String {
        locale::text(*language, &self.key("title"))
    }

    /// What happened, as HTML.
    pub fn body(&self, language: &Language) -> Safe<String> {
        html::message(*language, &self.key("body"), self.facts(*language), false)
    }

    /// What happened, as text.
    pub fn body_text(&self, language: &Language) -> String {
        html::message_text(*language, &self.key("body"), self.facts(*language))
    }

    /// Where something was found, where that is known.
    pub fn place(&self, language: &Language) -> Option<String> {
        let (News::AppTokenLeaked { place, .. } | News::CookieLeaked { place } | News::TokenLeaked { place, .. }) =
            &self.news
        else {
            return None;
        };
        (!place.is_empty()).then(|| html::message_text(*language, "notice-place", [("place", place.to_argument())]))
    }

    /// What to do.
    pub fn advice(&self, language: &Language) -> String {
        locale::text(*language, &self.key("advice"))
    }

    /// The words of the link to where it is done.
    pub fn link_text(&self, language: &Language) -> String {
        locale::text(*language, &self.key("link"))
    }

    /// Where it is done.
    pub const fn link(&self) -> &'static str {
        match self.news {
            News::AppTokenLeaked { .. } => routes::APPS,
            News::CodesGuessed { .. } | News::CookieLeaked { .. } | News::SignedIn { .. } => routes::SESSIONS,
            News::EmailChanged { .. } | News::PasswordChanged => routes::ACCOUNT,
            News::RecoveryCodeUsed { .. }
            | News::RecoveryCodesMade { .. }
            | News::SecondFactorAdded { .. }
            | News::SecondFactorRemoved { .. } => routes::SECOND_FACTOR,
            News::SignInWayAdded { .. } | News::SignInWayRemoved { .. } => routes::SIGN_IN_WAYS,
            News::TokenExpires { .. }
            | News::TokenLeaked { .. }
            | News::TokenMade { .. }
            | News::TokenRotated { .. }
            | News::TokenUsedElsewhere { .. } => routes::TOKENS,
        }
    }

    fn key(&self, part: &str) -> String {
        let name = match self.news {
            News::AppTokenLeaked { .. } => "app-token-leaked",
            News::CodesGuessed { .. } => "codes-guessed",
            News::CookieLeaked { .. } => "cookie-leaked",
            News::EmailChanged { .. } => "email-changed",
            News::PasswordChanged => "password-changed",
            News::RecoveryCodeUsed { .. } => "recovery-code-used",
            News::RecoveryCodesMade { .. } => "recovery-codes-made",
            News::SecondFactorAdded { .. } => "second-factor-added",
            News::SecondFactorRemoved { address: None } => "second-factor-reset",
            News::SecondFactorRemoved { .. } => "second-factor-removed",
            News::SignInWayAdded { .. } => "sign-in-way-added",
            News::SignInWayRemoved { .. } => "sign-in-way-removed",
            News::SignedIn { .. } => "signed-in",
            News::TokenExpires { .. } => "token-expires",
            News::TokenLeaked { .. } => "token-leaked",
            News::TokenMade { .. } => "token-made",
            News::TokenRotated { .. } => "token-rotated",
            News::TokenUsedElsewhere { .. } => "token-used-elsewhere",
        };
        format!("notice-{name}-{part}")
    }

    fn facts(&self, language: Language) -> Facts {
        let (mut name, mut hint, mut address, mut device) = ("", "", "", String::new());
        let (mut at, mut count) = (self.at, 0_usize);
        match &self.news {
            News::SignedIn { address: from, user_agent } => {
                address = from;
                device = Device::from_user_agent(user_agent).words_in(language);
            }
            News::TokenMade { token, address: from }
            | News::TokenRotated { token, address: from }
            | News::TokenUsedElsewhere { token, address: from } => {
                (name, hint, address) = (&token.name, &token.hint, from);
            }
            News::TokenLeaked { token, .. } => (name, hint) = (&token.name, &token.hint),
            News::TokenExpires { token, expires_at } => {
                (name, hint, at) = (&token.name, &token.hint, expires_at.seconds());
            }
            News::EmailChanged { former } => name = former,
            News::RecoveryCodeUsed { left, address: from } => {
                (count, address) = (*left, from);
            }
            News::CodesGuessed { address: from }
            | News::RecoveryCodesMade { address: from }
            | News::SecondFactorAdded { address: from }
            | News::SecondFactorRemoved { address: Some(from) } => address = from,
            News::SignInWayAdded { upstream, address: from } | News::SignInWayRemoved { upstream, address: from } => {
                (name, address) = (upstream, from);
            }
            News::AppTokenLeaked { .. }
            | News::CookieLeaked { .. }
            | News::PasswordChanged
            | News::SecondFactorRemoved { address: None } => {}
        }
        [
            ("address", address.to_argument()),
            ("app", self.app.to_argument()),
            ("count", count.to_argument()),
            ("date", locale::date(language, at).to_argument()),
            ("device", device.to_argument()),
            ("hint", hint.to_argument()),
            ("name", name.to_argument()),
            ("time", locale::time(at).to_argument()),
        ]
    }
}

/// Takes a notice from the account; one that is gone already is no error.
pub(crate) async fn post_notices(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let Some((_, user)) = visit.session() else { return respond::redirect(routes::SIGN_IN) };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    match dismiss(&visit, user, form.get("notice").unwrap_or_default()).await {
        Ok(()) => respond::redirect(routes::ACCOUNT),
        Err(error) => respond::failure(&visit, &error).await,
    }
}

async fn dismiss(visit: &Visit, user: &User, id: &str) -> Result<(), Error> {
    let Ok(id) = id.parse::<Id>() else { return Ok(()) };
    let dismissed = Change::NoticeDismiss { id, user_id: user.id, at: visit.now };
    Ok(visit.app.provider.store.commit(vec![dismissed]).await?)
}

#[cfg(test)]
impl Notice {
    /// One of each kind, about something of this name.
    pub(crate) fn samples(name: &str) -> Vec<Self> {
        use grantor_core::notice::TokenNamed;
        use grantor_core::time::Time;

        use super::samples::{DAY, NOW};
        let token = || TokenNamed { name: name.to_owned(), hint: "gtr_pat_0BxVq7aY2Lk".to_owned() };
        let (address, place) = ("2001:db8::7".to_owned(), format!("https://git.example/{name}"));
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let news = [
            News::AppTokenLeaked { client_id: "wiki".to_owned(), place: place.clone() },
            News::CookieLeaked { place: String::new() },
            News::PasswordChanged,
            News::SignedIn { address: address.clone(), user_agent: firefox.to_owned() },
            News::TokenExpires { token: token(), expires_at: Time::from_seconds(NOW + 6 * DAY) },
            News::TokenLeaked { token: token(), place },
            News::TokenMade { token: token(), address: address.clone() },
            News::TokenUsedElsewhere { token: token(), address: address.clone() },
            News::SignInWayAdded { upstream: name.to_owned(), address: address.clone() },
            News::SignInWayRemoved { upstream: name.to_owned(), address: address.clone() },
            News::EmailChanged { former: format!("{name}@example.com") },
            News::TokenRotated { token: token(), address: address.clone() },
            News::SecondFactorAdded { address: address.clone() },
            News::SecondFactorRemoved { address: Some(address.clone()) },
            News::SecondFactorRemoved { address: None },
            News::CodesGuessed { address: address.clone() },
            News::RecoveryCodesMade { address: address.clone() },
            News::RecoveryCodeUsed { left: 9, address },
        ];
        let notice = |(number, news): (i64, News)| Self {
            app: name.to_owned(),
            at: NOW - number * DAY,
            id: "0BxVq7aY2Lk".to_owned(),
            news,
        };
        (0..).zip(news).map(notice).collect()
    }
}
