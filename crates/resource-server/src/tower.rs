//! For tower, and so for axum: a layer that lets through only calls whose token counts.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::call::Call;
use crate::denied::Denied;
use crate::verifier::Verifier;

type Peer = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// Lets through only calls with a token that counts for this API. It leaves a [`Call`] in the request's extensions.
///
/// Routes that answer everybody stand outside of what it wraps; so does CORS, whose preflights have no token.
#[derive(Clone)]
pub struct Protect {
    verifier: Verifier,
    peer: Peer,
}

/// What is wrapped.
#[derive(Clone)]
pub struct Protected<S> {
    inner: S,
    protect: Protect,
}

impl Protect {
    /// Lets the verifier judge. The peer's address is the [`SocketAddr`] in the request's extensions; where there is none, it is not
    /// known, and tokens that are limited to networks are refused.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, peer: Arc::new(|extensions| extensions.get().map(SocketAddr::ip)) }
    }

    /// Says where the address of the peer is found. For axum, which is served with `into_make_service_with_connect_info`:
    /// `|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())`.
    #[must_use]
    pub fn peer_address(mut self, peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.peer = Arc::new(peer);
        self
    }

    async fn judge(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Call, Denied> {
        let forwarded: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
        let address = self.verifier.caller(peer, &forwarded);
        let authorization = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let access = self.verifier.authorize(authorization, address).await?;
        Ok(Call::new(access, address, self.verifier.clone()))
    }
}

impl<S> Layer<S> for Protect {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        Protected { inner, protect: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that has said that it is ready is the one to call; its clone says so for itself.
        let next = self.inner.clone();
        let (mut inner, protect) = (std::mem::replace(&mut self.inner, next), self.protect.clone());
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let peer = (protect.peer)(&parts.extensions);
            match protect.judge(&parts.headers, peer).await {
                Ok(call) => {
                    parts.extensions.insert(call);
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(denied) => Ok(denied.response()),
            }
        })
    }
}

impl Denied {
    /// The answer, with a body of any type that can be text.
    pub fn response<R: From<String>>(&self) -> Response<R> {
        let mut response = Response::new(R::from(self.body()));
        *response.status_mut() = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers() {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl fmt::Debug for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Protect").field(&self.verifier).finish()
    }
}

impl<S> fmt::Debug for Protected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Protected").field(&self.protect).finish()
    }
}
