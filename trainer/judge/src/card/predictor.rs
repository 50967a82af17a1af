//! What a card says of a predictor.

use anyhow::Result;
use finescale::model::Footprint;

use super::{OnCard, add, footprints, macs, network, precisions, weights};
use finescale_host::table::Table;
use finescale_model::export::{AlignedBytes, Bounds, file};
use finescale_model::{Meta, Model, PredictorDriven};

impl OnCard for PredictorDriven {
    const CURVES: &'static str = "Loss, validation by λ, simulation error";

    fn purpose(_: &Meta<Self>) -> Vec<[String; 2]> {
        Vec::new()
    }

    fn trained(meta: &Meta) -> String {
        format!(
            "Network: {}; window of {} frames; α = {}, β² = {}; {} steps, seed {}",
            network(&meta.network),
            meta.system.window,
            meta.system.alpha,
            meta.system.beta2,
            meta.steps,
            meta.seed
        )
    }

    fn footprint(model: &Model) -> Result<Option<(Table, String)>> {
        let mut table = footprints(&[
            "RAM for simulation, bytes",
            "for reverse sampling",
            "and for each frame",
        ]);
        let mut million = 0.0;
        let bounds = Bounds::ones(model.meta.layers()?.len());
        for &precision in precisions(&model.meta.network) {
            let bytes = AlignedBytes::new(&file(model, precision, &bounds)?);
            let view = bytes.parse()?;
            let Footprint { memory, predictor, reverse, frame, .. } = view.footprint();
            let [memory, predictor, reverse] = [memory, predictor, reverse].map(u64::from);
            let (size, layers) = (bytes.bytes().len() as u64, view.layers());
            let ram = [memory + predictor, memory + reverse, u64::from(frame)];
            add(&mut table, precision, &[&[size, weights(&layers)], &ram[..]].concat());
            million = macs(&layers) as f64 / 1e6;
        }
        let computes = format!(
            "An increment takes {million:.2} million multiply-accumulates, its vector-Jacobian \
             product as many."
        );
        Ok(Some((table, computes)))
    }
}
