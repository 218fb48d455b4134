//! What waits while a person signs in, and how they go on with it afterwards.

use actix_web::HttpResponse;
use grantor_core::authorization::AuthorizationRequest;
use grantor_core::interaction::Interaction;
use grantor_core::upstream::flow::Aim;
use grantor_jose::id::Id;

use crate::locale::Language;
use crate::oauth::authorize;
use crate::pages::{App, enter};
use crate::respond::{self, app_at};
use crate::routes;
use crate::visit::Visit;

/// What is carried where somebody signs in to set up a second factor.
pub(crate) const SECOND_FACTOR: &str = "second-factor";

/// Where the person goes on to.
#[derive(Default)]
pub(crate) enum Waiting {
    /// The account.
    #[default]
    Account,
    /// An app behind a proxy.
    Entry(enter::Waiting),
    /// An app's request.
    Request(Box<(Interaction, AuthorizationRequest)>),
    /// The second factor in the account.
    SecondFactor,
}

impl Waiting {
    /// Reads what a page of this browser carried; or gives the page that says why it cannot.
    pub(crate) async fn read(visit: &Visit, carried: &str) -> Result<Self, HttpResponse> {
        if carried.is_empty() {
            return Ok(Self::Account);
        }
        if carried == SECOND_FACTOR {
            return Ok(Self::SecondFactor);
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
        }
    }

    /// What travels through an upstream.
    pub(crate) fn to_aim(&self) -> Aim {
        match self {
            Self::Account | Self::SecondFactor => Aim::Account,
            Self::Entry(entry) => Aim::Enter(entry.entry().clone()),
            Self::Request(waiting) => Aim::Authorize(waiting.0.clone()),
        }
    }

    /// Sends the browser on.
    pub(crate) async fn go_on(&self, visit: &Visit) -> HttpResponse {
        match self {
            Self::Account => respond::redirect(routes::ACCOUNT),
            Self::Entry(entry) => respond::redirect(&entry.address()),
            Self::Request(waiting) => authorize::go_to(visit, routes::AUTHORIZE, &waiting.0).await,
            Self::SecondFactor => respond::redirect(routes::SECOND_FACTOR),
        }
    }

    /// Sends the browser on, as somebody who has just signed in or been chosen for it.
    pub(crate) async fn go_on_as(&self, visit: &Visit, user_id: Id) -> HttpResponse {
        let Self::Request(waiting) = self else { return self.go_on(visit).await };
        authorize::go_to(visit, routes::AUTHORIZE, &Interaction { selected: Some(user_id), ..waiting.0.clone() }).await
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
            Self::Entry(entry) => entry.entry().seal(key),
            Self::Request(waiting) => waiting.0.seal(key, visit.mark()),
            Self::SecondFactor => SECOND_FACTOR.to_owned(),
        }
    }

    /// The address that goes on with it, for a link.
    pub(crate) fn address(&self, visit: &Visit) -> String {
        match self {
            Self::Account => routes::ACCOUNT.to_owned(),
            Self::Entry(entry) => entry.address(),
            Self::Request(waiting) => {
                authorize::on_page(visit, routes::AUTHORIZE, &waiting.0).unwrap_or_else(|_| routes::ACCOUNT.to_owned())
            }
            Self::SecondFactor => routes::SECOND_FACTOR.to_owned(),
        }
    }

    /// The app's request, where it is one.
    pub(crate) fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Request(waiting) => Some(&waiting.1),
            Self::Account | Self::Entry(_) | Self::SecondFactor => None,
        }
    }

    /// The app, and where a form may lead that goes on with it.
    pub(crate) fn app(&self, language: Language) -> Option<(App, String)> {
        match self {
            Self::Account | Self::SecondFactor => None,
            Self::Entry(entry) => Some((entry.app(), entry.form_action())),
            Self::Request(waiting) => {
                let redirect_uri = &waiting.1.redirect_uri;
                Some((app_at(&waiting.1.client, redirect_uri, language), redirect_uri.form_action()))
            }
        }
    }
}
