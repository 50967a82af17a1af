//! How the coarse frames of a result came to be.

use serde::{Deserialize, Serialize};

use finescale_field::coarsening::Coarsening;

/// How the coarse frames of a result came to be, as far as scores and baselines must know. What
/// makes a result writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What made them of fine ones.
    pub coarsening: Coarsening,
    /// Standard deviation of the errors that their values have beside it, in the units of each
    /// channel.
    pub sensor_noise: Vec<f32>,
}
