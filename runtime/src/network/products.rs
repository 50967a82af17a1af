//! Where the factors of product layers stand, and which of them are computed again.

use core::ops::Range;

use crate::checked::{Place, sum};
use crate::model::{self, Activation};

/// The product layers of a network, which lie one behind the other before its last layer, in runs.
///
/// On the way back each needs its two factors. There is room for those of one run: the last one's
/// are there after a forward pass. Of every run before, its input was kept (a checkpoint), from
/// which the factors are computed again when their turn comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Products {
    /// The first one's number among the layers.
    first: usize,
    /// How many there are.
    pub(super) count: usize,
    /// How many a run has; the last may have fewer.
    run: usize,
    /// The channel of the modulation with which the first one's start, and how many each has.
    channel: usize,
    channels: usize,
    /// Values of the factors of one of them.
    factors: usize,
    /// Values of a checkpoint.
    checkpoint: usize,
}

impl Products {
    /// The exponent of a tensor of factors: that of the bound of q.
    pub(super) const EXPONENT: i32 = 2;

    /// Of a model, where `len` says how many values so many channels of fields take.
    pub(super) fn of(network: &model::Network<'_>, len: impl Fn(usize) -> usize) -> Self {
        let mut products = Self::default();
        let mut channel = 0;
        for (n, layer) in (0..usize::MAX).zip(network.layers().iter()) {
            if layer.activation == Activation::Product {
                if products.count == 0 {
                    products.first = n;
                    products.channel = channel;
                }
                products.count = sum(&[products.count, 1]);
                products.channels = layer.shape.outputs();
                products.factors = len(layer.shape.outputs());
                products.checkpoint = len(layer.channels());
            }
            channel = sum(&[channel, layer.shape.outputs()]);
        }
        products.run = products.count.div_ceil(network.segments.max(1));
        products
    }

    /// Values of all factors that are kept.
    pub(super) const fn factors_len(&self) -> usize {
        self.run.saturating_mul(self.factors)
    }

    /// Values of all checkpoints.
    pub(super) fn checkpoints_len(&self) -> usize {
        self.last_run().saturating_mul(self.checkpoint)
    }

    /// The first channel of the modulation behind those of layer `n`.
    pub(super) fn channel_behind(&self, n: usize) -> usize {
        self.channel.plus(n.minus(self.first).plus(1).times(self.channels))
    }

    /// Where the factors of layer `n` stand.
    pub(super) fn factors(&self, n: usize) -> Range<usize> {
        let place = (n.minus(self.first) % self.run.max(1)).times(self.factors);
        place..place.plus(self.factors)
    }

    /// Where the input of layer `n` is kept, if a run starts there whose factors will be lost.
    pub(super) fn checkpoint(&self, n: usize) -> Option<Range<usize>> {
        let n = n.minus(self.first);
        let run = n / self.run.max(1);
        if !n.is_multiple_of(self.run.max(1)) || run >= self.last_run() {
            return None;
        }
        let place = run.times(self.checkpoint);
        Some(place..place.plus(self.checkpoint))
    }

    /// Layers whose factors have to be computed again before layer `n` takes its own, going back:
    /// none unless a run ends there whose factors were lost.
    pub(super) fn lost(&self, n: usize) -> Option<Range<usize>> {
        let place = n.minus(self.first);
        let run = place / self.run.max(1);
        let ends = place % self.run.max(1) == self.run.minus(1);
        (ends && run < self.last_run()).then(|| n.plus(1).minus(self.run)..n.plus(1))
    }

    /// The number of the run whose factors a forward pass leaves.
    fn last_run(&self) -> usize {
        self.count.saturating_sub(1) / self.run.max(1)
    }
}
