//! The ways in that are not the password.

use std::sync::Arc;

use grantor_core::upstream::{Upstream, UpstreamKind};

use super::{Opened, Way};
use crate::visit::Visit;

impl Opened {
    /// The other ways in; none where an account here is to be proven. Where the app asks when the person signed in, only those that
    /// can tell; and those that cannot.
    pub(super) fn ways(&self, visit: &Visit) -> (Vec<Way>, Vec<Way>) {
        if self.link.is_some() {
            return (Vec::new(), Vec::new());
        }
        let directory = visit.app.directory();
        let is_timed = self.waiting.is_timed();
        let fits = |upstream: &Upstream| !is_timed || upstream.definition.kind == UpstreamKind::Oidc;
        let enabled = directory.upstreams.values().filter(|upstream| !upstream.definition.disabled);
        let (fit, unfit): (Vec<_>, Vec<_>) = enabled.partition(|upstream| fits(upstream));
        let named =
            |upstreams: Vec<_>| upstreams.into_iter().map(|upstream: &Arc<Upstream>| Way::of(upstream)).collect();
        (named(fit), named(unfit))
    }
}
