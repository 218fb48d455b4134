//! Asking for the product: what may not be asked stands in the events, with its reason.

use std::future::Future;
use std::pin::Pin;

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::client::Trust;
use grantor_core::store::Store;
use openidconnect::http::StatusCode;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::{OutboundError, Refusal};
use crate::app::App;

/// What events about the addresses of webhooks are counted under.
const WEBHOOK: &str = "webhook";

/// For whom another server is asked: whoever named its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker<'a> {
    /// A client, by its identifier.
    Client(&'a str),
    /// This installation: what its administrator has set.
    Installation,
    /// Whoever registers an app or changes it, by their address as limits count it.
    Registrant(&'a str),
    /// An upstream, by its name.
    Upstream(&'a str),
    /// A webhook, by its name.
    Webhook(&'a str),
}

impl Asker<'_> {
    /// Whose turns are taken.
    fn turns(self) -> String {
        match self {
            Self::Client(client_id) => format!("client {client_id}"),
            Self::Installation => "installation".to_owned(),
            Self::Registrant(address) => format!("registrant {address}"),
            Self::Upstream(name) => format!("upstream {name}"),
            Self::Webhook(name) => format!("webhook {name}"),
        }
    }
}

impl App {
    /// Asks another server for somebody.
    ///
    /// # Errors
    /// Those of [`super::HttpClient::send`].
    pub async fn fetch(&self, request: HttpRequest, asker: Asker<'_>) -> Result<HttpResponse, OutboundError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answered = match asker {
            Asker::Client(client_id) => self.outbound.send_to_client(request, self.client_of(client_id)).await,
            Asker::Registrant(address) => self.outbound.send_for_registrant(request, address).await,
            _ => self.outbound.send(request, &asker.turns()).await,
        };
        match &answered {
            Err(OutboundError::Forbidden(refusal)) => self.explain(refusal, asker).await,
            // Whoever asked is told that there is no answer; what is wrong with a certificate, say, is for who runs the server.
            Err(failure) => tracing::warn!(host, %failure, "another server gave no answer"),
            Ok(_) => {}
        }
        answered
    }

    /// A client, and whether it registered itself; one that is gone counts as such.
    fn client_of<'a>(&self, client_id: &'a str) -> (&'a str, Trust) {
        let directory = self.directory();
        (client_id, directory.clients.get(client_id).map_or(Trust::SelfRegistered, |client| client.trust))
    }

    /// Tells a webhook something.
    ///
    /// # Errors
    /// Those of [`super::HttpClient::tell`].
    pub async fn tell(&self, request: HttpRequest, webhook: &str) -> Result<StatusCode, OutboundError> {
        let asker = Asker::Webhook(webhook);
        let answered = self.outbound.tell(request, &asker.turns()).await;
        if let Err(OutboundError::Forbidden(refusal)) = &answered {
            self.explain(refusal, asker).await;
        }
        answered
    }

    /// Tells a client that a session has ended.
    ///
    /// # Errors
    /// Those of [`super::HttpClient::log_out`].
    pub(crate) async fn tell_client(
        &self,
        request: HttpRequest,
        client_id: &str,
    ) -> Result<(StatusCode, Vec<u8>), OutboundError> {
        let asker = Asker::Client(client_id);
        let answered = self.outbound.log_out(request, self.client_of(client_id)).await;
        if let Err(OutboundError::Forbidden(refusal)) = &answered {
            self.explain(refusal, asker).await;
        }
        answered
    }

    /// Refusals go to the ring of fixed size: whoever names addresses may name very many.
    async fn explain(&self, refusal: &Refusal, asker: Asker<'_>) {
        let mut event = Event::new(self.id(), self.clock.now(), EventKind::FetchRefused);
        event = event.reason(refusal.reason()).detail(&refusal.to_string());
        match asker {
            Asker::Client(client_id) => event = event.client(client_id),
            Asker::Registrant(address) => event = event.address(address),
            Asker::Upstream(name) => event = event.detail(&format!("upstream {name}: {refusal}")),
            Asker::Webhook(name) => {
                // Each message to it is refused, and there may be many: an event now and then says so.
                let Some(count) = self.limiter.to_say(WEBHOOK, event.at) else { return };
                let others = if count > 1 { format!("; {count} since the last such event") } else { String::new() };
                event = event.detail(&format!("webhook {name}: {refusal}{others}"));
            }
            Asker::Installation => {}
        }
        tracing::warn!(case = %event.id, reason = refusal.reason(), %refusal, "another server was not asked");
        if let Err(failure) = self.provider.store.commit(vec![Change::RefusalInsert(Box::new(event))]).await {
            tracing::warn!(%failure, "a refusal could not be recorded");
        }
    }
}

/// The door for one who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door<'a> {
    pub(crate) app: &'a App,
    pub(crate) asker: Asker<'a>,
}

impl<'c> AsyncHttpClient<'c> for Door<'_> {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.app.fetch(request, self.asker))
    }
}
