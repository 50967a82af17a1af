//! How coarse frames come from fine ones.

use anyhow::{Result, ensure};
use finescale::spectral;
use finescale::{ForwardProcess, Grid};
use serde::{Deserialize, Serialize};

use finescale_data::dataset::Spec;
use finescale_field::grid;

/// What made a coarse frame of a fine one. All are linear and keep a constant field as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Coarsening {
    /// The modes that the coarse grid has: band-limited values at its points.
    Modes,
    /// The same of the field damped by C(λ), the forward process without or with its noise √Σ(λ).
    Damped {
        /// The forward process.
        process: ForwardProcess,
        /// λ.
        lambda: f32,
        /// Whether the coarse frames have the noise, in standard deviations of the channel.
        noised: bool,
    },
    /// Means over blocks of points, as a sensor's pixels.
    BlockMean,
}

/// How the coarse frames of a result came to be, as far as scores and baselines must know. What
/// makes a result writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What made them of fine ones.
    pub coarsening: Coarsening,
    /// Standard deviation of the errors that their values have beside it, in the units of each
    /// channel.
    pub sensor_noise: Vec<f32>,
}

impl Coarsening {
    /// Makes a coarse frame, `[channel][y][x]`, without noise.
    ///
    /// # Errors
    /// If `coarse` is not the same domain with fewer points.
    pub fn apply(&self, fine: &Spec, coarse: &Spec, frame: &[f32]) -> Result<Vec<f32>> {
        let fine_grid = fine.grid()?;
        if let Self::BlockMean = self {
            return block_means(&fine_grid, [coarse.ny(), coarse.nx()], frame);
        }
        let coarse_grid = coarse.grid()?;
        let mut spectrum = frame.to_vec();
        let mut scratch = vec![0.0; spectral::scratch_len(&fine_grid)];
        spectral::forward(&fine_grid, &mut spectrum, &mut scratch)?;
        let mut out = self.modes(&fine_grid, &coarse_grid, &mut spectrum)?;
        spectral::inverse(&coarse_grid, &mut out, &mut scratch)?;
        Ok(out)
    }

    /// Spectra `[…][mode]` of the fine grid to those of the coarse one, without noise; those of the
    /// fine grid are lost. Not of means over blocks, which are no modes.
    ///
    /// # Errors
    /// If `coarse` is not the same domain with fewer points.
    pub fn modes(&self, fine: &Grid, coarse: &Grid, spectra: &mut [f32]) -> Result<Vec<f32>> {
        ensure!(*self != Self::BlockMean, "means over blocks are no modes");
        if let Self::Damped { process, lambda, .. } = self {
            process.damp(fine, *lambda, spectra)?;
        }
        let mut out = vec![0.0; spectra.len() / fine.points() * coarse.points()];
        spectral::coarsen(fine, spectra, coarse, &mut out)?;
        Ok(out)
    }

    /// C of every mode of the fine grid; 1 where nothing is damped.
    pub fn damping(&self, fine: &Grid) -> Vec<f32> {
        match self {
            Self::Damped { process, lambda, .. } => {
                let kappas = fine.kappas(process.laplacian());
                kappas.map(|kappa| process.damping(kappa, *lambda)).collect()
            }
            Self::Modes | Self::BlockMean => vec![1.0; fine.points()],
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Self::Modes => "the modes of the coarse grid".into(),
            Self::BlockMean => "means over cells".into(),
            Self::Damped { process, lambda, noised } => {
                let noise = if *noised { " with its noise" } else { "" };
                format!("damping, α = {}, λ = {lambda}{noise}", process.alpha())
            }
        }
    }
}

/// Means of fields `[…][y][x]` over so many blocks of points along y and along x.
///
/// # Errors
/// Unless these numbers divide the points along every axis.
pub fn block_means(fine: &Grid, [ny, nx]: [usize; 2], fields: &[f32]) -> Result<Vec<f32>> {
    let (by, bx) = (fine.ny() / ny.max(1), fine.nx() / nx.max(1));
    ensure!(
        by * ny == fine.ny() && bx * nx == fine.nx(),
        "means over blocks need a coarse grid whose points divide the {}×{} of the fine one, not \
         {ny}×{nx}: choose another one, or --input modes",
        fine.ny(),
        fine.nx(),
    );
    Ok(grid::block_means(fine, [ny, nx], fields))
}
