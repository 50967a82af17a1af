//! What packed weights are stored as.

/// A stored weight: `f32`, or `i8` whose multiplier for each output channel is part of the epilogue's scale.
pub trait Weight: sealed::Stored {}

impl Weight for f32 {}
impl Weight for i8 {}

mod sealed {
    pub trait Stored: Copy + Default + core::fmt::Debug {
        /// The number that sums are made with; exact.
        fn number(self) -> f32;
        /// The weights as they are, if they are numbers.
        fn numbers(weights: &[Self]) -> Option<&[f32]>;
    }

    impl Stored for f32 {
        #[inline(always)]
        fn number(self) -> f32 {
            self
        }

        #[inline(always)]
        fn numbers(weights: &[Self]) -> Option<&[f32]> {
            Some(weights)
        }
    }

    impl Stored for i8 {
        #[inline(always)]
        fn number(self) -> f32 {
            f32::from(self)
        }

        #[inline(always)]
        fn numbers(_: &[Self]) -> Option<&[f32]> {
            None
        }
    }
}
