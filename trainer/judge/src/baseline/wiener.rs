//! The best linear estimate of every mode from its own coarse value, frame by frame.
//!
//! A mode with the prior power P, measured as y = C û + √Σ ε, has the posterior
//!
//! ```text
//! mean  C P / (C² P + Σ) · y        variance  P Σ / (C² P + Σ)
//! ```
//!
//! C = 1 for input that is not damped; Σ, of a sensor or of the forward process, is 0 for clean input, which is then
//! deconvolved; for means over cells the estimate and variance of `finescale::spectral::pixel_modes`. Modes that the coarse grid has not: mean 0, variance P.
//! The posterior of a Gaussian field without memory: what a frame alone can tell.

use anyhow::Result;
use finescale::spectral::{self, operator};
use finescale::{Grid, Laplacian, NoiseStream};

use super::{Climate, ensemble, input};
use finescale_ensemble::{Coarsening, Ensemble};
use finescale_field::noise::Purpose;

/// Below this variance, in units of the data's, a measurement is exact but for f32.
const EXACT: f32 = 1e-10;

/// The posterior mean.
///
/// # Errors
/// Without a coarse input, or if the climate is of other fields.
pub fn wiener(result: &Ensemble, climate: &Climate) -> Result<Ensemble> {
    filter(result, climate, "Wiener", 1, None)
}

/// Independent draws of the posterior.
///
/// # Errors
/// As [`wiener`].
pub fn wiener_draws(
    result: &Ensemble,
    climate: &Climate,
    members: usize,
    seed: u64,
) -> Result<Ensemble> {
    filter(result, climate, "Wiener draws", members, Some(seed))
}

fn filter(
    result: &Ensemble,
    climate: &Climate,
    method: &str,
    members: usize,
    seed: Option<u64>,
) -> Result<Ensemble> {
    climate.check(&result.spec)?;
    let input = input(result)?;
    let (fine, coarse) = (result.spec.grid()?, input.spec.grid()?);
    let origin = input.origin()?;
    let (len, coarse_len) = (result.frame_len(), input.spec.frame_len());
    let filters: Vec<Filter> = climate
        .power
        .chunks_exact(fine.points())
        .zip(origin.sensor_noise.iter().zip(&climate.scale.std))
        .map(|(power, (noise, std))| {
            let variance = (noise / *std as f32).powi(2);
            Filter::new(&fine, &coarse, origin.coarsening, power, variance)
        })
        .collect::<Result<_>>()?;
    let mut scratch = vec![0.0; spectral::scratch_len(&fine)];
    ensemble(result, method, members, seed.unwrap_or(0), |trajectory, member, path| {
        for (n, frame) in path.chunks_exact_mut(len).enumerate() {
            let place = trajectory * result.frames() + n;
            let mut values = input.values[place * coarse_len..][..coarse_len].to_vec();
            climate.standardise(&mut values);
            spectral::forward(&coarse, &mut values, &mut scratch)?;
            spectral::refine(&coarse, &values, &fine, frame)?;
            let stream =
                seed.map(|seed| Purpose::Wiener.stream(seed, member as u32, place as u32, 0));
            let mut noise = stream.as_ref().map(NoiseStream::normals);
            for (channel, filter) in frame.chunks_exact_mut(fine.points()).zip(&filters) {
                filter.apply(&fine, channel)?;
                if let Some(noise) = &mut noise {
                    let modes = channel.iter_mut().zip(&filter.deviation).zip(noise);
                    modes.for_each(|((u, deviation), w)| *u += deviation * w);
                }
            }
            spectral::inverse(&fine, frame, &mut scratch)?;
            climate.restore(frame);
        }
        Ok(())
    })
}

/// The filter of one channel.
struct Filter {
    /// What undoes the pixels, packed.
    inverse: Option<Vec<f32>>,
    gain: Vec<f32>,
    /// Of the posterior.
    deviation: Vec<f32>,
}

impl Filter {
    /// `pixel`: variance of the noise of a coarse value.
    fn new(
        fine: &Grid,
        coarse: &Grid,
        coarsening: Coarsening,
        power: &[f32],
        pixel: f32,
    ) -> Result<Self> {
        let points = fine.points();
        let mut gain = vec![0.0; points];
        let mut deviation: Vec<f32> = power.iter().map(|p| p.sqrt()).collect();
        if coarsening == Coarsening::BlockMean {
            let (mut inverse, mut variances) = (vec![0.0; points], vec![0.0; points]);
            spectral::pixel_modes(fine, coarse, pixel, power, &mut inverse, &mut variances)?;
            for (((gain, deviation), &p), &r) in
                gain.iter_mut().zip(&mut deviation).zip(power).zip(&variances)
            {
                if r.is_finite() && p > 0.0 {
                    (*gain, *deviation) = (p / (p + r), (p * r / (p + r)).sqrt());
                }
            }
            return Ok(Self { inverse: Some(inverse), gain, deviation });
        }
        let resolved = resolved(fine, coarse)?;
        let (process, lambda, noised) = match coarsening {
            Coarsening::Damped { process, lambda, noised } => (Some(process), lambda, noised),
            _ => (None, 0.0, false),
        };
        let laplacian = process.map_or(Laplacian::default(), |process| process.laplacian());
        let kappas = fine.kappas(laplacian);
        for (mode, kappa) in kappas.enumerate().filter(|(mode, _)| resolved[*mode]) {
            let c = process.map_or(1.0, |process| process.damping(kappa, lambda));
            let own = match process {
                Some(process) if noised => process.noise_variance(kappa, lambda),
                _ => 0.0,
            };
            // A coarse mode holds a share of the fine one's amplitude: its noise counts for more.
            let noise = own + pixel * points as f32 / coarse.points() as f32 + EXACT;
            let p = power[mode];
            let total = c * c * p + noise;
            (gain[mode], deviation[mode]) = (c * p / total, (p * noise / total).sqrt());
        }
        Ok(Self { inverse: None, gain, deviation })
    }

    fn apply(&self, grid: &Grid, spectrum: &mut [f32]) -> Result<()> {
        if let Some(inverse) = &self.inverse {
            let blurred = spectrum.to_vec();
            spectrum.fill(0.0);
            operator::apply(grid, inverse, &blurred, spectrum)?;
        }
        spectrum.iter_mut().zip(&self.gain).for_each(|(u, gain)| *u *= gain);
        Ok(())
    }
}

/// The modes that the coarse grid has; its highest cosine, where two fine modes meet, counts as one of them.
fn resolved(fine: &Grid, coarse: &Grid) -> Result<Vec<bool>> {
    let mut modes = vec![0.0; fine.points()];
    spectral::refine(coarse, &vec![1.0; coarse.points()], fine, &mut modes)?;
    Ok(modes.iter().map(|u| *u != 0.0).collect())
}
