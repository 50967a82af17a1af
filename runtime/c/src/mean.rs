//! Conditional means for C.
#![allow(unsafe_code)] // C finds functions by their names; there is no other unsafe code here.

use finescale::MeanDownscaler;
use finescale::downscaler::MeanStream;

use crate::code::FinescaleCode;
use crate::handle::{FinescaleMean, FinescaleMeanModel, FinescaleMeanStream, Holder};
use crate::pointer::{Handle, Input, Output, place};
use crate::types::{FinescaleFine, FinescaleInstrument};

/// Writes to `needed` how many floats of memory a conditional mean needs for paths of at most
/// `frames` frames with so many members; 0 is the mean alone.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_memory(
    model: Handle<FinescaleMeanModel>,
    instrument: Input<FinescaleInstrument>,
    frames: usize,
    members: u32,
    needed: Output<usize>,
) -> FinescaleCode {
    let memory = || {
        let (model, instrument) = (model.value()?, instrument.read()?.instrument()?);
        needed.open()?.write(MeanDownscaler::memory_len(
            &model.footprint(),
            &instrument,
            frames,
            members,
        ));
        Ok(())
    };
    memory().into()
}

/// Begins a conditional mean in `length` floats of memory; the instrument is the sensor that it was
/// trained for. The seed is that of members: the mean is the same for every one.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_begin(
    mean: Handle<FinescaleMean>,
    model: Handle<FinescaleMeanModel>,
    instrument: Input<FinescaleInstrument>,
    seed: u64,
    memory: Output<f32>,
    length: usize,
) -> FinescaleCode {
    let begin = || {
        let Holder { value, memory } = begun(model, instrument, memory, length)?;
        Ok(Holder { value: value.with_seed(seed), memory })
    };
    mean.begin(begin).into()
}

/// Writes the means of the fine frames of a path of coarse ones, `[frame][channel][y][x]` in units, of
/// `length` values in all; with members, draws of what the mean cannot know, their mean and spread.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_draw(
    mean: Handle<FinescaleMean>,
    coarse: Input<f32>,
    length: usize,
    members: u32,
    fine: Output<FinescaleFine>,
) -> FinescaleCode {
    let draw = || {
        let (holder, coarse) = (mean.value()?, coarse.values(length)?);
        holder.apart(coarse)?;
        let fine = fine.open()?;
        let drawn = match members {
            0 => holder.value.downscale(coarse)?,
            members => holder.value.ensemble(coarse, members)?,
        };
        fine.write(drawn.into());
        Ok(())
    };
    draw().into()
}

/// Writes to `needed` how many floats of memory a stream of means needs.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_stream_memory(
    model: Handle<FinescaleMeanModel>,
    instrument: Input<FinescaleInstrument>,
    needed: Output<usize>,
) -> FinescaleCode {
    let memory = || {
        let (model, instrument) = (model.value()?, instrument.read()?.instrument()?);
        needed.open()?.write(MeanStream::memory_len(&model.footprint(), &instrument));
        Ok(())
    };
    memory().into()
}

/// Begins a stream of means in `length` floats of memory.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_stream_begin(
    stream: Handle<FinescaleMeanStream>,
    model: Handle<FinescaleMeanModel>,
    instrument: Input<FinescaleInstrument>,
    memory: Output<f32>,
    length: usize,
) -> FinescaleCode {
    let begin = || {
        let Holder { value, memory } = begun(model, instrument, memory, length)?;
        Ok(Holder { value: value.stream()?, memory })
    };
    stream.begin(begin).into()
}

/// Takes the next coarse frame, `[channel][y][x]` in units, or null where it did not arrive, and
/// writes the mean of the fine frame that is as many frames older as the model's lag; one of length
/// 0 while there is none.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_mean_stream_push(
    stream: Handle<FinescaleMeanStream>,
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

/// A conditional mean in its memory.
fn begun(
    model: Handle<FinescaleMeanModel>,
    instrument: Input<FinescaleInstrument>,
    memory: Output<f32>,
    length: usize,
) -> Result<Holder<MeanDownscaler<'static>>, FinescaleCode> {
    let (model, instrument) = (model.value()?, instrument.read()?.instrument()?);
    let memory = memory.memory(length)?;
    let place = place(memory);
    Ok(Holder { value: MeanDownscaler::new(model, instrument, memory)?, memory: place })
}
