//! Claims that are asked for by themselves (OIDC Core §5.5): people are asked for the scope that such a claim is of, and no other claim
//! of that scope is released.

use super::{ClaimsRequest, STANDARD, released_by, wish};
use crate::authorization::ResponseType;
use crate::directory::Directory;
use crate::grant::OidcContext;
use crate::scope::Scope;

/// The standard scopes, of those that a client may have, which release what is asked for by itself and by no scope of the request.
/// Scopes of APIs allow more than to know something: they have to be asked for by their names. What userinfo shall tell is nothing
/// to ask people about where no access token is issued, with which it could be asked.
// "When the "userinfo" member is used, the request MUST also use a "response_type" value that results in an Access Token being issued
// to the Client for use at the UserInfo Endpoint." (OIDC Core §5.5)
pub(crate) fn wanted(
    directory: &Directory,
    request: &ClaimsRequest,
    response_type: ResponseType,
    (asked, allowed): (&Scope, &Scope),
) -> Scope {
    let is_released = |name: &str| asked.iter().any(|scope| released_by(directory, scope).contains(&name));
    let at_userinfo = request.userinfo.keys().filter(|_| response_type.issues_access_token());
    let names = at_userinfo.chain(request.id_token.keys()).map(|name| wish::base(name));
    let scope_of = |name: &str| {
        let mut scopes = STANDARD.iter().filter(|(scope, claims)| allowed.contains(scope) && claims.contains(&name));
        scopes.next().map(|(scope, _)| *scope)
    };
    names.filter(|name| !is_released(name)).filter_map(scope_of).collect()
}

/// The claims of the scopes that were asked for by their names.
pub(super) fn of_scopes<'a>(directory: &'a Directory, scope: &Scope, context: &OidcContext) -> Vec<&'a str> {
    let named = scope.without(&context.scopes_of_claims);
    named.iter().flat_map(|token| released_by(directory, token)).collect()
}
