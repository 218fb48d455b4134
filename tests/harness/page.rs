//! An answer as a browser without scripts has it: status, headers, text and forms.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use scraper::{Html, Selector};
use url::Url;

/// An answer.
pub struct Page {
    /// Where it came from.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

/// A form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is sent.
    pub action: Url,
    /// Names and values of its fields, as they would be sent without a button; ticks only where they are set.
    pub fields: Vec<(String, String)>,
}

impl Page {
    /// Reads an answer.
    pub async fn of(response: reqwest::Response) -> Self {
        let (url, status, headers) = (response.url().clone(), response.status(), response.headers().clone());
        Self { url, status, headers, body: response.text().await.unwrap() }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The cookies that the answer sets, `name=value` each.
    pub fn cookies(&self) -> Vec<String> {
        let set = self.headers.get_all("set-cookie").iter();
        set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
    }

    /// The status and, in an OAuth error, its code: `400 invalid_grant`; the status alone for anything else.
    pub fn brief(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        let error = body["error"].as_str().unwrap_or_default();
        format!("{} {error}", self.status.as_u16()).trim_end().to_owned()
    }

    /// The status and the body, as a developer sees them.
    pub fn whole(&self) -> String {
        format!("{}\n{}", self.status, self.body)
    }

    /// Where the answer sends the browser.
    pub fn location(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().unwrap();
        Some(self.url.join(location).unwrap())
    }

    /// `data-page` of the body: which page it is.
    pub fn name(&self) -> String {
        self.attribute("body", "data-page").unwrap_or_default()
    }

    /// Whether an element matches.
    pub fn has(&self, css: &str) -> bool {
        Html::parse_document(&self.body).select(&Selector::parse(css).unwrap()).next().is_some()
    }

    /// An attribute of the first element that matches.
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let document = Html::parse_document(&self.body);
        document.select(&Selector::parse(css).unwrap()).next()?.value().attr(name).map(str::to_owned)
    }

    /// An attribute of each element that matches and has it.
    pub fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        let document = Html::parse_document(&self.body);
        let css = Selector::parse(css).unwrap();
        document.select(&css).filter_map(|element| element.value().attr(name).map(str::to_owned)).collect()
    }

    /// The text that a person reads, with single spaces.
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.body);
        let body = document.select(&Selector::parse("body").unwrap()).next().unwrap();
        body.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// The text of the first element that matches, with single spaces; empty where none does.
    pub fn first_text(&self, css: &str) -> String {
        let document = Html::parse_document(&self.body);
        let css = Selector::parse(css).unwrap();
        let element = document.select(&css).next();
        element.iter().flat_map(scraper::ElementRef::text).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// The text that a person reads, one line for each piece.
    pub fn lines(&self) -> String {
        let document = Html::parse_document(&self.body);
        let body = document.select(&Selector::parse("body").unwrap()).next().unwrap();
        body.text().map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The answer as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON, not {}: {}", self.status, self.body))
    }

    /// The first form that matches, such as `form[action="/consent"]`.
    pub fn form(&self, css: &str) -> Form {
        let document = Html::parse_document(&self.body);
        let form = document.select(&Selector::parse(css).unwrap()).next();
        let form = form.unwrap_or_else(|| panic!("{css} on the page {} ({}): {}", self.name(), self.status, self.body));
        let action = self.url.join(form.value().attr("action").unwrap_or_default()).unwrap();
        let named = Selector::parse("input[name], select[name], textarea[name]").unwrap();
        let fields = form.select(&named).filter_map(|field| {
            let input = field.value();
            match input.name() {
                "textarea" => return Some((input.attr("name").unwrap().to_owned(), field.text().collect())),
                "select" => return Some((input.attr("name").unwrap().to_owned(), chosen(field))),
                _ => {}
            }
            let kind = input.attr("type").unwrap_or("text");
            let sent = match kind {
                "checkbox" | "radio" => input.attr("checked").is_some() && input.attr("disabled").is_none(),
                "submit" | "button" => false,
                _ => true,
            };
            sent.then(|| (input.attr("name").unwrap().to_owned(), input.attr("value").unwrap_or_default().to_owned()))
        });
        Form { action, fields: fields.collect() }
    }
}

/// The value of the option that is chosen, or else of the first.
fn chosen(select: scraper::ElementRef<'_>) -> String {
    let find = |css: &str| {
        select.select(&Selector::parse(css).unwrap()).next().and_then(|option| option.value().attr("value"))
    };
    find("option[selected]").or_else(|| find("option")).unwrap_or_default().to_owned()
}

impl Form {
    /// With a field set to a value, in place of the one it has.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With one more tick.
    #[must_use]
    pub fn ticked(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same form sent to another address.
    #[must_use]
    pub fn at(mut self, url: &str) -> Self {
        self.action = Url::parse(url).unwrap();
        self
    }

    /// Without one tick.
    #[must_use]
    pub fn unticked(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, ticked)| !(known == name && ticked == value));
        self
    }
}
