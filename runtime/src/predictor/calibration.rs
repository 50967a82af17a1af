//! What was measured on a trained predictor, tabulated over λ.

use crate::Error;

/// Three tables over λ, channels and radial bins (see [`crate::spectral::RadialBins`]), `[λ][channel][bin]` each.
///
/// Between two λ values are interpolated linearly in log λ; beyond the ends the last one holds.
/// All are relative to closed forms, so that they vary little inside a bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration<'a> {
    lambdas: &'a [f32],
    channels: usize,
    bins: usize,
    innovation: &'a [f32],
    score: &'a [f32],
    denoising: &'a [f32],
}

/// A place in the tables, found once for each λ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    low: usize,
    weight: f32,
}

impl<'a> Calibration<'a> {
    /// Nothing measured: the predictor's own S, no clip of the score, and rule R is rule V.
    pub const NEUTRAL: Self =
        Self { lambdas: &[], channels: 0, bins: 0, innovation: &[], score: &[], denoising: &[] };

    /// * `lambdas`: ascending, positive.
    /// * `innovation`: one-step residual power over the linear predictor's S.
    /// * `score`: R V, with R = E ŝ² of a real mode of the path score and V = C²P + Σ.
    /// * `denoising`: Re V, with Re = 2 E ŝ t − E ŝ² and t = −(û − C û_0)/Σ, the score that knows the clean path.
    ///
    /// # Errors
    /// [`Error::Parameter`] if λ do not ascend or an entry is negative or not finite; [`Error::LengthMismatch`] if a
    /// table is not `lambdas` × `channels` × `bins` long.
    pub fn new(
        lambdas: &'a [f32],
        channels: usize,
        bins: usize,
        innovation: &'a [f32],
        score: &'a [f32],
        denoising: &'a [f32],
    ) -> Result<Self, Error> {
        let mut last = 0.0;
        for lambda in lambdas {
            last = Error::check("lambdas", *lambda, *lambda > last, "positive and ascending")?;
        }
        let values = lambdas.len() * channels * bins;
        for table in [innovation, score, denoising] {
            if table.len() != values {
                return Err(Error::LengthMismatch { left: table.len(), right: values });
            }
            for entry in table {
                Error::check("calibration", *entry, *entry >= 0.0, "finite and not negative")?;
            }
        }
        Ok(Self { lambdas, channels, bins, innovation, score, denoising })
    }

    /// Where λ stands.
    pub fn position(&self, lambda: f32) -> Position {
        let mut position = Position { low: 0, weight: 0.0 };
        for (low, pair) in self.lambdas.windows(2).enumerate() {
            if let &[below, above] = pair {
                if lambda >= above {
                    position = Position { low: low + 1, weight: 0.0 };
                } else if lambda > below {
                    let weight = libm::logf(lambda / below) / libm::logf(above / below);
                    return Position { low, weight };
                }
            }
        }
        position
    }

    /// S over the linear predictor's S; 1 where nothing was measured.
    pub fn innovation(&self, position: Position, channel: usize, bin: usize) -> f32 {
        self.at(self.innovation, position, channel, bin).unwrap_or(1.0)
    }

    /// R V; infinite where nothing was measured.
    pub fn score(&self, position: Position, channel: usize, bin: usize) -> f32 {
        self.at(self.score, position, channel, bin).unwrap_or(f32::INFINITY)
    }

    /// Re V; 1, its smallest possible value, where nothing was measured.
    pub fn denoising(&self, position: Position, channel: usize, bin: usize) -> f32 {
        self.at(self.denoising, position, channel, bin).unwrap_or(1.0)
    }

    fn at(&self, table: &[f32], position: Position, channel: usize, bin: usize) -> Option<f32> {
        if channel >= self.channels || bin >= self.bins {
            return None;
        }
        let stride = self.channels * self.bins;
        let index = position.low * stride + channel * self.bins + bin;
        let low = *table.get(index)?;
        let high = table.get(index + stride).copied().unwrap_or(low);
        Some(low + position.weight * (high - low))
    }
}
