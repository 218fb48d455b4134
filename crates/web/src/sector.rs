//! The list behind a client's `sector_identifier_uri`: who names a sector must be named by it (OIDC Registration §5).
//!
//! It is read when a client registers or changes itself, through the guard and with its bounds. What an administrator declares is
//! believed: a declaration is applied without asking anybody.

use grantor_core::client::ClientMetadata;
use grantor_core::error::Error;
use openidconnect::HttpRequest;
use openidconnect::http::header::ACCEPT;
use openidconnect::http::{Method, Request, StatusCode};

use crate::app::App;
use crate::outbound::Asker;

/// The longest list that is read, in bytes.
const LONGEST: usize = 64 * 1024;

impl App {
    /// Checks that the list of the client's sector names all its redirect URIs, where it has such a list. `asker` is who has
    /// to wait where many are asked.
    ///
    /// # Errors
    /// `MetadataInvalid` for `sector_identifier_uri`, with the reason.
    pub async fn check_sector(&self, metadata: &ClientMetadata, asker: Asker<'_>) -> Result<(), Error> {
        let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
        let invalid = |why| Err(Error::MetadataInvalid("sector_identifier_uri", why));
        let Some(request) = request(uri) else { return invalid("must be an https address") };
        let answer = match self.fetch(request, asker).await {
            Ok(answer) if answer.status() == StatusCode::OK => answer,
            _ => return invalid("gives no answer that could be read: 200 with a JSON array of addresses"),
        };
        if answer.body().len() > LONGEST {
            return invalid("leads to a list of more than 64 KiB");
        }
        let Ok(listed) = serde_json::from_slice::<Vec<String>>(answer.body()) else {
            return invalid("leads to something else than a JSON array of addresses");
        };
        // "The values registered in "redirect_uris" MUST be included in the elements of the array, or registration MUST fail." (OIDC
        // Registration §5)
        // "The values of the registered "redirect_uris" MUST be included in the elements of the array." (OIDC Core §8.1)
        if metadata.redirect_uris.iter().all(|uri| listed.contains(uri)) {
            Ok(())
        } else {
            invalid("leads to a list that does not name all redirect_uris")
        }
    }
}

fn request(uri: &str) -> Option<HttpRequest> {
    // "The value of the "sector_identifier_uri" MUST be a URL using the "https" scheme that references a JSON file containing an
    // array of "redirect_uri" values." (OIDC Registration §5) The guard asks by https alone.
    Request::builder().method(Method::GET).uri(uri).header(ACCEPT, "application/json").body(Vec::new()).ok()
}
