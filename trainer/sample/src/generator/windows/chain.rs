//! How noise becomes frames, as the command line says it.

use anyhow::{Result, ensure};
use clap::Args;
use finescale_model::flex::Method;
use finescale_model::{Dydiff, Flex};
use finescale_peers::dydiff::Start;
use finescale_peers::flex::Integrator;

use crate::settings::words;

/// What is not said is as the model was configured.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct ChainArgs {
    /// With Dynamical Diffusion and FLEX: evaluations of the network for a window, or a frame
    #[arg(long, value_name = "N")]
    calls: Option<usize>,
    /// With Dynamical Diffusion: the step of the process where the chain begins
    #[arg(long, value_parser = words::<Start, _>([
        ("reference", "A stride below the last one, as the reference"),
        ("noisiest", "The last one"),
    ]))]
    chain_start: Option<Start>,
    /// With FLEX: how the network's velocities are followed from noise to a field
    #[arg(long, value_parser = words::<Integrator, _>([
        ("ddim", "A rotation for each evaluation, as the reference"),
        ("midpoint", "Two evaluations for each interval: keeps more of the spread"),
    ]))]
    integrator: Option<Integrator>,
}

impl ChainArgs {
    /// What there is to choose.
    pub const FLAGS: &str = "--calls, --chain-start and --integrator";
    /// What of it is for Dynamical Diffusion.
    pub const OF_DYDIFF: &str = "--calls and --chain-start";
    /// What of it is for FLEX.
    pub const OF_FLEX: &str = "--calls and --integrator";

    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts what was chosen over what a model says.
    ///
    /// # Errors
    /// If the process has fewer steps, or what was chosen is for FLEX.
    pub fn over_dydiff(&self, about: &Dydiff) -> Result<Dydiff> {
        ensure!(
            self.integrator.is_none(),
            "--integrator is for FLEX, and the model is of Dynamical Diffusion: leave it out"
        );
        let mut about = about.clone();
        about.calls = self.calls.unwrap_or(about.calls);
        about.start = self.chain_start.unwrap_or(about.start);
        let steps = about.process.steps;
        ensure!(
            (1..=steps).contains(&about.calls),
            "--calls is {}, and the process has {steps} steps: use 1 to {steps}",
            about.calls
        );
        Ok(about)
    }

    /// The same.
    ///
    /// # Errors
    /// If the evaluations do not go with the integrator, or what was chosen is not for the model.
    pub fn over_flex(&self, about: &Flex) -> Result<Flex> {
        ensure!(
            self.chain_start.is_none(),
            "--chain-start is for Dynamical Diffusion, and the model is of FLEX: leave it out"
        );
        ensure!(
            about.method == Method::Flex || self.is_empty(),
            "--calls and --integrator are for diffusion, and the model is a regression: leave them \
             out"
        );
        let mut about = about.clone();
        about.integrator = self.integrator.unwrap_or(about.integrator);
        about.calls = self.calls.unwrap_or(about.calls);
        let per = about.integrator.calls(1);
        ensure!(
            about.calls > 0 && about.calls.is_multiple_of(per),
            "--calls is {}, and the integrator takes {per} for each interval: use a multiple of it",
            about.calls
        );
        Ok(about)
    }
}
