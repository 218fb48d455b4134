//! Apache with mod_auth_openidc hears of people who sign out at the server: by a frame in their browser, or from server to server.

use super::{APACHE, free_port};
use crate::clients::must_succeed;
use crate::clients::running::Running;
use crate::harness::server::Server;
use crate::harness::tls;

#[tokio::test]
async fn mod_auth_openidc_hears_by_the_browser_of_who_signs_out() {
    let told = |url: &str, _: &str| {
        format!(
            "frontchannel_logout_uri = \"{url}/redirect?logout=get\"\nfrontchannel_logout_session_required = true\n"
        )
    };
    hears("front", told).await;
}

#[tokio::test]
async fn mod_auth_openidc_hears_from_the_server_of_who_signs_out() {
    hears("back", |_, logout_uri| format!("backchannel_logout_uri = \"{logout_uri}\"\n")).await;
}

/// Runs the program for a way by which it is told, and with what is registered for that.
async fn hears(channel: &str, told: impl Fn(&str, &str) -> String) {
    let Some(mut program) = APACHE.program("logout.py") else { return };
    let server = Server::start_with(tls::trusting).await;
    let (url, tls_port) = (format!("http://127.0.0.1:{}", free_port()), free_port());
    let logout_uri = format!("https://127.0.0.1:{tls_port}/redirect?logout=backchannel");
    server.apply(&format!("{}\n{}", APACHE.registered(&url), told(&url, &logout_uri))).await;
    program.envs(APACHE.environment(&server, &url)).envs([
        ("CHANNEL", channel),
        ("LOGOUT_URI", &logout_uri),
        ("TLS_PORT", &tls_port.to_string()),
        ("CERTIFICATE_FILE", tls::certificate().file().to_str().unwrap()),
        ("KEY_FILE", tls::certificate().key_file().to_str().unwrap()),
    ]);
    must_succeed(&Running::start(program).end());
}
