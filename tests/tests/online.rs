//! Streaming super-resolution: frame by frame, with a latency, and belonging together.

use finescale::predictor::Linear;
use finescale::sampler::{Coarse, NoiseRule, Online, Schedule, Sensor, StepRule};
use finescale::spectral::operator::pack;
use finescale::{Axis, Error, Grid, Modes, NoiseStream, Path, Predictor, Sampler};
use finescale_tests::linear::{System, mode_of};
use finescale_tests::moments::process;

const WINDOW: usize = 3;
const POINTS: usize = 32;

fn system() -> System {
    let grid = Grid::line(Axis::periodic(POINTS).expect("an axis"));
    System::new(&grid, f64::from(0.1_f32), 2.0).with_unit_variance()
}

fn sampler(lambda: f32) -> Sampler {
    Sampler {
        lambdas: Schedule::Geometric { steps: 8, smallest: 2e-3 },
        step: StepRule::Ancestral(NoiseRule::Linear),
        ..Sampler::ancestral(lambda)
    }
}

fn noise(member: u32) -> NoiseStream {
    NoiseStream { seed: 12, member, ..NoiseStream::default() }
}

/// Pushes every frame of `input` and gives what comes out.
fn streamed(
    system: &System,
    sensor: Sensor<'_>,
    lag: usize,
    member: u32,
    input: &[f32],
) -> Vec<Vec<f32>> {
    let autocovariance = system.autocovariance(WINDOW);
    let mut memory = vec![f32::NAN; Linear::memory_len(&system.grid, 1, WINDOW)];
    let mut linear = Linear::new(&system.grid, &process(system), 1, &autocovariance, &mut memory)
        .expect("a predictor");
    let sampler = sampler(0.2);
    let mut windows = vec![f32::NAN; Online::memory_len(linear.describe(), &sensor, lag)];
    let mut scratch = vec![f32::NAN; Online::scratch_len(&sampler, linear.describe(), lag)];
    let mut stream =
        Online::new(sampler, linear.describe(), sensor, lag, noise(member), &mut windows)
            .expect("a stream");
    let mut output = Vec::new();
    for (count, frame) in (1..).zip(input.chunks_exact(POINTS)) {
        let fine = stream.push(&mut linear, Modes::new(frame), &mut scratch).expect("a push");
        assert_eq!(fine.is_some(), count > lag, "{count} pushes, lag {lag}");
        output.extend(fine.map(|fine| fine.values.to_vec()));
    }
    output
}

/// Clean coarse frames C u of a path of the system, and the path.
fn coarse(system: &System, frames: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let truth = system.trajectory(frames, seed);
    let mut coarse = truth.clone();
    for frame in coarse.chunks_exact_mut(POINTS) {
        process(system).damp(&system.grid, 0.2, Modes::from_mut(frame)).expect("a spectrum");
    }
    (coarse, truth)
}

#[test]
fn the_first_frame_is_that_of_its_window() {
    let system = system();
    let (input, _) = coarse(&system, 10, 1);
    for lag in [0, 2] {
        let output = streamed(&system, Sensor::Coarse(Coarse::Clean), lag, 3, &input);
        assert_eq!(output.len(), 10 - lag);
        let autocovariance = system.autocovariance(WINDOW);
        let mut memory = vec![f32::NAN; Linear::memory_len(&system.grid, 1, WINDOW)];
        let mut linear =
            Linear::new(&system.grid, &process(&system), 1, &autocovariance, &mut memory)
                .expect("a predictor");
        let mut path = input[..(lag + 1) * POINTS].to_vec();
        let mut scratch = vec![0.0; sampler(0.2).scratch_len(linear.describe(), lag + 1)];
        sampler(0.2)
            .super_resolve(
                &mut linear,
                Coarse::Clean,
                None,
                &noise(3),
                Path::modes_mut(&mut path),
                &mut scratch,
            )
            .expect("a path");
        assert_eq!(output[0], path[..POINTS]);
    }
}

#[test]
fn a_stream_is_reproducible_and_members_differ() {
    let system = system();
    let (input, _) = coarse(&system, 8, 1);
    let run = |member| streamed(&system, Sensor::Coarse(Coarse::Clean), 1, member, &input);
    assert_eq!(run(0), run(0));
    assert_ne!(run(0), run(1));
}

#[test]
fn frames_belong_together_and_waiting_sharpens_them() {
    // Errors against the truth, relative to its variance, and lag-one correlations against ρ.
    let system = system();
    let (frames, members) = (40, 8);
    let mut last = f64::INFINITY;
    for lag in [0, 1, 3] {
        let (mut error, mut size) = (0.0, 0.0);
        let (mut squares, mut products) = (0.0, 0.0);
        for member in 0..members {
            let (input, truth) = coarse(&system, frames, u64::from(member));
            let mut output =
                streamed(&system, Sensor::Coarse(Coarse::Clean), lag, member, &input).concat();
            for (u, v) in output.iter().zip(&truth) {
                error += f64::from(u - v).powi(2);
                size += f64::from(*v).powi(2);
            }
            for frame in output.chunks_exact_mut(POINTS) {
                pack(&system.grid, Modes::from_mut(frame)).expect("fits");
            }
            for mode in system.modes().iter().filter(|mode| mode.kappa > 20.0) {
                // Modes that the coarse frames have lost.
                for pair in mode_of(&output, POINTS, mode.place).windows(2) {
                    squares += pair[0].norm_sqr() * mode.rho.norm_sqr() / mode.power;
                    products += (pair[1] * (mode.rho * pair[0]).conj()).re / mode.power;
                }
            }
        }
        let (error, correlation) = ((error / size).sqrt(), products / squares);
        println!(
            "lag {lag}: relative error {error:.3}, correlation over the exact one {correlation:.3}"
        );
        assert!(error < last, "{lag}: {error} {last}");
        assert!((correlation - 1.0).abs() < 0.1, "{lag}: {correlation}");
        last = error;
    }
}

#[test]
fn measured_modes_come_through() {
    let system = system();
    let truth = system.trajectory(12, 5);
    let kappas = system.grid.kappas(process(&system).laplacian());
    let variances: Vec<f32> =
        kappas.map(|kappa| if kappa <= 16.0 { 0.0 } else { f32::INFINITY }).collect();
    let output = streamed(&system, Sensor::Measured(&variances), 1, 0, &truth);
    for (fine, truth) in output.iter().zip(truth.chunks_exact(POINTS)) {
        for ((u, v), r) in fine.iter().zip(truth).zip(&variances) {
            assert!(*r > 0.0 || (u - v).abs() < 1e-5, "{u} {v}");
            assert!(*r == 0.0 || (u != v && u.abs() < 6.0));
        }
    }
}

#[test]
fn refusals_leave_the_window_as_it_was() {
    let system = system();
    let (input, _) = coarse(&system, 6, 1);
    let autocovariance = system.autocovariance(WINDOW);
    let mut memory = vec![0.0; Linear::memory_len(&system.grid, 1, WINDOW)];
    let mut linear = Linear::new(&system.grid, &process(&system), 1, &autocovariance, &mut memory)
        .expect("a predictor");
    let sampler = sampler(0.2);
    let sensor = Sensor::Coarse(Coarse::Clean);
    let mut windows = vec![0.0; Online::memory_len(linear.describe(), &sensor, 1)];
    let short = Online::new(sampler, linear.describe(), sensor, 2, noise(0), &mut windows);
    assert!(matches!(short.err(), Some(Error::MemoryLength { .. })));
    let bad = Sensor::Measured(&[0.0; 16]);
    assert!(Online::new(sampler, linear.describe(), bad, 1, noise(0), &mut windows).is_err());
    let mut stream = Online::new(sampler, linear.describe(), sensor, 1, noise(0), &mut windows)
        .expect("a stream");
    let mut scratch = vec![0.0; Online::scratch_len(&sampler, linear.describe(), 1)];
    let mut output = Vec::new();
    let needed = scratch.len();
    for frame in input.chunks_exact(POINTS) {
        assert!(stream.push(&mut linear, Modes::new(&frame[..31]), &mut scratch).is_err());
        // What the full window needs is asked for from the first push on.
        let short = stream.push(&mut linear, Modes::new(frame), &mut scratch[..needed - 1]);
        assert!(matches!(short.err(), Some(Error::ScratchLength { .. })));
        // A value that is no number is refused with its place, before it gets into the window.
        let mut broken = frame.to_vec();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            broken[7] = bad;
            let refused = stream.push(&mut linear, Modes::new(broken.as_slice()), &mut scratch);
            assert_eq!(refused.err(), Some(Error::NotFinite { name: "reading", index: 7 }));
        }
        let fine = stream.push(&mut linear, Modes::new(frame), &mut scratch).expect("a push");
        output.extend(fine.map(|fine| fine.values.to_vec()));
    }
    assert_eq!(output, streamed(&system, sensor, 1, 0, &input));
}
