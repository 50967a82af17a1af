//! Cubic convolution along each axis, across its boundary.

use super::{beyond, from_coarse, input};
use anyhow::Result;
use finescale_data::dataset::SpatialAxis;
use finescale_ensemble::Ensemble;
use finescale_field::coarsening::Coarsening;

/// The four coarse points and weights of a fine point.
type Taps = [(usize, f64); 4];

/// Bicubic interpolation (Keys 1981, doi 10.1109/TASSP.1981.1163711, a = −½); cubic on a line.
/// Periodic axes wrap, reflecting ones are mirrored, and values of pixels stand for the middle of
/// their blocks.
///
/// # Errors
/// Without a coarse input.
pub fn bicubic(result: &Ensemble) -> Result<Ensemble> {
    let input = input(result)?;
    let (fine, coarse, coarsening) = (&result.spec, &input.spec, input.origin()?.coarsening);
    let columns = taps(&fine.x, &coarse.x, coarsening);
    let rows = match (&fine.y, &coarse.y) {
        (Some(fine), Some(coarse)) => taps(fine, coarse, coarsening),
        _ => vec![[(0, 1.0), (0, 0.0), (0, 0.0), (0, 0.0)]],
    };
    let (points, coarse_points) = (fine.points(), coarse.points());
    let (width, coarse_width) = (fine.nx(), coarse.nx());
    let mut wide = vec![0.0_f64; coarse.ny() * width];
    from_coarse(result, "bicubic", |from, to| {
        for (from, to) in from.chunks_exact(coarse_points).zip(to.chunks_exact_mut(points)) {
            for (from, wide) in from.chunks_exact(coarse_width).zip(wide.chunks_exact_mut(width)) {
                for (value, taps) in wide.iter_mut().zip(&columns) {
                    *value = taps.iter().map(|&(j, w)| w * f64::from(from[j])).sum();
                }
            }
            for (row, taps) in to.chunks_exact_mut(width).zip(&rows) {
                for (x, value) in row.iter_mut().enumerate() {
                    *value = taps.iter().map(|&(j, w)| w * wide[j * width + x]).sum::<f64>() as f32;
                }
            }
        }
        Ok(())
    })
}

fn taps(fine: &SpatialAxis, coarse: &SpatialAxis, coarsening: Coarsening) -> Vec<Taps> {
    let n = coarse.points();
    let ratio = fine.points() as f64 / n as f64;
    let place = |i: usize| match coarsening.is_centred(fine.boundary) {
        true => (i as f64 + 0.5) / ratio - 0.5,
        false => i as f64 / ratio,
    };
    let of = |i: usize| {
        let at = place(i);
        let first = at.floor() as isize - 1;
        std::array::from_fn(|tap| {
            let j = first + tap as isize;
            (beyond(j, n, fine.boundary), keys(at - j as f64))
        })
    };
    (0..fine.points()).map(of).collect()
}

/// Keys' kernel with a = −½: it passes through the points, and reproduces parabolas.
fn keys(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::Boundary;

    #[test]
    fn weights_sum_to_one_and_points_are_kept() {
        use Boundary::{Periodic, Reflecting};
        for (boundary, coarsening) in [
            (Periodic, Coarsening::Modes),
            (Periodic, Coarsening::BlockMean),
            (Reflecting, Coarsening::Modes),
        ] {
            let fine = SpatialAxis::two_pi("x", 32, boundary);
            let coarse = SpatialAxis::two_pi("x", 8, boundary);
            for taps in taps(&fine, &coarse, coarsening) {
                let sum: f64 = taps.iter().map(|t| t.1).sum();
                assert!((sum - 1.0).abs() < 1e-14);
            }
        }
        assert_eq!((keys(0.0), keys(1.0), keys(2.0)), (1.0, 0.0, 0.0));
    }
}
