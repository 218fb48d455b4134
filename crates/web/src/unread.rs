//! Requests whose body never ends.
//!
//! The HTTP library reads on, after the answer, what is left of a body in chunks that nobody wants, for as long as the client
//! likes. Where somebody still holds such a body when the answer is sent, it closes the connection instead.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_core::Stream;

/// A body that the handler reads and that outlives the handler.
#[derive(Clone)]
pub(crate) struct Held(Rc<RefCell<Payload>>);

impl Held {
    /// Lends the body of a request to its handler, where it comes in chunks.
    pub(crate) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let held = Self(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(held.clone()) });
        Some(held)
    }

    /// Keeps it until the answer is sent.
    pub(crate) fn until_sent(self, body: impl MessageBody + 'static) -> BoxBody {
        BoxBody::new(Answer { body: body.boxed(), _held: self })
    }
}

impl Stream for Held {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// An answer with what was not read of its request.
struct Answer {
    body: BoxBody,
    _held: Held,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
