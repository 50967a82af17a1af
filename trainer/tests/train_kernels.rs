//! The CPU's own modulated convolution against the same from Burn's operations, values and gradients.
#![cfg(feature = "train")]

use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, Grid};
use finescale_trainer::train::backend::{Cpu, Differentiable};
use finescale_trainer::train::network::{Block, Kernels, composed};
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
        // from, to, kernel, dilation, active, residual, modulated
        (6, 16, 3, 1, true, false, true),
        (5, 5, 3, 4, true, true, true),
        (4, 1, 3, 1, false, false, false),
        (3, 3, 5, 2, true, true, true),
    ];
    for grid in grids {
        for (from, to, kernel, dilation, active, residual, modulated) in kinds {
            let block = Block { grid, dilation, active, residual };
            let (batch, ky) = (3, if grid.is_line() { 1 } else { kernel });
            let leaf = |tensor: Tensor<A, 4>| tensor.require_grad();
            let input = leaf(random([batch, from, grid.ny(), grid.nx()], &mut rng));
            let weight = leaf(random([to, from, ky, kernel], &mut rng));
            let bias = random([to], &mut rng).require_grad();
            let factor = random([batch, to], &mut rng).require_grad();
            let shift = random([batch, to], &mut rng).require_grad();
            let cotangent = random([batch, to, grid.ny(), grid.nx()], &mut rng);
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
