//! Spectral regridding: Fourier modes on periodic axes, cosines on reflecting ones; amplitudes are
//! kept.
//!
//! Modes that the new grid does not have are cut off, modes that the old one did not have are zero.
//! At the Nyquist mode of a periodic axis two aliases meet: their sum is kept when coarsening, half
//! goes to each when refining, as `scipy.signal.resample` does.

use std::f64::consts::TAU;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustdct::{Dct1, DctPlanner, TransformType2And3};

use super::axes::SourceAxis;
use finescale::Boundary;

use crate::dataset::SpatialAxis;

/// Maps lines of one axis to another number of points.
pub(super) struct Regrid {
    even: Option<Vec<(usize, f64)>>,
    method: Method,
    points: usize,
}

enum Method {
    Keep,
    Periodic {
        forward: Arc<dyn RealToComplex<f64>>,
        inverse: Arc<dyn ComplexToReal<f64>>,
    },
    /// Input points half a spacing inside the boundary (DCT-II).
    Inside {
        forward: Arc<dyn TransformType2And3<f64>>,
        inverse: Arc<dyn TransformType2And3<f64>>,
    },
    /// Input points at both boundaries, poles say (DCT-I).
    OnEnds {
        forward: Arc<dyn Dct1<f64>>,
        inverse: Arc<dyn TransformType2And3<f64>>,
    },
}

impl Regrid {
    /// From the points of `axis` to `points` points of the same domain; also gives the new axis.
    pub(super) fn new(axis: &SourceAxis, points: usize) -> (Self, SpatialAxis) {
        let n = axis.coordinates.len();
        let (first, last) = (axis.coordinates[0], axis.coordinates[n - 1]);
        let spacing = (last - first) / (n - 1) as f64;
        let even = uneven_weights(&axis.coordinates, first, spacing);
        let mut dct = DctPlanner::new();
        let (method, start, step) = match axis.boundary {
            _ if n == points => (Method::Keep, first, spacing),
            Boundary::Periodic => {
                let mut fft = RealFftPlanner::new();
                let forward = fft.plan_fft_forward(n);
                let method = Method::Periodic { forward, inverse: fft.plan_fft_inverse(points) };
                (method, first, spacing * n as f64 / points as f64)
            }
            Boundary::Reflecting => {
                let inverse = dct.plan_dct3(points);
                let (method, edge, length) = if axis.ends_on_boundary {
                    (Method::OnEnds { forward: dct.plan_dct1(n), inverse }, first, last - first)
                } else {
                    let forward = dct.plan_dct2(n);
                    let edge = first - 0.5 * spacing;
                    (Method::Inside { forward, inverse }, edge, spacing * n as f64)
                };
                let step = length / points as f64;
                (method, edge + 0.5 * step, step)
            }
        };
        let coordinates = match (&method, &even) {
            (Method::Keep, None) => axis.coordinates.clone(),
            _ => (0..points).map(|j| start + j as f64 * step).collect(),
        };
        let new = SpatialAxis {
            name: axis.name.clone(),
            boundary: axis.boundary,
            coordinates,
            attributes: axis.attributes.clone(),
            // What it is beside the other axis is not known here.
            length: TAU,
        };
        (Self { even, method, points }, new)
    }

    /// Whether the input is interpolated to even spacing first.
    pub(super) fn interpolates(&self) -> bool {
        self.even.is_some()
    }

    /// One line of values on the old points to one on the new points.
    pub(super) fn line(&self, line: &[f64]) -> Vec<f64> {
        let mut line = match &self.even {
            None => line.to_vec(),
            Some(weights) => weights
                .iter()
                .map(|&(at, w)| {
                    let next = line.get(at + 1).copied().unwrap_or(line[at]);
                    line[at] * (1.0 - w) + next * w
                })
                .collect(),
        };
        let (n, m) = (line.len(), self.points);
        match &self.method {
            Method::Keep => line,
            Method::Periodic { forward, inverse } => {
                let mut modes = forward.make_output_vec();
                forward.process(&mut line, &mut modes).expect("lengths agree");
                let nyquist = n.min(m) / 2;
                let meets = n.min(m).is_multiple_of(2);
                modes.resize(m / 2 + 1, Complex::default());
                modes[nyquist + 1..].fill(Complex::default());
                if meets {
                    // Real transforms hold one of the two aliases.
                    modes[nyquist] *= if m < n { 2.0 } else { 0.5 };
                }
                modes[0].im = 0.0;
                if m.is_multiple_of(2) {
                    modes[m / 2].im = 0.0;
                }
                let mut out = inverse.make_output_vec();
                inverse.process(&mut modes, &mut out).expect("lengths agree");
                out.iter_mut().for_each(|v| *v /= n as f64);
                out
            }
            Method::Inside { forward, inverse } => {
                forward.process_dct2(&mut line);
                // DCT-III halves mode 0 itself.
                line.iter_mut().for_each(|v| *v *= 2.0 / n as f64);
                line.resize(m, 0.0);
                inverse.process_dct3(&mut line);
                line
            }
            Method::OnEnds { forward, inverse } => {
                // rustdct's DCT-I halves both ends of the input, as the trapezoidal rule wants.
                forward.process_dct1(&mut line);
                line.iter_mut().for_each(|v| *v *= 2.0 / (n - 1) as f64);
                line[n - 1] *= 0.5;
                line.resize(m, 0.0);
                inverse.process_dct3(&mut line);
                line
            }
        }
    }
}

/// For points that are not evenly spaced (Gaussian latitudes, say): between which two points every
/// even one lies, and the weight of the second.
fn uneven_weights(coordinates: &[f64], first: f64, spacing: f64) -> Option<Vec<(usize, f64)>> {
    let even = |n: usize| first + n as f64 * spacing;
    // Single precision coordinates are off by some 1e-5 of the spacing.
    if coordinates.iter().enumerate().all(|(n, c)| (c - even(n)).abs() < 0.01 * spacing) {
        return None;
    }
    let last = coordinates.len() - 1;
    let between = |at: f64| {
        let lower = coordinates.partition_point(|&c| c <= at).clamp(1, last) - 1;
        let width = coordinates[lower + 1] - coordinates[lower];
        (lower, ((at - coordinates[lower]) / width).clamp(0.0, 1.0))
    };
    Some((0..=last).map(|n| between(even(n))).collect())
}

/// Regrids a field `[y][x]`, x first.
pub(super) fn field(y: Option<&Regrid>, x: &Regrid, nx: usize, field: &[f64]) -> Vec<f64> {
    let rows: Vec<f64> = field.chunks_exact(nx).flat_map(|row| x.line(row)).collect();
    let Some(y) = y else { return rows };
    let mut out = vec![0.0; y.points * x.points];
    for i in 0..x.points {
        let column: Vec<f64> = rows.iter().skip(i).step_by(x.points).copied().collect();
        for (row, value) in out.chunks_exact_mut(x.points).zip(y.line(&column)) {
            row[i] = value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Attributes;
    use crate::import::cf::AxisKind;
    use std::f64::consts::PI;

    fn axis(coordinates: Vec<f64>, boundary: Boundary, ends_on_boundary: bool) -> SourceAxis {
        SourceAxis {
            name: "a".into(),
            kind: AxisKind::Other,
            indices: (0..coordinates.len()).collect(),
            coordinates,
            attributes: Attributes::new(),
            boundary,
            told: None,
            ends_on_boundary,
        }
    }

    fn even(n: usize, first: f64, step: f64) -> Vec<f64> {
        (0..n).map(|j| first + j as f64 * step).collect()
    }

    /// Band-limited fields must come out exactly, at the coordinates that the new axis claims.
    #[test]
    fn smooth_fields_are_exact_at_the_new_coordinates() {
        let circle =
            |x: f64| 1.5 + (2.0 * PI * x / 360.0).sin() - 0.3 * (6.0 * PI * x / 360.0).cos();
        let cosine = |x: f64| {
            0.5 + (PI * (x + 90.0) / 180.0).cos() + 0.2 * (3.0 * PI * (x + 90.0) / 180.0).cos()
        };
        type Case<'a> = (SourceAxis, &'a dyn Fn(f64) -> f64);
        let cases: [Case<'_>; 5] = [
            (axis(even(144, 20.0, 2.5), Boundary::Periodic, false), &circle),
            (axis(even(45, 1.0, 8.0), Boundary::Periodic, false), &circle),
            (axis(even(72, -88.75, 2.5), Boundary::Reflecting, false), &cosine),
            (axis(even(73, -90.0, 2.5), Boundary::Reflecting, true), &cosine),
            (
                axis(even(64, -90.0 + 180.0 / 128.0, 180.0 / 64.0), Boundary::Reflecting, false),
                &cosine,
            ),
        ];
        for (axis, f) in cases {
            let line: Vec<f64> = axis.coordinates.iter().map(|&x| f(x)).collect();
            for points in [8, 64, 128, 256] {
                let (regrid, new) = Regrid::new(&axis, points);
                for (value, &x) in regrid.line(&line).iter().zip(&new.coordinates) {
                    assert!(
                        (value - f(x)).abs() < 1e-12,
                        "{:?} to {points}: {value}, {}",
                        axis.boundary,
                        f(x)
                    );
                }
                assert!(
                    new.coordinates
                        .iter()
                        .all(|c| c.abs() <= 90.0 || axis.boundary == Boundary::Periodic)
                );
            }
        }
    }

    /// Values of `scipy.signal.resample` (SciPy 1.17), where the Nyquist mode is not zero on either
    /// side.
    #[test]
    fn nyquist_agrees_with_scipy() {
        let line = [1.0, -2.0, 0.5, 3.0, -1.0, 2.0, 0.0, -0.5, 1.5, 4.0, -3.0, 0.25];
        for (points, expected) in [(8, DOWN.as_slice()), (16, UP.as_slice())] {
            let axis = axis(even(12, 0.0, 1.0), Boundary::Periodic, false);
            let (regrid, _) = Regrid::new(&axis, points);
            for (a, b) in regrid.line(&line).iter().zip(expected) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
        }
    }

    const DOWN: [f64; 8] = [
        1.260069572950096,
        -1.5770202829965827,
        2.6443375672974065,
        -0.2138005574565005,
        1.031597093716571,
        -0.1454691320932343,
        3.0639957660359265,
        -2.230376694120349,
    ];
    const UP: [f64; 16] = [
        0.9999999999999999,
        -1.571261238404929,
        -1.644614642360588,
        1.8646965744501363,
        3.0,
        -0.551863468574884,
        0.2641574249855132,
        2.082605829649403,
        1.1102230246251565e-16,
        -0.6131357691104559,
        -0.07787477272922871,
        2.746677462811744,
        4.0,
        -1.5535882510315402,
        -2.7083346765623624,
        1.4292021935438595,
    ];

    /// Gaussian latitudes are close to even: a straight line must stay straight.
    #[test]
    fn uneven_points_are_interpolated_first() {
        let coordinates: Vec<f64> =
            (0..16).map(|n| f64::from(n) + 0.2 * (f64::from(n)).sin()).collect();
        let axis = axis(coordinates.clone(), Boundary::Reflecting, false);
        let (regrid, new) = Regrid::new(&axis, 16);
        assert!(regrid.interpolates());
        for (value, x) in regrid.line(&coordinates).iter().zip(&new.coordinates) {
            assert!((value - x).abs() < 1e-12, "{value} {x}");
        }
    }
}
