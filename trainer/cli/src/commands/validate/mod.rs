//! `finescale validate`: the same input through every implementation.

mod picture;
mod runtimes;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;

use super::export::model_path;
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_field::noise::Purpose;
use finescale_host::table::Table;
use finescale_model::Model;
use finescale_model::export::{Bounds, Precision};
use finescale_model::reference::{Level, Reference};
use picture::Worst;
use runtimes::Runtime;

/// Compare what every runtime makes of a model with the reference in f64.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The run's folder, or a `model.safetensors`
    model: PathBuf,
    /// Take noised frames of this data set's validation part, instead of random ones with the
    /// data's spectrum
    #[arg(long, value_name = "DATASET")]
    data: Option<PathBuf>,
    /// Largest relative difference (RMS over RMS) that passes
    #[arg(long, default_value_t = 1e-5)]
    tolerance: f64,
    /// The same with weights of eight bits, whose rounding a score at a small λ shows most; what it
    /// costs a task is measured by `finescale export`
    #[arg(long, default_value_t = 0.2)]
    tolerance_int8: f64,
    /// Draw the field that is furthest from the reference, PNG or SVG
    #[arg(long, value_name = "PATH", default_value = "validate.png")]
    picture: PathBuf,
}

/// Windows, and paths, that are compared.
const BATCH: usize = 4;
/// Activations this near zero may have another sign in f32, and the rectifier the other slope: a
/// path that has one is drawn again, at most so often; if it still has one, its score may differ by
/// so much.
const MARGIN: f64 = 2e-6;
const DRAWS: usize = 3;
const KINKS: f64 = 5e-3;
/// Times that a runtime computes an output: the first ones are slow.
const ROUNDS: usize = 5;
/// Frames of a path beyond a window.
const BEYOND: usize = 3;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
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
struct Case {
    lambda: f32,
    /// Whether some activation is too near zero for its sign to be sure.
    kinks: bool,
    /// Frames of a path.
    frames: usize,
    /// `[batch][frame][channel][y][x]`.
    paths: Vec<f32>,
    outputs: [Expected; 2],
}

/// One output of the reference.
struct Expected {
    values: Vec<f64>,
    took: Duration,
}

impl ValidateArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence; also if a difference is too large.
    pub fn run(self) -> Result<()> {
        let model = Model::open(&model_path(&self.model))?;
        let reference = Reference::new(&model)?;
        let all = &model.meta.system.lambdas;
        let lambdas = [0, all.len() / 2, all.len() - 1].map(|n| all[n] as f32);
        let frames = match &self.data {
            Some(data) => Some(SpectralFrames::read(&Reader::open(data)?, Split::Valid)?),
            None => None,
        };
        println!(
            "{BATCH} windows of {} frames, {BATCH} paths of {}; differences from f64, relative to \
             the RMS; least times of {ROUNDS}",
            model.meta.system.window,
            model.meta.system.window + BEYOND
        );
        // Shown while it is made: an interrupted run has what it has.
        let table = Table::new().left("runtime").left("output").right("λ").right("RMS");
        let table = table.right("largest").right("ms").right("f64, ms").left("");
        let table =
            table.fit(["", "path score", "0.0000", "0.0e-10", "0.0e-10", "00000.00", "00000.00"]);
        println!("{}", table.head());
        let (mut failed, mut worst) = (0, None::<Worst>);
        let points = model.meta.grid()?.points();
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
        let runtimes = Runtime::all(&model, &bounds)?;
        for case in cases {
            finescale_host::interrupt::check()?;
            let lambda = case.lambda;
            for runtime in &runtimes {
                let tolerance = match runtime.precision {
                    Precision::F32 => self.tolerance,
                    Precision::Int8 | Precision::Int16 => self.tolerance_int8,
                };
                for output in Compared::ALL {
                    let (got, took) = runtime.run(output, &case)?;
                    let expected = &case.outputs[output as usize];
                    let [rms, largest] = differences(&got, &expected.values);
                    let kinks = case.kinks && output == Compared::Score;
                    let tolerance = if kinks { tolerance.max(KINKS) } else { tolerance };
                    // In units of what is allowed, so that eight bits do not always win.
                    let excess = rms / tolerance;
                    if worst.as_ref().is_none_or(|worst| excess > worst.excess) {
                        let title =
                            format!("{}, {} at λ = {lambda:.4}", runtime.name, output.name());
                        worst = Some(Worst::new(title, excess, &got, &expected.values, points));
                    }
                    let passed = rms <= tolerance;
                    failed += usize::from(!passed);
                    let milliseconds = |time: Duration| format!("{:.2}", 1e3 * time.as_secs_f64());
                    let cells = [
                        runtime.name,
                        output.name(),
                        &format!("{lambda:.4}"),
                        &format!("{rms:.1e}"),
                        &format!("{largest:.1e}"),
                        &milliseconds(took),
                        &milliseconds(expected.took),
                        match (passed, kinks) {
                            (true, false) => "pass",
                            (true, true) => "pass, near a kink",
                            (false, _) => "FAIL",
                        },
                    ];
                    println!("{}", table.line(cells));
                }
            }
        }
        if let Some(worst) = &worst {
            worst.draw(&model.meta, &self.picture)?;
            println!("{}", self.picture.display());
        }
        ensure!(
            failed == 0,
            "{failed} outputs differ from the reference by more than {} (with weights of eight \
             bits {})",
            self.tolerance,
            self.tolerance_int8
        );
        Ok(())
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
            process.apply_stream(&grid, lambda, &mut spectrum, &stream)?;
        } else {
            stream.fill(&mut spectrum);
            let scaled = spectrum.iter_mut().zip(level.variance());
            scaled.for_each(|(value, variance)| *value *= variance.sqrt() as f32);
        }
        path.extend(spectrum.into_iter().map(f64::from));
    }
    Ok(path)
}

/// RMS and largest difference over the expected RMS.
fn differences(got: &[f32], expected: &[f64]) -> [f64; 2] {
    let n = expected.len() as f64;
    let size = (expected.iter().map(|e| e * e).sum::<f64>() / n).sqrt();
    let errors = || got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).abs());
    let rms = (errors().map(|e| e * e).sum::<f64>() / n).sqrt();
    [rms / size, errors().fold(0.0, f64::max) / size]
}
