//! Vorticity on a periodic square, advanced in time.

use super::advection::Advection;
use num_complex::Complex64;

/// Constants of ω_t + u·∇ω = ν∇²ω − drag ω − forcing cos(k_f y) on [0, 2π)².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Physics {
    /// ν, kinematic viscosity.
    pub viscosity: f64,
    /// Linear drag, an inverse time.
    pub drag: f64,
    /// Amplitude of the vorticity forcing.
    pub forcing: f64,
    /// k_f, its wavenumber along y.
    pub forcing_wavenumber: usize,
}

/// A pseudo-spectral flow: 2/3 rule, fourth-order Runge-Kutta with integrating factor.
///
/// The state is the amplitudes of ω(x) = Σ ω̂(k) e^{ik·x}, |k_x|, |k_y| ≤ M = ⌊(N−1)/3⌋. Viscosity
/// and drag are integrated exactly, so that they set no bound on the time step; nothing is
/// allocated in a step.
pub struct Flow {
    physics: Physics,
    dt: f64,
    /// e^{−(ν|k|² + drag) dt/2}
    half: Vec<f64>,
    vorticity: Vec<Complex64>,
    stage: Vec<Complex64>,
    sum: Vec<Complex64>,
    advection: Advection,
}

impl Flow {
    /// A flow at rest on `points`² collocation points with time step `dt`.
    ///
    /// # Panics
    /// If the forcing wavenumber is zero or lies beyond M.
    pub fn new(physics: Physics, points: usize, dt: f64) -> Self {
        let advection = Advection::new(points);
        let m = advection.cutoff() as i64;
        assert!((1..=m as usize).contains(&physics.forcing_wavenumber));
        let half = (0..=m)
            .flat_map(|kx| (-m..=m).map(move |ky| (kx * kx + ky * ky) as f64))
            .map(|square| (-(physics.viscosity * square + physics.drag) * dt / 2.0).exp())
            .collect::<Vec<_>>();
        let zeros = vec![Complex64::ZERO; half.len()];
        Self {
            physics,
            dt,
            vorticity: zeros.clone(),
            stage: zeros.clone(),
            sum: zeros,
            half,
            advection,
        }
    }

    /// M, the largest wavenumber kept along each axis.
    pub fn cutoff(&self) -> usize {
        self.advection.cutoff()
    }

    /// Constants of the equation.
    pub fn physics(&self) -> &Physics {
        &self.physics
    }

    /// ω̂(k_x, k_y); zero beyond M.
    pub fn amplitude(&self, kx: i64, ky: i64) -> Complex64 {
        let m = self.cutoff() as i64;
        if kx.abs() > m || ky.abs() > m {
            Complex64::ZERO
        } else if kx < 0 {
            self.vorticity[self.index(-kx, -ky)].conj()
        } else {
            self.vorticity[self.index(kx, ky)]
        }
    }

    /// Sets ω̂(k), and ω̂(−k) to its conjugate. The mean stays zero, as that of every periodic
    /// flow.
    ///
    /// # Panics
    /// If the wavenumber lies beyond M.
    pub fn set_amplitude(&mut self, kx: i64, ky: i64, value: Complex64) {
        let m = self.cutoff() as i64;
        assert!(kx.abs() <= m && ky.abs() <= m, "({kx}, {ky}) lies beyond {m}");
        for (kx, ky, value) in [(kx, ky, value), (-kx, -ky, value.conj())] {
            if kx >= 0 && (kx, ky) != (0, 0) {
                let index = self.index(kx, ky);
                self.vorticity[index] = value;
            }
        }
    }

    fn index(&self, kx: i64, ky: i64) -> usize {
        let m = self.cutoff() as i64;
        (kx * (2 * m + 1) + ky + m) as usize
    }

    /// Advances by one time step; returns max(|u| + |v|) over the grid at its beginning.
    pub fn step(&mut self) -> f64 {
        let dt = self.dt;
        let forced = [-1, 1].map(|sign| {
            let ky = sign * self.physics.forcing_wavenumber as i64;
            self.index(0, ky)
        });
        let force = |i: usize| {
            // −forcing cos(k_f y) has amplitude −forcing/2 at both ±k_f.
            if forced.contains(&i) { -self.physics.forcing / 2.0 } else { 0.0 }
        };
        let (vorticity, stage, sum) = (&mut self.vorticity, &mut self.stage, &mut self.sum);
        // ω' = E²ω + dt/6 (E²k₁ + 2E k₂ + 2E k₃ + k₄) with E = e^{L dt/2}.
        let speed = self.advection.transform::<true>(vorticity);
        self.advection.for_each(|i, advection| {
            let (half, k1) = (self.half[i], advection + force(i));
            stage[i] = (vorticity[i] + k1 * (dt / 2.0)) * half;
            sum[i] = (vorticity[i] + k1 * (dt / 6.0)) * (half * half);
        });
        self.advection.transform::<false>(stage);
        self.advection.for_each(|i, advection| {
            let (half, k2) = (self.half[i], advection + force(i));
            stage[i] = vorticity[i] * half + k2 * (dt / 2.0);
            sum[i] += k2 * (dt / 3.0 * half);
        });
        self.advection.transform::<false>(stage);
        self.advection.for_each(|i, advection| {
            let (half, k3) = (self.half[i], advection + force(i));
            stage[i] = (vorticity[i] * half + k3 * dt) * half;
            sum[i] += k3 * (dt / 3.0 * half);
        });
        self.advection.transform::<false>(stage);
        self.advection.for_each(|i, advection| {
            let k4 = advection + force(i);
            vorticity[i] = sum[i] + k4 * (dt / 6.0);
        });
        speed
    }
}
