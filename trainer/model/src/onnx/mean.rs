//! A conditional mean as a graph.

use anyhow::Result;
use tract_onnx::pb::StringStringEntryProto;

use super::encoded;
use super::graph::{Dim, Graph, Value, described};
use super::network::Network;
use crate::conditional::ConditionalMean;
use crate::reference::MeanReference;
use crate::{Channel, Model};

/// `mean.onnx`: `coarse`, the frames n − a … n + b of a sensor, to `fine`, the frame n; both in the
/// units of the channels.
///
/// # Errors
/// If an array is missing or of the wrong size.
pub fn mean(model: &Model<ConditionalMean>) -> Result<Vec<u8>> {
    let (meta, system) = (&model.meta, &model.meta.system);
    let (c, frames) = (meta.channels.len(), system.frames());
    let [cy, cx] = meta.coarse_points();
    let (ny, nx) = (meta.grid()?.ny(), meta.grid()?.nx());
    let (pixels, points) = (cy * cx, ny * nx);
    // Sizes of all arrays.
    let reference = MeanReference::new(model)?;
    let array = |name: &str| -> Result<Vec<f64>> {
        Ok(model.array(name)?.values.iter().copied().map(f64::from).collect())
    };
    let mut graph = Graph::default();
    graph.part("anomalies");
    let of = |value: fn(&Channel) -> f64| meta.channels.iter().map(value).collect::<Vec<_>>();
    let (means, stds) = (of(|channel| channel.mean), of(|channel| channel.std));
    let mean = graph.constant("mean", &[c, 1], means.iter().copied());
    let std = graph.constant("std", &[c, 1], stds.iter().copied());
    let per_std = graph.constant("per_std", &[c, 1], stds.iter().map(|std| 1.0 / std));
    let usual = graph.constant("coarse_climatology", &[c, pixels], array("coarse_climatology")?);
    let coarse = Graph::input("coarse");
    let flat = graph.reshape(&coarse, &[-1, frames as i64, c as i64, pixels as i64]);
    let flat = graph.sub(&flat, &mean);
    let flat = graph.mul(&flat, &per_std);
    let anomalies = graph.sub(&flat, &usual);

    graph.part("base");
    let shape = [-1, c as i64, points as i64];
    let mut fine = if model.arrays.contains_key("down") {
        let rank = model.array("down")?.shape[0];
        let predictors = frames * c * pixels;
        let down = transposed(&array("down")?, predictors);
        let down = graph.constant("down", &[predictors, rank], down);
        let up = transposed(&array("up")?, rank);
        let up = graph.constant("up", &[rank, c * points], up);
        let window = graph.reshape(&anomalies, &[-1, predictors as i64]);
        let numbers = graph.matmul(&window, &down);
        let fine = graph.matmul(&numbers, &up);
        graph.reshape(&fine, &shape)
    } else {
        let before = system.before as i64;
        let frame = graph.slice(&anomalies, 1, before, before + 1);
        let frame = graph.reshape(&frame, &[-1, c as i64, pixels as i64]);
        let shown = meta.shown()?;
        let map = (0..pixels).flat_map(|pixel| {
            let mut unit = vec![0.0; pixels];
            unit[pixel] = 1.0;
            shown.field(&unit)
        });
        let map = graph.constant("shown", &[pixels, points], map.collect::<Vec<_>>());
        graph.matmul(&frame, &map)
    };
    if let Some(network) = Network::new(&mut graph, model, &meta.layers()?, None, false)? {
        let fields = fields(&mut graph, model, &reference, &anomalies)?;
        let (out, _) = network.forward(&mut graph, &fields)?;
        graph.part("correction");
        let out = graph.reshape(&out, &shape);
        let unit = graph.constant("deviation", &[c, 1], array("deviation")?);
        let out = graph.mul(&out, &unit);
        fine = graph.add(&fine, &out);
    }
    graph.part("units");
    let usual = graph.constant("climatology", &[c, points], array("climatology")?);
    let fine = graph.add(&fine, &usual);
    let fine = graph.mul(&fine, &std);
    let fine = graph.add(&fine, &mean);
    let fine = graph.reshape(&fine, &[-1, c as i64, ny as i64, nx as i64]);
    graph.output(&fine, "fine");

    let batch = Dim::Named("batch");
    let inner = |leading: &[Dim], sizes: &[usize]| -> Vec<Dim> {
        leading.iter().copied().chain(sizes.iter().copied().map(Dim::Fixed)).collect()
    };
    let input = described(
        "coarse",
        &inner(&[batch], &[frames, c, cy, cx]),
        "frames of the sensor, oldest first, in the units of the channels; the nearest one stands \
         for a frame that is not there",
    );
    let output = described(
        "fine",
        &inner(&[batch], &[c, ny, nx]),
        "expected fine frame of the sensor's frame that has as many behind it as the mean sees",
    );
    let graph = graph.finish("mean", vec![input], vec![output]);
    let entry = StringStringEntryProto {
        key: "finescale.model".into(),
        value: serde_json::to_string(meta)?,
    };
    Ok(encoded(&meta.name, vec![entry], graph))
}

/// What the network sees of anomalies `[n][frame][channel][pixel]`: `[n][field][y][x]`.
fn fields(
    graph: &mut Graph,
    model: &Model<ConditionalMean>,
    reference: &MeanReference,
    anomalies: &Value,
) -> Result<Value> {
    graph.part("views");
    let (meta, system) = (&model.meta, &model.meta.system);
    let (c, frames) = (meta.channels.len(), system.frames());
    let [cy, cx] = meta.coarse_points();
    let (ny, nx) = (meta.grid()?.ny(), meta.grid()?.nx());
    let rows = graph.unsqueeze(anomalies, &[3]);
    let (width, ny, nx) = ((frames * c) as i64, ny as i64, nx as i64);
    let mut seen = Vec::new();
    for (n, map) in reference.view_maps().into_iter().enumerate() {
        let shape = [c, cy * cx, (ny * nx) as usize];
        let map = graph.constant(&format!("view.{n}"), &shape, map);
        let field = graph.matmul(&rows, &map);
        seen.push(graph.reshape(&field, &[-1, width, ny, nx]));
    }
    if system.maps > 0 {
        let maps = model.array("maps")?.values.iter().copied().map(f64::from);
        let shape = [1, system.maps, ny as usize, nx as usize];
        let maps = graph.constant("maps", &shape, maps);
        // The same for every sample.
        let sample = graph.slice(&seen[0], 1, 0, 1);
        let zero = graph.scaled(&sample, 0.0);
        seen.push(graph.add(&zero, &maps));
    }
    Ok(graph.concat(1, &seen.iter().collect::<Vec<_>>()))
}

/// A matrix of rows of `width` values, turned over.
fn transposed(matrix: &[f64], width: usize) -> Vec<f64> {
    let rows = matrix.len() / width;
    (0..width).flat_map(|x| (0..rows).map(move |y| matrix[y * width + x])).collect()
}
