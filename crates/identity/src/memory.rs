//! The working memory of Argon2, kept from one hash to the next.
//!
//! One hash fills 19 MiB. Memory that is taken and given back for each would be asked of the system and cleared each time; memory
//! that is kept by each thread that hashes, and by no other, is bounded by the number of those threads.

use argon2::{Block, Params};

use crate::password::parameters;

/// Working memory for one hash at a time. Empty until the first.
#[derive(Default)]
pub struct Memory {
    blocks: Vec<Block>,
}

impl Memory {
    /// Room for one hash with `params`.
    pub(crate) fn for_params(&mut self, params: &Params) -> &mut [Block] {
        if self.blocks.len() < params.block_count() {
            // Given back before more is taken, so that both are never held at once.
            self.release();
            self.blocks = vec![Block::default(); params.block_count()];
        }
        &mut self.blocks
    }

    /// Gives back what the parameters of new hashes do not need: imported ones may have needed more.
    pub(crate) fn shrink(&mut self) {
        if self.blocks.len() > parameters().block_count() {
            self.release();
        }
    }

    /// Gives everything back.
    pub fn release(&mut self) {
        self.blocks = Vec::new();
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        self.blocks.len() * Block::SIZE
    }
}
