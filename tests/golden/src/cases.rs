//! The table of cases.

use finescale::Boundary::{Periodic, Reflecting};
use finescale::Laplacian::{FiniteDifference, Spectral};

use crate::Draw::{Coupled, Forecast, Linear, Online, Paper, SuperResolve, Switched};
use crate::Model::{
    LatitudesF32, LatitudesInt16, LineInt8, LineInt16, PlaneF32, PlaneInt8, PlaneInt16,
    ResidualsF32, ResidualsInt8, ResidualsInt16,
};
use crate::Task::{Decay, Forward, PowerSpectrum, Resample, Sample, Score};
use crate::{Case, Task};

const fn conv(outputs: usize, taps: usize, dilation: usize) -> Task {
    Task::Conv { outputs, taps, dilation }
}

const fn int16(taps: usize, dilation: usize) -> Task {
    Task::Int16 { taps, dilation }
}

macro_rules! cases {
    ($($name:literal: $task:expr, $y:expr, $x:expr, $channels:literal, $laplacian:ident, $lambda:literal;)*) => {
        /// Every case.
        pub static CASES: &[Case] = &[$(Case {
            name: $name,
            task: $task,
            y: $y,
            x: $x,
            channels: $channels,
            laplacian: $laplacian,
            lambda: $lambda,
            bytes: include_bytes!(concat!("../vectors/", $name, ".f32")),
        }),*];
    };
}

// λ is the sampler's own in the last ones.
// Every length that microfft transforms with both boundaries, then planes of every pairing of
// boundaries. At the end, grids with steps of radix 2, 3 and 5.
cases! {
    "line-8-periodic": Forward, None, (8, Periodic), 1, Spectral, 0.3;
    "line-8-reflecting": Forward, None, (8, Reflecting), 1, Spectral, 0.3;
    "line-16-periodic": Forward, None, (16, Periodic), 3, Spectral, 0.1;
    "line-16-reflecting": Forward, None, (16, Reflecting), 3, Spectral, 0.1;
    "line-32-periodic": Forward, None, (32, Periodic), 1, FiniteDifference, 1.0;
    "line-32-reflecting": Forward, None, (32, Reflecting), 1, FiniteDifference, 1.0;
    "line-64-periodic": Forward, None, (64, Periodic), 2, Spectral, 0.03;
    "line-64-reflecting": Forward, None, (64, Reflecting), 2, Spectral, 0.03;
    "line-128-periodic": Forward, None, (128, Periodic), 1, Spectral, 0.01;
    "line-128-reflecting": Forward, None, (128, Reflecting), 1, Spectral, 0.01;
    "line-256-periodic": Forward, None, (256, Periodic), 1, Spectral, 0.003;
    "line-256-reflecting": Forward, None, (256, Reflecting), 1, Spectral, 0.003;
    "line-512-periodic": Forward, None, (512, Periodic), 1, Spectral, 0.001;
    "line-512-reflecting": Forward, None, (512, Reflecting), 1, Spectral, 0.001;
    "line-1024-periodic": Forward, None, (1024, Periodic), 1, Spectral, 0.0003;
    "line-1024-reflecting": Forward, None, (1024, Reflecting), 1, Spectral, 0.0003;
    "plane-32x32-periodic": Forward, Some((32, Periodic)), (32, Periodic), 1, Spectral, 0.05;
    "plane-16x32-reflecting": Forward, Some((16, Reflecting)), (32, Reflecting), 2, Spectral, 0.05;
    "plane-32x64-latitudes": Forward, Some((32, Reflecting)), (64, Periodic), 1, FiniteDifference, 0.02;
    "plane-64x8-channel": Forward, Some((64, Periodic)), (8, Reflecting), 1, Spectral, 0.2;
    "plane-64x64-periodic": Forward, Some((64, Periodic)), (64, Periodic), 1, Spectral, 0.0;
    "decay-line-256-periodic": Decay, None, (256, Periodic), 1, Spectral, 0.06;
    "resample-line-64-periodic": Resample, None, (64, Periodic), 2, Spectral, 0.001;
    "resample-line-64-reflecting": Resample, None, (64, Reflecting), 2, Spectral, 0.001;
    "resample-plane-32x32-periodic": Resample, Some((32, Periodic)), (32, Periodic), 1, Spectral, 0.001;
    "resample-plane-32x16-latitudes": Resample, Some((32, Reflecting)), (16, Periodic), 2, Spectral, 0.001;
    "power-line-128-reflecting": PowerSpectrum, None, (128, Reflecting), 2, Spectral, 0.01;
    "power-plane-64x64-periodic": PowerSpectrum, Some((64, Periodic)), (64, Periodic), 1, Spectral, 0.01;
    "sample-line-16-periodic": Sample(Linear), None, (16, Periodic), 2, Spectral, 0.0;
    "sample-plane-8x8-periodic": Sample(SuperResolve), Some((8, Periodic)), (8, Periodic), 1, FiniteDifference, 0.0;
    "sample-plane-8x8-latitudes": Sample(Forecast), Some((8, Reflecting)), (8, Periodic), 1, Spectral, 0.0;
    "sample-line-16-coupled": Sample(Coupled), None, (16, Periodic), 2, Spectral, 0.0;
    "sample-line-16-pixels": Sample(Online), None, (16, Periodic), 1, Spectral, 0.0;
    "sample-line-16-paper": Sample(Paper), None, (16, Reflecting), 1, Spectral, 0.0;
    "conv-line-64-taps-5": conv(8, 5, 1), None, (64, Periodic), 6, Spectral, 0.0;
    "conv-line-64-taps-5-by-2": conv(8, 5, 2), None, (64, Periodic), 6, Spectral, 0.0;
    "conv-line-64-mirrors": conv(5, 5, 2), None, (64, Reflecting), 8, Spectral, 0.0;
    "conv-line-32-taps-7": conv(4, 7, 1), None, (32, Reflecting), 4, Spectral, 0.0;
    "conv-plane-16x16-periodic": conv(7, 3, 1), Some((16, Periodic)), (16, Periodic), 5, Spectral, 0.0;
    "conv-plane-16x16-by-2": conv(7, 3, 2), Some((16, Periodic)), (16, Periodic), 5, Spectral, 0.0;
    "conv-plane-16x16-apart": conv(8, 3, 4), Some((16, Periodic)), (16, Periodic), 4, Spectral, 0.0;
    "conv-plane-8x16-mirrors": conv(1, 3, 2), Some((8, Reflecting)), (16, Reflecting), 6, Spectral, 0.0;
    "conv-plane-16x8-latitudes": conv(3, 5, 1), Some((16, Reflecting)), (8, Periodic), 2, Spectral, 0.0;
    "int16-line-64-taps-5": int16(5, 2), None, (64, Periodic), 8, Spectral, 0.0;
    "int16-line-64-mirrors": int16(5, 4), None, (64, Reflecting), 6, Spectral, 0.0;
    "int16-line-32-taps-7": int16(7, 1), None, (32, Reflecting), 4, Spectral, 0.0;
    "int16-plane-16x16-apart": int16(3, 4), Some((16, Periodic)), (16, Periodic), 4, Spectral, 0.0;
    "int16-plane-8x16-mirrors": int16(3, 2), Some((8, Reflecting)), (16, Reflecting), 5, Spectral, 0.0;
    "int16-plane-16x8-latitudes": int16(5, 1), Some((16, Reflecting)), (8, Periodic), 2, Spectral, 0.0;
    "int16-plane-8x8-points": int16(1, 1), Some((8, Periodic)), (8, Reflecting), 3, Spectral, 0.0;
    "products-f32": Score(PlaneF32), Some((8, Periodic)), (8, Periodic), 1, Spectral, 0.1;
    "products-int8": Score(PlaneInt8), Some((8, Periodic)), (8, Periodic), 1, Spectral, 0.1;
    "products-int16": Score(PlaneInt16), Some((8, Periodic)), (8, Periodic), 1, Spectral, 0.1;
    "products-line-int8": Score(LineInt8), None, (8, Reflecting), 2, Spectral, 0.03;
    "products-line-int16": Score(LineInt16), None, (8, Reflecting), 2, Spectral, 0.03;
    "products-latitudes-f32": Score(LatitudesF32), Some((8, Reflecting)), (8, Periodic), 2, Spectral, 0.3;
    "products-latitudes-int16": Score(LatitudesInt16), Some((8, Reflecting)), (8, Periodic), 2, Spectral, 0.3;
    "residuals-f32": Score(ResidualsF32), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.1;
    "residuals-int8": Score(ResidualsInt8), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.1;
    "residuals-int16": Score(ResidualsInt16), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.1;
    "mean-plane-f32": Task::Mean(crate::Mean::PlaneF32), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.0;
    "mean-plane-int8": Task::Mean(crate::Mean::PlaneInt8), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.0;
    "mean-plane-int16": Task::Mean(crate::Mean::PlaneInt16), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.0;
    "mean-modes-f32": Task::Mean(crate::Mean::ModesF32), Some((8, Reflecting)), (8, Periodic), 1, Spectral, 0.0;
    "mean-map-int8": Task::Mean(crate::Mean::MapInt8), Some((8, Reflecting)), (8, Reflecting), 1, Spectral, 0.0;
    "mean-line-int16": Task::Mean(crate::Mean::LineInt16), None, (8, Periodic), 1, Spectral, 0.0;
    "members-plane-int8": Task::Members(crate::Mean::PlaneInt8), Some((8, Periodic)), (8, Periodic), 2, Spectral, 0.0;
    "line-48-periodic": Forward, None, (48, Periodic), 2, Spectral, 0.03;
    "line-90-reflecting": Forward, None, (90, Reflecting), 1, FiniteDifference, 0.01;
    "line-2048-periodic": Forward, None, (2048, Periodic), 1, Spectral, 0.0001;
    "plane-24x40-latitudes": Forward, Some((24, Reflecting)), (40, Periodic), 1, Spectral, 0.05;
    "resample-plane-24x40-periodic": Resample, Some((24, Periodic)), (40, Periodic), 1, Spectral, 0.001;
    "conv-plane-12x24-periodic": conv(3, 3, 2), Some((12, Periodic)), (24, Periodic), 5, Spectral, 0.0;
    "int16-plane-10x24-mirrors": int16(3, 2), Some((10, Reflecting)), (24, Reflecting), 3, Spectral, 0.0;
    "sample-line-16-switched": Sample(Switched), None, (16, Periodic), 2, Spectral, 0.0;
}
