//! The cookie of a browser at an app's host: the number of a session, signed for this host. The app sees it, as it sees all
//! cookies of its host; at any other host it means nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;

/// The cookie's text for an origin.
pub fn seal(session_id: Id, key: &MacKey, origin: &str) -> String {
    let id = session_id.to_string();
    let tag = URL_SAFE_NO_PAD.encode(key.tag(&parts(&id, origin)));
    format!("{id}.{tag}")
}

/// The session that a cookie of this origin names; `None` where it is not one of ours, or of another origin.
pub fn open(text: &str, key: &MacKey, origin: &str) -> Option<Id> {
    let (id, tag) = text.split_once('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    key.verify(&parts(id, origin), &tag).then(|| id.parse().ok()).flatten()
}

fn parts<'a>(id: &'a str, origin: &'a str) -> [&'a [u8]; 3] {
    [b"app session", origin.as_bytes(), id.as_bytes()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_counts_at_its_own_host() {
        let (key, id) = (MacKey::new([1; 32]), Id::from_i64(77));
        let text = seal(id, &key, "https://wiki.example");
        assert_eq!(open(&text, &key, "https://wiki.example"), Some(id));
        assert_eq!(open(&text, &key, "https://mail.example"), None);
        assert_eq!(open(&text, &MacKey::new([2; 32]), "https://wiki.example"), None);
        let other = format!("{}{}", Id::from_i64(78), &text[text.find('.').unwrap_or_default()..]);
        for forged in [other.as_str(), "", ".", "77", "a.b"] {
            assert_eq!(open(forged, &key, "https://wiki.example"), None, "{forged}");
        }
    }
}
