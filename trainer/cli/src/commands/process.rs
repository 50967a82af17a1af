//! The forward process on the command line.

use anyhow::{Result, ensure};
use clap::Args;
use finescale::{ForwardProcess, Laplacian};

/// The forward process, as a training's settings have it.
#[derive(Clone, Debug, Args)]
pub(super) struct ProcessArgs {
    /// Damping strength α of the forward process
    #[arg(long, default_value_t = 0.1)]
    pub alpha: f64,
    /// Square of its noise strength, β²
    #[arg(long, default_value_t = 2.0)]
    pub beta2: f64,
    /// Damp by the finite-difference Laplacian instead of |k|²
    #[arg(long)]
    pub finite_difference: bool,
}

impl ProcessArgs {
    /// κ.
    pub(super) const fn laplacian(&self) -> Laplacian {
        if self.finite_difference { Laplacian::FiniteDifference } else { Laplacian::Spectral }
    }

    /// As the runtime has it.
    ///
    /// # Errors
    /// If α is negative, β² not positive, or one of them above 1e6.
    pub(super) fn process(&self) -> Result<ForwardProcess> {
        let (alpha, beta2) = (self.alpha as f32, self.beta2 as f32);
        ensure!((0.0..=1e6).contains(&alpha), "--alpha is {alpha}: use 0 to 1e6");
        ensure!(beta2 > 0.0 && beta2 <= 1e6, "--beta2 is {beta2}: use a positive number up to 1e6");
        Ok(ForwardProcess::new(alpha, beta2, self.laplacian())?)
    }
}
