//! For axum, beside [`crate::tower::Protect`]: parameters for handlers.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;

use crate::call::{Call, Scoped};
use crate::demand::RequiredScope;
use crate::denied::Denied;
use crate::metadata::ResourceMetadata;

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        self.response()
    }
}

impl IntoResponse for ResourceMetadata {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.json().to_owned()).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Denied> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Denied::unprotected)
    }
}

impl<S: Sync, R: RequiredScope> FromRequestParts<S> for Scoped<R> {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Denied> {
        Call::from_request_parts(parts, state).await?.scoped()
    }
}
