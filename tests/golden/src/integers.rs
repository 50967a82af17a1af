//! Numbers that look random and are the same everywhere: made from integers alone.

/// Most channels of a convolution that they fill.
pub(crate) const CHANNELS_MAX: usize = 8;

/// The seed of weights.
pub(crate) const WEIGHTS: u32 = 0x9E37_79B9;

/// What a linear congruential generator gives after `seed`; multiplier and summand of Press et al.,
/// Numerical Recipes, section 7.1.
pub(crate) fn words(seed: u32) -> impl Iterator<Item = u32> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    core::iter::successors(Some(seed), next).skip(1)
}
