//! What PyTorch needs to take the same training step, in one safetensors file, and what must come
//! of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::Tensor;
use finescale::Grid;
use finescale_model::Array;
use finescale_train::config::Precision;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::basis::Basis;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use crate::case::{CaseArgs, array, named};
use crate::check::{Found, Sample};

/// Where to.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    case: CaseArgs,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

type B = Cpu;

impl ExportArgs {
    /// Arrays: `network.…`, the weights; `gradient.network.…`; tables over λ; the transforms'
    /// matrices `q.y` and `q.x`, mode × point; `frames`; the batch's `starts`, `lambdas`,
    /// `available` and `noise`; its `losses`, and their mean `loss`. The metadata's `case` is the
    /// configuration.
    pub(crate) fn run(&self) -> Result<()> {
        let case = self.case.open()?;
        let here = Default::default();
        let held = case.held::<Differentiable<B>>(&here)?;
        let sample = Sample::new(&case, &held);
        let network = case.generic::<Differentiable<B>>(&here)?;
        let found = Found::new(&sample, &held, &network, Precision::Full, &here);
        let tables = &held.tables;
        let mut arrays = named::<Differentiable<B>, _>(&network);
        for (name, gradient) in found.gradients {
            arrays.insert(format!("gradient.{name}"), gradient);
        }
        let mut put = |name: &str, array: Array| arrays.insert(name.to_owned(), array);
        for (name, table) in [
            ("features", &tables.features),
            ("damping", &tables.damping),
            ("noise_scale", &tables.noise),
            ("increment_scale", &tables.increment_scale),
            ("innovation", &tables.innovation),
        ] {
            put(name, array(table.clone()));
        }
        // Views with derivatives have no twin in the script yet.
        for seen in &tables.seen {
            ensure!(
                seen.component.derivative.is_none(),
                "the case sees {}: networks.py has filters alone",
                seen.component.view.name()
            );
        }
        let seen: Vec<_> = tables.seen.iter().map(|seen| seen.filter.clone()).collect();
        put("seen", array(Tensor::cat(seen, 1)));
        if let Some(increment) = &tables.increment {
            put("increment", array(increment.clone()));
        }
        put("mean_noise", array(tables.mean_noise.clone()));
        put("q.x", matrix(&Grid::line(tables.grid.x()))?);
        if let Some(y) = tables.grid.y() {
            put("q.y", matrix(&Grid::line(y))?);
        }
        let width = tables.channels * tables.grid.points();
        let frames = case.train.values.len() / width;
        put("frames", Array { shape: vec![frames, width], values: case.train.values.clone() });
        let numbers = |values: &[usize]| Array {
            shape: vec![values.len()],
            values: values.iter().map(|&value| value as f32).collect(),
        };
        put("starts", numbers(&sample.draw.starts));
        put("lambdas", numbers(&sample.draw.lambdas));
        put("available", numbers(&sample.draw.available));
        let mut firsts = Vec::new();
        for segment in &case.train.segments {
            firsts.extend(segment.start..segment.end.saturating_sub(tables.window));
        }
        put("windows", numbers(&firsts));
        put("noise", sample.noise);
        put("losses", found.losses);
        put("loss", Array { shape: vec![1], values: vec![found.loss] });
        let partners: Vec<_> = tables.partners.iter().map(|p| [p.y, p.x]).collect();
        let description = json!({
            "config": case.config,
            "channels": tables.channels,
            "ny": tables.grid.ny(),
            "nx": tables.grid.nx(),
            "fields": case.config.predictor.input_fields(&tables.grid, tables.channels),
            "partners": partners,
        });
        save(&arrays, &description.to_string(), &self.out)
    }
}

/// Q of an axis.
fn matrix(line: &Grid) -> Result<Array> {
    let (n, here) = (line.nx(), Default::default());
    let modes: Tensor<B, 2> = Tensor::eye(n, &here);
    Ok(array(Basis::<B>::new(line, &here)?.inverse(modes).reshape([n, n])))
}

fn save(arrays: &BTreeMap<String, Array>, description: &str, out: &std::path::Path) -> Result<()> {
    let bytes: BTreeMap<&str, Vec<u8>> = arrays
        .iter()
        .map(|(name, array)| {
            let bytes = array.values.iter().flat_map(|value| value.to_le_bytes());
            (name.as_str(), bytes.collect())
        })
        .collect();
    let views = arrays
        .iter()
        .map(|(name, array)| {
            let view = TensorView::new(Dtype::F32, array.shape.clone(), &bytes[name.as_str()])?;
            Ok((name.as_str(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    let header = [("case".to_owned(), description.to_owned())].into();
    let file = safetensors::serialize(views, Some(header))?;
    finescale_host::write::atomically(out, &file)
        .with_context(|| format!("{} cannot be written", out.display()))
}
