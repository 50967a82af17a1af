//! How a result's coarse input was made, said on the command line where its file does not say it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use finescale::{ForwardProcess, Values};

use super::process::ProcessArgs;
use finescale_ensemble::{Ensemble, Origin};
use finescale_field::coarsening::Coarsening;

/// What the values of coarse frames are, as options say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InputKind {
    /// The modes that the coarse grid has, damped as at λ*
    Damped,
    /// The modes that the coarse grid has, at full strength
    Modes,
    /// Means over the cells of the coarse grid, as sensors give
    BlockMean,
}

impl InputKind {
    /// What makes such frames of fine ones; `process` and λ* are what damps.
    ///
    /// # Errors
    /// If the process is to damp and couples channels.
    pub(super) fn coarsening(self, process: &ForwardProcess, lambda: f32) -> Result<Coarsening> {
        Ok(match self {
            Self::Damped => {
                ensure!(
                    !process.is_coupled(),
                    "--input damped is for a model whose channels are independent, and this one \
                     couples them: use --input modes or block-mean"
                );
                Coarsening::Damped { process: *process, lambda, noised: false }
            }
            Self::Modes => Coarsening::Modes,
            Self::BlockMean => Coarsening::BlockMean,
        })
    }

    /// The same of a sensor, which never damps.
    pub(super) fn sensor(self) -> Option<Values> {
        match self {
            Self::Damped => None,
            Self::Modes => Some(Values::Points),
            Self::BlockMean => Some(Values::BlockMeans),
        }
    }
}

/// How the coarse input of results was made whose files do not say it.
#[derive(Clone, Debug, Args)]
pub(super) struct OriginArgs {
    /// What the values of the coarse input are, of results that do not say it
    #[arg(long, value_enum, value_name = "KIND")]
    input: Option<InputKind>,
    /// With --input damped: the λ to which --alpha, --beta2 and --finite-difference damped it
    #[arg(long, value_name = "λ", requires = "input")]
    input_lambda: Option<f32>,
    /// Standard deviation of its values' errors, in their units: one for all channels or one for
    /// each; by default 0
    #[arg(long, value_name = "STD,…", value_delimiter = ',', requires = "input")]
    sensor_noise: Vec<f32>,
    #[command(flatten)]
    process: ProcessArgs,
}

impl OriginArgs {
    /// Reads a result, and says how its coarse input was made where its file does not.
    ///
    /// # Errors
    /// If it cannot be read; if neither it nor the options say that, or both do and differ.
    pub(super) fn read(&self, path: &Path) -> Result<Ensemble> {
        let mut result = Ensemble::read(path)?;
        let channels = result.spec.channels.len();
        let Some(input) = &mut result.input else { return Ok(result) };
        if let Some(said) = self.said(channels)? {
            let written = input.origin.get_or_insert_with(|| said.clone());
            ensure!(
                *written == said,
                "{} says itself that its coarse input was made by {}: leave --input out",
                path.display(),
                written.coarsening.describe()
            );
        }
        input.origin().with_context(|| path.display().to_string())?;
        Ok(result)
    }

    /// What the options say.
    fn said(&self, channels: usize) -> Result<Option<Origin>> {
        let Some(kind) = self.input else { return Ok(None) };
        let lambda = match (kind, self.input_lambda) {
            (InputKind::Damped, None) => None,
            (InputKind::Damped, Some(lambda)) => Some(lambda).filter(|l| *l > 0.0 && *l <= 1.0),
            (InputKind::Modes | InputKind::BlockMean, _) => Some(0.0),
        };
        let lambda = lambda.context(
            "--input damped needs the λ that it was damped to: give --input-lambda, above 0 and at \
             most 1",
        )?;
        let coarsening = kind.coarsening(&self.process.process()?, lambda)?;
        let sensor_noise = sensor_noise(&self.sensor_noise, channels)?;
        Ok(Some(Origin { coarsening, sensor_noise }))
    }
}

/// One standard deviation for each channel, from `--sensor-noise`.
///
/// # Errors
/// If their number does not fit, or one is negative.
pub(super) fn sensor_noise(given: &[f32], channels: usize) -> Result<Vec<f32>> {
    let noise = match given {
        [] => vec![0.0; channels],
        &[one] => vec![one; channels],
        list => list.to_vec(),
    };
    ensure!(
        noise.len() == channels,
        "--sensor-noise has {} values for {channels} channels: give one, or one for each",
        noise.len()
    );
    ensure!(
        noise.iter().all(|std| *std >= 0.0 && std.is_finite()),
        "--sensor-noise is {noise:?}: standard deviations are 0 or positive"
    );
    Ok(noise)
}
