//! Little-endian bytes from front to back.

use finescale::model::ALIGNMENT;

/// A file under construction.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn f32(&mut self, value: f32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Zeros up to the next multiple of [`ALIGNMENT`].
    pub(super) fn align(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(ALIGNMENT), 0);
    }

    pub(super) fn f32s(&mut self, values: impl IntoIterator<Item = f32>) {
        self.align();
        values.into_iter().for_each(|value| self.f32(value));
    }

    pub(super) fn i8s(&mut self, values: &[i8]) {
        self.align();
        self.0.extend(values.iter().map(|value| value.cast_unsigned()));
    }

    pub(super) fn words(&mut self, words: &[u32]) {
        self.align();
        words.iter().for_each(|word| self.u32(*word));
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.0
    }
}
