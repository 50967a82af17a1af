use super::*;
use crate::simulate::Plan;
use crate::simulate::driver::make;

/// The frames of one trajectory, one after the other.
fn made(system: &Linear, seed: u64, index: u64, frames: usize) -> Vec<f32> {
    let plan = Plan { seed, trajectories: 1, frames };
    make(system, &plan, index as usize, &|| Ok(())).unwrap()
}

/// Estimates of P and of E[û¹ conj û⁰] over `count` trajectories.
fn moments(system: &Linear, count: u64) -> (Vec<f64>, Vec<Complex64>) {
    let (ny, nx) = system.parameters.shape();
    let mut transform = Plane::new(ny, nx);
    let mut power = vec![0.0; ny * nx];
    let mut lagged = vec![Complex64::ZERO; ny * nx];
    let scale = 1.0 / ((ny * nx) as f64).sqrt();
    for index in 0..count {
        let mut frames = Vec::new();
        for frame in made(system, 11, index, 2).chunks_exact(ny * nx) {
            let mut plane: Vec<_> =
                frame.iter().map(|v| Complex64::from(f64::from(*v) * scale)).collect();
            transform.forward(&mut plane);
            frames.push(plane);
        }
        for mode in 0..ny * nx {
            power[mode] += frames[1][mode].norm_sqr() / count as f64;
            lagged[mode] += frames[1][mode] * frames[0][mode].conj() / count as f64;
        }
    }
    (power, lagged)
}

#[test]
fn power_and_lag_one_correlation_are_those_asked_for() {
    // Frame 1, after one step, has P if and only if noise and ρ balance. An estimate of P over n
    // samples has a relative standard error of √(1/n), √(2/n) where û is real, and that of ρ one of
    // √(1/n) or less in each part: 5.5 of them over a few hundred modes is missed by chance once
    // in 100 000 runs.
    let cases = [
        Parameters { grid: 32, ..Parameters::default() },
        Parameters { grid: 32, unit_variance: true, advection: 0.0, ..Parameters::default() },
        Parameters { grid: 12, dimensions: 2, scale: 3.0, advection: 0.4, ..Parameters::default() },
    ];
    for parameters in cases {
        let system = Linear::new(parameters).unwrap();
        let count = 2000;
        let (power, lagged) = moments(&system, count);
        let error = 5.5 / (count as f64).sqrt();
        for mode in 0..power.len() {
            let expected = system.power[mode];
            assert!((power[mode] / expected - 1.0).abs() < 1.5 * error, "power of mode {mode}");
            let rho = lagged[mode] / expected;
            assert!((rho - system.correlation[mode]).norm() < 2.0 * error, "ρ of mode {mode}");
        }
    }
}

#[test]
fn coefficients_are_the_closed_forms() {
    let line = Linear::new(Parameters::default()).unwrap();
    for (k, power) in [(0, 4.0), (4, 2.0), (8, 4.0 / 17.0)] {
        assert!((line.power[k] - power).abs() < 1e-14);
        let rho = Complex64::new(-0.05 * (1.0 + k as f64 / 4.0), 0.045 * k as f64).exp();
        assert!((line.correlation[k] - rho).norm() < 1e-14);
    }
    // Waves travel together: ρ(−k) is the conjugate of ρ(k), and Nyquist is real.
    assert_eq!(line.correlation[61], line.correlation[3].conj());
    assert_eq!(line.correlation[32].im, 0.0);
    let plane = Linear::new(Parameters {
        grid: 16,
        dimensions: 2,
        unit_variance: true,
        ..Parameters::default()
    })
    .unwrap();
    assert!((plane.power.iter().sum::<f64>() / 256.0 - 1.0).abs() < 1e-14);
    // Isotropic: (3, 4) and (5, 0) have the same |k|.
    assert!((plane.power[3 * 16 + 4] - plane.power[5]).abs() < 1e-15);
    for row in 0..16 {
        for column in 0..16 {
            let mirror = (16 - row) % 16 * 16 + (16 - column) % 16;
            let difference =
                plane.correlation[row * 16 + column] - plane.correlation[mirror].conj();
            assert!(difference.norm() < 1e-15, "({row}, {column})");
        }
    }
}

#[test]
fn fields_are_real() {
    // An imaginary part would be dropped in silence, and with it variance.
    let system =
        Linear::new(Parameters { grid: 16, dimensions: 2, ..Parameters::default() }).unwrap();
    let mut run = LinearPath {
        system: &system,
        noise: Noise::new(0, 0),
        transform: Plane::new(16, 16),
        state: vec![Complex64::ZERO; 256],
        work: vec![Complex64::ZERO; 256],
    };
    for _ in 0..5 {
        run.advance().unwrap();
    }
    run.values(&mut vec![0.0; 256]);
    assert!(run.work.iter().map(|point| point.re.abs()).sum::<f64>() > 10.0);
    assert!(run.work.iter().all(|point| point.im.abs() < 1e-12));
}

#[test]
fn parameters_that_cannot_work_are_refused() {
    let base = Parameters::default;
    let cases = [
        (Parameters { grid: 7, ..base() }, "--grid must be even"),
        (Parameters { grid: 2, ..base() }, "--grid must be at least 4"),
        (Parameters { dimensions: 3, ..base() }, "--dimensions must be 1 or 2"),
        (Parameters { scale: 0.0, ..base() }, "--scale must be a positive number"),
        (Parameters { decay: 0.0, ..base() }, "--decay 0 makes |ρ| ≥ 1"),
        (Parameters { decay: -0.1, ..base() }, "--decay -0.1 makes |ρ| ≥ 1"),
        (Parameters { advection: f64::NAN, ..base() }, "--advection must be a finite number"),
        (Parameters { interval: 0.0, ..base() }, "--interval must be a positive number"),
    ];
    for (parameters, expected) in cases {
        let message = Linear::new(parameters).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_burn_in_leaves_out_the_first_frames() {
    let frames = |burn_in: f64, count: usize| {
        let system = Linear::new(Parameters { burn_in, ..Parameters::default() }).unwrap();
        made(&system, 4, 2, count)
    };
    let all = frames(0.0, 8);
    assert_eq!(frames(3.0, 5), all[3 * (all.len() / 8)..]);
    let refused = Linear::new(Parameters { burn_in: -1.0, ..Parameters::default() });
    assert!(refused.unwrap_err().to_string().contains("--burn-in"));
}
