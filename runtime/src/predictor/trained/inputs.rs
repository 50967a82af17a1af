//! From a window of spectra to the fields that the network sees, and back.

use crate::checked::{self, OrBug, Place, product, sum};
use crate::model::{Component, Derivative, Model, View, Views};
use crate::predictor::{Description, linear::Solved};
use crate::spectral::difference::{Extension, difference};
use crate::{Boundary, Error, Grid, Laplacian, spectral};

/// What a network sees at one λ; see [`View`].
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    grid: Grid,
    views: Views,
    channels: usize,
    window: usize,
    /// The Wiener filter that gives a field of unit variance, `[channel][mode]`.
    filter: &'a mut [f32],
    /// The same of the potential; empty where no view needs it.
    potential: &'a mut [f32],
    /// What scales a raw frame to unit variance, the filter's gradient and the potential's,
    /// `[3][channel]`.
    scales: &'a mut [f32],
    /// d, `[head][channel]`: see [`super::Trained`].
    pub(super) deviation: &'a mut [f32],
}

impl<'a> Inputs<'a> {
    /// Values of memory, with those for the deviations of `outputs` fields.
    pub(super) fn memory_len(model: &Model<'_>, outputs: usize) -> usize {
        let field = product(&[model.channels(), model.grid().points()]);
        let potential = if needs_potential(model.views()) { field } else { 0 };
        sum(&[field, potential, product(&[3, model.channels()]), outputs])
    }

    /// Takes [`Inputs::memory_len`] values from `memory`.
    pub(super) fn new(model: &Model<'_>, outputs: usize, memory: &'a mut [f32]) -> Self {
        let (grid, views, channels) = (*model.grid(), model.views(), model.channels());
        let field = channels.times(grid.points());
        let potential = if needs_potential(views) { field } else { 0 };
        let (filter, rest) = memory.split_at_mut_checked(field).or_bug();
        let (potential, rest) = rest.split_at_mut_checked(potential).or_bug();
        let (scales, rest) = rest.split_at_mut_checked(channels.times(3)).or_bug();
        let deviation = rest.get_mut(..outputs).or_bug();
        let window = model.window();
        Self { grid, views, channels, window, filter, potential, scales, deviation }
    }

    /// Sets filters and scales for λ; S of the base is not calibrated yet.
    pub(super) fn set(&mut self, description: &Description<'_>, base: &Solved<'_>, lambda: f32) {
        let Description { grid, process, power, .. } = description;
        let points = grid.points();
        let axes = if grid.is_line() { 1.0 } else { 2.0 };
        let (raws, rest) = self.scales.split_at_mut_checked(self.channels).or_bug();
        let (gradients, velocities) = rest.split_at_mut_checked(self.channels).or_bug();
        let mut potentials = self.potential.chunks_exact_mut(points);
        let scales = raws.iter_mut().zip(gradients.iter_mut().zip(velocities));
        let rows = self.filter.chunks_exact_mut(points).zip(power.chunks_exact(points));
        for ((filter, power), (raw, (gradient, velocity))) in rows.zip(scales) {
            let (mut filtered, mut total) = (0.0_f64, 0.0_f64);
            let (mut steep, mut flat, mut swirl) = (0.0_f64, 0.0_f64, 0.0_f64);
            let geometry = grid.kappas(Laplacian::Spectral);
            let modes = filter.iter_mut().zip(power).zip(grid.kappas(process.laplacian()));
            for (((filter, power), kappa), k2) in modes.zip(geometry) {
                let damping = process.damping(kappa, lambda);
                let signal = damping * damping * power;
                let variance = signal + process.noise_variance(kappa, lambda);
                *filter = if variance > 0.0 { signal / variance } else { 0.0 };
                let kept = f64::from(signal * *filter);
                filtered += kept;
                total += f64::from(variance);
                let k2 = f64::from(k2);
                steep += kept * k2;
                if k2 > 0.0 {
                    flat += kept / (k2 * k2);
                    swirl += kept / k2;
                }
            }
            let root = |sum: f64| libm::sqrt(sum / points as f64).max(1e-12);
            let scale = (1.0 / root(filtered)) as f32;
            *raw = (1.0 / root(total)) as f32;
            // Of both components together, on a plane where they are alike.
            *gradient = (root(filtered) / root(steep / axes)) as f32;
            *velocity = (root(flat) / root(swirl / axes)) as f32;
            if let Some(potential) = potentials.next() {
                let scale = (-1.0 / root(flat)) as f32;
                let filters = potential.iter_mut().zip(filter.iter());
                for ((to, filter), k2) in filters.zip(grid.kappas(Laplacian::Spectral)) {
                    *to = if k2 > 0.0 { scale * filter / k2 } else { 0.0 };
                }
            }
            filter.iter_mut().for_each(|filter| *filter *= scale);
        }
        for (deviation, errors) in self.deviation.iter_mut().zip(base.errors()) {
            let sum: f64 = errors.iter().copied().map(f64::from).sum();
            *deviation = libm::sqrt(sum / points as f64) as f32;
        }
    }

    /// The fields of a window, `[component][frame][channel][y][x]`; frames that are not there are
    /// zero and come first.
    pub(super) fn fields(
        &self,
        window: &[f32],
        fields: &mut [f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let points = self.grid.points();
        let missing = self.missing(window.len());
        for (component, fields) in self.components().zip(fields.chunks_exact_mut(self.kind())) {
            let (none, frames) = fields.split_at_mut_checked(missing).or_bug();
            none.fill(0.0);
            let channels = frames.chunks_exact_mut(points).zip(window.chunks_exact(points));
            for ((to, u), channel) in channels.zip((0..self.channels).cycle()) {
                self.filter(component.view, channel, u, to, |to, value| *to = value);
            }
        }
        spectral::inverse(&self.grid, fields, work)?;
        for (component, fields) in self.components().zip(fields.chunks_exact_mut(self.kind())) {
            let frames = fields.get_mut(missing..).or_bug().chunks_exact_mut(points);
            for (field, channel) in frames.zip((0..self.channels).cycle()) {
                self.differentiate(component, channel, false, field);
            }
        }
        Ok(())
    }

    /// Adds to the gradient of a window, `[frame][channel][mode]`, what that of the fields gives;
    /// `fields` is lost.
    pub(super) fn pull_back(
        &self,
        fields: &mut [f32],
        gradient: &mut [f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let points = self.grid.points();
        let missing = self.missing(gradient.len());
        for (component, fields) in self.components().zip(fields.chunks_exact_mut(self.kind())) {
            let frames = fields.get_mut(missing..).or_bug().chunks_exact_mut(points);
            for (field, channel) in frames.zip((0..self.channels).cycle()) {
                self.differentiate(component, channel, true, field);
            }
        }
        spectral::forward(&self.grid, fields, work)?;
        for (component, fields) in self.components().zip(fields.chunks_exact(self.kind())) {
            let frames = fields.get(missing..).or_bug().chunks_exact(points);
            let channels = gradient.chunks_exact_mut(points).zip(frames);
            for ((to, v), channel) in channels.zip((0..self.channels).cycle()) {
                self.filter(component.view, channel, v, to, |to, value| *to += value);
            }
        }
        Ok(())
    }

    /// Values of one component: every channel of every frame.
    fn kind(&self) -> usize {
        product(&[self.window, self.channels, self.grid.points()]).max(1)
    }

    /// Values of the frames that a window of so many values lacks.
    fn missing(&self, values: usize) -> usize {
        self.kind().saturating_sub(values)
    }

    fn components(&self) -> impl Iterator<Item = Component> + use<> {
        self.views.components(&self.grid)
    }

    /// Gives `put` every mode times the factor that a view has for it.
    fn filter(
        &self,
        view: View,
        channel: usize,
        from: &[f32],
        to: &mut [f32],
        put: impl Fn(&mut f32, f32),
    ) {
        let points = self.grid.points();
        let row = channel.times(points)..channel.plus(1).times(points);
        let modes = checked::zip(to, from);
        let factors: &[f32] = match view {
            View::Raw => {
                let factor = self.scales.get(channel).copied().or_bug();
                return modes.for_each(|(to, u)| put(to, u * factor));
            }
            View::Filtered | View::Gradient => self.filter.get(row).or_bug(),
            View::Potential | View::Velocity => self.potential.get(row).or_bug(),
        };
        modes.zip(factors).for_each(|((to, u), factor)| put(to, u * factor));
    }

    /// Differentiates a field in place where the component is a derivative; `transposed`: applies
    /// the transpose of that.
    fn differentiate(
        &self,
        component: Component,
        channel: usize,
        transposed: bool,
        field: &mut [f32],
    ) {
        let Some(derivative) = component.derivative else { return };
        let along_y = derivative == Derivative::Y;
        let axis = if along_y { self.grid.y() } else { Some(self.grid.x()) };
        let axis = axis.unwrap_or(self.grid.x());
        let kind: usize = if component.view == View::Velocity { 2 } else { 1 };
        let scale = self.scales.get(kind.times(self.channels).plus(channel)).copied().or_bug();
        let factor = scale * (axis.points() as f32 / (2.0 * axis.length()));
        // The transpose of a centred difference is its negative; beyond a mirror, with the other
        // sign.
        let factor = if component.negative == transposed { factor } else { -factor };
        let extension = if transposed && axis.boundary() == Boundary::Reflecting {
            Extension::Odd
        } else {
            Extension::Even
        };
        difference(&self.grid, along_y, extension, factor, field);
    }
}

fn needs_potential(views: Views) -> bool {
    views.has(View::Potential) || views.has(View::Velocity)
}
