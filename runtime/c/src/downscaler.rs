//! Downscalers and streams for C.
#![allow(unsafe_code)] // C finds functions by their names; there is no other unsafe code here.

use finescale::Downscaler;
use finescale::downscaler::Stream;

use crate::code::FinescaleCode;
use crate::handle::{FinescaleDownscaler, FinescaleModel, FinescaleStream, Holder};
use crate::pointer::{Handle, Input, Output, place};
use crate::types::{FinescaleFine, FinescaleInstrument, FinescaleSettings};

/// Writes to `needed` how many floats of memory a downscaler needs for paths of at most `frames`
/// frames with so many members, at least 1.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_downscaler_memory(
    model: Handle<FinescaleModel>,
    instrument: Input<FinescaleInstrument>,
    frames: usize,
    members: u32,
    needed: Output<usize>,
) -> FinescaleCode {
    let memory = || {
        let (model, instrument) = (model.value()?, instrument.read()?.instrument()?);
        needed.open()?.write(Downscaler::memory_len(
            &model.footprint(),
            &instrument,
            frames,
            members,
        ));
        Ok(())
    };
    memory().into()
}

/// Begins a downscaler in `length` floats of memory. `settings` may be null.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_downscaler_begin(
    downscaler: Handle<FinescaleDownscaler>,
    model: Handle<FinescaleModel>,
    instrument: Input<FinescaleInstrument>,
    settings: Input<FinescaleSettings>,
    memory: Output<f32>,
    length: usize,
) -> FinescaleCode {
    downscaler.begin(|| begun(model, instrument, settings, memory, length)).into()
}

/// Draws fine frames of coarse ones: a path, `[frame][channel][y][x]` in units, of `length` values in
/// all. With several members `fine` has their mean and their spread too; each costs as much again.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_downscaler_draw(
    downscaler: Handle<FinescaleDownscaler>,
    coarse: Input<f32>,
    length: usize,
    members: u32,
    fine: Output<FinescaleFine>,
) -> FinescaleCode {
    let draw = || {
        let (holder, coarse) = (downscaler.value()?, coarse.values(length)?);
        holder.apart(coarse)?;
        let fine = fine.open()?;
        fine.write(holder.value.ensemble(coarse, members)?.into());
        Ok(())
    };
    draw().into()
}

/// Draws what follows `length` values of fine frames, `[frame][channel][y][x]` in units: so many
/// frames `ahead`. `fine` begins with the known frames. The memory has to be for all frames together;
/// what was drawn before, which lies there too, has to be copied out of it first.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_downscaler_forecast(
    downscaler: Handle<FinescaleDownscaler>,
    known: Input<f32>,
    length: usize,
    ahead: usize,
    members: u32,
    fine: Output<FinescaleFine>,
) -> FinescaleCode {
    let forecast = || {
        let (holder, known) = (downscaler.value()?, known.values(length)?);
        holder.apart(known)?;
        let fine = fine.open()?;
        fine.write(holder.value.forecast(known, ahead, members)?.into());
        Ok(())
    };
    forecast().into()
}

/// Writes to `needed` how many floats of memory a stream needs whose fine frames are `lag` frames
/// behind the coarse ones.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_stream_memory(
    model: Handle<FinescaleModel>,
    instrument: Input<FinescaleInstrument>,
    lag: usize,
    needed: Output<usize>,
) -> FinescaleCode {
    let memory = || {
        let (model, instrument) = (model.value()?, instrument.read()?.instrument()?);
        needed.open()?.write(Stream::memory_len(&model.footprint(), &instrument, lag));
        Ok(())
    };
    memory().into()
}

/// Begins a stream in `length` floats of memory. `settings` may be null. To go on with another
/// model, begin again.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_stream_begin(
    stream: Handle<FinescaleStream>,
    model: Handle<FinescaleModel>,
    instrument: Input<FinescaleInstrument>,
    settings: Input<FinescaleSettings>,
    lag: usize,
    memory: Output<f32>,
    length: usize,
) -> FinescaleCode {
    let begin = || {
        let Holder { value, memory } = begun(model, instrument, settings, memory, length)?;
        Ok(Holder { value: value.stream(lag)?, memory })
    };
    stream.begin(begin).into()
}

/// Takes the next coarse frame, `[channel][y][x]` in units, or null where it did not arrive, and
/// writes the fine frame that is `lag` frames older; one of length 0 during the first `lag` calls.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_stream_push(
    stream: Handle<FinescaleStream>,
    coarse: Input<f32>,
    length: usize,
    fine: Output<FinescaleFine>,
) -> FinescaleCode {
    let push = || {
        let (holder, coarse) = (stream.value()?, coarse.present(length)?);
        holder.apart(coarse.unwrap_or_default())?;
        let fine = fine.open()?;
        let pushed = holder.value.push(coarse)?;
        fine.write(pushed.map_or(FinescaleFine::NONE, FinescaleFine::from));
        Ok(())
    };
    push().into()
}

/// A downscaler with its settings.
fn begun(
    model: Handle<FinescaleModel>,
    instrument: Input<FinescaleInstrument>,
    settings: Input<FinescaleSettings>,
    memory: Output<f32>,
    length: usize,
) -> Result<Holder<Downscaler<'static>>, FinescaleCode> {
    let (model, instrument) = (model.value()?, instrument.read()?.instrument()?);
    let settings = match settings.is_null() {
        true => FinescaleSettings::DEFAULT,
        false => settings.read()?,
    };
    let memory = memory.memory(length)?;
    let place = place(memory);
    let downscaler = Downscaler::new(model, instrument, memory)?;
    let sampler = settings.sampler(downscaler.sampler())?;
    Ok(Holder { value: downscaler.with_sampler(sampler).with_seed(settings.seed), memory: place })
}
