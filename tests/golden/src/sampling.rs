//! Cases of the linear predictor and the samplers.

use finescale::predictor::Linear;
use finescale::sampler::{
    Coarse, Langevin, NoiseRule, Observation, Online, Schedule, Sensor, Start, StepRule,
};
use finescale::spectral::operator::{apply, complex_modes};
use finescale::spectral::pixel_modes;
use finescale::{Axis, Error, ForwardProcess, Grid, Modes, NoiseStream, Path, Predictor, Sampler};

/// What a sampling case draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Three steps of rule L from a rollout.
    Linear,
    /// Two steps of rule R from the case's own path, as clean coarse frames.
    SuperResolve,
    /// Two steps of rule L where the first half of the path's frames is known.
    Forecast,
    /// The same where the process couples the two channels.
    Coupled,
    /// The same where the coupling ends at a λ within the first step.
    Switched,
    /// Four steps of the paper's sampler with one corrector each.
    Paper,
    /// The case's path, frame by frame, as pixels of half as many points on each axis; one frame
    /// late.
    Online,
}

/// Draws a path of as many frames as `path` holds; the predictor sees two frames.
pub(crate) fn draw(
    draw: Draw,
    grid: &Grid,
    channels: usize,
    process: &ForwardProcess,
    path: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    const WINDOW: usize = 2;
    const LAG: usize = 1;
    let frame = grid.points().saturating_mul(channels);
    let (coupling, switch) = match draw {
        Draw::Coupled => (0.4, 0.0),
        Draw::Switched => (0.4, 0.2),
        _ => (0.0, 0.0),
    };
    let process = &process.with_coupling(coupling)?.with_switch(switch)?;
    let sampler = sampler(draw);
    let stream = NoiseStream { seed: 0x5EED_F1E1_D000_0002, member: 1, frame: 5, draw: 0 };

    let (gamma, scratch) = cut(scratch, frame.saturating_mul(channels).saturating_mul(WINDOW + 1))?;
    autocovariance(grid, channels, gamma);
    let (memory, scratch) = cut(scratch, Linear::memory_len(grid, channels, WINDOW))?;
    let mut linear = Linear::new(grid, process, channels, gamma, memory)?;
    match draw {
        Draw::Linear | Draw::Paper => sampler
            .generate(&mut linear, Start::Rollout, None, &stream, Path::modes_mut(path), scratch)
            .map(|_| ()),
        Draw::SuperResolve => sampler
            .super_resolve(
                &mut linear,
                Coarse::Clean,
                None,
                &stream,
                Path::modes_mut(path),
                scratch,
            )
            .map(|_| ()),
        Draw::Forecast | Draw::Coupled | Draw::Switched => {
            let (known, scratch) = cut(scratch, path.len() / 2)?;
            for (known, value) in known.iter_mut().zip(path.iter()) {
                *known = *value;
            }
            // Every third pair with an error, so that some are released on the way.
            let (variances, scratch) = cut(scratch, frame)?;
            for (index, variance) in (0..usize::MAX).zip(variances.iter_mut()) {
                *variance = if index / 2 % 3 == 0 { 0.02 } else { 0.0 };
            }
            let known = Observation::new(grid, Path::modes(known), variances)?;
            sampler
                .forecast(&mut linear, &known, &stream, Path::modes_mut(path), scratch)
                .map(|_| ())
        }
        Draw::Online => {
            let (undo, scratch) = cut(scratch, grid.points())?;
            let (variances, scratch) = cut(scratch, frame)?;
            let coarse = Grid::line(Axis::new(grid.nx() / 2, grid.x().boundary())?);
            pixel_modes(grid, &coarse, 0.05, linear.describe().power, undo, variances)?;
            let sensor = Sensor::Measured(variances);
            let (memory, scratch) =
                cut(scratch, Online::memory_len(linear.describe(), &sensor, LAG))?;
            let (measured, scratch) = cut(scratch, frame)?;
            let mut window = Online::new(sampler, linear.describe(), sensor, LAG, stream, memory)?;
            for pixels in path.chunks_exact_mut(frame.max(1)) {
                measured.fill(0.0);
                apply(grid, undo, Modes::new(pixels), Modes::from_mut(measured))?;
                if let Some(fine) = window.push(&mut linear, Modes::new(&*measured), scratch)? {
                    for (value, fine) in pixels.iter_mut().zip(fine.values) {
                        *value = *fine;
                    }
                }
            }
            Ok(())
        }
    }
}

fn sampler(draw: Draw) -> Sampler {
    let ours = Sampler::ancestral(0.5);
    let rule = |rule, steps| Sampler {
        lambdas: Schedule::Power { steps, exponent: 3 },
        step: StepRule::Ancestral(rule),
        ..ours
    };
    match draw {
        Draw::Linear | Draw::Online => rule(NoiseRule::Linear, 3),
        Draw::Forecast | Draw::Coupled | Draw::Switched => rule(NoiseRule::Linear, 2),
        Draw::SuperResolve => {
            let lambdas = Schedule::Geometric { steps: 2, smallest: 0.05 };
            Sampler { lambdas, ..ours }
        }
        Draw::Paper => Sampler {
            lambdas: Schedule::Equal { step: 0.1 },
            correctors: Some(Langevin { count: 1, snr: 0.3 }),
            ..Sampler::published(0.4, 0.3)
        },
    }
}

/// Modes that turn and decay, the faster the smaller they are; channels drive each other. Rational,
/// so that it is the same everywhere.
fn autocovariance(grid: &Grid, channels: usize, gamma: &mut [f32]) {
    let points = grid.points();
    gamma.fill(0.0);
    let lag = points.saturating_mul(channels).saturating_mul(channels);
    for (lag, gamma) in (0..usize::MAX).zip(gamma.chunks_exact_mut(lag.max(1))) {
        for (block, gamma) in (0..usize::MAX).zip(gamma.chunks_exact_mut(points)) {
            let same = block.checked_rem(channels.saturating_add(1)) == Some(0);
            for mode in complex_modes(grid) {
                let slow = 1.0 / (1.0 + mode.re as f32 / points as f32);
                let (mut re, mut im) = (4.0 * slow * if same { 1.0 } else { 0.25 }, 0.0);
                for _ in 0..lag {
                    (re, im) = (slow * (0.8 * re - 0.25 * im), slow * (0.8 * im + 0.25 * re));
                }
                if let Some(value) = gamma.get_mut(mode.re) {
                    *value = re;
                }
                if let Some(value) = mode.im.and_then(|index| gamma.get_mut(index)) {
                    *value = im;
                }
            }
        }
    }
}

/// The first `len` values of `scratch`, and the rest.
fn cut(scratch: &mut [f32], len: usize) -> Result<(&mut [f32], &mut [f32]), Error> {
    let too_short = Error::ScratchLength { values: scratch.len(), needed: len };
    scratch.split_at_mut_checked(len).ok_or(too_short)
}
