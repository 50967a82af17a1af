use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, Grid};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::transformer::{Attention, points, tokens};
use super::{Design, Fields, Flex, Forward, LAMBDA_FEATURES, Maker};
use crate::config::{Config, Precision};
use crate::engine::backend::{Cpu, Differentiable};
use crate::engine::frames::numbers;
use crate::networks::Design as _;

type A = Differentiable<Cpu>;

const INPUTS: usize = 3;
const BATCH: usize = 2;

fn small() -> Design {
    Design {
        channels: vec![4, 8],
        blocks: vec![1, 2],
        groups: 2,
        transformer: true,
        depth: 5,
        heads: 2,
        mlp_ratio: 2,
    }
}

fn convolutions() -> Design {
    Design { transformer: false, ..small() }
}

fn periodic(points: usize) -> Axis {
    Axis::periodic(points).unwrap()
}

fn plane() -> Grid {
    Grid::plane(periodic(8), periodic(16)).unwrap()
}

fn grids() -> Vec<Grid> {
    let reflecting = |points| Axis::reflecting(points).unwrap();
    vec![
        plane(),
        Grid::line(periodic(16)),
        Grid::line(reflecting(20)),
        Grid::plane(reflecting(8), periodic(12)).unwrap(),
    ]
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(3)
}

fn fields(grid: Grid, lambda: bool) -> Fields {
    Fields { grid, inputs: INPUTS, outputs: 2, lambda, task: None }
}

fn random<B: Backend, const D: usize>(shape: [usize; D], seed: u64) -> Tensor<B, D> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|_| StandardNormal.sample(&mut rng)).collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn input<B: Backend>(grid: &Grid) -> Tensor<B, 4> {
    random([BATCH, INPUTS, grid.ny(), grid.nx()], 1)
}

fn lambda<B: Backend>() -> Tensor<B, 2> {
    random([BATCH, LAMBDA_FEATURES], 2)
}

/// Moves every weight by a little: no layer is left zero.
struct Shake(ChaCha8Rng);

impl<B: Backend> ModuleMapper<B> for Shake {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|old| {
            let shape = old.dims();
            let count = shape.iter().product();
            let moves: Vec<f32> = (0..count)
                .map(|_| StandardNormal.sample(&mut self.0))
                .map(|z: f32| 0.2 * z)
                .collect();
            let moves = Tensor::from_data(TensorData::new(moves, shape), &old.device());
            old + moves
        })
    }
}

fn shaken(design: &Design, grid: Grid) -> Flex<Cpu> {
    let device = Default::default();
    design.build::<Cpu>(fields(grid, true), &mut rng(), &device).map(&mut Shake(rng()))
}

fn largest(of: &[f32]) -> f32 {
    of.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    largest(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}

/// If it failed, an untrained model would not be the linear base.
#[test]
fn it_gives_zeros_at_first() {
    for grid in grids() {
        for design in [small(), convolutions()] {
            for with in [true, false] {
                let device = Default::default();
                let network = design.build::<Cpu>(fields(grid, with), &mut rng(), &device);
                let lambda = with.then(lambda::<Cpu>);
                let out = network.forward(input(&grid), lambda.clone(), Precision::Full);
                assert_eq!(out.dims(), [BATCH, 2, grid.ny(), grid.nx()]);
                assert!(numbers(out).iter().all(|value| *value == 0.0));
                let network = network.map(&mut Shake(rng()));
                let out = network.forward(input(&grid), lambda, Precision::Full);
                assert!(largest(&numbers(out)) > 0.1, "a network of any weights gives nothing");
            }
        }
    }
}

/// If it failed, a coarsest level of one point, or of a plane that is one point wide, would be taken
/// for a line.
#[test]
fn the_coarsest_level_may_be_a_point() {
    let deep = Design { channels: vec![4; 3], blocks: vec![1; 3], ..small() };
    for grid in [Grid::line(periodic(8)), Grid::plane(periodic(8), periodic(8)).unwrap(), plane()] {
        deep.check_on(&grid).unwrap();
        let out = shaken(&deep, grid).forward(input(&grid), Some(lambda()), Precision::Full);
        assert_eq!(out.dims(), [BATCH, 2, grid.ny(), grid.nx()]);
        assert!(numbers(out).iter().all(|value| value.is_finite()));
    }
}

/// Attention of rows of tokens by its definition, with weights as the module has them.
fn by_definition(h: &[Vec<f64>], project: &[f32], heads: usize) -> Vec<Vec<f64>> {
    let width = h[0].len();
    let d = width / heads;
    let part = |token: &[f64], column: usize| -> f64 {
        (0..width).map(|k| token[k] * f64::from(project[k * 3 * width + column])).sum()
    };
    let read = |query: &Vec<f64>, n: usize| -> f64 {
        let head = n / d;
        let columns = head * d..(head + 1) * d;
        let score = |key: &Vec<f64>| -> f64 {
            let terms = columns.clone().map(|c| part(query, c) * part(key, width + c));
            (terms.sum::<f64>() / (d as f64).sqrt()).exp()
        };
        let scores: Vec<f64> = h.iter().map(score).collect();
        let values = h.iter().map(|value| part(value, 2 * width + n));
        let all: f64 = scores.iter().sum();
        scores.iter().zip(values).map(|(score, value)| score * value).sum::<f64>() / all
    };
    h.iter().map(|query| (0..width).map(|n| read(query, n)).collect()).collect()
}

/// If it failed, tokens would be read by other weights than softmax(Q Kᵀ/√d), or heads be mixed.
#[test]
fn attention_is_its_definition() {
    let (count, width) = (5, 6);
    for heads in [1, 2, 3] {
        let device = Default::default();
        let mut rng = rng();
        let mut make = Maker::<A> { grid: plane(), rng: &mut rng, device: &device };
        let module =
            Attention::new(width, heads, &mut make).map(&mut Shake(ChaCha8Rng::seed_from_u64(5)));
        let h: Tensor<A, 3> = random([BATCH, count, width], 4);
        let expected: Vec<f32> = numbers(h.clone())
            .chunks(count * width)
            .flat_map(|sample| {
                let rows =
                    sample.chunks(width).map(|row| row.iter().map(|v| f64::from(*v)).collect());
                by_definition(&rows.collect::<Vec<_>>(), &numbers(module.project.val()), heads)
            })
            .flatten()
            .map(|value| value as f32)
            .collect();
        let read = Tensor::from_data(TensorData::new(expected, [BATCH, count, width]), &device);
        let expected = numbers(module.out.each(read));
        // What is differentiated is computed from other operations than what is not.
        let found =
            [numbers(module.forward(h.clone())), numbers(module.valid().forward(h.inner()))];
        for found in found {
            assert!(largest(&expected) > 0.3, "nothing is compared");
            assert!(largest_difference(&found, &expected) < 2e-6, "{heads} heads");
        }
    }
}

/// If it failed, a point would come back at another place, or take λ's token for itself.
#[test]
fn tokens_are_points_row_by_row_behind_that_of_lambda() {
    let (ny, nx) = (2, 3);
    let value = |batch: usize, channel: usize, y: usize, x: usize| {
        (1000 * batch + 100 * channel + 10 * y + x) as f32
    };
    let mut values = Vec::new();
    for batch in 0..BATCH {
        for channel in 0..4 {
            values.extend((0..ny * nx).map(|n| value(batch, channel, n / nx, n % nx)));
        }
    }
    let map: Tensor<Cpu, 4> =
        Tensor::from_data(TensorData::new(values, [BATCH, 4, ny, nx]), &Default::default());
    let first: Tensor<Cpu, 3> = random([BATCH, 1, 4], 6);
    let found = tokens(map.clone(), Some(first.clone()));
    assert_eq!(found.dims(), [BATCH, 1 + ny * nx, 4]);
    for batch in 0..BATCH {
        for token in 0..=ny * nx {
            let expected: Vec<f32> = match token.checked_sub(1) {
                None => numbers(first.clone().narrow(0, batch, 1)),
                Some(n) => (0..4).map(|c| value(batch, c, n / nx, n % nx)).collect(),
            };
            let token = found.clone().narrow(0, batch, 1).narrow(1, token, 1);
            assert_eq!(numbers(token), expected);
        }
    }
    assert_eq!(numbers(points(found, [ny, nx])), numbers(map.clone()));
    assert!(numbers(tokens(map, None).narrow(1, 0, 1)).iter().all(|value| *value == 0.0));
}

/// If it failed, the convolutions would know where they are. A transformer does: its positions are
/// learned.
#[test]
fn without_its_transformer_it_moves_with_its_fields() {
    let out = |design: &Design, [y, x]: [i64; 2], back: bool| {
        let fields = input::<Cpu>(&plane()).roll(&[y, x], &[2, 3]);
        let out = shaken(design, plane()).forward(fields, Some(lambda()), Precision::Full);
        numbers(if back { out.roll(&[-y, -x], &[2, 3]) } else { out })
    };
    let moved = |design: &Design, shift| {
        let here = out(design, [0, 0], false);
        largest_difference(&here, &out(design, shift, true)) / largest(&here)
    };
    // Two levels: four points of the finest one are one of the coarsest.
    for shift in [[4, 0], [0, 4], [4, 8]] {
        assert!(moved(&convolutions(), shift) < 1e-5, "{shift:?}");
        assert!(moved(&small(), shift) > 1e-3, "positions are not seen: {shift:?}");
    }
    assert!(moved(&convolutions(), [0, 1]) > 1e-3, "no level halves the points");
    let still = largest_difference(
        &out(&convolutions(), [4, 0], false),
        &out(&convolutions(), [0, 0], false),
    );
    assert!(still > 1e-3, "the output does not depend on the fields");
}

/// If it failed, boxes of noise, blur and λ would all be the same to it.
#[test]
fn lambda_reaches_the_output() {
    for design in [small(), convolutions()] {
        let network = shaken(&design, plane());
        let out = |lambda| numbers(network.forward(input(&plane()), Some(lambda), Precision::Full));
        assert!(
            largest_difference(&out(lambda()), &out(random([BATCH, LAMBDA_FEATURES], 7))) > 1e-3
        );
    }
}

struct Gradients<'a, B: AutodiffBackend> {
    of: &'a B::Gradients,
    path: Vec<String>,
    seen: usize,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Gradients<'_, B> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let path = self.path.join(".");
        let gradient = param.val().grad(self.of).unwrap_or_else(|| panic!("{path} has none"));
        let gradient = numbers(gradient);
        assert!(gradient.iter().all(|value| value.is_finite()), "{path}");
        assert!(gradient.iter().any(|value| value.abs() > 1e-9), "{path}: {gradient:?}");
        self.seen += 1;
    }
}

/// If it failed, some weights would stay as they were drawn. The last layer is zero at first, and
/// so is that of every block: two steps reach the others.
#[test]
fn after_two_steps_every_weight_has_a_gradient() {
    for grid in [plane(), Grid::line(periodic(16))] {
        for (design, with) in [(small(), true), (convolutions(), true), (small(), false)] {
            let device = Default::default();
            let mut network = design.build::<A>(fields(grid, with), &mut rng(), &device);
            let mut optimizer = AdamConfig::new().init::<A, Flex<A>>();
            let target: Tensor<A, 4> = random([BATCH, 2, grid.ny(), grid.nx()], 8);
            for step in 0..3 {
                let lambda = with.then(lambda::<A>);
                let error = network.forward(input(&grid), lambda, Precision::Full) - target.clone();
                let gradients = (error.clone() * error).mean().backward();
                if step == 2 {
                    let mut found = Gradients::<A> { of: &gradients, path: Vec::new(), seen: 0 };
                    network.visit(&mut found);
                    assert!(found.seen > 50, "{} arrays", found.seen);
                }
                let gradients = GradientsParams::from_grads(gradients, &network);
                network = optimizer.step(1e-2, network, gradients);
            }
        }
    }
}

/// Every refusal names its setting and what to use.
#[test]
fn what_is_no_network_is_refused() {
    type Change = fn(&mut Design);
    let cases: [(Change, &str); 10] = [
        (|d| d.channels = vec![], "network.flex.channels is []: name at least one level"),
        (|d| d.channels = vec![4, 6], "network.flex.channels is [4, 6]: name at least one level"),
        (|d| d.channels = vec![0, 8], "network.flex.channels is [0, 8]"),
        (|d| d.groups = 0, "network.flex.groups, which is 0 and has to be at least 1"),
        (|d| d.blocks = vec![2], "network.flex.blocks is [2]: name at least one block for each"),
        (|d| d.blocks = vec![2, 0], "for each of the 2 levels of network.flex.channels"),
        (|d| d.depth = 1, "network.flex.depth is 1: use an odd number from 3"),
        (|d| d.depth = 4, "network.flex.depth is 4: use an odd number from 3"),
        (|d| d.heads = 3, "network.flex.heads is 3: use a number that divides the 8 channels"),
        (|d| d.mlp_ratio = 0, "network.flex.mlp-ratio is 0: use at least 1"),
    ];
    let base = Design { groups: 4, ..small() };
    base.check().unwrap();
    for (change, says) in cases {
        let mut design = base.clone();
        change(&mut design);
        let error = design.check().expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
    Config::default().network.flex.check().unwrap();
}

#[test]
fn grids_that_do_not_fit_are_refused() {
    let deep = |levels| Design { channels: vec![4; levels], blocks: vec![1; levels], ..small() };
    for (grid, most) in [
        (Grid::line(periodic(20)), 2),
        (Grid::line(periodic(64)), 6),
        (Grid::plane(periodic(32), periodic(24)).unwrap(), 3),
    ] {
        deep(most).check_on(&grid).unwrap();
        let error = deep(most + 1).check_on(&grid).unwrap_err().to_string();
        assert!(error.contains(&format!("names {} levels", most + 1)), "{error}");
        assert!(error.contains(&format!("name at most {most}")), "{error}");
    }
    let wide = Grid::plane(periodic(512), periodic(256)).unwrap();
    let error = small().check_on(&wide).unwrap_err().to_string();
    assert!(error.contains("leaves 8192 points to the transformer"), "{error}");
    assert!(error.contains("at most 4096"), "{error}");
    convolutions().check_on(&wide).unwrap();
    small().check_on(&Grid::plane(periodic(256), periodic(256)).unwrap()).unwrap();
}
