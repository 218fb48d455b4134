//! Request objects that lie at an address which the client has registered (OIDC Core §6.2): read each time, through the guard, in the
//! turns of the client. Nobody keeps them: a client may put another one there at any time.

use grantor_core::params::MAX_PARAMETER_BYTES;
use openidconnect::http::header::ACCEPT;
use openidconnect::http::{Method, Request, StatusCode};

use crate::app::App;
use crate::outbound::Asker;

impl App {
    /// What lies at an address that a client has registered for its request objects. The log says why there is nothing.
    // "Upon receipt of the Request, the Authorization Server MUST send an HTTP "GET" request to the "request_uri" to retrieve the
    // referenced Request Object, unless it is already cached, and parse it to recreate the Authorization Request parameters."
    // (OIDC Core §6.2.3)
    pub(crate) async fn read_request_object(&self, client_id: &str, uri: &str) -> Option<Vec<u8>> {
        let address = uri.split('#').next().unwrap_or_default();
        let request = Request::builder().method(Method::GET).uri(address);
        let request = request.header(ACCEPT, "application/oauth-authz-req+jwt, application/jwt");
        let answered = self.fetch(request.body(Vec::new()).ok()?, Asker::Client(client_id)).await;
        let read = answered.map_err(|error| error.to_string()).and_then(|answer| match answer.status() {
            StatusCode::OK if answer.body().len() > MAX_PARAMETER_BYTES => {
                Err(format!("it has more than {MAX_PARAMETER_BYTES} bytes"))
            }
            StatusCode::OK => Ok(answer.into_body()),
            status => Err(format!("the answer was {status}")),
        });
        read.inspect_err(|why| tracing::warn!(client_id, why, "the request object of a client could not be read")).ok()
    }
}
