//! What cannot happen says so in debug builds; lengths that do not fit are lengths that no slice has.
//!
//! Lengths are checked once, where a slice comes in. Behind that point a slice that is too short is a fault of this crate.
//! A release build must have no panic path, so it goes on with what is there; a debug build stops.

/// A fall-back for what cannot be missing.
pub(crate) trait OrBug {
    /// What there is.
    type Value;

    /// The value; a fault of this crate, told in debug builds, if there is none. Release builds take the default.
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

/// Both iterators side by side; that one is longer than the other is a fault of this crate, told in debug builds.
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
