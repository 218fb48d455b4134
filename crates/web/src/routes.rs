//! The whole URL map. The metadata are built from these constants.

use actix_web::web::{self, ServiceConfig};
use grantor_core::metadata::{Endpoints, TOKEN_PATH};

use crate::forward_auth::{any_forward_auth, at_app};
use crate::oauth::{authorize, discovery, introspect, leaks, register, revoke, token, userinfo, webfinger};
use crate::pages::{
    account, app_remove, apps, consent, end_session, enter, home, language, notice, second_factor, select_account,
    sessions, sign_in, sign_in_code, sign_in_more, sign_in_ways, sign_up, token_change, token_new, tokens,
    upstream_link,
};
use crate::upstream::{callback, logout, start};
use crate::{account_api, files, health, respond, session_state};

pub(crate) const ACCOUNT: &str = "/account";
pub(crate) const ACCOUNT_API_TOKENS: &str = "/account/api/tokens";
pub(crate) const ACCOUNT_API_TOKEN: &str = "/account/api/tokens/{id}";
pub(crate) const ACCOUNT_API_TOKEN_ROTATE: &str = "/account/api/tokens/{id}/rotate";
pub(crate) const APPS: &str = "/account/apps";
pub(crate) const APPS_REMOVE: &str = "/account/apps/remove";
/// Below it, at the host of an app behind a proxy, everything is ours.
pub(crate) const AT_APP: &str = "/.grantor/";
pub(crate) const AT_APP_CALLBACK: &str = "/.grantor/callback";
pub(crate) const AT_APP_SIGN_IN: &str = "/.grantor/sign-in";
pub(crate) const AT_APP_SIGN_OUT: &str = "/.grantor/sign-out";
pub(crate) const AUTHORIZE: &str = "/authorize";
pub(crate) const CHECK_SESSION: &str = "/check-session";
pub(crate) const CONSENT: &str = "/consent";
pub(crate) const END_SESSION: &str = "/end-session";
pub(crate) const ENTER: &str = "/enter";
pub(crate) const FORWARD_AUTH: &str = "/forward-auth";
pub(crate) const INTROSPECT: &str = "/introspect";
pub(crate) const INTROSPECT_BATCH: &str = "/introspect/batch";
pub(crate) const JWKS: &str = "/jwks";
pub(crate) const LANGUAGE: &str = "/language";
pub(crate) const LEAK_REPORTS: &str = "/leak-reports";
pub(crate) const NOTICES: &str = "/account/notices";
pub(crate) const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
pub(crate) const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
pub(crate) const REGISTER: &str = "/register";
pub(crate) const REGISTRATION: &str = "/register/{client_id}";
pub(crate) const REVOKE: &str = "/revoke";
pub(crate) const SECOND_FACTOR: &str = "/account/second-factor";
pub(crate) const SELECT_ACCOUNT: &str = "/select-account";
pub(crate) const SESSIONS: &str = "/account/sessions";
pub(crate) const SIGN_IN: &str = "/sign-in";
pub(crate) const SIGN_IN_CODE: &str = "/sign-in/code";
pub(crate) const SIGN_IN_MORE: &str = "/sign-in/more";
pub(crate) const SIGN_IN_WAYS: &str = "/account/sign-in-ways";
pub(crate) const SIGN_IN_WAYS_UNLINK: &str = "/account/sign-in-ways/unlink";
pub(crate) const SIGN_OUT: &str = "/sign-out";
pub(crate) const SIGN_UP: &str = "/sign-up";
pub(crate) const THEME: &str = "/theme.css";
pub(crate) const TOKEN: &str = TOKEN_PATH;
pub(crate) const TOKENS: &str = "/account/tokens";
pub(crate) const TOKENS_NEW: &str = "/account/tokens/new";
pub(crate) const TOKENS_REVOKE: &str = "/account/tokens/revoke";
pub(crate) const TOKENS_ROTATE: &str = "/account/tokens/rotate";
pub(crate) const USERINFO: &str = "/userinfo";
pub(crate) const WEBFINGER: &str = "/.well-known/webfinger";

/// The endpoints as the metadata name them.
pub(crate) const ENDPOINTS: Endpoints = Endpoints {
    authorization: AUTHORIZE,
    check_session: None,
    end_session: END_SESSION,
    introspection: INTROSPECT,
    jwks: JWKS,
    registration: Some(REGISTER),
    revocation: REVOKE,
    token: TOKEN,
    userinfo: USERINFO,
};

/// A path of an upstream: `start`, `callback`, `link` or `backchannel-logout`.
pub(crate) fn upstream(name: &str, step: &str) -> String {
    format!("/upstreams/{name}/{step}")
}

/// Routes each path. A path with another method is answered 405, any other path 404.
///
/// "All general-purpose servers MUST support the methods GET and HEAD." (RFC 9110 §9.1): what is read by machines has both;
/// pages, which only browsers open, have GET.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        // They are tried in this order: what machines ask for most comes first.
        .configure(endpoints)
        .configure(documents)
        .configure(account)
        .configure(pages)
        .service(web::resource(THEME).get(files::get_theme).head(files::get_theme))
        .service(web::resource("/static/{name}").get(files::get_static).head(files::get_static))
        .service(web::resource("/livez").get(health::get_livez).head(health::get_livez))
        .service(web::resource("/readyz").get(health::get_readyz).head(health::get_readyz))
        .default_service(web::route().to(respond::not_found));
}

/// What people see.
fn pages(config: &mut ServiceConfig) {
    let page = |path: &'static str| web::resource(path).default_service(web::route().to(respond::method_not_allowed));
    config
        .service(page("/").get(home::get_home))
        .service(page(ACCOUNT).get(account::get_account))
        .service(page(APPS).get(apps::get_apps))
        .service(page(APPS_REMOVE).get(app_remove::get_app_remove).post(app_remove::post_app_remove))
        .service(page(AUTHORIZE).get(authorize::get_authorize).post(authorize::post_authorize))
        .service(page(CHECK_SESSION).get(session_state::get_check_session))
        .service(page(CONSENT).get(consent::get_consent).post(consent::post_consent))
        .service(page(END_SESSION).get(end_session::get_end_session).post(end_session::post_end_session))
        .service(page(ENTER).get(enter::get_enter))
        .service(page(LANGUAGE).post(language::post_language))
        .service(page(NOTICES).post(notice::post_notices))
        .service(page(SECOND_FACTOR).get(second_factor::get_second_factor).post(second_factor::post_second_factor))
        .service(page(SELECT_ACCOUNT).get(select_account::get_select_account).post(select_account::post_select_account))
        .service(page(SESSIONS).get(sessions::get_sessions).post(sessions::post_sessions))
        .service(page(SIGN_IN).get(sign_in::get_sign_in).post(sign_in::post_sign_in))
        .service(page(SIGN_IN_CODE).get(sign_in_code::get_sign_in_code).post(sign_in_code::post_sign_in_code))
        .service(page(SIGN_IN_MORE).get(sign_in_more::get_sign_in_more).post(sign_in_more::post_sign_in_more))
        .service(page(SIGN_IN_WAYS).get(sign_in_ways::get_sign_in_ways))
        .service(page(SIGN_IN_WAYS_UNLINK).get(sign_in_ways::get_unlink).post(sign_in_ways::post_unlink))
        .service(page(SIGN_OUT).post(end_session::post_sign_out))
        .service(page(SIGN_UP).get(sign_up::get_sign_up).post(sign_up::post_sign_up))
        .service(page(TOKENS).get(tokens::get_tokens))
        .service(page(TOKENS_NEW).get(token_new::get_token_new).post(token_new::post_token_new))
        .service(page(TOKENS_REVOKE).get(token_change::get_token_revoke).post(token_change::post_token_revoke))
        .service(page("/upstreams/{name}/start").post(start::post_upstream_start))
        .service(page("/upstreams/{name}/callback").get(callback::get_upstream_callback))
        .service(
            page("/upstreams/{name}/link")
                .get(upstream_link::get_upstream_link)
                .post(upstream_link::post_upstream_link),
        )
        .service(page("/upstreams/{name}/backchannel-logout").post(logout::post_backchannel_logout))
        .service(page(TOKENS_ROTATE).get(token_change::get_token_rotate).post(token_change::post_token_rotate));
}

/// What apps and APIs call.
fn endpoints(config: &mut ServiceConfig) {
    let other = web::route;
    config
        .service(web::resource(TOKEN).post(token::post_token).default_service(other().to(token::other_token)))
        .service(web::resource(REVOKE).post(revoke::post_revoke).default_service(other().to(revoke::other_revoke)))
        .service(
            web::resource(INTROSPECT)
                .post(introspect::post_introspect)
                .default_service(other().to(introspect::other_introspect)),
        )
        .service(
            web::resource(INTROSPECT_BATCH)
                .post(introspect::post_introspect_batch)
                .default_service(other().to(introspect::other_introspect)),
        )
        .service(
            web::resource(LEAK_REPORTS)
                .post(leaks::post_leak_reports)
                .default_service(other().to(leaks::other_leak_reports)),
        )
        .service(
            web::resource(USERINFO)
                .get(userinfo::get_userinfo)
                .post(userinfo::post_userinfo)
                .default_service(other().to(userinfo::other_userinfo)),
        )
        .service(
            web::resource(REGISTER).post(register::post_register).default_service(other().to(register::other_register)),
        )
        .service(
            web::resource(REGISTRATION)
                .get(register::get_registration)
                .put(register::put_registration)
                .delete(register::delete_registration)
                .default_service(other().to(register::other_registration)),
        )
        .service(web::resource([FORWARD_AUTH, "/forward-auth/{path:.*}"]).default_service(other().to(any_forward_auth)))
        .service(web::resource(AT_APP_SIGN_IN).default_service(other().to(at_app::any_sign_in)))
        .service(web::resource("/.grantor/{path:.*}").default_service(other().to(at_app::any_at_app)));
}

/// What apps do for people on their accounts.
fn account(config: &mut ServiceConfig) {
    let resource = |path: &'static str| web::resource(path).default_service(web::route().to(account_api::other));
    config
        .service(resource(ACCOUNT_API_TOKENS).get(account_api::get_tokens).post(account_api::post_tokens))
        .service(resource(ACCOUNT_API_TOKEN).delete(account_api::delete_token))
        .service(resource(ACCOUNT_API_TOKEN_ROTATE).post(account_api::post_rotate));
}

/// What everybody may read.
fn documents(config: &mut ServiceConfig) {
    let document =
        |path: &'static str| web::resource(path).default_service(web::route().to(discovery::other_discovery));
    config
        .service(document(JWKS).get(discovery::get_jwks).head(discovery::get_jwks))
        // "OpenID Providers supporting Discovery MUST make a JSON document available at the path formed by concatenating the
        // string "/.well-known/openid-configuration" to the Issuer." (OIDC Discovery §4)
        .service(document(OPENID_CONFIGURATION).get(discovery::get_metadata).head(discovery::get_metadata))
        .service(
            web::resource(WEBFINGER)
                .get(webfinger::get_webfinger)
                .head(webfinger::get_webfinger)
                .default_service(web::route().to(webfinger::other_webfinger)),
        )
        .service(document(OAUTH_METADATA).get(discovery::get_metadata).head(discovery::get_metadata));
}
