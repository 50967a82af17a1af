//! The scratch of a sampling, which may lie in two memories.

use crate::Error;
use crate::checked::{OrBug, sum};

/// Scratch of [`Drawing::advance_in`](super::Drawing::advance_in), in two parts.
#[derive(Debug)]
pub struct Workspace<'s> {
    /// The score of the path, as many values as the path has. Each step goes through it a few
    /// times.
    pub score: &'s mut [f32],
    /// What the predictor and the transforms compute in:
    /// [`Sampler::work_len`](super::Sampler::work_len) values. Each layer of a network goes through
    /// it many times, so this part belongs into the fast memory.
    pub work: &'s mut [f32],
}

impl<'s> Workspace<'s> {
    /// Scratch in one part, for a path of `path` values.
    pub(super) fn new(scratch: &'s mut [f32], path: usize) -> Self {
        let at = path.min(scratch.len());
        let (score, work) = scratch.split_at_mut_checked(at).or_bug();
        Self { score, work }
    }

    /// The score of `values` values, and the other part; they were checked.
    pub(super) fn halves(&mut self, values: usize) -> (&mut [f32], &mut [f32]) {
        (self.score.get_mut(..values).or_bug(), self.work)
    }

    pub(super) fn check(&self, path: usize, work: usize) -> Result<(), Error> {
        let values = sum(&[self.score.len().min(path), self.work.len().min(work)]);
        let needed = sum(&[path, work]);
        if values < needed {
            return Err(Error::ScratchLength { values, needed });
        }
        Ok(())
    }
}
