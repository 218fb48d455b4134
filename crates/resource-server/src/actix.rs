//! For actix-web: a middleware that lets through only calls whose token counts, and parameters for handlers.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};

use crate::call::{Call, Scoped};
use crate::demand::RequiredScope;
use crate::denied::Denied;
use crate::verifier::Verifier;

/// Lets through only calls with a token that counts for this API. What such a token must allow, handlers say with [`Scoped`]
/// parameters.
///
/// Routes that answer everybody stand outside of what it wraps; so does CORS, whose preflights have no token.
#[derive(Clone, Debug)]
pub struct Protect(Verifier);

/// What is wrapped.
#[derive(Debug)]
pub struct Protected<S> {
    inner: Rc<S>,
    verifier: Verifier,
}

impl Protect {
    /// Lets the verifier judge.
    pub const fn new(verifier: Verifier) -> Self {
        Self(verifier)
    }
}

/// Serves the API's description of itself, to everybody. For `App::configure`.
pub fn describe(verifier: &Verifier) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let metadata = verifier.metadata().cloned();
    move |config| {
        if let Some(metadata) = metadata {
            let path = metadata.path().to_owned();
            let answer = move || {
                let response = HttpResponse::Ok().content_type("application/json").body(metadata.json().to_owned());
                ready(response)
            };
            config.route(&path, web::get().to(answer));
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Protect
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Protected<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Protected { inner: Rc::new(service), verifier: self.0.clone() }))
    }
}

impl<S, B> Service<ServiceRequest> for Protected<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, verifier) = (Rc::clone(&self.inner), self.verifier.clone());
        Box::pin(async move {
            match judge(&verifier, request.request()).await {
                Ok(call) => {
                    request.extensions_mut().insert(call);
                    Ok(inner.call(request).await?.map_into_left_body())
                }
                // An answer and no error, so that what stands around it, CORS above all, still adds its headers.
                Err(denied) => Ok(request.into_response(denied.error_response()).map_into_right_body()),
            }
        })
    }
}

async fn judge(verifier: &Verifier, request: &HttpRequest) -> Result<Call, Denied> {
    let headers = request.headers();
    let forwarded: Vec<&[u8]> = headers.get_all("x-forwarded-for").map(HeaderValue::as_bytes).collect();
    let peer: Option<IpAddr> = request.peer_addr().as_ref().map(SocketAddr::ip);
    let address = verifier.caller(peer, &forwarded);
    let access = verifier.authorize(headers.get_all(AUTHORIZATION).map(HeaderValue::as_bytes), address).await?;
    Ok(Call::new(access, address, verifier.clone()))
}

impl ResponseError for Denied {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        for header in self.headers() {
            response.insert_header(header);
        }
        response.body(self.body())
    }
}

impl FromRequest for Call {
    type Error = Denied;
    type Future = Ready<Result<Self, Denied>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or_else(Denied::unprotected))
    }
}

impl<R: RequiredScope + 'static> FromRequest for Scoped<R> {
    type Error = Denied;
    type Future = Ready<Result<Self, Denied>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let call = request.extensions().get::<Call>().cloned().ok_or_else(Denied::unprotected);
        ready(call.and_then(Call::scoped))
    }
}
