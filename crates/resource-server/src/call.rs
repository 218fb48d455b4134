//! What the middleware leaves with a request, for handlers to ask for.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::access::Access;
use crate::demand::{Demand, RequiredScope};
use crate::denied::Denied;
use crate::verifier::Verifier;

/// A call whose token counts for this API. It reads as the [`Access`] of the token.
#[derive(Clone, Debug)]
pub struct Call {
    access: Arc<Access>,
    address: Option<IpAddr>,
    verifier: Verifier,
}

/// A call whose token has the scopes that `R` says, and more that it may say.
pub struct Scoped<R> {
    call: Call,
    required: PhantomData<fn() -> R>,
}

impl Call {
    pub(crate) const fn new(access: Arc<Access>, address: Option<IpAddr>, verifier: Verifier) -> Self {
        Self { access, address, verifier }
    }

    /// Where it comes from, as far as that is known.
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether it meets a demand that only the call itself makes.
    ///
    /// # Errors
    /// The answer to a call that does not.
    pub fn demand(&self, demand: &Demand) -> Result<(), Denied> {
        self.verifier.demand(&self.access, demand)
    }

    /// The call, where it meets what `R` says.
    pub(crate) fn scoped<R: RequiredScope>(self) -> Result<Scoped<R>, Denied> {
        self.demand(&Demand::of::<R>())?;
        Ok(Scoped { call: self, required: PhantomData })
    }
}

impl Deref for Call {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

impl<R> Deref for Scoped<R> {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl<R> std::fmt::Debug for Scoped<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.call.fmt(f)
    }
}
