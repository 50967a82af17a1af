//! The information of windows of coupled channels against closed forms.

use finescale::{Axis, ForwardProcess, Grid, Laplacian};
use finescale_field::emergence::Process;
use finescale_field::modes::Group;
use finescale_model::linear::{LinearBase, PackedAutocovariance};
use finescale_regimes::memory::{WindowInformation, bound};
use finescale_regimes::shells::Coupling;
use nalgebra::Complex;

const WINDOW: usize = 2;
/// Correlation from one frame to the next, and of the two channels.
const MEMORY: f64 = 0.6;
const SHARED: f64 = 0.5;

/// Two channels alike, each of which keeps a part of itself.
fn base(coupling: Option<Coupling>) -> LinearBase {
    let grid = Grid::line(Axis::periodic(16).unwrap());
    let mut process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
    if let Some(Coupling { c, switch }) = coupling {
        process = process.with_coupling(c as f32).unwrap().with_switch(switch as f32).unwrap();
    }
    let n = grid.points();
    let mut values = vec![0.0; (WINDOW + 1) * 4 * n];
    for group in Group::all(&grid) {
        for (plane, packed) in values.chunks_exact_mut(n).enumerate() {
            let (lag, alike) = (plane / 4, matches!(plane % 4, 0 | 3));
            let value = power(group.members()[0]) * MEMORY.powi(lag as i32);
            let value = Complex::from(if alike { value } else { SHARED * value });
            group.pack([value, value], packed);
        }
    }
    let autocovariance = PackedAutocovariance { window: WINDOW, channels: 2, values };
    LinearBase { grid, process, autocovariance }
}

/// P of a mode of storage index i.
fn power(i: usize) -> f64 {
    3.0 / (1.0 + i as f64)
}

/// Sum and difference are independent, and so are the sum and the difference of two frames: each
/// has its own κ, power and part of the information.
#[test]
fn windows_of_coupled_channels_know_what_their_combinations_do() {
    for coupling in [
        Coupling::from(0.5),
        Coupling { c: -0.9, switch: 0.0 },
        Coupling { c: 0.7, switch: 0.02 },
        Coupling { c: 0.7, switch: -0.02 },
    ] {
        let coupled = base(Some(coupling));
        let information = WindowInformation::new(&base(None), coupling).unwrap();
        let process = Process::from(&coupled.process);
        for lambda in [0.004, 0.03, 0.3] {
            let mut expected = 0.0;
            for (channel, sign) in [(0, 1.0), (1, -1.0)] {
                let kappas = coupled.process.kappas(&coupled.grid, channel);
                for (i, kappa) in kappas.enumerate() {
                    // Both parts of a wave have the power of the first.
                    let power = power(if i < 2 { i } else { i - i % 2 }) * (1.0 + sign * SHARED);
                    let ratio = process.damping(kappa, lambda).powi(2) * power
                        / process.noise_variance(kappa, lambda);
                    let frames = [1.0 + MEMORY, 1.0 - MEMORY];
                    expected += frames.map(|f| 0.5 * (ratio * f).ln_1p()).iter().sum::<f64>();
                }
            }
            let found = information.at(lambda);
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "{coupling:?} {lambda}: {found} {expected}"
            );
        }
    }
}

/// If it failed, λ_C of a coupled model would be that without its coupling.
#[test]
fn a_coupling_moves_the_collapse() {
    let of = |coupling| {
        let information = WindowInformation::new(&base(None), coupling).unwrap();
        bound(&information, 1e7, 16, 16)
    };
    let free = of(Coupling::default());
    // Next to none of it is none: the other way through the matrices.
    assert!((of(Coupling::from(1e-9)) / free - 1.0).abs() < 1e-6);
    let coupled = of(Coupling::from(0.9));
    assert!((coupled / free - 1.0).abs() > 0.01, "{coupled} {free}");
}
