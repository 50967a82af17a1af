//! The error of a conditional mean on the validation part of a data set, in the numbers that a
//! board computes with.

use anyhow::{Result, ensure};
use finescale::mean::ConditionalMean as Evaluator;
use finescale::model::MeanModel;
use finescale::{Field, Path};

use crate::Domain;
use crate::coarse::Coarsener;
use finescale_data::dataset::{Reader, Split, spread};
use finescale_field::coarsening::Coarsening;
use finescale_model::export::{AlignedBytes, Bounds, Precision, mean_file};
use finescale_model::reference::MeanReference;
use finescale_model::{ConditionalMean, Model};

/// Frames that are looked at, evenly spread.
const FRAMES: usize = 48;

/// Frames of a validation part with what the sensor sees around them.
pub struct Cases {
    cases: Vec<Case>,
    /// What a relative error is relative to, of each channel.
    mean: Vec<f32>,
    points: usize,
    /// a and b of the model.
    around: [usize; 2],
    /// Values of a coarse frame.
    coarse_len: usize,
}

struct Case {
    /// `[frame][channel][y][x]` at the sensor's points.
    coarse: Vec<f32>,
    /// Which of them the fine frame belongs to.
    at: usize,
    fine: Vec<f32>,
}

/// Points of a model's sensor, y before x, as a grid is written.
pub fn sensor_points(view: &MeanModel<'_>) -> Vec<usize> {
    match view.coarse_points() {
        [_, x] if view.grid().is_line() => vec![x],
        [y, x] => vec![y, x],
    }
}

impl Cases {
    /// Reads them.
    ///
    /// # Errors
    /// If the data set has other fields than the model, or no validation part.
    pub fn read(model: &Model<ConditionalMean>, reader: &Reader) -> Result<Self> {
        let bytes = AlignedBytes::new(&mean_file(model, Precision::F32, &Bounds::default())?);
        let view = MeanModel::parse(bytes.bytes())?;
        let domain = Domain::from(&view);
        let spec = reader.spec();
        ensure!(
            spec.grid()? == domain.grid && spec.channels.len() == domain.channels.len(),
            "the data set has another grid or other channels than the model: give the one that it \
             was trained on"
        );
        let (coarsening, points) = (Coarsening::from(view.sensor()), view.coarse_points());
        let coarsener =
            Coarsener { domain: &domain, points, coarsening, noise: Vec::new(), seed: 0 };
        let segments = reader.segments(Split::Valid);
        let places: Vec<(usize, usize)> = segments
            .iter()
            .enumerate()
            .flat_map(|(n, segment)| segment.frames.clone().map(move |frame| (n, frame)))
            .collect();
        ensure!(!places.is_empty(), "the data set has no validation part");
        let mut cases = Vec::new();
        for (segment, frame) in spread(&places, FRAMES) {
            finescale_host::interrupt::check()?;
            let whole = &segments[segment].frames;
            let first = frame.saturating_sub(view.before()).max(whole.start);
            let last = (frame + view.after() + 1).min(whole.end);
            let fine = reader.read(segments[segment].trajectory, first..last)?;
            let (at, len) = (frame - first, view.fine_len());
            let coarse = coarsener.values(&fine)?;
            cases.push(Case { coarse, at, fine: fine[at * len..][..len].to_vec() });
        }
        let mean = domain.channels.iter().map(|channel| channel.mean).collect();
        Ok(Self {
            cases,
            mean,
            points: domain.grid.points(),
            around: [view.before(), view.after()],
            coarse_len: view.coarse_len(),
        })
    }

    /// Whole windows of `count` of these frames, evenly spread,
    /// `[window][frame][channel][y][x]`: the nearest coarse frame stands for one that is not there.
    pub fn windows(&self, count: usize) -> Vec<f32> {
        let [before, after] = self.around;
        let mut windows = Vec::new();
        for n in 0..count {
            let case = &self.cases[n * self.cases.len() / count];
            let last = case.coarse.len() / self.coarse_len - 1;
            for frame in case.at..=case.at + before + after {
                let frame = frame.saturating_sub(before).min(last);
                windows.extend(&case.coarse[frame * self.coarse_len..][..self.coarse_len]);
            }
        }
        windows
    }

    /// What the layers have on the way to these frames.
    ///
    /// # Errors
    /// If an array is missing.
    pub fn bounds(&self, model: &Model<ConditionalMean>) -> Result<Bounds> {
        let reference = MeanReference::new(model)?;
        let mut bounds = Bounds::default();
        for case in &self.cases {
            finescale_host::interrupt::check()?;
            let coarse: Vec<f64> = case.coarse.iter().copied().map(f64::from).collect();
            reference.widen(&mut bounds, &coarse, case.at);
        }
        Ok(bounds)
    }

    /// Relative L² of the mean, of each channel, each from its own mean of the training data.
    ///
    /// # Errors
    /// If the model makes no file.
    pub fn error(
        &self,
        model: &Model<ConditionalMean>,
        precision: Precision,
        bounds: &Bounds,
    ) -> Result<Vec<f64>> {
        let bytes = AlignedBytes::new(&mean_file(model, precision, bounds)?);
        let view = MeanModel::parse(bytes.bytes())?;
        let mut memory = vec![0.0; Evaluator::memory_len(&view)];
        let mean = Evaluator::new(&view, &mut memory)?;
        let mut scratch = vec![0.0; Evaluator::scratch_len(&view)];
        let mut sums = vec![[0.0; 2]; view.channels()];
        let mut fine = vec![0.0; view.fine_len()];
        for case in &self.cases {
            finescale_host::interrupt::check()?;
            let coarse = Path::coarse_fields(&case.coarse);
            mean.evaluate(coarse, case.at, Field::from_mut(&mut fine), &mut scratch)?;
            for (i, (value, truth)) in fine.iter().zip(&case.fine).enumerate() {
                let channel = i / self.points;
                sums[channel][0] += f64::from(value - truth).powi(2);
                sums[channel][1] += f64::from(truth - self.mean[channel]).powi(2);
            }
        }
        Ok(sums.iter().map(|[error, size]| (error / size).sqrt()).collect())
    }
}
