//! Asks once before an app loses its access.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::approval;
use grantor_core::params::Params;
use grantor_core::store::Store;

use super::status::Kind;
use super::{App, Frame};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::sign_in_for;
use crate::{access, form, routes};

/// Posts `app` and `csrf` to `/account/apps/remove`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/app_remove.html")]
pub struct AppRemove {
    /// The app.
    pub app: App,
    /// The frame.
    pub frame: Frame,
    /// What names the access, from [`super::apps::Access::id`].
    pub id: String,
    /// What the app will no longer be able to do.
    pub sentences: Vec<String>,
    /// Since when it has access, in seconds.
    pub since: i64,
}

/// Asks once.
pub(crate) async fn get_app_remove(visit: Visit) -> HttpResponse {
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::APPS) };
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let wanted = query.get("app").unwrap_or_default();
    let found = match access::of(&visit, user).await {
        Ok(all) => all.into_iter().find(|access| access.id == wanted),
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let Some(access) = found else { return respond::redirect(routes::APPS) };
    let page = AppRemove {
        app: access.app,
        frame: visit.frame(None, None),
        id: access.id,
        sentences: access.scopes.into_iter().map(|scope| scope.sentence).collect(),
        since: access.since,
    };
    respond::page(&visit, &page, &How::default())
}

/// Takes the access back.
// "The Authorization Server SHOULD provide a mechanism for the End-User to revoke Access Tokens and Refresh Tokens granted
// to a Client." (OIDC Core §16.18)
pub(crate) async fn post_app_remove(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::APPS) };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    let client_id = form.get("app").unwrap_or_default();
    match access::of(&visit, user).await {
        Ok(all) if all.iter().any(|access| access.id == client_id) => {}
        // What has no access any more needs none taken: the second click of a double click ends here, too.
        Ok(_) => return removed(client_id),
        Err(error) => return respond::failure(&visit, &error.into()).await,
    }
    let changes = approval::withdraw(client_id, user.id, visit.app.id(), visit.call());
    match visit.app.provider.store.commit(changes).await {
        Ok(()) => removed(client_id),
        Err(error) => respond::failure(&visit, &error.into()).await,
    }
}

fn removed(client_id: &str) -> HttpResponse {
    let query = Params::from_pairs([("removed", client_id)]).unwrap_or_default().to_query();
    respond::redirect(&format!("{}?{query}", routes::APPS))
}

#[cfg(test)]
impl AppRemove {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, HOSTILE, NAMES, NOW, app, signed_in};
        let page = |name: &str, sentences: &[&str]| Self {
            app: app(name),
            frame: signed_in("Ada Lovelace"),
            id: "0BxVq7aY2Lk".to_owned(),
            sentences: sentences.iter().map(|&sentence| sentence.to_owned()).collect(),
            since: NOW - 90 * DAY,
        };
        let mut all = vec![
            ("plain", page("Wiki", &["See who you are", "Read and change your notes"])),
            ("none", page("Wiki", &[])),
        ];
        all.extend(
            ["name", "long", "rtl", "emoji", "hostile"]
                .into_iter()
                .zip(NAMES)
                .map(|(label, name)| (label, page(name, &[name, HOSTILE]))),
        );
        all
    }
}
