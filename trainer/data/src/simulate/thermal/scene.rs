//! A room under way.

use std::f64::consts::PI;

use super::super::random::Noise;
use super::Parameters;

/// Waves of the scene along each axis.
const WAVES: usize = 4;
/// The arena reaches this far beyond the view on each side.
const BEYOND: f64 = 1.0;

/// A body: an ellipse that walks.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// Centre, y and x, in views.
    pub(super) centre: [f64; 2],
    pub(super) velocity: [f64; 2],
    /// Semi-axes.
    radii: [f64; 2],
    warmth: f64,
}

/// Everything that moves and everything that stays.
pub(super) struct Scene {
    parameters: Parameters,
    noise: Noise,
    pub(super) bodies: Vec<Body>,
    draught: [f64; 2],
    /// Ambient temperature and what does not move.
    still: Vec<f64>,
    /// Warmth that is left, and room for its next step.
    pub(super) warmth: Vec<f64>,
    next: Vec<f64>,
    /// What the bodies add now.
    shown: Vec<f64>,
}

impl Scene {
    /// Draws a room and who is in it.
    pub(super) fn new(parameters: &Parameters, seed: u64, index: u64) -> Self {
        let p = parameters;
        let mut noise = Noise::new(seed, index);
        let extent = [1.0, p.columns as f64 / p.rows as f64];
        let bodies = (0..p.bodies)
            .map(|_| {
                let centre = extent.map(|l| noise.uniform() * (l + 2.0 * BEYOND) - BEYOND);
                let velocity = [(); 2].map(|()| p.speed * noise.normal());
                // Taller than wide, as people are.
                let (size, tall) =
                    (p.size * (0.25 * noise.normal()).exp(), (0.2 + 0.2 * noise.normal()).exp());
                let radii = [size * tall.sqrt(), size / tall.sqrt()];
                let warmth = p.warmth * (1.0 + 0.25 * noise.normal());
                Body { centre, velocity, radii, warmth }
            })
            .collect();
        let draught = [(); 2].map(|()| p.draught * noise.normal().clamp(-3.0, 3.0));
        let points = p.rows * p.columns;
        let mut still = vec![p.ambient; points];
        // Cosine waves whose amplitudes fall as 1/k²: each has no gradient at the edges.
        let (mut waves, mut total) = (Vec::new(), 0.0);
        for m in 0..WAVES {
            for n in 0..WAVES {
                let k = (m as f64).hypot(n as f64);
                if k > 0.0 {
                    waves.push((m, n, noise.normal() / (k * k)));
                    let half = |k: usize| if k == 0 { 1.0 } else { 0.5 };
                    total += half(m) * half(n) / k.powi(4);
                }
            }
        }
        for (at, still) in still.iter_mut().enumerate() {
            let (y, x) = (at / p.columns, at % p.columns);
            let cosine =
                |k: usize, j: usize, n: usize| (PI * k as f64 * (j as f64 + 0.5) / n as f64).cos();
            let sum: f64 = waves
                .iter()
                .map(|(m, n, a)| a * cosine(*m, y, p.rows) * cosine(*n, x, p.columns))
                .sum();
            *still += p.scene * sum / total.sqrt();
        }
        let mut scene = Self {
            parameters: p.clone(),
            noise,
            bodies,
            draught,
            still,
            warmth: vec![0.0; points],
            next: vec![0.0; points],
            shown: vec![0.0; points],
        };
        scene.show();
        scene
    }

    /// Moves on by `dt`.
    pub(super) fn step(&mut self, dt: f64) {
        let p = &self.parameters;
        let extent = [1.0, p.columns as f64 / p.rows as f64];
        // The exact step of an Ornstein-Uhlenbeck process.
        let kept = (-dt / p.persistence).exp();
        let kick = p.speed * (1.0 - kept * kept).sqrt();
        for body in &mut self.bodies {
            for ((centre, velocity), extent) in
                body.centre.iter_mut().zip(&mut body.velocity).zip(extent)
            {
                *velocity = kept * *velocity + kick * self.noise.normal();
                *centre += dt * *velocity;
                let (low, high) = (-BEYOND, extent + BEYOND);
                if *centre < low || *centre > high {
                    *centre = 2.0 * centre.clamp(low, high) - *centre;
                    *velocity = -*velocity;
                }
            }
        }
        self.show();
        let p = &self.parameters;
        let (rows, columns, h) = (p.rows, p.columns, 1.0 / p.rows as f64);
        let [v, u] = self.draught;
        let along = p.diffusion / h;
        for y in 0..rows {
            for x in 0..columns {
                let at = y * columns + x;
                let here = self.warmth[at];
                // Flux out of the cell through each of its faces; none through the edges of the view.
                let flux = |speed: f64, other: Option<usize>| {
                    other.map_or(0.0, |other| {
                        let there = self.warmth[other];
                        let carried = if speed > 0.0 { speed * here } else { speed * there };
                        carried + along * (here - there)
                    })
                };
                let out = flux(v, (y + 1 < rows).then(|| at + columns))
                    + flux(-v, (y > 0).then(|| at - columns))
                    + flux(u, (x + 1 < columns).then(|| at + 1))
                    + flux(-u, (x > 0).then(|| at - 1));
                let source = (self.shown[at] - here) / p.cooling;
                self.next[at] = here + dt * (source - out / h);
            }
        }
        std::mem::swap(&mut self.warmth, &mut self.next);
    }

    /// °C, `[y][x]`.
    pub(super) fn temperatures(&self) -> impl Iterator<Item = f64> {
        let parts = self.still.iter().zip(&self.warmth).zip(&self.shown);
        parts.map(|((still, warmth), shown)| still + warmth + shown)
    }

    /// What the bodies add where they are.
    fn show(&mut self) {
        let p = &self.parameters;
        self.shown.fill(0.0);
        let h = 1.0 / p.rows as f64;
        for body in &self.bodies {
            for (at, shown) in self.shown.iter_mut().enumerate() {
                let place = [(at / p.columns) as f64 + 0.5, (at % p.columns) as f64 + 0.5];
                let [y, x] =
                    [0, 1].map(|axis| (place[axis] * h - body.centre[axis]) / body.radii[axis]);
                let beyond = (y.hypot(x) - 1.0) * (body.radii[0] * body.radii[1]).sqrt();
                *shown += body.warmth / (1.0 + (4.0 * beyond / p.edge).exp());
            }
        }
    }

    /// The warmth that is left, summed over the view.
    #[cfg(test)]
    pub(super) fn total_warmth(&self) -> f64 {
        self.warmth.iter().sum()
    }

    /// Its speed along y and x.
    #[cfg(test)]
    pub(super) fn draught(&self) -> [f64; 2] {
        self.draught
    }

    #[cfg(test)]
    pub(super) fn without_bodies(mut self, warmth: Vec<f64>) -> Self {
        self.bodies.clear();
        self.warmth = warmth;
        self.show();
        self
    }
}
