//! `/upstreams/{name}/start`: a button of the sign-in page sends the person to an upstream.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use grantor_core::authorization::AuthorizationRequest;
use grantor_core::error::Error;
use grantor_core::level::Level;
use grantor_core::params::{MAX_PARAMETER_BYTES, Params};
use grantor_core::upstream::flow::{self, Aim, Flow};
use grantor_core::upstream::{Upstream, UpstreamKind};
use grantor_jose::id::Id;
use url::Url;

use super::discovery::endpoints;
use super::{Refused, callback_address, holder, named};
use crate::accounts::{self, Company};
use crate::form;
use crate::pages::status::Kind;
use crate::pages::upstream_failed;
use crate::pages::upstream_go::UpstreamGo;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::Waiting;

/// The longest `state`, in bytes.
const LONGEST_STATE: usize = MAX_PARAMETER_BYTES - 1024;

/// Sends the person on.
pub(crate) async fn post_upstream_start(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    // A link is begun by a form of the account, which is bound to the session.
    let links = form.get("aim") == Some("link");
    let is_own = if links { visit.is_own_form(form.get("csrf")) } else { visit.is_own_sign_in_form(form.get("csrf")) };
    if !is_own {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    let (aim, waiting) = match aim(&visit, &form).await {
        Ok(aim) => aim,
        Err(response) => return response,
    };
    let company = match Company::of(&visit, form.get("beside").filter(|_| !links)).await {
        Ok(company) => company,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    // Somebody is in use whom the page did not name: nobody is signed out by that.
    let is_over = !links && company.beside.is_empty() && visit.come_meanwhile(form.get("csrf")).is_some();
    if company.is_lost() || is_over {
        return accounts::choose(&visit, &waiting.carried(&visit));
    }
    let beside = Some(company.beside).filter(|proof| !proof.is_empty());
    let over = accounts::named_as_over(form.get("over").unwrap_or_default());
    let Some(upstream) = named(&visit) else {
        return upstream_failed::show(&visit, None, Error::UpstreamDisabled.into(), &aim).await;
    };
    match address(&visit, &upstream, (&aim, beside, over), &waiting).await {
        Ok(address) => {
            let frame = visit.frame(None, None);
            let page =
                UpstreamGo { address: address.to_string(), frame, title: upstream.definition.title().to_owned() };
            respond::page(&visit, &page, &How::default())
        }
        Err(refused) => upstream_failed::show(&visit, Some(&upstream), refused, &aim).await,
    }
}

/// What the person goes on with; what waits is read again, so that nothing travels on that could not be answered.
async fn aim(visit: &Visit, form: &Params) -> Result<(Aim, Waiting), HttpResponse> {
    if form.get("aim") == Some("link") && visit.session().is_some() {
        return Ok((Aim::Link, Waiting::Account));
    }
    let waiting = Waiting::read(visit, form.get("request").unwrap_or_default()).await?;
    Ok((waiting.to_aim(), waiting))
}

async fn address(
    visit: &Visit,
    upstream: &Upstream,
    (aim, beside, over): (&Aim, Option<String>, Vec<Id>),
    waiting: &Waiting,
) -> Result<Url, Refused> {
    let endpoints = endpoints(visit, upstream).await?;
    let mut address = Url::parse(&endpoints.authorization)
        .map_err(|error| Refused::with(Error::UpstreamUnreachable, &format!("authorization_endpoint: {error}")))?;
    if address.scheme() != "https" {
        return Err(Refused::with(Error::UpstreamUnreachable, "authorization_endpoint is not https"));
    }
    let secrets = &visit.app.directory().secrets;
    let (id, started_at) = (visit.app.id(), visit.now);
    let flow = Flow { id, started_at, max_age: max_age(aim, waiting.request()), beside, over, aim: aim.clone() };
    if upstream.definition.kind == UpstreamKind::OAuth2 && flow.max_age.is_some() {
        return Err(Error::UpstreamAuthTime.into());
    }
    let holder = holder(visit, upstream);
    let state = flow::seal(&flow, secrets, holder, visit.app.provider.mint.random());
    // It comes back as a parameter, and travels on in one with more beside it.
    if state.len() > LONGEST_STATE {
        return Err(Error::ParameterTooLarge.into());
    }
    let scope = upstream.definition.scope();
    let challenge = flow.challenge(secrets, holder);
    let mut query = address.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &upstream.definition.client_id)
        .append_pair("redirect_uri", &callback_address(visit, upstream))
        .append_pair("state", &state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if !scope.is_empty() {
        query.append_pair("scope", scope.as_str());
    }
    if upstream.definition.kind == UpstreamKind::Oidc {
        // "String value used to associate a Client session with an ID Token, and to mitigate replay attacks."
        // (OIDC Core §3.1.2.1)
        query.append_pair("nonce", &flow.nonce(secrets, holder));
        let longest = visit.app.provider.policy.lifetimes.session_absolute;
        let seconds = flow.max_age.map_or(longest.as_secs(), |max_age| max_age.min(longest.as_secs()));
        // Always, so that no session begins that is too old at once.
        query.append_pair("max_age", &seconds.to_string());
        let is_more = ask_for_more(&mut query, waiting.wanted(), upstream);
        // Who is signed in already shall prove more anew; who comes beside them has not been here before.
        let is_raised = is_more && visit.session().is_some() && flow.beside.is_none();
        let prompt = prompt(flow.max_age == Some(0) || is_raised, flow.beside.is_some());
        if !prompt.is_empty() {
            query.append_pair("prompt", &prompt.join(" "));
        }
    }
    drop(query);
    Ok(address)
}

/// How lately the person must have signed in at the upstream, where the app asks for that.
fn max_age(aim: &Aim, request: Option<&AuthorizationRequest>) -> Option<u64> {
    match (aim, request) {
        (Aim::Authorize(_), Some(request)) if request.prompt.login || request.prompt.create => Some(0),
        (Aim::Authorize(_), Some(request)) => request.max_age,
        // Whoever finds a browser open shall not lock its person out, nor here nor there.
        (Aim::SecondFactor(_) | Aim::Unlink(_), _) => Some(0),
        _ => None,
    }
}

/// What the upstream is believed to do for the level that the app asks for; whether it is asked for anything.
fn ask_for_more(
    query: &mut url::form_urlencoded::Serializer<'_, url::UrlQuery<'_>>,
    wanted: Option<Level>,
    upstream: &Upstream,
) -> bool {
    let values = wanted.map(|level| level.asked_of(&upstream.definition)).unwrap_or_default();
    if values.is_empty() {
        return false;
    }
    // "Requested Authentication Context Class Reference values." (OIDC Core §3.1.2.1)
    query.append_pair("acr_values", &values.join(" "));
    true
}

/// How the upstream shall ask the person. It knows the account that is signed in here, and would bring the same one back to who wants
/// to be another.
fn prompt(proves: bool, is_another: bool) -> Vec<&'static str> {
    // "The Authorization Server SHOULD prompt the End-User for reauthentication." (OIDC Core §3.1.2.1)
    // "The Authorization Server SHOULD prompt the End-User to select a user account." (OIDC Core §3.1.2.1)
    let wanted = [("login", proves), ("select_account", is_another)];
    wanted.into_iter().filter(|(_, is_wanted)| *is_wanted).map(|(prompt, _)| prompt).collect()
}
