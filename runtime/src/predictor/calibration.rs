//! What was measured on a trained predictor, tabulated over λ.

use crate::Error;
use crate::checked::{self, Place, product, sum};

/// Tables over λ, channels and radial bins (see [`crate::spectral::RadialBins`]),
/// `[λ][channel][bin]` each.
///
/// Between two λ values are interpolated linearly in log λ; beyond the ends the last one holds.
/// All are relative to closed forms, so that they vary little inside a bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration<'a> {
    lambdas: &'a [f32],
    channels: usize,
    bins: usize,
    innovation: &'a [f32],
    path: ScoreTables<'a>,
    head: ScoreTables<'a>,
}

/// Second moments of a score ŝ of real modes, with V = C²P + Σ.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScoreTables<'a> {
    /// V E ŝ² on noised paths of the data.
    pub power: &'a [f32],
    /// V E ŝ t on the same paths, with t = −(û − C û_0)/Σ, the score that knows the clean path.
    pub truth: &'a [f32],
    /// V E ŝ² on paths that the sampler itself has drawn.
    pub drawn_power: &'a [f32],
    /// E û ŝ on the same paths: −1 of a score that fits them.
    pub drawn_state: &'a [f32],
}

impl<'a> ScoreTables<'a> {
    const NONE: Self = Self { power: &[], truth: &[], drawn_power: &[], drawn_state: &[] };

    fn each(&self) -> [&'a [f32]; 4] {
        [self.power, self.truth, self.drawn_power, self.drawn_state]
    }
}

/// [`ScoreTables`] at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// V E ŝ² on noised paths of the data.
    pub power: f32,
    /// V E ŝ t on the same paths.
    pub truth: f32,
    /// V E ŝ² on drawn paths.
    pub drawn_power: f32,
    /// E û ŝ on drawn paths.
    pub drawn_state: f32,
}

/// A place in the tables, found once for each λ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    low: usize,
    weight: f32,
}

impl<'a> Calibration<'a> {
    /// Nothing measured: the predictor's own S, scores as they are, without bounds.
    pub const NEUTRAL: Self = Self {
        lambdas: &[],
        channels: 0,
        bins: 0,
        innovation: &[],
        path: ScoreTables::NONE,
        head: ScoreTables::NONE,
    };

    /// * `lambdas`: ascending, positive.
    /// * `innovation`: one-step residual power over the linear predictor's S, positive: scores are
    ///   divided by it.
    /// * `path`: moments of the path score; `head`: of the score head's, if there is one.
    ///
    /// # Errors
    /// [`Error::Parameter`] if λ do not ascend, an entry is not finite, a power is negative or an
    /// innovation not positive; [`Error::LengthMismatch`] if a table is not `lambdas` × `channels`
    /// × `bins` long.
    pub fn new(
        lambdas: &'a [f32],
        channels: usize,
        bins: usize,
        innovation: &'a [f32],
        path: ScoreTables<'a>,
        head: Option<ScoreTables<'a>>,
    ) -> Result<Self, Error> {
        let mut last = 0.0;
        for lambda in lambdas {
            last =
                Error::check("lambdas", *lambda, *lambda > last, "positive, finite and ascending")?;
        }
        let values = product(&[lambdas.len(), channels, bins]);
        let check = |name, table: &[f32], holds: fn(f32) -> bool, expected| {
            if table.len() != values {
                return Err(Error::LengthMismatch { left: table.len(), right: values });
            }
            for entry in table {
                Error::check(name, *entry, holds(*entry), expected)?;
            }
            Ok(())
        };
        check("innovation", innovation, |ratio| ratio > 0.0, "positive and finite")?;
        for scores in [Some(path), head].into_iter().flatten() {
            for (name, table) in [("power", scores.power), ("drawn_power", scores.drawn_power)] {
                check(name, table, |power| power >= 0.0, "finite and not negative")?;
            }
            for (name, table) in [("truth", scores.truth), ("drawn_state", scores.drawn_state)] {
                check(name, table, |_| true, "finite")?;
            }
        }
        let head = head.unwrap_or_default();
        Ok(Self { lambdas, channels, bins, innovation, path, head })
    }

    /// Where λ stands.
    pub fn position(&self, lambda: f32) -> Position {
        let mut position = Position { low: 0, weight: 0.0 };
        let pairs = self.lambdas.iter().zip(self.lambdas.iter().skip(1));
        for (low, (below, above)) in checked::numbered(pairs) {
            if lambda >= *above {
                position = Position { low: low.plus(1), weight: 0.0 };
            } else if lambda > *below {
                let weight = libm::logf(lambda / below) / libm::logf(above / below);
                return Position { low, weight };
            }
        }
        position
    }

    /// S over the linear predictor's S; 1 where nothing was measured.
    pub fn innovation(&self, position: Position, channel: usize, bin: usize) -> f32 {
        self.at(self.innovation, position, channel, bin).unwrap_or(1.0)
    }

    /// Moments of the path score; `None` where nothing was measured.
    pub fn path_score(&self, position: Position, channel: usize, bin: usize) -> Option<Moments> {
        self.moments(&self.path, position, channel, bin)
    }

    /// Moments of the score head's score; `None` where nothing was measured.
    pub fn head_score(&self, position: Position, channel: usize, bin: usize) -> Option<Moments> {
        self.moments(&self.head, position, channel, bin)
    }

    fn moments(
        &self,
        tables: &ScoreTables<'a>,
        position: Position,
        channel: usize,
        bin: usize,
    ) -> Option<Moments> {
        let mut tables = tables.each().into_iter();
        let mut next = || self.at(tables.next()?, position, channel, bin);
        let (power, truth) = (next()?, next()?);
        Some(Moments { power, truth, drawn_power: next()?, drawn_state: next()? })
    }

    fn at(&self, table: &[f32], position: Position, channel: usize, bin: usize) -> Option<f32> {
        if channel >= self.channels || bin >= self.bins {
            return None;
        }
        let (stride, row) = (product(&[self.channels, self.bins]), product(&[channel, self.bins]));
        let index = sum(&[product(&[position.low, stride]), row, bin]);
        let low = *table.get(index)?;
        // Behind the last λ its value holds.
        let high = table.get(sum(&[index, stride])).copied().unwrap_or(low);
        Some(low + position.weight * (high - low))
    }
}
