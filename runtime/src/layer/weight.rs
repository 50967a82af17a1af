//! What packed weights are stored as.

/// A stored weight: `f32`, or `i8` whose multiplier for each output channel is part of the
/// epilogue's scale.
pub trait Weight: sealed::Stored {}

impl Weight for f32 {}
impl Weight for i8 {}

mod sealed {
    use super::super::kernel::{self, CodePath, Pass};

    pub trait Stored: Copy + Default + core::fmt::Debug {
        /// The number that sums are made with; exact.
        fn number(self) -> f32;
        /// Runs a forward evaluation. Not generic, and so compiled once for all crates.
        fn forward(path: CodePath, pass: Pass<'_, Self>);
        /// Runs a vector-Jacobian product.
        fn vjp(path: CodePath, pass: Pass<'_, Self>);
    }

    impl Stored for f32 {
        #[inline(always)]
        fn number(self) -> f32 {
            self
        }

        fn forward(path: CodePath, pass: Pass<'_, Self>) {
            kernel::run_numbers::<false>(path, pass);
        }

        fn vjp(path: CodePath, pass: Pass<'_, Self>) {
            kernel::run_numbers::<true>(path, pass);
        }
    }

    impl Stored for i8 {
        #[inline(always)]
        fn number(self) -> f32 {
            f32::from(self)
        }

        fn forward(path: CodePath, pass: Pass<'_, Self>) {
            kernel::run::<false, Self>(path, pass);
        }

        fn vjp(path: CodePath, pass: Pass<'_, Self>) {
            kernel::run::<true, Self>(path, pass);
        }
    }
}
