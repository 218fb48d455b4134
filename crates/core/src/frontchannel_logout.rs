//! Front-channel logout: the page of signing out shows a frame of each app that took part in the session, and the app clears what the
//! browser keeps for it (OpenID Connect Front-Channel Logout 1.0).

use grantor_jose::id::Id;
use url::Url;

use crate::directory::Directory;
use crate::provider::Issuer;
use crate::subject;

/// The most bytes of addresses in one page's policy: proxies take headers of a few thousand only.
const MOST_BYTES: usize = 3000;

/// An app that took part in a session, and the session as it knows it.
pub type TookPart = (String, Id);

/// What the page of signing out shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// The addresses of the frames.
    pub urls: Vec<String>,
    /// What the page's policy lets be framed: these addresses without their queries, and nothing else.
    pub sources: Vec<String>,
    /// The names of apps for which there was no more room.
    pub left_out: Vec<String>,
}

/// The frames for the apps of a session.
pub fn frames(issuer: &Issuer, directory: &Directory, took_part: &[TookPart]) -> Frames {
    let (mut frames, mut bytes) = (Frames::default(), 0);
    for (client_id, sid) in took_part {
        let Some(client) = directory.clients.get(client_id) else { continue };
        let Some(uri) = &client.metadata.frontchannel_logout_uri else { continue };
        let Some(source) = source(uri) else { continue };
        let is_known = frames.sources.contains(&source);
        let more = if is_known { 0 } else { source.len() + 1 };
        if bytes + more > MOST_BYTES {
            frames.left_out.push(client.name().to_owned());
            continue;
        }
        bytes += more;
        // Also where the app does not ask for it: it may hold the session of somebody else who is signed in in this browser.
        let url = named(uri, issuer, &subject::session(&directory.secrets.subjects, client, *sid));
        if !frames.urls.contains(&url) {
            frames.urls.push(url);
        }
        if !is_known {
            frames.sources.push(source);
        }
    }
    frames
}

/// "The OP MAY add these query parameters when rendering the logout URI, and if either is included, both MUST be"
/// (OIDC Front-Channel Logout §2).
fn named(uri: &str, issuer: &Issuer, sid: &str) -> String {
    // "The logout URI MAY include an "application/x-www-form-urlencoded" formatted query component, per Section 3.4 of [RFC3986],
    // which MUST be retained when adding additional query parameters." (OIDC Front-Channel Logout §2)
    let separator = if uri.contains('?') { '&' } else { '?' };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    // "The OP MAY add these query parameters when rendering the logout URI, and if either is included, both MUST be:"
    // (OIDC Front-Channel Logout §2)
    // "An "iss" (issuer) query parameter and a "sid" (session ID) query parameter MAY be included by the OP to enable the RP
    // to validate the request and to determine which of the potentially multiple sessions is to be logged out; if either is
    // included, both MUST be." (OIDC Front-Channel Logout §2)
    query.append_pair("iss", issuer.as_str()).append_pair("sid", sid);
    format!("{uri}{separator}{}", query.finish())
}

/// The address as a policy names it: origin and path. None where it has no origin, or one that policies cannot name.
pub(crate) fn source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let origin = url.origin();
    let path = url.path().replace(';', "%3B").replace(',', "%2C").replace('\'', "%27");
    let origin = origin.is_tuple().then(|| origin.ascii_serialization()).filter(|origin| !origin.contains('['))?;
    Some(format!("{origin}{path}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::client::Client;
    use crate::client::tests::sample;

    fn directory(apps: impl IntoIterator<Item = (String, String, bool)>) -> Directory {
        let mut directory = Directory::default();
        for (client_id, uri, is_named) in apps {
            let mut client: Client = sample(&client_id);
            client.metadata.client_name.clone_from(&client_id);
            client.metadata.frontchannel_logout_uri = Some(uri);
            client.metadata.frontchannel_logout_session_required = is_named;
            directory.clients.insert(client_id, Arc::new(client));
        }
        directory
    }

    fn shown(directory: &Directory, apps: &[&str]) -> Frames {
        let took_part: Vec<TookPart> = apps.iter().map(|app| ((*app).to_owned(), Id::from_i64(7))).collect();
        frames(&Issuer::parse("https://id.example").unwrap(), directory, &took_part)
    }

    #[test]
    fn an_app_is_framed_with_its_own_query_and_the_session() {
        let app = |name: &str, uri: &str, is_named| (name.to_owned(), uri.to_owned(), is_named);
        let directory = directory([
            app("wiki", "https://wiki.example/out?a=b%20c", true),
            app("chat", "https://chat.example:8443/a;b,c", false),
        ]);
        let frames = shown(&directory, &["wiki", "chat", "wiki", "nobody"]);
        let sid = Id::from_i64(7);
        assert_eq!(frames.urls[0], format!("https://wiki.example/out?a=b%20c&iss=https%3A%2F%2Fid.example&sid={sid}"));
        assert_eq!(
            frames.urls[1..],
            [format!("https://chat.example:8443/a;b,c?iss=https%3A%2F%2Fid.example&sid={sid}")],
            "also where it is not registered"
        );
        assert_eq!(frames.sources, ["https://wiki.example/out", "https://chat.example:8443/a%3Bb%2Cc"]);
        assert!(frames.left_out.is_empty());
    }

    #[test]
    fn an_app_with_a_long_address_keeps_no_other_out() {
        let long = format!("https://long.example/{}", "a".repeat(MOST_BYTES));
        let app = |name: &str, uri: String| (name.to_owned(), uri, false);
        let directory = directory([app("long", long), app("wiki", "https://wiki.example/out".to_owned())]);
        let frames = shown(&directory, &["long", "wiki"]);
        assert_eq!(
            (frames.sources, frames.left_out),
            (vec!["https://wiki.example/out".to_owned()], vec!["long".to_owned()])
        );
    }

    #[test]
    fn however_many_apps_there_are_the_policy_stays_small() {
        let apps = || (0..200).map(|number| format!("app{number:03}"));
        let directory = directory(apps().map(|name| (name.clone(), format!("https://{name}.example/logout"), true)));
        let names: Vec<String> = apps().collect();
        let frames = shown(&directory, &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(frames.sources.join(" ").len() <= MOST_BYTES);
        assert_eq!(frames.urls.len() + frames.left_out.len(), 200);
    }
}
