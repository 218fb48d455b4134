//! Where a sign-in leads: to what waited for it, or first to the page that links.

use actix_web::HttpResponse;
use grantor_jose::id::Id;

use super::Opened;
use crate::pages::upstream_link;
use crate::visit::Visit;
use crate::{respond, routes};

impl Opened {
    /// Goes on with the app's request, without the level that it wished for.
    pub(in crate::pages) async fn go_on_declined(&self, visit: &Visit) -> HttpResponse {
        self.waiting.go_on_declined(visit).await
    }

    /// Goes on with what waits, and links nothing.
    pub(in crate::pages) async fn go_on_unlinked(&self, visit: &Visit) -> HttpResponse {
        self.waiting.go_on(visit).await
    }

    /// Goes on as somebody who has just signed in.
    pub(in crate::pages) async fn go_on_as(&self, visit: &Visit, user_id: Id) -> HttpResponse {
        if self.link.is_some() { self.go_on(visit).await } else { self.waiting.go_on_as(visit, user_id).await }
    }

    pub(in crate::pages) async fn go_on(&self, visit: &Visit) -> HttpResponse {
        let Some(link) = &self.link else { return self.waiting.go_on(visit).await };
        let directory = visit.app.directory();
        let upstream = directory.upstream(&link.name);
        respond::redirect(
            &upstream.map_or_else(
                || routes::ACCOUNT.to_owned(),
                |upstream| upstream_link::address_of(upstream, &link.arrival),
            ),
        )
    }
}
