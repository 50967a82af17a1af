//! The forward process on the command line.

use anyhow::{Result, ensure};
use clap::Args;
use finescale::{ForwardProcess, Laplacian};

/// The forward process, as a training's settings have it.
#[derive(Clone, Debug, Args)]
pub struct ProcessArgs {
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
    pub const fn laplacian(&self) -> Laplacian {
        if self.finite_difference { Laplacian::FiniteDifference } else { Laplacian::Spectral }
    }

    /// As the runtime has it.
    ///
    /// # Errors
    /// If α or β² is negative or not finite.
    pub fn process(&self) -> Result<ForwardProcess> {
        let (alpha, beta2) = (self.alpha as f32, self.beta2 as f32);
        ensure!(alpha >= 0.0 && alpha.is_finite(), "--alpha is {alpha}: use 0 or more");
        ensure!(beta2 >= 0.0 && beta2.is_finite(), "--beta2 is {beta2}: use 0 or more");
        Ok(ForwardProcess::new(alpha, beta2, self.laplacian())?)
    }
}
