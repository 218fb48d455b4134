//! Receipts of signing out: which apps were told, and which were not.

use grantor_core::backchannel_logout::{LogoutNotice, Outcome, Standing};
use grantor_core::directory::Directory;
use grantor_core::store::StoreError;
use grantor_core::user::User;

use super::Frame;
use crate::visit::Visit;

/// So many are shown, the newest.
const MOST: u32 = 20;

/// What became of telling one app.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// What the app calls itself.
    pub app: String,
    /// When the person was signed out, in seconds.
    pub at: i64,
    /// How far it has come.
    pub telling: Telling,
}

/// How far telling an app has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Telling {
    /// The app has signed the person out.
    Done,
    /// It could not be reached, or refused.
    Failed,
    /// It is being tried.
    Trying,
}

impl Telling {
    /// The sentence for it.
    pub fn sentence(self, frame: &Frame) -> String {
        frame.t(match self {
            Self::Done => "receipt-done",
            Self::Failed => "receipt-failed",
            Self::Trying => "receipt-trying",
        })
    }
}

/// The newest of a person.
///
/// # Errors
/// Those of the store.
pub(super) async fn of(visit: &Visit, user: &User) -> Result<Vec<Receipt>, StoreError> {
    let notices = visit.app.provider.store.logout_notices_of(user.id, MOST).await?;
    let directory = visit.app.directory();
    Ok(notices.iter().map(|notice| Receipt::of(notice, &directory)).collect())
}

#[cfg(test)]
impl Receipt {
    pub(super) fn samples() -> Vec<Self> {
        use super::samples::{DAY, HOSTILE, NOW};
        let receipt = |app: &str, days: i64, telling| Self { app: app.to_owned(), at: NOW - days * DAY, telling };
        vec![
            receipt("Wiki", 0, Telling::Trying),
            receipt("Mail", 1, Telling::Done),
            receipt(HOSTILE, 2, Telling::Failed),
        ]
    }
}

impl Receipt {
    fn of(notice: &LogoutNotice, directory: &Directory) -> Self {
        let client = directory.clients.get(&notice.key.client_id);
        Self {
            app: client.map_or(notice.key.client_id.as_str(), |client| client.name()).to_owned(),
            at: notice.ended_at.seconds(),
            telling: match notice.standing {
                Standing::Waiting(_) => Telling::Trying,
                Standing::Over(_, Outcome::Delivered) => Telling::Done,
                Standing::Over(_, Outcome::GivenUp | Outcome::Refused) => Telling::Failed,
            },
        }
    }
}
