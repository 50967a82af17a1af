//! A fine frame straight from a sensor's coarse frames: the conditional mean, and its errors.
//!
//! ```text
//! coarse frames  ──▶ anomalies ──┬──▶ base: interpolation, or a linear map ──▶ + ──▶ fine frame n
//! n − a … n + b                  └──▶ fields ──▶ views, maps ──▶ network ─────┘
//! ```
//!
//! A model is trained for its sensor ([`MeanModel`]), and one evaluation gives the mean of the fine
//! frame given what was measured: the frame with the least squared error. [`Stream`] takes a
//! sensor's frames as they come; [`Errors`] draws what the mean cannot know, so that several
//! members show how uncertain it is.
//!
//! Everything is in the units of the channels.

mod errors;
mod stream;

pub use errors::Errors;
pub use stream::Stream;

use crate::checked::{self, OrBug, Place, product, sum};
use crate::model::{MeanFootprint, MeanModel};
use crate::network::{Inputs, Layout, Network, Probe};
use crate::predictor::whole_frames;
use crate::sampler::split;
use crate::{CoarseGrid, Error, Field, ForwardProcess, Laplacian, Path, spectral};

/// The mean of a fine frame given coarse ones; weights stay where the model's bytes are.
///
/// Where a frame of the window is not there, before the first or after the last of a path, the
/// nearest one stands for it. Relative error ≤ 1e-5 of the largest value with weights in f32;
/// weights of eight bits are computed with as they are. Cost of an evaluation: the layers'
/// [`crate::layer::ConvShape::macs`], a transform of each field that the network sees, and with a
/// linear map r (F C M + C N) multiplications, M and N being the points of a coarse and of a fine
/// field.
#[derive(Debug)]
pub struct ConditionalMean<'a> {
    model: MeanModel<'a>,
    network: Option<(Inputs<'a>, Network<'a>)>,
    layout: Layout,
}

impl<'a> ConditionalMean<'a> {
    /// Values of memory for a model.
    pub fn memory_len(model: &MeanModel<'_>) -> usize {
        model.network().map_or(0, |network| {
            sum(&[Inputs::memory_len(&network.sight), Network::memory_len(&network)])
        })
    }

    /// Values of scratch for [`ConditionalMean::evaluate`].
    pub fn scratch_len(model: &MeanModel<'_>) -> usize {
        let (coarse, fine) = (model.coarse_len(), model.fine_len());
        let window = product(&[window_frames(model), coarse]);
        let layout = Layout::of(model.network().as_ref()).scratch_len();
        sum(&[window, coarse, fine, rank(model), work_len(model), layout])
    }

    /// What a mean and its errors take from their caller, in bytes; what does not fit 32 bits is
    /// their largest number.
    pub fn footprint(model: &MeanModel<'_>) -> MeanFootprint {
        let bytes = |values: usize| u32::try_from(values.saturating_mul(4)).unwrap_or(u32::MAX);
        MeanFootprint {
            memory: bytes(Self::memory_len(model)),
            scratch: bytes(Self::scratch_len(model)),
            errors: bytes(Errors::memory_len(model)),
            frame: bytes(model.fine_len()),
            ..model.footprint()
        }
    }

    /// Takes a model and at least [`ConditionalMean::memory_len`] values of memory.
    ///
    /// # Errors
    /// [`Error::MemoryLength`].
    pub fn new(model: &MeanModel<'a>, memory: &'a mut [f32]) -> Result<Self, Error> {
        let (values, needed) = (memory.len(), Self::memory_len(model));
        let memory = memory.get_mut(..needed).ok_or(Error::MemoryLength { values, needed })?;
        let layout = Layout::of(model.network().as_ref());
        let mut network = None;
        if let Some(of) = model.network() {
            let (inputs, memory) =
                memory.split_at_mut_checked(Inputs::memory_len(&of.sight)).or_bug();
            let mut inputs = Inputs::new(of.sight, inputs);
            // At λ = 0 nothing is damped and nothing is noise, whatever the process.
            let process = ForwardProcess::new(0.0, 1.0, Laplacian::Spectral)?;
            inputs.set(&process, model.arrays().input_power, 0.0);
            let mut layers = Network::new(&of, &layout, memory);
            layers.modulate(0.0);
            network = Some((inputs, layers));
        }
        Ok(Self { model: *model, network, layout })
    }

    /// The same, which tells `probe` of every layer.
    pub fn with_probe(mut self, probe: &'a dyn Probe) -> Self {
        if let Some((_, network)) = &mut self.network {
            network.probed(probe);
        }
        self
    }

    /// The model.
    pub const fn model(&self) -> &MeanModel<'a> {
        &self.model
    }

    /// The mean of frame `n`.
    ///
    /// `coarse`: the frames that there are, `[frame][channel][y][x]` at the sensor's points, oldest
    /// first; of a longer path only those near frame `n` are read. `fine`: receives
    /// `[channel][y][x]`. `scratch`: [`ConditionalMean::scratch_len`] values.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `coarse` is whole frames; [`Error::OutputLength`] unless
    /// `fine` holds a frame; [`Error::Count`] unless frame `n` is there; [`Error::NotFinite`] for a
    /// value that is no number, of what is read or of what the network gives;
    /// [`Error::ScratchLength`].
    pub fn evaluate(
        &self,
        coarse: &Path<Field<CoarseGrid>>,
        n: usize,
        fine: &mut Field,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let frame = self.coarse_len();
        let frames = whole_frames(coarse.len(), frame)?;
        Error::count("n", n, n < frames, "less than the number of coarse frames")?;
        let before = self.model.before();
        // The nearest frame stands for one that is not there.
        let place = |j: usize| n.saturating_add(j).saturating_sub(before).min(frames.minus(1));
        self.window(|j| checked::rows(coarse, frame).nth(place(j)).or_bug(), fine, scratch)
    }

    /// The mean of frame a of a window, whose frames `at` gives.
    fn window<'w>(
        &self,
        at: impl Fn(usize) -> &'w [f32],
        fine: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let Self { model, layout, .. } = self;
        let (coarse_len, fine_len) = (self.coarse_len(), self.fine_len());
        let (values, needed) = (fine.len(), fine_len);
        let fine = fine.get_mut(..needed).ok_or(Error::OutputLength { values, needed })?;
        let (values, needed) = (scratch.len(), Self::scratch_len(model));
        let scratch = scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })?;
        let (anomalies, scratch) = split(scratch, window_frames(model).times(coarse_len))?;
        let (pixels, scratch) = split(scratch, coarse_len)?;
        let (field, scratch) = split(scratch, fine_len)?;
        let (ranks, scratch) = split(scratch, rank(model))?;
        let (work, scratch) = split(scratch, work_len(model))?;
        let mut scratch = layout.split(scratch)?;
        let interpolates = ranks.is_empty();
        for n in 0..model.frames() {
            self.anomalies("coarse", at(n), model.arrays().coarse_climatology, pixels)?;
            if let Some(row) = checked::rows_mut(anomalies, coarse_len).nth(n) {
                checked::zip(row, &*pixels).for_each(|(to, value)| *to = *value);
            }
            let base = interpolates && n == model.before();
            if base || self.network.is_some() {
                self.show(pixels, field, work);
            }
            if base {
                checked::zip(&mut *fine, &*field).for_each(|(to, u)| *to = *u);
            }
            if let Some((inputs, _)) = &self.network {
                spectral::forward(model.grid(), Field::from_mut(field), work)?;
                inputs.frame(n, field, scratch.input);
            }
        }
        if !interpolates {
            self.map(anomalies, ranks, fine);
        }
        if let Some((inputs, network)) = &self.network {
            let arrays = model.arrays();
            let fields = scratch.input.get_mut(..layout.inputs).or_bug();
            let (views, maps) = inputs.parts(fields);
            checked::zip(maps, arrays.maps).for_each(|(to, map)| *to = *map);
            inputs.finish(0, views, scratch.work)?;
            network.forward(&mut scratch)?;
            let points = model.grid().points();
            let outputs = checked::rows(scratch.outputs, points);
            let channels = checked::rows_mut(fine, points).zip(outputs);
            for ((fine, output), deviation) in channels.zip(arrays.deviation) {
                for (value, output) in checked::zip(fine, output) {
                    *value += deviation * output;
                }
            }
            Error::finite("network output", fine)?;
        }
        self.restore(fine);
        Ok(())
    }

    /// What a predictor of the residuals of this mean sees of a frame beside the path
    /// ([`Prepared::given`](crate::predictor::Prepared::given)): the mean, and the field that the
    /// coarse frame shows.
    ///
    /// `coarse`: the frame, `[channel][y][x]` at the sensor's points; `mean`: its mean, as
    /// [`ConditionalMean::evaluate`] gives it. `companions`: receives
    /// `[mean, shown][channel][y][x]` in standard deviations from the climatology, which are 2 C N
    /// values. `scratch`: [`ConditionalMean::scratch_len`] values.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `coarse` and `mean` are one frame each;
    /// [`Error::OutputLength`]; [`Error::NotFinite`] for a value that is no number;
    /// [`Error::ScratchLength`].
    pub fn companions(
        &self,
        coarse: &Field<CoarseGrid>,
        mean: &Field,
        companions: &mut Field,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let (coarse_len, fine_len) = (self.coarse_len(), self.fine_len());
        for (left, right) in [(coarse.len(), coarse_len), (mean.len(), fine_len)] {
            if left != right {
                return Err(Error::LengthMismatch { left, right });
            }
        }
        let (values, needed) = (companions.len(), product(&[2, fine_len]));
        let too_short = Error::OutputLength { values, needed };
        let companions = companions.get_mut(..needed).ok_or(too_short)?;
        let (values, needed) = (scratch.len(), Self::scratch_len(&self.model));
        let scratch = scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })?;
        let (pixels, scratch) = split(scratch, coarse_len)?;
        let (work, _) = split(scratch, work_len(&self.model))?;
        let (seen, shown) = companions.split_at_mut_checked(fine_len).or_bug();
        let arrays = self.model.arrays();
        self.anomalies("mean", mean, arrays.climatology, seen)?;
        self.anomalies("coarse", coarse, arrays.coarse_climatology, pixels)?;
        self.show(pixels, shown, work);
        Ok(())
    }

    /// A frame in standard deviations from its climatology.
    fn anomalies(
        &self,
        name: &'static str,
        frame: &[f32],
        climatology: &[f32],
        anomalies: &mut [f32],
    ) -> Result<(), Error> {
        Error::finite(name, frame)?;
        let points = frame.len().checked_div(self.model.channels()).unwrap_or(1).max(1);
        let climatology = checked::rows(climatology, points);
        let fields = checked::rows_mut(anomalies, points).zip(checked::rows(frame, points));
        let channels = fields.zip(climatology).zip(self.model.channel_descriptions());
        for (((anomalies, values), climatology), channel) in channels {
            for ((to, value), usual) in checked::zip(anomalies, values).zip(climatology) {
                *to = channel.standard(*value) - usual;
            }
        }
        Ok(())
    }

    /// Pixels to the field that they show: the waves that the sensor resolves.
    fn show(&self, pixels: &[f32], field: &mut [f32], work: &mut [f32]) {
        let ([ny, nx], arrays) = (self.model.coarse_points(), self.model.arrays());
        let width = self.model.grid().nx().max(1);
        let points = self.model.grid().points();
        let channels = checked::rows(pixels, ny.times(nx));
        for (pixels, field) in channels.zip(checked::rows_mut(field, points)) {
            if arrays.shown_y.is_empty() {
                let columns = checked::rows(arrays.shown_x, nx);
                field.iter_mut().zip(columns).for_each(|(to, row)| *to = dot(row, pixels));
                continue;
            }
            // First along x, every row of pixels, then along y.
            let rows = work.get_mut(..ny.times(width)).or_bug();
            let of_pixels = checked::rows(pixels, nx);
            for (row, pixels) in checked::rows_mut(rows, width).zip(of_pixels) {
                let columns = checked::rows(arrays.shown_x, nx);
                row.iter_mut().zip(columns).for_each(|(to, row)| *to = dot(row, pixels));
            }
            let weights = checked::rows(arrays.shown_y, ny);
            for (to, weights) in checked::rows_mut(field, width).zip(weights) {
                to.fill(0.0);
                for (row, weight) in checked::rows(rows, width).zip(weights) {
                    checked::zip(&mut *to, row).for_each(|(to, value)| *to += weight * value);
                }
            }
        }
    }

    /// The linear map of all coarse values of the window.
    fn map(&self, anomalies: &[f32], ranks: &mut [f32], fine: &mut [f32]) {
        let arrays = self.model.arrays();
        let rows = checked::rows(arrays.down, anomalies.len());
        ranks.iter_mut().zip(rows).for_each(|(to, row)| *to = dot(row, anomalies));
        let rows = checked::rows(arrays.up, ranks.len());
        fine.iter_mut().zip(rows).for_each(|(to, row)| *to = dot(row, ranks));
    }

    /// Anomalies of a fine frame to the units of the channels.
    fn restore(&self, fine: &mut [f32]) {
        let points = self.model.grid().points();
        let climatology = checked::rows(self.model.arrays().climatology, points);
        let fields = checked::rows_mut(fine, points).zip(climatology);
        for ((fine, climatology), channel) in fields.zip(self.model.channel_descriptions()) {
            for (value, usual) in checked::zip(fine, climatology) {
                *value = channel.physical(*value + usual);
            }
        }
    }

    /// Values of a coarse frame, never 0: the compiler knows it, and leaves out the panic of a
    /// division.
    fn coarse_len(&self) -> usize {
        self.model.coarse_len().max(1)
    }

    /// Values of a fine frame.
    fn fine_len(&self) -> usize {
        self.model.fine_len().max(1)
    }
}

/// Σ a b, in order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    checked::zip(a, b).fold(0.0, |all, (a, b)| all + a * b)
}

/// r; 0 where spectral interpolation is the base.
fn rank(model: &MeanModel<'_>) -> usize {
    model.arrays().up.len().checked_div(model.fine_len()).unwrap_or(0)
}

/// Frames of anomalies that have to be kept: those of a linear map.
fn window_frames(model: &MeanModel<'_>) -> usize {
    if rank(model) == 0 { 0 } else { model.frames() }
}

/// Values for a transform, or for rows of pixels at the points along x.
fn work_len(model: &MeanModel<'_>) -> usize {
    let [rows, _] = model.coarse_points();
    spectral::scratch_len(model.grid()).max(product(&[rows, model.grid().nx()]))
}
