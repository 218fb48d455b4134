//! Takes the answer back to an app by a form: `response_mode=form_post`.

use askama::Template;

use super::{App, Frame};
use crate::html::filters;

/// Posts `fields` to the app. The one page whose form leaves for another origin; it carries no `csrf`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/form_post.html")]
pub struct FormPost {
    /// The registered redirect URI.
    pub action: String,
    /// The app the answer goes to.
    pub app: App,
    /// The parameters of the answer, in order.
    pub fields: Vec<(String, String)>,
    /// The frame.
    pub frame: Frame,
}

#[cfg(test)]
impl FormPost {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, app, visitor};
        let page = |name: &str, state: &str| Self {
            action: "https://wiki.example.com/callback?a=1&b=2".to_owned(),
            app: app(name),
            fields: vec![
                ("code".to_owned(), "c_0BxVq7aY2Lk.secret".to_owned()),
                ("state".to_owned(), state.to_owned()),
            ],
            frame: visitor(),
        };
        vec![
            ("plain", page("Wiki", "xyz")),
            ("long", page(LONG, LONG)),
            (
                "hostile",
                Self {
                    action: "https://wiki.example.com/\"><script>alert(1)</script>".to_owned(),
                    ..page(HOSTILE, HOSTILE)
                },
            ),
        ]
    }
}
