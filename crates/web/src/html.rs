//! Between Rust and the templates: what a person or an app chose for a name is shown so that it can only be a name.

use std::fmt::Display;

use askama::filters::{Escaper, Html, Safe};
use grantor_core::audit::is_shown;

use crate::locale::{Arguments, Language, text_with};

/// Longer names are cut; the longest that anybody could mean is a sentence.
const NAME_LENGTH: usize = 100;

/// Stand for `<bdi>` and `</bdi>` until the text around them is escaped. No name contains them: [`visible`] drops both.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// A name without what would hide, turn or stack text: control characters, marks of direction, private characters.
/// The joiners stay, for Persian and for emoji need them.
pub fn visible(name: &str) -> String {
    let mut kept: String = name.chars().filter(|c| is_shown(*c)).take(NAME_LENGTH + 1).collect();
    if kept.chars().count() > NAME_LENGTH {
        kept = kept.chars().take(NAME_LENGTH - 1).chain(['…']).collect();
    }
    kept
}

/// A name, escaped, that cannot turn the direction of the text around it.
pub fn name(name: &str) -> Safe<String> {
    Safe(format!("<bdi>{}</bdi>", escaped(&visible(name))))
}

/// The letter that stands for a name on its tile.
pub fn initial(name: &str) -> String {
    let first = visible(name).chars().find(|c| c.is_alphanumeric() || u32::from(*c) > 0x2000);
    first.map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

/// Something to set into a message.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A count, which the message may have forms for.
    Count(i64),
    /// Anybody's words: shown as [`name`] shows them.
    Name(String),
}

/// What can be set into a message.
pub trait ToArgument {
    /// As the message takes it.
    fn to_argument(&self) -> Argument;
}

impl ToArgument for str {
    fn to_argument(&self) -> Argument {
        Argument::Name(self.to_owned())
    }
}

impl ToArgument for String {
    fn to_argument(&self) -> Argument {
        Argument::Name(self.clone())
    }
}

impl ToArgument for usize {
    fn to_argument(&self) -> Argument {
        Argument::Count(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl<T: ToArgument + ?Sized> ToArgument for &T {
    fn to_argument(&self) -> Argument {
        (*self).to_argument()
    }
}

/// A message as HTML, each name in it isolated, and emphasised by `<strong>` where `strong` says so.
pub fn message<const N: usize>(
    language: Language,
    key: &str,
    arguments: [(&str, Argument); N],
    strong: bool,
) -> Safe<String> {
    let text = plain(language, key, arguments, |name| format!("{OPEN}{}{CLOSE}", visible(&name)));
    let (open, close) = if strong { ("<strong><bdi>", "</bdi></strong>") } else { ("<bdi>", "</bdi>") };
    Safe(escaped(&text).replace(OPEN, open).replace(CLOSE, close))
}

/// A message as text, for titles and attributes; the template escapes it.
pub fn message_text<const N: usize>(language: Language, key: &str, arguments: [(&str, Argument); N]) -> String {
    plain(language, key, arguments, |name| visible(&name))
}

fn plain<const N: usize>(
    language: Language,
    key: &str,
    arguments: [(&str, Argument); N],
    show: impl Fn(String) -> String,
) -> String {
    let arguments: Arguments<'_> = arguments
        .into_iter()
        .map(|(name, value)| match value {
            Argument::Count(count) => (name, count.into()),
            Argument::Name(text) => (name, show(text).into()),
        })
        .collect();
    text_with(language, key, &arguments)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    // Writing to a String does not fail.
    let _ = Html.write_escaped_str(&mut out, text);
    out
}

/// What templates call as `|name` and `|initial`.
#[expect(clippy::inline_always, reason = "written by the macro of the template engine")]
pub mod filters {
    use askama::{Result, Values, filter_fn, filters::Safe};

    use super::Display;

    /// See [`super::name`].
    #[filter_fn]
    pub fn name(value: impl Display, _: &dyn Values) -> Result<Safe<String>> {
        Ok(super::name(&value.to_string()))
    }

    /// See [`super::visible`]; for attributes and titles, which the template escapes.
    #[filter_fn]
    pub fn visible(value: impl Display, _: &dyn Values) -> Result<String> {
        Ok(super::visible(&value.to_string()))
    }

    /// See [`super::initial`].
    #[filter_fn]
    pub fn initial(value: impl Display, _: &dyn Values) -> Result<String> {
        Ok(super::initial(&value.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_turn_hide_or_mark_up_the_text_around_it() {
        assert_eq!(visible("Wiki\u{202E}moc.live\u{200B}\n\u{E000}"), "Wikimoc.live");
        assert_eq!(name("<b>&").0, "<bdi>&#60;b&#62;&#38;</bdi>");
        assert_eq!(visible(&"x".repeat(300)).chars().count(), NAME_LENGTH);
    }

    #[test]
    fn emoji_and_persian_keep_their_joiners() {
        assert_eq!(visible("👩\u{200D}💻 می\u{200C}خواهم"), "👩\u{200D}💻 می\u{200C}خواهم");
    }

    #[test]
    fn a_tile_always_shows_something() {
        assert_eq!(initial("  wiki"), "W");
        assert_eq!(initial("🦊 Fox"), "🦊");
        assert_eq!(initial("...\u{202E}"), "?");
    }
}
