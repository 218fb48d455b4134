//! Asking for the product: what may not be asked stands in the events, with its reason.

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::store::Store;
use openidconnect::{HttpRequest, HttpResponse};

use super::{OutboundError, Refusal};
use crate::app::App;

impl App {
    /// Asks another server; `client_id` is the client that named it, where one did.
    ///
    /// # Errors
    /// Those of [`super::HttpClient::send`].
    pub async fn fetch(&self, request: HttpRequest, client_id: Option<&str>) -> Result<HttpResponse, OutboundError> {
        let answered = self.outbound.send(request).await;
        if let Err(OutboundError::Forbidden(refusal)) = &answered {
            self.explain(refusal, client_id).await;
        }
        answered
    }

    /// Refusals go to the ring of fixed size: whoever names addresses may name very many.
    async fn explain(&self, refusal: &Refusal, client_id: Option<&str>) {
        let mut event = Event::new(self.id(), self.clock.now(), EventKind::FetchRefused);
        event = event.reason(refusal.reason()).detail(&refusal.to_string());
        if let Some(client_id) = client_id {
            event = event.client(client_id);
        }
        tracing::warn!(case = %event.id, reason = refusal.reason(), %refusal, "another server was not asked");
        if let Err(failure) = self.provider.store.commit(vec![Change::RefusalInsert(Box::new(event))]).await {
            tracing::warn!(%failure, "a refusal could not be recorded");
        }
    }
}
