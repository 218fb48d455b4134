//! Where mail goes with `--dev`: into memory, to be looked at on a page of the demo.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::Letter;

/// So many are kept, the newest.
const MOST: usize = 100;

/// Mail that nobody was sent. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct MailSink(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    taken: u64,
    mails: VecDeque<SunkMail>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct SunkMail {
    /// Its number, from 1.
    pub number: u64,
    /// What would have been sent.
    pub letter: Letter,
}

impl MailSink {
    /// Keeps a letter.
    pub(super) fn take(&self, letter: &Letter) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.taken += 1;
        let number = kept.taken;
        kept.mails.push_front(SunkMail { number, letter: letter.clone() });
        kept.mails.truncate(MOST);
    }

    /// All that are kept, the newest first.
    pub fn all(&self) -> Vec<SunkMail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mails.iter().cloned().collect()
    }

    /// One of them.
    pub fn find(&self, number: u64) -> Option<SunkMail> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.mails.iter().find(|mail| mail.number == number).cloned()
    }
}
