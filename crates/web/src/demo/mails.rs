//! The pages at `/mails`: what the server would have sent to people, had it a mail server.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Demo, browser::Browser};
use crate::{
    html::filters,
    locale,
    mail::{Letter, SunkMail},
    pages::{Frame, Issuer},
};

/// All of them.
#[derive(Template)]
#[template(path = "demo/mails.html")]
struct MailsPage {
    frame: Frame,
    mails: Vec<SunkMail>,
}

/// One of them.
#[derive(Template)]
#[template(path = "demo/mail.html")]
struct MailPage {
    frame: Frame,
    letter: Letter,
}

/// `GET /mails`
pub(super) async fn get_mails(demo: web::Data<Demo>, browser: Browser) -> HttpResponse {
    answer(&MailsPage { frame: frame(&browser), mails: demo.settings.mails.all() })
}

/// `GET /mails/{number}`
pub(super) async fn get_mail(demo: web::Data<Demo>, browser: Browser, number: web::Path<String>) -> HttpResponse {
    let mail = number.parse().ok().and_then(|number| demo.settings.mails.find(number));
    match mail {
        Some(SunkMail { letter, .. }) => answer(&MailPage { frame: frame(&browser), letter }),
        None => super::redirect("/mails"),
    }
}

/// The choice of languages is on the demo's first page.
fn frame(browser: &Browser) -> Frame {
    let issuer = Issuer { name: locale::text(browser.language, "demo-name"), ..Issuer::default() };
    Frame { language: browser.language, issuer, ..Frame::default() }
}

fn answer(page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            tracing::error!(%error, "a mail cannot be shown");
            HttpResponse::InternalServerError().finish()
        }
    }
}
