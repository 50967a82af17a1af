//! Scores against closed forms.

#[path = "../../fixtures/ensembles.rs"]
mod ensembles;

use std::f64::consts::{PI, SQRT_2, TAU};

use ensembles::{noise, path, result, spec, wave, with_input};
use finescale::{Boundary, ForwardProcess, Laplacian};
use finescale_ensemble::{Ensemble, Task};
use finescale_field::coarsening::Coarsening;
use finescale_judge::score::crps::fair_crps;
use finescale_judge::score::{Bands, Scores, Settings, Truth};
use nalgebra::Complex;
use rustfft::FftPlanner;

use Boundary::{Periodic, Reflecting};

fn scores(ensemble: &Ensemble) -> Scores {
    Scores::new(ensemble, &Truth::within(ensemble).unwrap(), &Settings::default()).unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
}

/// Truth and members from one distribution: if this failed, a perfect ensemble would look wrong.
#[test]
fn exchangeable_draws_are_calibrated() {
    let members = 8;
    let spec = spec(&[32, 32], Periodic, 2, 60);
    let values = 60 * spec.frame_len();
    let ensemble = result(
        spec,
        Task::SuperResolve,
        members,
        0,
        noise(values * members, 1),
        Some(noise(values, 2)),
    );
    let scores = scores(&ensemble);
    for channel in scores.channels.iter().chain([&scores.overall]) {
        let (m, error) = (members as f64, channel.error.as_ref().unwrap());
        near(error.relative_l2, SQRT_2, 0.02, "a member is as far as another field");
        near(error.relative_l2_of_mean, (1.0 + 1.0 / m).sqrt(), 0.02, "the mean");
        near(error.vrmse, SQRT_2, 0.02, "VRMSE");
        let spread = channel.spread.as_ref().unwrap();
        near(spread.ratio, 1.0, 0.025, "spread-skill");
        let crps = channel.crps.as_ref().unwrap();
        near(crps.relative, 1.0 / PI.sqrt(), 0.01, "CRPS of a right Gaussian is σ/√π");
        for band in 0..Bands::COUNT {
            near(spread.ratio_by_band[band].unwrap(), 1.0, 0.05, "spread-skill of a band");
            near(crps.relative_by_band[band], 1.0 / PI.sqrt(), 0.04, "CRPS of a band");
            near(error.relative_l2_by_band[band], SQRT_2, 0.05, "relative L² of a band");
        }
        let rank = channel.rank.as_ref().unwrap();
        assert_eq!(rank.frequencies.len(), members + 1);
        for f in &rank.frequencies {
            near(*f, 1.0 / (m + 1.0), 0.01, "a rank's frequency");
        }
        near(rank.frequencies.iter().sum(), 1.0, 1e-12, "all ranks");
        near(channel.correlation.as_ref().unwrap().value, 0.0, 0.02, "correlation of strangers");
        let spectrum = channel.spectrum.as_ref().unwrap();
        near(spectrum.error, 0.0, 0.08, "spectrum of the same noise");
    }
}

/// Errors of an ensemble that is too sure of itself, biased, or both, in closed form.
#[test]
fn gaussian_crps_has_its_closed_form() {
    // E CRPS = E|X − Y| − ½ E|X − X'|; |Z| of N(m, v) has the mean √(2v/π) e^(−m²/2v) + m
    // erf(m/√(2v)).
    let cases = [(0.0, 1.0, 0.0), (0.0, 0.5, 0.0), (1.0, 1.0, 0.842_700_79), (1.0, 0.2, 0.0)];
    let draws = 20_000;
    for members in [2, 5, 20] {
        for (bias, spread, _) in cases {
            let truth = noise(draws, 3);
            let ensemble = noise(draws * members, 4 + members as u64);
            let mean = ensemble
                .chunks_exact(members)
                .zip(&truth)
                .map(|(x, &y)| {
                    let mut x: Vec<f32> =
                        x.iter().map(|x| bias as f32 + spread as f32 * x).collect();
                    fair_crps(&mut x, y)
                })
                .sum::<f64>()
                / draws as f64;
            let v: f64 = 1.0 + spread * spread;
            let expected = (2.0 * v / PI).sqrt() * (-bias * bias / (2.0 * v)).exp()
                + bias * erf(bias / (2.0 * v).sqrt())
                - spread / PI.sqrt();
            near(mean, expected, 0.02, &format!("{members} members, bias {bias}, spread {spread}"));
        }
    }
}

/// By its series, exact here.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..60 {
        let n = f64::from(n);
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    2.0 / PI.sqrt() * sum
}

/// One wave of another amplitude: every score follows from it, on lines and planes with either
/// boundary.
#[test]
fn a_wave_of_another_amplitude() {
    for (points, boundary) in [
        (vec![64], Periodic),
        (vec![64], Reflecting),
        (vec![32, 64], Periodic),
        (vec![32, 64], Reflecting),
    ] {
        for (k, a) in [(3.0, 1.5), (3.0, 0.5), (9.0, 0.0)] {
            let spec = spec(&points, boundary, 1, 8);
            let truth = path(&spec, |t, _, _, x| 3.0 * wave(boundary, k, x, t));
            let prediction = truth.iter().map(|u| a as f32 * u).collect();
            let ensemble = result(spec, Task::SuperResolve, 1, 0, prediction, Some(truth));
            let scores = scores(&ensemble);
            let channel = &scores.channels[0];
            let what = format!("{points:?} {boundary:?}, amplitude {a}");
            let error = channel.error.as_ref().unwrap();
            near(error.relative_l2, (a - 1.0_f64).abs(), 2e-5, &what);
            near(error.vrmse, (a - 1.0_f64).abs(), 2e-5, &what);
            near(error.relative_l2_of_mean, error.relative_l2, 1e-9, &what);
            let spectrum = channel.spectrum.as_ref().unwrap();
            near(spectrum.error, (a * a - 1.0_f64).abs(), 2e-4, &what);
            near(spectrum.largest_error, (a * a - 1.0_f64).abs(), 2e-4, &what);
            // All of the variance is in the shell of the wave.
            let strongest = (0..spectrum.truth.len())
                .max_by(|&i, &j| spectrum.truth[i].total_cmp(&spectrum.truth[j]))
                .unwrap();
            near(spectrum.wavenumber[strongest], k, 1e-6, &what);
            assert_eq!(spectrum.low, strongest, "{what}");
            // The coarse grid is a quarter: low below 8 periodic or on 64 points, middle beyond on
            // lines.
            let band = scores.bands.iter().rposition(|b| k >= b.from).unwrap();
            near(error.relative_l2_by_band[band], (a - 1.0_f64).abs(), 2e-5, &what);
            let space_time = channel.space_time.as_ref().unwrap();
            near(space_time.error, (a * a - 1.0_f64).abs(), 2e-4, &what);
            assert!(channel.spread.is_none() && channel.rank.is_none(), "{what}");
            // Of one member CRPS is the mean absolute error.
            let crps = channel.crps.as_ref().unwrap();
            let truth = ensemble.truth.as_ref().unwrap();
            let mean = truth.iter().map(|u| f64::from(u.abs())).sum::<f64>() / truth.len() as f64;
            near(crps.value, (a - 1.0_f64).abs() * mean, 1e-4, &what);
        }
    }
}

/// A wave that runs ahead: correlation cos(δ t), and a time that can be told.
#[test]
fn a_wave_that_runs_ahead_loses_its_correlation() {
    let spec = spec(&[64], Periodic, 1, 21);
    let (k, speed, delta) = (2.0, 0.3, 0.2);
    let truth = path(&spec, |t, _, _, x| wave(Periodic, k, x, speed * t));
    let prediction = path(&spec, |t, _, _, x| wave(Periodic, k, x, (speed + delta) * t));
    let ensemble = result(spec, Task::Forecast, 1, 1, prediction, Some(truth));
    let scores = scores(&ensemble);
    let correlation = scores.channels[0].correlation.as_ref().unwrap();
    for (r, lead) in correlation.by_lead.iter().zip(&scores.lead) {
        near(*r, (delta * lead).cos(), 1e-5, "correlation");
    }
    assert_eq!(scores.lead[0], 0.5);
    assert_eq!(scores.frames, 20);
    // Linear between frames, half a unit of time apart.
    near(correlation.time.unwrap(), 0.8_f64.acos() / delta, 0.01, "time above 0.8");
    assert_eq!(correlation.lasting, Some(0.0));
    let error = scores.channels[0].error.as_ref().unwrap();
    for (e, lead) in error.relative_l2_by_lead.iter().zip(&scores.lead) {
        near(*e, 2.0 * (0.5 * delta * lead).sin().abs(), 0.01, "relative L² of a shift");
    }
}

/// A wave that runs the other way has the right energy spectrum and the wrong space-time spectrum:
/// all of its power stands where there should be none.
#[test]
fn space_time_spectra_know_directions() {
    for points in [vec![64], vec![16, 32]] {
        let spec = spec(&points, Periodic, 1, 16);
        let omega = TAU * 3.0 / (16.0 * 0.5);
        let truth = path(&spec, |t, _, y, x| (5.0 * x + 2.0 * y - omega * t).cos());
        let prediction = path(&spec, |t, _, y, x| (5.0 * x + 2.0 * y + omega * t).cos());
        let ensemble = result(spec, Task::Generate, 1, 0, prediction, Some(truth));
        let scores = scores(&ensemble);
        let channel = &scores.channels[0];
        near(channel.spectrum.as_ref().unwrap().error, 0.0, 1e-5, "energy spectrum");
        near(channel.space_time.as_ref().unwrap().error, 2.0, 1e-5, "space-time spectrum");
        // Generated fields are not meant to be the truth's.
        assert!(!scores.paired && channel.error.is_none() && channel.crps.is_none());
    }
}

/// The relative L1 error is that of the whole complex transform over time and space.
#[test]
fn space_time_error_is_that_of_the_full_transform() {
    let (frames, ny, nx) = (6, 8, 16);
    let spec = spec(&[ny, nx], Periodic, 1, frames);
    let (a, b) = (noise(frames * ny * nx, 11), noise(frames * ny * nx, 12));
    let ensemble = result(spec, Task::SuperResolve, 1, 0, a.clone(), Some(b.clone()));
    let found = scores(&ensemble).overall.space_time.unwrap().error;
    let mean = b.iter().map(|v| f64::from(*v)).sum::<f64>() / b.len() as f64;
    let power = |values: &[f32]| -> Vec<f64> {
        let mut u: Vec<Complex<f64>> =
            values.iter().map(|v| Complex::from(f64::from(*v) - mean)).collect();
        let mut planner = FftPlanner::new();
        for (n, stride) in [(nx, 1), (ny, nx), (frames, ny * nx)] {
            let fft = planner.plan_fft_forward(n);
            for start in (0..u.len()).filter(|i| i / stride % n == 0) {
                let mut line: Vec<_> = (0..n).map(|i| u[start + i * stride]).collect();
                fft.process(&mut line);
                line.iter().enumerate().for_each(|(i, v)| u[start + i * stride] = *v);
            }
        }
        u.iter().map(|u| u.norm_sqr()).collect()
    };
    let (a, b) = (power(&a), power(&b));
    let difference: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
    near(found, difference / b.iter().sum::<f64>(), 1e-5, "relative L1");
}

/// A result that agrees with its input has no re-coarsening error, however the input was made.
#[test]
fn recoarsening_uses_the_operator_of_the_input() {
    let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
    let damped = Coarsening::Damped { process, lambda: 0.3, noised: false };
    for boundary in [Periodic, Reflecting] {
        for coarsening in [Coarsening::Modes, Coarsening::BlockMean, damped] {
            let spec = spec(&[32, 32], boundary, 2, 2);
            let truth = noise(2 * spec.frame_len(), 5);
            let members: Vec<f32> = truth
                .chunks_exact(spec.frame_len())
                .flat_map(|frame| [frame, frame].concat())
                .collect();
            let ensemble = result(spec, Task::SuperResolve, 2, 0, members, Some(truth));
            let mut ensemble = with_input(ensemble, 8, coarsening);
            let found = scores(&ensemble).overall.recoarsening.unwrap();
            near(found.error, 0.0, 1e-5, "the truth agrees");
            near(found.error_of_mean, 0.0, 1e-5, "the mean agrees");
            assert_eq!(found.error_of_truth.unwrap(), found.error_of_mean);
            assert_eq!(found.coarsening, coarsening);
            // Half the field is half the coarse field: an error of half its size.
            ensemble.prediction.iter_mut().for_each(|v| *v *= 0.5);
            near(
                scores(&ensemble).overall.recoarsening.unwrap().error,
                0.5,
                0.02,
                "half the field",
            );
        }
    }
}

/// Scores in physical units scale with the field, relative ones do not.
#[test]
fn units_scale_and_relative_scores_do_not() {
    let spec = spec(&[64], Periodic, 1, 6);
    let values = 6 * 64;
    let (truth, prediction) = (noise(values, 6), noise(4 * values, 7));
    let stretch = |values: &[f32]| values.iter().map(|v| 250.0 + 8.0 * v).collect::<Vec<_>>();
    let (far, wide) = (stretch(&truth), stretch(&prediction));
    let one = scores(&result(spec.clone(), Task::SuperResolve, 4, 0, prediction, Some(truth)));
    let other = scores(&result(spec, Task::SuperResolve, 4, 0, wide, Some(far)));
    let (a, b) = (&one.channels[0], &other.channels[0]);
    let (e, f) = (a.error.as_ref().unwrap(), b.error.as_ref().unwrap());
    near(f.rmse / e.rmse, 8.0, 1e-3, "RMSE");
    near(f.relative_l2, e.relative_l2, 1e-4, "relative L²");
    near(f.vrmse, e.vrmse, 1e-4, "VRMSE");
    let (c, d) = (a.crps.as_ref().unwrap(), b.crps.as_ref().unwrap());
    near(d.value / c.value, 8.0, 1e-3, "CRPS");
    near(d.relative, c.relative, 1e-4, "relative CRPS");
    let power = b.spectrum.as_ref().unwrap().truth[5] / a.spectrum.as_ref().unwrap().truth[5];
    near(power, 64.0, 0.1, "power");
}

/// What cannot be scored is refused in a sentence.
/// A path that blew up must not hide among sound ones.
#[test]
fn a_path_beyond_the_data_is_counted() {
    let spec = spec(&[16], Periodic, 2, 3);
    let truth = path(&spec, |_, _, _, x| wave(Periodic, 2.0, x, 0.0));
    let (members, len) = (4, spec.frame_len());
    let copies = truth.chunks_exact(len).flat_map(|frame| frame.repeat(members));
    let mut prediction: Vec<f32> = copies.collect();
    // Frame 1, member 2, channel 1: a cosine of amplitude 1 has the deviation 1/√2.
    prediction[(members + 2) * len + 16 + 5] = -4.0;
    let ensemble = result(spec, Task::Generate, members, 0, prediction, Some(truth));
    let scores = scores(&ensemble);
    for (channel, largest, blown_up) in [
        (&scores.channels[0], SQRT_2, 0),
        (&scores.channels[1], 4.0 * SQRT_2, 1),
        (&scores.overall, 4.0 * SQRT_2, 1),
    ] {
        let extremes = &channel.extremes;
        assert_eq!((extremes.paths, extremes.blown_up), (4, blown_up), "{}", channel.name);
        near(extremes.largest, largest, 1e-5, "the farthest value");
        near(extremes.largest_of_truth, SQRT_2, 1e-5, "the truth's");
    }
}

#[test]
fn bad_results_are_refused() {
    let spec = spec(&[16], Periodic, 1, 3);
    let truth = noise(48, 8);
    let make = |given: usize, prediction: Vec<f32>, truth: Vec<f32>| {
        let ensemble = result(spec.clone(), Task::Forecast, 1, given, prediction, Some(truth));
        Scores::new(&ensemble, &Truth::within(&ensemble).unwrap(), &Settings::default())
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    let mut broken = truth.clone();
    broken[40] = f32::NAN;
    let cases = [
        (make(3, truth.clone(), truth.clone()), "all 3 frames were given"),
        (make(1, broken, truth.clone()), "not finite in frame 2"),
        (make(1, truth.clone(), vec![2.0; 48]), "is constant"),
    ];
    for (error, says) in cases {
        assert!(error.contains(says) && !error.contains('\n'), "{error}");
    }
    let ensemble = result(spec.clone(), Task::Forecast, 1, 1, truth.clone(), Some(truth));
    let settings = Settings { coarse: Some(vec![16]), ..Settings::default() };
    let error = Scores::new(&ensemble, &Truth::within(&ensemble).unwrap(), &settings).unwrap_err();
    assert!(error.to_string().contains("fewer points"), "{error}");
}

/// Frames a quarter of a day apart are frames six hours apart, and not seven.
#[test]
fn a_truth_in_another_unit_of_time_is_the_truth() {
    let with = |units: &str, interval: f64| {
        let mut spec = spec(&[16], Boundary::Periodic, 1, 8);
        spec.time = finescale_data::dataset::TimeAxis::model(8, interval);
        spec.time.attributes.insert("units".into(), serde_json::json!(units));
        let truth = path(&spec, |t, _, _, x| (x + t).sin());
        result(spec, Task::Generate, 1, 0, truth.clone(), Some(truth))
    };
    let days = with("days since 2000-01-01", 0.25);
    assert!(Truth::of_other(&days, &with("hours since 2000-01-01", 6.0)).is_ok());
    let error = Truth::of_other(&days, &with("hours since 2000-01-01", 7.0)).unwrap_err();
    assert!(error.to_string().contains("0.25"), "{error}");
}

/// The alarm of a small ensemble by hand: shares of members above 1 are 0, ½, 1, ½; the event comes
/// in the second and third.
#[test]
fn a_small_alarm_by_hand() {
    let spec = spec(&[8], Periodic, 1, 1);
    let truth = vec![0.0, 2.0, 3.0, 1.0, 0.0, 2.0, 3.0, 1.0];
    let members =
        [[0.0, 0.0, 2.0, 5.0, 0.0, 0.0, 2.0, 5.0], [0.5, 1.5, 9.0, 1.0, 0.5, 1.5, 9.0, 1.0]];
    let ensemble = result(spec, Task::SuperResolve, 2, 0, members.concat(), Some(truth));
    let settings = |alarm: &[f64]| Settings { alarm: alarm.to_vec(), ..Settings::default() };
    let of = |alarm: &[f64]| {
        Scores::new(&ensemble, &Truth::within(&ensemble).unwrap(), &settings(alarm))
    };
    let alarm = of(&[1.0]).unwrap().channels[0].alarm.clone().unwrap();
    near(alarm.brier, (0.0 + 0.25 + 0.0 + 0.25) / 4.0, 1e-12, "Brier score");
    near(alarm.frequency, 0.5, 1e-12, "events");
    near(alarm.skill.unwrap(), 0.5, 1e-12, "skill");
    near(alarm.reliability, 0.0, 1e-12, "reliability");
    near(alarm.resolution, 0.125, 1e-12, "resolution");
    let bins: Vec<_> = alarm.bins.iter().map(|b| (b.probability, b.frequency, b.values)).collect();
    assert_eq!(bins, [(0.0, 0.0, 2.0), (0.5, 0.5, 4.0), (1.0, 1.0, 2.0)]);
    assert!(of(&[9.0]).unwrap().overall.alarm.unwrap().skill.is_none());
    assert!(of(&[]).unwrap().overall.alarm.is_none());
    assert!(of(&[1.0, 2.0]).unwrap_err().to_string().contains("--alarm has 2 values"));
}

/// Draws of one distribution: the Brier score is (1 + 1/M) p (1 − p), and its three parts add up. A
/// Gaussian that is always the climate says p everywhere.
#[test]
fn an_alarm_of_a_right_ensemble_is_reliable() {
    let (members, frames) = (4, 100);
    let spec = spec(&[32, 32], Periodic, 2, frames);
    let values = frames * spec.frame_len();
    let mut ensemble = result(
        spec,
        Task::SuperResolve,
        members,
        0,
        noise(values * members, 31),
        Some(noise(values, 32)),
    );
    let settings = Settings { alarm: vec![1.0, -0.5], ..Settings::default() };
    let alarms = |ensemble: &Ensemble| -> Vec<_> {
        let truth = Truth::within(ensemble).unwrap();
        let scores = Scores::new(ensemble, &truth, &settings).unwrap();
        scores.channels.into_iter().map(|channel| channel.alarm.unwrap()).collect()
    };
    let m = members as f64;
    let above = |v: f64| 0.5 * (1.0 - erf(v / SQRT_2));
    for (alarm, v) in alarms(&ensemble).iter().zip(&settings.alarm) {
        let (p, o) = (above(*v), alarm.frequency);
        near(o, p, 0.005, "events");
        near(alarm.brier, (1.0 + 1.0 / m) * p * (1.0 - p), 0.003, "Brier score");
        let parts = alarm.reliability - alarm.resolution + o * (1.0 - o);
        near(alarm.brier, parts, 1e-12, "the parts");
        // Members know nothing of the truth: all cases come equally often.
        near(alarm.resolution, 0.0, 1e-4, "resolution");
    }
    ensemble.members = 1;
    ensemble.prediction = vec![0.0; values];
    ensemble.deviation = Some(vec![1.0; ensemble.frame_len()]);
    for (alarm, v) in alarms(&ensemble).iter().zip(&settings.alarm) {
        let p = above(*v);
        near(alarm.brier, p * (1.0 - p), 0.005, "Brier score of the climate");
        near(alarm.bins[0].probability, p, 1e-6, "probability of a Gaussian");
        assert_eq!(alarm.bins.len(), 1);
    }
}
