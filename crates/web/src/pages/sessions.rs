//! Sessions: where the person is signed in, this one first, and the way to end each.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::directory::Directory;
use grantor_core::grant::Grant;
use grantor_core::params::Params;
use grantor_core::sign_in;
use grantor_core::store::{Store, StoreError};
use grantor_core::user::User;

use super::receipts::{self, Receipt, Telling};
use super::status::Kind as Happened;
use super::{Frame, end_session};
use crate::html::filters;
use crate::locale::{self, Language};
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::sign_in_for;
use crate::{form, routes};

/// Posts `end` (a session's id, `others` or `everywhere`) and `csrf` to `/account/sessions`; this one ends at `/sign-out`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sessions.html")]
pub struct Sessions {
    /// How many sessions have just been ended.
    pub ended: Option<usize>,
    /// The frame.
    pub frame: Frame,
    /// All but this one, the last seen first.
    pub others: Vec<Session>,
    /// What apps were told of sessions that ended, the last first.
    pub receipts: Vec<Receipt>,
    /// The session of this request.
    pub this: Session,
}

/// A sign-in on a device.
#[derive(Clone, Debug)]
pub struct Session {
    /// The apps signed in through it.
    pub apps: Vec<String>,
    /// What it runs on.
    pub device: Device,
    /// When it began, in seconds.
    pub first_seen: i64,
    /// What names it in the field `end`.
    pub id: String,
    /// When it was last used, in seconds.
    pub last_seen: i64,
    /// From where, as coarse as known: "Berlin".
    pub place: Option<String>,
}

/// A device in words, as far as its browser tells.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// "Firefox".
    pub browser: Option<String>,
    /// Its shape.
    pub kind: Kind,
    /// "Android".
    pub system: Option<String>,
}

/// The shape of a device.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Kind {
    /// A desk or lap computer.
    Computer,
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// Nobody can tell.
    #[default]
    Unknown,
}

impl Sessions {
    fn rest(&self) -> usize {
        self.others.len()
    }
}

impl Device {
    /// "Firefox on Android".
    pub(super) fn words(&self, frame: &Frame) -> String {
        self.words_in(frame.language)
    }

    /// The same in a language.
    pub(crate) fn words_in(&self, language: Language) -> String {
        use crate::html::{ToArgument, message_text};
        match (&self.browser, &self.system) {
            (Some(browser), Some(system)) => message_text(
                language,
                "device-browser-system",
                [("browser", browser.to_argument()), ("system", system.to_argument())],
            ),
            (Some(known), None) | (None, Some(known)) => known.clone(),
            (None, None) => locale::text(language, "device-unknown"),
        }
    }

    /// What a User-Agent header tells, in the plainest words: the browsers and systems most people have.
    pub fn from_user_agent(header: &str) -> Self {
        let find = |names: &[(&str, &str)]| {
            names.iter().find(|(mark, _)| header.contains(mark)).map(|(_, name)| (*name).to_owned())
        };
        // The order matters: nearly every browser also says that it is Chrome and Safari.
        let browser = find(&[
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("SamsungBrowser", "Samsung Internet"),
            ("Firefox/", "Firefox"),
            ("FxiOS", "Firefox"),
            ("CriOS", "Chrome"),
            ("Chromium", "Chromium"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]);
        let system = find(&[
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Android", "Android"),
            ("CrOS", "ChromeOS"),
            ("Windows", "Windows"),
            ("Macintosh", "macOS"),
            ("Linux", "Linux"),
        ]);
        let kind = match system.as_deref() {
            Some("iPhone") => Kind::Phone,
            Some("Android") if header.contains("Mobile") => Kind::Phone,
            Some("iPad" | "Android") => Kind::Tablet,
            Some(_) => Kind::Computer,
            None => Kind::Unknown,
        };
        Self { browser, kind, system }
    }
}

/// Shows where the person is signed in.
pub(crate) async fn get_sessions(visit: Visit) -> HttpResponse {
    let Some((session, user)) = visit.session() else { return sign_in_for(routes::SESSIONS) };
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let facts = async { Ok::<_, StoreError>((in_use(&visit, user).await?, receipts::of(&visit, user).await?)) };
    let ((mut all, grants), receipts) = match facts.await {
        Ok(facts) => facts,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    all.retain(|other| other.id != session.id);
    all.sort_by_key(|other| std::cmp::Reverse(other.last_seen_at));
    let directory = visit.app.directory();
    let row = |session: &grantor_core::session::Session| Session::of(session, &grants, &directory);
    let page = Sessions {
        ended: query.get("ended").and_then(|count| count.parse().ok()),
        frame: visit.frame(None, None),
        others: all.iter().map(row).collect(),
        receipts,
        this: row(session),
    };
    respond::page(&visit, &page, &How::default())
}

/// Ends one session, or all others.
pub(crate) async fn post_sessions(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let Some((session, user)) = visit.session() else { return sign_in_for(routes::SESSIONS) };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Happened::FormRefused, None);
    }
    if form.get("end") == Some("everywhere") {
        return end_session::sign_out_everywhere(&visit).await;
    }
    match end(&visit, (session, user), form.get("end").unwrap_or_default()).await {
        Ok(count) => respond::redirect(&format!("{}?ended={count}", routes::SESSIONS)),
        Err(error) => respond::failure(&visit, &error.into()).await,
    }
}

/// The sessions of a person in which something still goes on, and the person's grants. A browser may be idle, and an app in its
/// session not.
pub(super) async fn in_use(
    visit: &Visit,
    user: &User,
) -> Result<(Vec<grantor_core::session::Session>, Vec<Grant>), StoreError> {
    let store = &visit.app.provider.store;
    let grants = store.grants_of(user.id).await?;
    let mut sessions = store.sessions_of(user.id).await?;
    sessions.retain(|session| {
        let of_this = grants.iter().filter(|(grant, _)| grant.session_id == session.id && !grant.is_offline());
        let by_apps = of_this.filter_map(|(_, token)| token.as_ref().map(|token| session.used_at(token))).max();
        let used_at = by_apps.unwrap_or(session.last_seen_at);
        session.ends_at(used_at, &visit.app.provider.policy.lifetimes).is_some_and(|ends_at| visit.now < ends_at)
    });
    Ok((sessions, grants.into_iter().map(|(grant, _)| grant).collect()))
}

async fn end(
    visit: &Visit,
    (this, user): (&grantor_core::session::Session, &User),
    which: &str,
) -> Result<usize, StoreError> {
    let store = &visit.app.provider.store;
    let (all, _) = in_use(visit, user).await?;
    let others = || all.iter().filter(|other| other.id != this.id);
    let changes = match which {
        "others" => sign_in::sign_out_others(user.id, this.id, visit.app.id(), visit.call()),
        // Only a session of this person can be named.
        id => match others().find(|other| other.id.to_string() == id) {
            Some(other) => sign_in::sign_out(other, visit.app.id(), visit.call()),
            None => return Ok(0),
        },
    };
    let count = if which == "others" { others().count() } else { 1 };
    store.commit(changes).await.map(|()| count)
}

impl Session {
    fn of(session: &grantor_core::session::Session, grants: &[Grant], directory: &Directory) -> Self {
        let of_this = grants.iter().filter(|grant| grant.session_id == session.id);
        let mut apps: Vec<String> = of_this
            .filter_map(|grant| directory.clients.get(&grant.client_id).map(|client| client.name().to_owned()))
            .collect();
        apps.sort_unstable();
        apps.dedup();
        Self {
            apps,
            device: Device::from_user_agent(&session.user_agent),
            first_seen: session.auth_time.seconds(),
            id: session.id.to_string(),
            last_seen: session.last_seen_at.seconds(),
            place: Some(session.address.clone()).filter(|address| !address.is_empty()),
        }
    }
}

#[cfg(test)]
impl Device {
    pub(super) fn sample() -> Self {
        Self::from_user_agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    }

    pub(super) fn hostile() -> Self {
        use super::samples::HOSTILE;
        Self { browser: Some(HOSTILE.to_owned()), kind: Kind::Phone, system: Some(HOSTILE.to_owned()) }
    }
}

#[cfg(test)]
impl Sessions {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, HOSTILE, LONG, NAMES, NOW, signed_in};
        let session = |days: i64, device: Device, apps: &[&str]| Session {
            apps: apps.iter().map(|&name| name.to_owned()).collect(),
            device,
            first_seen: NOW - days * DAY - 90 * DAY,
            id: "0BxVq7aY2Lk".to_owned(),
            last_seen: NOW - days * DAY,
            place: (days % 2 == 0).then(|| "Berlin".to_owned()),
        };
        let phone =
            || Device { browser: Some("Safari".to_owned()), kind: Kind::Phone, system: Some("iPhone".to_owned()) };
        let page = |others: Vec<Session>| Self {
            ended: None,
            frame: signed_in("Ada Lovelace"),
            others,
            receipts: Vec::new(),
            this: session(0, Device::sample(), &["Wiki", "Mail"]),
        };
        vec![
            ("one", page(vec![])),
            ("two", page(vec![session(2, phone(), &["Wiki"])])),
            ("ended", Self { ended: Some(3), ..page(vec![]) }),
            ("receipts", Self { receipts: Receipt::samples(), ..page(vec![session(2, phone(), &["Wiki"])]) }),
            ("unknown", page(vec![session(1, Device::default(), &[])])),
            (
                "many",
                page(
                    (0..100)
                        .map(|n| session(n, if n % 3 == 0 { phone() } else { Device::sample() }, &["Wiki"]))
                        .collect(),
                ),
            ),
            (
                "names",
                page(vec![
                    session(4, phone(), &NAMES),
                    session(5, Device { system: Some(LONG.to_owned()), ..phone() }, &[]),
                ]),
            ),
            (
                "hostile",
                Self {
                    ended: Some(1),
                    frame: signed_in(HOSTILE),
                    ..page(vec![session(3, Device::hostile(), &[HOSTILE])])
                },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_in_plain_words() {
        let words = |header| Device::from_user_agent(header).words(&Frame::default());
        assert_eq!(
            words(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"
            ),
            "Edge on Windows"
        );
        assert_eq!(
            words("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1"),
            "Safari on iPhone"
        );
        assert_eq!(words("curl/8.0"), "Unknown device");
        assert_eq!(
            Device::from_user_agent("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36").kind,
            Kind::Phone
        );
    }
}
