//! What comes after frames that are known, by the layer of samplers and predictors:
//! `cargo run --example forecast`.

use finescale::model::Model;
use finescale::predictor::Trained;
use finescale::sampler::{Observation, Start};
use finescale::{Error, NoiseStream, Predictor, Sampler, include_model, spectral};

static MODEL: &[u8] =
    include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale");
const KNOWN: usize = 3;
const FRAMES: usize = 6;

pub(crate) fn main() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let mut predictor = Trained::new(&model, &mut memory)?;
    let (grid, frame) = (*model.grid(), predictor.describe().frame_len());

    // Given frames are seen through the noise of λ*, so a forecast starts from a small one.
    let (generate, forecast) = (Sampler::ancestral(0.1), Sampler::ancestral(0.01));
    let needed = generate.scratch_len(predictor.describe(), FRAMES);
    let mut scratch = vec![0.0; needed.max(forecast.scratch_len(predictor.describe(), FRAMES))];

    // Frames in modes, standardised, stand for those of a sensor: the model draws them itself.
    let noise = NoiseStream { seed: 1, member: 0, frame: 0, draw: 0 };
    let mut known = vec![0.0; KNOWN * frame];
    generate.generate(&mut predictor, Start::Rollout, None, &noise, &mut known, &mut scratch)?;

    let seen = Observation::known(&grid, model.channels(), &known)?;
    for member in 0..2 {
        let noise = NoiseStream { seed: 2, member, frame: 0, draw: 0 };
        let mut path = vec![0.0; FRAMES * frame];
        forecast.forecast(&mut predictor, &seen, &noise, &mut path, &mut scratch)?;
        assert_eq!(path[..known.len()], known[..], "what is known comes out unchanged");
        spectral::inverse(&grid, &mut path, &mut scratch)?;
        println!("member {member}: {:.2?} …", &path[KNOWN * frame..][..5]);
    }
    Ok(())
}
