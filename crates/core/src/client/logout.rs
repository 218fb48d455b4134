//! Where an app may be told that a session has ended.

use url::Url;

use super::ClientMetadata;
use crate::error::Error;
use crate::redirect_uri;

/// Checks what is registered for sign-outs.
pub(super) fn check(metadata: &ClientMetadata) -> Result<(), Error> {
    if let Some(uri) = &metadata.backchannel_logout_uri {
        // "The back-channel logout URI MUST NOT include a fragment component." (OIDC Back-Channel Logout §2.2)
        // Stricter than the specification: because we ask other servers over https only.
        let is_safe = redirect_uri::check(uri, metadata.application_type).is_ok() && is_https(uri);
        is_safe.then_some(()).ok_or(Error::MetadataInvalid(
            "backchannel_logout_uri",
            "it is no https address without fragment, user information and dot segments",
        ))?;
    } else if metadata.backchannel_logout_session_required {
        return Err(Error::MetadataInvalid(
            "backchannel_logout_session_required",
            "it says nothing without backchannel_logout_uri",
        ));
    }
    Ok(())
}

fn is_https(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.scheme() == "https")
}
