//! Ensembles as Zarr v3 groups, for large ones.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use zarrs::array::ArraySubset;

use super::Ensemble;
use super::layout::{self, Array, Values};
use finescale_data::dataset::staging::Staging;
use finescale_data::dataset::store;

/// Values of a chunk; about a mebibyte.
const CHUNK: usize = 1 << 18;
/// NaN as xarray writes fill values of floats into Zarr v3 attributes.
const NAN: &str = "AAAAAAAA+H8=";

pub(super) fn write(ensemble: &Ensemble, path: &Path) -> Result<()> {
    let staging = Staging::new(path, true)?;
    let store = store::open(staging.path())?;
    for Array { name, dimensions, mut attributes, values } in layout::arrays(ensemble)? {
        finescale_host::interrupt::check()?;
        let path = format!("/{name}");
        let named: Vec<(&str, usize)> = dimensions.iter().map(|(d, n)| (d.as_str(), *n)).collect();
        match values {
            Values::Numbers(values) => store::write(&store, &path, &named, &values, attributes)?,
            Values::Count => {
                let numbers: Vec<i64> = (0..named[0].1 as i64).collect();
                store::write(&store, &path, &named, &numbers, attributes)?;
            }
            Values::Field(part, channel) => {
                attributes.insert("_FillValue".into(), json!(NAN));
                let chunk = chunk(&named, ensemble.spec.axes().count());
                let array = store::create::<f32>(&store, &path, &named, &chunk, attributes)?;
                let all = ArraySubset::new_with_shape(array.shape().to_vec());
                array
                    .store_array_subset(&all, part.channel(ensemble, channel))
                    .with_context(|| format!("cannot write `{name}`"))?;
            }
        }
    }
    store::write_group(&store, "/", layout::attributes(ensemble)?)?;
    staging.publish()
}

/// Whole fields, of one trajectory and one member, as many frames as fit.
fn chunk(dimensions: &[(&str, usize)], axes: usize) -> Vec<usize> {
    let points: usize = dimensions.iter().rev().take(axes).map(|(_, n)| n).product();
    let space = dimensions.len() - axes;
    let length = |(at, &(name, n)): (usize, &(&str, usize))| match name {
        _ if at >= space => n,
        "time" => (CHUNK / points).clamp(1, n),
        _ => 1,
    };
    dimensions.iter().enumerate().map(length).collect()
}
