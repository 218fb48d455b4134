//! How a browser starts.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use fantoccini::ClientBuilder;
use fantoccini::wd::Capabilities;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::driver::{self, Driver};
use super::{Browser, axe};

const PROGRAM: &str = "/usr/bin/chromium";

/// Nothing leaves this machine, nothing is asked, nothing is remembered.
const SWITCHES: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost , EXCLUDE *.localhost",
];

/// What is chosen before a browser starts.
pub struct Setup {
    language: String,
    scripts: bool,
    any_certificate: bool,
}

impl Setup {
    pub(super) fn new() -> Self {
        Self { language: "en".to_owned(), scripts: true, any_certificate: false }
    }

    /// The language that its user prefers, as `Accept-Language` and as the browser's own.
    pub fn language(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.language);
        self
    }

    /// Pages run no scripts. (The harness still does, so that it can see the page.)
    pub fn without_scripts(mut self) -> Self {
        self.scripts = false;
        self
    }

    /// It takes any certificate, also one of an authority that only tests trust.
    pub fn with_any_certificate(mut self) -> Self {
        self.any_certificate = true;
        self
    }

    /// Starts it. `None` where a program is missing, after saying so; with `CI` set, that is a failure.
    pub async fn start(self) -> Option<Browser> {
        if let Some(missing) = missing() {
            assert!(std::env::var_os("CI").is_none(), "{missing} is missing: tests/run installs it");
            // Written past the test runner, which keeps back what a passing test prints.
            let _ = writeln!(std::io::stderr(), "SKIPPED, not tested: {missing} is missing; tests/run installs it");
            return None;
        }
        let (driver, profile) = (Driver::start(), fresh_folder());
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(self.capabilities(&profile))
            .connect(&driver.url())
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let browser = Browser { client, profile, driver: Some(driver) };
        browser.light().await;
        browser.size(1280, 800).await;
        Some(browser)
    }

    fn capabilities(&self, profile: &Path) -> Capabilities {
        let own = [format!("--user-data-dir={}", profile.display()), format!("--lang={}", self.language)];
        let switches: Vec<&str> = SWITCHES.iter().copied().chain(own.iter().map(String::as_str)).collect();
        let options = json!({ "binary": PROGRAM, "args": switches, "prefs": self.preferences() });
        Capabilities::from_iter([
            ("goog:chromeOptions".to_owned(), options),
            ("acceptInsecureCerts".to_owned(), self.any_certificate.into()),
        ])
    }

    fn preferences(&self) -> Value {
        json!({
            "intl.accept_languages": self.language,
            "credentials_enable_service": false,
            "profile.password_manager_enabled": false,
            "profile.password_manager_leak_detection": false,
            // 1: scripts run, 2: they do not.
            "profile.managed_default_content_settings.javascript": if self.scripts { 1 } else { 2 },
        })
    }
}

/// The first file that a walk by browser needs and that is not there.
fn missing() -> Option<String> {
    let needed = [PathBuf::from(PROGRAM), PathBuf::from(driver::PROGRAM), axe::path()];
    needed.into_iter().find(|file| !file.exists()).map(|file| file.display().to_string())
}

/// A folder of its own for each browser of each test run.
fn fresh_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{}-{number}", std::process::id()))
}
