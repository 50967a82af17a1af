//! What emerges of a data set: the eigenmodes of the channels' covariance in each shell of
//! wavenumber, with coupled channels or without.

use anyhow::Result;
use finescale_field::emergence::Process;
use finescale_field::modes::Group;
use finescale_field::shells::Shells;
use finescale_model::linear::LinearBase;
use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::Serialize;

use crate::coupled::Coupled;
use crate::root::falling;

/// A combination with less variance is silent, as in the trained models' λ grids.
const SILENT: f64 = 1e-6;

/// Far above any λ: e^{2ακλ} of a mode with power stays far below the largest number.
const HORIZON: f64 = 1e9;

/// Second moments of the modes of a shell.
#[derive(Clone, Debug, PartialEq)]
pub struct Shell {
    /// |k| at its centre.
    pub wavenumber: f64,
    /// Number of real modes.
    pub modes: u64,
    /// Mean κ.
    pub kappa: f64,
    /// Mean covariance of the standardised channels.
    pub covariance: DMatrix<f64>,
}

/// A combination of channels that emerges as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Emerging {
    /// λ_S, above 1 if it has not emerged by then.
    pub lambda: f64,
    /// Variance of a mode along it.
    pub power: f64,
    /// κ of a single mode of this power that emerges there: the shell's own without coupling.
    pub kappa: f64,
    /// Weights of the channels, of length 1.
    pub weights: Vec<f64>,
}

/// The shells of a linear base.
///
/// # Errors
/// If the base's arrays do not fit its grid.
pub fn shells(base: &LinearBase) -> Result<Vec<Shell>> {
    let (grid, packed) = (&base.grid, &base.autocovariance);
    let (shells, channels) = (Shells::new(grid), packed.channels);
    let kappas: Vec<f64> = Process::from(&base.process).kappas(grid).collect();
    let kappas = shells.mean(&kappas);
    let mut all: Vec<Shell> = (0..shells.count)
        .map(|shell| Shell {
            wavenumber: shells.wavenumber(shell),
            modes: shells.modes[shell],
            kappa: kappas[shell],
            covariance: DMatrix::zeros(channels, channels),
        })
        .collect();
    for group in Group::all(grid) {
        let shell = &mut all[shells.of[group.members()[0]]];
        let share = group.members().len() as f64 / group.complex_modes() as f64;
        for mode in 0..group.complex_modes() {
            let lag0 = packed.of(&group, mode, grid.points())?.lags()[0].map(|value| value.re);
            shell.covariance += (&lag0 + lag0.transpose()) * (0.5 * share / shell.modes as f64);
        }
    }
    Ok(all)
}

/// A coupling of channels, each of which is drawn to the mean of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Coupling {
    /// Its strength in units of the damping. With |c| < 1 everything decays.
    pub c: f64,
    /// λ₁, where it ends; negative: −λ₁, where it begins; 0: it holds everywhere.
    pub switch: f64,
}

impl From<f64> for Coupling {
    fn from(c: f64) -> Self {
        Self { c, switch: 0.0 }
    }
}

impl Coupling {
    /// The process of modes of so many channels that have one κ.
    pub fn process(self, process: Process, channels: usize, kappa: f64) -> Coupled<'static> {
        let others = (channels.max(2) - 1) as f64;
        let of = |c: f64| {
            let drift =
                DMatrix::from_fn(channels, channels, |a, b| if a == b { -1.0 } else { c / others });
            Coupled::constant(drift * (process.alpha * kappa), process.beta2)
        };
        match self.switch {
            0.0 => of(self.c),
            switch if switch > 0.0 => of(self.c).until(switch, of(0.0)),
            switch => of(0.0).until(-switch, of(self.c)),
        }
    }
}

impl Shell {
    /// The forward process of its modes, g_k = c ακ: at κ = 0 nothing is coupled and nothing
    /// damped.
    pub fn process(&self, process: Process, coupling: Coupling) -> Coupled<'static> {
        coupling.process(process, self.covariance.nrows(), self.kappa)
    }

    /// What emerges, from the largest λ_S to the smallest; without what is silent.
    pub fn emerging(&self, process: Process, coupling: Coupling) -> Vec<Emerging> {
        let coupled = self.process(process, coupling);
        let of = |(i, lambda): (usize, f64)| {
            let weights = coupled.combinations(&self.covariance, lambda).swap_remove(i).1;
            let power = (weights.transpose() * &self.covariance * &weights)[(0, 0)];
            let kappa = match coupling.c {
                0.0 => self.kappa,
                _ => falling(lambda, 0.0, 2.0 * self.kappa, |k| process.speciation(k, power)),
            };
            Emerging { lambda, power, kappa, weights: weights.iter().copied().collect() }
        };
        self.scales(&coupled).into_iter().enumerate().map(of).collect()
    }

    /// λ_S of what emerges, falling.
    fn scales(&self, coupled: &Coupled<'_>) -> Vec<f64> {
        let powers = self.covariance.symmetric_eigenvalues();
        let heard = powers.iter().filter(|power| **power > SILENT).count();
        coupled.speciation(&self.covariance, HORIZON).into_iter().flatten().take(heard).collect()
    }
}

/// The synchronisation gap of a shell: the factor between the largest and the smallest λ_S; `None`
/// if fewer than two combinations emerge.
pub fn gap(emerging: &[Emerging]) -> Option<f64> {
    match emerging {
        [first, .., last] => Some(first.lambda / last.lambda),
        _ => None,
    }
}

/// The gap of all shells, weighted by their modes: its geometric mean.
pub fn mean_gap(shells: &[Shell], process: Process, coupling: Coupling) -> Option<f64> {
    let of = |shell: &Shell| match shell.scales(&shell.process(process, coupling))[..] {
        [first, .., last] => Some(((first / last).ln(), shell.modes as f64)),
        _ => None,
    };
    let gaps = shells.iter().filter_map(of);
    let (sum, modes) = gaps.fold((0.0, 0.0), |(sum, n), (gap, m)| (sum + gap * m, n + m));
    (modes > 0.0).then(|| (sum / modes).exp())
}

/// What a coupling would do to a data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// c and the mean gap.
    pub gaps: Vec<(f64, f64)>,
    /// The c of the smallest mean gap, if it is worth its name; 0 if not.
    pub recommended: f64,
    /// Of the couplings that hold on one side of a λ, the one with the smallest mean gap, and that
    /// gap.
    pub switched: (Coupling, f64),
}

/// A coupling that closes less of ln gap than this is not worth a process that differs by channel.
const WORTH: f64 = 0.1;
/// Where a coupling is tried to end, and to begin.
const SWITCHES: [f64; 5] = [0.003, 0.01, 0.03, 0.1, 0.3];

/// The mean gap for couplings from −0.9 to 0.9. The one with the smallest is recommended if it
/// closes a tenth of the logarithm of the gap that there is without; `None` for a single channel.
pub fn advice(shells: &[Shell], process: Process) -> Option<Advice> {
    let of = |coupling: Coupling| Some((coupling, mean_gap(shells, process, coupling)?));
    let tenths = |step| (-9..=9).step_by(step).map(|tenth| f64::from(tenth) / 10.0);
    let constant: Vec<Coupling> = tenths(1).map(Coupling::from).collect();
    let sides = SWITCHES.into_iter().flat_map(|at| [at, -at]);
    let switched: Vec<Coupling> =
        sides.flat_map(|switch| tenths(2).map(move |c| Coupling { c, switch })).collect();
    let [constant, switched] = [constant, switched]
        .map(|all| all.into_par_iter().map(of).collect::<Option<Vec<(Coupling, f64)>>>());
    let least = |all: &[(Coupling, f64)]| all.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
    let (constant, switched) = (constant?, switched?);
    let free = constant[constant.len() / 2].1.ln();
    let best = least(&constant)?;
    let recommended = if best.1.ln() < (1.0 - WORTH) * free { best.0.c } else { 0.0 };
    let gaps = constant.iter().map(|(coupling, gap)| (coupling.c, *gap)).collect();
    Some(Advice { gaps, recommended, switched: least(&switched)? })
}
