//! The languages people read: which one to answer in, and every text in it.
//!
//! The texts are Fluent messages under `locales/`, one folder a language and one file a subject. A message that is
//! missing in a language is taken from English; one that is missing everywhere shows its key between `⟦` and `⟧`, which
//! a test over every page looks for.

mod dates;

use std::collections::HashMap;

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue, langid, static_loader};

pub use self::dates::{ago, date, duration, machine_readable, time};

static_loader! {
    static TEXTS = {
        locales: "./locales",
        fallback_language: "en",
        // The marks of isolation would end up in attributes and titles; pages isolate names with `<bdi>`.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static ENGLISH: LanguageIdentifier = langid!("en");
static GERMAN: LanguageIdentifier = langid!("de");

/// A language that every page can be read in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Language {
    /// Deutsch.
    De,
    /// English, where nothing else is asked for.
    #[default]
    En,
}

impl Language {
    /// In the order in which the choice of languages shows them.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The BCP 47 tag, as in `<html lang>`, in `ui_locales` and in the cookie.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
        }
    }

    /// What the language calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::De => "Deutsch",
            Self::En => "English",
        }
    }

    /// The direction of its script, as in `<html dir>`.
    pub const fn dir(self) -> &'static str {
        match self {
            Self::De | Self::En => "ltr",
        }
    }

    /// The language of a BCP 47 tag; `de-AT` is `De`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The language to answer in: what the app asks for, then what the person chose here, then what the browser prefers.
    // "… a space-separated list of BCP47 [RFC5646] language tag values, ordered by preference." (OIDC Core §3.1.2.1)
    // "An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID Provider." (OIDC Core §3.1.2.1)
    // "An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID Provider."
    // (OIDC RP-Initiated Logout §2)
    pub fn choose(ui_locales: Option<&str>, cookie: Option<&str>, accept_language: Option<&str>) -> Option<Self> {
        ui_locales
            .and_then(|list| list.split_ascii_whitespace().find_map(Self::from_tag))
            .or_else(|| cookie.and_then(Self::from_tag))
            .or_else(|| accept_language.and_then(preferred))
    }

    fn identifier(self) -> &'static LanguageIdentifier {
        match self {
            Self::De => &GERMAN,
            Self::En => &ENGLISH,
        }
    }
}

/// The best of an Accept-Language header: the highest weight wins, the first among equals.
fn preferred(header: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for part in header.split(',').take(32) {
        let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(0.0);
        if let Some(language) = Language::from_tag(tag.trim())
            && weight > best.map_or(0.0, |(_, most)| most)
        {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

/// What stands for a `{ $name }` in a message.
pub type Arguments<'a> = HashMap<&'a str, FluentValue<'a>>;

/// A message without anything set in.
pub fn text(language: Language, key: &str) -> String {
    text_with(language, key, &Arguments::new())
}

/// A message with values set in. They stand as they are: on a page, escape the result.
pub fn text_with(language: Language, key: &str, arguments: &Arguments<'_>) -> String {
    find(language, key, arguments).unwrap_or_else(|| format!("⟦{key}⟧"))
}

/// The sentence for a scope that this server brings along, as it stands on the list of what an app may do.
pub fn scope_sentence(language: Language, scope: &str) -> Option<String> {
    let key = match scope {
        "account:tokens" => "scope-account-tokens",
        "address" => "scope-address",
        "email" => "scope-email",
        "groups" => "scope-groups",
        "offline_access" => "scope-offline-access",
        "openid" => "scope-openid",
        "phone" => "scope-phone",
        "profile" => "scope-profile",
        _ => return None,
    };
    Some(text(language, key))
}

fn find(language: Language, key: &str, arguments: &Arguments<'_>) -> Option<String> {
    let look_up = |language: Language| TEXTS.lookup_single_language(language.identifier(), key, Some(arguments)).ok();
    look_up(language).or_else(|| look_up(Language::En))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_is_heard_before_the_cookie_and_the_cookie_before_the_browser() {
        assert_eq!(Language::choose(Some("fr-CA de-AT en"), Some("en"), Some("en")), Some(Language::De));
        assert_eq!(Language::choose(Some("fr"), Some("de"), Some("en")), Some(Language::De));
        assert_eq!(Language::choose(None, Some("<b>"), Some("fr, en;q=0.3, de-CH;q=0.7")), Some(Language::De));
        assert_eq!(Language::choose(None, None, Some("de;q=0, *;q=0.5")), None);
        assert_eq!(Language::choose(None, None, None), None);
    }

    #[test]
    fn a_missing_message_shows_its_key() {
        assert_eq!(text(Language::De, "no-such-message"), "⟦no-such-message⟧");
    }

    #[test]
    fn a_scope_of_somebody_else_has_no_sentence_here() {
        assert!(scope_sentence(Language::De, "email").is_some_and(|sentence| sentence.contains("E-Mail")));
        assert_eq!(scope_sentence(Language::En, "calendar.read"), None);
    }
}
