//! Measured tables over λ and shells of |k|.

use anyhow::{Result, ensure};
use finescale::Grid;
use finescale::spectral::RadialBins;

use super::{Array, Model};

/// The radial shell of every mode of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Shells {
    /// Shell of each mode.
    pub of: Vec<usize>,
    /// Number of shells.
    pub count: usize,
}

impl Shells {
    /// The runtime's shells.
    pub fn new(grid: &Grid) -> Self {
        let bins = RadialBins::new(grid);
        Self { of: grid.wavenumbers().map(|k| bins.bin(k)).collect(), count: bins.count() }
    }

    /// Mean over the modes of each shell of `[channel][mode]`, as `[channel][shell]`.
    pub fn mean(&self, values: &[f64]) -> Vec<f64> {
        let mut means = Vec::new();
        for channel in values.chunks_exact(self.of.len()) {
            let mut sums = vec![(0.0, 0_u32); self.count];
            for (&shell, value) in self.of.iter().zip(channel) {
                sums[shell].0 += value;
                sums[shell].1 += 1;
            }
            means.extend(sums.iter().map(|(sum, n)| sum / f64::from((*n).max(1))));
        }
        means
    }
}

/// Ratios to what the linear predictor expects, `[λ][channel][shell]`; see the table of [`super`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// λ, rising.
    pub lambdas: Vec<f64>,
    /// Channels × shells.
    pub width: usize,
    /// S / S of the linear predictor.
    pub innovation_ratio: Vec<f32>,
    /// E|ŝ|² V.
    pub score_power: Vec<f32>,
    /// E[ŝ t*] V.
    pub score_truth: Vec<f32>,
}

impl Calibration {
    /// Of a model.
    ///
    /// # Errors
    /// If a table is missing or of the wrong size.
    pub fn of(model: &Model) -> Result<Self> {
        let shells = Shells::new(&model.meta.grid()?).count;
        let width = model.meta.channels.len() * shells;
        let lambdas = model.meta.lambdas.clone();
        let table = |name: &str| -> Result<Vec<f32>> {
            let values = &model.array(name)?.values;
            ensure!(values.len() == lambdas.len() * width, "the table `{name}` has the wrong size");
            Ok(values.clone())
        };
        Ok(Self {
            width,
            innovation_ratio: table("innovation_ratio")?,
            score_power: table("score_power")?,
            score_truth: table("score_truth")?,
            lambdas,
        })
    }

    /// Its arrays by name.
    pub fn arrays(&self, channels: usize) -> impl Iterator<Item = (String, Array)> {
        let shape = vec![self.lambdas.len(), channels, self.width / channels.max(1)];
        [
            ("innovation_ratio", &self.innovation_ratio),
            ("score_power", &self.score_power),
            ("score_truth", &self.score_truth),
        ]
        .into_iter()
        .map(move |(name, values)| {
            (name.to_owned(), Array { shape: shape.clone(), values: values.clone() })
        })
    }
}
