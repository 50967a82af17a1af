//! One coarse frame in, one fine frame out, and one that is lost: `cargo run --example stream`.

use finescale::downscaler::Stream;
use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error, Instrument, Values, include_model};

/// A flame front on a line of 64 points.
static MODEL: &[u8] =
    include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int8.finescale");
const SENSOR: Instrument<'static> =
    Instrument::new([1, 16], Values::BlockMeans).with_noise(&[0.05]);
/// A fine frame is given when the next coarse one is there.
const LAG: usize = 1;
const MEMORY: usize = Stream::memory_len(&Footprint::of(MODEL), &SENSOR, LAG);

pub(crate) fn main() -> Result<(), Error> {
    let mut memory = vec![0.0; MEMORY];
    let model = Model::parse(MODEL)?;
    let mut stream = Downscaler::new(&model, SENSOR, &mut memory)?.stream(LAG)?;
    for second in 0..5_u8 {
        // On a board the sensor's driver gives it.
        let phase = |pixel: u8| f32::from(pixel) * std::f32::consts::TAU / 8.0;
        let coarse: Vec<f32> =
            (0..16).map(|pixel| 1.5 * (phase(pixel) + 0.1 * f32::from(second)).sin()).collect();
        let arrived = second != 2;
        match stream.push(arrived.then_some(&coarse))? {
            None => println!("second {second}: wait"),
            Some(fine) => {
                let most = fine.frames.iter().fold(f32::MIN, |most, value| most.max(*value));
                println!("second {second}: a fine frame up to {most:.2}, {:?}", fine.health);
            }
        }
    }
    Ok(())
}
