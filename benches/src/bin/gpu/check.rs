//! A backend's numbers against the CPU's in f32: what is computed from the same numbers must be the
//! same, to the bits that the backend's products keep.

use std::collections::BTreeMap;

use anyhow::Result;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use finescale::model::Activation;
use finescale::{Axis, Grid};
use finescale_field::shells::Shells;
use finescale_model::{Array, Calibration};
use finescale_train::config::{Config, Precision};
use finescale_train::engine::Trainable;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::frames::{index, seeded_normal};
use finescale_train::engine::kernels::Block;
use finescale_train::engine::learner::Learner;
use finescale_train::engine::weights::import;
use finescale_train::networks::Network;
use finescale_train::systems::predictor_driven::Held;
use finescale_train::systems::predictor_driven::batch::{Batch, Draw, noised_by};
use finescale_train::systems::predictor_driven::calibrate::{Level, path_score};
use finescale_train::systems::predictor_driven::predictor::{Corrected, NetworkInput};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::json;

use crate::case::{Case, Named, array, named, tensor, unit};

type Reference = Differentiable<Cpu>;

/// Of numbers that no product or long sum is in, ‖difference‖ / ‖expected‖.
const PLAIN: f64 = 1e-5;
/// Of f32 products: on NVIDIA GPUs they may be tensor cores', whose TF32 keeps 10 bits of a factor.
const FULL: f64 = 2e-3;
/// Of bf16 products, which keep 7 bits of a factor.
const MIXED: f64 = 1e-2;
/// What losses, gradients and scores may have on top: they are made of differences of larger
/// numbers, and a rectifier's kink moves.
const DERIVED: f64 = 6.0;

/// Prints comparisons and counts those that fail.
struct Checks {
    passed: bool,
    /// Bound of what products are in.
    products: f64,
}

impl Checks {
    fn say(&mut self, name: &str, error: f64, bound: f64) {
        // Not a number passes nothing.
        let passed = error <= bound;
        self.passed &= passed;
        let line = json!({
            "event": "check", "name": name, "error": error, "bound": bound, "passed": passed,
        });
        println!("{line}");
    }

    fn compare(&mut self, name: &str, found: &Array, expected: &Array, bound: f64) {
        self.say(name, distance(found, expected), bound);
    }
}

/// ‖a − b‖ / ‖b‖; infinite where the shapes differ, not a number where there is nothing to compare
/// with.
fn distance(a: &Array, b: &Array) -> f64 {
    if a.shape != b.shape {
        return f64::INFINITY;
    }
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = a.values.iter().zip(&b.values).map(|(a, b)| f64::from(*a) - f64::from(*b));
    let expected = b.values.iter().map(|&b| f64::from(b));
    (squares(&mut { difference }) / squares(&mut { expected })).sqrt()
}

/// All arrays after one another.
fn joined(arrays: &BTreeMap<String, Array>) -> Array {
    let values: Vec<f32> = arrays.values().flat_map(|a| a.values.iter().copied()).collect();
    Array { shape: vec![values.len()], values }
}

fn minus(a: &Array, b: &Array) -> Array {
    let values = a.values.iter().zip(&b.values).map(|(a, b)| a - b).collect();
    Array { shape: a.shape.clone(), values }
}

/// The same window and noise for every backend.
pub(crate) struct Sample {
    pub(crate) draw: Draw,
    pub(crate) noise: Array,
}

impl Sample {
    pub(crate) fn new(case: &Case, held: &Held<Reference>) -> Self {
        let (training, draw) = (&case.config.training, held.draw(0));
        let tables = &held.tables;
        let shape =
            [training.batch, tables.window + 1, tables.channels, tables.grid.points()].to_vec();
        let mut rng = ChaCha8Rng::seed_from_u64(draw.noise);
        let values = (0..shape.iter().product()).map(|_| StandardNormal.sample(&mut rng)).collect();
        Self { draw, noise: Array { shape, values } }
    }

    pub(crate) fn batch<A: Trainable>(
        &self,
        held: &Held<A>,
        device: &A::Device,
    ) -> Batch<A::InnerBackend> {
        let [n, frames, channels, modes] = self.noise.shape[..] else {
            unreachable!("a shape of 4")
        };
        let noise = tensor(self.noise.values.clone(), [n, frames, channels, modes], device);
        noised_by(&held.frames, &self.draw, noise, &held.tables)
    }
}

/// What one backend makes of a sample.
pub(crate) struct Found {
    windows: Array,
    increments: Array,
    fields: Array,
    base: Array,
    pub(crate) losses: Array,
    pub(crate) loss: f32,
    pub(crate) gradients: BTreeMap<String, Array>,
}

impl Found {
    pub(crate) fn new<A: Named>(
        sample: &Sample,
        held: &Held<A>,
        network: &Network<A>,
        precision: Precision,
        device: &A::Device,
    ) -> Self {
        let batch = sample.batch(held, device);
        let input = NetworkInput::new(&batch.window, &held.tables);
        let [windows, fields] = [batch.window.spectra.clone(), input.fields].map(array);
        let [increments, base] = [batch.increment.clone(), input.increment].map(array);
        let loss = held.loss_of(network, precision, batch, &sample.draw);
        let (loss, losses) = (loss.total, loss.samples.values);
        let value = array(loss.clone().inner()).values[0];
        let gradients = GradientsParams::from_grads(loss.backward(), network);
        let gradients = named::<A, _>(&network.clone().map(&mut Values(gradients)));
        Self { windows, increments, fields, base, losses: array(losses), loss: value, gradients }
    }
}

/// Gradients in the place of weights.
struct Values(GradientsParams);

impl<A: AutodiffBackend> ModuleMapper<A> for Values {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        let gradient = self.0.remove::<A::InnerBackend, D>(param.id);
        param.map(|weight| gradient.map_or_else(|| weight.zeros_like(), Tensor::from_inner))
    }
}

/// Weights as gradients.
struct Registered(GradientsParams);

impl<A: AutodiffBackend> ModuleVisitor<A> for Registered {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
        self.0.register(param.id, param.val().inner());
    }
}

/// How far weights and their average move in two steps along the same gradients.
fn moved<A: Named>(
    network: &Network<A>,
    gradients: &BTreeMap<String, Array>,
    config: &Config,
) -> Result<[Array; 2]> {
    let mut learner = Learner::new(network.clone());
    // Where the learning rate has risen, and the average's memory has grown.
    for step in config.training.warmup..config.training.warmup + 2 {
        let mut found = Registered(GradientsParams::new());
        import::<A, _>(network.clone(), gradients)?.visit(&mut found);
        learner = learner.apply(found.0, &config.training, step);
    }
    let before = joined(&named::<A, _>(network));
    let after = [&learner.weights, &learner.average].map(|m| joined(&named::<A, _>(m)));
    Ok(after.map(|after| minus(&after, &before)))
}

/// The score of noised paths, as many steps as a batch has samples, at a middle λ.
fn score<A: Named>(
    case: &Case,
    sample: &Sample,
    held: &Held<A>,
    network: &Network<A>,
    device: &A::Device,
) -> Result<Array> {
    let tables = &held.tables;
    let steps = [4, 5, 3, 2].into_iter().find(|&n| case.config.training.batch.is_multiple_of(n));
    let steps = steps.unwrap_or(1).min(tables.window);
    let (length, paths) = (steps + 1, case.config.training.batch / steps);
    let lambda = tables.lambdas.len() / 2;
    let starts = held.frames.long_windows(length, paths)?;
    let places = starts.iter().flat_map(|s| (*s..s + length).map(|n| n as i32)).collect();
    let shape = [starts.len(), length, tables.channels, tables.grid.points()];
    let clean = held.frames.at(index(places, device)).reshape(shape);
    let noise = sample.noise.values[..shape.iter().product()].to_vec();
    let at = |table: &Tensor<A::InnerBackend, 2>| {
        table.clone().narrow(0, lambda, 1).reshape([1, 1, shape[2], shape[3]])
    };
    let noise = tensor::<A::InnerBackend, 4>(noise, shape, device);
    let path = clean * at(&tables.damping) + noise * at(&tables.noise);
    let shells = Shells::new(&tables.grid);
    let width = shells.count * tables.channels;
    let innovation_ratio = vec![1.0; width * tables.lambdas.len()];
    let calibration = Calibration { width, innovation_ratio, ..Calibration::default() };
    let level = Level::new(lambda, tables, &calibration, &shells);
    let predictor = Corrected::new(network, &case.config.predictor);
    Ok(array(path_score(&predictor, path, None, lambda, &held.lifted, &level)))
}

/// Noise of the device's own generator: mean and variance, the same from the same seed, another
/// from another.
fn noise<B: Backend>(checks: &mut Checks, device: &B::Device) {
    let shape = [16, 4, 1, 4096];
    let draw = |seed| array(seeded_normal::<B>(shape, seed, device)).values;
    let (first, again, other) = (draw(1), draw(1), draw(2));
    let n = first.len() as f64;
    let mean = first.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let square = first.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
    // Five standard deviations of either.
    checks.say("noise: mean", mean.abs(), 5.0 / n.sqrt());
    checks.say("noise: variance", (square - 1.0).abs(), 5.0 * (2.0 / n).sqrt());
    let equal = |a: &[f32], b: &[f32]| a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / n;
    checks.say("noise: part that differs under the same seed", 1.0 - equal(&first, &again), 0.0);
    checks.say("noise: part that is the same under another seed", equal(&first, &other), 0.01);
}

/// One training step and a path score of a case.
pub(crate) fn step<A: Named>(case: &Case, device: &A::Device) -> Result<bool> {
    let precision = case.config.training.precision;
    let products = if precision == Precision::Mixed { MIXED } else { FULL };
    let mut checks = Checks { passed: true, products };
    noise::<A::InnerBackend>(&mut checks, device);

    let here = Default::default();
    let expected_in = case.held::<Reference>(&here)?;
    let sample = Sample::new(case, &expected_in);
    let network = case.generic::<Reference>(&here)?;
    let expected = Found::new(&sample, &expected_in, &network, Precision::Full, &here);
    let held = case.held::<A>(device)?;
    let tested = case.generic::<A>(device)?;
    let found = Found::new(&sample, &held, &tested, precision, device);

    // Transforms and the base are never in bf16.
    checks.compare("batch: windows", &found.windows, &expected.windows, PLAIN);
    checks.compare("batch: increments", &found.increments, &expected.increments, PLAIN);
    checks.compare("input: fields", &found.fields, &expected.fields, FULL);
    if held.tables.increment.is_some() {
        checks.compare("input: linear base", &found.base, &expected.base, PLAIN);
    }
    checks.compare("losses", &found.losses, &expected.losses, DERIVED * checks.products);
    let [gradients, wanted] = [&found, &expected].map(|found| joined(&found.gradients));
    checks.compare("gradients", &gradients, &wanted, DERIVED * checks.products);

    let moves = moved(&tested, &expected.gradients, &case.config)?;
    let wanted = moved(&network, &expected.gradients, &case.config)?;
    for ((name, found), expected) in
        ["Adam: weights", "Adam: average"].iter().zip(&moves).zip(&wanted)
    {
        // What moves is small beside what it is added to.
        checks.compare(name, found, expected, 1e-3);
    }
    if precision == Precision::Full {
        let found = score(case, &sample, &held, &tested, device)?;
        let expected = score(case, &sample, &expected_in, &network, &here)?;
        checks.compare("path score", &found, &expected, DERIVED * FULL);
    }
    Ok(checks.passed)
}

/// The modulated convolution by itself.
pub(crate) fn blocks<A: Named>(device: &A::Device) -> Result<bool> {
    let mut checks = Checks { passed: true, products: FULL };
    let (p, r) = (Axis::periodic, Axis::reflecting);
    let grids = [
        ("line, reflecting", Grid::line(r(32)?)),
        ("plane, periodic", Grid::plane(p(16)?, p(16)?)?),
        ("plane, reflecting in y", Grid::plane(r(16)?, p(16)?)?),
    ];
    for (name, grid) in grids {
        for (kind, precision) in [("f32", Precision::Full), ("bf16", Precision::Mixed)] {
            checks.products = if precision == Precision::Mixed { MIXED } else { FULL };
            let found = block::<A>(grid, precision, device);
            let expected = block::<Reference>(grid, Precision::Full, &Default::default());
            for ((what, found), (_, expected)) in found.iter().zip(&expected) {
                let name = format!("block on a {name}, {kind}: {what}");
                let derived = if what.starts_with("gradient") { DERIVED } else { 1.0 };
                checks.compare(&name, found, expected, derived * checks.products);
            }
        }
    }
    Ok(checks.passed)
}

/// Output and gradients of a block on the same random numbers.
fn block<A: Named>(
    grid: Grid,
    precision: Precision,
    device: &A::Device,
) -> Vec<(&'static str, Array)> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (batch, channels, dilation) = (3, 8, 2);
    let ky = if grid.is_line() { 1 } else { 3 };
    let mut random = |n: usize| (0..n).map(|_| unit(&mut rng)).collect::<Vec<f32>>();
    let fields = [batch, channels, grid.ny(), grid.nx()];
    let weights = [channels, channels, ky, 3];
    let [input, cotangent] =
        [0, 1].map(|_| tensor::<A, 4>(random(fields.iter().product()), fields, device));
    let (input, cotangent) = (input.require_grad(), cotangent);
    let weight = tensor::<A, 4>(random(weights.iter().product()), weights, device).require_grad();
    let bias = tensor::<A, 1>(random(channels), [channels], device).require_grad();
    let [factor, shift] = [0, 1].map(|_| {
        tensor::<A, 2>(random(batch * channels), [batch, channels], device).require_grad()
    });
    let options =
        Block { grid, dilation, activation: Activation::Rectifier, residual: true, precision };
    let modulation = Some([factor.clone(), shift.clone()]);
    let output = A::block(input.clone(), weight.clone(), bias.clone(), modulation, &options);
    let gradients = (output.clone() * cotangent).sum().backward();
    let grad4 = |t: &Tensor<A, 4>| array(t.grad(&gradients).expect("it requires its gradient"));
    let grad2 = |t: &Tensor<A, 2>| array(t.grad(&gradients).expect("it requires its gradient"));
    vec![
        ("output", array(output.inner())),
        ("gradient of the input", grad4(&input)),
        ("gradient of the weight", grad4(&weight)),
        ("gradient of the bias", array(bias.grad(&gradients).expect("it requires its gradient"))),
        ("gradient of the factor", grad2(&factor)),
        ("gradient of the shift", grad2(&shift)),
    ]
}
