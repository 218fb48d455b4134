//! Whether upstreams can be reached, and are what is declared of them.

use grantor_core::store::Store;
use grantor_core::upstream::{Upstream, UpstreamAuthMethod};
use grantor_web::examine::{self, Examined};

use super::{Finding, broken, doubtful, sound};
use crate::config::Config;
use crate::running;
use crate::settings::{self, Role};

/// Asks each that is not switched off. What is wrong with settings and database is found elsewhere.
pub async fn all(config: &Config) -> Vec<Finding> {
    let (Ok(opened), Ok(http)) = (settings::open(config.clone(), Role::Command), running::outbound(config)) else {
        return Vec::new();
    };
    let directory = opened.database.directory();
    let mut findings = Vec::new();
    for upstream in directory.upstreams.values().filter(|upstream| !upstream.definition.disabled) {
        findings.extend(without_secret(upstream));
        findings.push(finding(upstream, examine::upstream(&http, upstream).await));
    }
    opened.close().await;
    findings
}

fn finding(upstream: &Upstream, examined: Examined) -> Finding {
    let name = &upstream.definition.name;
    match examined {
        Examined::Sound => sound("upstreams", format!("{name}: {} answers", upstream.definition.authority())),
        Examined::Unreachable(why) => doubtful(
            "upstreams",
            format!("{name} cannot be reached: {why}"),
            "look at its address, its certificate ([outbound] ca_file) and, where it is not public, [outbound] allow_hosts",
        ),
        Examined::Wrong(why) => broken(
            "upstreams",
            format!("{name} is not what is declared: {why}"),
            "set its issuer letter for letter as its metadata name it, and `grantor apply`",
        ),
    }
}

fn without_secret(upstream: &Upstream) -> Option<Finding> {
    let declared = &upstream.definition;
    let is_missing =
        declared.token_endpoint_auth_method != UpstreamAuthMethod::None && upstream.client_secret.is_none();
    let fix = "declare client_secret, or token_endpoint_auth_method = \"none\", and `grantor apply`";
    is_missing.then(|| broken("upstreams", format!("{} has no client_secret", declared.name), fix))
}
