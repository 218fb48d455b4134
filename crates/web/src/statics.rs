//! The files under `static/`: what they are, and addresses that change with their content, so that browsers keep them.

mod theme;

use std::borrow::Cow;

use rust_embed::RustEmbed;

pub use self::theme::theme;

/// For answers to an address with the right `v`, as [`static_url`] makes them.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For answers to an address without it.
pub const REVALIDATE: &str = "public, max-age=0, must-revalidate";

#[derive(RustEmbed)]
#[folder = "../../static"]
struct Files;

/// A file to send.
pub struct StaticFile {
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// For `Content-Type`.
    pub content_type: &'static str,
    /// For `ETag`, with the quotes.
    pub etag: String,
}

impl StaticFile {
    /// For `Cache-Control`: forever where the address named this very content.
    pub fn cache_control(&self, version: Option<&str>) -> &'static str {
        if version.is_some_and(|version| version == self.etag.trim_matches('"')) { IMMUTABLE } else { REVALIDATE }
    }
}

/// The file at `/static/{name}`.
pub fn static_file(name: &str) -> Option<StaticFile> {
    let content_type = content_type(name)?;
    let file = Files::get(name)?;
    let etag = format!("\"{}\"", version(&file.metadata.sha256_hash()));
    Some(StaticFile { bytes: file.data, content_type, etag })
}

/// The address of a file: `/static/grantor.css?v=…`.
pub fn static_url(name: &str) -> String {
    Files::get(name).map_or_else(
        || format!("/static/{name}"),
        |file| format!("/static/{name}?v={}", version(&file.metadata.sha256_hash())),
    )
}

/// Files of other kinds are not sent.
fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

/// 64 bits of the hash: nobody else writes these files.
fn version(hash: &[u8; 32]) -> String {
    format!("{:016x}", hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_type_and_an_address_that_names_its_content() -> Result<(), String> {
        for name in Files::iter() {
            let file = static_file(&name).ok_or_else(|| format!("{name} has no content type"))?;
            let url = static_url(&name);
            let (_, version) = url.split_once("?v=").ok_or_else(|| format!("{url} has no version"))?;
            assert_eq!(file.cache_control(Some(version)), IMMUTABLE);
            assert_eq!(file.cache_control(Some("0123456789abcdef")), REVALIDATE);
            assert_eq!(file.cache_control(None), REVALIDATE);
        }
        Ok(())
    }

    #[test]
    fn nothing_outside_the_folder_is_sent() {
        for name in
            ["../Cargo.toml", "..%2fCargo.toml", "/etc/hostname", "", ".", "nothing.css", "../crates/web/askama.css"]
        {
            assert!(static_file(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_stylesheet_asks_nobody_else_for_anything() {
        for name in Files::iter().filter(|name| name.ends_with(".css")) {
            let css =
                static_file(&name).map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default();
            assert!(css.contains('{') && !css.contains("http") && !css.contains("@import"), "{name}");
        }
    }
}
