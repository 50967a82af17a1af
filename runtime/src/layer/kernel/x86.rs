//! The kernels for AVX2 and AVX-512: the safe tile, compiled for wider registers.
//!
//! ```text
//!   AVX2: 4 channels × 16 points, two registers    AVX-512: 4 channels × 32 points, two registers
//!         of eight sums for each channel                    of sixteen sums for each channel
//! ```
//!
//! Rows of 24 or 40 points, say, are no whole number of such tiles: they go to narrower ones.
//!
//! What the sums of a tile are made of is drawn in [`super::tile`].
//!
//! This is the only `unsafe` of the crate beside the tiles in assembly: calling a safe function
//! that is compiled for instructions which the compiler cannot know to be there. A
//! [`CodePath`](super::CodePath) that names them only comes from its `available`, which has looked.
#![allow(unsafe_code)]

use core::arch::x86_64::__cpuid;
use std::arch::is_x86_feature_detected;
use std::sync::OnceLock;

use super::super::shape::LANES;
use super::super::weight::Weight;
use super::dispatch::Kernel;
use super::portable::Portable;
use super::span::Points;
use super::tile::Channels;
use super::{Pass, Products};

const AVX2_POINTS: usize = 16;
/// Of rows that are no multiple of those.
const AVX2_FEWER_POINTS: usize = 8;
const AVX512_POINTS: usize = 32;

/// Vectors of 256 bits.
pub(super) struct Avx2;

/// Vectors of 512 bits.
pub(super) struct Avx512;

impl Kernel for Avx2 {
    const NAME: &'static str = "avx2";
    const RANK: u8 = 3;
    type Narrower = Portable;

    fn is_there() -> bool {
        is_x86_feature_detected!("avx2")
    }

    fn run<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        #[target_feature(enable = "avx2")]
        fn compiled<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
            if pass.shape.grid().nx().is_multiple_of(AVX2_POINTS) {
                pass.run::<Points<AVX2_POINTS>, ADJOINT>(Channels::<LANES>);
            } else {
                pass.run::<Points<AVX2_FEWER_POINTS>, ADJOINT>(Channels::<LANES>);
            }
        }
        // SAFETY: the processor has AVX2.
        unsafe { compiled::<ADJOINT, W>(pass) }
    }

    fn add_products(products: Products<'_>) {
        #[target_feature(enable = "avx2")]
        fn compiled(products: Products<'_>) {
            products.add();
        }
        // SAFETY: the processor has AVX2.
        unsafe { compiled(products) }
    }
}

impl Kernel for Avx512 {
    const NAME: &'static str = "avx512";
    const RANK: u8 = 4;
    type Narrower = Avx2;

    fn is_there() -> bool {
        Avx2::is_there()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
    }

    fn rank() -> u8 {
        if halves_512_bits() { Avx2::RANK - 1 } else { Self::RANK }
    }

    fn takes(points: usize) -> bool {
        points.is_multiple_of(AVX512_POINTS)
    }

    fn run<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        #[target_feature(enable = "avx512f,avx512vl")]
        fn compiled<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
            pass.run::<Points<AVX512_POINTS>, ADJOINT>(Channels::<LANES>);
        }
        // SAFETY: the processor has AVX-512.
        unsafe { compiled::<ADJOINT, W>(pass) }
    }

    fn add_products(products: Products<'_>) {
        Avx2::add_products(products);
    }
}

/// Whether vectors of 512 bits go through the units in two halves, and so gain nothing over two of
/// 256: AMD's Zen 4.
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
