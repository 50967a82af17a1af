//! Power in radial shells of wavenumber, in f64.
//!
//! The basis is real and orthonormal: cosines and sines on periodic axes, the DCT-II on reflecting ones. The sum of
//! squares over all modes is that of the field, and the cosine and sine of a mode share the power E|û_k|² of the
//! complex transform evenly. Modes are stored in the runtime's order, so its wavenumbers and shells are used as they are:
//! what is tabulated here by shell is looked up there by shell.

use std::sync::Arc;

use anyhow::Result;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use rustdct::{DctPlanner, TransformType2And3};

use finescale::Boundary;
use finescale::spectral::RadialBins;

use super::Spec;

/// The transform of one axis.
enum Transform {
    Periodic(Arc<dyn RealToComplex<f64>>),
    Reflecting(Arc<dyn TransformType2And3<f64>>),
}

impl Transform {
    fn new(boundary: Boundary, points: usize) -> Self {
        match boundary {
            Boundary::Periodic => Self::Periodic(RealFftPlanner::new().plan_fft_forward(points)),
            Boundary::Reflecting => Self::Reflecting(DctPlanner::new().plan_dct2(points)),
        }
    }

    /// Orthonormal, in place. Periodic: mode 0, Nyquist, then cosine and sine of modes 1, 2, …
    fn forward(&self, line: &mut [f64], spectrum: &mut Vec<Complex<f64>>) {
        let n = line.len();
        let (single, double) = ((1.0 / n as f64).sqrt(), (2.0 / n as f64).sqrt());
        match self {
            Self::Periodic(fft) => {
                spectrum.resize(n / 2 + 1, Complex::default());
                // Lengths agree by construction, which is all that this can complain about.
                fft.process(line, spectrum).expect("lengths agree");
                line[0] = spectrum[0].re * single;
                line[1] = spectrum[n / 2].re * single;
                for (pair, mode) in line[2..].chunks_exact_mut(2).zip(&spectrum[1..n / 2]) {
                    pair[0] = mode.re * double;
                    pair[1] = mode.im * double;
                }
            }
            Self::Reflecting(dct) => {
                dct.process_dct2(line);
                line[0] *= single;
                line[1..].iter_mut().for_each(|v| *v *= double);
            }
        }
    }
}

/// Shells of |k|: shell s holds the modes with round(|k| / unit) = s, as [`RadialBins`] has them.
///
/// An axis' wavenumber unit is 2π/length if it is periodic and π/length if it is reflecting; on a plane the larger of the
/// two counts, so that no shell is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Shells {
    /// Distance of the shells, radians per unit length.
    pub unit: f64,
    /// Number of modes of every shell.
    pub modes: Vec<u64>,
}

impl Shells {
    /// Wavenumber at the centre of a shell.
    pub fn wavenumber(&self, shell: usize) -> f64 {
        shell as f64 * self.unit
    }

    /// The shells of a data set's grid.
    ///
    /// # Errors
    /// As [`Spec::grid`].
    pub fn new(spec: &Spec) -> Result<Self> {
        Ok(Modes::new(spec)?.shells)
    }
}

/// Transforms of the fields of a grid.
pub(super) struct Modes {
    y: Option<Transform>,
    x: Transform,
    nx: usize,
    /// Shell of every mode, `[y mode][x mode]`.
    pub(super) shell: Vec<usize>,
    pub(super) shells: Shells,
}

impl Modes {
    pub(super) fn new(spec: &Spec) -> Result<Self> {
        let grid = spec.grid()?;
        let bins = RadialBins::new(&grid);
        let shell: Vec<usize> = grid.wavenumbers().map(|k| bins.bin(k)).collect();
        let mut modes = vec![0; bins.count()];
        shell.iter().for_each(|&s| modes[s] += 1);
        Ok(Self {
            y: spec.y.as_ref().map(|y| Transform::new(y.boundary, y.points())),
            x: Transform::new(spec.x.boundary, spec.nx()),
            nx: spec.nx(),
            shell,
            shells: Shells { unit: bins.width().into(), modes },
        })
    }

    /// Field `[y][x]` to modes `[y mode][x mode]`, in place.
    pub(super) fn forward(&self, field: &mut [f64]) {
        let mut spectrum = Vec::new();
        for row in field.chunks_exact_mut(self.nx) {
            self.x.forward(row, &mut spectrum);
        }
        let Some(y) = &self.y else { return };
        let mut column = vec![0.0; field.len() / self.nx];
        for i in 0..self.nx {
            for (value, row) in column.iter_mut().zip(field.chunks_exact(self.nx)) {
                *value = row[i];
            }
            y.forward(&mut column, &mut spectrum);
            for (value, row) in column.iter().zip(field.chunks_exact_mut(self.nx)) {
                row[i] = *value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Channel, SpatialAxis, TimeAxis};

    fn spec(y: Option<(Boundary, f64)>, x: Boundary) -> Spec {
        Spec {
            title: String::new(),
            channels: vec![Channel::new("u", "1", "u")],
            trajectories: 1,
            time: TimeAxis::model(2, 1.0),
            y: y.map(|(boundary, length)| SpatialAxis::of_length("y", 8, boundary, length)),
            x: SpatialAxis::two_pi("x", 16, x),
        }
    }

    /// A wave of known wavenumber must fall into its shell with all its power, whatever boundaries and lengths.
    #[test]
    fn a_single_wave_fills_one_shell() {
        use Boundary::{Periodic, Reflecting};
        use std::f64::consts::{PI, TAU};
        let cases = [
            (None, Periodic, 0.0, 3.0, 3),
            (None, Reflecting, 0.0, 2.5, 5),
            (Some((Periodic, TAU)), Periodic, 3.0, 4.0, 5),
            (Some((Reflecting, TAU)), Reflecting, 1.5, 2.0, 5),
            (Some((Reflecting, TAU)), Periodic, 1.5, 2.0, 3),
            // Half as long, twice the wavenumbers: units of 1, 2 and 1.
            (Some((Reflecting, PI)), Periodic, 3.0, 4.0, 5),
            (Some((Periodic, PI)), Periodic, 6.0, 8.0, 5),
            (Some((Reflecting, PI)), Reflecting, 6.0, 2.5, 7),
        ];
        for (y, x, ky, kx, shell) in cases {
            let spec = spec(y, x);
            let modes = Modes::new(&spec).unwrap();
            let mut field: Vec<f64> = Vec::new();
            for y in spec.y.as_ref().map_or(vec![0.0], |y| y.coordinates.clone()) {
                field.extend(spec.x.coordinates.iter().map(|x| (ky * y).cos() * (kx * x).cos()));
            }
            let total: f64 = field.iter().map(|v| v * v).sum();
            modes.forward(&mut field);
            let inside: f64 = field
                .iter()
                .zip(&modes.shell)
                .filter(|&(_, s)| *s == shell)
                .map(|(v, _)| v * v)
                .sum();
            assert!((inside - total).abs() < 1e-12 * total, "{y:?} {x:?}: {inside} of {total}");
            assert!(modes.shells.modes.iter().all(|&n| n > 0), "an empty shell in {y:?} {x:?}");
            assert_eq!(modes.shells.modes.iter().sum::<u64>() as usize, spec.points());
        }
    }
}
