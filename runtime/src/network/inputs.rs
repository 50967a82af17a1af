//! From a window of spectra to the fields that the network sees, and back.

use crate::checked::{self, OrBug, Place, product, sum};
use crate::model::{Component, Derivative, Sight, View, Views};
use crate::spectral::difference::{Extension, difference};
use crate::{Boundary, Error, Field, ForwardProcess, Laplacian, Modes, spectral};

/// What a network sees at one λ; see [`View`].
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    sight: Sight,
    /// The Wiener filter that gives a field of unit variance, `[channel][mode]`.
    filter: &'a mut [f32],
    /// The same of the potential; empty where no view needs it.
    potential: &'a mut [f32],
    /// What scales a raw frame to unit variance, the filter's gradient and the potential's,
    /// `[3][channel]`.
    scales: &'a mut [f32],
}

impl<'a> Inputs<'a> {
    /// Values of memory.
    pub(crate) fn memory_len(sight: &Sight) -> usize {
        let field = product(&[sight.channels, sight.grid.points()]);
        let potential = if needs_potential(sight.views) { field } else { 0 };
        sum(&[field, potential, product(&[3, sight.channels])])
    }

    /// Takes [`Inputs::memory_len`] values from `memory`.
    pub(crate) fn new(sight: Sight, memory: &'a mut [f32]) -> Self {
        let field = sight.channels.times(sight.grid.points());
        let potential = if needs_potential(sight.views) { field } else { 0 };
        let (filter, rest) = memory.split_at_mut_checked(field).or_bug();
        let (potential, rest) = rest.split_at_mut_checked(potential).or_bug();
        let scales = rest.get_mut(..sight.channels.times(3)).or_bug();
        Self { sight, filter, potential, scales }
    }

    /// Sets filters and scales for λ, where clean modes have the variances `power`,
    /// `[channel][mode]`.
    pub(crate) fn set(&mut self, process: &ForwardProcess, power: &[f32], lambda: f32) {
        let Sight { grid, channels, .. } = self.sight;
        let points = grid.points();
        let axes = if grid.is_line() { 1.0 } else { 2.0 };
        let (raws, rest) = self.scales.split_at_mut_checked(channels).or_bug();
        let (gradients, velocities) = rest.split_at_mut_checked(channels).or_bug();
        let mut potentials = self.potential.chunks_exact_mut(points);
        let scales = raws.iter_mut().zip(gradients.iter_mut().zip(velocities));
        let rows = self.filter.chunks_exact_mut(points).zip(power.chunks_exact(points));
        for (channel, ((filter, power), (raw, (gradient, velocity)))) in
            checked::counted(rows.zip(scales))
        {
            let (mut filtered, mut total) = (0.0_f64, 0.0_f64);
            let (mut steep, mut flat, mut swirl) = (0.0_f64, 0.0_f64, 0.0_f64);
            let geometry = grid.kappas(Laplacian::Spectral);
            let modes = filter.iter_mut().zip(power).zip(process.kappas(&grid, channel));
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
    }

    /// All fields, taken apart: those of the views, and those behind them.
    pub(crate) fn parts<'f>(&self, fields: &'f mut [f32]) -> (&'f mut [f32], &'f mut [f32]) {
        let viewed = self.sight.viewed().times(self.sight.grid.points());
        fields.split_at_mut_checked(viewed).or_bug()
    }

    /// The fields of a window, `[component][frame][channel][y][x]`, and the `others` behind them;
    /// frames that are not there are zero and come first.
    pub(crate) fn fields(
        &self,
        window: &[f32],
        others: &[f32],
        fields: &mut [f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let (fields, behind) = self.parts(fields);
        checked::zip(behind, others).for_each(|(to, other)| *to = *other);
        let missing = self.missing(window.len());
        for fields in fields.chunks_exact_mut(self.kind()) {
            fields.get_mut(..missing).or_bug().fill(0.0);
        }
        let first = missing / self.frame_len();
        for (n, frame) in checked::counted(window.chunks_exact(self.frame_len())) {
            self.frame(first.plus(n), frame, fields);
        }
        self.finish(missing, fields, work)
    }

    /// Puts frame `n` of the window, `[channel][mode]`, into the fields, still as modes.
    pub(crate) fn frame(&self, n: usize, frame: &[f32], fields: &mut [f32]) {
        let (points, place) = (self.sight.grid.points(), n.times(self.frame_len()));
        for (component, fields) in self.components().zip(fields.chunks_exact_mut(self.kind())) {
            let channels = fields.get_mut(place..).or_bug().chunks_exact_mut(points);
            for (channel, (to, u)) in checked::counted(channels.zip(frame.chunks_exact(points))) {
                self.filter(component.view, channel, u, to, |to, value| *to = value);
            }
        }
    }

    /// From the modes of all frames but the first `missing` values to fields.
    pub(crate) fn finish(
        &self,
        missing: usize,
        fields: &mut [f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let Sight { grid, channels, .. } = self.sight;
        spectral::inverse(&grid, Modes::from_mut(fields), work)?;
        for (component, fields) in self.components().zip(fields.chunks_exact_mut(self.kind())) {
            let frames = fields.get_mut(missing..).or_bug().chunks_exact_mut(grid.points());
            for (field, channel) in frames.zip((0..channels).cycle()) {
                self.differentiate(component, channel, false, field);
            }
        }
        Ok(())
    }

    /// Adds to the gradient of a window, `[frame][channel][mode]`, what that of the fields gives;
    /// `fields` is lost. Nothing asks for the gradient of what is behind the views.
    pub(crate) fn pull_back(
        &self,
        fields: &mut [f32],
        gradient: &mut [f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let Sight { grid, channels: count, .. } = self.sight;
        let points = grid.points();
        let (fields, _) = self.parts(fields);
        let missing = self.missing(gradient.len());
        for (component, fields) in self.components().zip(fields.chunks_exact_mut(self.kind())) {
            let frames = fields.get_mut(missing..).or_bug().chunks_exact_mut(points);
            for (field, channel) in frames.zip((0..count).cycle()) {
                self.differentiate(component, channel, true, field);
            }
        }
        spectral::forward(&grid, Field::from_mut(fields), work)?;
        for (component, fields) in self.components().zip(fields.chunks_exact(self.kind())) {
            let frames = fields.get(missing..).or_bug().chunks_exact(points);
            let channels = gradient.chunks_exact_mut(points).zip(frames);
            for ((to, v), channel) in channels.zip((0..count).cycle()) {
                self.filter(component.view, channel, v, to, |to, value| *to += value);
            }
        }
        Ok(())
    }

    /// Values of one component: every channel of every frame.
    fn kind(&self) -> usize {
        product(&[self.sight.frames, self.frame_len()]).max(1)
    }

    /// Values of a frame, never 0: the compiler knows it, and leaves out the panic of a division.
    fn frame_len(&self) -> usize {
        product(&[self.sight.channels, self.sight.grid.points()]).max(1)
    }

    /// Values of the frames that a window of so many values lacks.
    fn missing(&self, values: usize) -> usize {
        self.kind().saturating_sub(values)
    }

    fn components(&self) -> impl Iterator<Item = Component> + use<> {
        self.sight.views.components(&self.sight.grid)
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
        let points = self.sight.grid.points();
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
        let Sight { grid, channels, .. } = self.sight;
        let axis = if along_y { grid.y() } else { Some(grid.x()) };
        let axis = axis.unwrap_or(grid.x());
        let kind: usize = if component.view == View::Velocity { 2 } else { 1 };
        let scale = self.scales.get(kind.times(channels).plus(channel)).copied().or_bug();
        let factor = scale * (axis.points() as f32 / (2.0 * axis.length()));
        // The transpose of a centred difference is its negative; beyond a mirror, with the other
        // sign.
        let factor = if component.negative == transposed { factor } else { -factor };
        let extension = if transposed && axis.boundary() == Boundary::Reflecting {
            Extension::Odd
        } else {
            Extension::Even
        };
        difference(&grid, along_y, extension, factor, field);
    }
}

fn needs_potential(views: Views) -> bool {
    views.has(View::Potential) || views.has(View::Velocity)
}
