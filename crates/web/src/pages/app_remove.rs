//! Asks once before an app loses its access.

use askama::Template;

use super::{App, Frame};
use crate::html::filters;

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

impl AppRemove {
    fn tab(&self) -> &'static str {
        "apps"
    }
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
        let mut all = vec![("plain", page("Wiki", &["See who you are", "Read and change your notes"])), ("none", page("Wiki", &[]))];
        all.extend(["name", "long", "rtl", "emoji", "hostile"].into_iter().zip(NAMES).map(|(label, name)| (label, page(name, &[name, HOSTILE]))));
        all
    }
}
