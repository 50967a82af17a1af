//! The mean of fine frames by a conditional mean, channel by channel.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use finescale::mean::ConditionalMean as Evaluator;
use finescale::model::MeanModel;
use finescale::{Field, layout};

use super::rows::{Row, Rows};
use super::runtimes::{Runtime, Timed, least};
use super::{BATCH, ROUNDS, ValidateArgs};
use finescale_data::dataset::Reader;
use finescale_field::noise::Purpose;
use finescale_model::export::{AlignedBytes, Bounds, Precision, mean_file};
use finescale_model::reference::MeanReference;
use finescale_model::{ConditionalMean, Model, NetworkMeta};
use finescale_sample::mean_error::Cases;

/// Coarse windows `[window][frame][channel][y][x]` to fine frames.
type Evaluate = dyn Fn(&[f32]) -> Timed;

impl ValidateArgs {
    /// Compares what runtimes make of a conditional mean.
    pub(crate) fn mean(&self, path: &Path) -> Result<()> {
        let model: Model<ConditionalMean> = Model::open(path)?;
        let (meta, frames) = (&model.meta, model.meta.system.frames());
        let windows = match &self.data {
            Some(data) => Cases::read(&model, &Reader::open(data)?)?.windows(BATCH),
            None => random(&model),
        };
        println!(
            "{BATCH} windows of {frames} coarse frames; differences from f64, relative to the RMS \
             from the channel's mean; least times of {ROUNDS}"
        );
        let points = meta.grid()?.points();
        let widest = meta.channels.iter().map(|channel| channel.name.as_str());
        let widest = widest.max_by_key(|name| name.chars().count()).unwrap_or_default();
        let mut rows = Rows::begin("channel", widest, points);
        let reference = MeanReference::new(&model)?;
        let (mut expected, mut reference_took) = (Vec::new(), Duration::ZERO);
        // As for a predictor, int16 activations are scaled by what these very windows have.
        let mut bounds = Bounds::default();
        for window in windows.chunks_exact(windows.len() / BATCH) {
            finescale_host::interrupt::check()?;
            let window: Vec<f64> = window.iter().copied().map(f64::from).collect();
            let began = Instant::now();
            expected.extend(reference.evaluate(&window, meta.system.before));
            reference_took += began.elapsed();
            reference.widen(&mut bounds, &window, meta.system.before);
        }
        for Runtime { name, precision, run } in all(&model, &bounds)? {
            finescale_host::interrupt::check()?;
            let (got, took) = least(|| run(&windows))?;
            for (n, channel) in meta.channels.iter().enumerate() {
                // An offset, such as that of degrees in kelvin, hides no difference.
                let fields = |length: usize| (n..length / points).step_by(meta.channels.len());
                let standardised = |value: f64| (value - channel.mean) / channel.std;
                let of = |value: &f32| standardised(f64::from(*value)) as f32;
                let got =
                    fields(got.len()).flat_map(|n| got[n * points..][..points].iter().map(of));
                let expected = fields(expected.len())
                    .flat_map(|n| expected[n * points..][..points].iter().copied());
                rows.add(Row {
                    runtime: name,
                    output: "mean",
                    at: channel.name.clone(),
                    title: format!("{name}, mean of {}", channel.name),
                    got: &got.collect::<Vec<_>>(),
                    expected: &expected.map(standardised).collect::<Vec<_>>(),
                    took: [took, reference_took],
                    tolerance: self.tolerance(precision),
                    remark: "",
                });
            }
        }
        rows.finish(meta, self)
    }
}

/// Independent values with the mean and the deviation of their channels.
fn random(model: &Model<ConditionalMean>) -> Vec<f32> {
    let [ny, nx] = model.meta.coarse_points();
    let channels = &model.meta.channels;
    let mut windows = vec![0.0; BATCH * model.meta.system.frames() * channels.len() * ny * nx];
    Purpose::Sampling.stream(0, 0, 0, 0).fill(&mut windows);
    for (values, channel) in windows.chunks_exact_mut(ny * nx).zip(channels.iter().cycle()) {
        for value in values {
            *value = *value * channel.std as f32 + channel.mean as f32;
        }
    }
    windows
}

/// Every runtime of this program.
fn all(model: &Model<ConditionalMean>, bounds: &Bounds) -> Result<Vec<Runtime<Evaluate>>> {
    let mut runtimes = vec![board(model, Precision::F32, bounds)?];
    // Without a network there is nothing to round.
    if model.meta.network != NetworkMeta::Linear {
        runtimes.push(board(model, Precision::Int8, bounds)?);
        runtimes.push(board(model, Precision::Int16, bounds)?);
    }
    #[cfg(feature = "onnx")]
    runtimes.push(tract(model)?);
    Ok(runtimes)
}

/// The runtime of boards, on this processor: the same bits as there.
fn board(
    model: &Model<ConditionalMean>,
    precision: Precision,
    bounds: &Bounds,
) -> Result<Runtime<Evaluate>> {
    let file = AlignedBytes::new(&mean_file(model, precision, bounds)?);
    let run = move |windows: &[f32]| {
        let view = MeanModel::parse(file.bytes())?;
        let mut memory = vec![0.0; Evaluator::memory_len(&view)];
        let mean = Evaluator::new(&view, &mut memory)?;
        let mut scratch = vec![0.0; Evaluator::scratch_len(&view)];
        let mut fine = vec![0.0; BATCH * view.fine_len()];
        let began = Instant::now();
        let frames = windows.chunks_exact(view.frames() * view.coarse_len());
        for (window, fine) in frames.zip(fine.chunks_exact_mut(view.fine_len())) {
            let window = layout::Path::coarse_fields(window);
            mean.evaluate(window, view.before(), Field::from_mut(fine), &mut scratch)?;
        }
        Ok((fine, began.elapsed()))
    };
    Ok(Runtime { name: precision.name(), precision, run: Box::new(run) })
}

/// The ONNX graph in tract.
#[cfg(feature = "onnx")]
fn tract(model: &Model<ConditionalMean>) -> Result<Runtime<Evaluate>> {
    use finescale_model::onnx::{Array, Session, mean};
    let [ny, nx] = model.meta.coarse_points();
    let shape = vec![BATCH, model.meta.system.frames(), model.meta.channels.len(), ny, nx];
    let session = Session::new(&mean(model)?, &[&shape])?;
    let run = move |windows: &[f32]| {
        let input = Array { shape: shape.clone(), values: windows.to_vec() };
        let began = Instant::now();
        let mut got = session.run(&[input])?;
        Ok((got.swap_remove(0).values, began.elapsed()))
    };
    Ok(Runtime { name: "tract", precision: Precision::F32, run: Box::new(run) })
}
