//! A posted form of a sign-in that comes a second time, or late: what it asked for is done, or somebody is here whom its page did not
//! name.
//!
//! Who signs in over somebody signs out whoever is here. So the page names them, and its form says whom it named: nobody else is
//! signed out by it, however old the page is and whoever has come meanwhile, beside or in use.

use actix_web::HttpResponse;
use grantor_core::authorization::{AuthorizationRequest, Step};
use grantor_core::session::Session;
use grantor_core::user::User;
use grantor_identity::username::Username;

use super::{Opened, is_named};
use crate::accounts;
use crate::oauth::authorize;
use crate::pages::status::GoOn;
use crate::visit::Visit;

impl Opened {
    /// The answer to a posted form that has nothing more to do: its person is in use by now, as by the first click of a double click.
    /// Or somebody else is, whom its page did not name, or it was to sign in beside somebody who is not any more: nobody is signed out
    /// by that, and the person chooses again.
    pub(in crate::pages) async fn settled(
        &self,
        visit: &Visit,
        csrf: Option<&str>,
        is_theirs: impl Fn(&Session, &User) -> bool,
    ) -> Option<HttpResponse> {
        match visit.come_meanwhile(csrf) {
            Some((session, user)) if is_theirs(session, user) => Some(self.go_on_as(visit, user.id).await),
            Some(_) if !self.is_beside() => Some(self.choose(visit)),
            _ => self.lost(visit),
        }
    }

    /// The answer to a page that is opened when somebody has signed in in another window: an app's request goes on, unless it wants
    /// them to sign in anew, or they chose to be somebody else.
    pub(in crate::pages) async fn needless(&self, visit: &Visit) -> Option<HttpResponse> {
        let is_for_somebody_else = self.is_beside() || self.links() || visit.session().is_none();
        let is_new_sign_in = |request: &AuthorizationRequest| request.prompt.login || request.max_age == Some(0);
        let request = self.request().filter(|request| !is_for_somebody_else && !is_new_sign_in(request))?;
        match authorize::next(visit, request).await {
            Ok(Step::Beside(_) | Step::Consent { .. } | Step::Respond(_) | Step::SelectAccount) => {
                Some(self.go_on(visit).await)
            }
            _ => None,
        }
    }

    /// The way on from a form that is not valid any more; none where no app waits.
    pub(in crate::pages) fn way_on(&self, visit: &Visit) -> Option<GoOn> {
        self.waiting.way_on(visit)
    }

    /// The choice of accounts, where the person chose to sign in beside somebody who is not in use any more.
    pub(in crate::pages) fn lost(&self, visit: &Visit) -> Option<HttpResponse> {
        self.company.is_lost().then(|| self.choose(visit))
    }

    /// The choice of accounts, where a form would sign out somebody whom its page did not name.
    pub(in crate::pages) fn unnamed(&self, visit: &Visit, typed: Option<&Username>) -> Option<HttpResponse> {
        let is_over = self.company.is_over_others_than(&accounts::named_as_over(&self.over), typed);
        is_over.then(|| self.choose(visit))
    }

    /// Whether the form is the second one of a double click, and names who is in use by the first.
    pub(in crate::pages) fn is_second_click(&self, visit: &Visit, csrf: Option<&str>, typed: &str) -> bool {
        visit.is_second_click(csrf, &accounts::named_as_over(&self.over), |user| is_named(user, typed))
    }

    /// Whether the person says first which account they mean.
    pub(in crate::pages) fn is_open(&self, visit: &Visit) -> bool {
        self.company.is_open(visit)
    }

    pub(in crate::pages) fn choose(&self, visit: &Visit) -> HttpResponse {
        accounts::choose(visit, &self.waiting.carried(visit))
    }
}
