//! Linear models of data sets, and the commands that sample with them.

pub(crate) mod home;

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) use home::Home;

use finescale::model::{Recommended, View};
use finescale::{ForwardProcess, Laplacian};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_field::shells::Shells;
use finescale_model::linear::LinearBase;
use finescale_model::{Array, AxisMeta, Channel, Meta, Model, NetworkMeta, PredictorDriven};

/// The linear base of a data set as a model without calibration, which is exact for the linear
/// system.
pub(crate) fn linear_model(data: &Path, out: &Path) {
    let reader = Reader::open(data).unwrap();
    let (spec, window) = (reader.spec(), 3);
    let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
    let frames = SpectralFrames::read(&reader, Split::Train).unwrap();
    let base = LinearBase::fit(&frames, process, window).unwrap();
    let (grid, channels) = (frames.grid, frames.channels);
    let mut arrays = BTreeMap::new();
    let shape = vec![window + 1, channels, channels, grid.ny(), grid.nx()];
    arrays.insert("autocovariance".into(), Array { shape, values: base.autocovariance.values });
    let shape = vec![0, channels, Shells::new(&grid).count];
    for name in
        ["innovation_ratio", "score_power", "score_truth", "score_drawn_power", "score_drawn_state"]
    {
        arrays.insert(name.into(), Array { shape: shape.clone(), values: Vec::new() });
    }
    let channels = spec.channels.iter().zip(&reader.statistics().channels).map(|(c, s)| Channel {
        name: c.name.clone(),
        units: c.units.clone(),
        mean: s.mean,
        std: s.std,
    });
    let meta = Meta {
        name: "linear".into(),
        version: "0.0.0".into(),
        layout: finescale_model::LAYOUT,
        channels: channels.collect(),
        y: grid.y().map(AxisMeta::of),
        x: AxisMeta::of(grid.x()),
        frame_interval: spec.time.interval,
        network: NetworkMeta::Linear,
        data: reader.hash().into(),
        seed: 0,
        steps: 0,
        figures: BTreeMap::new(),
        system: PredictorDriven {
            alpha: 0.1,
            beta2: 2.0,
            coupling: 0.0,
            coupling_switch: 0.0,
            laplacian: Laplacian::Spectral,
            window,
            linear_base: true,
            inputs: vec![View::Filtered, View::Raw],
            bounded: true,
            score_head: false,
            lambdas: Vec::new(),
            lambda_grid: vec![1.0, 0.0],
            sampler: Recommended::DEFAULT,
            generation: 0.0,
            given: None,
        },
    };
    Model { meta, arrays }.save(out).unwrap();
}

impl Home {
    /// With `data.zarr` of the linear system on a line of 64 points, or a plane of 16 × 16, and its
    /// model `model.safetensors`.
    pub(crate) fn linear(plane: bool) -> Self {
        let home = Self::empty();
        let shape = if plane { "--dimensions 2 --grid 16" } else { "--grid 64" };
        home.succeeds(&format!(
            "data simulate linear {shape} --unit-variance --trajectories 40 --frames 24 --seed 5 \
             --out data.zarr"
        ));
        linear_model(&home.path("data.zarr"), &home.path("model.safetensors"));
        home
    }
}
