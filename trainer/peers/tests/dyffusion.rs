//! DYffusion with networks whose answers are known: each number is exact, without sampling.

use anyhow::Result;
use finescale_peers::dyffusion::{Conditioning, LastStep, Masks, Networks, Sampling, Window};

/// Sources of noise that a chain may meet, each a coefficient of a field: frames are linear in them.
const SOURCES: usize = 64;

type Interpolation = dyn Fn(&[f64], &[f64], f64, u64) -> Vec<f64>;
type Forecast = dyn Fn(&[f64], f64) -> Vec<f64>;

struct Known {
    forecast: Box<Forecast>,
    interpolate: Box<Interpolation>,
    forecasts: usize,
    interpolations: usize,
    conditions: Vec<Option<Vec<f64>>>,
}

impl Known {
    fn new(
        forecast: impl Fn(&[f64], f64) -> Vec<f64> + 'static,
        interpolate: impl Fn(&[f64], &[f64], f64, u64) -> Vec<f64> + 'static,
    ) -> Self {
        let (forecast, interpolate) = (Box::new(forecast), Box::new(interpolate));
        Self { forecast, interpolate, forecasts: 0, interpolations: 0, conditions: Vec::new() }
    }
}

impl Networks for Known {
    fn forecast(&mut self, state: &[f64], time: f64, seen: Option<&[f64]>) -> Result<Vec<f64>> {
        self.forecasts += 1;
        self.conditions.push(seen.map(<[f64]>::to_vec));
        Ok((self.forecast)(state, time))
    }

    fn interpolate(
        &mut self,
        first: &[f64],
        last: &[f64],
        time: f64,
        mask: u64,
    ) -> Result<Vec<f64>> {
        self.interpolations += 1;
        Ok((self.interpolate)(first, last, time, mask))
    }

    fn noise(&mut self, len: usize) -> Vec<f64> {
        vec![10.0; len]
    }
}

fn mixed(first: &[f64], last: &[f64], w: f64) -> Vec<f64> {
    first.iter().zip(last).map(|(a, b)| (1.0 - w) * a + w * b).collect()
}

fn window(sampling: Sampling, masks: Masks) -> Window {
    Window { sampling, masks, ..Window::new(8, 0).unwrap() }
}

fn near(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (found_one, wanted_one) in found.iter().zip(wanted) {
        assert!((found_one - wanted_one).abs() <= tolerance, "{found:?}, want {wanted:?}");
    }
}

fn values(frames: &[Vec<f64>]) -> Vec<f64> {
    frames.iter().map(|frame| frame[0]).collect()
}

/// Networks of x_i = e^{ai} x_0, off by so much.
fn linear(a: f64, forecast_off: f64, interpolation_off: f64) -> Known {
    let weight = move |i: f64| {
        if a == 0.0 { i / 8.0 } else { (a * i).exp_m1() / (8.0 * a).exp_m1() }
    };
    Known::new(
        move |s, i| s.iter().map(|s| (a * (8.0 - i)).exp() * s + forecast_off).collect(),
        move |first, last, i, _| {
            mixed(first, last, weight(i)).iter().map(|x| x + interpolation_off).collect()
        },
    )
}

#[test]
fn linear_dynamics_are_exact() {
    for sampling in [Sampling::Cold, Sampling::Naive] {
        for a in [0.0, 0.1, -0.1] {
            let (frames, begin) =
                window(sampling, Masks::Fresh).sample(&[1.0], &mut linear(a, 0.0, 0.0)).unwrap();
            let exact: Vec<f64> = (1..=8).map(|i| (a * f64::from(i)).exp()).collect();
            near(&values(&frames), &exact, 1e-15);
            near(&begin, &exact[7..], 1e-15);
        }
    }
}

#[test]
fn errors_grow_as_they_must() {
    let last_of = |sampling, a, f, i| {
        let (frames, _) =
            window(sampling, Masks::Fresh).sample(&[0.0], &mut linear(a, f, i)).unwrap();
        values(&frames)
    };
    let cold = [0.1250, 0.2656, 0.4238, 0.6018, 0.8020, 1.0273, 1.2807, 2.2807];
    let naive = [0.1250, 0.2812, 0.4805, 0.7402, 1.0876, 1.5657, 2.2450, 3.2450];
    near(&last_of(Sampling::Cold, 0.0, 1.0, 0.0), &cold, 1e-4);
    near(&last_of(Sampling::Naive, 0.0, 1.0, 0.0), &naive, 1e-4);
    near(&last_of(Sampling::Cold, -0.1, 1.0, 0.0)[7..], &[2.0779], 1e-4);
    near(&last_of(Sampling::Naive, -0.1, 1.0, 0.0)[7..], &[2.8339], 1e-4);
    // The offset of an interpolation enters once.
    let cold = last_of(Sampling::Cold, 0.0, 0.0, 1.0);
    near(&cold[..3], &[1.0, 1.125, 1.2656], 1e-4);
    near(&cold[6..], &[2.0273, 2.0273], 1e-4);
    let naive = last_of(Sampling::Naive, 0.0, 0.0, 1.0);
    near(&naive[..3], &[1.0, 1.25, 1.4688], 1e-4);
    near(&naive[7..], &[3.2426], 1e-4);
}

#[test]
fn calls_are_counted() {
    // h, k, refine, calls of F and of I.
    let cases = [
        (8, 0, false, 8, 13),
        (8, 0, true, 8, 20),
        (8, 3, false, 11, 19),
        (16, 0, true, 16, 44),
        (7, 25, false, 32, 61),
        (134, 0, true, 134, 398),
    ];
    for (horizon, extra, refine, forecasts, interpolations) in cases {
        let window = Window { refine, ..Window::new(horizon, extra).unwrap() };
        let mut networks = linear(0.0, 0.0, 0.0);
        window.sample(&[1.0], &mut networks).unwrap();
        assert_eq!((networks.forecasts, networks.interpolations), (forecasts, interpolations));
        assert_eq!(window.calls(), forecasts + interpolations);
    }
    let mut networks = linear(0.0, 0.0, 0.0);
    let naive = window(Sampling::Naive, Masks::Fresh);
    naive.sample(&[1.0], &mut networks).unwrap();
    assert_eq!((networks.interpolations, naive.calls()), (7, 15));
    for last in [LastStep::Cold, LastStep::ColdStart] {
        let window = Window { last, ..Window::new(8, 0).unwrap() };
        let mut networks = linear(0.0, 0.0, 0.0);
        window.sample(&[1.0], &mut networks).unwrap();
        assert_eq!((networks.interpolations, window.calls()), (14, 22));
    }
    let times = Window::new(8, 3).unwrap();
    let times: Vec<f64> = (0..11).map(|n| times.time(n)).collect();
    assert_eq!(times, [0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    assert!(Window::new(1, 0).is_err());
}

/// Variances of frames 1 … h, in those of one source.
fn variances(window: Window, networks: &mut Known) -> Vec<f64> {
    let (frames, _) = window.sample(&[0.0; SOURCES], networks).unwrap();
    frames.iter().map(|frame| frame.iter().map(|c| c * c).sum()).collect()
}

#[test]
fn fresh_masks_spread_what_they_should_not() {
    let noisy = || {
        Known::new(
            |s, _| s.to_vec(),
            |first, last, i, mask| {
                let mut frame = mixed(first, last, i / 8.0);
                frame[mask as usize] += 1.0;
                frame
            },
        )
    };
    let fresh = [1.0, 3.266, 6.133, 9.762, 14.355, 20.168, 27.526];
    let pair = [1.0, 1.266, 1.602, 2.027, 2.566, 3.247, 4.110];
    let naive = [1.0, 1.062, 1.149, 1.287, 1.503, 1.845, 2.413];
    for (sampling, masks, wanted) in [
        (Sampling::Cold, Masks::Fresh, fresh),
        (Sampling::Cold, Masks::Pair, pair),
        (Sampling::Naive, Masks::Fresh, naive),
    ] {
        near(&variances(window(sampling, masks), &mut noisy())[..7], &wanted, 6e-4);
    }
}

#[test]
fn a_perfect_bridge_is_not_calibrated() {
    let bridge = || {
        Known::new(
            |s, _| s.to_vec(),
            |first, last, i, mask| {
                let mut frame = mixed(first, last, i / 8.0);
                frame[mask as usize] += (i * (8.0 - i) / 8.0).sqrt();
                frame
            },
        )
    };
    let cases = [
        (Sampling::Cold, Masks::Fresh, [0.935, 1.320, 1.611, 1.852, 2.061, 2.246, 2.411, 2.255]),
        (Sampling::Cold, Masks::Pair, [0.935, 0.772, 0.714, 0.696, 0.700, 0.722, 0.760, 0.711]),
        (
            Sampling::Cold,
            Masks::Trajectory,
            [0.935, 0.949, 0.955, 0.953, 0.939, 0.905, 0.833, 0.779],
        ),
        (Sampling::Naive, Masks::Fresh, [0.935, 0.882, 0.835, 0.794, 0.756, 0.720, 0.682, 0.638]),
    ];
    for (sampling, masks, wanted) in cases {
        let found = variances(window(sampling, masks), &mut bridge());
        let ratios: Vec<f64> =
            found.iter().enumerate().map(|(n, v)| (v / (n + 1) as f64).sqrt()).collect();
        near(&ratios, &wanted, 6e-4);
    }
}

#[test]
fn the_last_step_is_what_was_asked_for() {
    let sample = |last| {
        let window = Window { last, ..Window::new(8, 0).unwrap() };
        let (frames, begin) = window.sample(&[0.0], &mut linear(0.0, 1.0, 0.0)).unwrap();
        (frames[7][0], begin[0])
    };
    let (told, begun) = sample(LastStep::Forecast);
    assert_eq!(told, begun);
    // The state is 1.2807, its interpolation 7/8 of the forecast.
    let cold = told + 1.280_696 - 0.875 * told;
    let (cold_told, cold_begun) = sample(LastStep::Cold);
    near(&[cold_told, cold_begun], &[cold, cold], 1e-4);
    let (reported, started) = sample(LastStep::ColdStart);
    near(&[reported, started], &[told, cold], 1e-4);
}

#[test]
fn the_forecaster_sees_its_condition() {
    let seen = |conditioning| {
        let window = Window { conditioning, ..Window::new(4, 0).unwrap() };
        let mut networks = linear(0.0, 0.0, 0.0);
        window.sample(&[2.0], &mut networks).unwrap();
        networks.conditions.into_iter().map(|seen| seen.map(|seen| seen[0])).collect::<Vec<_>>()
    };
    assert_eq!(seen(Conditioning::None), [None; 4]);
    assert_eq!(seen(Conditioning::First), [Some(2.0); 4]);
    let noisy: Vec<f64> = seen(Conditioning::Noisy).into_iter().flatten().collect();
    near(&noisy, &[10.0, 22.0 / 3.0, 14.0 / 3.0, 2.0], 1e-12);
}
