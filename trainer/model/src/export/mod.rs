//! The file that boards use, written; [`finescale::model`] reads it, `docs/format.md` describes it.

mod mean;
pub mod quantize;
pub mod skill;
mod writer;

use anyhow::{Context, Result, bail, ensure};
use finescale::layer::{ConvShape, Weight};
use finescale::model::{
    Activation, CHECKED_FROM, Footprint, HEADER_LEN, KERNEL_LAYOUT, MAGIC, Model as View, VERSION,
    checksum,
};
use finescale::predictor::Trained;
use finescale::{Boundary, Grid, Laplacian};

use crate::reference::Level;
use crate::{Calibration, LayerMeta, Meta, Model, NetworkMeta};

use finescale_field::shells::Shells;
pub use mean::mean_file;
use quantize::Quantized;
use writer::Writer;

/// Numbers that a network's weights are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Precision {
    /// As trained.
    F32,
    /// Eight bits, with one multiplier for each output channel.
    Int8,
    /// The same, and activations of sixteen bits: layers compute in integers.
    Int16,
}

impl Precision {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
        }
    }
}

/// The largest absolute values that a network had on calibration data, of every layer; empty where
/// that was not measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Of its input.
    pub inputs: Vec<f32>,
    /// Of the gradient with respect to its input, over the largest of the gradient with respect to
    /// the network's output.
    pub gradients: Vec<f32>,
    /// Of the first factors of its products; 0 where it has none.
    pub factors: Vec<f32>,
}

impl Bounds {
    /// One for each of `layers`: for what does not depend on them, as the size of a file.
    pub fn ones(layers: usize) -> Self {
        let ones = vec![1.0; layers];
        Self { inputs: ones.clone(), gradients: ones.clone(), factors: ones }
    }

    /// Takes what a network had on a path of noised frames.
    pub fn widen(&mut self, level: &Level<'_>, path: &[f64]) {
        for [inputs, gradients, factors] in level.bounds(path) {
            let all = [
                (&mut self.inputs, inputs),
                (&mut self.gradients, gradients),
                (&mut self.factors, factors),
            ];
            for (mosts, values) in all {
                mosts.resize(values.len(), 0.0);
                for (most, value) in mosts.iter_mut().zip(values) {
                    *most = most.max(value as f32);
                }
            }
        }
    }
}

/// A model as one file.
///
/// # Errors
/// If the network is a U-Net, a size does not fit its field, bounds are needed and not there, or
/// the runtime would refuse the file.
pub fn file(model: &Model, precision: Precision, bounds: &Bounds) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    header(&mut writer, model)?;
    tables(&mut writer, model)?;
    writer.f32s(model.base()?.autocovariance.values);
    network(&mut writer, model, &model.meta.layers()?, precision, bounds)?;
    finish(writer, |bytes| {
        let Footprint { memory, predictor, reverse, frame, .. } =
            Trained::footprint(&bytes.parse()?);
        Ok([memory, predictor, reverse, frame])
    })
}

/// The bytes with their length, checksum and footprint; `footprint` must read them.
fn finish(
    writer: Writer,
    footprint: impl Fn(&AlignedBytes) -> Result<[u32; 4]>,
) -> Result<Vec<u8>> {
    let mut bytes = writer.finish();
    let length =
        u32::try_from(bytes.len()).context("the model is too large: use fewer channels")?;
    bytes[12..16].copy_from_slice(&length.to_le_bytes());
    seal(&mut bytes);
    // What tasks need is known once the rest can be read.
    for (n, value) in footprint(&AlignedBytes::new(&bytes))?.into_iter().enumerate() {
        bytes[FOOTPRINT_AT + 4 * n..][..4].copy_from_slice(&value.to_le_bytes());
    }
    seal(&mut bytes);
    footprint(&AlignedBytes::new(&bytes))?;
    Ok(bytes)
}

/// Where the header has the footprint.
const FOOTPRINT_AT: usize = 64;

/// Writes the checksum.
fn seal(bytes: &mut [u8]) {
    let sum = checksum(&bytes[CHECKED_FROM..]);
    bytes[16..20].copy_from_slice(&sum.to_le_bytes());
}

/// A file's bytes, aligned as the runtime needs them.
pub struct AlignedBytes {
    blocks: Vec<u128>,
    len: usize,
}

impl AlignedBytes {
    /// A copy.
    pub fn new(bytes: &[u8]) -> Self {
        let block = |chunk: &[u8]| {
            let mut block = [0; 16];
            block[..chunk.len()].copy_from_slice(chunk);
            u128::from_ne_bytes(block)
        };
        Self { blocks: bytes.chunks(16).map(block).collect(), len: bytes.len() }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }

    /// The bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[..self.len]
    }

    /// The model in them.
    ///
    /// # Errors
    /// What the runtime says.
    pub fn parse(&self) -> Result<View<'_>> {
        Ok(View::parse(self.bytes())?)
    }
}

/// The first bytes of a file of either kind: up to the boundaries of its grid.
fn open<S>(writer: &mut Writer, magic: &[u8; 8], version: u16, meta: &Meta<S>) -> Result<()> {
    let (y, x) = (meta.y.as_ref(), &meta.x);
    let boundary = |boundary: Boundary| u8::from(boundary == Boundary::Reflecting);
    writer.bytes(magic);
    writer.u16(version);
    writer.u16(KERNEL_LAYOUT);
    // Length and checksum are known at the end.
    writer.u32(0);
    writer.u32(0);
    writer.u16(narrow(y.map_or(0, |y| y.points), "points along y")?);
    writer.u16(narrow(x.points, "points along x")?);
    writer.u8(y.map_or(0, |y| boundary(y.boundary)));
    writer.u8(boundary(x.boundary));
    Ok(())
}

fn header(writer: &mut Writer, model: &Model) -> Result<()> {
    let meta = &model.meta;
    let (y, x) = (meta.y.as_ref(), &meta.x);
    open(writer, &MAGIC, VERSION, meta)?;
    writer.u8(u8::from(meta.system.laplacian == Laplacian::FiniteDifference));
    let process = meta.process()?;
    let system = &meta.system;
    let switched = process.switch() != 0.0;
    let flags =
        [system.linear_base, system.bounded, system.score_head, process.is_coupled(), switched];
    writer.u8(flags.iter().rev().fold(0, |all, flag| all << 1 | u8::from(*flag)));
    writer.f32(y.map_or(0.0, |y| y.length));
    writer.f32(x.length);
    writer.f32(meta.system.alpha);
    writer.f32(meta.system.beta2);
    writer.f32(meta.frame_interval as f32);
    writer.u8(narrow(meta.channels.len(), "channels")?);
    writer.u8(narrow(meta.system.window, "frames of the window")?);
    writer.u8(narrow(meta.layers()?.len(), "layers")?);
    writer.u8(narrow(meta.system.lambdas.len(), "values of λ")?);
    writer.u8(narrow(meta.system.lambda_grid.len(), "steps of the λ grid")?);
    let hidden = model.arrays.get("network.film.hidden_bias").map_or(0, |array| array.values.len());
    writer.u8(narrow(hidden, "hidden values of the modulation")?);
    writer.u16(narrow(Shells::new(&meta.grid()?).count, "radial bins")?);
    writer.u8(narrow(meta.name.len(), "bytes of the name")?);
    let linear = meta.network == NetworkMeta::Linear;
    writer.u8(if linear { 0 } else { narrow(meta.companions(), "companions")? });
    writer.u8(if linear { 0 } else { meta.views().bits() });
    writer.u8(narrow(meta.network.segments(), "segments")?);
    writer.bytes(&meta.system.sampler.to_bytes());
    // The footprint is known at the end.
    writer.bytes(&[0; HEADER_LEN - FOOTPRINT_AT]);
    describe(writer, meta)?;
    if process.is_coupled() {
        writer.f32s([process.coupling()]);
    }
    if switched {
        writer.f32s([process.switch()]);
    }
    Ok(())
}

/// Name and channels.
fn describe<S>(writer: &mut Writer, meta: &Meta<S>) -> Result<()> {
    writer.bytes(meta.name.as_bytes());
    writer.align();
    for channel in &meta.channels {
        writer.f32(channel.mean as f32);
        writer.f32(channel.std as f32);
        writer.u16(narrow(channel.name.len(), "bytes of a channel's name")?);
        writer.u16(narrow(channel.units.len(), "bytes of a channel's units")?);
        writer.bytes(channel.name.as_bytes());
        writer.bytes(channel.units.as_bytes());
    }
    Ok(())
}

fn tables(writer: &mut Writer, model: &Model) -> Result<()> {
    let calibration = Calibration::of(model)?;
    writer.f32s(calibration.lambdas.iter().map(|lambda| *lambda as f32));
    writer.f32s(calibration.innovation_ratio.iter().copied());
    for scores in std::iter::once(&calibration.path).chain(&calibration.head) {
        for (_, table) in scores.each() {
            writer.f32s(table.iter().copied());
        }
    }
    writer.f32s(model.meta.system.lambda_grid.iter().map(|lambda| *lambda as f32));
    Ok(())
}

fn network<S>(
    writer: &mut Writer,
    model: &Model<S>,
    layers: &[LayerMeta],
    precision: Precision,
    bounds: &Bounds,
) -> Result<()> {
    if layers.is_empty() {
        return Ok(());
    }
    for bounds in [&bounds.inputs, &bounds.gradients, &bounds.factors] {
        ensure!(
            bounds.len() == layers.len() || (bounds.is_empty() && precision != Precision::Int16),
            "there must be one bound for each layer: int16 needs calibration data"
        );
    }
    let film = |name: &str| model.array(&format!("network.film.{name}"));
    if let Ok(bias) = film("bias") {
        writer.align();
        writer.u32(narrow(bias.values.len() / 2, "modulated channels")?);
        for name in ["hidden_weight", "hidden_bias", "weight", "bias"] {
            writer.f32s(film(name)?.values.iter().copied());
        }
    }
    let grid = model.meta.grid()?;
    for (n, layer) in layers.iter().enumerate() {
        let weight = model.array(&format!("network.layers.{n}.weight"))?;
        let bias = model.array(&format!("network.layers.{n}.bias"))?;
        let shape = shape(grid, &weight.shape, layer.dilation)
            .with_context(|| format!("layer {n} of the model has no kernel"))?;
        writer.align();
        writer.u16(narrow(shape.inputs(), "inputs of a layer")?);
        writer.u16(narrow(shape.outputs(), "outputs of a layer")?);
        writer.u8(narrow(shape.taps(), "taps")?);
        writer.u8(narrow(layer.dilation, "dilation")?);
        writer.u8(precision as u8);
        writer.u8(layer.activation as u8);
        writer.f32(bounds.inputs.get(n).copied().unwrap_or(0.0));
        writer.f32(bounds.gradients.get(n).copied().unwrap_or(0.0));
        let products = layer.activation == Activation::Product;
        let factors = bounds.factors.get(n).filter(|_| products);
        writer.f32(factors.copied().unwrap_or(0.0));
        writer.f32s(bias.values.iter().copied());
        match precision {
            Precision::F32 => writer.f32s(packed(&shape, &weight.values)?),
            Precision::Int8 => {
                let quantized = Quantized::new(weight);
                writer.f32s(quantized.multipliers.iter().copied());
                writer.i8s(&packed(&shape, &quantized.bytes)?);
            }
            Precision::Int16 => {
                ensure!(
                    shape.fits_int16(),
                    "layer {n} has {} products in a sum, too many for int16: export int8, or \
                     train fewer channels",
                    shape.products_max()
                );
                ensure!(
                    !products || shape.inputs().is_multiple_of(4),
                    "layer {n} multiplies {} channels, and int16 takes them in fours: export \
                     int8, or train with a multiple of four",
                    shape.inputs()
                );
                let quantized = Quantized::new(weight);
                writer.f32s(quantized.multipliers.iter().copied());
                let [mut forward, mut adjoint] = shape.int16_words().map(|len| vec![0; len]);
                shape.pack_int16(&quantized.bytes, &mut forward, &mut adjoint)?;
                writer.words(&forward);
                writer.words(&adjoint);
            }
        }
    }
    Ok(())
}

fn shape(grid: Grid, weights: &[usize], dilation: usize) -> Result<ConvShape> {
    let [outputs, inputs, _, taps] = *weights else { bail!("its weights have a wrong shape") };
    Ok(ConvShape::new(grid, inputs, outputs, taps, dilation)?)
}

fn packed<W: Weight>(shape: &ConvShape, weights: &[W]) -> Result<Vec<W>> {
    let mut packed = vec![W::default(); shape.packed_len()];
    shape.pack(weights, &mut packed)?;
    Ok(packed)
}

fn narrow<T: TryFrom<usize>>(value: usize, name: &str) -> Result<T> {
    T::try_from(value)
        .ok()
        .with_context(|| format!("the model has {value} {name}: that is too many for the format"))
}
