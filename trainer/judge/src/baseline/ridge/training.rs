//! The training part as a regression sees it: standardised coarse and fine frames.

use anyhow::{Context, Result, ensure};
use finescale::{Modes, spectral};
use rayon::prelude::*;

use crate::baseline::input;
use finescale_data::dataset::{Reader, Segment, Spec, Split};
use finescale_ensemble::{CoarseInput, Ensemble, Origin};
use finescale_field::coarsening::Coarsening;
use finescale_field::noise::Purpose;
use finescale_field::scale::Scale;
use finescale_model::ridge::{HELD, Parting};

/// What a regression learns from, in memory: the frames of the training part of a data set, made
/// coarse as a result's input was, in standard deviations from each channel's mean.
#[derive(Clone, Debug)]
pub struct RidgeTraining {
    pub(super) scale: Scale,
    /// `[frame][channel][y][x]`.
    pub(super) coarse: Vec<f32>,
    pub(super) fine: Vec<f32>,
    /// The frames before, at and after each; at the ends of a run the frame itself stands for the
    /// one that is missing.
    pub(super) around: Vec<[usize; 3]>,
    /// How penalties are tried.
    pub(super) parting: Parting,
}

impl RidgeTraining {
    /// Reads the training part of a data set, for such results.
    ///
    /// # Errors
    /// If it has other fields than the result, no training part, or cannot be read, or if it is not
    /// known how the result's input was made.
    pub fn read(result: &Ensemble, data: &Reader) -> Result<Self> {
        let (input, spec) = (input(result)?, data.spec());
        let names =
            |spec: &Spec| spec.channels.iter().map(|c| c.name.clone()).collect::<Vec<String>>();
        ensure!(
            spec.grid()? == result.spec.grid()? && names(spec) == names(&result.spec),
            "--data has other fields than the result: give the data set that the result's fields \
             belong to, {} on {}×{} points",
            names(&result.spec).join(", "),
            result.spec.ny(),
            result.spec.nx()
        );
        let mut scale = data.statistics().scale();
        // What never changes has no deviation in any unit.
        scale.std.iter_mut().filter(|std| **std == 0.0).for_each(|std| *std = 1.0);
        let segments = data.segments(Split::Train);
        ensure!(!segments.is_empty(), "--data has no training part: a regression needs one");
        let parts = segments
            .par_iter()
            .map(|segment| part(data, segment, input, &scale))
            .collect::<Result<Vec<_>>>()?;
        let (coarse, fine): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let (mut frames, mut runs) = (Vec::new(), Vec::new());
        for segment in &segments {
            let run = frames.len()..frames.len() + segment.frames.len();
            frames.extend(around(run.start, run.len()));
            runs.push(run);
        }
        let parting = Parting::of(&runs).with_context(|| {
            format!(
                "no run of training frames in --data has {HELD} frames: a regression needs as many"
            )
        })?;
        Ok(Self { scale, coarse: coarse.concat(), fine: fine.concat(), around: frames, parting })
    }
}

/// The frames before, at and after each of a run.
pub(super) fn around(start: usize, frames: usize) -> impl Iterator<Item = [usize; 3]> {
    let end = start + frames;
    (start..end).map(move |n| [n.saturating_sub(1).max(start), n, (n + 1).min(end - 1)])
}

/// Coarse and fine frames of a segment.
fn part(
    data: &Reader,
    segment: &Segment,
    input: &CoarseInput,
    scale: &Scale,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let (origin, spec) = (input.origin()?, data.spec());
    let (grid, points) = (spec.grid()?, [input.spec.ny(), input.spec.nx()]);
    let mut fine = data.read(segment.trajectory, segment.frames.clone())?;
    let mut coarse = Vec::with_capacity(segment.frames.len() * input.spec.frame_len());
    for (frame, n) in fine.chunks_exact(spec.frame_len()).zip(segment.frames.clone()) {
        finescale_host::interrupt::check()?;
        let mut values = origin.coarsening.apply(&grid, points, frame)?;
        add_noise(origin, spec, &input.spec, &scale.std, [segment.trajectory, n], &mut values)?;
        coarse.extend(values);
    }
    scale.standardise(input.spec.points(), &mut coarse);
    scale.standardise(spec.points(), &mut fine);
    Ok((coarse, fine))
}

/// Adds errors as the result's input has them: those of its sensor, and the noise of λ.
fn add_noise(
    origin: &Origin,
    fine: &Spec,
    coarse: &Spec,
    std: &[f64],
    [trajectory, frame]: [usize; 2],
    values: &mut [f32],
) -> Result<()> {
    let stream = |step| Purpose::Ridge.stream(0, trajectory as u32, frame as u32, step);
    let points = coarse.points();
    if origin.sensor_noise.iter().any(|&noise| noise > 0.0) {
        let stream = stream(0);
        let mut normals = stream.normals();
        for (field, &noise) in values.chunks_exact_mut(points).zip(&origin.sensor_noise) {
            field.iter_mut().zip(&mut normals).for_each(|(value, w)| *value += noise * w);
        }
    }
    if let Coarsening::Damped { process, lambda, noised: true } = origin.coarsening {
        let grid = coarse.grid()?;
        // A coarse mode holds this share of the fine one's variance.
        let share = points as f32 / fine.points() as f32;
        let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
        let stream = stream(1);
        let mut normals = stream.normals();
        for (field, std) in values.chunks_exact_mut(points).zip(std) {
            let kappas = grid.kappas(process.laplacian());
            let mut modes: Vec<f32> = kappas
                .zip(&mut normals)
                .map(|(kappa, w)| (share * process.noise_variance(kappa, lambda)).sqrt() * w)
                .collect();
            spectral::inverse(&grid, Modes::from_mut(&mut modes), &mut scratch)?;
            field.iter_mut().zip(modes).for_each(|(value, w)| *value += *std as f32 * w);
        }
    }
    Ok(())
}
