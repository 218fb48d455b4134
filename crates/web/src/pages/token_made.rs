//! A token that was just made, or has a new secret: shown this once.

use askama::Template;
use grantor_jose::secret::SecretText;

use super::Frame;
use crate::html::filters;

/// Posts nothing.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/token_made.html")]
pub struct TokenMade {
    /// The frame.
    pub frame: Frame,
    /// The beginning of its text.
    pub hint: String,
    /// What the person calls it.
    pub name: String,
    /// Until when the secret before counts, in seconds; none where there is none.
    pub replaced_until: Option<i64>,
    /// The token's text.
    pub token: SecretText,
    /// Until when it counts, in seconds.
    pub until: i64,
}

#[cfg(test)]
impl TokenMade {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, NAMES, NOW, signed_in};
        let page = |name: &str| Self {
            frame: Frame { return_to: None, ..signed_in("Ada Lovelace") },
            hint: "gtr_pat_0BxVq7aY2Lk".to_owned(),
            name: name.to_owned(),
            replaced_until: None,
            token: SecretText::new(format!("gtr_pat_0BxVq7aY2Lk{}", "x".repeat(49))),
            until: NOW + 30 * DAY,
        };
        let mut all = vec![
            ("new", page("Backup script")),
            ("rotated", Self { replaced_until: Some(NOW + DAY), ..page("Backup script") }),
        ];
        all.extend(["name", "long", "rtl", "emoji", "hostile"].into_iter().zip(NAMES.map(page)));
        all
    }
}
