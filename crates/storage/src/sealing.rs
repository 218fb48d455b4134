//! What is sealed in the database: each value for its own place, so that a value moved to another row does not open there.

use std::fmt::Display;
use std::sync::Arc;

use grantor_jose::random::Mint;
use grantor_jose::seal::KeyEncryptionKey;
use zeroize::Zeroizing;

use crate::error::Failure;

/// Where a sealed value stands: the row by its number, or by its name.
#[derive(Clone, Copy)]
pub(crate) struct Slot<I = i64> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) id: I,
}

impl<I: Display + Copy> Slot<I> {
    fn text(self) -> String {
        format!("{}/{}/{}", self.table, self.column, self.id)
    }
}

/// The key-encryption key and a source of randomness.
pub(crate) struct Sealer {
    key: KeyEncryptionKey,
    mint: Arc<Mint>,
}

impl Sealer {
    pub(crate) const fn new(key: KeyEncryptionKey, mint: Arc<Mint>) -> Self {
        Self { key, mint }
    }

    pub(crate) fn seal<I: Display + Copy>(&self, slot: Slot<I>, plaintext: &[u8]) -> Vec<u8> {
        self.key.seal(plaintext, slot.text().as_bytes(), self.mint.random())
    }

    /// Seals 32 new random bytes.
    pub(crate) fn seal_random(&self, slot: Slot) -> Vec<u8> {
        let bytes = Zeroizing::new(self.mint.bytes::<32>());
        self.seal(slot, &*bytes)
    }

    /// Seals 32 new random bytes, and `kept` behind them.
    pub(crate) fn seal_random_before<I: Display + Copy>(&self, slot: Slot<I>, kept: &[u8]) -> Vec<u8> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + kept.len()));
        bytes.extend_from_slice(&*Zeroizing::new(self.mint.bytes::<32>()));
        bytes.extend_from_slice(kept);
        self.seal(slot, &bytes)
    }

    pub(crate) fn open<I: Display + Copy>(&self, slot: Slot<I>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let opened = self.key.open(sealed, slot.text().as_bytes());
        let Slot { table, column, id } = slot;
        opened.map_err(|source| Failure::Sealed { table, column, id: id.to_string(), source })
    }
}
