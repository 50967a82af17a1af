//! What regimes are asked about: a data set, or a model.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use finescale::{ForwardProcess, Laplacian};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_model::linear::{LinearBase, PackedAutocovariance};
use finescale_regimes::memory::{independent, lag1, receptive_field};
use finescale_regimes::shells::Coupling;
use finescale_sample::HostModel;

/// α, β² and κ where they were given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) alpha: Option<f32>,
    pub(super) beta2: Option<f32>,
    pub(super) laplacian: Option<Laplacian>,
}

/// The linear base, and what there is to learn it from.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) channels: Vec<String>,
    pub(super) base: LinearBase,
    /// Independent windows to learn from, if they are known.
    pub(super) windows: Option<f64>,
    /// Points of the network's receptive field along an axis, if there is a network.
    pub(super) receptive_field: Option<usize>,
    /// The coupling that a model was trained with. `base` is that of the channels.
    pub(super) coupling: Coupling,
}

impl Source {
    pub(super) fn open(path: &Path, given: Given, window: usize) -> Result<Self> {
        ensure!(
            path.exists(),
            "{} does not exist: give a data set, a model's file or a run's folder",
            path.display()
        );
        let data = fs::read_to_string(path.join("zarr.json"))
            .is_ok_and(|text| text.contains("\"finescale_format\""));
        if data { Self::of_data(path, given, window) } else { Self::of_model(path, given) }
    }

    fn of_data(path: &Path, given: Given, window: usize) -> Result<Self> {
        let reader = Reader::open(path)?;
        let spec = reader.spec();
        let process = process(given, 0.1, 2.0, Laplacian::Spectral)?;
        let frames = SpectralFrames::read(&reader, Split::Train)?;
        let base = LinearBase::fit(&frames, process, window)?;
        let runs = frames.segments.iter().map(ExactSizeIterator::len);
        Ok(Self {
            name: spec.title.clone(),
            channels: spec.channels.iter().map(|channel| channel.name.clone()).collect(),
            windows: Some(independent(runs, lag1(&base))),
            receptive_field: None,
            coupling: Coupling::default(),
            base,
        })
    }

    fn of_model(path: &Path, given: Given) -> Result<Self> {
        let model = HostModel::open(path, false)?;
        let view = model.view()?;
        let own = view.process();
        let process = process(given, own.alpha(), own.beta2(), own.laplacian())?;
        let channels: Vec<String> =
            view.channel_descriptions().map(|channel| channel.name.to_owned()).collect();
        let values = view.autocovariance().to_vec();
        let mut autocovariance =
            PackedAutocovariance { window: view.window(), channels: channels.len(), values };
        if own.is_coupled() {
            autocovariance = autocovariance.mixed();
        }
        let layers = view.layers().iter().map(|layer| (layer.shape.taps(), layer.shape.dilation()));
        let layers: Vec<_> = layers.collect();
        Ok(Self {
            name: view.name().to_owned(),
            // As they were written, and not as f32 has them.
            coupling: Coupling {
                c: own.coupling().to_string().parse()?,
                switch: own.switch().to_string().parse()?,
            },
            channels,
            base: LinearBase { grid: *view.grid(), process, autocovariance },
            windows: None,
            receptive_field: (!layers.is_empty()).then(|| receptive_field(layers)),
        })
    }
}

/// The forward process with what was given over what there was.
fn process(given: Given, alpha: f32, beta2: f32, laplacian: Laplacian) -> Result<ForwardProcess> {
    let (alpha, beta2) = (given.alpha.unwrap_or(alpha), given.beta2.unwrap_or(beta2));
    ensure!((0.0..=1e6).contains(&alpha), "--alpha is {alpha}: use 0 to 1e6");
    ensure!(beta2 > 0.0 && beta2 <= 1e6, "--beta2 is {beta2}: use a positive number up to 1e6");
    Ok(ForwardProcess::new(alpha, beta2, given.laplacian.unwrap_or(laplacian))?)
}
