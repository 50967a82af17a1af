//! A predictor with what it sees beside the path.

use super::{Description, Predictor, Prepared};
use crate::{Error, Field, Path};

/// A predictor with the companions of every frame of a path, for the tasks of a
/// [`Sampler`](crate::Sampler): it is [`Prepared::given`] them at every λ.
///
/// A task refuses companions that are not those of its path, and a predictor that sees companions
/// and has none. [`Online`](crate::sampler::Online), whose path moves on, refuses every predictor
/// that sees any.
pub struct Given<'p> {
    /// What predicts.
    pub predictor: &'p mut dyn Predictor,
    /// `[frame][field][y][x]`.
    pub companions: &'p Path<Field>,
}

impl Predictor for Given<'_> {
    fn describe(&self) -> &Description<'_> {
        self.predictor.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        Ok(self.predictor.prepare(lambda)?.given(self.companions))
    }
}
