//! What a card says of a conditional mean.

use anyhow::Result;
use finescale::mean::Stream;
use finescale::model::{MeanFootprint, MeanModel};

use super::{OnCard, add, footprints, macs, network, precisions, weights};
use finescale_field::coarsening::SensorKind;
use finescale_host::table::Table;
use finescale_model::conditional::Base;
use finescale_model::export::{AlignedBytes, Bounds, mean_file};
use finescale_model::{ConditionalMean, Meta, Model, NetworkMeta};

impl OnCard for ConditionalMean {
    const CURVES: &'static str = "Loss in training and on the validation part";

    fn purpose(meta: &Meta<Self>) -> Vec<[String; 2]> {
        let Self { sensor, before, after, .. } = &meta.system;
        let [ny, nx] = meta.coarse_points();
        let points = if meta.y.is_some() { format!("{ny} × {nx}") } else { nx.to_string() };
        let kind = match sensor.kind {
            SensorKind::Modes => "values at points, without the modes that they lack",
            SensorKind::BlockMean => "means over blocks",
        };
        let noise = sensor.noise;
        vec![
            [
                "sensor".into(),
                format!("{points} {kind}, with errors of {noise} standard deviations"),
            ],
            [
                "coarse frames seen".into(),
                format!("{before} before and {after} after: a fine frame is late by {after}"),
            ],
        ]
    }

    fn trained(meta: &Meta<Self>) -> String {
        let base = match meta.system.base {
            Base::Interpolation => "spectral interpolation",
            Base::Ridge => "a linear map of all coarse values",
        };
        if meta.network == NetworkMeta::Linear {
            return format!("Base: {base}, and no network; seed {}", meta.seed);
        }
        let views: Vec<_> = meta.system.inputs.iter().map(|view| view.name()).collect();
        format!(
            "Base: {base}; network: {}, which sees {} of every frame and {} learned maps; {} \
             steps, seed {}",
            network(&meta.network),
            views.join(", "),
            meta.system.maps,
            meta.steps,
            meta.seed
        )
    }

    fn footprint(model: &Model<Self>) -> Result<Option<(Table, String)>> {
        let mut table = footprints(&[
            "RAM for the mean, bytes",
            "more for a stream",
            "more for members",
            "and for each frame",
        ]);
        let (mut in_network, mut in_map) = (0, 0);
        let bounds = Bounds::ones(model.meta.layers()?.len());
        for &precision in precisions(&model.meta.network) {
            let bytes = AlignedBytes::new(&mean_file(model, precision, &bounds)?);
            let view = MeanModel::parse(bytes.bytes())?;
            let MeanFootprint { memory, scratch, errors, frame, .. } = view.footprint();
            let (size, layers) = (bytes.bytes().len() as u64, view.layers());
            let ring = 4 * Stream::memory_len(&view) as u64;
            let ram = [u64::from(memory) + u64::from(scratch), ring, errors.into(), frame.into()];
            add(&mut table, precision, &[&[size, weights(&layers)], &ram[..]].concat());
            in_network = macs(&layers);
            in_map = view.arrays().down.len() + view.arrays().up.len();
        }
        let computes = format!(
            "A fine frame takes {:.2} million multiply-accumulates of the network and {:.2} of the \
             linear map. Members keep the frames of their errors' path; adding one to the mean \
             takes no more scratch than the mean.",
            in_network as f64 / 1e6,
            in_map as f64 / 1e6
        );
        Ok(Some((table, computes)))
    }
}
