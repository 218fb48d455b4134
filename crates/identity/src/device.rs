//! A browser in a few words, so that people know their own on the page of their sessions. Coarse on purpose: no versions, no models.

/// So much of a `User-Agent` is looked at.
const MAX_BYTES: usize = 512;

/// What a browser says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// The program.
    pub browser: Browser,
    /// The system it runs on.
    pub os: Os,
}

/// A browser that many people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chrome or Chromium.
    Chrome,
    /// Microsoft Edge.
    Edge,
    /// Firefox.
    Firefox,
    /// Opera.
    Opera,
    /// Another program, or none that says so.
    Other,
    /// Safari.
    Safari,
    /// The browser of Samsung's phones.
    Samsung,
}

/// A system that many people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    /// Android.
    Android,
    /// `ChromeOS`.
    ChromeOs,
    /// iPhone or iPad.
    Ios,
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
    /// Another system, or none that says so.
    Other,
    /// Windows.
    Windows,
}

/// What stands in a `User-Agent`, the telling names first: most name the others too.
const BROWSERS: [(&str, Browser); 14] = [
    ("Edg/", Browser::Edge),
    ("EdgA/", Browser::Edge),
    ("EdgiOS/", Browser::Edge),
    ("OPR/", Browser::Opera),
    ("OPT/", Browser::Opera),
    ("OPiOS/", Browser::Opera),
    ("SamsungBrowser/", Browser::Samsung),
    ("FxiOS/", Browser::Firefox),
    ("Firefox/", Browser::Firefox),
    ("CriOS/", Browser::Chrome),
    ("Chromium/", Browser::Chrome),
    ("Chrome/", Browser::Chrome),
    ("HeadlessChrome/", Browser::Chrome),
    ("Safari/", Browser::Safari),
];

const SYSTEMS: [(&str, Os); 10] = [
    ("iPhone", Os::Ios),
    ("iPad", Os::Ios),
    ("iPod", Os::Ios),
    ("Android", Os::Android),
    ("CrOS", Os::ChromeOs),
    ("Windows", Os::Windows),
    ("Macintosh", Os::MacOs),
    ("Mac OS X", Os::MacOs),
    ("Linux", Os::Linux),
    ("X11", Os::Linux),
];

impl Device {
    /// Reads a `User-Agent`.
    pub fn read(user_agent: &str) -> Self {
        let seen = &user_agent[..user_agent.floor_char_boundary(MAX_BYTES)];
        Self {
            browser: first(seen, &BROWSERS).unwrap_or(Browser::Other),
            os: first(seen, &SYSTEMS).unwrap_or(Os::Other),
        }
    }
}

impl Browser {
    /// Its name, the same in all languages.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Chrome => Some("Chrome"),
            Self::Edge => Some("Edge"),
            Self::Firefox => Some("Firefox"),
            Self::Opera => Some("Opera"),
            Self::Other => None,
            Self::Safari => Some("Safari"),
            Self::Samsung => Some("Samsung Internet"),
        }
    }
}

impl Os {
    /// Its name, the same in all languages.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Android => Some("Android"),
            Self::ChromeOs => Some("ChromeOS"),
            Self::Ios => Some("iOS"),
            Self::Linux => Some("Linux"),
            Self::MacOs => Some("macOS"),
            Self::Other => None,
            Self::Windows => Some("Windows"),
        }
    }
}

fn first<T: Copy>(seen: &str, names: &[(&str, T)]) -> Option<T> {
    names.iter().find(|(name, _)| seen.contains(name)).map(|(_, found)| *found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn common_browsers_are_named() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        let cases = [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/141.0.0.0 Safari/537.36"), Browser::Chrome, Os::Windows),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0"), Browser::Edge, Os::Windows),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"), Browser::Samsung, Os::Android),
            (format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {webkit} Chrome/141.0.0.0 Safari/537.36"), Browser::Chrome, Os::ChromeOs),
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} HeadlessChrome/141.0.0.0 Safari/537.36"), Browser::Chrome, Os::Linux),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0".into(), Browser::Firefox, Os::Linux),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15".into(), Browser::Safari, Os::MacOs),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0 Mobile/15E148 Safari/604.1".into(), Browser::Chrome, Os::Ios),
            ("curl/8.14.1".into(), Browser::Other, Os::Other),
            (String::new(), Browser::Other, Os::Other),
        ];
        for (user_agent, browser, os) in cases {
            assert_eq!(Device::read(&user_agent), Device { browser, os }, "{user_agent}");
        }
    }

    #[test]
    fn only_the_beginning_is_looked_at() {
        assert_eq!(Device::read(&format!("{}Firefox/1", "ä".repeat(300))).browser, Browser::Other);
    }

    proptest! {
        #[test]
        fn any_text_is_read(user_agent in ".{0,700}") {
            let _ = Device::read(&user_agent);
        }
    }
}
