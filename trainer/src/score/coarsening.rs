//! How coarse frames come from fine ones.

use anyhow::{Context, Result, bail, ensure};
use finescale::spectral;
use finescale::{ForwardProcess, Grid};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dataset::Spec;
use crate::ensemble::Ensemble;

/// What made a coarse frame of a fine one. All are linear and keep a constant field as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Coarsening {
    /// The modes that the coarse grid has: band-limited values at its points.
    Modes,
    /// The same of the field damped by C(λ), the forward process without or with its noise √Σ(λ).
    Damped {
        /// The forward process.
        process: ForwardProcess,
        /// λ.
        lambda: f32,
        /// Whether the coarse frames have the noise, in standard deviations of the channel.
        noised: bool,
    },
    /// Means over blocks of points, as a sensor's pixels.
    BlockMean,
}

impl Coarsening {
    /// How a result's input was made: what its settings say, else whichever of modes and means makes the input from the
    /// truth with the smaller error.
    ///
    /// # Errors
    /// If the settings say something else, or the coarse grid does not fit.
    pub fn of(ensemble: &Ensemble) -> Result<Self> {
        let settings = &ensemble.provenance.settings;
        if let Some(written) = settings.get("coarsening") {
            return Self::deserialize(written)
                .context("the result's setting `coarsening` is not understood");
        }
        match settings.pointer("/task/input").and_then(Value::as_str) {
            Some("modes") => return Ok(Self::Modes),
            Some("block-mean") => return Ok(Self::BlockMean),
            Some("damped") => {
                let process = settings.pointer("/task/process");
                let lambda = settings.pointer("/sampler/lambda").and_then(Value::as_f64);
                let (process, lambda) = process.zip(lambda).context(
                    "the result does not say what damped its input (settings `task.process` and `sampler.lambda`): \
                     make it again with this version",
                )?;
                let process = ForwardProcess::deserialize(process)
                    .context("the result's setting `task.process` is not understood")?;
                return Ok(Self::Damped { process, lambda: lambda as f32, noised: false });
            }
            Some(other) => {
                bail!("the result's input is `{other}`, which this version does not know")
            }
            None => {}
        }
        let (Some(input), Some(truth)) = (&ensemble.input, ensemble.true_frame(0, 0)) else {
            return Ok(Self::Modes);
        };
        let error = |kind: Self| -> Result<f64> {
            let coarse = kind.apply(&ensemble.spec, &input.spec, truth)?;
            let pairs = coarse.iter().zip(&input.values);
            Ok(pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum())
        };
        let means = error(Self::BlockMean)? < error(Self::Modes)?;
        Ok(if means { Self::BlockMean } else { Self::Modes })
    }

    /// Standard deviation of the noise that was added to the coarse values of each channel, in its units.
    pub fn sensor_noise(ensemble: &Ensemble) -> Vec<f32> {
        let settings = &ensemble.provenance.settings;
        let written = settings.get("sensor_noise").or(settings.pointer("/task/sensor_noise"));
        let mut noise: Vec<f32> = written
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_f64).map(|std| std as f32).collect())
            .unwrap_or_default();
        noise.resize(ensemble.spec.channels.len(), 0.0);
        noise
    }

    /// Makes a coarse frame, `[channel][y][x]`, without noise.
    ///
    /// # Errors
    /// If `coarse` is not the same domain with fewer points.
    pub fn apply(&self, fine: &Spec, coarse: &Spec, frame: &[f32]) -> Result<Vec<f32>> {
        let (fine_grid, coarse_grid) = (fine.grid()?, coarse.grid()?);
        if let Self::BlockMean = self {
            return pixels(&fine_grid, &coarse_grid, frame);
        }
        let mut spectrum = frame.to_vec();
        let mut scratch = vec![0.0; spectral::scratch_len(&fine_grid)];
        spectral::forward(&fine_grid, &mut spectrum, &mut scratch)?;
        if let Self::Damped { process, lambda, .. } = self {
            process.damp(&fine_grid, *lambda, &mut spectrum)?;
        }
        let channels = frame.len() / fine_grid.points();
        let mut out = vec![0.0; channels * coarse_grid.points()];
        spectral::coarsen(&fine_grid, &spectrum, &coarse_grid, &mut out)?;
        spectral::inverse(&coarse_grid, &mut out, &mut scratch)?;
        Ok(out)
    }

    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Self::Modes => "the modes of the coarse grid".into(),
            Self::BlockMean => "means over cells".into(),
            Self::Damped { process, lambda, noised } => {
                let noise = if *noised { " with its noise" } else { "" };
                format!("damping, α = {}, λ = {lambda}{noise}", process.alpha())
            }
        }
    }
}

fn pixels(fine: &Grid, coarse: &Grid, frame: &[f32]) -> Result<Vec<f32>> {
    let (by, bx) = (fine.ny() / coarse.ny(), fine.nx() / coarse.nx());
    ensure!(
        by * coarse.ny() == fine.ny() && bx * coarse.nx() == fine.nx(),
        "pixels of a coarse grid with more points than the fine one do not exist"
    );
    let scale = 1.0 / (by * bx) as f64;
    let mut out = Vec::with_capacity(frame.len() / (by * bx));
    for field in frame.chunks_exact(fine.points()) {
        for y in 0..coarse.ny() {
            for x in 0..coarse.nx() {
                let rows =
                    (y * by..(y + 1) * by).map(|row| &field[row * fine.nx() + x * bx..][..bx]);
                let sum: f64 = rows.flatten().map(|&v| f64::from(v)).sum();
                out.push((sum * scale) as f32);
            }
        }
    }
    Ok(out)
}
