use super::state::tendency;
use super::*;

fn physics(slow: usize, fast: usize) -> Physics {
    Parameters { slow, fast, ..Parameters::default() }.physics()
}

fn random_state(physics: &Physics, seed: u64) -> State {
    let mut noise = Noise::new(seed, 0);
    let mut state = State::zeros(physics);
    state.slow_mut().fill_with(|| 3.0 * noise.normal());
    state.fast_mut().fill_with(|| 0.3 * noise.normal());
    state.close_rings();
    state
}

/// A state on the attractor, or near it.
fn developed(parameters: &Parameters, seed: u64, time: f64) -> Model {
    let system = Lorenz96::new(parameters.clone()).unwrap();
    let mut model = system.model(seed, 0);
    for _ in 0..(time / parameters.dt) as usize {
        model.step();
    }
    model
}

#[test]
fn tendency_is_the_equations_with_remainders() {
    // Lorenz (1996) with indices modulo K and KJ. Fails for a shifted index, the ends included.
    for (k, j) in [(4, 1), (5, 3), (32, 4)] {
        let p = physics(k, j);
        let state = random_state(&p, 1);
        let mut slope = State::zeros(&p);
        tendency(&p, &state, &mut slope);
        let (x, y) = (state.slow(), state.fast());
        let exchange = p.coupling * p.time_scale_ratio / p.amplitude_ratio;
        for i in 0..k {
            let at = |shift: isize| x[(i as isize + shift).rem_euclid(k as isize) as usize];
            let fast: f64 = (0..j).map(|f| y[i * j + f]).sum();
            let expected = -at(-1) * (at(-2) - at(1)) - at(0) + p.forcing - exchange * fast;
            assert!((slope.slow()[i] - expected).abs() < 1e-12);
        }
        for i in 0..k * j {
            let at = |shift: isize| y[(i as isize + shift).rem_euclid((k * j) as isize) as usize];
            let (c, b) = (p.time_scale_ratio, p.amplitude_ratio);
            let expected = -c * b * at(1) * (at(2) - at(-1)) - c * at(0) + exchange * x[i / j];
            assert!((slope.fast()[i] - expected).abs() < 1e-11);
        }
    }
}

#[test]
fn advection_and_coupling_conserve_energy() {
    // d/dt ½(ΣX² + ΣY²) = F ΣX − ΣX² − c ΣY²: what is left is forcing and damping alone.
    let p = physics(32, 4);
    let state = random_state(&p, 2);
    let mut slope = State::zeros(&p);
    tendency(&p, &state, &mut slope);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (x, y) = (state.slow(), state.fast());
    let change = dot(x, slope.slow()) + dot(y, slope.fast());
    let expected = p.forcing * x.iter().sum::<f64>() - dot(x, x) - p.time_scale_ratio * dot(y, y);
    assert!((change - expected).abs() < 1e-10 * dot(x, x), "{change} is not {expected}");
}

#[test]
fn schemes_converge_with_their_order() {
    for (scheme, steps, order) in [(Scheme::Rk4, [40, 80], 4.0), (Scheme::Euler, [4000, 8000], 1.0)]
    {
        let p = physics(8, 4);
        let end = |scheme, steps| {
            let mut model = Model::new(p, scheme, 0.1 / steps as f64, random_state(&p, 3));
            for _ in 0..steps {
                model.step();
            }
            model.state
        };
        let reference = end(Scheme::Rk4, 1000);
        let error = |steps| {
            let state = end(scheme, steps);
            let all = state.slow().iter().chain(state.fast());
            let other = reference.slow().iter().chain(reference.fast());
            all.zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        let measured = (error(steps[0]) / error(steps[1])).log2();
        assert!((measured - order).abs() < 0.2, "{scheme:?}: order {measured}");
    }
}

#[test]
fn budgets_of_mean_and_energy_close() {
    // Integrated over a run, the mean of dX/dt and of dE/dt must equal the change between its ends
    // (an identity of the equations; the time mean here is by the trapezoidal rule).
    let parameters = Parameters::default();
    let mut model = developed(&parameters, 4, 5.0);
    let p = model.physics;
    let (mut mean, mut energy) = (0.0, 0.0);
    let totals = |state: &State| [state.slow().iter().sum::<f64>(), 0.5 * state.square()];
    let before = totals(&model.state);
    let steps = 8000;
    for step in 0..=steps {
        let weight = if step % steps == 0 { 0.5 } else { 1.0 } * parameters.dt;
        let (x, y) = (model.state.slow(), model.state.fast());
        let k = x.len();
        let eddies: f64 =
            (0..k).map(|i| x[(i + k - 1) % k] * (x[(i + 1) % k] - x[(i + k - 2) % k])).sum();
        let (sx, sy): (f64, f64) = (x.iter().sum(), y.iter().sum());
        let (xx, yy): (f64, f64) = (x.iter().map(|v| v * v).sum(), y.iter().map(|v| v * v).sum());
        let exchange = p.coupling * p.time_scale_ratio / p.amplitude_ratio;
        mean += weight * (eddies - sx + p.forcing * k as f64 - exchange * sy);
        energy += weight * (p.forcing * sx - xx - p.time_scale_ratio * yy);
        if step < steps {
            model.step();
        }
    }
    let after = totals(&model.state);
    // Each term is of order 32 · 10 · 20 time units; the quadrature's error is 1e-4 of that.
    assert!((after[0] - before[0] - mean).abs() < 0.3, "{} {mean}", after[0] - before[0]);
    assert!((after[1] - before[1] - energy).abs() < 1.5, "{} {energy}", after[1] - before[1]);
}

/// Mean, standard deviation and leading Lyapunov exponent of X over `time`.
fn climate(parameters: &Parameters, time: f64) -> (f64, f64, f64) {
    let mut model = developed(parameters, 5, 20.0);
    let mut twin = developed(parameters, 5, 20.0);
    let size = 1e-6;
    twin.state.slow_mut()[0] += size;
    twin.state.close_rings();
    let (mut sum, mut square, mut count, mut growth) = (0.0, 0.0, 0.0, 0.0);
    let stretch = (0.1 / parameters.dt).round() as usize;
    let stretches = (time / 0.1) as usize;
    for number in 0..stretches {
        for _ in 0..stretch {
            model.step();
            twin.step();
        }
        for x in model.state.slow() {
            sum += x;
            square += x * x;
            count += 1.0;
        }
        let difference = |a: &State, b: &State| {
            let slow = a.slow().iter().zip(b.slow());
            slow.chain(a.fast().iter().zip(b.fast()))
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let distance = difference(&model.state, &twin.state);
        if number >= 50 {
            growth += (distance / size).ln();
        }
        let pull = size / distance;
        let base = model.state.clone();
        for (t, m) in twin.state.slow_mut().iter_mut().zip(base.slow()) {
            *t = m + (*t - m) * pull;
        }
        for (t, m) in twin.state.fast_mut().iter_mut().zip(base.fast()) {
            *t = m + (*t - m) * pull;
        }
        twin.state.close_rings();
    }
    let mean = sum / count;
    let exponent = growth / ((stretches - 50) as f64 * 0.1);
    (mean, (square / count - mean * mean).sqrt(), exponent)
}

#[test]
fn one_scale_climate_is_the_published_one() {
    // Without coupling X is Lorenz-96 of one scale. Lorenz and Emanuel, J. Atmos. Sci. 55 (1998),
    // K = 40, F = 8: mean 2.3, standard deviation 3.6, errors double in 2.1 days of 0.2 time units,
    // that is a leading exponent of 1.65. Sampling errors here are near 0.02 and 0.05.
    let parameters = Parameters {
        slow: 40,
        fast: 1,
        forcing: 8.0,
        coupling: 0.0,
        time_scale_ratio: 1.0,
        dt: 0.025,
        ..Parameters::default()
    };
    let (mean, deviation, exponent) = climate(&parameters, 300.0);
    assert!((mean - 2.3).abs() < 0.1, "mean {mean}");
    assert!((deviation - 3.6).abs() < 0.1, "standard deviation {deviation}");
    assert!((exponent - 1.65).abs() < 0.15, "exponent {exponent}");
}

#[test]
fn the_fast_variables_answer_as_published() {
    // U = (hc/b) Σ Y given X, for K = 8, J = 32, F = 20, h = 1, b = c = 10. Published fits: the
    // quartic of Wilks, Q. J. R. Meteorol. Soc. 131 (2005), and the line 0.74 + 0.82 X of the
    // DAPPER package. The quartic comes from finite differences; where it leaves the mean of U, at
    // both ends, the bins of SciPy's DOP853 on the same equations stand in (standard error 0.1).
    let wilks = |x: f64| 0.262 + x * (1.45 + x * (-0.0121 + x * (-0.00713 + x * 0.000296)));
    let parameters =
        Parameters { slow: 8, fast: 32, forcing: 20.0, dt: 0.005, ..Parameters::default() };
    let mut model = developed(&parameters, 6, 10.0);
    let mut samples = Vec::new();
    for _ in 0..3000 {
        for _ in 0..10 {
            model.step();
        }
        let groups = model.state.fast().chunks_exact(32).map(|group| group.iter().sum::<f64>());
        samples.extend(model.state.slow().iter().copied().zip(groups));
    }
    let bin = |x: f64| {
        let near: Vec<_> = samples.iter().filter(|sample| (sample.0 - x).abs() < 0.5).collect();
        near.iter().map(|sample| sample.1).sum::<f64>() / near.len() as f64
    };
    for x in [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0] {
        assert!((bin(x) - wilks(x)).abs() < 0.5, "X = {x}: {} is not {}", bin(x), wilks(x));
    }
    for (x, scipy) in [(-4.0, -3.64), (-2.0, -1.93), (2.0, 3.19), (6.0, 6.72), (10.0, 8.69)] {
        assert!((bin(x) - scipy).abs() < 0.35, "X = {x}: {} is not {scipy}", bin(x));
    }
    let mean =
        |term: fn(&(f64, f64)) -> f64| samples.iter().map(term).sum::<f64>() / samples.len() as f64;
    let (x, u) = (mean(|s| s.0), mean(|s| s.1));
    let slope = (mean(|s| s.0 * s.1) - x * u) / (mean(|s| s.0 * s.0) - x * x);
    assert!((slope - 0.82).abs() < 0.04, "slope {slope}");
    assert!((u - slope * x - 0.74).abs() < 0.25, "intercept {}", u - slope * x);
}

#[test]
fn frames_repeat_x_over_its_points() {
    let parameters = Parameters { burn_in: 0.0, ..Parameters::default() };
    let system = Lorenz96::new(parameters).unwrap();
    let model = system.model(1, 2);
    let mut frame = vec![0.0; system.describe().frame_len()];
    assert_eq!(frame.len(), 2 * 128);
    system.start(1, 2).values(&mut frame);
    for (i, pair) in frame[..128].iter().zip(&frame[128..]).enumerate() {
        assert_eq!(*pair.0, model.state.slow()[i / 4] as f32);
        assert_eq!(*pair.1, model.state.fast()[i] as f32);
    }
}

#[test]
fn parameters_that_cannot_work_are_refused() {
    let base = Parameters::default;
    let cases = [
        (
            Parameters { dt: 0.05 / 3.0, ..base() },
            "--dt 0.016666666666666666 breaks the bound of RK4",
        ),
        (
            Parameters { dt: 0.0025, scheme: Scheme::Euler, ..base() },
            "--dt 0.0025 breaks the bound of forward Euler",
        ),
        (Parameters { forcing: 100.0, ..base() }, "--dt 0.0025 breaks the bound of RK4"),
        (Parameters { dt: 0.004, ..base() }, "--dt 0.004 does not divide"),
        (Parameters { slow: 3, ..base() }, "--slow must be at least 4"),
        (Parameters { fast: 0, ..base() }, "--fast must be at least 1"),
        (Parameters { forcing: f64::NAN, ..base() }, "--forcing must be a finite number"),
        (Parameters { coupling: f64::NAN, ..base() }, "--coupling must be a finite number"),
        (Parameters { time_scale_ratio: 0.0, ..base() }, "--time-scale-ratio must be a positive"),
        (Parameters { amplitude_ratio: -1.0, ..base() }, "--amplitude-ratio must be a positive"),
    ];
    for (parameters, expected) in cases {
        let message = Lorenz96::new(parameters).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains('\n') && !message.contains("  "), "{message}");
    }
    let paper = Parameters { dt: 5e-4, scheme: Scheme::Euler, ..base() };
    assert!(Lorenz96::new(paper).is_ok());
}

#[test]
fn a_blow_up_stops_with_the_time() {
    // A step far beyond the bound, past the check of the parameters.
    let system = Lorenz96::new(Parameters::default()).unwrap();
    let mut model = system.model(0, 0);
    model = Model::new(model.physics, Scheme::Euler, 0.05, model.state);
    let clock = Clock::new(0.05, 1.0, 0.0).unwrap();
    let mut run = LorenzPath { model, largest_square: 12_800.0, clock, intervals: 7 };
    let message = run.advance().unwrap_err().to_string();
    assert_eq!(message, "the solution blew up before t = 8.00: use a --dt smaller than 0.05");
}
