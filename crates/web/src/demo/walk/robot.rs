//! A browser of a few lines: it keeps one cookie, sends forms, and does not follow redirects to others.

use std::net::TcpListener;

use super::{
    super::{DemoSettings, run},
    fake_op::{FakeOp, SECRET},
};

pub(super) struct Robot {
    client: reqwest::Client,
    base: String,
    cookie: String,
    pub(super) language: &'static str,
    pub(super) csrf: String,
}

impl Robot {
    /// Starts a demo for this server and opens its page.
    pub(super) async fn open(op: &FakeOp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let settings = DemoSettings {
            issuer: op.issuer.clone(),
            base_url: base.clone(),
            client_id: "demo".to_owned(),
            client_secret: Some(SECRET.to_owned()),
            api_client_id: "notes-api".to_owned(),
            api_client_secret: SECRET.to_owned(),
            api_identifier: None,
            mails: crate::mail::MailSink::default(),
        };
        actix_web::rt::spawn(run(listener, settings).unwrap());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let mut robot = Self { client, base, cookie: String::new(), language: "en", csrf: String::new() };
        let page = robot.get("/").await;
        robot.csrf = between(&page, "name=\"csrf\" value=\"", "\"");
        robot
    }

    /// The body of a page; the cookie it sets is kept.
    pub(super) async fn get(&mut self, path: &str) -> String {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("accept-language", self.language);
        self.keep(request.send().await.unwrap()).text().await.unwrap()
    }

    /// Where a form leads.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("accept-language", self.language)
            .form(&fields);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        self.keep(answer).headers()["location"].to_str().unwrap().to_owned()
    }

    /// Sends a form and gives the page after it.
    pub(super) async fn press(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        self.post(path, fields).await;
        self.get("/").await
    }

    fn keep(&mut self, answer: reqwest::Response) -> reqwest::Response {
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        answer
    }
}

/// A parameter of an address.
pub(super) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn between(text: &str, before: &str, after: &str) -> String {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0.to_owned()
}
