//! What the suite is given: the configuration of its plans, walked on our pages as its browser does.

use serde_json::{Value, json};
use url::Url;

use super::driver::{DECLARATION, Module, PASSWORD, SUITE, USERNAME, conformance, plans, random, variant};
use super::driver_answer::Answered;
use super::logout::STATE;
use crate::harness::page::Page;
use crate::harness::server::Server;

const PLAN: &str = include_str!("../../crates/server/examples/conformance/suite.json");
/// The server's name in it.
const NAME: &str = "https://grantor.example:9443";

/// The configuration for a server of these tests.
fn plan(server: &Server) -> Value {
    serde_json::from_str(&PLAN.replace(NAME, &server.url)).expect("it is JSON")
}

/// A browser that does what the tasks say.
struct Robot<'a> {
    module: &'a Module<'a>,
    page: Page,
    typed: Vec<(String, String)>,
    /// Where it has left for.
    left: Option<String>,
    /// How many pictures it took.
    pictures: usize,
}

impl Robot<'_> {
    /// Goes to an address and does the first tasks that match it.
    async fn visit<'a>(module: &'a Module<'a>, browser: &Value, url: &str) -> Robot<'a> {
        let page = module.person.open(url).await;
        let mut robot = Robot { module, page, typed: Vec::new(), left: None, pictures: 0 };
        let mut known = browser.as_array().unwrap().iter();
        let visit = known.find(|visit| matches(text(&visit["match"]), url)).expect("a task for the address");
        for task in visit["tasks"].as_array().unwrap() {
            robot.perform(task).await;
        }
        robot
    }

    async fn perform(&mut self, task: &Value) {
        let here = self.here();
        if !matches(text(&task["match"]), &here) {
            assert_eq!(task["optional"], true, "{}: the browser is at {here}", task["task"]);
            return;
        }
        for command in task["commands"].as_array().into_iter().flatten() {
            let words: Vec<&str> = command.as_array().unwrap().iter().map(|word| word.as_str().unwrap_or("")).collect();
            match words.as_slice() {
                ["text", "id", id, typed, ..] => {
                    let name = self.page.attribute(&format!("input#{id}"), "name").expect("the field is there");
                    self.typed.push((name, (*typed).to_owned()));
                }
                ["click", "id", id, ..] => self.click(id, words.contains(&"optional")).await,
                ["wait", "xpath", "//*", _, shown, picture] => {
                    // It is a pattern, and a question mark the only thing in those of ours that is not what it says.
                    let shown = shown.replace("\\?", "?");
                    assert!(self.page.text().contains(&shown), "{shown} on {}", self.page.text());
                    assert!(picture.starts_with("update-image-placeholder"));
                    self.pictures += 1;
                }
                // A script of the page goes on to there.
                ["wait", "match", "^https://[^/]+/test/a/grantor/post_logout_redirect", _] => {
                    self.left = self.page.attribute("a#back", "href");
                }
                // They stand on the suite's own pages.
                ["wait", "id", "submission_complete" | "complete", _] => {}
                other => panic!("{other:?} is no command that is known here"),
            }
        }
    }

    async fn click(&mut self, id: &str, is_optional: bool) {
        let forms = self.page.attributes("form", "action");
        let of_button = forms.iter().map(|action| format!("form[action=\"{action}\"]"));
        let Some(form) = of_button.into_iter().find(|form| self.page.has(&format!("{form} button#{id}"))) else {
            assert!(is_optional, "#{id} is on {}", self.page.body);
            return;
        };
        let button = format!("{form} button#{id}");
        let pressed = self.page.attribute(&button, "name").zip(self.page.attribute(&button, "value"));
        let form = self.page.form(&form);
        let form = self.typed.drain(..).chain(pressed).fold(form, |form, (name, value)| form.with(&name, &value));
        if form.action.as_str().starts_with(&self.module.server.url) {
            self.page = self.module.person.send(&form).await;
        } else {
            self.left = Some(form.action.into());
        }
    }

    /// Where it is.
    fn here(&self) -> String {
        let left = self.left.clone().or_else(|| self.page.location().map(Into::into));
        left.unwrap_or_else(|| self.page.url.to_string())
    }
}

/// Whether a text is as a pattern with stars says.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => {
            let Some(text) = text.strip_prefix(head) else { return false };
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test]
async fn its_browser_finds_its_way_on_our_pages() {
    let server = conformance().await;
    let plan = plan(&server);
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let request = module.request(&[]);
        let robot = Robot::visit(&module, &plan["browser"], &module.url(&request)).await;
        assert!(robot.here().starts_with(&format!("{SUITE}/callback")), "{variant:?}: {}", robot.here());
        let answer = Answered::receive(&module, request, &robot.page);
        module.finish(answer).await;
    }
}

#[tokio::test]
async fn its_browser_takes_the_pictures_that_modules_want() {
    let server = conformance().await;
    let overrides = &plan(&server)["override"];
    let bad = format!("{SUITE}/callback/{}", random(10));
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        module.run(&[]).await;
        server.clock.advance(std::time::Duration::from_secs(2));
        for (name, change) in [
            ("oidcc-prompt-login", ("prompt", "login")),
            ("oidcc-max-age-1", ("max_age", "1")),
            ("oidcc-ensure-registered-redirect-uri", ("redirect_uri", bad.as_str())),
            ("oidcc-ensure-redirect-uri-in-authorization-request", ("redirect_uri", "")),
        ] {
            server.clock.advance(std::time::Duration::from_secs(2));
            let browser = &overrides[name]["browser"];
            let robot = Robot::visit(&module, browser, &module.url(&module.request(&[change]))).await;
            assert_eq!(robot.pictures, 1, "{variant:?} {name}");
        }
    }
}

/// The address of a logout request as the suite sends it; `changes` replace parameters, and remove them when empty.
fn end_session(server: &Server, id_token: &str, changes: &[(&str, &str)]) -> String {
    let back = format!("{SUITE}/post_logout_redirect");
    let mut pairs = vec![("id_token_hint", id_token), ("post_logout_redirect_uri", &back), ("state", STATE)];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    Url::parse_with_params(&server.at("/end-session"), pairs).unwrap().into()
}

/// An app that may ask for people to be signed out, registered by itself or declared.
async fn signing_out(server: &Server, dynamic: bool) -> Module<'_> {
    let back = json!({"post_logout_redirect_uris": [format!("{SUITE}/post_logout_redirect")]});
    Module::begin_with(server, variant("code", false, dynamic), back).await
}

#[tokio::test]
async fn its_browser_comes_back_from_signing_out() {
    let server = conformance().await;
    let browser = &plan(&server)["browser"];
    for dynamic in [false, true] {
        let module = signing_out(&server, dynamic).await;
        let flow = module.run(&[]).await;
        let robot = Robot::visit(&module, browser, &end_session(&server, flow.id_token_text(), &[])).await;
        assert!(robot.here().starts_with(&format!("{SUITE}/post_logout_redirect?state=")), "{}", robot.here());
    }
}

#[tokio::test]
async fn its_browser_takes_the_pictures_of_signing_out() {
    let server = conformance().await;
    let overrides = &plan(&server)["override"];
    let (bad, added) =
        (format!("{SUITE}/bad_post_logout_redirect_uri"), format!("{SUITE}/post_logout_redirect?foo=bar"));
    let no_app = [("id_token_hint", ""), ("post_logout_redirect_uri", "")];
    for dynamic in [false, true] {
        let module = signing_out(&server, dynamic).await;
        for (name, changes) in [
            ("bad-post-logout-redirect-uri", &[("post_logout_redirect_uri", bad.as_str())][..]),
            ("query-added-to-post-logout-redirect-uri", &[("post_logout_redirect_uri", &added)]),
            ("modified-id-token-hint", &[("id_token_hint", "eyJhbGciOiJub25lIn0.e30.")]),
            ("bad-id-token-hint", &[("id_token_hint", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA")]),
            ("no-id-token-hint", &no_app[..1]),
            ("no-params", &[no_app[0], no_app[1], ("state", "")]),
            ("no-post-logout-redirect-uri", &no_app[1..]),
            ("only-state", &no_app),
        ] {
            let flow = module.run(&[]).await;
            let browser = &overrides[format!("oidcc-rp-initiated-logout-{name}")]["browser"];
            let url = end_session(&server, flow.id_token_text(), changes);
            let robot = Robot::visit(&module, browser, &url).await;
            assert_eq!(robot.pictures, 1, "{name}");
            assert!(robot.here().starts_with(&server.url), "{name}: {}", robot.here());
            let again = Robot::visit(&module, browser, &module.url(&module.request(&[]))).await;
            assert!(again.here().starts_with(&format!("{SUITE}/callback")), "{name}: {}", again.here());
        }
    }
}

#[tokio::test]
async fn its_browser_takes_the_pictures_of_apps_that_tell_of_themselves() {
    let server = conformance().await;
    let overrides = &plan(&server)["override"];
    for name in ["logo", "policy", "tos"] {
        let told = json!({format!("{name}_uri"): "https://openid.net/about"});
        let module = Module::begin_with(&server, variant("code", false, true), told).await;
        let browser = &overrides[format!("oidcc-registration-{name}-uri")]["browser"];
        let robot = Robot::visit(&module, browser, &module.url(&module.request(&[]))).await;
        assert_eq!((robot.pictures, robot.page.name().as_str()), (1, "sign-in"), "{name}");
    }
}

#[test]
fn it_knows_the_apps_and_the_person_of_the_declaration() {
    let plan: Value = serde_json::from_str(PLAN).unwrap();
    let declared: toml::Table = DECLARATION.parse().unwrap();
    let clients = declared["clients"].as_array().unwrap();
    for name in ["client", "client2", "client_secret_post"] {
        let known = |client: &&toml::Value| client["client_id"].as_str() == plan[name]["client_id"].as_str();
        let client = clients.iter().find(known).unwrap_or_else(|| panic!("{name} is declared"));
        assert_eq!(client["client_secret"].as_str(), plan[name]["client_secret"].as_str(), "{name}");
    }
    let person = &declared["users"].as_array().unwrap()[0];
    assert_eq!((person["username"].as_str(), person["password"].as_str()), (Some(USERNAME), Some(PASSWORD)));
    assert!(PLAN.contains(USERNAME) && PLAN.contains(PASSWORD));
}
