//! The same of conditional means.

use finescale::mean::{ConditionalMean, Errors, Stream};
use finescale::model::{MeanFootprint, MeanModel};
use finescale::{Field, Modes, Path};
use finescale_tests::model_file::with_mean;

use super::{exactly, garbage, noise, values};

/// Memory and scratch of the mean, of a stream of frames, and of draws of errors.
pub(super) fn is_exact(name: &str, file: &[u8]) {
    with_mean(file, |model| {
        let model = model.expect("an accepted file");
        assert_eq!(model.footprint(), ConditionalMean::footprint(&model), "{name}");
        mean(name, &model);
        stream(name, &model);
        errors(name, &model);
    });
}

fn mean(name: &str, model: &MeanModel<'_>) {
    let MeanFootprint { memory, scratch, frame, .. } = model.footprint();
    let coarse = noise(3 * model.coarse_len(), 0);
    let evaluated = |memory: &mut [f32], scratch: &mut [f32]| {
        let mut fine = garbage(values(frame));
        let mean = ConditionalMean::new(model, memory)?;
        (0..3).try_for_each(|n| {
            mean.evaluate(Path::coarse_fields(&coarse), n, Field::from_mut(&mut fine), scratch)
        })?;
        Ok(fine)
    };
    let (memory, scratch) = (values(memory), values(scratch));
    exactly(&format!("{name}: memory"), memory, |memory| evaluated(memory, &mut garbage(scratch)));
    exactly(&format!("{name}: mean"), scratch, |scratch| evaluated(&mut garbage(memory), scratch));
}

/// What the cards call a stream's.
fn stream(name: &str, model: &MeanModel<'_>) {
    let MeanFootprint { memory, scratch, frame, .. } = model.footprint();
    let coarse = noise(model.coarse_len(), 1);
    exactly(&format!("{name}: stream's memory"), Stream::memory_len(model), |ring| {
        let (mut memory, mut fine) = (garbage(values(memory)), garbage(values(frame)));
        let mut stream = Stream::new(ConditionalMean::new(model, &mut memory)?, ring)?;
        for _ in 0..=model.after() {
            stream.push(
                Some(Field::coarse(&coarse)),
                Field::from_mut(&mut fine),
                &mut garbage(values(scratch)),
            )?;
        }
        Ok(fine)
    });
}

fn errors(name: &str, model: &MeanModel<'_>) {
    let MeanFootprint { scratch, errors, frame, .. } = model.footprint();
    let len = values(frame);
    let drawn = |memory: &mut [f32], scratch: &mut [f32]| {
        let (mut path, mut fine) = (garbage(3 * len), noise(len, 2));
        let mut errors = Errors::new(model, memory)?;
        let stream = finescale::NoiseStream { seed: 4, member: 0, frame: 0, draw: 0 };
        errors.draw(0, &stream, Path::modes_mut(&mut path))?;
        errors.add(Modes::new(&path[2 * len..]), Field::from_mut(&mut fine), scratch)?;
        Ok(fine)
    };
    let (errors, needed) = (values(errors), Errors::scratch_len(model));
    // The mean's scratch is enough, as the cards say.
    assert!(needed <= values(scratch), "{name}");
    exactly(&format!("{name}: errors' memory"), errors, |memory| {
        drawn(memory, &mut garbage(needed))
    });
    exactly(&format!("{name}: errors"), needed, |scratch| drawn(&mut garbage(errors), scratch));
}

/// Bytes of the weights, and the RAM that a card names.
pub(super) fn needs(bytes: &[u8]) -> (usize, Vec<usize>) {
    with_mean(bytes, |model| {
        let model = model.expect("an accepted file");
        let MeanFootprint { memory, scratch, errors, frame, .. } = model.footprint();
        let weights = model.layers().iter().map(|layer| layer.weights.bytes()).sum();
        let [mean, errors, frame] = [memory + scratch, errors, frame].map(|n| n as usize);
        (weights, vec![mean, 4 * Stream::memory_len(&model), errors, frame])
    })
}
