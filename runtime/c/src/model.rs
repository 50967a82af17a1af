//! Models for C, and the test of the processor.
#![allow(unsafe_code)] // C finds functions by their names; there is no other unsafe code here.

use finescale::model::{MeanModel, Model};

use crate::code::FinescaleCode;
use crate::handle::{FinescaleMeanModel, FinescaleModel};
use crate::pointer::{Handle, Input, Output};
use crate::types::{FinescaleDescription, FinescaleInstrument};

/// Tries the arithmetic that every bit relies on: to be called once, when a board has started.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_self_test() -> FinescaleCode {
    #[cfg(feature = "panic-on-purpose")]
    crate::panic::on_purpose();
    finescale::self_test().map_err(FinescaleCode::from).into()
}

/// Checks a predictor's file of `length` bytes. It is read once, and used where it lies.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_model_parse(
    model: Handle<FinescaleModel>,
    bytes: Input<u8>,
    length: usize,
) -> FinescaleCode {
    model.begin(|| Ok(Model::parse(bytes.values(length)?)?)).into()
}

/// Checks a predictor's file at the start of a slot of `length` bytes, which may be larger, and
/// writes the length of the file to `used`: for updates over the air. Where it is refused, go on
/// with the file of the other slot.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_model_parse_prefix(
    model: Handle<FinescaleModel>,
    slot: Input<u8>,
    length: usize,
    used: Output<usize>,
) -> FinescaleCode {
    let parse = || {
        let used = used.open()?;
        let (model, rest) = Model::parse_prefix(slot.values(length)?)?;
        used.write(length.saturating_sub(rest.len()));
        Ok(model)
    };
    model.begin(parse).into()
}

/// Writes what a predictor says of itself.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_model_describe(
    model: Handle<FinescaleModel>,
    description: Output<FinescaleDescription>,
) -> FinescaleCode {
    let describe = || {
        let (model, description) = (model.value()?, description.open()?);
        let (name, channels) = (model.name(), model.channels());
        let interval = model.frame_interval();
        description.write(FinescaleDescription::of(name, model.grid(), channels, interval));
        Ok(())
    };
    describe().into()
}

/// Checks a conditional mean's file of `length` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_model_parse(
    model: Handle<FinescaleMeanModel>,
    bytes: Input<u8>,
    length: usize,
) -> FinescaleCode {
    model.begin(|| Ok(MeanModel::parse(bytes.values(length)?)?)).into()
}

/// Checks a conditional mean's file at the start of a slot, as `finescale_model_parse_prefix` does.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_model_parse_prefix(
    model: Handle<FinescaleMeanModel>,
    slot: Input<u8>,
    length: usize,
    used: Output<usize>,
) -> FinescaleCode {
    let parse = || {
        let used = used.open()?;
        let (model, rest) = MeanModel::parse_prefix(slot.values(length)?)?;
        used.write(length.saturating_sub(rest.len()));
        Ok(model)
    };
    model.begin(parse).into()
}

/// Writes what a conditional mean says of itself, the sensor that it was trained for (its points and
/// values, without errors), and the frames that a stream's fine frame is behind the coarse one.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_model_describe(
    model: Handle<FinescaleMeanModel>,
    description: Output<FinescaleDescription>,
    sensor: Output<FinescaleInstrument>,
    lag: Output<usize>,
) -> FinescaleCode {
    let describe = || {
        let (model, description) = (model.value()?, description.open()?);
        let (sensor, lag) = (sensor.open()?, lag.open()?);
        let (name, channels) = (model.name(), model.channels());
        let interval = model.frame_interval();
        description.write(FinescaleDescription::of(name, model.grid(), channels, interval));
        sensor.write(FinescaleInstrument::of(model.coarse_points(), model.sensor()));
        lag.write(model.after());
        Ok(())
    };
    describe().into()
}
