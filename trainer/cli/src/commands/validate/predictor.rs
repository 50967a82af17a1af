//! Increments and path scores of a predictor, at several λ.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use finescale::Modes;

use super::rows::{Row, Rows};
use super::runtimes::Runtime;
use super::{BATCH, ROUNDS, ValidateArgs, runtimes};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_field::noise::Purpose;
use finescale_model::Model;
use finescale_model::export::Bounds;
use finescale_model::reference::{Level, Reference};

/// Activations this near zero may have another sign in f32, and the rectifier the other slope: a
/// path that has one is drawn again, at most so often; if it still has one, its score may differ by
/// so much.
const MARGIN: f64 = 2e-6;
const DRAWS: usize = 3;
const KINKS: f64 = 5e-3;
/// Frames of a path beyond a window.
pub(super) const BEYOND: usize = 3;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// Of a whole window.
    Increment,
    /// Of a path: forward and vector-Jacobian product.
    Score,
}

impl Compared {
    const ALL: [Self; 2] = [Self::Increment, Self::Score];

    const fn name(self) -> &'static str {
        match self {
            Self::Increment => "increment",
            Self::Score => "path score",
        }
    }
}

/// Paths at one λ with what the reference says of them, on the grid.
pub(super) struct Case {
    pub(super) lambda: f32,
    /// Whether some activation is too near zero for its sign to be sure.
    kinks: bool,
    /// Frames of a path.
    pub(super) frames: usize,
    /// `[batch][frame][channel][y][x]`.
    pub(super) paths: Vec<f32>,
    outputs: [Expected; 2],
}

/// One output of the reference.
struct Expected {
    values: Vec<f64>,
    took: Duration,
}

impl ValidateArgs {
    /// Compares what runtimes make of a predictor.
    pub(crate) fn predictor(&self, path: &Path) -> Result<()> {
        let model: Model = Model::open(path)?;
        ensure!(
            model.meta.system.given.is_none(),
            "{} is of the residuals of a conditional mean, and what it sees beside them is not \
             compared yet: give a model of fields, or the mean beside it",
            path.display()
        );
        let reference = Reference::new(&model)?;
        let all = &model.meta.system.lambdas;
        let lambdas = [0, all.len() / 2, all.len() - 1].map(|n| all[n] as f32);
        let frames = match &self.data {
            Some(data) => {
                let mut frames = SpectralFrames::read(&Reader::open(data)?, Split::Valid)?;
                model.meta.process()?.mix(frames.grid.points(), &mut frames.values);
                Some(frames)
            }
            None => None,
        };
        println!(
            "{BATCH} windows of {} frames, {BATCH} paths of {}; differences from f64, relative to \
             the RMS; least times of {ROUNDS}",
            model.meta.system.window,
            model.meta.system.window + BEYOND
        );
        let points = model.meta.grid()?.points();
        let mut rows = Rows::begin("λ", "0.0000", points);
        let cases = lambdas.map(|lambda| Case::new(&model, &reference, lambda, frames.as_ref()));
        let cases = cases.into_iter().collect::<Result<Vec<_>>>()?;
        // Int16 activations are scaled by what these very cases have: saturation is `finescale
        // export`'s to measure.
        let mut bounds = Bounds::default();
        for case in &cases {
            let level = reference.at(f64::from(case.lambda))?;
            let width = level.variance().len();
            for path in case.paths.chunks_exact(case.frames * width) {
                let path: Vec<f64> = path.iter().copied().map(f64::from).collect();
                bounds.widen(&level, &reference.basis().forward(&path));
            }
        }
        let runtimes = runtimes::all(&model, &bounds)?;
        for case in cases {
            finescale_host::interrupt::check()?;
            for Runtime { name, precision, run } in &runtimes {
                for output in Compared::ALL {
                    let (got, took) = runtimes::least(|| run(output, &case))?;
                    let expected = &case.outputs[output as usize];
                    let kinks = case.kinks && output == Compared::Score;
                    let tolerance = self.tolerance(*precision);
                    rows.add(Row {
                        runtime: name,
                        output: output.name(),
                        at: format!("{:.4}", case.lambda),
                        title: format!("{name}, {} at λ = {:.4}", output.name(), case.lambda),
                        got: &got,
                        expected: &expected.values,
                        took: [took, expected.took],
                        tolerance: if kinks { tolerance.max(KINKS) } else { tolerance },
                        remark: if kinks { ", near a kink" } else { "" },
                    });
                }
            }
        }
        rows.finish(&model.meta, self)
    }
}

impl Case {
    fn new(
        model: &Model,
        reference: &Reference,
        lambda: f32,
        frames: Option<&SpectralFrames>,
    ) -> Result<Self> {
        let level = reference.at(f64::from(lambda))?;
        let length = model.meta.system.window + BEYOND;
        let (mut paths, mut scores, mut increments) = (Vec::new(), Vec::new(), Vec::new());
        let mut took = [Duration::ZERO; 2];
        let mut kinks = false;
        for sample in 0..BATCH {
            let mut draw = 0;
            let (path, modes) = loop {
                let spectra = spectra(model, &level, lambda, frames, [sample, draw], length)?;
                let path: Vec<f32> =
                    reference.basis().inverse(&spectra).into_iter().map(|v| v as f32).collect();
                // What the others are given is rounded, so the reference gets that too.
                let wide: Vec<f64> = path.iter().copied().map(f64::from).collect();
                let modes = reference.basis().forward(&wide);
                draw += 1;
                let near = level.margin(&modes) < MARGIN;
                if !near || draw == DRAWS {
                    kinks |= near;
                    break (path, modes);
                }
            };
            let began = Instant::now();
            let width = level.variance().len();
            let increment = level.predict(&modes[..model.meta.system.window * width]).increment;
            took[0] += began.elapsed();
            let began = Instant::now();
            let score = level.path_score(&modes);
            took[1] += began.elapsed();
            increments.extend(reference.basis().inverse(&increment));
            scores.extend(reference.basis().inverse(&score));
            paths.extend(path);
        }
        let outputs = [
            Expected { values: increments, took: took[0] },
            Expected { values: scores, took: took[1] },
        ];
        Ok(Self { lambda, kinks, frames: length, paths, outputs })
    }
}

/// A noised path `[frame][channel][mode]`.
fn spectra(
    model: &Model,
    level: &Level<'_>,
    lambda: f32,
    frames: Option<&SpectralFrames>,
    [sample, draw]: [usize; 2],
    length: usize,
) -> Result<Vec<f64>> {
    let (grid, process) = (model.meta.grid()?, model.meta.process()?);
    let width = level.variance().len();
    let mut path = Vec::new();
    let starts = frames.map(|frames| frames.windows(length)).transpose()?;
    for frame in 0..length {
        let (member, step) = (sample as u32, draw as u32);
        let stream = Purpose::Sampling.stream(0, member, frame as u32, step);
        let mut spectrum = vec![0.0; width];
        if let (Some(frames), Some(starts)) = (frames, &starts) {
            ensure!(
                frames.frame_len() == width,
                "the data set has another grid or other channels than the model"
            );
            spectrum.copy_from_slice(frames.frame(starts[sample * starts.len() / BATCH] + frame));
            process.apply_stream(&grid, lambda, Modes::from_mut(&mut spectrum), &stream)?;
        } else {
            stream.fill(&mut spectrum);
            let scaled = spectrum.iter_mut().zip(level.variance());
            scaled.for_each(|(value, variance)| *value *= variance.sqrt() as f32);
        }
        path.extend(spectrum.into_iter().map(f64::from));
    }
    Ok(path)
}
