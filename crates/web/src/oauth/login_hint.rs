//! Whom a `login_hint` means, in the spelling in which names are kept here.

use grantor_core::authorization::AuthorizationRequest;
use grantor_identity::username::Username;
use url::Url;

use crate::app::App;

/// What stands before a name in what people look up their provider with (RFC 7565).
const ACCOUNT: &str = "acct:";

/// The request with the names to sign in with that its hint may be: the whole of it, and, where it is what people of ours look up
/// their provider with, what stands before our host.
pub(super) fn read(app: &App, request: AuthorizationRequest) -> AuthorizationRequest {
    let hint = request.login_hint.as_deref().unwrap_or_default();
    let Ok(whole) = Username::parse(hint.strip_prefix(ACCOUNT).unwrap_or(hint)) else { return request };
    let before = whole.as_str().split_once('@').filter(|(_, host)| is_ours(app, host)).map(|(name, _)| name.to_owned());
    let hinted_names = before.into_iter().chain([whole.as_str().to_owned()]).collect();
    AuthorizationRequest { hinted_names, ..request }
}

fn is_ours(app: &App, host: &str) -> bool {
    let issuer = Url::parse(app.provider.issuer.as_str()).ok();
    let of_issuer = issuer.as_ref().and_then(Url::host_str);
    let also_ours = app.settings.webfinger_hosts.iter().map(String::as_str);
    of_issuer.into_iter().chain(also_ours).any(|known| known.eq_ignore_ascii_case(host))
}
