//! One pass over all frames that collects what the point-by-point scores are made of.
//!
//! Frames are handled on their own, in parallel, and joined in their order, so that scores depend
//! on no number of threads.

use anyhow::{Result, ensure};
use finescale::{Field, Modes, spectral};
use rayon::prelude::*;

use super::Truth;
use super::bands::Bands;
use super::correlation::Products;
use super::crps::{fair_crps, gaussian_crps};
use super::rank::count_rank;
use finescale_ensemble::Ensemble;
use finescale_field::scale::Scale;

/// One channel, or all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    Channel(usize),
    All,
}

/// Sums over values, of fields in standard deviations.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// How many values.
    pub(super) values: f64,
    /// Squared errors, the mean over members of each.
    pub(super) member_error: f64,
    /// Squared errors of the ensemble mean.
    pub(super) mean_error: f64,
    /// Squares of the truth.
    pub(super) truth: f64,
    /// Unbiased variance of the members, or that of a Gaussian.
    pub(super) spread: f64,
    /// Fair CRPS, or that of a Gaussian.
    pub(super) crps: f64,
}

impl Sums {
    fn add(self, other: Self) -> Self {
        Self {
            values: self.values + other.values,
            member_error: self.member_error + other.member_error,
            mean_error: self.mean_error + other.mean_error,
            truth: self.truth + other.truth,
            spread: self.spread + other.spread,
            crps: self.crps + other.crps,
        }
    }
}

/// What one frame of one trajectory gives.
struct FrameSums {
    /// `[all, low, middle, high][channel]`
    sums: Vec<Vec<Sums>>,
    /// `[channel]`: VRMSE of a member, of the mean.
    vrmse: Vec<[f64; 2]>,
    /// `[channel][member, and last the mean]`
    products: Vec<Vec<Products>>,
    /// `[channel][rank]`
    ranks: Vec<Vec<f64>>,
}

/// What all frames of a result give.
pub(super) struct Pass {
    pub(super) members: usize,
    /// Whether the only member is the mean of a Gaussian.
    pub(super) gaussian: bool,
    pub(super) trajectories: usize,
    pub(super) given: usize,
    /// Times of the scored frames after the last given one.
    pub(super) lead: Vec<f64>,
    std: Vec<f64>,
    /// `[trajectory][scored frame]`
    frames: Vec<FrameSums>,
}

impl Pass {
    /// Compares a result with a truth that belongs to it frame by frame.
    pub(super) fn new(
        ensemble: &Ensemble,
        truth: &Truth,
        scale: &Scale,
        bands: &Bands,
        lead: &[f64],
    ) -> Result<Self> {
        let scored = lead.len();
        let frames = (0..ensemble.spec.trajectories * scored)
            .into_par_iter()
            .map(|index| {
                finescale_host::interrupt::check()?;
                let (trajectory, frame) = (index / scored, ensemble.given + index % scored);
                frame_sums(
                    ensemble,
                    truth.frame(trajectory, frame),
                    trajectory,
                    frame,
                    scale,
                    bands,
                )
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            members: ensemble.members,
            gaussian: ensemble.deviation.is_some(),
            trajectories: ensemble.spec.trajectories,
            given: ensemble.given,
            lead: lead.to_vec(),
            std: scale.std.clone(),
            frames,
        })
    }

    /// Factor from standard deviations to the units of what was picked.
    pub(super) fn unit(&self, pick: Pick) -> f64 {
        match pick {
            Pick::Channel(c) => self.std[c],
            Pick::All => 1.0,
        }
    }

    pub(super) fn bands(&self) -> std::ops::Range<usize> {
        0..Bands::COUNT
    }

    /// Sums over all frames of part 0, everything, or 1 to 3, a band.
    pub(super) fn total(&self, pick: Pick, part: usize) -> Sums {
        self.frames.iter().fold(Sums::default(), |sums, f| sums.add(picked(&f.sums[part], pick)))
    }

    /// A score of every lead time.
    pub(super) fn by_lead(&self, pick: Pick, score: impl Fn(Sums) -> f64) -> Vec<f64> {
        let scored = self.lead.len();
        let at = |n: usize| {
            let frames = self.frames.iter().skip(n).step_by(scored);
            frames.fold(Sums::default(), |sums, f| sums.add(picked(&f.sums[0], pick)))
        };
        (0..scored).map(|n| score(at(n))).collect()
    }

    /// Mean over frames of the VRMSE of a member and of the mean.
    pub(super) fn vrmse(&self, pick: Pick) -> [f64; 2] {
        let channels = self.channels(pick);
        let count = (self.frames.len() * channels.len()) as f64;
        [0, 1].map(|which| {
            let frames = self.frames.iter().flat_map(|f| &f.vrmse[channels.clone()]);
            frames.map(|v| v[which]).sum::<f64>() / count
        })
    }

    /// Counts of the ranks.
    pub(super) fn ranks(&self, pick: Pick) -> Vec<f64> {
        let mut counts = vec![0.0; self.members + 1];
        for ranks in self.frames.iter().flat_map(|f| &f.ranks[self.channels(pick)]) {
            counts.iter_mut().zip(ranks).for_each(|(count, n)| *count += n);
        }
        counts
    }

    /// Correlations along a trajectory: the members' mean, and the ensemble mean's.
    pub(super) fn correlations(&self, pick: Pick, trajectory: usize) -> Vec<[f64; 2]> {
        let scored = self.lead.len();
        let frames = &self.frames[trajectory * scored..][..scored];
        let of = |frame: &FrameSums, field: usize| {
            let products = frame.products[self.channels(pick)].iter().map(|p| p[field]);
            products.fold(Products::default(), Products::add).correlation()
        };
        let members = |frame: &FrameSums| {
            (0..self.members).map(|m| of(frame, m)).sum::<f64>() / self.members as f64
        };
        frames.iter().map(|frame| [members(frame), of(frame, self.members)]).collect()
    }

    fn channels(&self, pick: Pick) -> std::ops::Range<usize> {
        match pick {
            Pick::Channel(c) => c..c + 1,
            Pick::All => 0..self.std.len(),
        }
    }
}

fn picked(channels: &[Sums], pick: Pick) -> Sums {
    match pick {
        Pick::Channel(c) => channels[c],
        Pick::All => channels.iter().fold(Sums::default(), |sums, c| sums.add(*c)),
    }
}

fn frame_sums(
    ensemble: &Ensemble,
    truth: &[f32],
    trajectory: usize,
    frame: usize,
    scale: &Scale,
    bands: &Bands,
) -> Result<FrameSums> {
    let (len, members, points) = (ensemble.frame_len(), ensemble.members, ensemble.spec.points());
    // Members, and the truth as the last field.
    let mut fields = vec![0.0; (members + 1) * len];
    for (m, field) in fields.chunks_exact_mut(len).enumerate() {
        let values = if m == members { truth } else { ensemble.frame(trajectory, frame, m) };
        field.copy_from_slice(values);
        scale.standardise(points, field);
        ensure!(
            field.iter().all(|v| v.is_finite()),
            "the {} is not finite in frame {frame} of trajectory {trajectory}: nothing can be \
             scored",
            if m == members { "truth" } else { "prediction" }
        );
    }
    let channels = ensemble.spec.channels.len();
    let part =
        |fields: &[f32]| (0..channels).map(|c| channel_sums(fields, len, c, points)).collect();
    let mut sums: Vec<Vec<Sums>> = vec![part(&fields)];
    if let Some(deviation) = &ensemble.deviation {
        for (c, sums) in sums[0].iter_mut().enumerate() {
            let values = |field: usize| &fields[field * len + c * points..][..points];
            let deviation = &deviation[c * points..][..points];
            (sums.spread, sums.crps) = (0.0, 0.0);
            for ((&mean, &truth), &deviation) in values(0).iter().zip(values(1)).zip(deviation) {
                let deviation = f64::from(deviation) / scale.std[c];
                sums.spread += deviation * deviation;
                sums.crps += gaussian_crps(f64::from(truth) - f64::from(mean), deviation);
            }
        }
    }
    let mut ranks = vec![vec![0.0; members + 1]; channels];
    let (mut vrmse, mut products) = (Vec::new(), Vec::new());
    for (c, ranks) in ranks.iter_mut().enumerate() {
        let field = |m: usize| &fields[m * len + c * points..][..points];
        let truth = field(members);
        let mut here = vec![0.0; members];
        for (p, &u) in truth.iter().enumerate() {
            here.iter_mut().enumerate().for_each(|(m, x)| *x = field(m)[p]);
            count_rank(&here, u, ranks);
        }
        let mean: Vec<f64> = (0..points)
            .map(|p| (0..members).map(|m| f64::from(field(m)[p])).sum::<f64>() / members as f64)
            .collect();
        let of_members =
            (0..members).map(|m| Products::new(field(m).iter().map(|&x| f64::from(x)), truth));
        products.push(of_members.chain([Products::new(mean.iter().copied(), truth)]).collect());
        let variance = Products::new(mean.iter().copied(), truth).uu;
        let error = |x: &mut dyn Iterator<Item = f64>| {
            let squares: f64 = x.zip(truth).map(|(x, &u)| (x - f64::from(u)).powi(2)).sum();
            (squares / variance).sqrt()
        };
        let of_members =
            (0..members).map(|m| error(&mut field(m).iter().map(|&x| f64::from(x)))).sum::<f64>();
        vrmse.push([of_members / members as f64, error(&mut mean.iter().copied())]);
    }
    let grid = ensemble.spec.grid()?;
    let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
    spectral::forward(&grid, Field::from_mut(&mut fields), &mut scratch)?;
    for band in 0..Bands::COUNT {
        let mut inside = fields.clone();
        for field in inside.chunks_exact_mut(points) {
            let modes = field.iter_mut().zip(&bands.of_mode);
            modes.filter(|(_, b)| **b != band).for_each(|(u, _)| *u = 0.0);
        }
        spectral::inverse(&grid, Modes::from_mut(&mut inside), &mut scratch)?;
        sums.push(part(&inside));
    }
    Ok(FrameSums { sums, vrmse, products, ranks })
}

/// Sums of one channel; `fields`: `[member, and last the truth][channel][y][x]`, each of `len`
/// values.
fn channel_sums(fields: &[f32], len: usize, channel: usize, points: usize) -> Sums {
    let members = fields.len() / len - 1;
    let m = members as f64;
    let mut here = vec![0.0_f32; members];
    let mut sums = Sums::default();
    for p in channel * points..(channel + 1) * points {
        here.iter_mut().zip(fields.chunks_exact(len)).for_each(|(x, field)| *x = field[p]);
        let truth = fields[members * len + p];
        let u = f64::from(truth);
        let mean = here.iter().map(|&x| f64::from(x)).sum::<f64>() / m;
        let squares: f64 = here.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
        sums.values += 1.0;
        sums.mean_error += (mean - u).powi(2);
        sums.member_error += (mean - u).powi(2) + squares / m;
        sums.truth += u * u;
        sums.spread += squares / (m - 1.0).max(1.0);
        sums.crps += fair_crps(&mut here, truth);
    }
    sums
}
