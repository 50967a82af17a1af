//! Dropout whose masks are addressed, so that it can be on wherever a network is evaluated, and the
//! same masks can be drawn again. Burn's own is the identity where nothing is differentiated.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Where a mask is drawn from: four numbers of the caller's, a seed before the others.
pub type Address = [u64; 4];

/// The masks of one evaluation, in the order of the network's activations.
#[derive(Clone, Debug)]
pub struct Dropout {
    rate: f64,
    address: Address,
    drawn: u64,
}

impl Dropout {
    /// None: every value is kept.
    pub const OFF: Self = Self { rate: 0.0, address: [0; 4], drawn: 0 };

    /// Drops every value with a probability, below 1. The same address gives the same masks for
    /// fields of the same shape.
    pub const fn new(rate: f64, address: Address) -> Self {
        Self { rate, address, drawn: 0 }
    }

    /// Whether nothing is dropped.
    pub fn is_off(&self) -> bool {
        self.rate <= 0.0
    }

    /// What is left of `[batch, channels, y, x]`: zero, or value/(1 − rate), so that the mean is as
    /// before.
    pub fn apply<B: Backend>(&mut self, values: Tensor<B, 4>) -> Tensor<B, 4> {
        if self.is_off() {
            return values;
        }
        let (shape, device) = (values.dims(), values.device());
        let mask = TensorData::new(self.mask(shape.iter().product()), shape);
        values * Tensor::from_data(mask, &device)
    }

    /// The next mask.
    fn mask(&mut self, len: usize) -> Vec<f32> {
        let mut rng = generator(self.address);
        rng.set_stream(self.drawn);
        self.drawn += 1;
        // Of 2³² equally likely words so many drop a value.
        let dropping = (self.rate * 2_f64.powi(32)) as u64;
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let value = |_| if u64::from(rng.next_u32()) < dropping { 0.0 } else { kept };
        (0..len).map(value).collect()
    }
}

/// The random numbers of an address.
pub fn generator(address: Address) -> ChaCha8Rng {
    let mut seed = [0; 32];
    for (bytes, word) in seed.chunks_exact_mut(8).zip(address) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backend::Cpu;
    use crate::engine::frames::numbers;

    fn ones() -> Tensor<Cpu, 4> {
        Tensor::ones([4, 8, 1, 512], &Default::default())
    }

    /// If it failed, dropout would be off in sampling as Burn's is, or change the mean.
    #[test]
    fn values_are_dropped_where_nothing_is_differentiated() {
        for rate in [0.05, 0.3, 0.6] {
            let left = numbers(Dropout::new(rate, [1, 2, 3, 4]).apply(ones()));
            let kept = 1.0 / (1.0 - rate);
            assert!(left.iter().all(|v| *v == 0.0 || f64::from(*v) - kept < 1e-6), "{rate}");
            let dropped = left.iter().filter(|value| **value == 0.0).count() as f64;
            let (n, share) = (left.len() as f64, dropped / left.len() as f64);
            // Five standard deviations of a binomial.
            assert!(
                (share - rate).abs() < 5.0 * (rate * (1.0 - rate) / n).sqrt(),
                "{rate} {share}"
            );
        }
        assert!(numbers(Dropout::OFF.clone().apply(ones())).iter().all(|value| *value == 1.0));
    }

    /// If it failed, members could not be drawn again, or layers would drop the same values.
    #[test]
    fn an_address_has_its_own_masks() {
        let drawn = |address| {
            let mut dropout = Dropout::new(0.5, address);
            [dropout.apply(ones()), dropout.apply(ones())].map(numbers)
        };
        let [first, second] = drawn([1, 2, 3, 4]);
        assert_eq!([first.clone(), second.clone()], drawn([1, 2, 3, 4]));
        assert_ne!(first, second);
        for place in 0..4 {
            let mut other = [1, 2, 3, 4];
            other[place] += 1;
            assert_ne!(first, drawn(other)[0], "{place}");
        }
    }
}
