//! A real Chromium without a window, driven as a person would: by what stands on the page, and by the keyboard.
//!
//! ```text
//! let Some(browser) = Browser::setup().language("de").start().await else { return };
//! browser.open(&url).await;
//! browser.fill("username", "alice").await;
//! browser.click("sign-in").await;
//! assert_eq!(browser.page().await, "consent");
//! assert_eq!(browser.axe().await, []);
//! ```
//!
//! Each method waits until its element is there, and fails the test with a sentence when it never comes.

mod axe;
mod command;
mod driver;
mod proof;
mod setup;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::json;

pub use self::axe::Violation;
use self::command::DevTools;
use self::driver::Driver;
use self::setup::Setup;

/// Whether the corners and the middle of an element are in the window, and belong to it.
const IN_VIEW: &str = "
    const element = document.getElementById(arguments[0]);
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const points = [[x, y], [x, top + 4], [x, bottom - 4]];
    return points.every((point) => element.contains(document.elementFromPoint(...point)));";

/// How long an element may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// One browser with its own profile and its own driver. Dropping it ends both.
pub struct Browser {
    client: Client,
    profile: PathBuf,
    driver: Option<Driver>,
}

impl Browser {
    /// A browser in English whose pages run scripts, unless said otherwise.
    pub fn setup() -> Setup {
        Setup::new()
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) {
        must(self.client.goto(url).await, &format!("opening {url}"));
    }

    /// Where it is.
    pub async fn url(&self) -> url::Url {
        must(self.client.current_url().await, "asking for the address")
    }

    /// Puts text into the field with this id, instead of what is there.
    pub async fn fill(&self, id: &str, text: &str) {
        let field = self.element(Locator::Id(id)).await;
        must(field.clear().await, &format!("emptying #{id}"));
        must(field.send_keys(text).await, &format!("filling #{id}"));
    }

    /// Clicks what has this id, and waits for the page that this leads to.
    pub async fn click(&self, id: &str) {
        must(self.element(Locator::Id(id)).await.click().await, &format!("clicking #{id}"));
    }

    /// Clicks what this CSS selector finds first, and waits for the page that this leads to.
    pub async fn click_on(&self, css: &str) {
        must(self.element(Locator::Css(css)).await.click().await, &format!("clicking {css}"));
    }

    /// Sets the tick of the box that this CSS selector finds.
    pub async fn tick(&self, css: &str) {
        self.set_tick(css, true).await;
    }

    /// Takes away the tick of the box that this CSS selector finds.
    pub async fn untick(&self, css: &str) {
        self.set_tick(css, false).await;
    }

    async fn set_tick(&self, css: &str, ticked: bool) {
        let tick = self.element(Locator::Css(css)).await;
        if must(tick.is_selected().await, css) != ticked {
            must(tick.click().await, &format!("clicking {css}"));
        }
        assert_eq!(must(tick.is_selected().await, css), ticked, "the tick of {css} cannot be changed");
    }

    /// Which page it shows: `data-page` of the body.
    pub async fn page(&self) -> String {
        let body = self.element(Locator::Css("body")).await;
        must(body.attr("data-page").await, "reading data-page").unwrap_or_default()
    }

    /// Waits until it shows this page.
    pub async fn arrives_at(&self, page: &str) {
        let wait = self.client.wait().at_most(PATIENCE).every(Duration::from_millis(20));
        let arrived = wait.for_element(Locator::Css(&format!("body[data-page='{page}']"))).await.is_ok();
        assert!(arrived, "the page {page} does not come: {}", self.text().await);
    }

    /// Waits until the CSS selector finds something.
    pub async fn waits_for(&self, css: &str) {
        let wait = self.client.wait().at_most(PATIENCE).every(Duration::from_millis(20));
        let found = wait.for_element(Locator::Css(css)).await.is_ok();
        assert!(found, "{css} does not come: {}", self.text().await);
    }

    /// What a reader sees.
    pub async fn text(&self) -> String {
        must(self.element(Locator::Css("body")).await.text().await, "reading the page")
    }

    /// Whether the CSS selector finds anything, now.
    pub async fn has(&self, css: &str) -> bool {
        !must(self.client.find_all(Locator::Css(css)).await, css).is_empty()
    }

    /// An attribute of what the CSS selector finds first.
    pub async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        must(self.element(Locator::Css(css)).await.attr(name).await, &format!("reading {name} of {css}"))
    }

    /// Moves the focus on.
    pub async fn tab(&self) {
        self.press(Key::Tab).await;
    }

    /// Presses Enter where the focus is.
    pub async fn enter(&self) {
        self.press(Key::Enter).await;
    }

    /// Presses the space bar where the focus is.
    pub async fn space(&self) {
        self.press(Key::Space).await;
    }

    async fn press(&self, key: Key) {
        let key = char::from(key);
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        must(self.client.perform_actions(keys).await, "pressing a key");
    }

    /// Types where the focus is.
    pub async fn type_text(&self, text: &str) {
        let focused = must(self.client.active_element().await, "finding the focus");
        must(focused.send_keys(text).await, "typing");
    }

    /// The id of what has the focus; empty where that has none.
    pub async fn focus(&self) -> String {
        let focused = must(self.client.active_element().await, "finding the focus");
        must(focused.attr("id").await, "reading the id of the focus").unwrap_or_default()
    }

    /// The visible part of the page, in CSS pixels.
    pub async fn size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.dev_tools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Its user prefers dark pages.
    pub async fn dark(&self) {
        self.color_scheme("dark").await;
    }

    /// Its user prefers light pages: how it starts.
    pub async fn light(&self) {
        self.color_scheme("light").await;
    }

    async fn color_scheme(&self, scheme: &str) {
        // Colours that are still on their way are nobody's choice: neither axe nor a picture should see them.
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.dev_tools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Whether all of what has this id can be seen and reached now, without scrolling and with nothing before it.
    pub async fn in_view(&self, id: &str) -> bool {
        self.element(Locator::Id(id)).await;
        must(self.client.execute(IN_VIEW, vec![json!(id)]).await, "measuring").as_bool().unwrap_or_default()
    }

    /// Whether the page is wider than the window.
    pub async fn scrolls_sideways(&self) -> bool {
        let script = "const page = document.documentElement; return page.scrollWidth > page.clientWidth;";
        must(self.client.execute(script, Vec::new()).await, "measuring").as_bool().unwrap_or_default()
    }

    /// Addresses with this pattern are not fetched: a page's own script, to look at the page as it is without it.
    pub async fn block(&self, pattern: &str) {
        self.dev_tools("Network.enable", json!({})).await;
        self.dev_tools("Network.setBlockedURLs", json!({ "urls": [pattern] })).await;
    }

    /// Goes back, as with the browser's button.
    pub async fn back(&self) {
        must(self.client.back().await, "going back");
    }

    /// What axe-core finds wrong with the page as it is. It needs scripts.
    pub async fn axe(&self) -> Vec<Violation> {
        axe::run(&self.client).await
    }

    /// A picture of the whole page, in `target/screens/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.dev_tools("Page.captureScreenshot", whole).await;
        let picture = STANDARD.decode(answer["data"].as_str().unwrap_or_default()).expect("a picture is base64");
        let file = target().join("screens").join(name).with_extension("png");
        std::fs::create_dir_all(file.parent().unwrap()).expect("a folder for the pictures");
        std::fs::write(&file, picture).expect("a file for the picture");
        file
    }

    async fn element(&self, search: Locator<'_>) -> Element {
        let wait = self.client.wait().at_most(PATIENCE).every(Duration::from_millis(20));
        must(wait.for_element(search).await, &format!("waiting for {search:?}"))
    }

    async fn dev_tools(&self, command: &'static str, params: serde_json::Value) -> serde_json::Value {
        must(self.client.issue_cmd(DevTools { command, params }).await, command)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver.take();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn must<T, E: Display>(result: Result<T, E>, doing: &str) -> T {
    result.unwrap_or_else(|error| panic!("{doing}: {error}"))
}

/// The workspace's `target`.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in target").to_owned()
}
