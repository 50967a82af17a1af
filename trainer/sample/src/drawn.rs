//! What a model's scores are on paths that the sampler itself draws, for rule M.
//!
//! Paths of the data are super-resolved through the runtime by the default rule, their lowest
//! quarter of the wavenumbers held, from the largest λ of the tables down; at each level the scores
//! of all paths are measured.

use anyhow::{Context, Result};
use finescale::predictor::{Description, PathDensity, Prepared, Trained, head_score, path_score};
use finescale::sampler::{Observation, Score};
use finescale::{Modes, NoiseStream, Path, Predictor, Sampler};
use rayon::prelude::*;

use finescale_field::noise::Purpose;
use finescale_field::shells::Shells;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};
use finescale_model::{Calibration, Model, ScoreMoments};

/// Most levels of λ: about as many as a sampler has steps.
const LEVELS: usize = 16;
/// Wavenumbers below the largest of their axis divided by this are held.
const COARSER: f32 = 4.0;
/// Most paths.
pub const PATHS: usize = 16;
/// Key of the noise of these paths.
const SEED: u64 = 0xD4A3_0001;

/// Measures the drawn moments of the path score, and of the score head's where there is one, and
/// puts them into the model.
///
/// `clean`: paths in modes, `[frame][channel][y mode][x mode]` each; `companions`: of each path,
/// empty where the model sees none.
///
/// # Errors
/// If the runtime does not have the model's network, or after Ctrl-C.
pub fn measure(
    model: &mut Model,
    calibration: &mut Calibration,
    clean: &[Vec<f32>],
    companions: &[Vec<f32>],
) -> Result<()> {
    let count = calibration.lambdas.len();
    let levels: Vec<usize> = (0..count).rev().step_by(count.div_ceil(LEVELS).max(1)).collect();
    let bytes = AlignedBytes::new(&file(model, Precision::F32, &Bounds::default())?);
    let view = bytes.parse()?;
    // The linear base alone sees none.
    let companions = if view.companions() == 0 { &[] } else { companions };
    let mut memory = vec![0.0; Trained::memory_len(&view)];
    let mut predictor = Trained::new(&view, &mut memory)?;
    let head = model.meta.system.score_head.then_some(Score::Head);
    for score in std::iter::once(Score::Path(PathDensity::FULL)).chain(head) {
        let (width, lambdas) = (calibration.width, calibration.lambdas.clone());
        let tables = tables(calibration, score)?;
        let mut paths = clean.to_vec();
        for (n, &level) in levels.iter().enumerate() {
            let lambda = lambdas[level] as f32;
            let stage = Stage { score, lambda, step: n as u32, companions };
            if n == 0 {
                stage.noise(&predictor, &mut paths)?;
            }
            let found = stage.moments(&mut predictor, &paths)?;
            let to = [&mut tables.drawn_power, &mut tables.drawn_state];
            for (table, found) in to.into_iter().zip(found) {
                table[level * width..][..width].copy_from_slice(&found);
            }
            if let Some(&next) = levels.get(n + 1) {
                stage.advance(
                    &predictor.prepare(stage.lambda)?,
                    lambdas[next] as f32,
                    clean,
                    &mut paths,
                )?;
            }
        }
        for table in [&mut tables.drawn_power, &mut tables.drawn_state] {
            fill_between(table, width, &lambdas, &levels);
        }
    }
    model.arrays.extend(calibration.arrays(model.meta.channels.len()));
    Ok(())
}

/// One level of λ.
struct Stage<'a> {
    score: Score,
    lambda: f32,
    step: u32,
    companions: &'a [Vec<f32>],
}

impl Stage<'_> {
    fn sampler(&self) -> Sampler {
        Sampler { score: self.score, ..Sampler::ancestral(self.lambda) }
    }

    /// The noise of one path's step.
    fn stream(&self, path: usize, step: u32) -> NoiseStream {
        Purpose::Sampling.stream(SEED, path as u32, 0, step)
    }

    /// The predictor for a path.
    fn given<'p>(&'p self, predictor: &Prepared<'p>, path: usize) -> Prepared<'p> {
        let companions = self.companions.get(path).map_or(&[][..], Vec::as_slice);
        predictor.given(Path::fields(companions))
    }

    /// Takes clean paths to λ.
    fn noise(&self, predictor: &Trained<'_>, paths: &mut [Vec<f32>]) -> Result<()> {
        let Description { grid, process, .. } = predictor.describe();
        let frame = predictor.describe().frame_len();
        for (member, path) in paths.iter_mut().enumerate() {
            for (n, frame) in (0..).zip(path.chunks_exact_mut(frame)) {
                let stream = NoiseStream { frame: n, ..self.stream(member, 0) };
                process.apply_stream(grid, self.lambda, Modes::from_mut(frame), &stream)?;
            }
        }
        Ok(())
    }

    /// V E ŝ² and E û ŝ of every channel and shell, as of paths whose modes have exactly the
    /// variance V.
    fn moments(&self, predictor: &mut Trained<'_>, paths: &[Vec<f32>]) -> Result<[Vec<f32>; 2]> {
        let predictor = &predictor.prepare(self.lambda)?;
        let (grid, process) = (&predictor.grid, &predictor.process);
        let modes = predictor.frame_len();
        let kappas = (0..predictor.channels).flat_map(|channel| process.kappas(grid, channel));
        let variance: Vec<f64> = kappas
            .zip(predictor.power)
            .map(|(kappa, power)| f64::from(process.variance(kappa, self.lambda, *power)))
            .collect();
        let sums = |(n, path): (usize, &Vec<f32>)| -> Result<[Vec<f64>; 3]> {
            finescale_host::interrupt::check()?;
            let predictor = &self.given(predictor, n);
            let mut score = vec![0.0; path.len()];
            let frames = path.len() / modes;
            let mut scratch = vec![0.0; self.sampler().scratch_len(predictor, frames)];
            let (path, of_path) = (Path::modes(path), Path::modes_mut(&mut score));
            match self.score {
                Score::Path(density) => {
                    path_score(predictor, density, path, of_path, &mut scratch)?;
                }
                Score::Head => head_score(predictor, path, of_path, &mut scratch)?,
            }
            let mut sums = [vec![0.0; modes], vec![0.0; modes], vec![0.0; modes]];
            for (u, s) in path.chunks_exact(modes).zip(score.chunks_exact(modes)) {
                for (at, (u, s)) in u.iter().zip(s).enumerate() {
                    let (u, s) = (f64::from(*u), f64::from(*s));
                    sums[0][at] += s * s * variance[at];
                    sums[1][at] += u * s;
                    sums[2][at] += u * u / variance[at];
                }
            }
            Ok(sums)
        };
        let each: Vec<[Vec<f64>; 3]> =
            paths.par_iter().enumerate().map(sums).collect::<Result<_>>()?;
        let shells = Shells::new(grid);
        let [power, state, ratio] = [0, 1, 2].map(|moment| {
            let mut sum = vec![0.0; modes];
            for path in &each {
                sum.iter_mut().zip(&path[moment]).for_each(|(sum, value)| *sum += value);
            }
            shells.mean(&sum)
        });
        let over = |values: Vec<f64>| -> Vec<f32> {
            values
                .iter()
                .zip(&ratio)
                .map(|(value, ratio)| (value / ratio.max(1e-9)) as f32)
                .collect()
        };
        Ok([over(power), over(state)])
    }

    /// Takes the paths from the level whose moments were measured to the next.
    fn advance(
        &self,
        predictor: &Prepared<'_>,
        to: f32,
        clean: &[Vec<f32>],
        paths: &mut [Vec<f32>],
    ) -> Result<()> {
        let sampler = self.sampler();
        let modes = predictor.frame_len();
        let variances = held(predictor);
        paths.par_iter_mut().zip(clean).enumerate().try_for_each(|(member, (path, clean))| {
            finescale_host::interrupt::check()?;
            let mut scratch = vec![0.0; sampler.scratch_len(predictor, path.len() / modes)];
            let stream = self.stream(member, self.step + 1);
            let seen = Observation::new(&predictor.grid, Path::modes(clean), &variances)?;
            let predictor = &self.given(predictor, member);
            let path = Path::modes_mut(path);
            sampler.step(predictor, to, Some(&seen), Some(&stream), path, &mut scratch)?;
            Ok(())
        })
    }
}

/// Variances of a measurement of the low modes of every channel, which is exact.
fn held(description: &Description<'_>) -> Vec<f32> {
    let wavenumbers: Vec<(f32, f32)> = description.grid.wavenumbers().collect();
    let most = |of: fn(&(f32, f32)) -> f32| {
        wavenumbers.iter().map(|k| of(k).abs()).fold(0.0_f32, f32::max) / COARSER
    };
    let (y, x) = (most(|k| k.0), most(|k| k.1));
    let low = |k: &(f32, f32)| (y == 0.0 || k.0.abs() < y) && k.1.abs() < x;
    let channel = wavenumbers.iter().map(|k| if low(k) { 0.0 } else { f32::INFINITY });
    let channel: Vec<f32> = channel.collect();
    channel.repeat(description.channels)
}

fn tables(calibration: &mut Calibration, score: Score) -> Result<&mut ScoreMoments> {
    match score {
        Score::Path(_) => Ok(&mut calibration.path),
        Score::Head => calibration.head.as_mut().context("the score head was not calibrated"),
    }
}

/// Interpolates the rows between levels, which fall, linearly in log λ; beyond the smallest it
/// holds.
fn fill_between(table: &mut [f32], width: usize, lambdas: &[f64], levels: &[usize]) {
    for (row, lambda) in lambdas.iter().enumerate() {
        let above = levels.iter().rev().copied().find(|level| *level >= row);
        let below = levels.iter().copied().find(|level| *level <= row);
        let (Some(above), below) = (above, below.or(levels.last().copied())) else { continue };
        let below = below.unwrap_or(above);
        let span = (lambdas[above] / lambdas[below]).ln();
        let weight =
            if span > 0.0 { ((lambda / lambdas[below]).ln() / span).clamp(0.0, 1.0) } else { 0.0 };
        for column in 0..width {
            let (low, high) = (table[below * width + column], table[above * width + column]);
            table[row * width + column] = low + weight as f32 * (high - low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fill_between;

    #[test]
    fn rows_between_levels_are_interpolated_in_log_lambda() {
        let mut table = [0.0, 0.0, 4.0, 0.0, 8.0];
        fill_between(&mut table, 1, &[0.01, 0.1, 1.0, 10.0, 100.0], &[4, 2]);
        assert_eq!(table, [4.0, 4.0, 4.0, 6.0, 8.0]);
    }
}
