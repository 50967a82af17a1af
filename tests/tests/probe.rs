//! A probe is told of every layer, in the order in which they are computed, and changes nothing.

use std::sync::Mutex;

use finescale::model::{MeanFootprint, MeanModel, Model};
use finescale::predictor::Trained;
use finescale::{
    Error, Instrument, MeanDownscaler, Modes, Pass, Path, Predictor, Probe, Values, include_model,
};

/// Rectifiers in f32; products in f32 with all factors kept and in int16.
static FILES: [(&str, &[u8]); 3] = [
    ("rectifiers", include_model!("../../models/lorenz96/lorenz96.finescale")),
    ("f32", include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky.finescale")),
    (
        "int16",
        include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale"),
    ),
];
static MEAN: &[u8] =
    include_model!("../../models/kolmogorov-32-means/kolmogorov-32-means-int8.finescale");

#[derive(Default)]
struct Log(Mutex<Vec<(Pass, usize)>>);

impl Log {
    fn take(&self) -> Vec<(Pass, usize)> {
        self.0.lock().map(|mut log| std::mem::take(&mut *log)).unwrap_or_default()
    }
}

impl Probe for Log {
    fn layer(&self, pass: Pass, layer: usize) {
        if let Ok(mut log) = self.0.lock() {
            log.push((pass, layer));
        }
    }
}

fn layers(log: &[(Pass, usize)], pass: Pass) -> Vec<usize> {
    log.iter().filter(|(of, _)| *of == pass).map(|(_, layer)| *layer).collect()
}

#[test]
fn a_predictor_tells_of_every_layer_forward_and_backward() -> Result<(), Error> {
    for (name, file) in FILES {
        let model = Model::parse(file)?;
        let mut bits = Vec::new();
        for probed in [false, true] {
            let log = Log::default();
            let mut memory = vec![0.0; Trained::memory_len(&model)];
            let mut predictor = Trained::new(&model, &mut memory)?;
            if probed {
                predictor = predictor.with_probe(&log);
            }
            let frame = predictor.describe().frame_len();
            let mut scratch = vec![0.0; predictor.describe().scratch_len];
            let window: Vec<f32> = (0..frame).map(|n| (0.3 * n as f32).sin()).collect();
            let (mut increment, mut gradient) = (vec![0.0; frame], vec![0.0; frame]);
            let prepared = predictor.prepare(0.1)?;
            prepared.increment(
                Path::modes(&window),
                Modes::from_mut(&mut increment),
                &mut scratch,
            )?;
            let forward = log.take();
            prepared.vjp(Modes::new(&increment), Path::modes_mut(&mut gradient), &mut scratch)?;
            let backward = log.take();
            if probed {
                let count = forward.len();
                assert!(count >= 3, "{name}: {count} layers");
                let up: Vec<_> = (0..count).collect();
                let down: Vec<_> = (0..count).rev().collect();
                assert_eq!(layers(&forward, Pass::Forward), up, "{name}");
                assert_eq!(layers(&backward, Pass::Backward), down, "{name}");
                assert!(layers(&backward, Pass::Forward).is_empty(), "{name}");
            } else {
                assert!(forward.is_empty() && backward.is_empty());
            }
            bits.push((increment, gradient));
        }
        assert_eq!(bits[0], bits[1], "{name}");
    }
    Ok(())
}

#[test]
fn the_front_door_of_a_mean_tells_of_every_layer_of_every_frame() -> Result<(), Error> {
    let sensor = Instrument::new([8, 8], Values::BlockMeans);
    let model = MeanModel::parse(MEAN)?;
    let (log, coarse) = (Log::default(), vec![0.3; 2 * 64]);
    let mut memory = vec![0.0; MeanDownscaler::memory_len(&MeanFootprint::of(MEAN), &sensor, 2, 0)];
    let mut downscaler = MeanDownscaler::new(&model, sensor, &mut memory)?.with_probe(&log);
    downscaler.downscale(&coarse)?;
    let found = layers(&log.take(), Pass::Forward);
    let count = found.len() / 2;
    assert!(count >= 3, "{count} layers");
    assert_eq!(found, (0..2).flat_map(|_| 0..count).collect::<Vec<_>>());
    Ok(())
}
