//! Which instructions the inner loops run on. No bit of a result depends on it: on x86-64 they are
//! the same safe function, compiled for tiles of several widths; on Cortex-M4F and M7 the tile has
//! a twin in assembly.

use super::super::shape::LANES;
use super::super::weight::Weight;
use super::span::Points;
use super::tile::Channels;
#[cfg(vfp)]
use super::vfp::Multiply;
use super::{Pass, Products};

/// Points and channels of a tile in code for any processor: 16 sums fill half of a Cortex-M's float
/// registers, where more points than channels share more of what is loaded; 32 fill eight of SSE2's
/// or NEON's.
const PORTABLE_POINTS: usize = 8;
const PORTABLE_CHANNELS: usize = if cfg!(target_pointer_width = "64") { LANES } else { 2 };

/// Instructions that a convolution runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePath(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Portable,
    #[cfg(vfp)]
    Vfp(Multiply),
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512,
}

impl CodePath {
    /// What every processor of the target has.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// Every path that this processor can take, the fastest last. More than one has x86-64 with the
    /// feature `std`, and Cortex-M4F and M7.
    pub fn available() -> impl Iterator<Item = Self> {
        let portable = core::iter::once(Self::PORTABLE);
        #[cfg(vfp)]
        let portable =
            portable.chain(Multiply::SLOWEST_FIRST.map(|way| Self(Instructions::Vfp(way))));
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        let portable = portable.chain(x86::slowest_first().map(Self));
        portable
    }

    /// The fastest path that this processor can take.
    pub fn fastest() -> Self {
        #[cfg(vfp)]
        return Self(Instructions::Vfp(Multiply::FASTEST));
        #[cfg(not(vfp))]
        Self::available().fold(Self::PORTABLE, |_, faster| faster)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(vfp)]
            Instructions::Vfp(Multiply::ThenAdd) => "vmul, vadd",
            #[cfg(vfp)]
            Instructions::Vfp(Multiply::Accumulate) => "vmla",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Instructions::Avx2 => "avx2",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Instructions::Avx512 => "avx512",
        }
    }
}

/// Runs a pass on a code path, or on a narrower one if a row is shorter than its tile.
pub(in super::super) fn run<const ADJOINT: bool, W: Weight>(path: CodePath, pass: Pass<'_, W>) {
    match path.0 {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        Instructions::Avx512 if pass.shape.grid().nx() >= x86::AVX512_POINTS => {
            x86::avx512::<ADJOINT, W>(pass);
        }
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        Instructions::Avx2 | Instructions::Avx512 if pass.shape.grid().nx() >= x86::AVX2_POINTS => {
            x86::avx2::<ADJOINT, W>(pass);
        }
        _ => pass.run::<Points<PORTABLE_POINTS>, ADJOINT>(Channels::<PORTABLE_CHANNELS>),
    }
}

/// The same with numbers as weights, for which a path can have a tile in assembly.
pub(in super::super) fn run_numbers<const ADJOINT: bool>(path: CodePath, pass: Pass<'_, f32>) {
    #[cfg(vfp)]
    if let Instructions::Vfp(multiply) = path.0
        && Multiply::TAPS.contains(&pass.shape.taps())
    {
        return pass.run::<Points<{ Multiply::POINTS }>, ADJOINT>(multiply);
    }
    run::<ADJOINT, f32>(path, pass);
}

/// Adds the products of a sample to its sums on a code path.
pub(in super::super) fn add_products(path: CodePath, products: Products<'_>) {
    match path.0 {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        Instructions::Avx2 | Instructions::Avx512 => x86::add_products(products),
        _ => products.add(),
    }
}

/// The only `unsafe` of the crate beside the tiles in assembly, `smlad.rs` and `vfp.rs`: calling a
/// safe function that is compiled for instructions which the compiler cannot know to be there. A
/// [`CodePath`] that names them only comes from [`CodePath::available`], which has looked.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[allow(unsafe_code)]
mod x86 {
    use core::arch::x86_64::__cpuid;
    use std::sync::OnceLock;

    use super::{Channels, Instructions, LANES, Pass, Points, Products, Weight};

    /// What this processor has.
    pub(super) fn slowest_first() -> impl Iterator<Item = Instructions> {
        let avx2 = std::arch::is_x86_feature_detected!("avx2");
        let avx512 = avx2
            && std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512vl");
        let [avx2, avx512] = [(avx2, Instructions::Avx2), (avx512, Instructions::Avx512)]
            .map(|(there, path)| there.then_some(path));
        let order = if halves_512_bits() { [avx512, avx2] } else { [avx2, avx512] };
        order.into_iter().flatten()
    }

    /// Whether vectors of 512 bits go through the units in two halves, and so gain nothing over two
    /// of 256: AMD's Zen 4.
    fn halves_512_bits() -> bool {
        // Asked once: under a hypervisor each CPUID takes as long as a small layer.
        static HALVES: OnceLock<bool> = OnceLock::new();
        *HALVES.get_or_init(|| {
            let (vendor, version) = (__cpuid(0), __cpuid(1).eax);
            let family = (version >> 8 & 0xF) + (version >> 20 & 0xFF);
            let name = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
            name.as_flattened() == b"AuthenticAMD" && family == 0x19
        })
    }

    pub(super) const AVX2_POINTS: usize = 16;
    pub(super) const AVX512_POINTS: usize = 32;

    pub(super) fn avx2<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        #[target_feature(enable = "avx2")]
        fn compiled<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
            pass.run::<Points<AVX2_POINTS>, ADJOINT>(Channels::<LANES>);
        }
        // SAFETY: the processor has AVX2.
        unsafe { compiled::<ADJOINT, W>(pass) }
    }

    pub(super) fn add_products(products: Products<'_>) {
        #[target_feature(enable = "avx2")]
        fn compiled(products: Products<'_>) {
            products.add();
        }
        // SAFETY: the processor has AVX2.
        unsafe { compiled(products) }
    }

    pub(super) fn avx512<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        #[target_feature(enable = "avx512f,avx512vl")]
        fn compiled<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
            pass.run::<Points<AVX512_POINTS>, ADJOINT>(Channels::<LANES>);
        }
        // SAFETY: the processor has AVX-512.
        unsafe { compiled::<ADJOINT, W>(pass) }
    }
}
