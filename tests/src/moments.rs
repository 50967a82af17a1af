//! What a sampler does to the covariance of a linear system, with no sampling error: steps of the
//! runtime itself are applied to unit paths, which gives the matrix of the step in every mode, and
//! matrices are multiplied in f64.

use finescale::predictor::{Calibration, Linear, Prepared, ScoreTables};
use finescale::sampler::{NoiseRule, Observation, StepRule};
use finescale::spectral::RadialBins;
use finescale::spectral::operator::{pack, unpack};
use finescale::{ForwardProcess, Laplacian, Modes, NoiseStream, Path, Predictor, Sampler};
use nalgebra::Complex;

use crate::linear::{Matrix, System, mode_of};

/// The tables of a linear system in closed form, and where they stand.
pub struct Tables {
    lambdas: Vec<f32>,
    bins: usize,
    innovation: Vec<f32>,
    power: Vec<f32>,
    truth: Vec<f32>,
    drawn_power: Vec<f32>,
    drawn_state: Vec<f32>,
}

impl Tables {
    /// At every λ of the sampler: of the data's paths, and for rule M of paths that the sampler has
    /// taken there from the data's at its largest λ.
    pub fn new(system: &System, sampler: &Sampler, frames: usize, window: usize) -> Self {
        let mut lambdas = lambdas(sampler);
        lambdas.pop();
        lambdas.reverse();
        let bins = RadialBins::new(&system.grid).count();
        let ones = vec![1.0; lambdas.len() * bins];
        let mut tables = Self {
            innovation: ones.clone(),
            power: ones.clone(),
            truth: ones.clone(),
            drawn_power: ones.clone(),
            drawn_state: ones.iter().map(|one| -one).collect(),
            lambdas,
            bins,
        };
        for row in 0..tables.lambdas.len() {
            let lambda = f64::from(tables.lambdas[row]);
            let paths = |mode: &_| system.path_covariance(mode, lambda, frames);
            let paths: Vec<Matrix> = system.modes().iter().map(paths).collect();
            let moments = Moments::new(system, lambda, &paths, window);
            let at = row * bins..(row + 1) * bins;
            // As of the exact score, whose power is what it explains; that of three frames is
            // close.
            tables.power[at.clone()].copy_from_slice(&moments.truth);
            tables.truth[at].copy_from_slice(&moments.truth);
        }
        if sampler.step == StepRule::Ancestral(NoiseRule::Matched) {
            tables.draw(system, sampler, frames, window);
        }
        tables
    }

    /// Measures on the way down.
    fn draw(&mut self, system: &System, sampler: &Sampler, frames: usize, window: usize) {
        let largest = f64::from(sampler.lambda);
        let paths = |mode: &_| system.path_covariance(mode, largest, frames);
        let mut paths: Vec<Matrix> = system.modes().iter().map(paths).collect();
        let autocovariance = system.autocovariance(window);
        for row in (0..self.lambdas.len()).rev() {
            let lambda = self.lambdas[row];
            let moments = Moments::new(system, f64::from(lambda), &paths, window);
            for bin in 0..self.bins {
                let at = row * self.bins + bin;
                self.drawn_power[at] = moments.power[bin] / moments.variance[bin];
                self.drawn_state[at] = moments.state[bin] / moments.variance[bin];
            }
            let to = if row > 0 { self.lambdas[row - 1] } else { 0.0 };
            let mut memory = vec![0.0; Linear::memory_len(&system.grid, 1, window)];
            let mut linear =
                Linear::new(&system.grid, &process(system), 1, &autocovariance, &mut memory)
                    .expect("fits")
                    .with_calibration(self.calibration());
            let linear = linear.prepare(lambda).expect("a λ");
            let step = step_matrices(system, sampler, &linear, to, None, frames);
            for ((path, map), noise) in paths.iter_mut().zip(&step.map).zip(&step.noise) {
                *path = map * &*path * map.adjoint() + noise;
            }
        }
    }

    /// As the runtime takes them.
    pub fn calibration(&self) -> Calibration<'_> {
        let scores = ScoreTables {
            power: &self.power,
            truth: &self.truth,
            drawn_power: &self.drawn_power,
            drawn_state: &self.drawn_state,
        };
        Calibration::new(&self.lambdas, 1, self.bins, &self.innovation, scores, None)
            .expect("tables")
    }
}

/// Moments of the score ŝ = −H û of paths with given covariances, mean over the frames and modes of
/// a bin.
struct Moments {
    /// V E ŝ².
    power: Vec<f32>,
    /// V E ŝ t = V tr H / T, whatever the paths.
    truth: Vec<f32>,
    /// E û ŝ.
    state: Vec<f32>,
    /// E û² / V.
    variance: Vec<f32>,
}

impl Moments {
    fn new(system: &System, lambda: f64, paths: &[Matrix], window: usize) -> Self {
        let radial = RadialBins::new(&system.grid);
        let wavenumbers: Vec<(f32, f32)> = system.grid.wavenumbers().collect();
        let mut sums = vec![[0.0; 5]; radial.count()];
        for (mode, path) in system.modes().iter().zip(paths) {
            let (c, sigma2) = system.forward(mode, lambda);
            let (v, frames) = (c * c * mode.power + sigma2, path.nrows());
            let h = system.path_precision(mode, lambda, frames, window);
            let mean = |matrix: Matrix| matrix.trace().re / frames as f64;
            let sum = &mut sums[radial.bin(wavenumbers[mode.place.re])];
            sum[0] += v * mean(&h * path * &h);
            sum[1] += v * mean(h.clone());
            sum[2] -= mean(&h * path);
            sum[3] += mean(path.clone()) / v;
            sum[4] += 1.0;
        }
        let [power, truth, state, variance] =
            [0, 1, 2, 3].map(|at| sums.iter().map(|sum| (sum[at] / sum[4]) as f32).collect());
        Self { power, truth, state, variance }
    }
}

/// Every λ of a sampler, from the largest to 0.
pub fn lambdas(sampler: &Sampler) -> Vec<f32> {
    let steps = sampler.lambdas.steps(sampler.lambda);
    (0..=steps).map(|index| sampler.lambdas.lambda(sampler.lambda, index)).collect()
}

/// The forward process of a system.
pub fn process(system: &System) -> ForwardProcess {
    ForwardProcess::new(system.alpha as f32, system.beta2 as f32, Laplacian::Spectral)
        .expect("valid parameters")
}

/// One step as a matrix over frames in every mode, and the covariance of the noise that it adds.
pub struct StepMatrices {
    /// In the order of [`System::modes`].
    pub map: Vec<Matrix>,
    /// In the order of [`System::modes`].
    pub noise: Vec<Matrix>,
}

/// Measures a step of the sampler from the predictor's λ to `to`.
pub fn step_matrices(
    system: &System,
    sampler: &Sampler,
    predictor: &Prepared<'_>,
    to: f32,
    observation: Option<&Observation<'_>>,
    frames: usize,
) -> StepMatrices {
    let n = system.grid.points();
    let mut scratch = vec![f32::NAN; sampler.scratch_len(predictor, frames)];
    let mut run = |path: &mut [f32], stream: Option<&NoiseStream>| {
        sampler
            .step(predictor, to, observation, stream, Path::modes_mut(path), &mut scratch)
            .expect("a step");
    };
    let columns = |paths: &[Vec<f32>], scale: f64| -> Vec<Matrix> {
        let matrix = |place| {
            let columns: Vec<_> = paths.iter().map(|path| mode_of(path, n, place)).collect();
            Matrix::from_fn(frames, paths.len(), |i, j| columns[j][i] * Complex::from(scale))
        };
        system.modes().iter().map(|mode| matrix(mode.place)).collect()
    };
    let packed = |mut path: Vec<f32>| {
        for frame in path.chunks_exact_mut(n) {
            pack(&system.grid, Modes::from_mut(frame)).expect("a spectrum");
        }
        path
    };

    // Small, so that nothing is clipped: the step is linear.
    let small = 1e-3_f32;
    let responses: Vec<_> = (0..frames)
        .map(|m| {
            let mut path = vec![0.0; frames * n];
            for mode in system.modes() {
                path[m * n + mode.place.re] = small;
            }
            unpack(&system.grid, &mut path[m * n..(m + 1) * n]).expect("packed");
            run(&mut path, None);
            packed(path)
        })
        .collect();
    let map = columns(&responses, 1.0 / f64::from(small));

    // Noise enters linearly: as many members as it takes to solve for its matrix.
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for member in 0..frames as u32 {
        let stream = NoiseStream { seed: 99, member, frame: 0, draw: 1 };
        let mut white = vec![0.0; frames * n];
        for (frame, noise) in (0..).zip(white.chunks_exact_mut(n)) {
            NoiseStream { frame, ..stream }.fill(noise);
        }
        let mut path = vec![0.0; frames * n];
        run(&mut path, Some(&stream));
        inputs.push(packed(white));
        outputs.push(packed(path));
    }
    let noise = columns(&outputs, 1.0)
        .into_iter()
        .zip(columns(&inputs, 1.0))
        .map(|(out, white)| {
            let factor = out * white.try_inverse().expect("independent members");
            &factor * factor.adjoint()
        })
        .collect();
    StepMatrices { map, noise }
}

/// All steps of a sampler, for every mode: û_0 = map · û_λmax + noise.
pub struct Passage {
    /// In the order of [`System::modes`].
    pub map: Vec<Matrix>,
    /// Covariance of the noise, in the order of [`System::modes`].
    pub noise: Vec<Matrix>,
}

impl Passage {
    /// The passage of paths of `frames` frames with a predictor of `window` frames.
    pub fn new(
        system: &System,
        sampler: &Sampler,
        tables: Option<&Tables>,
        (frames, window): (usize, usize),
    ) -> Self {
        let autocovariance = system.autocovariance(window);
        let mut memory = vec![0.0; Linear::memory_len(&system.grid, 1, window)];
        let mut linear =
            Linear::new(&system.grid, &process(system), 1, &autocovariance, &mut memory)
                .expect("fits");
        if let Some(tables) = tables {
            linear = linear.with_calibration(tables.calibration());
        }
        let mut map = vec![Matrix::identity(frames, frames); system.modes().len()];
        let mut noise = vec![Matrix::zeros(frames, frames); system.modes().len()];
        let lambdas = lambdas(sampler);
        let steps = lambdas.len() - 1;
        for (index, pair) in lambdas.windows(2).enumerate() {
            let linear = linear.prepare(pair[0]).expect("a λ");
            let step = step_matrices(system, sampler, &linear, pair[1], None, frames);
            let noisy = index + (sampler.quiet_steps as usize) < steps;
            for (((map, noise), m), q) in
                map.iter_mut().zip(&mut noise).zip(step.map).zip(step.noise)
            {
                *map = &m * &*map;
                *noise = &m * &*noise * m.adjoint();
                if noisy {
                    *noise += q;
                }
            }
        }
        Self { map, noise }
    }

    /// The covariance at λ = 0 of paths that start with the covariance `start`.
    pub fn covariance(&self, start: &[Matrix]) -> Vec<Matrix> {
        let modes = self.map.iter().zip(&self.noise).zip(start);
        modes.map(|((map, noise), start)| map * start * map.adjoint() + noise).collect()
    }
}

/// The largest error of the spectrum over modes: |mean variance of a frame / P − 1|.
pub fn spectrum_error(system: &System, covariance: &[Matrix]) -> f64 {
    let errors = system.modes().iter().zip(covariance).map(|(mode, covariance)| {
        (covariance.trace().re / covariance.nrows() as f64 / mode.power - 1.0).abs()
    });
    errors.fold(0.0, f64::max)
}
