//! What a network sees of frames, on a device: see [`finescale::model::View`].

use burn::tensor::{Int, Tensor, backend::Backend};
use finescale::Grid;
use finescale::model::Component;
use finescale_model::reference::inputs::axis;

use super::basis::Basis;
use super::kernels::difference;

/// A component of what the network sees: see [`finescale_model::reference::inputs`].
#[derive(Clone, Debug)]
pub struct Seen<B: Backend> {
    /// Which one.
    pub component: Component,
    /// What modes are multiplied with, `[λ, channels · modes]`.
    pub filter: Tensor<B, 2>,
    /// What a difference is multiplied with, `[λ, channels]`.
    pub factors: Tensor<B, 2>,
}

impl<B: Backend> Seen<B> {
    /// The rows of some λ, one for each sample.
    pub fn at(&self, lambda: &Tensor<B, 1, Int>) -> Self {
        let at = |table: &Tensor<B, 2>| table.clone().select(0, lambda.clone());
        let (filter, factors) = (at(&self.filter), at(&self.factors));
        Self { component: self.component, filter, factors }
    }
}

/// Fields `[batch, component · frame · channel, y, x]` of windows `[batch, frames, channels,
/// modes]`. The tables of every component have a row for each sample, or one for all.
pub fn fields<B: Backend>(
    grid: &Grid,
    basis: &Basis<B>,
    window: &Tensor<B, 4>,
    seen: impl Iterator<Item = Seen<B>>,
) -> Tensor<B, 4> {
    let [batch, frames, channels, modes] = window.dims();
    let (ny, nx) = (grid.ny(), grid.nx());
    let components = seen.map(|Seen { component, filter, factors }| {
        let rows = filter.dims()[0];
        let filter = filter.reshape([rows, 1, channels, modes]);
        let spectra = (window.clone() * filter).reshape([batch * frames * channels, modes]);
        let values = basis.inverse(spectra).reshape([batch, frames * channels, ny, nx]);
        let Some((axis, along_y)) = axis(grid, component) else { return values };
        let factors = factors.reshape([rows, 1, channels]);
        let factors = factors.repeat_dim(1, frames).reshape([rows, frames * channels, 1, 1]);
        difference(values, &axis, if along_y { 2 } else { 3 }) * factors
    });
    Tensor::cat(components.collect(), 1)
}
