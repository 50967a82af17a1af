//! Power spectra over radial bins.

use crate::{Error, Grid, Modes};

/// Shells of equal wavenumber: shell b holds the modes with round(|k| / width) = b.
///
/// The width is the larger of the axes' wavenumber units, so that every shell up to the last holds
/// modes. Where one axis is much shorter than the other, its unit is the resolution: the longest
/// waves of the other share a shell.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RadialBins {
    width: f32,
    count: usize,
}

impl RadialBins {
    /// The shells of a grid.
    pub fn new(grid: &Grid) -> Self {
        let x = grid.x();
        let y_unit = grid.y().map_or(0.0, |y| y.wavenumber_unit());
        let width = x.wavenumber_unit().max(y_unit);
        let bins = Self { width, count: 0 };
        let last = grid.wavenumbers().fold(0, |last, k| bins.bin(k).max(last));
        Self { width, count: last.saturating_add(1) }
    }

    /// Number of shells.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Distance between the shells' centres, radians per unit length.
    pub const fn width(&self) -> f32 {
        self.width
    }

    /// |k| at the centre of a shell.
    pub fn wavenumber(&self, bin: usize) -> f32 {
        bin as f32 * self.width
    }

    /// The shell of a mode with wavenumbers (|k_y|, |k_x|); halves go outwards.
    pub fn bin(&self, (ky, kx): (f32, f32)) -> usize {
        // Saturating casts: no value of k panics.
        (libm::sqrtf(ky * ky + kx * kx) / self.width + 0.5) as usize
    }
}

/// Mean power per mode in every shell, E|û_k|² for an orthonormal transform, of one channel.
///
/// `spectrum`: `[y mode][x mode]`. `power` and `modes`, at least `bins.count()` long, receive the
/// mean power and the number of modes of each shell; the sum of power × modes is the sum of squares
/// of the field. Relative error ≤ 2e-6.
///
/// # Errors
/// [`Error::FieldLength`] unless `spectrum` is one channel; [`Error::OutputLength`].
pub fn power_spectrum<G>(
    grid: &Grid,
    bins: &RadialBins,
    spectrum: &Modes<G>,
    power: &mut [f32],
    modes: &mut [u32],
) -> Result<(), Error> {
    if grid.channels(spectrum.len())? != 1 {
        return Err(Error::FieldLength { values: spectrum.len(), points: grid.points() });
    }
    let needed = bins.count();
    let too_short = Error::OutputLength { values: power.len().min(modes.len()), needed };
    let power = power.get_mut(..needed).ok_or(too_short)?;
    let modes = modes.get_mut(..needed).ok_or(too_short)?;
    power.fill(0.0);
    modes.fill(0);
    for (u, k) in spectrum.iter().zip(grid.wavenumbers()) {
        let bin = bins.bin(k);
        // Shells of another grid may end before the last mode, which then counts nowhere.
        if let (Some(mean), Some(n)) = (power.get_mut(bin), modes.get_mut(bin)) {
            // A running mean does not lose small terms in a large sum.
            *n = n.wrapping_add(1);
            *mean += (u * u - *mean) / *n as f32;
        }
    }
    Ok(())
}
