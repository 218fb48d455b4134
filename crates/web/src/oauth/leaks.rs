//! `POST /leak-reports`: programs that look for secrets in public places report tokens of ours, in the form that the large ones
//! share: a JSON array of findings, signed as a whole by a key that we know.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::leak::{self, Found, Verdict};
use grantor_core::provider::Call;
use grantor_core::registration::{self, leaked};
use grantor_core::store::{Store, StoreError};
use grantor_jose::detached::DetachedKey;
use serde::Serialize;
use serde_json::Value;

use super::token;
use crate::app::App;
use crate::error;

/// The largest report: some thousand findings.
const MAX_BYTES: usize = 1024 * 1024;
/// How long it may take to arrive.
const WITHIN: Duration = Duration::from_secs(30);
/// How often a finding that met another request is decided again.
const MAX_RACES: usize = 8;
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
struct Finding {
    token: String,
    kind: String,
    url: String,
}

impl Finding {
    /// None where there is no token in it. What is wrong with one finding spares the tokens of no other.
    fn of(member: &Value) -> Option<Self> {
        let text = |name: &str| member.get(name).and_then(Value::as_str).map(str::to_owned);
        let token = text("token")?;
        Some(Self { token, kind: text("type").unwrap_or_default(), url: text("url").unwrap_or_default() })
    }
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
    let findings: Vec<Value> = serde_json::from_slice(&body).map_err(|_| Error::ReportMalformed)?;
    let address = app.address(request).to_string();
    let findings = findings.iter().filter_map(Finding::of);
    end_all(findings, async |finding| {
        let Finding { token, url, .. } = finding;
        let found = Found { token: token.clone(), url: url.clone(), reporter: reporter.name.clone() };
        end(app, &found, app.call(&address)).await
    })
    .await
}

/// Ends what was found, of whatever kind it is.
async fn end(app: &App, found: &Found, call: Call<'_>) -> Result<Verdict, Error> {
    for _ in 0..MAX_RACES {
        let Some(changes) = of_registration(app, found, call).await? else {
            return leak::end(&app.provider, found, call).await;
        };
        match app.provider.store.commit(changes).await {
            Ok(()) => return Ok(Verdict::TruePositive),
            // The app has just used it.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// What ends a token of registration; none where it is not one.
async fn of_registration(app: &App, found: &Found, call: Call<'_>) -> Result<Option<Vec<Change>>, Error> {
    let (store, event_id) = (&app.provider.store, app.id());
    if let Ok((id, _)) = registration::read_initial(&found.token) {
        return Ok(leaked::initial_token(found, store.initial_token_find(id).await?, (event_id, call)));
    }
    let Ok((id, _)) = registration::read_presented(&found.token) else { return Ok(None) };
    let known = store.registration_find(&registration::client_id(id)).await?;
    Ok(leaked::registration_token(found, known, &app.provider.mint.secret(), (event_id, call)))
}

/// Ends each, also those after one that could not be ended: the reporter is told to come again when all have been tried.
async fn end_all(
    findings: impl Iterator<Item = Finding>,
    end: impl AsyncFn(&Finding) -> Result<Verdict, Error>,
) -> Result<Vec<Feedback>, Error> {
    let (mut feedback, mut failed) = (Vec::new(), None);
    for finding in findings {
        match end(&finding).await {
            Ok(label) => feedback.push(Feedback { token_raw: finding.token, token_type: finding.kind, label }),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(feedback), Err)
}

async fn read(payload: Payload) -> Result<Bytes, Error> {
    let body = timeout(WITHIN, payload.to_bytes_limited(MAX_BYTES)).await.map_err(|_| Error::FormTooSlow)?;
    body.map_err(|_| Error::FormTooLarge)?.map_err(|_| Error::ReportMalformed)
}

/// Any other method is refused.
pub(crate) async fn other_leak_reports(app: Data<App>, request: HttpRequest) -> HttpResponse {
    token::other(&app, &request, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_cannot_be_ended_keeps_none_after_it_alive() {
        let finding = |token: &str| Finding { token: token.to_owned(), kind: String::new(), url: String::new() };
        let tried = std::cell::RefCell::new(Vec::new());
        let ended = end_all(["a", "b", "c"].map(finding).into_iter(), async |finding| {
            tried.borrow_mut().push(finding.token.clone());
            if finding.token == "b" { Err(StoreError::Busy.into()) } else { Ok(Verdict::TruePositive) }
        });
        assert!(matches!(ended.await, Err(Error::Store(StoreError::Busy))));
        assert_eq!(tried.into_inner(), ["a", "b", "c"]);
    }
}
