//! Sign-in through an upstream, step by step.
//!
//! 1. A button on the sign-in page posts to `/upstreams/{name}/start` (`start`). The request that waits there, and what names this
//!    sign-in, are sealed into `state` for this upstream, this browser and ten minutes; nothing is kept. The answer is a page that
//!    goes on by itself, and no redirect, because browsers hold what follows a form to the addresses of `form-action`.
//! 2. The person proves there who they are, and comes back to `/upstreams/{name}/callback` (`callback`): one address for each
//!    upstream, so that an answer of one is never taken for that of another. `state` is opened and spent, the code is redeemed
//!    (`exchange`), and the ID token checked (`grantor_core::upstream::id_token`) or the profile read.
//! 3. Who that is here is decided by `grantor_identity::upstream`, and committed (`arrive`). A session begins as after any sign-in,
//!    and the person goes on to `/authorize`, or to the account.
//! 4. Whom no link knows proves an account here once: by the sign-in page, and then a page that asks whether to link
//!    (`pages::upstream_link`).
//! 5. When the upstream says that the session there has ended, it ends here (`logout`).
//!
//! What goes wrong ends on a page in words (`pages::upstream_failed`), with an event that has the reason.

pub(crate) mod arrive;
pub(crate) mod callback;
mod discovery;
mod exchange;
pub(crate) mod logout;
pub(crate) mod start;

use std::sync::Arc;

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::Upstream;
use grantor_core::upstream::flow::{Aim, Holder};
use grantor_jose::id::Id;

pub(crate) use discovery::{Discoveries, Metadata};

use crate::outbound::{Asker, Door, Turns};
use crate::routes;
use crate::visit::Visit;
use crate::waiting::{for_second_factor, for_unlink};

/// How many answers of upstreams are looked at at once, of all addresses and of each: each lets an upstream be asked, also one that
/// somebody made up, and an upstream's turns shall not be taken by one.
const ARRIVING: (usize, usize) = (64, 4);

/// How often a decision is made again when somebody else changed its facts meanwhile.
const MAX_RACES: usize = 4;

/// Why a sign-in through an upstream does not go on.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The reason.
    pub(crate) error: Error,
    /// What else the event says; never a secret.
    pub(crate) detail: String,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, detail: String::new() }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl Refused {
    fn with(error: Error, detail: &(impl ToString + ?Sized)) -> Self {
        Self { error, detail: detail.to_string() }
    }
}

/// Nobody is arriving yet.
pub(crate) fn arriving() -> Arc<Turns> {
    Arc::new(Turns::of(ARRIVING.0, ARRIVING.1))
}

/// The upstream of a request's path, unless it is switched off.
pub(crate) fn named(visit: &Visit) -> Option<Arc<Upstream>> {
    let directory = visit.app.directory();
    directory.upstream(visit.request.match_info().get("name")?).cloned()
}

/// For whom what travels through an upstream is sealed.
pub(crate) fn holder<'a>(visit: &'a Visit, upstream: &Upstream) -> Holder<'a> {
    Holder { upstream_id: upstream.id, browser: visit.mark() }
}

/// The door for what an upstream names.
fn door<'a>(visit: &'a Visit, upstream: &'a Upstream) -> Door<'a> {
    Door { app: &visit.app, asker: Asker::Upstream(&upstream.definition.name) }
}

/// The address that an upstream sends people back to.
pub(crate) fn callback_address(visit: &Visit, upstream: &Upstream) -> String {
    visit.app.provider.issuer.at(&routes::upstream(&upstream.definition.name, "callback"))
}

/// Notes why a sign-in did not go on; the number of the event is the case number.
///
/// Strangers can bring it about, so it goes to the ring of failed sign-ins.
pub(crate) async fn record(visit: &Visit, upstream: Option<&Upstream>, refused: &Refused, user_id: Option<Id>) -> Id {
    let id = visit.app.id();
    let name = upstream.map_or("unknown upstream", |upstream| upstream.definition.name.as_str());
    let colon = if refused.detail.is_empty() { "" } else { ": " };
    let mut event = Event::new(id, visit.now, EventKind::SignInFailed)
        .reason(refused.error.reason())
        .address(&visit.address)
        .detail(&format!("{name}{colon}{}", refused.detail));
    event.user_id = user_id;
    if let Err(failure) = visit.app.provider.store.commit(vec![Change::RefusalInsert(Box::new(event))]).await {
        tracing::warn!(case = %id, reason = refused.error.reason(), %failure, "a refusal could not be recorded");
    }
    id
}

/// Where a sign-in that did not go on is begun again: the sign-in page, with what waits for it.
pub(crate) fn again(visit: &Visit, aim: &Aim) -> String {
    on(visit, routes::SIGN_IN, aim)
}

/// The choice of accounts, with what waits for it.
pub(crate) fn choice(visit: &Visit, aim: &Aim) -> String {
    on(visit, routes::SELECT_ACCOUNT, aim)
}

fn on(visit: &Visit, page: &str, aim: &Aim) -> String {
    use crate::oauth::authorize::on_page;
    match aim {
        Aim::Authorize(interaction) => on_page(visit, page, interaction).unwrap_or_else(|_| page.to_owned()),
        Aim::Enter(entry) => format!("{page}?request={}", entry.seal(&visit.app.directory().secrets.browser)),
        Aim::Link => routes::SIGN_IN_WAYS.to_owned(),
        Aim::Page(name) => format!("{page}?request={name}"),
        Aim::SecondFactor(interaction) => {
            let key = &visit.app.directory().secrets.browser;
            let request = interaction.as_ref().map(|interaction| interaction.seal(key, visit.mark()));
            let carried = for_second_factor(request.as_deref().unwrap_or_default());
            format!("{page}?request={carried}")
        }
        Aim::Unlink(link) => format!("{page}?request={}", for_unlink(*link)),
        Aim::Account => page.to_owned(),
    }
}
