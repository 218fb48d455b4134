//! On the way into an app behind a proxy: who is signed in and may enter passes without a stop. This page says why one does not.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use grantor_core::claims::ClaimsRequest;
use grantor_core::error::Error;
use grantor_core::forward_auth::{Entry, Known, Place, Problem, Ticket};
use grantor_core::level::{self, Level, Need};
use grantor_core::params::Params;

use super::{App, Frame};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::{accounts, routes};

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/enter.html")]
pub struct Enter {
    /// Where the person wanted to go.
    pub address: String,
    /// The way in as somebody else, or by another sign-in.
    pub another: String,
    /// The app.
    pub app: App,
    /// The frame.
    pub frame: Frame,
    /// What keeps the person out.
    pub obstacle: Obstacle,
}

/// What keeps a person out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The account is none of those that the app is open to.
    Account,
    /// The browser keeps no cookie at the app's host.
    Cookie,
    /// The app asks for a sign-in of another kind.
    Method,
    /// The app is not open to the network that the person is in.
    Network,
    /// The person may enter, and the app or its proxy refused all the same.
    Refused,
    /// The way back was not good.
    Ticket,
}

impl Enter {
    fn key(&self) -> &'static str {
        match self.obstacle {
            Obstacle::Account => "enter-account",
            Obstacle::Cookie => "enter-cookie",
            Obstacle::Method => "enter-method",
            Obstacle::Network => "enter-network",
            Obstacle::Refused => "enter-refused",
            Obstacle::Ticket => "enter-ticket",
        }
    }

    fn title(&self) -> String {
        self.frame.say(&format!("{}-title", self.key()), "app", &self.app.name)
    }

    fn part(&self, part: &str) -> askama::filters::Safe<String> {
        self.frame.strong(&format!("{}-{part}", self.key()), "app", self.app.name.as_str())
    }

    /// Whether another account could help.
    fn is_of_account(&self) -> bool {
        matches!(self.obstacle, Obstacle::Account | Obstacle::Method)
    }
}

/// What waits for a sign-in: a wish to enter an app, and the app.
pub(crate) struct Waiting {
    entry: Entry,
    place: Place,
    /// The text that it travels as.
    carried: String,
}

impl Waiting {
    /// Reads the signed wish that a browser carries.
    ///
    /// # Errors
    /// `InteractionExpired`; `EntryAddressUnknown` and `EntryAddressAmbiguous` where the app is no longer declared like this.
    pub(crate) fn read(visit: &Visit, carried: &str) -> Result<Self, Error> {
        let directory = visit.app.directory();
        let lifetimes = &visit.app.provider.policy.lifetimes;
        let entry = Entry::open(carried, &directory.secrets.browser, lifetimes, visit.now)?;
        let authority = entry.origin.split_once("://").map_or("", |(_, authority)| authority);
        let place = directory.apps.find(authority, entry.target())?;
        Ok(Self { entry, place, carried: carried.to_owned() })
    }

    /// The wish.
    pub(crate) const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The app as pages name it.
    pub(crate) fn app(&self) -> App {
        let host = self.place.origin.split_once("://").map_or("", |(_, host)| host);
        App { host: host.to_owned(), name: self.place.app.name.clone(), unchecked: false }
    }

    /// The text that it travels as.
    pub(crate) fn carried(&self) -> &str {
        &self.carried
    }

    /// Where forms of a page may lead that go on with this.
    pub(crate) fn form_action(&self) -> String {
        self.place.origin.clone()
    }

    /// The address that goes on with this.
    pub(crate) fn address(&self) -> String {
        format!("{}?request={}", routes::ENTER, self.carried)
    }

    fn next(&self, visit: &Visit) -> Next {
        match self.entry.problem {
            Some(Problem::CookieMissing) => return Next::Stop(Obstacle::Cookie),
            Some(Problem::Network) => return Next::Stop(Obstacle::Network),
            Some(Problem::Refused) => return Next::Stop(Obstacle::Refused),
            Some(Problem::TicketInvalid) => return Next::Stop(Obstacle::Ticket),
            None => {}
        }
        let Some((session, user)) = visit.session() else { return Next::SignIn };
        match self.place.app.admit_person(user, Known::of(session)) {
            Ok(()) => Next::Pass(self.entry.clone().admit(session, visit.app.id(), visit.now)),
            Err(Error::EntryLevelMissing) => Next::Raise,
            Err(Error::EntryMethodMissing) => Next::Stop(Obstacle::Method),
            Err(_) => Next::Stop(Obstacle::Account),
        }
    }

    /// How surely people must be known who enter.
    pub(crate) fn least_level(&self) -> Option<Level> {
        self.place.app.least_level
    }

    /// What the person in use has yet to prove to enter; nothing where there is nothing that more would help.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn need(&self, visit: &Visit) -> Result<Need, Error> {
        let Some((session, user)) = visit.session().filter(|_| matches!(self.next(visit), Next::Raise)) else {
            return Ok(Need::Nothing);
        };
        let has_factor = visit.app.provider.store.has_second_factor(user.id).await?;
        let reachable = has_factor.then_some(session.level().max(Level::TwoFactors));
        Ok(level::need((&ClaimsRequest::default(), self.least_level()), session.level(), reachable))
    }

    /// The address at the app's host where a ticket is spent.
    fn callback(&self, visit: &Visit, ticket: &Ticket) -> String {
        let text = ticket.seal(&visit.app.directory().secrets.browser, &self.place.origin);
        format!("{}{}?ticket={text}", self.place.origin, routes::AT_APP_CALLBACK)
    }
}

/// What comes next.
enum Next {
    /// Back to the app's host.
    Pass(Ticket),
    /// The person proves more.
    Raise,
    /// The person signs in.
    SignIn,
    /// Something keeps the person out.
    Stop(Obstacle),
}

/// The address of this page that goes on with a wish.
pub(crate) fn address(visit: &Visit, entry: &Entry) -> String {
    format!("{}?request={}", routes::ENTER, entry.seal(&visit.app.directory().secrets.browser))
}

/// Lets the browser pass, or says why not.
pub(crate) async fn get_enter(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes());
    let carried = query.as_ref().ok().and_then(|query| query.get("request")).unwrap_or_default();
    let waiting = match Waiting::read(&visit, carried) {
        Ok(waiting) => waiting,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let obstacle = match waiting.next(&visit) {
        Next::Pass(ticket) => return respond::redirect(&waiting.callback(&visit, &ticket)),
        Next::SignIn => {
            return respond::redirect_marked(&visit, &format!("{}?request={}", routes::SIGN_IN, waiting.carried));
        }
        Next::Raise => return raise(&visit, &waiting).await,
        Next::Stop(obstacle) => obstacle,
    };
    let (address, app) = (waiting.entry.address(), waiting.app());
    let another = match obstacle {
        Obstacle::Method => format!("{}?request={}", routes::SIGN_IN, waiting.carried),
        _ => accounts::another(&visit, &waiting.carried),
    };
    let page = Enter { address, another, app, frame: visit.frame(None, None), obstacle };
    respond::page(&visit, &page, &How { status: Some(StatusCode::FORBIDDEN), ..How::default() })
}

/// Leads a person who is known too little to the page where they prove more, or that says how they could. It comes back here.
async fn raise(visit: &Visit, waiting: &Waiting) -> HttpResponse {
    let page = match waiting.need(visit).await {
        Ok(Need::Raise(_)) => routes::SIGN_IN_CODE,
        Ok(_) => routes::SIGN_IN_MORE,
        Err(error) => return respond::failure(visit, &error).await,
    };
    respond::redirect_marked(visit, &format!("{page}?request={}", waiting.carried))
}

#[cfg(test)]
impl Enter {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, app, signed_in};
        let page = |name: &str, obstacle| Self {
            address: "https://wiki.example.com/page?a=1&b=2".to_owned(),
            another: "/sign-in?request=eyJhIjoxfQ.c2ln&beside=YQ".to_owned(),
            app: app(name),
            frame: signed_in("Ada Lovelace"),
            obstacle,
        };
        let mut all = vec![
            ("account", page("Wiki", Obstacle::Account)),
            ("cookie", page("Wiki", Obstacle::Cookie)),
            ("method", page("Wiki", Obstacle::Method)),
            ("network", page("Wiki", Obstacle::Network)),
            ("refused", page("Wiki", Obstacle::Refused)),
            ("ticket", page("Wiki", Obstacle::Ticket)),
        ];
        all.extend(
            ["name", "long", "rtl", "emoji", "hostile"]
                .into_iter()
                .zip(NAMES)
                .map(|(label, name)| (label, page(name, Obstacle::Account))),
        );
        let address = format!("https://wiki.example.com/\"><script>{LONG}{HOSTILE}");
        all.push(("address", Self { address, ..page("Wiki", Obstacle::Ticket) }));
        all
    }
}
