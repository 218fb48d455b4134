//! The frame that decide functions are tested in: one provider, one client, one moment.

use std::sync::Arc;

use grantor_jose::random::Mint;

use crate::audience::About;
use crate::client::Client;
use crate::client::tests::sample;
use crate::directory::Directory;
use crate::grant_type::Request;
use crate::params::Params;
use crate::policy::Policy;
use crate::provider::{Fresh, Issuer};
use crate::time::Time;

pub(super) struct Frame {
    pub(super) directory: Directory,
    pub(super) policy: Policy,
    pub(super) issuer: Issuer,
    pub(super) client: Arc<Client>,
    pub(super) mint: Mint,
}

impl Frame {
    pub(super) fn new() -> Self {
        Self::of(sample("wiki"))
    }

    #[expect(clippy::unwrap_used, reason = "tests")]
    pub(super) fn of(client: Client) -> Self {
        Self {
            directory: Directory::default(),
            policy: Policy::default(),
            issuer: Issuer::parse("https://id.example").unwrap(),
            client: Arc::new(client),
            mint: Mint::seeded(1),
        }
    }

    pub(super) fn request<'a>(&'a self, params: &'a Params, now: Time) -> Request<'a> {
        let about =
            About { directory: &self.directory, policy: &self.policy, issuer: &self.issuer, client: &self.client };
        Request { params, client: &self.client, directory: &self.directory, about, now }
    }

    pub(super) fn fresh(&self) -> Fresh {
        Fresh { id: self.mint.id(1), secret: self.mint.secret() }
    }
}
