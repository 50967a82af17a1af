//! Closed forms and reference values of speciation, clones and collapse.

use finescale::Laplacian;
use finescale::process::Kappa;
use finescale_field::emergence::Process;
use finescale_regimes::clones::{AT_SPECIATION, TwoClusters, same_cluster};
use finescale_regimes::collapse::{Field, excess_entropy, joint_collapse};
use finescale_regimes::coupled::{Coupled, pair};
use nalgebra::DMatrix;

/// dX = −κX dt + √2 dW.
const PROCESS: Process = Process::new(1.0, 2.0, Laplacian::Spectral);
const HORIZON: f64 = 100.0;

/// Common and difference mode have the power Λ each.
fn both(power: f64) -> DMatrix<f64> {
    DMatrix::from_diagonal_element(2, 2, power)
}

fn near(found: f64, expected: f64, tolerance: f64, about: &str) {
    assert!((found - expected).abs() <= tolerance, "{about}: {found}, expected {expected}");
}

/// Speciation times (slow, fast).
fn times(coupled: &Coupled<'_>, data: &DMatrix<f64>) -> [f64; 2] {
    let times = coupled.speciation(data, HORIZON);
    [times[0].unwrap(), times[1].unwrap()]
}

/// σ²e^{−2κt} + (1 − e^{−2κt})/κ, and σ² + 2t in the limit, without loss near it.
#[test]
fn the_variance_of_one_mode_is_known() {
    for (kappa, t, variance) in
        [(0.5, 1.0, 3.0), (2.0, 0.3, 0.2), (0.0, 0.7, 1.0), (1e-9, 2.0, 1.0)]
    {
        let x = (-2.0_f64 * kappa * t).exp();
        let closed = if kappa < 1e-6 {
            // To second order in κ.
            variance * x + 2.0 * t * (1.0 - kappa * t)
        } else {
            variance * x + (1.0 - x) / kappa
        };
        let moment = Coupled::constant(DMatrix::from_element(1, 1, -kappa), 2.0).moment(t);
        let found = moment.covariance(&DMatrix::from_element(1, 1, variance))[(0, 0)];
        near(found, closed, 1e-12 * closed, "matrix form");
        let found = PROCESS.damping(kappa, t).powi(2) * variance + PROCESS.noise_variance(kappa, t);
        near(found, closed, 1e-12 * closed, "one mode");
        // In single precision 1 − e^{−2κt} has no digits left where expm1 has all.
        let (kappa, t) = (1e-6_f32, 0.01_f32);
        let naive = (1.0 - (-2.0 * kappa * t).exp()) / kappa;
        let exact = -(-2.0 * kappa * t).exp_m1() / kappa;
        assert!((exact / 0.02 - 1.0).abs() < 1e-6 && (naive / 0.02 - 1.0).abs() > 1e-2, "{naive}");
    }
}

#[test]
fn clones_know_their_cluster_as_far_as_the_signal_tells() {
    let values =
        [(0.0, 0.5), (0.25, 0.6020), (0.5, 0.6751), (1.0, 0.7752), (2.0, 0.8845), (4.0, 0.9657)];
    for (s, expected) in values {
        near(same_cluster(s), expected, 6e-5, &format!("φ({s})"));
    }
    near(same_cluster(1.0), AT_SPECIATION, 6e-5, "at speciation");
    near(same_cluster(1e4), 1.0, 1e-12, "far above the noise");
}

/// One field of the dimension d: |m|² = d.
fn one(dimension: f64) -> TwoClusters {
    TwoClusters { separation2: dimension, variance: 1.0, process: PROCESS, kappa: 1.0 }
}

/// The parent paper's saved runs of 10 000 clones, and the exact values beside them.
#[test]
fn saved_runs_of_the_parent_paper_agree() {
    let runs = [
        (1024.0, 3.0, 0.9122, 0.9176),
        (1024.0, 3.5, 0.7651, 0.7644),
        (1024.0, 4.0, 0.6216, 0.6319),
        (16384.0, 4.5, 0.8876, 0.8861),
        (16384.0, 5.0, 0.7295, 0.7297),
    ];
    for (dimension, t, saved, exact) in runs {
        let found = one(dimension).same_cluster(t);
        near(found, exact, 6e-5, &format!("d {dimension}, t {t}"));
        let error = (found * (1.0 - found) / 1e4_f64).sqrt();
        near(saved, found, 3.0 * error, "the saved run");
    }
    for (dimension, crossing, half_log) in [
        (256.0, 2.7723, 2.7726),
        (1024.0, 3.4654, 3.4657),
        (4096.0, 4.1586, 4.1589),
        (16384.0, 4.8517, 4.8520),
    ] {
        let found = one(dimension).crossing(0.7753, HORIZON).unwrap();
        near(found, crossing, 6e-5, &format!("crossing of d = {dimension}"));
        near(0.5 * f64::ln(dimension), half_log, 6e-5, "½ ln d");
        near(found, half_log, 6e-4, "the two");
    }
}

/// The parent's convention Λe^{−2t} = 1 for real images; ours, with 1 + Λ, is near for large Λ.
#[test]
fn images_speciate_where_the_parent_paper_says() {
    for (power, t) in [(7.66, 1.02), (16.72, 1.41), (3.05, 0.56), (12.11, 1.25), (60.52, 2.05)] {
        near(0.5 * f64::ln(power), t, 6e-3, "½ ln Λ");
        let finite = PROCESS.speciation(1.0, power);
        near(finite, t, 0.5 * (1.0 / power) + 6e-3, "½ ln (1 + Λ)");
        assert!(finite > t);
    }
}

/// g, speciation times and gap, crossings of 0.7753 and of 0.70 (slow, fast).
type Coupling = (f64, [f64; 2], f64, [f64; 2], [f64; 2]);

const COUPLINGS: [Coupling; 4] = [
    (0.0, [3.8126, 3.8126], 0.0, [3.812, 3.812], [4.064, 4.064]),
    (0.25, [4.8917, 3.1393], 1.7525, [4.891, 3.139], [5.228, 3.341]),
    (0.5, [6.9324, 2.6768], 4.2556, [6.931, 2.676], [7.436, 2.845]),
    (0.75, [12.481, 2.338], 10.142, [12.478, 2.338], [13.487, 2.482]),
];

#[test]
fn coupled_modes_speciate_apart() {
    for (g, [slow, fast], gap, at_snr_one, at_seventy) in COUPLINGS {
        let about = format!("g {g}");
        let found = times(&Coupled::pair(1.0, g, g, 2.0), &both(2048.0));
        near(found[0], slow, 6e-4, &about);
        near(found[1], fast, 6e-4, &about);
        near(found[0] - found[1], gap, 1.1e-3, &about);
        for (mode, kappa) in [1.0 - g, 1.0 + g].into_iter().enumerate() {
            near(PROCESS.speciation(kappa, 2048.0), found[mode], 1e-9, "closed form");
            let clusters =
                TwoClusters { separation2: 2048.0, variance: 1.0, process: PROCESS, kappa };
            let crossing = |level| clusters.crossing(level, HORIZON).unwrap();
            near(crossing(0.7753), at_snr_one[mode], 6e-4, "crossing of 0.7753");
            near(crossing(0.70), at_seventy[mode], 6e-4, "crossing of 0.70");
            near(crossing(AT_SPECIATION), found[mode], 0.02, "clones and matrix form");
        }
    }
}

/// Each mode has its own power: where Y = X the difference has none, and the sum has twice as much.
#[test]
fn modes_have_the_power_of_the_data() {
    let same = DMatrix::from_element(2, 2, 100.0);
    let times = Coupled::pair(1.0, 0.25, 0.25, 2.0).speciation(&same, HORIZON);
    near(times[0].unwrap(), PROCESS.speciation(0.75, 200.0), 1e-9, "the sum");
    assert_eq!(times[1], None);
}

/// g up to t = 2, and from there on; `None` for the case that has no switch.
fn switched(case: usize) -> Option<(f64, f64)> {
    [(0.5, 0.0), (0.0, 0.5)].get(case).copied()
}

/// Times (slow, fast), and in brackets what replacing κt by ∫κ would give. Where g jumps, there are
/// closed forms.
#[test]
fn a_schedule_of_the_coupling_is_not_its_mean() {
    type Schedule = fn(f64) -> f64;
    let cases: [(Schedule, [f64; 2], [f64; 2]); 3] = [
        (|t| if t < 2.0 { 0.5 } else { 0.0 }, [4.811, 2.844], [4.693, 2.958]),
        (|t| if t < 2.0 { 0.0 } else { 0.5 }, [4.958, 3.341], [5.255, 3.267]),
        (|t| 0.5 * (-t).exp(), [4.299, 3.346], [4.244, 3.396]),
    ];
    for (case, (g, exact, replaced)) in cases.into_iter().enumerate() {
        let about = format!("schedule {case}");
        let coupled = Coupled::scheduled(|t| pair(1.0, g(t), g(t)), 1.0 / 32.0, 2.0);
        let found = times(&coupled, &both(2048.0));
        if let Some((first, then)) = switched(case) {
            let of = |g: f64| Coupled::pair(1.0, g, g, 2.0);
            let closed = times(&of(first).until(2.0, of(then)), &both(2048.0));
            let process = Process { switch: 2.0, ..PROCESS };
            for (mode, sign) in [-1.0, 1.0].into_iter().enumerate() {
                near(closed[mode], found[mode], 1e-9, &format!("{about}, in two pieces"));
                let kappa = Kappa { below: 1.0 + sign * first, above: 1.0 + sign * then };
                let alone = process.speciation(kappa, 2048.0);
                near(alone, found[mode], 1e-9, &format!("{about}, a mode alone"));
            }
        }
        for (mode, sign) in [-1.0, 1.0].into_iter().enumerate() {
            near(found[mode], exact[mode], 6e-4, &about);
            // κt = ½ ln(1 + κΛ) with the mean κ up to t.
            let total = |t: f64| {
                let steps = 4000;
                let h = t / f64::from(steps);
                let rate = |i: i32| 1.0 + sign * g((f64::from(i) + 0.5) * h);
                (0..steps).map(rate).sum::<f64>() * h
            };
            let (mut low, mut high) = (0.1, 20.0);
            for _ in 0..40 {
                let t = 0.5 * (low + high);
                let k = total(t);
                if k < 0.5 * (k / t * 2048.0).ln_1p() { low = t } else { high = t }
            }
            near(low, replaced[mode], 1.1e-3, &format!("{about}, κt replaced"));
            assert!((low - found[mode]).abs() > 0.04, "{about}: {low}");
        }
    }
}

#[test]
fn a_constant_schedule_is_the_constant_process() {
    let data = DMatrix::from_row_slice(2, 2, &[30.0, 12.0, 12.0, 9.0]);
    let a = pair(1.0, 0.8, 0.2);
    let constant = times(&Coupled::constant(a.clone(), 2.0), &data);
    let scheduled = times(&Coupled::scheduled(|_| a.clone(), 0.1, 2.0), &data);
    for (a, b) in constant.into_iter().zip(scheduled) {
        near(a, b, 1e-9, "schedule");
    }
}

/// Moments of one process after another are those of small steps through both, also where the noise
/// of the modes is correlated.
#[test]
fn two_pieces_are_what_small_steps_make_of_them() {
    let (first, then) = (pair(1.0, 0.8, 0.2), pair(0.5, -0.3, 0.1));
    let at = |t: f64| if t < 0.75 { first.clone() } else { then.clone() };
    let stepped = Coupled::scheduled(at, 1.0 / 64.0, 2.0);
    let of = |a: &DMatrix<f64>| Coupled::constant(a.clone(), 2.0);
    let pieces = of(&first).until(0.75, of(&then));
    for t in [0.2, 0.75, 0.76, 3.0] {
        let (found, expected) = (pieces.moment(t), stepped.moment(t));
        assert!((found.propagator - expected.propagator).amax() < 1e-10, "E at {t}");
        assert!((found.noise - expected.noise).amax() < 1e-10, "Σ at {t}");
        let drift = if t < 0.75 { &first } else { &then };
        assert!((pieces.drift(t) - drift).amax() < 1e-12, "A at {t}");
    }
}

#[test]
fn anisotropic_coupling_correlates_the_noise_of_its_modes() {
    let a = pair(1.0, 0.8, 0.2);
    let found = Coupled::constant(a.clone(), 2.0).moment(1.0).noise;
    let expected = [0.99741, 0.30864, 0.30864, 0.89785];
    for (found, expected) in found.iter().zip(expected) {
        near(*found, expected, 6e-6, "noise covariance");
    }
    // Quadrature of b² e^{As} e^{Aᵀs} by Simpson's rule.
    let (steps, h) = (200, 1.0 / 200.0);
    let mut sum = DMatrix::zeros(2, 2);
    for i in 0..=steps {
        let e = (&a * (f64::from(i) * h)).exp();
        let weight = if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
        sum += &e * e.transpose() * (2.0 * weight * h / 3.0);
    }
    assert!((&sum - &found).amax() < 1e-8, "{sum} {found}");
    // Left eigenvectors: modes w·X decay with κ = 1 ∓ √(g₁₂ g₂₁).
    let root = 0.16_f64.sqrt();
    let mut modes = Vec::new();
    for (sign, kappa) in [(1.0, 0.6), (-1.0, 1.4)] {
        let w = DMatrix::from_row_slice(1, 2, &[0.2_f64.sqrt(), sign * 0.8_f64.sqrt()]);
        near(1.0 - sign * root, kappa, 1e-12, "κ");
        assert!((&w * &a + &w * kappa).amax() < 1e-12);
        modes.push(w.normalize());
    }
    near((&modes[0] * modes[1].transpose())[(0, 0)].abs(), 0.6, 1e-12, "correlation of the noise");
}

/// Decays if g₁₂ g₂₁ < β²; of opposite signs they make a rotation, which decays with β.
#[test]
fn coupling_is_stable_below_the_damping() {
    for (g12, g21, decays) in
        [(0.8, 0.2, true), (1.2, 0.8, true), (1.3, 0.8, false), (3.0, -2.0, true)]
    {
        let far = Coupled::pair(1.0, g12, g21, 2.0).moment(60.0).propagator;
        let grown = far.singular_values().max();
        assert_eq!(grown < 1.0, decays, "{g12}, {g21}: {grown}");
    }
    let turned = Coupled::pair(1.0, 3.0, -2.0, 2.0).moment(2.0).propagator;
    near(turned.determinant(), f64::exp(-4.0), 1e-9, "a rotation decays with β");
}

fn field(dimensions: usize, kappa: f64) -> Field {
    Field { dimensions, power: 1.0, kappa }
}

#[test]
fn one_field_collapses_at_its_time() {
    for (d, expected) in [(256, 1.2988), (1024, 1.9775), (4096, 2.6671)] {
        let found = joint_collapse(PROCESS, &[field(d, 1.0)], 2e4, HORIZON).unwrap();
        near(found, expected, 6e-5, &format!("d {d}"));
        let closed = 0.5 * (1.0 / (2e4_f64.powf(2.0 / d as f64) - 1.0)).ln_1p();
        near(found, closed, 1e-9, "closed form");
    }
    // The parent's saved excess entropy at d = 1024, rounded by the finite size near its zero.
    let excess = |t| excess_entropy(PROCESS, &[field(1024, 1.0)], 2e4, t);
    near(excess(2.12), 0.257, 0.01, "above");
    assert_eq!(excess(1.73), 0.0);
}

/// Both modes share the samples, so that they collapse together: their own times, in the brackets,
/// are not that time.
#[test]
fn two_fields_collapse_together() {
    let cases = [
        (0.0, 1.4267, [1.095, 1.095]),
        (0.25, 1.4794, [1.292, 0.956]),
        (0.5, 1.6761, [1.602, 0.852]),
        (0.75, 2.1951, [2.186, 0.771]),
    ];
    for (g, joint, alone) in cases {
        let fields = [field(128, 1.0 - g), field(128, 1.0 + g)];
        let found = joint_collapse(PROCESS, &fields, 2000.0, HORIZON).unwrap();
        near(found, joint, 6e-5, &format!("g {g}"));
        for (field, alone) in fields.into_iter().zip(alone) {
            let own = joint_collapse(PROCESS, &[field], 2000.0, HORIZON).unwrap();
            near(own, alone, 6e-4, &format!("g {g}, alone"));
            assert!(found > own);
        }
        // The same from the matrix form: 128 pairs of variables.
        let coupled = Coupled::pair(1.0, g, g, 2.0);
        let information = 128.0 * coupled.information(&both(1.0), found);
        near(information, 2000_f64.ln(), 1e-9, "information");
    }
}
