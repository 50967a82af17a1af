//! Bytes read from front to back, every length checked.

use super::ALIGNMENT;
use super::Invalid;

/// What is left of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    left: &'a [u8],
    /// Bytes read.
    at: usize,
    /// Whether all values have been found finite: layers are looked up at every evaluation.
    known: bool,
}

/// A product of lengths.
pub(super) fn product(factors: &[usize]) -> Result<usize, Invalid> {
    factors.iter().try_fold(1, |all: usize, n| all.checked_mul(*n)).ok_or(Invalid::Length)
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, at: 0, known: false }
    }

    /// The same, of a file that has been read whole.
    pub(super) const fn known(self) -> Self {
        Self { known: true, ..self }
    }

    /// Bytes read.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The same after `n` more bytes, which were read before.
    pub(super) fn from(mut self, n: u32) -> Self {
        let skipped = usize::try_from(n).map_err(|_| Invalid::Length).and_then(|n| self.take(n));
        debug_assert!(skipped.is_ok(), "a place in the file is behind its end");
        self
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Invalid> {
        let (taken, left) = self.left.split_at_checked(n).ok_or(Invalid::Length)?;
        (self.left, self.at) = (left, self.at.saturating_add(n));
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Invalid> {
        let (taken, left) = self.left.split_first_chunk::<N>().ok_or(Invalid::Length)?;
        (self.left, self.at) = (left, self.at.saturating_add(N));
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Invalid> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Invalid> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Invalid> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Result<f32, Invalid> {
        self.array().map(f32::from_le_bytes)
    }

    /// UTF-8 text of `n` bytes.
    pub(super) fn text(&mut self, n: usize, name: &'static str) -> Result<&'a str, Invalid> {
        core::str::from_utf8(self.take(n)?).map_err(|_| Invalid::Field { name })
    }

    /// `n` zero bytes.
    pub(super) fn zeros(&mut self, n: usize) -> Result<(), Invalid> {
        let zeros = self.take(n)?.iter().all(|byte| *byte == 0);
        if zeros { Ok(()) } else { Err(Invalid::Field { name: "padding" }) }
    }

    /// Goes on to the next multiple of [`ALIGNMENT`]; what is between is zero.
    pub(super) fn align(&mut self) -> Result<(), Invalid> {
        self.zeros(self.at.wrapping_neg() % ALIGNMENT)
    }

    /// Finite f32, aligned, in place; their number is the product of `lengths`.
    pub(super) fn f32s(
        &mut self,
        lengths: &[usize],
        name: &'static str,
    ) -> Result<&'a [f32], Invalid> {
        self.align()?;
        let n = product(lengths)?;
        let bytes = self.take(n.checked_mul(4).ok_or(Invalid::Length)?)?;
        let values: &[f32] = bytemuck::try_cast_slice(bytes).map_err(|_| Invalid::Alignment)?;
        if self.known || values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(Invalid::Field { name })
        }
    }

    /// i8, aligned, in place.
    pub(super) fn i8s(&mut self, n: usize) -> Result<&'a [i8], Invalid> {
        self.align()?;
        bytemuck::try_cast_slice(self.take(n)?).map_err(|_| Invalid::Alignment)
    }

    /// Words of four bytes, aligned, in place.
    pub(super) fn words(&mut self, n: usize) -> Result<&'a [u32], Invalid> {
        self.align()?;
        let bytes = self.take(n.checked_mul(4).ok_or(Invalid::Length)?)?;
        bytemuck::try_cast_slice(bytes).map_err(|_| Invalid::Alignment)
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.left
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }
}
