//! The addresses at which request objects of a client may lie (OIDC Registration §2).

use url::Url;

use crate::error::Error;

/// How many a client may have.
const MOST: usize = 100;
/// How long one may be.
// "The entire Request URI SHOULD NOT exceed 512 ASCII characters." (OIDC Core §6.2)
const LONGEST: usize = 512;

/// Checks the addresses.
pub(super) fn check(uris: &[String]) -> Result<(), Error> {
    let invalid = |why| Err(Error::MetadataInvalid("request_uris", why));
    if uris.len() > MOST {
        return invalid("has more than 100 addresses");
    }
    for uri in uris {
        if uri.len() > LONGEST || !uri.is_ascii() {
            return invalid("has an address of more than 512 ASCII characters");
        }
        // "These URLs MUST use the "https" scheme unless the target Request Object is signed in a way that is verifiable by the OP."
        // (OIDC Registration §2)
        // Stricter than OIDC Registration: because the guard asks nobody over plain HTTP.
        // "This URL MUST use the "https" scheme unless the target Request Object is signed in a way that is verifiable by
        // the OP." (OIDC Core §6)
        // "The scheme used in the "request_uri" value MUST be "https", unless the target Request Object is signed in a way
        // that is verifiable by the Authorization Server." (OIDC Core §6.2)
        match Url::parse(uri).ok().filter(|url| url.scheme() == "https" && url.has_host()) {
            None => return invalid("has something that is no https URL"),
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                return invalid("has an address with user information");
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // "The scheme used in the "request_uri" value MUST be "https", unless the target Request Object is signed in a way that
    // is verifiable by the Authorization Server." (OIDC Core §6.2)
    // "This URL MUST use the "https" scheme unless the target Request Object is signed in a way that is verifiable by the
    // OP." (OIDC Core §6)
    // "These URLs MUST use the "https" scheme unless the target Request Object is signed in a way that is verifiable by the
    // OP." (OIDC Registration §2)
    #[test]
    fn an_object_lies_at_https_addresses_only() {
        let is_good = |uri: &str| check(&[uri.to_owned()]).is_ok();
        assert!(
            is_good("https://wiki.example/r.jwt#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM") && check(&[]).is_ok()
        );
        for bad in
            ["http://wiki.example/r", "urn:ietf:params:oauth:request_uri:x", "/r", "", "https://a:b@wiki.example/r"]
        {
            assert!(!is_good(bad), "{bad}");
        }
        assert!(!is_good(&format!("https://wiki.example/{}", "r".repeat(512))));
        assert!(check(&vec!["https://wiki.example/r".to_owned(); 101]).is_err());
    }
}
