//! `POST /leak-reports`: programs that look for secrets in public places report tokens of ours, in the form that the large ones
//! share: a JSON array of findings, signed as a whole by a key that we know.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::leak::{self, Found, Verdict};
use grantor_jose::detached::DetachedKey;
use serde::{Deserialize, Serialize};

use super::token;
use crate::app::App;
use crate::error;

/// The largest report: some thousand findings.
const MAX_BYTES: usize = 1024 * 1024;
/// How long it may take to arrive.
const WITHIN: Duration = Duration::from_secs(30);
/// Where a reporter names its key, and where the signature stands.
const KEY_ID: &str = "Github-Public-Key-Identifier";
const SIGNATURE: &str = "Github-Public-Key-Signature";

/// Who may report tokens.
#[derive(Clone, Debug)]
pub struct LeakReporter {
    /// The name for events.
    pub name: String,
    /// The name of the key, as the reporter sends it.
    pub key_id: String,
    /// The key that the reports are signed with.
    pub key: DetachedKey,
}

/// One finding. Other members are not needed.
#[derive(Deserialize)]
struct Finding {
    token: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    url: Option<String>,
}

/// What a reporter learns, so that it can tell right findings from wrong ones.
#[derive(Serialize)]
struct Feedback {
    token_raw: String,
    token_type: String,
    label: Verdict,
}

/// Ends what was found.
pub(crate) async fn post_leak_reports(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match answer(&app, &request, payload).await {
        Ok(feedback) => error::uncached(StatusCode::OK).json(feedback),
        Err(refusal) => token::refused(&app, &request, None, &refusal).await,
    }
}

async fn answer(app: &App, request: &HttpRequest, payload: Payload) -> Result<Vec<Feedback>, Error> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key_id = header(KEY_ID);
    // Who is no reporter sends us nothing.
    let reporter = app.settings.leak_reporters.iter().find(|reporter| reporter.key_id == key_id);
    let reporter = reporter.ok_or(Error::ReporterUnknown)?;
    let body = read(payload).await?;
    if !reporter.key.verify(&body, header(SIGNATURE)) {
        return Err(Error::ReportSignature);
    }
    let findings: Vec<Finding> = serde_json::from_slice(&body).map_err(|_| Error::ReportMalformed)?;
    let address = app.address(request).to_string();
    let mut feedback = Vec::with_capacity(findings.len());
    for Finding { token, kind, url } in findings {
        let found = Found { token, url: url.unwrap_or_default(), reporter: reporter.name.clone() };
        let label = leak::end(&app.provider, &found, app.call(&address)).await?;
        feedback.push(Feedback { token_raw: found.token, token_type: kind, label });
    }
    Ok(feedback)
}

async fn read(payload: Payload) -> Result<Bytes, Error> {
    let body = timeout(WITHIN, payload.to_bytes_limited(MAX_BYTES)).await.map_err(|_| Error::FormTooSlow)?;
    body.map_err(|_| Error::FormTooLarge)?.map_err(|_| Error::ReportMalformed)
}

/// Any other method is refused.
pub(crate) async fn other_leak_reports(app: Data<App>, request: HttpRequest) -> HttpResponse {
    token::other(&app, &request, false)
}
