//! The body of a request: measured before it is read.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Payload};
use grantor_core::error::Error;
use grantor_core::params::{MAX_PARAMETERS, Params};

use crate::app::App;

/// How long a client may take to send a body.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Reads a form.
///
/// # Errors
/// `FormMissing` for another content type, `FormTooLarge`, or those of [`Params::parse`].
pub(crate) async fn read(request: &HttpRequest, payload: Payload) -> Result<Params, Error> {
    Params::parse(&read_body(request, payload).await?)
}

/// Reads a form of ours with ticks: all of `name` become one parameter, separated by spaces.
///
/// # Errors
/// Those of [`read`].
pub(crate) async fn read_ticks(request: &HttpRequest, payload: Payload, name: &str) -> Result<Params, Error> {
    let body = read_body(request, payload).await?;
    if body.split(|byte| *byte == b'&').count() > MAX_PARAMETERS {
        return Err(Error::TooManyParameters);
    }
    let mut ticks = Vec::new();
    let mut others = Vec::new();
    for part in body.split(|byte| *byte == b'&') {
        let params = Params::parse(part)?;
        match params.get(name) {
            Some(tick) => ticks.push(tick.to_owned()),
            None => others.extend(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()))),
        }
    }
    others.push((name.to_owned(), ticks.join(" ")));
    Params::from_pairs(others)
}

/// Reads a form in which `name` may stand many times: the other parameters, and every value of that one in its place, also one
/// that is empty or has spaces in it, so that answers can be told apart by their places.
///
/// # Errors
/// Those of [`read`].
pub(crate) async fn read_many(
    request: &HttpRequest,
    payload: Payload,
    name: &str,
) -> Result<(Params, Vec<String>), Error> {
    let body = read_body(request, payload).await?;
    let parts: Vec<&[u8]> = body.split(|byte| *byte == b'&').filter(|part| !part.is_empty()).collect();
    if parts.len() > MAX_PARAMETERS {
        return Err(Error::TooManyParameters);
    }
    let (mut values, mut others) = (Vec::new(), Vec::new());
    for part in parts {
        let params = Params::parse(part)?;
        // An empty value counts as none: the name is read with another.
        let named = part.split(|byte| *byte == b'=').next().unwrap_or_default();
        if Params::parse(&[named, b"=x"].concat())?.get(name).is_some() {
            values.push(params.get(name).unwrap_or_default().to_owned());
        } else {
            others.extend(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }
    Ok((Params::from_pairs(others)?, values))
}

/// Reads the body of a form as it was sent.
///
/// # Errors
/// `FormMissing` for another content type, `FormTooLarge` or `FormTooSlow`.
pub(crate) async fn read_body(request: &HttpRequest, payload: Payload) -> Result<Bytes, Error> {
    // "The parameters ... using the "application/x-www-form-urlencoded" format ... with a character encoding of UTF-8 in the
    // HTTP request entity-body" (RFC 6749 §4.1.3)
    if !is_form(request) {
        return Err(Error::FormMissing);
    }
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let most = request.app_data::<Data<App>>().map_or(0, |app| app.settings.body_bytes);
    if declared.is_some_and(|length| length > most) {
        return Err(Error::FormTooLarge);
    }
    // Who sends a body byte by byte would hold a connection for as long as they like.
    let body = timeout(BODY_WITHIN, payload.to_bytes_limited(most)).await.map_err(|_| Error::FormTooSlow)?;
    body.map_err(|_| Error::FormTooLarge)?.map_err(|_| Error::FormMissing)
}

/// Whether the body is said to be a form.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let utf8 = |parameter: &str| {
        parameter.split_once('=').is_none_or(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") && parts.all(utf8)
}
