//! Pixels that average blocks of points: their transfer function, and how well they tell the modes.

use finescale::spectral::operator::apply;
use finescale::spectral::{
    block_average, coarsen, forward, inverse, pixel_modes, refine, scratch_len,
};
use finescale::{Axis, Boundary, Error, Field, Grid, Laplacian, Modes};
use finescale_tests::{BOUNDARIES, field, relative_error, widen};

/// Pairs of a fine and a coarse grid.
fn pairs() -> Vec<(Grid, Grid)> {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    let mut pairs = Vec::new();
    for x in BOUNDARIES {
        pairs.extend(
            [(64, 8), (32, 16), (16, 8), (8, 8), (24, 8), (40, 8), (90, 18), (72, 24)]
                .map(|(fine, coarse)| (Grid::line(axis(fine, x)), Grid::line(axis(coarse, x)))),
        );
        for y in BOUNDARIES {
            let plane = |ny, nx| Grid::plane(axis(ny, y), axis(nx, x)).expect("a plane");
            pairs.push((plane(16, 32), plane(8, 8)));
            pairs.push((plane(24, 40), plane(8, 20)));
        }
    }
    pairs
}

/// The spectrum of what pixels show of a field given by its spectrum.
fn pixels(fine: &Grid, coarse: &Grid, spectrum: &[f32]) -> Vec<f32> {
    let mut field = spectrum.to_vec();
    inverse(fine, Modes::from_mut(&mut field), &mut vec![0.0; scratch_len(fine)])
        .expect("a spectrum");
    let (by, bx) = (fine.ny() / coarse.ny(), fine.nx() / coarse.nx());
    let mut shown = vec![0.0; coarse.points()];
    for (point, value) in field.iter().enumerate() {
        let (y, x) = (point / fine.nx() / by, point % fine.nx() / bx);
        shown[y * coarse.nx() + x] += value / (by * bx) as f32;
    }
    forward(coarse, Field::from_mut(&mut shown), &mut vec![0.0; scratch_len(coarse)])
        .expect("a field");
    shown
}

/// Whether the coarse grid resolves a mode of its own spectrum: all but Nyquist.
fn below_nyquist(coarse: &Grid, index: usize) -> bool {
    let nyquist = |axis: Axis, index| axis.boundary() == Boundary::Periodic && index == 1;
    let (j, i) = (index / coarse.nx(), index % coarse.nx());
    !nyquist(coarse.x(), i) && !coarse.y().is_some_and(|y| nyquist(y, j))
}

#[test]
fn pixels_multiply_the_modes_they_resolve() {
    for (fine, coarse) in pairs() {
        let mut low = field(coarse.points(), 3);
        for (index, value) in low.iter_mut().enumerate() {
            if !below_nyquist(&coarse, index) {
                *value = 0.0;
            }
        }
        let mut spectrum = vec![0.0; fine.points()];
        refine(&coarse, Modes::coarse(&low), &fine, Modes::from_mut(&mut spectrum)).expect("fits");
        let mut transfer = vec![0.0; fine.points()];
        block_average(&fine, &coarse, &mut transfer).expect("fits");
        let mut seen = vec![0.0; fine.points()];
        apply(&fine, &transfer, Modes::new(&spectrum), Modes::from_mut(&mut seen)).expect("fits");
        let mut expected = vec![0.0; coarse.points()];
        coarsen(&fine, Modes::new(&seen), &coarse, Modes::coarse_mut(&mut expected)).expect("fits");
        let error = relative_error(&pixels(&fine, &coarse, &spectrum), &widen(&expected));
        assert!(error < 1e-6, "{fine:?} {coarse:?}: {error:e}");
    }
}

#[test]
fn the_estimate_has_the_stated_variance() {
    // The pixels' answer to every fine mode alone, squared and weighed by P, without sampling.
    for (fine, coarse) in pairs() {
        let n = fine.points();
        let power: Vec<f32> = fine.kappas(Laplacian::Spectral).map(|k| 3.0 / (1.0 + k)).collect();
        let (mut undo, mut variances) = (vec![0.0; n], vec![0.0; n]);
        pixel_modes(&fine, &coarse, 0.0, &power, &mut undo, &mut variances).expect("fits");
        let mut expected = vec![0.0; n];
        for (index, power) in power.iter().enumerate() {
            let mut unit = vec![0.0; n];
            unit[index] = 1.0;
            let shown = pixels(&fine, &coarse, &unit);
            let (mut wide, mut estimate) = (vec![0.0; n], vec![0.0; n]);
            refine(&coarse, Modes::coarse(&shown), &fine, Modes::from_mut(&mut wide))
                .expect("fits");
            apply(&fine, &undo, Modes::new(&wide), Modes::from_mut(&mut estimate)).expect("fits");
            for (k, (value, expected)) in estimate.iter().zip(&mut expected).enumerate() {
                let truth = if k == index { 1.0 } else { 0.0 };
                if variances[k].is_finite() {
                    *expected += f64::from(value - truth).powi(2) * f64::from(*power);
                }
            }
        }
        let mut low = vec![1.0; coarse.points()];
        for (index, value) in low.iter_mut().enumerate() {
            if !below_nyquist(&coarse, index) {
                *value = 0.0;
            }
        }
        let mut resolved = vec![0.0; n];
        refine(&coarse, Modes::coarse(&low), &fine, Modes::from_mut(&mut resolved)).expect("fits");
        for (k, (variance, expected)) in variances.iter().zip(expected).enumerate() {
            assert_eq!(variance.is_finite(), resolved[k] != 0.0, "{fine:?} {coarse:?} {k}");
            if variance.is_finite() {
                let off = (f64::from(*variance) - expected).abs();
                assert!(
                    off < 1e-6 + 1e-4 * expected,
                    "{fine:?} {coarse:?} {k}: {variance} {expected}"
                );
            }
        }
    }
}

#[test]
fn the_pixels_noise_is_spread_over_the_modes() {
    // Without aliases: white pixel noise on the refined grid, over the transfer function.
    let axis = |n| Axis::periodic(n).expect("an axis");
    let (fine, coarse) = (Grid::line(axis(32)), Grid::line(axis(8)));
    let (mut undo, mut variances) = ([0.0; 32], [0.0; 32]);
    pixel_modes(&fine, &coarse, 0.5, &[0.0; 32], &mut undo, &mut variances).expect("fits");
    assert!((variances[0] - 2.0).abs() < 1e-6);
    let angle = std::f32::consts::PI * 3.0 / 32.0;
    let size = (4.0 * angle).sin() / (4.0 * angle.sin());
    assert!((variances[6] * size * size - 2.0).abs() < 1e-5);
    assert_eq!(variances[6], variances[7]);
    assert!(variances[1].is_infinite() && variances[8].is_infinite() && undo[8] == 0.0);
    let refused = pixel_modes(&coarse, &fine, 0.5, &[0.0; 8], &mut [0.0; 8], &mut [0.0; 8]);
    assert_eq!(refused, Err(Error::GridMismatch));
    let refused = pixel_modes(&fine, &coarse, -1.0, &[0.0; 32], &mut undo, &mut variances);
    assert!(matches!(refused, Err(Error::Parameter { name: "pixel_variance", .. })));
}
