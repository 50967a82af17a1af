//! Radial shells of wavenumber, as the runtime has them.

use finescale::Grid;
use finescale::spectral::RadialBins;

/// Shells of |k|: shell s holds the modes with round(|k| / unit) = s, as [`RadialBins`] has them.
///
/// The wavenumber unit of an axis is 2π/length if it is periodic and π/length if it is reflecting.
/// On a plane the larger of the two counts, so that no shell is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Shells {
    /// Shell of every mode, in the runtime's order `[y mode][x mode]`.
    pub of: Vec<usize>,
    /// Number of shells.
    pub count: usize,
    /// Number of modes of every shell.
    pub modes: Vec<u64>,
    /// Distance of the shells, radians per unit length.
    pub unit: f64,
}

impl Shells {
    /// The shells of a grid.
    pub fn new(grid: &Grid) -> Self {
        let bins = RadialBins::new(grid);
        let of: Vec<usize> = grid.wavenumbers().map(|k| bins.bin(k)).collect();
        let mut modes = vec![0; bins.count()];
        of.iter().for_each(|&shell| modes[shell] += 1);
        Self { of, count: bins.count(), modes, unit: bins.width().into() }
    }

    /// Wavenumber at the centre of a shell, radians per unit length.
    pub fn wavenumber(&self, shell: usize) -> f64 {
        shell as f64 * self.unit
    }

    /// Wavenumbers at the centres of all shells.
    pub fn wavenumbers(&self) -> Vec<f64> {
        (0..self.count).map(|shell| self.wavenumber(shell)).collect()
    }

    /// Sum over the modes of each shell of `[channel][mode]`, as `[channel][shell]`.
    pub fn sum(&self, values: &[f64]) -> Vec<f64> {
        let mut all = Vec::new();
        for channel in values.chunks_exact(self.of.len()) {
            let mut sums = vec![0.0; self.count];
            for (&shell, value) in self.of.iter().zip(channel) {
                sums[shell] += value;
            }
            all.extend(sums);
        }
        all
    }

    /// Mean over the modes of each shell of `[channel][mode]`, as `[channel][shell]`.
    pub fn mean(&self, values: &[f64]) -> Vec<f64> {
        let sums = self.sum(values).into_iter().zip(self.modes.iter().cycle());
        sums.map(|(sum, &n)| sum / n.max(1) as f64).collect()
    }
}
