//! The best linear estimate of every mode from its own coarse value, frame by frame.
//!
//! A mode with the prior power P, measured as y = C û + √Σ ε, has the posterior
//!
//! ```text
//! mean  C P / (C² P + Σ) · y        variance  P Σ / (C² P + Σ)
//! ```
//!
//! C = 1 for input that is not damped; Σ, of a sensor or of the forward process, is 0 for clean
//! input, which is then deconvolved; for means over cells the estimate and variance of
//! `finescale::spectral::pixel_modes`. Modes that the coarse grid has not: mean 0, variance P. The
//! posterior of a Gaussian field without memory: what a frame alone can tell.

use anyhow::Result;
use finescale::spectral;
use finescale::{Field, Grid, Modes, NoiseStream};

use super::{Climate, ensemble, input};
use finescale_ensemble::Ensemble;
use finescale_field::coarsening::Coarsening;
use finescale_field::grid::{apply, refining_gain};
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
    ensemble(result, method, members, seed.unwrap_or(0), |trajectory, member, path| {
        for (n, frame) in path.chunks_exact_mut(len).enumerate() {
            let place = trajectory * result.frames() + n;
            let mut values = input.values[place * coarse_len..][..coarse_len].to_vec();
            let seen = climate.scale.spectra(&coarse, Field::coarse_mut(&mut values))?;
            spectral::refine(&coarse, seen, &fine, Modes::from_mut(frame))?;
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
            climate.scale.fields(&fine, Modes::from_mut(frame))?;
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
            for (mode, (&p, &r)) in power.iter().zip(&variances).enumerate() {
                if r.is_finite() && p > 0.0 {
                    (gain[mode], deviation[mode]) = posterior(p, 1.0, r);
                }
            }
            return Ok(Self { inverse: Some(inverse), gain, deviation });
        }
        let damping = coarsening.damping(fine);
        let own: Vec<f32> = match coarsening {
            Coarsening::Damped { process, lambda, noised: true } => {
                let kappas = fine.kappas(process.laplacian());
                kappas.map(|kappa| process.noise_variance(kappa, lambda)).collect()
            }
            _ => vec![0.0; points],
        };
        // Of the coarse grid's highest cosine, where two fine modes meet, one counts as measured.
        for (mode, _) in refining_gain(coarse, fine)?.iter().enumerate().filter(|(_, g)| **g != 0.0)
        {
            // A coarse mode holds a share of the fine one's amplitude: its noise counts for more.
            let noise = own[mode] + pixel * points as f32 / coarse.points() as f32 + EXACT;
            (gain[mode], deviation[mode]) = posterior(power[mode], damping[mode], noise);
        }
        Ok(Self { inverse: None, gain, deviation })
    }

    fn apply(&self, grid: &Grid, spectrum: &mut [f32]) -> Result<()> {
        if let Some(inverse) = &self.inverse {
            apply(grid, inverse, spectrum)?;
        }
        spectrum.iter_mut().zip(&self.gain).for_each(|(u, gain)| *u *= gain);
        Ok(())
    }
}

/// What a measured value is multiplied with, and the deviation that is left.
fn posterior(power: f32, damping: f32, noise: f32) -> (f32, f32) {
    let total = damping * damping * power + noise;
    (damping * power / total, (power * noise / total).sqrt())
}
