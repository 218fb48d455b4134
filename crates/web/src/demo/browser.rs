//! Which browser is asking, and whether a form was really sent from our page.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError,
    cookie::{Cookie, SameSite},
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use grantor_jose::hash::constant_time_eq;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::{Demo, session::Session};
use crate::locale::Language;

/// Cookies do not know ports: the name must not be one of the server's own.
const COOKIE: &str = "grantor_demo";
/// This one is the server's own, as it is called without https: what is chosen there is spoken here, and the other way round.
const LANGUAGE_COOKIE: &str = "grantor_language";

/// The browser that asks.
pub(super) struct Browser {
    pub(super) id: String,
    pub(super) session: Arc<AsyncMutex<Session>>,
    pub(super) language: Language,
}

/// A form sent from our page by the browser that was given it.
pub(super) struct Post {
    pub(super) session: OwnedMutexGuard<Session>,
    pub(super) language: Language,
    pub(super) fields: Vec<(String, String)>,
}

/// The form was not sent from our page, or its session is forgotten: nothing is done, a fresh page is shown.
#[derive(Debug, thiserror::Error)]
#[error("the form is not from this page")]
pub(super) struct Stale;

type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, actix_web::Error>>>>;

impl Browser {
    /// The browser of a request, with a new session where it has none.
    pub(super) fn of(request: &HttpRequest, demo: &Demo) -> Self {
        let known = request
            .cookie(COOKIE)
            .and_then(|cookie| Some((cookie.value().to_owned(), demo.sessions.find(cookie.value())?)));
        let (id, session) = known.unwrap_or_else(|| demo.sessions.start());
        Self { id, session, language: language(request) }
    }
}

impl Post {
    /// The value of a field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The values of a field that may stand several times.
    pub(super) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest for Browser {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(match request.app_data::<web::Data<Demo>>() {
            Some(demo) => Ok(Self::of(request, demo)),
            None => Err(Stale.into()),
        })
    }
}

impl FromRequest for Post {
    type Error = actix_web::Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let known = request
            .app_data::<web::Data<Demo>>()
            .zip(request.cookie(COOKIE))
            .and_then(|(demo, cookie)| demo.sessions.find(cookie.value()));
        let form = web::Form::<Vec<(String, String)>>::from_request(request, payload);
        let (language, ours) = (language(request), from_our_page(request));
        Box::pin(async move {
            let session = known.filter(|_| ours).ok_or(Stale)?.lock_owned().await;
            let post = Self { session, language, fields: form.await?.into_inner() };
            let genuine = constant_time_eq(post.field("csrf").as_bytes(), post.session.csrf.as_bytes());
            if genuine { Ok(post) } else { Err(Stale.into()) }
        })
    }
}

impl ResponseError for Stale {
    fn status_code(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::SeeOther().insert_header((header::LOCATION, "/?stale")).finish()
    }
}

/// The cookie that holds a session's id.
pub(super) fn cookie(id: String, secure: bool) -> Cookie<'static> {
    Cookie::build(COOKIE, id).path("/").http_only(true).same_site(SameSite::Lax).secure(secure).finish()
}

/// A page of another port on this host is the same site, and still not ours.
fn from_our_page(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site").map(header::HeaderValue::as_bytes);
    site.is_none_or(|site| site == b"same-origin")
}

fn language(request: &HttpRequest) -> Language {
    let chosen = request.cookie(LANGUAGE_COOKIE);
    let accepted = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(None, chosen.as_ref().map(Cookie::value), accepted).unwrap_or_default()
}

/// `POST /language`
pub(super) async fn post_language(demo: web::Data<Demo>, post: Post) -> HttpResponse {
    let mut back = super::home();
    if let Some(language) = Language::from_tag(post.field("language")) {
        let cookie = Cookie::build(LANGUAGE_COOKIE, language.tag()).path("/").http_only(true).same_site(SameSite::Lax);
        super::set_cookie(&mut back, &cookie.secure(demo.secure()).finish());
    }
    back
}
