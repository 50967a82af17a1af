//! Baselines against what they must reproduce exactly.

#[path = "../../fixtures/ensembles.rs"]
mod ensembles;
#[path = "../../fixtures/models.rs"]
mod models;

use std::f64::consts::TAU;

use ensembles::{noise, path, result, spec, wave, with_input};
use finescale::{Boundary, Field, ForwardProcess, Laplacian, Modes};
use finescale_data::dataset::Spec;
use finescale_ensemble::{Ensemble, Task};
use finescale_field::coarsening::Coarsening;
use finescale_judge::baseline::{self, Climate, Knowledge};
use finescale_judge::score::{Scores, Settings, Truth};

use Boundary::{Periodic, Reflecting};

fn scores(ensemble: &Ensemble) -> Scores {
    Scores::new(ensemble, &Truth::within(ensemble).unwrap(), &Settings::default()).unwrap()
}

fn error(ensemble: &Ensemble) -> f64 {
    scores(ensemble).overall.error.unwrap().relative_l2
}

/// A result whose truth is `truth`, coarsened to `points`.
fn super_resolution(
    spec: Spec,
    truth: Vec<f32>,
    points: usize,
    coarsening: Coarsening,
) -> Ensemble {
    let ensemble = result(spec, Task::SuperResolve, 1, 0, truth.clone(), Some(truth));
    with_input(ensemble, points, coarsening)
}

/// Waves that the coarse grid carries come back exactly by Fourier interpolation, nearly by cubic,
/// roughly by repeating.
#[test]
fn interpolation_of_what_the_coarse_grid_carries() {
    for points in [vec![64], vec![64, 64]] {
        for boundary in [Periodic, Reflecting] {
            for coarsening in [Coarsening::Modes, Coarsening::BlockMean] {
                let spec = spec(&points, boundary, 2, 3);
                let field = |t: f64, c: usize, y: f64, x: f64| {
                    20.0 + wave(boundary, 1.0 + c as f64, x, t) + 0.5 * wave(boundary, 1.0, y, 0.3)
                };
                let truth = path(&spec, field);
                let ensemble = super_resolution(spec, truth, 16, coarsening);
                let what = format!("{points:?} {boundary:?} {coarsening:?}");
                let nearest = baseline::nearest(&ensemble).unwrap();
                let bicubic = baseline::bicubic(&ensemble).unwrap();
                let fourier = baseline::fourier(&ensemble).unwrap();
                let (n, b, f) = (error(&nearest), error(&bicubic), error(&fourier));
                assert!(f < 1e-4, "{what}: Fourier {f}");
                assert!(b < 0.04, "{what}: bicubic {b}");
                assert!((0.05..0.4).contains(&n), "{what}: nearest {n}");
                // Repeated pixels average to themselves; Fourier keeps what truncation kept.
                let exact = if coarsening == Coarsening::BlockMean { &nearest } else { &fourier };
                let again = scores(exact).overall.recoarsening.unwrap().error;
                assert!(again < 1e-5, "{what}: re-coarsening {again}");
            }
        }
    }
}

/// On Gaussian modes of known power the Wiener filter's error is Σ P r/(P + r), and its draws are
/// calibrated.
#[test]
fn the_wiener_filter_reaches_its_own_variance() {
    let kind = models::kinds().into_iter().find(|kind| kind.name == "line").unwrap();
    let model = models::model(&kind);
    let climate = Climate::of_model(&model).unwrap();
    let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
    let mut spec = spec(&[16], Periodic, 1, 400);
    spec.channels[0].name = "u0".into();
    // Draws of the climate, without memory.
    let mut truth = noise(400 * 16, 21);
    let grid = spec.grid().unwrap();
    let mut scratch = vec![0.0; finescale::spectral::scratch_len(&grid)];
    for frame in truth.chunks_exact_mut(16) {
        frame.iter_mut().zip(&climate.power).for_each(|(u, p)| *u *= p.sqrt());
        finescale::spectral::inverse(&grid, Modes::from_mut(frame), &mut scratch).unwrap();
        let scale = &climate.scale;
        frame.iter_mut().for_each(|v| *v = *v * scale.std[0] as f32 + scale.mean[0] as f32);
    }
    let lambda = 0.3;
    let coarsening = Coarsening::Damped { process, lambda, noised: true };
    let mut ensemble = super_resolution(spec, truth, 8, coarsening);
    // The noise of λ on the coarse modes: √Σ of a fine mode, as a coarse mode's share of it.
    let input = ensemble.input.as_mut().unwrap();
    let coarse = input.spec.grid().unwrap();
    let noises = noise(400 * 8, 22);
    let std = climate.scale.std[0] as f32;
    for (frame, noise) in input.values.chunks_exact_mut(8).zip(noises.chunks_exact(8)) {
        let kappas = coarse.kappas(Laplacian::Spectral);
        let mut modes: Vec<f32> = noise
            .iter()
            .zip(kappas)
            .map(|(w, kappa)| process.noise_variance(kappa, lambda).sqrt() * w * 0.5_f32.sqrt())
            .collect();
        finescale::spectral::inverse(&coarse, Modes::from_mut(&mut modes), &mut scratch).unwrap();
        frame.iter_mut().zip(&modes).for_each(|(v, w)| *v += std * w);
    }
    let filtered = baseline::wiener(&ensemble, &climate).unwrap();
    let kappas: Vec<f32> = grid.kappas(Laplacian::Spectral).collect();
    let (mut left, mut all) = (0.0, 0.0);
    for ((&p, &kappa), k) in climate.power.iter().zip(&kappas).zip(grid.wavenumbers()) {
        let (c, noise) = (process.damping(kappa, lambda), process.noise_variance(kappa, lambda));
        let known = k.1 < 4.0;
        left += f64::from(if known { p * noise / (c * c * p + noise) } else { p });
        all += f64::from(p);
    }
    let (found, expected) = (error(&filtered), (left / all).sqrt());
    assert!((found - expected).abs() < 0.03, "{found}, expected {expected}");
    let draws = baseline::wiener_draws(&ensemble, &climate, 8, 3).unwrap();
    let scores = scores(&draws);
    let ratio = scores.overall.spread.unwrap().ratio;
    assert!((ratio - 1.0).abs() < 0.04, "{ratio}");
    assert!(scores.overall.spectrum.unwrap().error < 0.15);
    assert!(scores.overall.rank.unwrap().reliability_index < 0.1);
    assert!(error(&baseline::nearest(&ensemble).unwrap()) > found);
}

/// If it failed, a baseline's members would have the errors of the model's, and every comparison of
/// the two would be off.
#[test]
fn baselines_do_not_draw_the_normals_that_members_are_made_of() {
    let kind = models::kinds().into_iter().find(|kind| kind.name == "line").unwrap();
    let climate = Climate::of_model(&models::model(&kind)).unwrap();
    let spec = spec(&[16], Periodic, 1, 40);
    let (grid, frames, members, seed) = (spec.grid().unwrap(), 40, 4, 0);
    let truth = noise(frames * 16, 31);
    let ensemble = super_resolution(spec, truth, 8, Coarsening::Modes);
    let mut scratch = vec![0.0; finescale::spectral::scratch_len(&grid)];
    // Modes in standard deviations of the climate.
    let mut modes = |frame: &[f32]| -> Vec<f32> {
        let scale = &climate.scale;
        let mut modes: Vec<f32> =
            frame.iter().map(|v| (v - scale.mean[0] as f32) / scale.std[0] as f32).collect();
        finescale::spectral::forward(&grid, Field::from_mut(&mut modes), &mut scratch).unwrap();
        modes.iter().zip(&climate.power).map(|(u, p)| u / p.sqrt()).collect()
    };
    let knowledge = Knowledge { climate: Some(&climate), data: None, members, seed };
    let draws = [
        baseline::wiener_draws(&ensemble, &climate, members, seed).unwrap(),
        baseline::climatology_draws(&ensemble, &climate, knowledge).unwrap(),
    ];
    for draws in draws {
        let method = &draws.provenance.method;
        // The starts of members and all that a sampler can draw after them, with the seed itself.
        for step in 0..40 {
            let (mut sum, mut count) = (0.0, 0.0);
            for (frame, member) in (0..frames).flat_map(|n| (0..members).map(move |m| (n, m))) {
                let stream = finescale::NoiseStream {
                    seed,
                    member: member as u32,
                    frame: frame as u32,
                    draw: step,
                };
                let drawn = modes(draws.frame(0, frame, member));
                // The Wiener filter leaves the modes beyond the coarse grid as they are drawn.
                for ((found, normal), k) in
                    drawn.iter().zip(stream.normals()).zip(grid.wavenumbers())
                {
                    if k.1 > 4.5 {
                        sum += f64::from(*found) * f64::from(normal);
                        count += 1.0;
                    }
                }
            }
            let correlation: f64 = sum / count;
            assert!(
                correlation.abs() < 5.0 / count.sqrt(),
                "{method}: the normals of step {step} come back, correlated by {correlation:.3}"
            );
        }
    }
}

/// Persistence keeps the last given frame, climatology the mean; both leave given frames alone.
#[test]
fn persistence_and_climatology() {
    let kind = models::kinds().into_iter().find(|kind| kind.name == "line").unwrap();
    let model = models::model(&kind);
    let climate = Climate::of_model(&model).unwrap();
    let spec = spec(&[16], Periodic, 1, 8);
    let truth = path(&spec, |t, _, _, x| (x - TAU * t / 14.0).cos());
    let ensemble = result(spec, Task::Forecast, 1, 2, truth.clone(), Some(truth.clone()));
    let persistence = baseline::persistence(&ensemble).unwrap();
    assert_eq!(persistence.prediction[..32], truth[..32]);
    for frame in persistence.prediction[32..].chunks_exact(16) {
        assert_eq!(*frame, truth[16..32]);
    }
    // Six frames later the wave has run 6/28 of the circle on.
    let errors = scores(&persistence).overall.error.unwrap().relative_l2_by_lead;
    let expected = 2.0 * (TAU * 6.0 / 28.0 / 2.0).sin();
    assert!((errors[5] - expected).abs() < 1e-3, "{} {expected}", errors[5]);
    let mean = baseline::climatology_mean(&ensemble, &climate).unwrap();
    assert!(mean.prediction[32..].iter().all(|v| *v == climate.scale.mean[0] as f32));
    let knowledge = Knowledge { climate: Some(&climate), data: None, members: 64, seed: 1 };
    let draws = baseline::climatology_draws(&ensemble, &climate, knowledge).unwrap();
    let variance =
        draws.prediction[2 * 64 * 16..].iter().map(|v| f64::from(*v).powi(2)).sum::<f64>()
            / (6.0 * 64.0 * 16.0);
    let expected = climate.power.iter().map(|p| f64::from(*p)).sum::<f64>() / 16.0
        * climate.scale.std[0].powi(2);
    assert!((variance / expected - 1.0).abs() < 0.15, "{variance}, expected {expected}");
    // All that fit are offered, each with its name; without knowledge only persistence.
    let names = |knowledge| -> Vec<String> {
        let all = baseline::all(&ensemble, knowledge).unwrap();
        all.into_iter().map(|e| e.provenance.method).collect()
    };
    assert_eq!(names(knowledge), ["persistence", "climatology", "climatology draws"]);
    assert_eq!(names(Knowledge::default()), ["persistence"]);
}

/// Statistics of other fields are refused by name.
#[test]
fn other_climates_are_refused() {
    let kind = models::kinds().into_iter().find(|kind| kind.name == "line").unwrap();
    let climate = Climate::of_model(&models::model(&kind)).unwrap();
    let spec = spec(&[32], Periodic, 1, 2);
    let truth = noise(64, 1);
    let ensemble = super_resolution(spec, truth, 8, Coarsening::Modes);
    let refused = baseline::wiener(&ensemble, &climate).unwrap_err().to_string();
    assert!(refused.contains("--model or --data"), "{refused}");
    let mut bare = ensemble;
    bare.input = None;
    assert!(baseline::bicubic(&bare).unwrap_err().to_string().contains("no coarse input"));
    assert!(baseline::persistence(&bare).unwrap_err().to_string().contains("given frame"));
}
