//! The CPU's own modulated convolution against the same from Burn's operations, values and
//! gradients.

use burn::tensor::{DType, Tensor, TensorData};
use finescale::model::Activation;
use finescale::{Axis, Grid};
use finescale_train::config::Precision;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::kernels::product::{self, Reach};
use finescale_train::engine::kernels::{Block, Kernels, composed};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

type A = Differentiable<Cpu>;

fn random<const D: usize>(shape: [usize; D], rng: &mut ChaCha8Rng) -> Tensor<A, D> {
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|_| StandardNormal.sample(rng)).collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn values<const D: usize>(tensor: Tensor<Cpu, D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

fn close(name: &str, found: &[f32], expected: &[f32]) {
    let scale = expected.iter().fold(1e-3_f32, |max, value| max.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-5 * scale, "{name}: {found} for {expected}");
    }
    assert_eq!(found.len(), expected.len(), "{name}");
}

#[test]
fn our_block_is_burns() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (p, r) = (|n| Axis::periodic(n).unwrap(), |n| Axis::reflecting(n).unwrap());
    let grids = [
        Grid::line(p(16)),
        Grid::line(r(32)),
        Grid::plane(p(8), p(16)).unwrap(),
        Grid::plane(r(8), p(16)).unwrap(),
        Grid::plane(r(16), r(8)).unwrap(),
    ];
    let kinds = [
        // from, to, kernel, dilation, activation, residual, modulated
        (6, 16, 3, 1, Activation::Rectifier, false, true),
        (5, 5, 3, 4, Activation::Rectifier, true, true),
        (4, 1, 3, 1, Activation::None, false, false),
        (3, 3, 5, 2, Activation::Rectifier, true, true),
        (4, 8, 3, 2, Activation::Product, true, true),
        (3, 6, 5, 1, Activation::Product, true, false),
    ];
    for grid in grids {
        for (from, to, kernel, dilation, activation, residual, modulated) in kinds {
            let precision = Precision::Full;
            let block = Block { grid, dilation, activation, residual, precision };
            let (batch, ky) = (3, if grid.is_line() { 1 } else { kernel });
            let leaf = |tensor: Tensor<A, 4>| tensor.require_grad();
            let input = leaf(random([batch, from, grid.ny(), grid.nx()], &mut rng));
            let weight = leaf(random([to, from, ky, kernel], &mut rng));
            let bias = random([to], &mut rng).require_grad();
            let factor = random([batch, to], &mut rng).require_grad();
            let shift = random([batch, to], &mut rng).require_grad();
            let out = if activation == Activation::Product { to / 2 } else { to };
            let cotangent = random([batch, out, grid.ny(), grid.nx()], &mut rng);
            let modulation = || modulated.then(|| [factor.clone(), shift.clone()]);
            let outputs = [
                A::block(input.clone(), weight.clone(), bias.clone(), modulation(), &block),
                composed(input.clone(), weight.clone(), bias.clone(), modulation(), &block),
            ];
            let [ours, burns] = outputs.map(|output| {
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                let mut all = vec![
                    ("output", values(output.inner())),
                    ("input", values(input.grad(&gradients).unwrap())),
                    ("weight", values(weight.grad(&gradients).unwrap())),
                    ("bias", values(bias.grad(&gradients).unwrap())),
                ];
                if modulated {
                    all.push(("factor", values(factor.grad(&gradients).unwrap())));
                    all.push(("shift", values(shift.grad(&gradients).unwrap())));
                }
                all
            });
            for ((name, ours), (_, burns)) in ours.iter().zip(&burns) {
                close(&format!("{name}, {grid:?}, {block:?}"), ours, burns);
            }
            // Without autodiff, the same bits.
            let plain = Cpu::block(
                input.clone().inner(),
                weight.clone().inner(),
                bias.clone().inner(),
                modulation().map(|m| m.map(Tensor::inner)),
                &block,
            );
            assert_eq!(values(plain), ours[0].1);
        }
    }
}

/// What the CUDA backend computes convolutions with, on the CPU.
#[test]
fn a_convolution_as_products_is_burns() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (p, r) = (|n| Axis::periodic(n).unwrap(), |n| Axis::reflecting(n).unwrap());
    let grids = [Grid::line(p(16)), Grid::line(r(16)), Grid::plane(r(8), p(16)).unwrap()];
    // from, to, kernel, dilation, halvings of the grid
    let kinds =
        [(3, 5, 3, 1, 0), (2, 1, 3, 2, 0), (4, 3, 1, 1, 0), (2, 4, 7, 1, 0), (3, 2, 3, 1, 1)];
    for grid in grids {
        for (from, to, kernel, dilation, halvings) in kinds {
            let ky = if grid.is_line() { 1 } else { kernel };
            let (ny, nx) = ((grid.ny() >> halvings).max(1), grid.nx() >> halvings);
            let input = random([3, from, ny, nx], &mut rng).require_grad();
            let weight = random([to, from, ky, kernel], &mut rng).require_grad();
            let cotangent = random([3, to, ny, nx], &mut rng);
            let reach = Reach { grid, dilation };
            let outputs = [
                product::differentiable(input.clone(), weight.clone(), &reach),
                A::convolution(input.clone(), weight.clone(), None, &reach),
            ];
            let [ours, burns] = outputs.map(|output| {
                let gradients = (output.clone() * cotangent.clone()).sum().backward();
                let [of_input, of_weight] =
                    [&input, &weight].map(|leaf| values(leaf.grad(&gradients).unwrap()));
                [values(output.inner()), of_input, of_weight]
            });
            let name = format!("{grid:?}, {from} → {to}, {kernel}, {dilation}, {halvings}");
            for (part, (ours, burns)) in
                ["output", "input", "weight"].iter().zip(ours.iter().zip(&burns))
            {
                close(&format!("{part}, {name}"), ours, burns);
            }
            let plain = product::convolution(input.inner(), weight.inner(), &reach);
            assert_eq!(values(plain), ours[0], "{name}");
        }
    }
}

/// If it failed, mixed precision would be f32 under another name, or would leave rounded numbers
/// outside the convolution.
#[test]
fn mixed_precision_rounds_the_convolution_and_nothing_else() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let grid = Grid::plane(Axis::reflecting(8).unwrap(), Axis::periodic(16).unwrap()).unwrap();
    let (input, weight) = (random([3, 5, 8, 16], &mut rng), random([5, 5, 3, 3], &mut rng));
    let (bias, factor, shift) =
        (random([5], &mut rng), random([3, 5], &mut rng), random([3, 5], &mut rng));
    let cotangent = random([3, 5, 8, 16], &mut rng);
    let [full, mixed] = [Precision::Full, Precision::Mixed].map(|precision| {
        let block =
            Block { grid, dilation: 2, activation: Activation::None, residual: true, precision };
        let (input, weight) = (input.clone().require_grad(), weight.clone().require_grad());
        let bias = bias.clone().require_grad();
        let modulation = Some([factor.clone(), shift.clone()]);
        let output = A::block(input.clone(), weight.clone(), bias.clone(), modulation, &block);
        assert_eq!(output.dtype(), DType::F32);
        let gradients = (output.clone() * cotangent.clone()).sum().backward();
        let gradient = |found: Option<Tensor<Cpu, 4>>| {
            let found = found.unwrap();
            assert_eq!(found.dtype(), DType::F32);
            values(found)
        };
        let rounded = [
            values(output.inner()),
            gradient(input.grad(&gradients)),
            gradient(weight.grad(&gradients)),
        ];
        (rounded, values(bias.grad(&gradients).unwrap()))
    });
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    for (full, mixed) in full.0.iter().zip(&mixed.0) {
        let difference = norm(&mut full.iter().zip(mixed).map(|(a, b)| a - b));
        let error = difference / norm(&mut full.iter().copied());
        // bf16 has eight bits: each rounding errs by 2⁻⁹ on average at most.
        assert!((2e-4..5e-3).contains(&error), "{error}");
    }
    // The bias is added in f32, and its gradient does not pass through the convolution.
    close("bias", &mixed.1, &full.1);
}
