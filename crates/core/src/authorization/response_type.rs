//! What an answer of the authorization endpoint holds, and how it travels (OAuth Multiple Response Types).

use std::str::FromStr;

use crate::error::Error;
use crate::params::Params;

/// What an answer holds: a code, tokens, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseType {
    /// A code alone.
    #[default]
    Code,
    /// A code and an ID token.
    CodeIdToken,
    /// A code, an ID token and an access token.
    CodeIdTokenToken,
    /// A code and an access token.
    CodeToken,
    /// An ID token alone.
    IdToken,
    /// An ID token and an access token.
    IdTokenToken,
}

impl ResponseType {
    /// Every response type, the preferred one first.
    // "clients SHOULD NOT use the implicit grant (response type "token") or other response types issuing access tokens in the
    // authorization response, unless access token injection in the authorization response is prevented and the aforementioned
    // token leakage vectors are mitigated." (RFC 9700 §2.1.2); an ID token shows which access token came with it, and `token`
    // alone has nothing that does: it is never offered.
    pub const ALL: [Self; 6] =
        [Self::Code, Self::CodeIdToken, Self::CodeIdTokenToken, Self::CodeToken, Self::IdToken, Self::IdTokenToken];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::CodeIdToken => "code id_token",
            Self::CodeIdTokenToken => "code id_token token",
            Self::CodeToken => "code token",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
        }
    }

    /// Whether the answer holds a code.
    pub const fn has_code(self) -> bool {
        matches!(self, Self::Code | Self::CodeIdToken | Self::CodeIdTokenToken | Self::CodeToken)
    }

    /// Whether the answer holds an ID token.
    pub const fn has_id_token(self) -> bool {
        matches!(self, Self::CodeIdToken | Self::CodeIdTokenToken | Self::IdToken | Self::IdTokenToken)
    }

    /// Whether the answer holds an access token.
    pub const fn has_token(self) -> bool {
        matches!(self, Self::CodeIdTokenToken | Self::CodeToken | Self::IdTokenToken)
    }

    /// Whether an access token is issued, here or for the code.
    pub const fn issues_access_token(self) -> bool {
        self.has_code() || self.has_token()
    }

    /// Whether tokens travel through the browser: the implicit and the hybrid flow.
    pub const fn is_front_channel(self) -> bool {
        self.has_id_token() || self.has_token()
    }
}

impl FromStr for ResponseType {
    type Err = Error;

    /// Reads `response_type`.
    ///
    /// # Errors
    /// `ResponseTypeUnsupported`.
    fn from_str(text: &str) -> Result<Self, Error> {
        // "If a Response Type contains one of more space characters (%20), it is compared as a space-delimited list of values in
        // which the order of values does not matter." (OAuth Multiple Response Types §1.2)
        let sorted = |text: &str| {
            let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            words.sort_unstable();
            words
        };
        let asked = sorted(text);
        Self::ALL.into_iter().find(|known| sorted(known.as_str()) == asked).ok_or(Error::ResponseTypeUnsupported)
    }
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the redirect URI's fragment, which browsers send to nobody.
    Fragment,
    /// As a form that the browser posts to the redirect URI.
    FormPost,
    /// In the redirect URI's query.
    #[default]
    Query,
}

impl ResponseMode {
    /// The names of all modes, as the metadata list them.
    pub const NAMES: [&str; 3] = ["query", "fragment", "form_post"];

    /// How the answer to a request travels, errors too, whatever else is wrong with it: an app looks for them where its kind of
    /// answer is.
    pub(super) fn of(params: &Params) -> Self {
        match params.get("response_mode") {
            Some("form_post") => Self::FormPost,
            Some("fragment") => Self::Fragment,
            _ => Self::default_for(params.get("response_type").unwrap_or_default()),
        }
    }

    /// The mode of a response type that names none, understood or not.
    fn default_for(response_type: &str) -> Self {
        // "Whenever Error Response parameters are returned, such as when End-User denies the authorization or the End-User
        // authentication fails, the Authorization Server MUST return the error Authorization Response in the fragment
        // component of the Redirection URI, as defined in Section 4.2.2.1 of OAuth 2.0 [RFC6749] and OAuth 2.0 Multiple
        // Response Type Encoding Practices [OAuth.Responses], unless a different Response Mode was specified."
        // (OIDC Core §3.2.2.6)
        // "Whenever Error Response parameters are returned, such as when End-User denies the authorization or the End-User
        // authentication fails, the Authorization Server MUST return the error Authorization Response in the fragment
        // component of the Redirection URI, as defined in Section 4.2.2.1 of OAuth 2.0 [RFC6749] and OAuth 2.0 Multiple
        // Response Type Encoding Practices [OAuth.Responses], unless a different Response Mode was specified."
        // (OIDC Core §3.3.2.6)
        if response_type.split(' ').any(|word| matches!(word, "token" | "id_token")) {
            Self::Fragment
        } else {
            Self::Query
        }
    }

    /// Refuses a mode that is not offered, or not for these answers.
    ///
    /// # Errors
    /// `ResponseModeUnsafe` or `ResponseModeUnsupported`.
    pub(super) fn check(asked: Option<&str>, response_type: ResponseType) -> Result<(), Error> {
        match asked {
            // "more sensitive information such as Access Tokens and ID Tokens MUST NOT be encoded in the query string. In no
            // case should a set of Authorization Response parameters whose default Response Mode is the fragment encoding be
            // encoded using the query encoding." (OAuth Multiple Response Types §7)
            // "Access Tokens represent an End-User's authorization and MUST NOT be exposed to unauthorized parties." (OIDC Core
            // §16.4)
            Some("query") if response_type.is_front_channel() => Err(Error::ResponseModeUnsafe),
            Some(mode) if !Self::NAMES.contains(&mode) => Err(Error::ResponseModeUnsupported),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_of_words_does_not_matter_and_their_number_does() {
        assert_eq!("token code id_token".parse::<ResponseType>().unwrap(), ResponseType::CodeIdTokenToken);
        for text in ["", "token", "code code", "code  id_token", " code", "CODE", "none", "code none", "code\ttoken"] {
            assert!(text.parse::<ResponseType>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_response_type_holds_what_its_words_name() {
        for kind in ResponseType::ALL {
            let words: Vec<&str> = kind.as_str().split(' ').collect();
            let named = ["code", "id_token", "token"].map(|word| words.contains(&word));
            assert_eq!([kind.has_code(), kind.has_id_token(), kind.has_token()], named, "{kind:?}");
        }
    }

    proptest! {
        /// Whatever is asked: what holds tokens never travels in a query.
        #[test]
        fn tokens_never_travel_in_a_query(kind in 0..6_usize, asked in "query|fragment|form_post|bogus") {
            let kind = ResponseType::ALL[kind];
            let pairs = [("response_type", kind.as_str()), ("response_mode", asked.as_str())];
            let mode = ResponseMode::of(&Params::from_pairs(pairs).unwrap());
            prop_assert!(!kind.is_front_channel() || mode != ResponseMode::Query);
            prop_assert!(ResponseMode::check(Some(&asked), kind).is_err() || !kind.is_front_channel() || asked != "query");
        }
    }
}
