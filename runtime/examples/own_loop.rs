//! A loop of one's own over λ, as a board needs it that feeds a watchdog or has a deadline:
//! `cargo run --example own_loop`.

use finescale::model::Model;
use finescale::predictor::Trained;
use finescale::{Error, NoiseStream, Predictor, Sampler, include_model, spectral};

static MODEL: &[u8] = include_model!("../../models/lorenz96/lorenz96-int8.finescale");
const FRAMES: usize = 2;

pub(crate) fn main() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let mut predictor = Trained::new(&model, &mut memory)?;
    let (grid, frame) = (*model.grid(), predictor.describe().frame_len());
    let sampler = Sampler::ancestral(0.1);
    let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), FRAMES)];

    // A start at λ*: noise of the variance that the data have there.
    let mut noise = NoiseStream { seed: 3, member: 0, frame: 0, draw: 0 };
    let mut path = vec![0.0; FRAMES * frame];
    let (process, power) = (*model.process(), predictor.describe().power.to_vec());
    for (n, values) in (0..).zip(path.chunks_exact_mut(frame)) {
        NoiseStream { frame: n, ..noise }.fill(values);
        for ((u, power), kappa) in
            values.iter_mut().zip(&power).zip(grid.kappas(process.laplacian()))
        {
            *u *= process.variance(kappa, sampler.lambda, *power).sqrt();
        }
    }

    for step in 0..sampler.lambdas.steps(sampler.lambda) {
        let [from, to] = [step, step + 1].map(|n| sampler.lambdas.lambda(sampler.lambda, n));
        noise.draw += 1;
        let prepared = predictor.prepare(from)?;
        sampler.step(&prepared, to, None, Some(&noise), &mut path, &mut scratch)?;
        println!("λ = {to:.4}: feed the watchdog, or stop at the deadline");
    }
    spectral::inverse(&grid, &mut path, &mut scratch)?;
    println!("the field starts with {:.2?}", &path[..5]);
    Ok(())
}
