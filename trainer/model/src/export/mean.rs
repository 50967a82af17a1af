//! The file of a conditional mean; [`finescale::model::MeanModel`] reads it.

use anyhow::{Result, ensure};
use finescale::mean::ConditionalMean as Evaluator;
use finescale::model::{HEADER_LEN, MEAN_MAGIC, MEAN_VERSION, MeanFootprint, MeanModel};

use super::writer::Writer;
use super::{Bounds, Precision, describe, finish, narrow, network, open};
use crate::conditional::{Base, ConditionalMean};
use crate::{Array, Model};
use finescale_field::coarsening::SensorKind;

/// A conditional mean as one file.
///
/// `bounds`: what layers had on calibration data, without those of gradients, which nothing needs.
///
/// # Errors
/// As [`super::file`].
pub fn mean_file(
    model: &Model<ConditionalMean>,
    precision: Precision,
    bounds: &Bounds,
) -> Result<Vec<u8>> {
    let layers = model.meta.layers()?;
    let mut writer = Writer::default();
    header(&mut writer, model, layers.len())?;
    arrays(&mut writer, model, !layers.is_empty())?;
    let gradients = vec![1.0; bounds.inputs.len()];
    let bounds = Bounds { gradients, ..bounds.clone() };
    network(&mut writer, model, &layers, precision, &bounds)?;
    finish(writer, |bytes| {
        let model = MeanModel::parse(bytes.bytes())?;
        let MeanFootprint { memory, scratch, errors, frame, .. } = Evaluator::footprint(&model);
        Ok([memory, scratch, errors, frame])
    })
}

fn header(writer: &mut Writer, model: &Model<ConditionalMean>, layers: usize) -> Result<()> {
    let (meta, system) = (&model.meta, &model.meta.system);
    let (y, x, sensor) = (meta.y.as_ref(), &meta.x, &system.sensor);
    open(writer, &MEAN_MAGIC, MEAN_VERSION, meta)?;
    writer.u8(match sensor.kind {
        SensorKind::Modes => 0,
        SensorKind::BlockMean => 1,
    });
    writer.u8(narrow(meta.channels.len(), "channels")?);
    writer.f32(y.map_or(0.0, |y| y.length));
    writer.f32(x.length);
    writer.u16(narrow(sensor.y.unwrap_or(0), "points of the sensor along y")?);
    writer.u16(narrow(sensor.x, "points of the sensor along x")?);
    writer.u8(narrow(system.before, "frames before")?);
    writer.u8(narrow(system.after, "frames after")?);
    writer.u8(if layers == 0 { 0 } else { meta.views().bits() });
    writer.u8(narrow(layers, "layers")?);
    writer.u16(narrow(rank(model)?, "numbers between coarse and fine values")?);
    writer.u8(narrow(if layers == 0 { 0 } else { system.maps }, "maps")?);
    writer.u8(narrow(system.window, "frames of the window of errors")?);
    writer.f32(meta.frame_interval as f32);
    writer.f32(sensor.noise);
    writer.u16(narrow(meta.name.len(), "bytes of the name")?);
    writer.u8(narrow(meta.network.segments(), "segments")?);
    // Zeros, and the footprint, which is known at the end.
    writer.bytes(&[0; HEADER_LEN - 59]);
    describe(writer, meta)
}

/// r of the linear map; 0 where interpolation is the base.
fn rank(model: &Model<ConditionalMean>) -> Result<usize> {
    match model.meta.system.base {
        Base::Interpolation => Ok(0),
        Base::Ridge => Ok(model.array("down")?.shape.first().copied().unwrap_or(0)),
    }
}

fn arrays(writer: &mut Writer, model: &Model<ConditionalMean>, network: bool) -> Result<()> {
    let (meta, system) = (&model.meta, &model.meta.system);
    let (fine, coarse) = (meta.grid()?.points(), meta.coarse_points().iter().product::<usize>());
    let (channels, rank) = (meta.channels.len(), rank(model)?);
    let seen = usize::from(network);
    let lags = (system.window + 1) * channels * channels;
    for (name, values) in [
        ("climatology", channels * fine),
        ("coarse_climatology", channels * coarse),
        ("down", rank * system.frames() * channels * coarse),
        ("up", channels * fine * rank),
        ("input_power", seen * channels * fine),
        ("deviation", seen * channels),
        ("maps", seen * system.maps * fine),
        ("spread", channels * fine),
        ("autocovariance", lags * fine),
    ] {
        if values == 0 {
            writer.align();
            continue;
        }
        let Array { values: array, .. } = model.array(name)?;
        ensure!(
            array.len() == values,
            "the model's array `{name}` has {} values instead of {values}",
            array.len()
        );
        writer.f32s(array.iter().copied());
        if name == "coarse_climatology" {
            let shown = meta.shown()?;
            for map in [shown.along_y(), shown.along_x()] {
                writer.f32s(map.into_iter().map(|value| value as f32));
            }
        }
    }
    Ok(())
}
