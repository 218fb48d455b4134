//! What waits while a person signs in, and how they go on with it afterwards.

use actix_web::HttpResponse;
use grantor_core::authorization::AuthorizationRequest;
use grantor_core::interaction::Interaction;
use grantor_core::level::{self, Level};
use grantor_core::upstream::flow::Aim;
use grantor_jose::id::Id;

use crate::locale::Language;
use crate::oauth::authorize;
use crate::pages::status::GoOn;
use crate::pages::{App, enter};
use crate::respond::{self, app_at};
use crate::routes;
use crate::visit::Visit;

/// What is carried where somebody signs in to set up a second factor; behind a dot, the request that asked for one.
const SECOND_FACTOR: &str = "second-factor";

/// What is carried to sign in for a second factor, and for this sealed request, unless it is empty.
pub(crate) fn for_second_factor(request: &str) -> String {
    if request.is_empty() { SECOND_FACTOR.to_owned() } else { format!("{SECOND_FACTOR}.{request}") }
}

/// The address of the second factor, for an app behind a proxy.
fn second_factor_for(entry: &enter::Waiting) -> String {
    format!("{}?request={}", routes::SECOND_FACTOR, entry.carried())
}

/// What is carried where somebody proves who they are to unlink an account; behind it stands what names the link.
const UNLINK: &str = "unlink.";

/// What is carried to sign in, or give a code, to unlink an account.
pub(crate) fn for_unlink(link: Id) -> String {
    format!("{UNLINK}{link}")
}

/// The link that is asked about, of what is carried for that.
fn of_unlink(carried: &str) -> Option<Id> {
    carried.strip_prefix(UNLINK)?.parse().ok()
}

/// The address of the page that asks whether to unlink an account.
pub(crate) fn unlink_address(link: Id) -> String {
    format!("{}?link={link}", routes::SIGN_IN_WAYS_UNLINK)
}

/// The sealed request of what is carried for a second factor, empty where there is none.
fn of_second_factor(carried: &str) -> Option<&str> {
    match carried.strip_prefix(SECOND_FACTOR)? {
        "" => Some(""),
        more => more.strip_prefix('.'),
    }
}

/// The pages of the account that a person comes back to, and the names that are carried for them: nobody else's address is.
const PAGES: [(&str, &str); 5] = [
    ("at.apps", routes::APPS),
    ("at.sessions", routes::SESSIONS),
    ("at.sign-in-ways", routes::SIGN_IN_WAYS),
    ("at.tokens", routes::TOKENS),
    ("at.tokens-new", routes::TOKENS_NEW),
];

/// The page that is carried by this name.
pub(crate) fn page_named(carried: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == carried).map(|(_, page)| *page)
}

/// Sends the browser to the sign-in page, and then back to this page of the account.
pub(crate) fn sign_in_for(page: &str) -> HttpResponse {
    match PAGES.iter().find(|(_, known)| *known == page) {
        Some((name, _)) => respond::redirect(&format!("{}?request={name}", routes::SIGN_IN)),
        None => respond::redirect(routes::SIGN_IN),
    }
}

/// Where the person goes on to.
#[derive(Default)]
pub(crate) enum Waiting {
    /// The account.
    #[default]
    Account,
    /// An app behind a proxy.
    Entry(enter::Waiting),
    /// A page of the account, by the name that is carried for it.
    Page(&'static str),
    /// An app's request.
    Request(Box<(Interaction, AuthorizationRequest)>),
    /// The second factor in the account, and then an app's request.
    SecondFactor(Option<Box<(Interaction, AuthorizationRequest)>>),
    /// The second factor in the account, and then an app behind a proxy.
    SecondFactorForEntry(enter::Waiting),
    /// The page that asks whether to unlink an account.
    Unlink(Id),
}

impl Waiting {
    /// Reads what a page of this browser carried; or gives the page that says why it cannot.
    pub(crate) async fn read(visit: &Visit, carried: &str) -> Result<Self, HttpResponse> {
        if carried.is_empty() {
            return Ok(Self::Account);
        }
        if let Some(link) = of_unlink(carried) {
            return Ok(Self::Unlink(link));
        }
        if let Some((name, _)) = PAGES.iter().find(|(name, _)| *name == carried) {
            return Ok(Self::Page(name));
        }
        match of_second_factor(carried) {
            None => {}
            Some("") => return Ok(Self::SecondFactor(None)),
            Some(request) => {
                return match enter::Waiting::read(visit, request) {
                    Ok(entry) => Ok(Self::SecondFactorForEntry(entry)),
                    Err(_) => Ok(Self::SecondFactor(Some(Box::new(authorize::waiting(visit, request).await?)))),
                };
            }
        }
        if let Ok(entry) = enter::Waiting::read(visit, carried) {
            return Ok(Self::Entry(entry));
        }
        Ok(Self::Request(Box::new(authorize::waiting(visit, carried).await?)))
    }

    /// The same for what has travelled through an upstream.
    pub(crate) async fn of_aim(visit: &Visit, aim: &Aim) -> Result<Self, HttpResponse> {
        let key = &visit.app.directory().secrets.browser;
        match aim {
            Aim::Account | Aim::Link => Ok(Self::Account),
            Aim::Authorize(interaction) => Self::read(visit, &interaction.seal(key, visit.mark())).await,
            Aim::Enter(entry) => Self::read(visit, &entry.seal(key)).await,
            Aim::Page(name) => Self::read(visit, name).await,
            Aim::SecondFactor(interaction) => {
                let request = interaction.as_ref().map(|interaction| interaction.seal(key, visit.mark()));
                Self::read(visit, &for_second_factor(request.as_deref().unwrap_or_default())).await
            }
            Aim::Unlink(link) => Ok(Self::Unlink(*link)),
        }
    }

    /// What travels through an upstream.
    pub(crate) fn to_aim(&self) -> Aim {
        match self {
            Self::Account => Aim::Account,
            Self::Page(name) => Aim::Page((*name).to_owned()),
            Self::SecondFactor(waiting) => Aim::SecondFactor(waiting.as_ref().map(|waiting| waiting.0.clone())),
            // Whoever signs in by an upstream for it opens the app again by themselves.
            Self::SecondFactorForEntry(_) => Aim::SecondFactor(None),
            Self::Entry(entry) => Aim::Enter(entry.entry().clone()),
            Self::Request(waiting) => Aim::Authorize(waiting.0.clone()),
            Self::Unlink(link) => Aim::Unlink(*link),
        }
    }

    /// Sends the browser on.
    pub(crate) async fn go_on(&self, visit: &Visit) -> HttpResponse {
        match self {
            Self::Account => respond::redirect(routes::ACCOUNT),
            Self::Entry(entry) => respond::redirect(&entry.address()),
            Self::SecondFactorForEntry(entry) => respond::redirect(&second_factor_for(entry)),
            Self::Page(name) => respond::redirect(page_named(name).unwrap_or(routes::ACCOUNT)),
            Self::Request(waiting) => authorize::go_to(visit, routes::AUTHORIZE, &waiting.0).await,
            Self::SecondFactor(None) => respond::redirect(routes::SECOND_FACTOR),
            Self::SecondFactor(Some(waiting)) => authorize::go_to(visit, routes::SECOND_FACTOR, &waiting.0).await,
            Self::Unlink(link) => respond::redirect(&unlink_address(*link)),
        }
    }

    /// Sends the browser on, as somebody who has just signed in or been chosen for it.
    pub(crate) async fn go_on_as(&self, visit: &Visit, user_id: Id) -> HttpResponse {
        let Self::Request(waiting) = self else { return self.go_on(visit).await };
        authorize::go_to(visit, routes::AUTHORIZE, &waiting.0.clone().by(user_id)).await
    }

    /// The address at which the person goes on as somebody else, for a link; none where no app waits.
    pub(crate) fn change(&self, visit: &Visit) -> Option<String> {
        let Self::Request(waiting) = self else { return None };
        let again = Interaction { selected: None, ..waiting.0.clone() };
        authorize::on_page(visit, routes::SELECT_ACCOUNT, &again).ok()
    }

    /// The text that pages carry.
    pub(crate) fn carried(&self, visit: &Visit) -> String {
        let key = &visit.app.directory().secrets.browser;
        match self {
            Self::Account => String::new(),
            Self::Page(name) => (*name).to_owned(),
            Self::Entry(entry) => entry.entry().seal(key),
            Self::SecondFactorForEntry(entry) => for_second_factor(&entry.entry().seal(key)),
            Self::Request(waiting) => waiting.0.seal(key, visit.mark()),
            Self::SecondFactor(waiting) => {
                let request = waiting.as_ref().map(|waiting| waiting.0.seal(key, visit.mark()));
                for_second_factor(request.as_deref().unwrap_or_default())
            }
            Self::Unlink(link) => for_unlink(*link),
        }
    }

    /// The same, without the level that an app wished for.
    pub(crate) async fn go_on_declined(&self, visit: &Visit) -> HttpResponse {
        let (Self::Request(waiting), Some((_, user))) = (self, visit.session()) else {
            return self.go_on(visit).await;
        };
        let declined = Interaction { declined: true, ..waiting.0.clone().by(user.id) };
        authorize::go_to(visit, routes::AUTHORIZE, &declined).await
    }

    /// The address that goes on with it, for a link.
    pub(crate) fn address(&self, visit: &Visit) -> String {
        match self {
            Self::Account => routes::ACCOUNT.to_owned(),
            Self::Entry(entry) => entry.address(),
            Self::SecondFactorForEntry(entry) => second_factor_for(entry),
            Self::Page(name) => page_named(name).unwrap_or(routes::ACCOUNT).to_owned(),
            Self::Request(waiting) => {
                authorize::on_page(visit, routes::AUTHORIZE, &waiting.0).unwrap_or_else(|_| routes::ACCOUNT.to_owned())
            }
            Self::SecondFactor(None) => routes::SECOND_FACTOR.to_owned(),
            Self::SecondFactor(Some(waiting)) => authorize::on_page(visit, routes::SECOND_FACTOR, &waiting.0)
                .unwrap_or_else(|_| routes::SECOND_FACTOR.to_owned()),
            Self::Unlink(link) => unlink_address(*link),
        }
    }

    /// The way on from a form that is not valid any more; none where no app waits.
    pub(crate) fn way_on(&self, visit: &Visit) -> Option<GoOn> {
        let Self::Request(waiting) = self else { return None };
        authorize::way_on(visit, &waiting.0, &waiting.1)
    }

    /// Whether the person must sign in anew, and by what tells when they did.
    pub(crate) fn is_timed(&self) -> bool {
        match self {
            Self::SecondFactor(_) | Self::SecondFactorForEntry(_) | Self::Unlink(_) => true,
            Self::Request(waiting) => waiting.1.asks_when() || waiting.1.prompt.create,
            Self::Account | Self::Entry(_) | Self::Page(_) => false,
        }
    }

    /// The app's request, where it is one.
    pub(crate) fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Request(waiting) => Some(&waiting.1),
            Self::Account
            | Self::Entry(_)
            | Self::Page(_)
            | Self::SecondFactor(_)
            | Self::SecondFactorForEntry(_)
            | Self::Unlink(_) => None,
        }
    }

    /// The app behind a proxy, where it is one.
    pub(crate) fn entry(&self) -> Option<&enter::Waiting> {
        if let Self::Entry(entry) = self { Some(entry) } else { None }
    }

    /// The level that the app asks for.
    pub(crate) fn wanted(&self) -> Option<Level> {
        match self {
            Self::Request(waiting) => level::wanted(&waiting.1.claims, waiting.1.client.metadata.least_level),
            Self::Entry(entry) => entry.least_level(),
            Self::Account | Self::Page(_) | Self::SecondFactor(_) | Self::SecondFactorForEntry(_) | Self::Unlink(_) => {
                None
            }
        }
    }

    /// The app, and where a form may lead that goes on with it.
    pub(crate) fn app(&self, language: Language) -> Option<(App, String)> {
        match self {
            Self::Account | Self::Page(_) | Self::SecondFactor(_) | Self::SecondFactorForEntry(_) | Self::Unlink(_) => {
                None
            }
            Self::Entry(entry) => Some((entry.app(), entry.form_action())),
            Self::Request(waiting) => {
                let redirect_uri = &waiting.1.redirect_uri;
                Some((app_at(&waiting.1.client, redirect_uri, language), redirect_uri.form_action()))
            }
        }
    }
}
