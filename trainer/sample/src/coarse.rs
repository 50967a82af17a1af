//! Coarse frames: what they are, how fine ones are made coarse, and what they measure of the fine
//! ones.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use finescale::model::Model as View;
use finescale::spectral;
use finescale::{Axis, Field, Grid, Modes};
use serde::Serialize;

use super::lambda::{channel_power, power};
use super::{Domain, Fields};
use finescale_data::dataset::{SpatialAxis, Spec};
use finescale_field::coarsening::Coarsening;
use finescale_field::grid::{apply, refining_gain};
use finescale_field::noise::{Purpose, STEPS};
use finescale_field::scale::Scale;

/// What of the coarse frames the fine ones must agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observe {
    /// Nothing: they are where the sampling starts, no more
    None,
    /// The modes that the coarse grid has
    Modes,
    /// Means over cells
    Pixels,
}

/// Modes below this share of their size are lost in the rounding of what was read: nothing is
/// measured of them.
const DAMPED_AWAY: f32 = 1e-3;

/// The model's domain with fewer points, y before x.
///
/// # Errors
/// If the numbers do not fit.
pub fn coarse_grid(fine: &Grid, points: &[usize]) -> Result<Grid> {
    let axes: Vec<Axis> = fine.axes().collect();
    ensure!(
        axes.len() == points.len(),
        "the coarse grid has {} axes where the model has {}: write 8x16 for a plane, 16 for a line",
        points.len(),
        axes.len()
    );
    for (axis, &n) in axes.iter().zip(points) {
        ensure!(
            Axis::has_transform(n) && n <= axis.points(),
            "a coarse grid of {n} points does not fit the model's {}: use an even product of 2, 3 \
             and 5 from {} to {}",
            axis.points(),
            Axis::POINTS_MIN,
            axis.points()
        );
    }
    ensure!(
        axes.iter().zip(points).any(|(axis, &n)| n < axis.points()),
        "the coarse grid is the model's own, so nothing is coarse: give coarser frames, or \
         --coarsen"
    );
    Ok(fine.with_points([points[0], points[points.len() - 1]])?)
}

/// Fine frames made coarse.
pub struct Coarsener<'a> {
    /// The model's fields.
    pub domain: &'a Domain,
    /// Points of the coarse grid along y, 1 on a line, and along x.
    pub points: [usize; 2],
    /// What makes them.
    pub coarsening: Coarsening,
    /// Standard deviation of the noise that is added, in physical units, of each channel.
    pub noise: Vec<f32>,
    /// Its seed.
    pub seed: u64,
}

impl Coarsener<'_> {
    /// Coarse frames of fine ones.
    ///
    /// # Errors
    /// If something does not fit, which was checked before.
    pub fn coarsen(&self, fields: &Fields) -> Result<Fields> {
        let [ny, nx] = self.points;
        let mut values = self.values(&fields.values)?;
        let mut spec = fields.spec.clone();
        spec.x = coarse_axis(&spec.x, nx, &self.coarsening);
        spec.y = spec.y.map(|y| coarse_axis(&y, ny, &self.coarsening));
        self.add_noise(&spec, &mut values);
        Ok(Fields { spec, values })
    }

    /// Coarse values of fine ones, `[…][channel][y][x]`, without noise.
    ///
    /// # Errors
    /// If something does not fit, which was checked before.
    pub fn values(&self, values: &[f32]) -> Result<Vec<f32>> {
        let fine = &self.domain.grid;
        if self.coarsening == Coarsening::BlockMean {
            return self.coarsening.apply(fine, self.points, values);
        }
        // Modes are made of standardised fields: they are smaller, and lose less to rounding.
        let channels = self.domain.channels.iter();
        let scale: Scale<f32> = channels.map(|channel| (channel.mean, channel.std)).collect();
        let mut fields = values.to_vec();
        scale.standardise(fine.points(), &mut fields);
        let mut coarse = self.coarsening.apply(fine, self.points, &fields)?;
        scale.restore(self.points.iter().product(), &mut coarse);
        Ok(coarse)
    }

    fn add_noise(&self, spec: &Spec, values: &mut [f32]) {
        if self.noise.iter().all(|std| *std == 0.0) {
            return;
        }
        let (frames, points) = (spec.frames(), spec.points());
        for (n, frame) in values.chunks_exact_mut(spec.frame_len()).enumerate() {
            let (trajectory, number) = ((n / frames) as u32, (n % frames) as u32);
            // Results with errors of a sensor have always had their last step.
            let stream = Purpose::Sensor.stream(self.seed, trajectory, number, STEPS - 1);
            let stds = self.noise.iter().flat_map(|std| std::iter::repeat_n(std, points));
            for ((value, std), w) in frame.iter_mut().zip(stds).zip(stream.normals()) {
                *value += std * w;
            }
        }
    }
}

/// The points of a coarse axis: every b-th of the fine ones, or the middle of a cell of b points,
/// (b − 1)/2 of them further.
fn coarse_axis(fine: &SpatialAxis, points: usize, coarsening: &Coarsening) -> SpatialAxis {
    let sampled = !coarsening.is_centred(fine.boundary);
    let coordinates = if fine.points().is_multiple_of(points) {
        let block = fine.points() / points;
        let place = |cell: &[f64]| match sampled {
            true => cell[0],
            false => cell.iter().sum::<f64>() / block as f64,
        };
        fine.coordinates.chunks_exact(block).map(place).collect()
    } else {
        // Coarse points lie between fine ones.
        let ratio = fine.points() as f64 / points as f64;
        let shift = if sampled { 0.0 } else { 0.5 * (ratio - 1.0) };
        let between = |at: f64| {
            let below = (at as usize).min(fine.points() - 2);
            let (a, b) = (fine.coordinates[below], fine.coordinates[below + 1]);
            a + (b - a) * (at - below as f64)
        };
        (0..points).map(|j| between(j as f64 * ratio + shift)).collect()
    };
    SpatialAxis { coordinates, ..fine.clone() }
}

/// The points of a fine axis, from those of a coarse one: where [`Coarsener::coarsen`] would put
/// the coarse ones.
pub fn fine_axis(coarse: &SpatialAxis, points: usize, coarsening: &Coarsening) -> SpatialAxis {
    if points == coarse.points() {
        return coarse.clone();
    }
    let ratio = points as f64 / coarse.points() as f64;
    let (first, last) = (coarse.coordinates[0], coarse.coordinates[coarse.points() - 1]);
    let spacing = (last - first) / (coarse.points() - 1) as f64 / ratio;
    let sampled = !coarsening.is_centred(coarse.boundary);
    let start = if sampled { first } else { first - 0.5 * (ratio - 1.0) * spacing };
    SpatialAxis {
        coordinates: (0..points).map(|j| start + j as f64 * spacing).collect(),
        ..coarse.clone()
    }
}

/// What coarse frames say of the fine ones.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Where paths start at λ*, before noise is added: `[trajectory][frame][channel][mode]` of the
    /// fine grid.
    pub start: Vec<f32>,
    /// ŷ, the measured modes, likewise.
    pub values: Vec<f32>,
    /// r, `[channel][mode]`, infinite where nothing is measured.
    pub variances: Vec<f32>,
}

/// Takes coarse frames to the modes of the fine grid.
///
/// `noise`: standard deviation of the frames' noise in physical units, of each channel.
/// `whole_modes`: measure only modes of which both parts are measured, as rule L needs it; of the
/// coarse grid's highest wave the sine is not.
///
/// # Errors
/// If something does not fit, which was checked before.
pub fn measure(
    view: &View<'_>,
    coarse: &Fields,
    grid: &Grid,
    coarsening: &Coarsening,
    lambda: f32,
    noise: &[f32],
    whole_modes: bool,
) -> Result<Measurement> {
    let (fine, process, scale) = (view.grid(), view.process(), Scale::of(view));
    let (points, channels) = (fine.points(), view.channels());
    let noise: Vec<f32> = noise.iter().zip(&scale.std).map(|(n, std)| n / std).collect();
    let alike = noise.iter().all(|n| (n - noise[0]).abs() <= 0.01 * noise[0]);
    ensure!(
        alike || !process.is_coupled(),
        "the model couples its channels, so that --sensor-noise must be the same in their standard \
         deviations, which it is not: {noise:?}"
    );
    let mut spectra = coarse.values.clone();
    let seen = scale.spectra(grid, Field::coarse_mut(&mut spectra))?;
    let mut values = vec![0.0; seen.len() / grid.points() * points];
    spectral::refine(grid, seen, fine, Modes::from_mut(&mut values))?;
    drop(spectra);

    let gain = refining_gain(grid, fine)?;
    let full = (points as f32 / grid.points() as f32).sqrt();
    let damping = coarsening.damping(fine);
    let mut variances = Vec::with_capacity(channels * points);
    if *coarsening == Coarsening::BlockMean {
        let power = power(view)?;
        let mut inverses = vec![0.0; channels * points];
        variances.resize(channels * points, 0.0);
        for (channel, noise) in noise.iter().enumerate() {
            let range = channel * points..(channel + 1) * points;
            let (inverse, r) = (&mut inverses[range.clone()], &mut variances[range.clone()]);
            spectral::pixel_modes(fine, grid, noise * noise, &power[range], inverse, r)?;
        }
        let fields = values.chunks_exact_mut(points);
        for (field, inverse) in fields.zip(inverses.chunks_exact(points).cycle()) {
            apply(fine, inverse, field)?;
        }
    } else {
        for noise in &noise {
            variances.extend(gain.iter().zip(&damping).map(|(gain, c)| {
                let whole = !whole_modes || *gain > 0.99 * full;
                let measured = *gain > 0.0 && *c >= DAMPED_AWAY && whole;
                if measured { (noise * gain / c).powi(2) } else { f32::INFINITY }
            }));
        }
    }
    let mut start = values.clone();
    if matches!(coarsening, Coarsening::Damped { .. }) {
        for field in values.chunks_exact_mut(points) {
            for (value, c) in field.iter_mut().zip(&damping) {
                *value /= c.max(DAMPED_AWAY);
            }
        }
    } else {
        process.damp(fine, lambda, Modes::from_mut(&mut start))?;
    }
    Ok(Measurement { start, values, variances })
}

/// What share of the data's standard deviation such coarse frames have, for each channel.
///
/// # Errors
/// As [`power`].
pub fn deviations(view: &View<'_>, grid: &Grid, coarsening: &Coarsening) -> Result<Vec<f64>> {
    let fine = view.grid();
    let gain = refining_gain(grid, fine)?;
    let damping = coarsening.damping(fine);
    let share = |power: &[f32]| {
        let modes = power.iter().zip(&gain).zip(&damping).filter(|((_, gain), _)| **gain > 0.0);
        let variance: f64 = modes.map(|((power, _), c)| f64::from(power * c * c)).sum();
        (variance / fine.points() as f64).sqrt()
    };
    Ok(channel_power(view)?.chunks_exact(fine.points()).map(share).collect())
}
