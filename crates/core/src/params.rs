//! The parameters of a request, read once and strictly: sizes first, then the encoding, then repeats.

use std::borrow::Cow;

use crate::error::Error;

/// The largest number of parameters a request may carry.
pub const MAX_PARAMETERS: usize = 100;
/// The largest size of one parameter's name and value, in bytes, as sent.
pub const MAX_PARAMETER_BYTES: usize = 8 * 1024;

/// The parameters of one request, decoded, each at most once (`resource` aside).
#[derive(Clone, Debug, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded` text, from a query or a body.
    ///
    /// # Errors
    /// `ParameterTooLarge`, `TooManyParameters`, `MalformedEncoding` or `ParameterRepeated`.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut params = Self::default();
        for part in text.split(|byte| *byte == b'&').filter(|part| !part.is_empty()) {
            params.read(part)?;
        }
        Ok(params)
    }

    /// Parameters that are decoded already.
    ///
    /// # Errors
    /// `ParameterRepeated`.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Error> {
        let mut params = Self::default();
        for (name, value) in pairs {
            params.push(name.into(), value.into())?;
        }
        Ok(params)
    }

    fn read(&mut self, part: &[u8]) -> Result<(), Error> {
        if part.len() > MAX_PARAMETER_BYTES {
            return Err(Error::ParameterTooLarge);
        }
        if self.pairs.len() >= MAX_PARAMETERS {
            return Err(Error::TooManyParameters);
        }
        let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let unreadable = |name: &[u8]| Error::MalformedEncoding(String::from_utf8_lossy(name).into_owned());
        let name = decode(&part[..at]).ok_or_else(|| unreadable(&part[..at]))?;
        let value = decode(part.get(at + 1..).unwrap_or_default()).ok_or_else(|| unreadable(name.as_bytes()))?;
        self.push(name, value)
    }

    fn push(&mut self, name: String, value: String) -> Result<(), Error> {
        // "Parameters sent without a value MUST be treated as if they were omitted from the request." (RFC 6749 §3.1)
        if value.is_empty() {
            return Ok(());
        }
        // "Request and response parameters MUST NOT be included more than once." (RFC 6749 §3.1)
        if name != "resource" && self.get(&name).is_some() {
            return Err(Error::ParameterRepeated(name));
        }
        self.pairs.push((name, value));
        Ok(())
    }

    /// The value of the parameter `name`, if it was sent with one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may stand more than once.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name`, or the error that names it.
    ///
    /// # Errors
    /// `ParameterMissing`.
    pub fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.get(name).ok_or(Error::ParameterMissing(name))
    }

    /// The parameters in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Writes the parameters as form text again; reading it gives the same parameters.
    pub fn to_query(&self) -> String {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(self.iter());
        text.finish()
    }

    pub(crate) fn view(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(Cow::Borrowed)
    }
}

impl Params {
    /// What can be told of a text that [`Params::parse`] refuses: the parameters that are there once, and can be read. None of a text
    /// that has too many, or too large ones.
    pub(crate) fn unambiguous(text: &[u8]) -> Self {
        let parts = text.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
        let mut found: Vec<(String, Option<String>)> = Vec::new();
        for (index, part) in parts.enumerate() {
            if part.len() > MAX_PARAMETER_BYTES || index >= MAX_PARAMETERS {
                return Self::default();
            }
            let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
            // Of a name that cannot be read there is no parameter.
            let Some(name) = decode(&part[..at]) else { continue };
            let value = decode(part.get(at + 1..).unwrap_or_default());
            match found.iter_mut().find(|(known, _)| *known == name) {
                _ if value.as_deref() == Some("") => {}
                Some((_, known)) => *known = None,
                None => found.push((name, value)),
            }
        }
        Self { pairs: found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect() }
    }

    /// Decodes one form-encoded text; `None` where that cannot be done.
    pub(crate) fn decode(text: &[u8]) -> Option<String> {
        decode(text)
    }
}

/// Decodes percent signs and plus signs; refuses what is broken instead of guessing.
fn decode(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next())? << 4 | hex(rest.next())?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn hex(digit: Option<u8>) -> Option<u8> {
    digit.and_then(|digit| char::from(digit).to_digit(16)).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_sent_twice_or_broken_is_nothing_and_the_rest_is_what_it_is() {
        let told = |text: &str| Params::unambiguous(text.as_bytes()).to_query();
        assert_eq!(told("a=1&b=2&b=2&c=3"), "a=1&c=3");
        assert_eq!(told("a=1&a=&b=%zz&c=%00&%ff=1&d"), "a=1");
        assert_eq!(told("a=%zz&a=1&b=1&b=2&b=3&c=4"), "c=4");
        assert_eq!(told(&format!("a=1{}", "&b=1".repeat(3))), "a=1");
        let many = "&b".repeat(MAX_PARAMETERS);
        assert_eq!(
            (told(&format!("a=1{many}")), told(&format!("a=1&b={}", "x".repeat(9000)))),
            (String::new(), String::new())
        );
    }

    proptest! {
        /// Whatever is sent: where it can be read, nothing is lost, and where it cannot, nothing is made up.
        #[test]
        fn what_can_be_told_of_a_text_is_what_is_read_of_it(text in "([ab]=[12%]?&){0,5}") {
            let told = Params::unambiguous(text.as_bytes());
            let is_once = |name: &str, value: &str| text.matches(&format!("{name}={value}")).count() == 1;
            match Params::parse(text.as_bytes()) {
                Ok(read) => prop_assert_eq!(told.to_query(), read.to_query()),
                Err(_) => prop_assert!(told.iter().all(|(name, value)| is_once(name, value))),
            }
        }
    }

    #[test]
    fn a_repeated_parameter_is_refused() {
        assert!(matches!(Params::parse(b"state=a&state=a"), Err(Error::ParameterRepeated(name)) if name == "state"));
        assert!(Params::parse(b"resource=a&resource=b").is_ok());
    }

    #[test]
    fn a_parameter_without_value_is_as_if_omitted() {
        let params = Params::parse(b"scope=&state&nonce=1&scope=openid").unwrap();
        assert_eq!(params.get("scope"), Some("openid"));
        assert_eq!(params.get("state"), None);
    }

    #[test]
    fn broken_encodings_are_refused() {
        for text in ["client_id=%", "client_id=%zz", "a=%0", "client_id=%00", "a=%ff%fe", "a=%ed%a0%80"] {
            assert!(matches!(Params::parse(text.as_bytes()), Err(Error::MalformedEncoding(_))), "{text}");
        }
    }

    #[test]
    fn sizes_are_checked_before_anything_is_read() {
        let long = format!("a={}", "%zz".repeat(4000));
        assert!(matches!(Params::parse(long.as_bytes()), Err(Error::ParameterTooLarge)));
        let many = "p=1&".repeat(MAX_PARAMETERS) + "p=1";
        assert!(matches!(Params::parse(many.replace("p=", "resource=").as_bytes()), Err(Error::TooManyParameters)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Params::parse(&bytes);
        }

        #[test]
        fn written_parameters_are_read_back(pairs in proptest::collection::btree_map("[a-z]{1,8}", "[^\0]{1,20}", 0..8)) {
            let params = Params::from_pairs(pairs.clone()).unwrap();
            let again = Params::parse(params.to_query().as_bytes()).unwrap();
            prop_assert_eq!(again.iter().collect::<Vec<_>>(), params.iter().collect::<Vec<_>>());
        }
    }
}
