//! What a card says of a model whose paths go on window by window.

use anyhow::Result;

use super::{OnCard, network};
use finescale_host::table::Table;
use finescale_model::dyffusion::Method;
use finescale_model::flex::Assigned;
use finescale_model::{Dydiff, Dyffusion, Flex, Meta, Model};

const CURVES: &str = "Loss in training and on the validation part";

impl OnCard for Dyffusion {
    const CURVES: &'static str = CURVES;

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

impl OnCard for Dydiff {
    const CURVES: &'static str = CURVES;

    fn purpose(meta: &Meta<Self>) -> Vec<[String; 2]> {
        let Self { history, horizon, .. } = meta.system;
        vec![[
            "window".into(),
            format!("{horizon} frames after {history} given ones, and then on from its last"),
        ]]
    }

    fn trained(meta: &Meta<Self>) -> String {
        let about = &meta.system;
        format!(
            "Network: {}, which tells the noise of a window; {}, ρ {}, {} steps of the process; \
             {} steps, seed {}",
            network(&meta.network),
            about.name(),
            about.process.rho,
            about.process.steps,
            meta.steps,
            meta.seed
        )
    }

    fn footprint(_: &Model<Self>) -> Result<Option<(Table, String)>> {
        Ok(None)
    }
}

impl OnCard for Flex {
    const CURVES: &'static str = CURVES;

    fn purpose(meta: &Meta<Self>) -> Vec<[String; 2]> {
        let task = match meta.system.task {
            Assigned::Forecast { history } => format!("the next frame of {history} given ones"),
            Assigned::SuperResolve { ratio, .. } => {
                format!("a frame of one with {ratio} times fewer points along every axis")
            }
        };
        vec![["task".into(), task]]
    }

    fn trained(meta: &Meta<Self>) -> String {
        let about = &meta.system;
        format!(
            "Network: {}, {}, which learns {}; {} steps, seed {}",
            network(&meta.network),
            about.name(),
            if about.residual { "what is added to a known frame" } else { "the frame itself" },
            meta.steps,
            meta.seed
        )
    }

    fn footprint(_: &Model<Self>) -> Result<Option<(Table, String)>> {
        Ok(None)
    }
}
