//! One pass over a file.

use super::cursor::Cursor;
use super::layer::{Activation, Activations, Layer, Layers, Network, Sight, film, int16_next};
use super::{Channel, Invalid, LAYERS_MAX, Model, Tables, header};
use crate::Grid;
use crate::layer::int16::FACTOR_EXCESS_MAX;
use crate::predictor::{Linear, ScoreTables};
use crate::spectral::RadialBins;
use crate::spectral::operator::{ComplexMode, complex_modes};

// A call of its own, so that its stack is free again afterwards.
#[inline(never)]
pub(super) fn model(bytes: &[u8]) -> Result<Model<'_>, Invalid> {
    let mut cursor = Cursor::new(bytes);
    let header = header::read(bytes, &mut cursor)?;
    let channels = header.channels;
    let name = cursor.text(header.name, "name")?;
    cursor.align()?;
    let descriptions = cursor.rest();
    for _ in 0..channels {
        let Channel { std, .. } = channel(&mut cursor)?;
        hold(std > 0.0, "std")?;
    }
    let mut process = header.process;
    if header.coupled {
        hold(channels == 2, "coupling")?;
        cursor.align()?;
        let coupled = process.with_coupling(cursor.f32()?).ok().filter(|it| it.is_coupled());
        process = coupled.ok_or(Invalid::Field { name: "coupling" })?;
    }
    if header.switched {
        cursor.align()?;
        let switched = process.with_switch(cursor.f32()?).ok().filter(|it| it.switch() != 0.0);
        process = switched.ok_or(Invalid::Field { name: "switch" })?;
    }

    hold(header.bins == RadialBins::new(&header.grid).count(), "bins")?;
    let table = [header.lambdas, channels, header.bins];
    let tables = Tables {
        lambdas: cursor.f32s(&[header.lambdas], "lambdas")?,
        innovation: cursor.f32s(&table, "innovation")?,
        path: scores(&mut cursor, &table)?,
        head: if header.options.score_head { Some(scores(&mut cursor, &table)?) } else { None },
        lambda_grid: cursor.f32s(&[header.lambda_grid], "lambda grid")?,
    };
    let mut last = 0.0;
    for lambda in tables.lambdas {
        hold(*lambda > last, "lambdas")?;
        last = *lambda;
    }
    hold(tables.innovation.iter().all(|ratio| *ratio > 0.0), "innovation")?;
    let mut last = f32::INFINITY;
    for lambda in tables.lambda_grid {
        hold(*lambda < last, "lambda grid")?;
        last = *lambda;
    }
    hold(header.lambda_grid == 0 || last == 0.0, "lambda grid")?;

    hold(header.window.saturating_mul(channels) <= Linear::EQUATIONS_MAX, "window")?;
    let autocovariance = autocovariance(&mut cursor, &header.grid, channels, header.window)?;

    hold(header.layers != 1 && header.layers <= LAYERS_MAX, "layers")?;
    let mut model = Model {
        grid: header.grid,
        process,
        channels,
        window: header.window,
        frame_interval: header.frame_interval,
        options: header.options,
        sight: Sight {
            grid: header.grid,
            channels,
            views: header.views,
            frames: header.window,
            behind: header.companions,
        },
        segments: header.segments.max(1),
        recommended: header.recommended,
        footprint: header.footprint,
        name,
        descriptions,
        tables,
        autocovariance,
        network: None,
    };
    match header.layers {
        0 => {
            hold(header.hidden == 0 && header.options.linear_base, "layers")?;
            hold(header.views.bits() == 0 && header.segments == 0, "views")?;
            hold(header.companions == 0, "companions")?;
        }
        count => {
            hold(header.hidden > 0, "hidden")?;
            // A score head looks at a frame, companions belong to the one that is predicted.
            let alone = header.views.bits() == 0 || header.options.score_head;
            hold(header.companions == 0 || !alone, "companions")?;
            let heads = if header.options.score_head { 2 } else { 1 };
            let shape = Shape {
                sight: model.sight,
                outputs: channels.saturating_mul(heads),
                layers: count,
                segments: model.segments,
                hidden: header.hidden,
            };
            model.network = Some(network(&shape, bytes, &mut cursor)?);
        }
    }
    cursor.align()?;
    if cursor.is_empty() { Ok(model) } else { Err(Invalid::Length) }
}

/// Reads the autocovariance of the modes of so many channels, whose variances are not negative.
pub(super) fn autocovariance<'a>(
    cursor: &mut Cursor<'a>,
    grid: &Grid,
    channels: usize,
    window: usize,
) -> Result<&'a [f32], Invalid> {
    let (lags, points) = (window.saturating_add(1), grid.points());
    let autocovariance = cursor.f32s(&[lags, channels, channels, points], "autocovariance")?;
    let planes = autocovariance.chunks_exact(points);
    // Of lag 0 the diagonal: what a channel has with itself.
    for power in planes.take(channels.saturating_mul(channels)).step_by(channels.saturating_add(1))
    {
        let positive = |mode: ComplexMode| power.get(mode.re).is_some_and(|power| *power >= 0.0);
        hold(complex_modes(grid).all(positive), "autocovariance")?;
    }
    Ok(autocovariance)
}

/// What a header says of a network.
pub(super) struct Shape {
    pub(super) sight: Sight,
    /// Fields that it gives.
    pub(super) outputs: usize,
    pub(super) layers: usize,
    pub(super) segments: usize,
    /// Hidden values of the modulation; 0 where there is none.
    pub(super) hidden: usize,
}

/// Reads the network of the file `bytes`, whose layers must fit each other.
pub(super) fn network<'a>(
    shape: &Shape,
    bytes: &'a [u8],
    cursor: &mut Cursor<'a>,
) -> Result<Network<'a>, Invalid> {
    let Shape { sight, layers: count, segments, hidden, .. } = *shape;
    let mut modulation = None;
    if hidden > 0 {
        cursor.align()?;
        let modulated = usize::try_from(cursor.u32()?).map_err(|_| Invalid::Length)?;
        modulation = Some((modulated, film(cursor, hidden, modulated)?));
    }
    let (file, mut chain) = (Cursor::new(bytes), Chain::new(shape));
    let activations = if int16_next(*cursor)? {
        let fits = |layer: &Layer<'a, _>| {
            chain.fits(layer)?;
            chain.fits_int16(layer)
        };
        Activations::Int16(Layers::read(cursor, file, sight.grid, count, fits)?)
    } else {
        let fits = |layer: &Layer<'a, _>| chain.fits(layer);
        Activations::Float(Layers::read(cursor, file, sight.grid, count, fits)?)
    };
    hold(modulation.is_none_or(|(modulated, _)| chain.modulated == modulated), "film")?;
    hold((1..=chain.products.max(1)).contains(&segments), "segments")?;
    let film = modulation.map(|(_, film)| film);
    Ok(Network { film, activations, sight, segments })
}

/// What the layers read so far leave for the next one.
struct Chain {
    /// Channels that it must take.
    channels: usize,
    /// Channels that the last one must give.
    outputs: usize,
    /// Channels with a modulation.
    modulated: usize,
    /// Layers so far, and those of them that multiply.
    layers: usize,
    products: usize,
    /// The exponent of the products that were just read.
    factor_exponent: Option<i32>,
}

impl Chain {
    fn new(shape: &Shape) -> Self {
        Self {
            channels: shape.sight.fields(),
            outputs: shape.outputs,
            modulated: 0,
            layers: 0,
            products: 0,
            factor_exponent: None,
        }
    }

    /// Checks a layer against those before it.
    fn fits<W>(&mut self, layer: &Layer<'_, W>) -> Result<(), Invalid> {
        let (inputs, outputs) = (layer.shape.inputs(), layer.shape.outputs());
        hold(inputs == self.channels, "layer")?;
        hold(!layer.residual || inputs == layer.channels(), "layer")?;
        if layer.modulated {
            self.modulated = self.modulated.saturating_add(outputs);
        } else {
            hold(outputs == self.outputs, "layer")?;
        }
        let product = layer.activation == Activation::Product;
        // Products lie one behind the other, from the second layer at the earliest to the last but
        // one.
        hold(self.products == 0 || product || !layer.modulated, "layer")?;
        if product {
            hold(self.layers > 0 && outputs == inputs.saturating_mul(2), "layer")?;
            self.products = self.products.saturating_add(1);
        }
        self.layers = self.layers.saturating_add(1);
        self.channels = layer.channels();
        Ok(())
    }
}

impl Chain {
    /// Checks what products in integers need.
    fn fits_int16<W>(&mut self, layer: &Layer<'_, W>) -> Result<(), Invalid> {
        let exponent = layer.input_exponent();
        let fits = |factor: i32| factor <= exponent.saturating_add(FACTOR_EXCESS_MAX);
        hold(self.factor_exponent.is_none_or(fits), "factor bound")?;
        self.factor_exponent = None;
        if layer.activation == Activation::Product {
            hold(layer.channels().is_multiple_of(4), "layer")?;
            self.factor_exponent = Some(layer.factor_exponent());
        }
        Ok(())
    }
}

/// The descriptions of channels that have been read before, so that none is refused here.
pub(super) fn channels<'a>(
    descriptions: &'a [u8],
    count: usize,
) -> impl Iterator<Item = Channel<'a>> + use<'a> {
    let mut cursor = Cursor::new(descriptions);
    (0..count).map_while(move |_| channel(&mut cursor).ok())
}

/// Reads one channel's description.
pub(super) fn channel<'a>(cursor: &mut Cursor<'a>) -> Result<Channel<'a>, Invalid> {
    let mean = header::finite(cursor.f32()?, "mean")?;
    let std = header::finite(cursor.f32()?, "std")?;
    let (name, units) = (usize::from(cursor.u16()?), usize::from(cursor.u16()?));
    let (name, units) = (cursor.text(name, "channel")?, cursor.text(units, "units")?);
    Ok(Channel { name, units, mean, std })
}

pub(super) fn hold(holds: bool, name: &'static str) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid::Field { name }) }
}

fn scores<'a>(cursor: &mut Cursor<'a>, table: &[usize]) -> Result<ScoreTables<'a>, Invalid> {
    let scores = ScoreTables {
        power: cursor.f32s(table, "score power")?,
        truth: cursor.f32s(table, "score truth")?,
        drawn_power: cursor.f32s(table, "drawn score power")?,
        drawn_state: cursor.f32s(table, "drawn score state")?,
    };
    hold(scores.power.iter().all(|power| *power >= 0.0), "score power")?;
    hold(scores.drawn_power.iter().all(|power| *power >= 0.0), "drawn score power")?;
    Ok(scores)
}
