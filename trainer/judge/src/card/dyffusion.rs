//! What a card says of a DYffusion model.

use anyhow::Result;

use super::{OnCard, network};
use finescale_host::table::Table;
use finescale_model::dyffusion::Method;
use finescale_model::{Dyffusion, Meta, Model};

impl OnCard for Dyffusion {
    const CURVES: &'static str = "Loss in training and on the validation part";

    fn purpose(meta: &Meta<Self>) -> Vec<[String; 2]> {
        let horizon = meta.system.window.horizon;
        vec![[
            "window".into(),
            format!("{horizon} frames after a given one, and then on from its last"),
        ]]
    }

    fn trained(meta: &Meta<Self>) -> String {
        let Self { method, dropout, .. } = meta.system;
        let learned = match method {
            Method::Dyffusion => "an interpolator and a forecaster",
            Method::Dropout | Method::Deterministic => "one for all frames of a window",
        };
        format!(
            "Networks: {learned}, each {}; dropout {dropout} in sampling; {} steps, seed {}",
            network(&meta.network),
            meta.steps,
            meta.seed
        )
    }

    fn footprint(_: &Model<Self>) -> Result<Option<(Table, String)>> {
        Ok(None)
    }
}
