//! −u·∇ω in Fourier space, with two complex transforms.
//!
//! With z = u + iv one complex inverse transform gives both velocities, and z² = (u² − v²) + 2i uv
//! holds both products that the curl of the momentum equation needs,
//!
//! ```text
//! −u·∇ω = ∂_x∂_y (u² − v²) + (∂_y² − ∂_x²)(uv)
//! ```
//!
//! so one complex forward transform brings them back: the work of four real transforms, where
//! u, v, ω_x, ω_y and the product would take five (Basdevant 1983 for the four). Columns beyond the
//! cutoff are never transformed.

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Rows that are transformed together along x: 8 rows of 256 points are 32 KiB.
const TILE: usize = 8;

/// Transforms and buffers for N² collocation points, of which wavenumbers up to
/// M = ⌊(N−1)/3⌋ along each axis are kept: products of two such fields do not alias into them.
///
/// Half-plane arrays are `[k_x][k_y + M]`, 0 ≤ k_x ≤ M, |k_y| ≤ M.
pub(super) struct Advection {
    points: usize,
    cutoff: usize,
    modes: Vec<Mode>,
    /// 2M+1 columns of N numbers along y: k_x = 0, 1, …, M, −1, …, −M.
    columns: Vec<Complex64>,
    tile: Vec<Complex64>,
    scratch: Vec<Complex64>,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
}

#[derive(Clone, Copy)]
struct Mode {
    /// (k_x + i k_y)/|k|²: ẑ(k) is this times ω̂(k), and ẑ(−k) is minus this times its conjugate.
    velocity: Complex64,
    /// (k_x − i k_y)²/(4N²)
    product: Complex64,
}

impl Advection {
    pub(super) fn new(points: usize) -> Self {
        let cutoff = (points - 1) / 3;
        let m = cutoff as i64;
        let mode = |kx: i64, ky: i64| {
            let k = Complex64::new(kx as f64, ky as f64);
            Mode {
                velocity: if k.norm_sqr() > 0.0 { k / k.norm_sqr() } else { Complex64::ZERO },
                product: (k * k).conj() / (4 * points * points) as f64,
            }
        };
        let modes = (0..=m).flat_map(|kx| (-m..=m).map(move |ky| mode(kx, ky))).collect();
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(points);
        let inverse = planner.plan_fft_inverse(points);
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        let zeros = |len| vec![Complex64::ZERO; len];
        Self {
            points,
            cutoff,
            modes,
            columns: zeros((2 * cutoff + 1) * points),
            tile: zeros(TILE * points),
            scratch: zeros(scratch),
            forward,
            inverse,
        }
    }

    pub(super) fn cutoff(&self) -> usize {
        self.cutoff
    }

    /// Readies −u·∇ω of a half plane of ω̂ for [`Advection::for_each`].
    /// Returns max(|u| + |v|) over the grid where `SPEED` asks for it.
    pub(super) fn transform<const SPEED: bool>(&mut self, vorticity: &[Complex64]) -> f64 {
        self.fill_columns(vorticity);
        self.inverse.process_with_scratch(&mut self.columns, &mut self.scratch);
        let mut speed = 0.0;
        for row in (0..self.points).step_by(TILE) {
            let rows = TILE.min(self.points - row);
            self.load_tile(row, rows);
            let tile = &mut self.tile[..rows * self.points];
            self.inverse.process_with_scratch(tile, &mut self.scratch);
            for z in tile.iter_mut() {
                if SPEED {
                    let here = z.re.abs() + z.im.abs();
                    speed = if here > speed { here } else { speed };
                }
                *z = Complex64::new(z.re * z.re - z.im * z.im, 2.0 * z.re * z.im);
            }
            self.forward.process_with_scratch(tile, &mut self.scratch);
            self.store_tile(row, rows);
        }
        self.forward.process_with_scratch(&mut self.columns, &mut self.scratch);
        speed
    }

    /// Calls `each(index, value)` with −u·∇ω at every index of the half plane.
    pub(super) fn for_each(&self, mut each: impl FnMut(usize, Complex64)) {
        let (n, m) = (self.points, self.cutoff);
        let width = 2 * m + 1;
        for (kx, modes) in self.modes.chunks_exact(width).enumerate() {
            let plus = &self.columns[kx * n..][..n];
            let minus = &self.columns[if kx == 0 { 0 } else { m + kx } * n..][..n];
            // k_y lies in row k_y mod N of its column, and −k_y in row −k_y mod N of the mirror's.
            let negative = plus[n - m..].iter().zip(minus[1..=m].iter().rev());
            let mirrored = minus[..1].iter().chain(minus[n - m..].iter().rev());
            let positive = plus[..=m].iter().zip(mirrored);
            let pairs = modes.iter().zip(negative.chain(positive));
            pairs.enumerate().for_each(|(at, (mode, (here, mirror)))| {
                let (s, t) = (mode.product * here, mode.product * mirror);
                each(kx * width + at, Complex64::new(s.im + t.im, t.re - s.re));
            });
        }
    }

    fn fill_columns(&mut self, vorticity: &[Complex64]) {
        let (n, m) = (self.points, self.cutoff);
        let width = 2 * m + 1;
        let (plus, minus) = self.columns.split_at_mut((m + 1) * n);
        let lines = self.modes.chunks_exact(width).zip(vorticity.chunks_exact(width));
        for (kx, (modes, amplitudes)) in lines.enumerate() {
            let pairs = modes.iter().zip(amplitudes);
            let velocity = pairs.clone().map(|(mode, w)| mode.velocity * w);
            let column = &mut plus[kx * n..][..n];
            column[n - m..].iter_mut().zip(velocity.clone()).for_each(|(z, v)| *z = v);
            column[..=m].iter_mut().zip(velocity.skip(m)).for_each(|(z, v)| *z = v);
            column[m + 1..n - m].fill(Complex64::ZERO);
            if kx == 0 {
                continue;
            }
            let mirrored = pairs.rev().map(|(mode, w)| -(mode.velocity * w.conj()));
            let column = &mut minus[(kx - 1) * n..][..n];
            column[n - m..].iter_mut().zip(mirrored.clone()).for_each(|(z, v)| *z = v);
            column[..=m].iter_mut().zip(mirrored.skip(m)).for_each(|(z, v)| *z = v);
            column[m + 1..n - m].fill(Complex64::ZERO);
        }
    }

    /// Copies `rows` rows from `row` on out of the columns, and zeros between them and their
    /// mirrors.
    fn load_tile(&mut self, row: usize, rows: usize) {
        let (n, m) = (self.points, self.cutoff);
        for (at, column) in self.columns.chunks_exact(n).enumerate() {
            let slot = if at <= m { at } else { n + m - at };
            for (i, value) in column[row..row + rows].iter().enumerate() {
                self.tile[i * n + slot] = *value;
            }
        }
        for line in self.tile.chunks_exact_mut(n) {
            line[m + 1..n - m].fill(Complex64::ZERO);
        }
    }

    fn store_tile(&mut self, row: usize, rows: usize) {
        let (n, m) = (self.points, self.cutoff);
        for (at, column) in self.columns.chunks_exact_mut(n).enumerate() {
            let slot = if at <= m { at } else { n + m - at };
            for (i, value) in column[row..row + rows].iter_mut().enumerate() {
                *value = self.tile[i * n + slot];
            }
        }
    }
}
