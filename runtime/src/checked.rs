//! Fall-backs for what cannot happen: a debug build stops there, and a release build goes on. A
//! length too large to be computed becomes one that no slice has.
//!
//! Lengths are checked once, where a slice comes in. Behind that point a slice that is too short is
//! a fault of this crate. A release build must have no panic path, so it goes on with what is
//! there; a debug build stops.

/// A fall-back for what cannot be missing.
pub(crate) trait OrBug {
    /// What there is.
    type Value;

    /// The value; a fault of this crate, told in debug builds, if there is none. Release builds
    /// take the default.
    fn or_bug(self) -> Self::Value;
}

impl<T: Default> OrBug for Option<T> {
    type Value = T;

    #[track_caller]
    #[inline(always)]
    fn or_bug(self) -> T {
        debug_assert!(self.is_some(), "a value that was checked before is missing");
        self.unwrap_or_default()
    }
}

/// Both iterators side by side; that one is longer than the other is a fault of this crate, told in
/// debug builds.
#[track_caller]
#[inline(always)]
pub(crate) fn zip<A, B>(a: A, b: B) -> core::iter::Zip<A::IntoIter, B::IntoIter>
where
    A: IntoIterator<IntoIter: ExactSizeIterator>,
    B: IntoIterator<IntoIter: ExactSizeIterator>,
{
    let (a, b) = (a.into_iter(), b.into_iter());
    debug_assert_eq!(a.len(), b.len(), "two slices that belong together differ in length");
    a.zip(b)
}

/// Slices of `len` values each, one behind the other.
///
/// Two of these side by side do not ask how many they are, as two `chunks_exact` do: that is a
/// division, for which a panic path remains where the compiler loses sight of the divisor.
#[inline(always)]
pub(crate) fn rows<T>(values: &[T], len: usize) -> impl Iterator<Item = &[T]> {
    values.chunks_exact(len.max(1)).take(usize::MAX)
}

/// As [`rows`], to be written.
#[inline(always)]
pub(crate) fn rows_mut<T>(values: &mut [T], len: usize) -> impl Iterator<Item = &mut [T]> {
    values.chunks_exact_mut(len.max(1)).take(usize::MAX)
}

/// As [`numbered`] for an iterator that does not know its length.
#[inline(always)]
pub(crate) fn counted<I: IntoIterator>(
    iter: I,
) -> core::iter::Zip<core::ops::Range<usize>, I::IntoIter> {
    (0..usize::MAX).zip(iter)
}

/// Frames with their numbers. A path has fewer than 2³² of them, as every one holds eight values or
/// more.
#[inline(always)]
pub(crate) fn numbered_frames<I: IntoIterator>(
    frames: I,
) -> core::iter::Zip<core::ops::Range<u32>, I::IntoIter> {
    (0..u32::MAX).zip(frames)
}

/// What an iterator gives, each with its number; unlike `enumerate` without a check whether numbers
/// overflow.
#[inline(always)]
pub(crate) fn numbered<I: ExactSizeIterator>(
    iter: I,
) -> core::iter::Zip<core::ops::Range<usize>, I> {
    (0..iter.len()).zip(iter)
}

/// Goes on from a place that cannot be reached; a debug build stops there.
#[track_caller]
#[inline(always)]
pub(crate) fn bug() {
    debug_assert!(false, "what was checked before does not hold");
}

/// Arithmetic with places inside slices, and with bounded numbers, whose results fit because the
/// slices do.
///
/// That one does not fit is a fault of this crate, told in debug builds. A release build wraps,
/// also where it is built with `overflow-checks`, since no panic path may remain; `get` then
/// refuses the place.
pub(crate) trait Place: Copy {
    /// self + other
    fn plus(self, other: Self) -> Self;
    /// self − other
    fn minus(self, other: Self) -> Self;
    /// self · other
    fn times(self, other: Self) -> Self;
}

macro_rules! place {
    ($($number:ty),+) => {$(
        impl Place for $number {
            #[track_caller]
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                debug_assert!(self.checked_add(other).is_some(), "a sum does not fit");
                self.wrapping_add(other)
            }

            #[track_caller]
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                debug_assert!(self.checked_sub(other).is_some(), "a difference does not fit");
                self.wrapping_sub(other)
            }

            #[track_caller]
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                debug_assert!(self.checked_mul(other).is_some(), "a product does not fit");
                self.wrapping_mul(other)
            }
        }
    )+};
}

place!(usize, isize, i32, i64);

/// The product of lengths; `usize::MAX`, which no slice of values has, if it does not fit.
pub(crate) const fn product(factors: &[usize]) -> usize {
    let (mut all, mut rest) = (1_usize, factors);
    while let [first, others @ ..] = rest {
        all = all.saturating_mul(*first);
        rest = others;
    }
    all
}

/// The sum of lengths; `usize::MAX`, which no slice of values has, if it does not fit.
pub(crate) const fn sum(terms: &[usize]) -> usize {
    let (mut all, mut rest) = (0_usize, terms);
    while let [first, others @ ..] = rest {
        all = all.saturating_add(*first);
        rest = others;
    }
    all
}
