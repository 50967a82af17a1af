//! A sampling in small pieces, as a board needs it that has other things to do or a deadline:
//! `cargo run --example own_loop`.

use finescale::model::Model;
use finescale::predictor::Trained;
use finescale::sampler::{Drawing, Origin, Start};
use finescale::{Error, NoiseStream, Path, Predictor, Sampler, include_model, spectral};

static MODEL: &[u8] = include_model!("../../models/lorenz96/lorenz96-int8.finescale");
const FRAMES: usize = 2;

pub(crate) fn main() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let mut predictor = Trained::new(&model, &mut memory)?;
    let (grid, frame) = (*model.grid(), predictor.describe().frame_len());
    let sampler = Sampler::ancestral(0.1);
    let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), FRAMES)];
    let mut path = vec![0.0; FRAMES * frame];
    let path = Path::modes_mut(&mut path);

    let noise = NoiseStream { seed: 3, member: 0, frame: 0, draw: 0 };
    let origin = Origin::start(Start::Rollout);
    let mut drawing = Drawing::new(sampler, &noise);
    let mut pieces = 0;
    // At most one evaluation or one gradient of one frame; then feed the watchdog.
    while !drawing.advance(&mut predictor, &origin, path, &mut scratch)? {
        pieces += 1;
        if pieces == 40 {
            println!("the time is up at λ = {:.4}", drawing.lambda());
            break;
        }
    }
    // A path that is not done becomes what it says of the clean one.
    if let Some(left) = drawing.estimate(predictor.describe(), &origin, path)? {
        println!("the standard deviation of what is open is {:.3}", left.deviation);
    }
    let field = spectral::inverse(&grid, path, &mut scratch)?;
    println!("the field starts with {:.2?}", &field[..5]);
    Ok(())
}
