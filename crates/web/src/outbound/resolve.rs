//! Looking up names, so that what was checked is what is connected to.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::Guard;

/// The system's names.
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is that of the URL, which the connection knows.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Names whose addresses have been checked. The client connects to what it is given here, and to nothing else.
pub(crate) struct Checked {
    pub(super) guard: Arc<Guard>,
    names: Arc<dyn Resolve>,
}

impl Checked {
    pub(super) fn new(guard: Arc<Guard>, names: Arc<dyn Resolve>) -> Self {
        Self { guard, names }
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Checked({:?})", self.guard)
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, host) = (Arc::clone(&self.guard), name.as_str().to_owned());
        let found = self.names.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await?.collect();
            // One bad address among good ones is no accident: the name is refused as a whole.
            for address in &found {
                guard.check_address(&host, address.ip())?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
