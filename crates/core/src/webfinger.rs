//! WebFinger: whose provider we are (RFC 7033, OIDC Discovery §2). Whoever knows no more of a person than `ada@example.com`
//! asks the host of that name, and is told the issuer.
//!
//! What is told is the same for each name of a host of ours, whether somebody has it or not: who has an account here is not
//! for strangers to find out.

use serde::Serialize;
use url::{Url, form_urlencoded};

use crate::error::Error;
use crate::provider::Issuer;

/// The relation of a person to their provider (OIDC Discovery §2).
pub const ISSUER: &str = "http://openid.net/specs/connect/1.0/issuer";

/// The longest identifier that is looked at, in bytes.
const MAX_RESOURCE_BYTES: usize = 2048;

/// A JSON Resource Descriptor (RFC 7033 §4.4).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Descriptor {
    subject: String,
    links: Vec<Link>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Link {
    rel: &'static str,
    href: String,
}

/// What is answered to the query of a request, as it was sent. `hosts` are those for whose names we are the provider, beside
/// the issuer's own.
///
/// # Errors
/// `ParameterMissing`, `ParameterRepeated` and `ResourceMalformed` for what is no question, `ResourceNotOurs` for an
/// identifier of which we know nothing.
pub fn describe(issuer: &Issuer, hosts: &[String], query: &str) -> Result<Descriptor, Error> {
    // "WebFinger resources MUST NOT be served with any other URI scheme (such as HTTP)." (RFC 7033 §4)
    if !issuer.is_https() {
        return Err(Error::ResourceNotOurs);
    }
    let Query { resource, rel } = Query::read(query)?;
    // "If the "resource" parameter is a value for which the server has no information, the server MUST indicate that it was
    // unable to match the request as per Section 10.4.5 of RFC 2616." (RFC 7033 §4.2)
    if !is_ours(issuer, hosts, &resource)? {
        return Err(Error::ResourceNotOurs);
    }
    // "When the "rel" parameter is used and accepted, only the link relation types that match the link relation type provided
    // via the "rel" parameter are included in the array of links returned in the JRD." (RFC 7033 §4.3)
    let is_wanted = rel.is_empty() || rel.iter().any(|wanted| wanted == ISSUER);
    // "The Issuer location MUST be returned in the WebFinger response as the value of the "href" member of a "links" array
    // element with "rel" member value "http://openid.net/specs/connect/1.0/issuer"." (OIDC Discovery §2)
    let link = is_wanted.then(|| Link { rel: ISSUER, href: issuer.as_str().to_owned() });
    Ok(Descriptor { subject: resource, links: link.into_iter().collect() })
}

struct Query {
    resource: String,
    rel: Vec<String>,
}

impl Query {
    /// Reads a query. Unlike the parameters of OAuth, `rel` may stand there more than once (RFC 7033 §4.3).
    fn read(query: &str) -> Result<Self, Error> {
        // Values are percent-encoded and no form: a plus sign is one (RFC 7033 §4.1).
        let query = query.replace('+', "%2B");
        let named = |wanted: &'static str| {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs.filter(move |(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        // "the well-known [3] resource identified by the URI whose path component is "/.well-known/webfinger" and whose query
        // component MUST include the "resource" parameter exactly once" (RFC 7033 §4.2)
        let mut resources = named("resource");
        let resource = resources.next().ok_or(Error::ParameterMissing("resource"))?;
        if resources.next().is_some() {
            return Err(Error::ParameterRepeated("resource".to_owned()));
        }
        let rel = named("rel").collect();
        Ok(Self { resource, rel })
    }
}

/// Whether an identifier is one of a host of ours, for which we speak.
fn is_ours(issuer: &Issuer, hosts: &[String], resource: &str) -> Result<bool, Error> {
    // "If the "resource" parameter is absent or malformed, the WebFinger resource MUST indicate that the request is bad as per
    // Section 10.4.1 of RFC 2616" (RFC 7033 §4.2)
    let url = Url::parse(resource).map_err(|_| Error::ResourceMalformed)?;
    if resource.len() > MAX_RESOURCE_BYTES {
        return Err(Error::ResourceMalformed);
    }
    let ours = issuer.url();
    let also_ours = |host: &str| hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    Ok(match url.scheme() {
        "acct" => {
            let (name, host) = url.path().rsplit_once('@').ok_or(Error::ResourceMalformed)?;
            let of_issuer = ours.host_str().is_some_and(|known| known.eq_ignore_ascii_case(host));
            !name.is_empty() && (of_issuer || also_ours(host))
        }
        "https" => {
            let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
            let of_issuer = ours.host_str() == Some(host) && ours.port_or_known_default() == port;
            of_issuer || (port == Some(443) && also_ours(host))
        }
        _ => false,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(resource: &str) -> Result<Descriptor, &'static str> {
        let issuer = Issuer::parse("https://id.example.com:8443").unwrap();
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("resource", resource).finish();
        describe(&issuer, &["example.com".to_owned()], &query.replace('+', "%20")).map_err(|error| error.reason())
    }

    #[test]
    fn we_speak_for_our_hosts_and_no_others() {
        let ours = [
            "acct:ada@example.com",
            "acct:ada@EXAMPLE.com",
            "acct:ada%40home.example@example.com",
            "acct:ada@id.example.com",
            "https://example.com/ada",
            "https://id.example.com:8443",
            "https://ada@id.example.com:8443",
        ];
        for resource in ours {
            assert_eq!(verdict(resource).unwrap().subject, resource);
        }
        let others = [
            "acct:ada@example.com.evil.example",
            "acct:@example.com",
            "acct:ada@example.com:8443",
            "https://example.com:8443/",
            "https://id.example.com/",
            "https://example.com@evil.example/",
            "http://example.com/ada",
            "mailto:ada@example.com",
            "data:,example.com",
        ];
        for resource in others {
            assert_eq!(verdict(resource), Err("ResourceNotOurs"), "{resource}");
        }
        for resource in ["", "ada@example.com", "acct:ada", "example.com", "https://", &"a:".repeat(2000)] {
            assert_eq!(verdict(resource), Err("ResourceMalformed"), "{resource}");
        }
    }

    proptest! {
        #[test]
        fn any_query_has_an_answer(query in any::<String>()) {
            let issuer = Issuer::parse("https://id.example.com").unwrap();
            let _ = describe(&issuer, &[], &query);
        }
    }
}
