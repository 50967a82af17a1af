//! How coarse frames come from fine ones: what a coarse value is, and what makes it.

use anyhow::{Result, ensure};
use finescale::{Boundary, Field, ForwardProcess, Grid, Modes, Values, spectral};
use serde::{Deserialize, Serialize};

/// What made a coarse frame of a fine one. All are linear and keep a constant field as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Coarsening {
    /// The modes that the coarse grid has: band-limited values at its points.
    Modes,
    /// The same of the field damped by C(λ), the forward process without or with its noise √Σ(λ).
    Damped {
        /// The forward process, which couples no channels.
        process: ForwardProcess,
        /// λ.
        lambda: f32,
        /// Whether the coarse frames have the noise, in standard deviations of the channel.
        noised: bool,
    },
    /// Means over blocks of points, as a sensor's pixels.
    BlockMean,
}

/// [`Values`] of a sensor, as files and settings name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SensorKind {
    /// [`Values::Points`].
    Modes,
    /// [`Values::BlockMeans`].
    BlockMean,
}

impl From<SensorKind> for Values {
    fn from(kind: SensorKind) -> Self {
        match kind {
            SensorKind::Modes => Self::Points,
            SensorKind::BlockMean => Self::BlockMeans,
        }
    }
}

impl From<Values> for Coarsening {
    fn from(values: Values) -> Self {
        match values {
            Values::Points => Self::Modes,
            Values::BlockMeans => Self::BlockMean,
        }
    }
}

impl Coarsening {
    /// Makes fields `[…][y][x]` of the grid `fine` coarse, without noise: to so many points along
    /// y, 1 on a line, and along x.
    ///
    /// # Errors
    /// If the coarse grid cannot have so many points.
    pub fn apply(&self, fine: &Grid, points: [usize; 2], fields: &[f32]) -> Result<Vec<f32>> {
        if *self == Self::BlockMean {
            return block_means(fine, points, fields);
        }
        let coarse = fine.with_points(points)?;
        let mut spectra = fields.to_vec();
        let mut scratch = vec![0.0; spectral::scratch_len(fine)];
        let modes = spectral::forward(fine, Field::from_mut(&mut spectra), &mut scratch)?;
        if let Self::Damped { process, lambda, .. } = self {
            process.damp(fine, *lambda, modes)?;
        }
        let mut out = vec![0.0; modes.len() / fine.points() * coarse.points()];
        spectral::coarsen(fine, modes, &coarse, Modes::coarse_mut(&mut out))?;
        spectral::inverse(&coarse, Modes::coarse_mut(&mut out), &mut scratch)?;
        Ok(out)
    }

    /// C of every mode of the fine grid; 1 where nothing is damped.
    pub fn damping(&self, fine: &Grid) -> Vec<f32> {
        match self {
            Self::Damped { process, lambda, .. } => {
                let kappas = process.kappas(fine, 0);
                kappas.map(|kappa| process.damping(kappa, *lambda)).collect()
            }
            Self::Modes | Self::BlockMean => vec![1.0; fine.points()],
        }
    }

    /// Whether a coarse value stands in the middle of its cell. Modes on a periodic axis are
    /// sampled at the first point of every cell instead; on a reflecting one, points are the
    /// middles of cells on any grid.
    pub fn is_centred(&self, boundary: Boundary) -> bool {
        *self == Self::BlockMean || boundary == Boundary::Reflecting
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
fn block_means(fine: &Grid, [ny, nx]: [usize; 2], fields: &[f32]) -> Result<Vec<f32>> {
    let (by, bx) = (fine.ny() / ny.max(1), fine.nx() / nx.max(1));
    ensure!(
        by * ny == fine.ny() && bx * nx == fine.nx(),
        "means over blocks need a coarse grid whose points divide the {}×{} of the fine one, not \
         {ny}×{nx}: choose another one, or --input modes",
        fine.ny(),
        fine.nx(),
    );
    let scale = 1.0 / (by * bx) as f64;
    let mut out = Vec::with_capacity(fields.len() / (by * bx));
    for field in fields.chunks_exact(fine.points()) {
        for y in 0..ny {
            for x in 0..nx {
                let rows =
                    (y * by..(y + 1) * by).map(|row| &field[row * fine.nx() + x * bx..][..bx]);
                let sum: f64 = rows.flatten().map(|&v| f64::from(v)).sum();
                out.push((sum * scale) as f32);
            }
        }
    }
    Ok(out)
}
