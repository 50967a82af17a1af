//! FLEX against its closed forms.

use std::f64::consts::FRAC_1_SQRT_2;

use finescale_chains::flex::{
    Alignment, Integrator, Target, angle, interpolate, log_snr, noise, residual, state, velocity,
};

fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found}, want {wanted}");
}

#[test]
fn the_schedule_has_its_values() {
    let wanted = [20.0, 1.762_619, 0.0, -1.762_619, -20.0];
    for (n, wanted) in wanted.into_iter().enumerate() {
        let t = n as f64 / 4.0;
        near(log_snr(t), wanted, 1e-6);
        // α and σ as the reference computes them.
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        near(angle(t).cos(), sigmoid(log_snr(t)).sqrt(), 1e-12);
        near(angle(t).sin(), sigmoid(-log_snr(t)).sqrt(), 1e-12);
    }
    near(angle(0.5).cos(), FRAC_1_SQRT_2, 1e-12);
}

#[test]
fn data_and_noise_are_found_again() {
    for t in [0.0, 0.2, 0.5, 0.9, 1.0] {
        let (r, e) = (0.7, -1.3);
        let (z, v) = (state(t, r, e), velocity(t, r, e));
        near(residual(t, z, v), r, 1e-12);
        near(noise(t, z, v), e, 1e-12);
        // A wrong v is as wrong in the noise and the residual as the weights say.
        let wrong = v + 0.4;
        near((noise(t, z, wrong) - e).abs(), Target::Noise.weight(t) * 0.4, 1e-12);
        near((residual(t, z, wrong) - r).abs(), Target::Residual.weight(t) * 0.4, 1e-12);
        near(Target::Velocity.weight(t), 1.0, 0.0);
    }
}

/// The best v of a Gaussian residual of standard deviation s.
fn best(s: f64, z: f64, t: f64) -> f64 {
    let (sigma, alpha) = angle(t).sin_cos();
    alpha * sigma * (1.0 - s * s) * z / (alpha * alpha * s * s + sigma * sigma)
}

/// What a sampler makes of unit noise: it is linear, so that this over s is the ratio of spreads.
fn spread(integrator: Integrator, intervals: usize, s: f64) -> f64 {
    let drawn = integrator.sample(intervals, &[1.0], |z, t| Ok(vec![best(s, z[0], t)]));
    drawn.expect("a sample")[0].abs() / s
}

#[test]
fn few_steps_lose_the_spread() {
    for (steps, wanted) in [
        (1, [0.0, 0.0, 0.0, 0.0]),
        (2, [0.099, 0.275, 0.400, 0.500]),
        (3, [0.169, 0.433, 0.571, 0.650]),
        (8, [0.435, 0.749, 0.823, 0.856]),
        (32, [0.821, 0.932, 0.953, 0.962]),
    ] {
        for (s, wanted) in [0.1, 0.3, 0.5, 1.0].into_iter().zip(wanted) {
            near(spread(Integrator::Ddim, steps, s), wanted, 7e-4);
        }
    }
    for s in [0.1, 0.5, 1.0] {
        near(spread(Integrator::Ddim, 2, s), s / (1.0 + s * s), 1e-4);
    }
}

#[test]
fn the_midpoint_rule_keeps_it() {
    for (intervals, wanted) in [(2, [0.77, 0.94, 1.00]), (4, [0.96, 0.99, 1.00])] {
        for (s, wanted) in [0.3, 0.5, 1.0].into_iter().zip(wanted) {
            near(spread(Integrator::Midpoint, intervals, s), wanted, 6e-3);
        }
        assert_eq!(Integrator::Midpoint.calls(intervals), 2 * intervals);
    }
    assert_eq!(Integrator::Ddim.calls(8), 8);
    assert!(Integrator::Ddim.sample(0, &[1.0], |z, _| Ok(z.to_vec())).is_err());
}

#[test]
fn a_consistent_velocity_is_followed_exactly() {
    let (r, e) = (0.4, 1.1);
    for intervals in [1, 2, 7] {
        let begin = state(1.0, r, e);
        let drawn =
            Integrator::Ddim.sample(intervals, &[begin], |_, t| Ok(vec![velocity(t, r, e)]));
        near(drawn.expect("a sample")[0], r, 1e-12);
    }
}

#[test]
fn a_network_that_says_nothing_has_a_known_loss() {
    // Of r = 0: the mean of cos φ |ε|, by the midpoint rule in t.
    let n = 10_000;
    let mean: f64 = (0..n).map(|i| angle((f64::from(i) + 0.5) / f64::from(n)).cos()).sum::<f64>()
        / f64::from(n);
    near(mean * (2.0 / std::f64::consts::PI).sqrt(), 0.508, 5e-4);
    near(velocity(0.3, 0.0, 2.0), 2.0 * angle(0.3).cos(), 1e-12);
}

#[test]
fn resampling_of_the_reference_moves_the_field() {
    let wave = |x: f64| (2.0 * std::f64::consts::PI * x / 32.0).sin();
    let error = |f: usize, alignment| {
        let coarse: Vec<f64> = (0..32 / f).map(|i| wave((i * f) as f64)).collect();
        let fine = interpolate(&coarse, f, alignment);
        let (mut off, mut total) = (0.0, 0.0);
        for (i, value) in fine.iter().enumerate() {
            off += (value - wave(i as f64)).powi(2);
            total += wave(i as f64).powi(2);
        }
        (off / total).sqrt()
    };
    for (f, shifted, aligned) in [(4, 0.306, 0.055), (8, 0.657, 0.213)] {
        near(error(f, Alignment::Shifted), shifted, 5e-4);
        near(error(f, Alignment::Periodic), aligned, 5e-4);
    }
}
