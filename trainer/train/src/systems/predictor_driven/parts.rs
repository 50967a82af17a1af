//! The paths that are learned, with what is known beside them: those of a data set, or the
//! residuals of a conditional mean.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use finescale::{Field, ForwardProcess};
use finescale_data::dataset::{SpectralFrames, Split};
use finescale_field::scale::Scale;
use finescale_model::{Given, model_path};
use finescale_sample::residuals::Residuals;
use finescale_sample::{HostMean, MEAN_FILE};

use crate::run::TrainingRun;

/// Training and validation part.
pub(super) struct Parts {
    pub(super) train: Part,
    pub(super) valid: Part,
    /// The mean whose residuals they are.
    pub(super) mean: Option<Mean>,
}

/// One part.
pub(super) struct Part {
    pub(super) frames: SpectralFrames,
    /// Companions of every frame, `[frame][field][y][x]`; none of the fields themselves.
    pub(super) companions: Vec<f32>,
}

/// A conditional mean that paths are residuals of.
pub(super) struct Mean {
    /// Its file, of which the run's folder gets a copy.
    pub(super) file: Vec<u8>,
    pub(super) given: Given,
    /// Standard deviation of its residuals on the validation part, of every channel.
    pub(super) deviations: Vec<f64>,
}

impl Parts {
    /// Reads what the settings ask for.
    ///
    /// # Errors
    /// If the data set has no such parts, or the mean does not fit it.
    pub(super) fn read(run: &TrainingRun) -> Result<Self> {
        let process = run.config.process.forward()?;
        let channels = run.reader.spec().channels.len();
        ensure!(
            !process.is_coupled() || channels == 2,
            "process.coupling couples two channels, and the data have {channels}: set it to 0"
        );
        let given = &run.config.predictor.given;
        if given.is_empty() {
            let part = |split| -> Result<Part> {
                let mut frames = SpectralFrames::read(&run.reader, split)?;
                process.mix(frames.grid.points(), &mut frames.values);
                Ok(Part { frames, companions: Vec::new() })
            };
            return Ok(Self { train: part(Split::Train)?, valid: part(Split::Valid)?, mean: None });
        }
        let path = match &run.begin {
            Some(_) => model_path(Path::new(given)),
            // A run that goes on has its copy.
            None => run.folder.join(MEAN_FILE),
        };
        let shown = path.display();
        let named = || format!("predictor.given is {given}");
        ensure!(
            finescale_model::system(&path).with_context(named)? == "conditional-mean",
            "predictor.given: {shown} is no conditional mean: train one with `finescale train \
             --sensor`"
        );
        let file = std::fs::read(&path).with_context(|| format!("{shown} cannot be read"))?;
        let mean = HostMean::open(&path).with_context(named)?;
        println!("computing the means of all frames");
        let part = |split| Residuals::read(&mean, &run.reader, split, run.config.seed);
        let (train, valid) = (part(Split::Train)?, part(Split::Valid)?);
        let deviations = valid.deviations();
        let given = Given { hash: mean.hash().to_owned() };
        let (train, valid) = (standardised(train, &process)?, standardised(valid, &process)?);
        Ok(Self { train, valid, mean: Some(Mean { file, given, deviations }) })
    }
}

/// Residuals in standard deviations of their own part: a mean knows the frames that it was trained
/// on too well, so their residuals have the shape of others and not their size.
fn standardised(residuals: Residuals, process: &ForwardProcess) -> Result<Part> {
    let std = residuals.deviations();
    let Residuals { grid, channels, segments, mut fields, companions } = residuals;
    ensure!(
        std.iter().all(|std| *std > 0.0),
        "predictor.given leaves nothing of some channel: there is nothing to learn"
    );
    let scale: Scale = std.into_iter().map(|std| (0.0, std)).collect();
    scale.spectra(&grid, Field::from_mut(&mut fields))?;
    process.mix(grid.points(), &mut fields);
    Ok(Part { frames: SpectralFrames { grid, channels, segments, values: fields }, companions })
}
