//! Which instructions the inner loops run on, and the registry of kernels.
//!
//! No bit of a result depends on the kernel: they add the same rounded products in the same order.

use super::super::weight::Weight;
#[cfg(vfp)]
use super::vfp;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use super::x86;
use super::{Pass, Products, portable};

/// A way to run passes. Each one has a file, or shares it with its next of kin.
pub(super) trait Kernel: Sized {
    /// Its name.
    const NAME: &'static str;
    /// How fast it is among the kernels of a target; no two have the same.
    const RANK: u8;
    /// The kernel for rows that this one does not take.
    type Narrower: Kernel;

    /// Whether this processor has its instructions.
    fn is_there() -> bool {
        true
    }

    /// [`Kernel::RANK`], unless it depends on the processor.
    fn rank() -> u8 {
        Self::RANK
    }

    /// Whether it takes rows of so many points.
    fn takes(_points: usize) -> bool {
        true
    }

    /// Runs a pass.
    fn run<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>);

    /// The same with numbers as weights, for which there can be a tile in assembly.
    fn run_numbers<const ADJOINT: bool>(pass: Pass<'_, f32>) {
        narrowed::<Self, ADJOINT, f32>(pass);
    }

    /// Adds the products of a sample to its sums.
    fn add_products(products: Products<'_>) {
        products.add();
    }
}

/// Runs a pass on a kernel, or on a narrower one if a row is no whole number of its tiles.
fn narrowed<K: Kernel, const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
    if K::takes(pass.shape.grid().nx()) {
        K::run::<ADJOINT, W>(pass);
    } else {
        narrowed::<K::Narrower, ADJOINT, W>(pass);
    }
}

/// Instructions that a convolution runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePath(Instructions);

/// The registry: a line plugs a kernel in.
macro_rules! kernels {
    ($($(#[$there:meta])* $name:ident: $kernel:ty;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Instructions { $($(#[$there])* $name),* }

        impl Instructions {
            /// All kernels of the target.
            const ALL: &[Self] = &[$($(#[$there])* Self::$name),*];

            /// The fastest where ranks are known when the program is compiled.
            #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
            const FASTEST: Self = {
                let (mut fastest, mut rank) = (Self::Portable, 0);
                $(
                    $(#[$there])*
                    if <$kernel>::RANK > rank {
                        (fastest, rank) = (Self::$name, <$kernel>::RANK);
                    }
                )*
                let _ = rank;
                fastest
            };

            /// Its rank; none where the processor lacks it.
            fn rank(self) -> Option<u8> {
                match self {
                    $($(#[$there])* Self::$name => <$kernel>::is_there().then(<$kernel>::rank)),*
                }
            }

            const fn name(self) -> &'static str {
                match self { $($(#[$there])* Self::$name => <$kernel>::NAME),* }
            }
        }

        /// Runs a pass on a code path, or on a narrower one if a row is no whole number of its
        /// tiles.
        pub(in super::super) fn run<const ADJOINT: bool, W: Weight>(
            path: CodePath,
            pass: Pass<'_, W>,
        ) {
            match path.0 {
                $($(#[$there])* Instructions::$name => narrowed::<$kernel, ADJOINT, W>(pass)),*
            }
        }

        /// The same with numbers as weights, for which a path can have a tile in assembly.
        pub(in super::super) fn run_numbers<const ADJOINT: bool>(
            path: CodePath,
            pass: Pass<'_, f32>,
        ) {
            match path.0 {
                $($(#[$there])* Instructions::$name => <$kernel>::run_numbers::<ADJOINT>(pass)),*
            }
        }

        /// Adds the products of a sample to its sums on a code path.
        pub(in super::super) fn add_products(path: CodePath, products: Products<'_>) {
            match path.0 {
                $($(#[$there])* Instructions::$name => <$kernel>::add_products(products)),*
            }
        }
    };
}

kernels! {
    Portable: portable::Portable;
    #[cfg(vfp)]
    ThenAdd: vfp::ThenAdd;
    #[cfg(vfp)]
    Accumulate: vfp::Accumulate;
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2: x86::Avx2;
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512: x86::Avx512;
}

/// The highest rank that a kernel can have.
const RANKS: u8 = 8;

impl CodePath {
    /// What every processor of the target has.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// Every path that this processor can take, the fastest last. More than one has x86-64 with the
    /// feature `std`, and Cortex-M4F and M7.
    pub fn available() -> impl Iterator<Item = Self> {
        (1..RANKS).filter_map(|rank| {
            let mut all = Instructions::ALL.iter().copied();
            all.find(|kernel| kernel.rank() == Some(rank)).map(Self)
        })
    }

    /// The fastest path that this processor can take.
    pub fn fastest() -> Self {
        #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
        return Self(Instructions::FASTEST);
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        Self::available().fold(Self::PORTABLE, |_, faster| faster)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0.name()
    }
}
