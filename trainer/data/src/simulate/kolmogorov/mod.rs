//! Two-dimensional Kolmogorov flow: vorticity under a sinusoidal forcing, with drag.

mod advection;
mod diagnostics;
mod flow;
#[cfg(test)]
mod tests;

pub use flow::{Flow, Physics};

use super::check::{at_least, even, finite, not_negative, positive};
use super::clock::{Clock, step_within};
use super::random::Noise;
use super::spectral::{Plane, index_of};
use super::{AxisInfo, ChannelInfo, Description, Simulator, Trajectory};
use anyhow::{Result, ensure};
use finescale::Boundary;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// RK4 is stable for imaginary rates up to 2.83/dt; advection's are up to M (|u| + |v|).
const COURANT_BOUND: f64 = 2.8;

/// A run goes on above the bound by this factor: a short, local gust does no harm (none was seen
/// at 1.3 times the bound), and it stops long before numbers overflow.
const GUST: f64 = 1.5;

/// Initial fields hold wavenumbers up to this along each axis, whatever the resolution.
const INITIAL_CUTOFF: i64 = 9;

/// What a user may choose; the defaults are in `Default`.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Points of the output grid along each axis.
    #[arg(long, default_value_t = Self::default().grid)]
    pub grid: usize,
    /// Collocation points of the solver along each axis; a third of them bounds the wavenumbers.
    #[arg(long, default_value_t = Self::default().resolution)]
    pub resolution: usize,
    /// Time step.
    #[arg(long, default_value_t = Self::default().dt)]
    pub dt: f64,
    /// Time between frames.
    #[arg(long, default_value_t = Self::default().interval)]
    pub interval: f64,
    /// Time that is thrown away before the first frame.
    #[arg(long, default_value_t = Self::default().burn_in)]
    pub burn_in: f64,
    /// Kinematic viscosity.
    #[arg(long, default_value_t = Self::default().nu)]
    pub nu: f64,
    /// Linear drag.
    #[arg(long, default_value_t = Self::default().drag)]
    pub drag: f64,
    /// Amplitude A of the vorticity forcing −A cos(k y).
    #[arg(long, default_value_t = Self::default().forcing)]
    pub forcing: f64,
    /// Wavenumber k of the forcing.
    #[arg(long, default_value_t = Self::default().forcing_wavenumber)]
    pub forcing_wavenumber: usize,
    /// Root mean square speed of the random initial flow.
    #[arg(long, default_value_t = Self::default().initial_speed)]
    pub initial_speed: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            grid: 32,
            resolution: 128,
            dt: 0.00625,
            interval: 0.5,
            burn_in: 50.0,
            nu: 1e-3,
            drag: 0.1,
            forcing: 4.0,
            forcing_wavenumber: 4,
            initial_speed: 1.0,
        }
    }
}

/// Kolmogorov flow with checked parameters.
#[derive(Clone, Debug)]
pub struct Kolmogorov {
    parameters: Parameters,
    clock: Clock,
}

impl Kolmogorov {
    /// Checks the parameters.
    ///
    /// # Errors
    /// One sentence naming the parameter, or the bound that is broken, and the mend.
    pub fn new(parameters: Parameters) -> Result<Self> {
        let p = &parameters;
        let clock = Clock::new(p.dt, p.interval, p.burn_in)?;
        not_negative("--nu", p.nu)?;
        not_negative("--drag", p.drag)?;
        finite("--forcing", p.forcing)?;
        positive("--initial-speed", p.initial_speed)?;
        at_least("--resolution", p.resolution, 3 * INITIAL_CUTOFF as usize + 1)?;
        at_least("--grid", p.grid, 4)?;
        even("--grid", p.grid)?;
        ensure!(
            p.grid <= p.resolution,
            "--grid {} is finer than --resolution {}: raise --resolution or lower --grid",
            p.grid,
            p.resolution
        );
        let cutoff = (p.resolution - 1) / 3;
        ensure!(
            (1..=cutoff).contains(&p.forcing_wavenumber),
            "--forcing-wavenumber {} must lie between 1 and {cutoff}, the largest wavenumber that \
             --resolution {} keeps",
            p.forcing_wavenumber,
            p.resolution
        );
        ensure!(
            p.forcing == 0.0 || p.nu > 0.0 || p.drag > 0.0,
            "--forcing {} without --nu and --drag feeds energy without end: set one of them",
            p.forcing
        );
        let courant = p.dt * cutoff as f64 * p.expected_speed();
        ensure!(
            courant <= COURANT_BOUND,
            "--dt {} breaks the advective (CFL) bound: dt * {cutoff} * (|u| + |v|) must stay below \
             {COURANT_BOUND} for RK4, and speeds to {:.1} are expected; use --dt {} or smaller",
            p.dt,
            p.expected_speed(),
            step_within(p.interval, COURANT_BOUND / (cutoff as f64 * p.expected_speed()))
        );
        Ok(Self { clock, parameters })
    }

    /// The solver with the initial flow of trajectory `index`: Gaussian, energy spectrum
    /// ∝ k⁴ e^{−(k/3)²}, scaled to the initial speed.
    pub fn initial_flow(&self, seed: u64, index: u64) -> Flow {
        let p = &self.parameters;
        let physics = Physics {
            viscosity: p.nu,
            drag: p.drag,
            forcing: p.forcing,
            forcing_wavenumber: p.forcing_wavenumber,
        };
        let mut flow = Flow::new(physics, p.resolution, self.clock.dt());
        let mut noise = Noise::new(seed, index);
        let mut initial = Vec::new();
        for kx in 0..=INITIAL_CUTOFF {
            for ky in -INITIAL_CUTOFF..=INITIAL_CUTOFF {
                let square = (kx * kx + ky * ky) as f64;
                // E(k) ∝ k ⟨|ω̂|²⟩/k².
                let scale = (square.powf(2.5) * (-square / 9.0).exp()).sqrt();
                initial.push((kx, ky, Complex64::new(noise.normal(), noise.normal()) * scale));
            }
        }
        for &(kx, ky, value) in &initial {
            flow.set_amplitude(kx, ky, value);
        }
        let scale = p.initial_speed / (2.0 * flow.energy()).sqrt();
        for &(kx, ky, _) in &initial {
            if kx > 0 || ky > 0 {
                flow.set_amplitude(kx, ky, flow.amplitude(kx, ky) * scale);
            }
        }
        flow
    }
}

impl Parameters {
    /// An estimate of the largest |u| + |v|: four and a half times the initial root mean square
    /// speed, or what the forcing sustains. That is the laminar flow's speed and a fifth where it
    /// is slow, and otherwise 13 √forcing / k_f, measured over forcing 1 to 16, k_f 2 to 8, drag
    /// 0.03 to 1 and ν 1e-3 to 5e-2 (to within 30 %).
    fn expected_speed(&self) -> f64 {
        let (force, k) = (self.forcing.abs(), self.forcing_wavenumber as f64);
        let laminar = force / (k * (self.drag + self.nu * k * k));
        let sustained = (1.2 * laminar).min(13.0 * force.sqrt() / k);
        // Without forcing and losses the laminar speed is 0/0.
        (4.5 * self.initial_speed).max(if force > 0.0 { sustained } else { 0.0 })
    }
}

impl Simulator for Kolmogorov {
    fn describe(&self) -> Description {
        let axis = |name| AxisInfo {
            name,
            points: self.parameters.grid,
            length: std::f64::consts::TAU,
            boundary: Boundary::Periodic,
        };
        Description {
            system: "kolmogorov",
            axes: vec![axis("y"), axis("x")],
            channels: vec![ChannelInfo { name: "vorticity", units: "1", long_name: "vorticity" }],
            clock: self.clock,
            usual_frames: 40,
            parameters: serde_json::json!(self.parameters),
        }
    }

    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_> {
        let grid = self.parameters.grid;
        Box::new(FlowPath {
            flow: self.initial_flow(seed, index),
            steps_taken: 0,
            clock: self.clock,
            plane: vec![Complex64::ZERO; grid * grid],
            transform: Plane::new(grid, grid),
        })
    }
}

struct FlowPath {
    flow: Flow,
    clock: Clock,
    steps_taken: usize,
    plane: Vec<Complex64>,
    transform: Plane,
}

impl Trajectory for FlowPath {
    fn advance(&mut self) -> Result<()> {
        let rate = self.clock.dt() * self.flow.cutoff() as f64;
        for _ in 0..self.clock.steps {
            let speed = self.flow.step();
            ensure!(
                rate * speed <= GUST * COURANT_BOUND,
                "the flow reached |u| + |v| = {speed:.1} at t = {:.2}, far above the advective \
                 (CFL) bound of RK4: use --dt {} or smaller",
                self.steps_taken as f64 * self.clock.dt(),
                step_within(
                    self.clock.interval,
                    COURANT_BOUND / (self.flow.cutoff() as f64 * speed)
                )
            );
            self.steps_taken += 1;
        }
        // A field that is not a number has no largest speed either: the check above passes it.
        ensure!(
            self.flow.energy().is_finite(),
            self.clock.blow_up("the flow", self.steps_taken as f64 * self.clock.dt())
        );
        Ok(())
    }

    fn values(&mut self, frame: &mut [f32]) {
        sample(&self.flow, &mut self.transform, &mut self.plane);
        for (value, point) in frame.iter_mut().zip(&self.plane) {
            *value = point.re as f32;
        }
    }
}

/// Vorticity on a grid, cut spectrally: amplitudes of the wavenumbers that the grid carries are
/// kept.
fn sample(flow: &Flow, transform: &mut Plane, plane: &mut [Complex64]) {
    let points = plane.len().isqrt();
    let largest = flow.cutoff().min(points / 2) as i64;
    plane.fill(Complex64::ZERO);
    for ky in -largest..=largest {
        for kx in -largest..=largest {
            if let (Some(row), Some(column)) = (index_of(ky, points), index_of(kx, points)) {
                plane[row * points + column] += flow.amplitude(kx, ky);
            }
        }
    }
    transform.inverse(plane);
}
