//! The smoothest field through the coarse values.

use anyhow::Result;
use finescale::{Field, Modes, spectral};

use super::{from_coarse, input};
use finescale_ensemble::Ensemble;
use finescale_field::coarsening::Coarsening;
use finescale_field::grid::apply;

/// Spectral interpolation: Fourier modes (cosines on reflecting axes) padded with zeros. What
/// pixels do to the modes that they resolve is undone; damping is not.
///
/// # Errors
/// Without a coarse input.
pub fn fourier(result: &Ensemble) -> Result<Ensemble> {
    let input = input(result)?;
    let (fine, coarse) = (result.spec.grid()?, input.spec.grid()?);
    let mut scratch = vec![0.0; spectral::scratch_len(&fine)];
    let inverse = match input.origin()?.coarsening {
        Coarsening::BlockMean => {
            let (mut inverse, mut variances) = (vec![0.0; fine.points()], vec![0.0; fine.points()]);
            let power = vec![0.0; fine.points()];
            spectral::pixel_modes(&fine, &coarse, 0.0, &power, &mut inverse, &mut variances)?;
            Some(inverse)
        }
        _ => None,
    };
    from_coarse(result, "Fourier", |from, to| {
        let mut spectrum = from.to_vec();
        let seen = Field::coarse_mut(&mut spectrum);
        let seen = spectral::forward(&coarse, seen, &mut scratch)?;
        spectral::refine(&coarse, seen, &fine, Modes::from_mut(to))?;
        if let Some(inverse) = &inverse {
            apply(&fine, inverse, to)?;
        }
        spectral::inverse(&fine, Modes::from_mut(to), &mut scratch)?;
        Ok(())
    })
}
