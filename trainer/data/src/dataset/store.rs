//! Zarr v3 arrays and groups with the conventions of xarray: dimension names, attributes,
//! consolidated metadata.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;
use zarrs::array::codec::GzipCodec;
use zarrs::array::{
    Array, ArrayBuilder, ArrayMetadataOptions, ArraySubset, Element, ElementOwned, data_type,
};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::{Group, GroupBuilder};
use zarrs::metadata::NodeMetadata;
use zarrs::metadata::v3::AdditionalFieldV3;

use super::Attributes;

/// A store in a folder.
pub type Store = Arc<FilesystemStore>;
/// An array in such a store.
pub type StoredArray = Array<FilesystemStore>;

/// The store of a folder.
///
/// # Errors
/// If it is no folder.
pub fn open(folder: &Path) -> Result<Store> {
    Ok(Arc::new(FilesystemStore::new(folder)?))
}

/// An element type that a data set uses, with the value that a missing chunk reads as.
pub trait Stored: Element + ElementOwned + Copy {
    /// An array of this type, with the value of missing chunks.
    fn builder(shape: &[u64], chunk: &[u64]) -> ArrayBuilder;
}

macro_rules! stored {
    ($type:ty, $data_type:ident, $fill:expr) => {
        impl Stored for $type {
            fn builder(shape: &[u64], chunk: &[u64]) -> ArrayBuilder {
                ArrayBuilder::new(shape.to_vec(), chunk.to_vec(), data_type::$data_type(), $fill)
            }
        }
    };
}

// A chunk that is not there must not pass for data: NaN is refused when it is read.
stored!(f32, float32, f32::NAN);
stored!(f64, float64, f64::NAN);
stored!(i64, int64, i64::MIN);
stored!(i8, int8, crate::dataset::GAP);

/// Makes an array and writes its metadata; chunks follow.
pub fn create<T: Stored>(
    store: &Store,
    path: &str,
    dimensions: &[(&str, usize)],
    chunk: &[usize],
    attributes: Attributes,
) -> Result<StoredArray> {
    let shape: Vec<u64> = dimensions.iter().map(|&(_, n)| n as u64).collect();
    let chunk: Vec<u64> = chunk.iter().map(|&n| n as u64).collect();
    let array = T::builder(&shape, &chunk)
        // Every Zarr reader has gzip, and its checksum turns a damaged chunk into an error. Fields
        // are mostly incompressible mantissas: a higher level costs time and saves nothing.
        .bytes_to_bytes_codecs(vec![Arc::new(GzipCodec::new(1)?)])
        .dimension_names(Some(dimensions.iter().map(|&(name, _)| name)))
        .attributes(attributes)
        .build(store.clone(), path)
        .with_context(|| format!("cannot make the array `{path}`"))?
        // Attributes are the user's: no note about the library that wrote them.
        .with_metadata_options(ArrayMetadataOptions::default().with_include_zarrs_metadata(false));
    array.store_metadata().with_context(|| format!("cannot write the array `{path}`"))?;
    Ok(array)
}

/// Makes an array of one chunk and fills it.
pub fn write<T: Stored>(
    store: &Store,
    path: &str,
    dimensions: &[(&str, usize)],
    values: &[T],
    attributes: Attributes,
) -> Result<()> {
    let chunk: Vec<usize> = dimensions.iter().map(|&(_, n)| n).collect();
    let array = create::<T>(store, path, dimensions, &chunk, attributes)?;
    array
        .store_chunk(&vec![0; chunk.len()], values)
        .with_context(|| format!("cannot write the array `{path}`"))
}

/// Reads a whole array, which must have the shape given.
pub(crate) fn read<T: Stored>(store: &Store, path: &str, shape: &[usize]) -> Result<Vec<T>> {
    let array = open_array(store, path, shape)?;
    let all = ArraySubset::new_with_shape(array.shape().to_vec());
    array
        .retrieve_array_subset::<Vec<T>>(&all)
        .with_context(|| format!("the array `{path}` cannot be read: the data set is damaged"))
}

pub(crate) fn open_array(store: &Store, path: &str, shape: &[usize]) -> Result<StoredArray> {
    let array = Array::open(store.clone(), path)
        .with_context(|| format!("the array `{path}` is missing or damaged"))?;
    let expected: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    anyhow::ensure!(
        array.shape() == expected,
        "the array `{path}` has shape {:?} where {expected:?} was expected",
        array.shape()
    );
    Ok(array)
}

/// Writes a group with attributes; its metadata gets a copy of all that lies beneath, so that
/// readers need one file.
pub fn write_group(store: &Store, path: &str, attributes: Attributes) -> Result<()> {
    let failed = || format!("cannot write the group `{path}`");
    let mut builder = GroupBuilder::new();
    builder.attributes(attributes);
    let group: Group<FilesystemStore> = builder.build(store.clone(), path)?;
    group.store_metadata().with_context(failed)?;
    let below = path.trim_end_matches('/').len() + 1;
    // Sorted: zarr-python expects the members of a group side by side.
    let metadata: BTreeMap<String, NodeMetadata> = group
        .traverse()?
        .into_iter()
        .map(|(path, metadata)| (path.as_str()[below..].to_owned(), metadata))
        .collect();
    let consolidated = json!({ "kind": "inline", "metadata": metadata });
    let field = AdditionalFieldV3::new(consolidated, false);
    builder.additional_fields(BTreeMap::from([("consolidated_metadata".to_owned(), field)]));
    builder.build(store.clone(), path)?.store_metadata().with_context(failed)
}
