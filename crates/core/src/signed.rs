//! What a browser carries for us from one page to the next: readable by anybody, changed by nobody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::mac::MacKey;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The text of `value`: it opens again for the same `place` only, which names its use and whatever else it is bound to.
pub(crate) fn seal(value: &impl Serialize, key: &MacKey, place: [&str; 2]) -> String {
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default());
    let tag = URL_SAFE_NO_PAD.encode(key.tag(&parts(place, &body)));
    format!("{body}.{tag}")
}

/// Reads the text back; `None` where it is not one of ours, or one of another place.
pub(crate) fn open<T: DeserializeOwned>(text: &str, key: &MacKey, place: [&str; 2]) -> Option<T> {
    let (body, tag) = text.split_once('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    if !key.verify(&parts(place, body), &tag) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
}

fn parts<'a>([purpose, bound]: [&'a str; 2], body: &'a str) -> [&'a [u8]; 3] {
    [purpose.as_bytes(), bound.as_bytes(), body.as_bytes()]
}
