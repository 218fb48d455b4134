//! What it costs an API to check a token with `grantor-resource-server`: in this process, whose CPU time counts.

use std::time::{Duration, Instant};

use grantor_resource_server::Verifier;

use crate::Failure;
use crate::driver::{Driver, SECRET};
use crate::process;
use crate::server::Server;
use crate::workload::Workload;

/// So many checks come between two looks at the clock.
const AT_ONCE: u32 = 1000;

/// Checks one JWT over and over, and one opaque token whose answer is kept for as long as the server allows.
pub(crate) async fn measure(server: &Server, seconds: u64) -> Result<String, Failure> {
    let verifier = Verifier::builder(format!("http://{}", server.address), "https://api.load.example");
    let verifier = verifier.introspection("opaque", SECRET).build()?;
    verifier.ready().await?;
    let mut lines = vec!["an API checks        CPU µs/token".to_owned()];
    for (name, workload) in [("a JWT", Workload::IntrospectJwt), ("an opaque token", Workload::IntrospectOpaque)] {
        let token = Driver::ready(&server.address, workload, 0).await?.token;
        let micros = check(&verifier, &token, Duration::from_secs(seconds)).await?;
        lines.push(format!("{name:<20} {micros:>12.1}"));
    }
    Ok(lines.join("\n"))
}

async fn check(verifier: &Verifier, token: &str, during: Duration) -> Result<f64, Failure> {
    let (begun, cpu) = (Instant::now(), process::cpu_seconds(std::process::id())?);
    let mut checked = 0_u32;
    while begun.elapsed() < during {
        for _ in 0..AT_ONCE {
            verifier.verify(token, None).await.map_err(|denied| format!("{denied:?}"))?;
        }
        checked += AT_ONCE;
    }
    Ok((process::cpu_seconds(std::process::id())? - cpu) * 1e6 / f64::from(checked))
}
