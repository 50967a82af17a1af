//! A folder that holds a Zarr hierarchy. Python writes attributes that are no numbers, such as a
//! `missing_value` of NaN, as bare words into the metadata, which is no JSON; here they are null.

use std::path::Path;

use anyhow::Result;
use zarrs::filesystem::FilesystemStore;
use zarrs::storage::byte_range::ByteRangeIterator;
use zarrs::storage::{
    ListableStorageTraits, MaybeBytes, MaybeBytesIterator, ReadableStorageTraits, StorageError,
    StoreKey, StoreKeys, StoreKeysPrefixes, StorePrefix,
};

pub(super) struct Folder(FilesystemStore);

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self(FilesystemStore::new(path)?))
    }
}

impl ReadableStorageTraits for Folder {
    fn get(&self, key: &StoreKey) -> Result<MaybeBytes, StorageError> {
        let name = key.as_str().rsplit('/').next().unwrap_or_default();
        let metadata = matches!(name, "zarr.json" | ".zgroup" | ".zarray" | ".zattrs");
        let bytes = self.0.get(key)?;
        Ok(if metadata { bytes.map(|json| without_bare_words(&json).into()) } else { bytes })
    }

    fn get_partial_many<'a>(
        &'a self,
        key: &StoreKey,
        byte_ranges: ByteRangeIterator<'a>,
    ) -> Result<MaybeBytesIterator<'a>, StorageError> {
        self.0.get_partial_many(key, byte_ranges)
    }

    fn size_key(&self, key: &StoreKey) -> Result<Option<u64>, StorageError> {
        self.0.size_key(key)
    }

    fn supports_get_partial(&self) -> bool {
        self.0.supports_get_partial()
    }
}

impl ListableStorageTraits for Folder {
    fn list(&self) -> Result<StoreKeys, StorageError> {
        self.0.list()
    }

    fn list_prefix(&self, prefix: &StorePrefix) -> Result<StoreKeys, StorageError> {
        self.0.list_prefix(prefix)
    }

    fn list_dir(&self, prefix: &StorePrefix) -> Result<StoreKeysPrefixes, StorageError> {
        self.0.list_dir(prefix)
    }

    fn size_prefix(&self, prefix: &StorePrefix) -> Result<u64, StorageError> {
        self.0.size_prefix(prefix)
    }
}

/// Puts null in place of NaN and of infinities outside of texts.
fn without_bare_words(json: &[u8]) -> Vec<u8> {
    const WORDS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    let mut out = Vec::with_capacity(json.len());
    let (mut rest, mut text) = (json, false);
    while let [byte, after @ ..] = rest {
        let word = WORDS.iter().find(|word| !text && rest.starts_with(word));
        rest = match (byte, word) {
            (_, Some(word)) => {
                out.extend(b"null");
                &rest[word.len()..]
            }
            // What follows a backslash in a text is part of it, a quote too.
            (b'\\', _) => {
                let pair = rest.len().min(2);
                out.extend(&rest[..pair]);
                &rest[pair..]
            }
            _ => {
                text ^= *byte == b'"';
                out.push(*byte);
                after
            }
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_has_not_become_null() {
        let mended = |text: &str| String::from_utf8(without_bare_words(text.as_bytes())).unwrap();
        assert_eq!(mended(r#"{"a": NaN, "b": [-Infinity, 1]}"#), r#"{"a": null, "b": [null, 1]}"#);
        let kept = r#"{"fill_value": "NaN", "name \" NaN": "Infinity \\", "c": -1}"#;
        assert_eq!(mended(kept), kept);
    }
}
