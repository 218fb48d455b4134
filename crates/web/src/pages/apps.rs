//! Apps with access: since when, last used, what each may do, and the way to take it back.

use actix_web::HttpResponse;
use askama::Template;
use grantor_core::params::Params;

use super::used::{Granted, Used};
use super::{App, Frame};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::sign_in_for;
use crate::{access, routes};

/// From so many apps on, the page offers to look one up.
const SEARCH_FROM: usize = 12;

/// Looking one up gets `/account/apps?search=…`; removing begins at `/account/apps/remove?app=…`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/apps.html")]
pub struct Apps {
    /// Those to show, the last used first.
    pub apps: Vec<Access>,
    /// The frame.
    pub frame: Frame,
    /// The app whose access has just been removed.
    pub removed: Option<String>,
    /// What was looked for; empty where nothing was.
    pub search: String,
    /// How many have access in all.
    pub total: usize,
}

/// An app with access.
#[derive(Clone, Debug)]
pub struct Access {
    /// The app.
    pub app: App,
    /// What names it in `/account/apps/remove?app=…`.
    pub id: String,
    /// When it last used its access, in seconds.
    pub last_used: Option<i64>,
    /// Whether it has access when the person is not here.
    pub offline: bool,
    /// Where a sign-in to it begins.
    pub open: Option<String>,
    /// From where it was last used, as coarse as known.
    pub place: Option<String>,
    /// What it may do.
    pub scopes: Vec<Granted>,
    /// Since when, in seconds.
    pub since: i64,
    /// What it was used for lately.
    pub used: Used,
}

impl Apps {
    /// Those of `all` whose name or host has `search` in it.
    pub fn matching(all: Vec<Access>, search: &str) -> Vec<Access> {
        let wanted = search.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        all.into_iter().filter(|access| has(&access.app.name) || has(&access.app.host)).collect()
    }

    fn can_search(&self) -> bool {
        self.total >= SEARCH_FROM || !self.search.is_empty()
    }
}

impl Access {
    /// What it may do, in one line.
    fn summary(&self) -> String {
        self.scopes.iter().map(|scope| scope.sentence.as_str()).collect::<Vec<_>>().join(" · ")
    }
}

/// Shows which apps have access.
pub(crate) async fn get_apps(visit: Visit) -> HttpResponse {
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::APPS) };
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let all = match access::of(&visit, user).await {
        Ok(all) => all,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let search = query.get("search").unwrap_or_default().to_owned();
    let removed = query
        .get("removed")
        .and_then(|id| visit.app.directory().clients.get(id).map(|client| client.name().to_owned()));
    let total = all.len();
    let apps = if search.is_empty() { all } else { Apps::matching(all, &search) };
    respond::page(&visit, &Apps { apps, frame: visit.frame(None, None), removed, search, total }, &How::default())
}

#[cfg(test)]
impl Apps {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, NAMES, signed_in};
        let page = |apps: Vec<Access>| Self {
            total: apps.len(),
            apps,
            frame: signed_in("Ada Lovelace"),
            removed: None,
            search: String::new(),
        };
        let many: Vec<Access> = (0..200).map(|n| access(&format!("App {n}"), n)).collect();
        vec![
            ("empty", page(vec![])),
            ("one", page(vec![access("Wiki", 3)])),
            (
                "never-used",
                page(vec![Access {
                    last_used: None,
                    open: None,
                    place: None,
                    offline: false,
                    scopes: vec![],
                    used: Used::default(),
                    ..access("Wiki", 0)
                }]),
            ),
            ("unchecked", page(vec![Access { app: super::samples::unchecked("Notebook"), ..access("Notebook", 3) }])),
            ("removed", Self { removed: Some("Mail".to_owned()), ..page(vec![access("Wiki", 1)]) }),
            ("many", page(many)),
            ("found", Self { search: "wiki".to_owned(), total: 200, ..page(vec![access("Wiki", 1)]) }),
            ("not-found", Self { search: HOSTILE.to_owned(), total: 200, ..page(vec![]) }),
            ("names", page(NAMES.iter().zip(0..).map(|(name, n)| access(name, n)).collect())),
            (
                "hostile",
                Self { frame: signed_in(HOSTILE), removed: Some(HOSTILE.to_owned()), ..page(vec![access(HOSTILE, 9)]) },
            ),
        ]
    }
}

#[cfg(test)]
fn access(name: &str, days: i64) -> Access {
    use super::samples::{DAY, NOW, app};
    let sentences = ["See who you are", "See your e-mail address", name];
    let scopes = sentences.map(|sentence| Granted {
        last_used: (days % 2 == 0).then_some(NOW - days * DAY),
        sentence: sentence.to_owned(),
    });
    Access {
        app: app(name),
        id: "0BxVq7aY2Lk".to_owned(),
        last_used: Some(NOW - days * DAY - 4000),
        offline: days % 3 == 0,
        open: (days % 2 == 0).then(|| "https://wiki.example.com/start?iss=https%3A%2F%2Fid.example".to_owned()),
        place: Some(if days < 5 { "Berlin".to_owned() } else { name.to_owned() }),
        scopes: scopes.into(),
        since: NOW - 90 * DAY,
        used: Used::sample(name, usize::try_from(days).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_found_by_name_or_host_in_any_case() {
        let all = || vec![access("Wiki", 1), access("Mail", 2)];
        assert_eq!(Apps::matching(all(), " wIKi").len(), 2); // both live on wiki.example.com
        assert_eq!(Apps::matching(all(), "mail").len(), 1);
        assert_eq!(Apps::matching(all(), "").len(), 2);
    }
}
