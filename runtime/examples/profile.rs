//! What each layer of a network costs: `cargo run --release --example profile`.
//!
//! On a board the probe reads a counter of cycles in place of the clock.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use finescale::model::Model;
use finescale::predictor::Trained;
use finescale::{Error, Modes, Pass, Path, Predictor, Probe, include_model};

static MODEL: &[u8] =
    include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale");
const PASSES: [Pass; 3] = [Pass::Forward, Pass::Again, Pass::Backward];
const REPEATS: u32 = 20;

/// When the last layer was done, and the time of each pass of each layer.
struct Clock(Mutex<(Instant, Vec<[Duration; 3]>)>);

impl Probe for Clock {
    fn layer(&self, pass: Pass, layer: usize) {
        let Ok(mut clock) = self.0.lock() else { return };
        let (last, times) = &mut *clock;
        times.resize(times.len().max(layer + 1), Default::default());
        let column = PASSES.iter().position(|of| *of == pass).unwrap_or(0);
        times[layer][column] += last.elapsed();
        *last = Instant::now();
    }
}

pub(crate) fn main() -> Result<(), Error> {
    let clock = Clock(Mutex::new((Instant::now(), Vec::new())));
    let model = Model::parse(MODEL)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let mut predictor = Trained::new(&model, &mut memory)?.with_probe(&clock);
    let frame = predictor.describe().frame_len();
    let mut scratch = vec![0.0; predictor.describe().scratch_len];
    let prepared = predictor.prepare(0.1)?;

    let window: Vec<f32> = (0..frame).map(|n| (0.3 * n as f32).sin()).collect();
    let (mut increment, mut gradient) = (vec![0.0; frame], vec![0.0; frame]);
    for _ in 0..REPEATS {
        if let Ok(mut clock) = clock.0.lock() {
            clock.0 = Instant::now();
        }
        prepared.increment(Path::modes(&window), Modes::from_mut(&mut increment), &mut scratch)?;
        if let Ok(mut clock) = clock.0.lock() {
            clock.0 = Instant::now();
        }
        prepared.vjp(Modes::new(&window), Path::modes_mut(&mut gradient), &mut scratch)?;
    }

    println!("layer  forward  again  backward, microseconds; layer 0 with what precedes it");
    let Ok(clock) = clock.0.lock() else { return Ok(()) };
    for (layer, times) in clock.1.iter().enumerate() {
        let [forward, again, backward] =
            times.map(|time| 1e6 * time.as_secs_f64() / f64::from(REPEATS));
        println!("{layer:5}  {forward:7.1}  {again:5.1}  {backward:8.1}");
    }
    Ok(())
}
