//! Every fine point takes the value of the nearest coarse one.

use anyhow::Result;

use super::{from_coarse, input};
use finescale_data::dataset::SpatialAxis;
use finescale_ensemble::Ensemble;

/// The coarse input as it is, on the fine grid.
///
/// # Errors
/// Without a coarse input.
pub fn nearest(result: &Ensemble) -> Result<Ensemble> {
    let input = input(result)?;
    let (coarse, coarsening) = (&input.spec, input.origin()?.coarsening);
    let of = |fine: &SpatialAxis, coarse: &SpatialAxis| -> Vec<usize> {
        let (n, points) = (coarse.points(), fine.points());
        // In halves of a fine point's width.
        let shift = if coarsening.is_centred(fine.boundary) { n } else { points };
        (0..points).map(|i| (2 * n * i + shift) / (2 * points) % n).collect()
    };
    let columns = of(&result.spec.x, &coarse.x);
    let rows = match (&result.spec.y, &coarse.y) {
        (Some(fine), Some(coarse)) => of(fine, coarse),
        _ => vec![0],
    };
    let (points, coarse_points, width) = (result.spec.points(), coarse.points(), coarse.nx());
    from_coarse(result, "nearest", |from, to| {
        for (from, to) in from.chunks_exact(coarse_points).zip(to.chunks_exact_mut(points)) {
            let places = rows.iter().flat_map(|y| columns.iter().map(move |x| y * width + x));
            to.iter_mut().zip(places).for_each(|(to, place)| *to = from[place]);
        }
        Ok(())
    })
}
