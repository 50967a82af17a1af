//! Autocovariances of a data set's modes.

use anyhow::Result;
use nalgebra::{Complex, DMatrix};
use rayon::prelude::*;

use super::Autocovariance;
use super::predictor::positive;
use super::shrink::{self, BLOCKS, Lags, Sample, Weights};
use finescale_data::dataset::SpectralFrames;
use finescale_field::modes::Group;
use finescale_field::shells::Shells;

/// Autocovariances of every complex mode, packed (see [`finescale_field::modes`]) as
/// `[lag][channel][channel][mode]` f32: what a model stores. `[l][a][b]` is E[û_a^{n+l}
/// conj(û_b^n)].
#[derive(Clone, Debug, PartialEq)]
pub struct PackedAutocovariance {
    /// Largest lag, which is the longest window.
    pub window: usize,
    /// Channels.
    pub channels: usize,
    /// `[lag 0 … window][channel][channel][mode]`.
    pub values: Vec<f32>,
}

impl PackedAutocovariance {
    /// Estimates lags 0 … `window` from all pairs of frames inside segments.
    ///
    /// Every lag is divided by its own number of pairs, so none is biased towards zero. Where
    /// frames are few, modes are moved towards the mean of their shell (`linear/shrink.rs`). The
    /// estimate may be no autocovariance of any process, and each mode's lags are tapered just as
    /// far as makes it one.
    ///
    /// # Errors
    /// If no segment has `window + 1` frames.
    pub fn estimate(frames: &SpectralFrames, window: usize) -> Result<Self> {
        Ok(Self::shrunk(frames, window)?.0)
    }

    /// As [`Self::estimate`], without shrinkage.
    ///
    /// # Errors
    /// As [`Self::estimate`].
    pub fn unshrunk(frames: &SpectralFrames, window: usize) -> Result<Self> {
        let samples = samples(frames, window)?;
        Ok(Self::pack(frames, window, samples.into_iter().flatten().map(|sample| sample.all)))
    }

    /// As [`Self::estimate`], with the weights of every shell.
    ///
    /// # Errors
    /// As [`Self::estimate`].
    pub fn shrunk(frames: &SpectralFrames, window: usize) -> Result<(Self, Vec<Weights>)> {
        let shells = Shells::new(&frames.grid);
        let mut places = vec![Vec::new(); shells.count];
        let mut of_shell: Vec<Vec<Sample>> = places.iter().map(|_| Vec::new()).collect();
        let mut count = 0;
        for (group, samples) in Group::all(&frames.grid).iter().zip(samples(frames, window)?) {
            let shell = shells.of[group.members()[0]];
            for sample in samples {
                places[shell].push(count);
                of_shell[shell].push(sample);
                count += 1;
            }
        }
        let shrunk: Vec<_> = of_shell.into_par_iter().map(shrink::shell).collect();
        let mut modes = vec![Lags::new(); count];
        let mut weights = Vec::new();
        for ((lags, of_shell), places) in shrunk.into_iter().zip(places) {
            weights.push(of_shell);
            lags.into_iter().zip(places).for_each(|(lags, place)| modes[place] = lags);
        }
        Ok((Self::pack(frames, window, modes.into_iter()), weights))
    }

    /// From the lags of every complex mode, in the order of the groups.
    fn pack(frames: &SpectralFrames, window: usize, modes: impl Iterator<Item = Lags>) -> Self {
        let (points, channels) = (frames.grid.points(), frames.channels);
        let modes: Vec<Lags> = modes.collect::<Vec<_>>().into_par_iter().map(tapered).collect();
        let mut modes = modes.iter();
        let mut values = vec![0.0; (window + 1) * channels * channels * points];
        for group in &Group::all(&frames.grid) {
            let own: Vec<&Lags> = modes.by_ref().take(group.complex_modes()).collect();
            for (plane, packed) in values.chunks_exact_mut(points).enumerate() {
                let (lag, entry) = (plane / (channels * channels), plane % (channels * channels));
                let at = |mode: usize| {
                    own.get(mode).map_or(Complex::default(), |lags| {
                        lags[lag][(entry / channels, entry % channels)]
                    })
                };
                group.pack([at(0), at(1)], packed);
            }
        }
        Self { window, channels, values }
    }

    /// The lags of one complex mode of a group: 0, or 1 for the second of a quadruple.
    ///
    /// # Errors
    /// Never for arrays of the right size.
    pub fn of(&self, group: &Group, mode: usize, points: usize) -> Result<Autocovariance> {
        let c = self.channels;
        let plane = |lag: usize, a: usize, b: usize| {
            &self.values[((lag * c + a) * c + b) * points..][..points]
        };
        let lags = (0..=self.window)
            .map(|lag| DMatrix::from_fn(c, c, |a, b| group.unpack(plane(lag, a, b))[mode]));
        Autocovariance::new(lags.collect())
    }

    /// The same of two channels whose combinations these are, or of the combinations of these: a
    /// rotation that undoes itself.
    ///
    /// # Panics
    /// Unless there are two channels.
    pub fn mixed(&self) -> Self {
        assert_eq!(self.channels, 2, "two channels are coupled");
        let points = self.values.len() / (4 * (self.window + 1));
        let mut values = self.values.clone();
        for lag in values.chunks_exact_mut(4 * points) {
            for mode in 0..points {
                let [aa, ab, ba, bb] =
                    [0, 1, 2, 3].map(|plane| f64::from(lag[plane * points + mode]));
                let mixed =
                    [aa + ab + ba + bb, aa - ab + ba - bb, aa + ab - ba - bb, aa - ab - ba + bb];
                for (plane, value) in mixed.into_iter().enumerate() {
                    lag[plane * points + mode] = (0.5 * value) as f32;
                }
            }
        }
        Self { values, ..self.clone() }
    }

    /// Covariance of every real mode with itself `lag` frames later, `[channel][mode]`: the mean
    /// over a group, as a real mode is a mixture of its complex ones.
    pub fn diagonal(&self, lag: usize, groups: &[Group], points: usize) -> Vec<f64> {
        let c = self.channels;
        let mut all = vec![0.0; c * points];
        for (channel, row) in all.chunks_exact_mut(points).enumerate() {
            let plane = &self.values[(lag * c * c + channel * (c + 1)) * points..][..points];
            for group in groups {
                let [plus, minus] = group.unpack(plane);
                let mean = (plus.re + minus.re) / group.complex_modes() as f64;
                group.members().iter().for_each(|&mode| row[mode] = mean);
            }
        }
        all
    }

    /// Power of every real mode, `[channel][mode]`.
    pub fn power(&self, groups: &[Group], points: usize) -> Vec<f32> {
        self.diagonal(0, groups, points).into_iter().map(|power| power.max(0.0) as f32).collect()
    }
}

/// Lags of the complex modes of every group, averaged over pairs of frames: all of them, and all
/// but a block's.
fn samples(frames: &SpectralFrames, window: usize) -> Result<Vec<Vec<Sample>>> {
    frames.windows(window + 1)?;
    let total: usize = frames.segments.iter().map(ExactSizeIterator::len).sum();
    let blocks = (total / (window + 1)).clamp(1, BLOCKS);
    // A pair belongs to the block of its later frame.
    let mut pairs = vec![vec![0_usize; window + 1]; blocks];
    let mut place = 0;
    for segment in &frames.segments {
        for n in 0..segment.len() {
            let block = place * blocks / total;
            pairs[block].iter_mut().take(n + 1).for_each(|pairs| *pairs += 1);
            place += 1;
        }
    }
    let groups = Group::all(&frames.grid);
    Ok(groups.par_iter().map(|group| group_samples(frames, group, &pairs, total)).collect())
}

fn group_samples(
    frames: &SpectralFrames,
    group: &Group,
    pairs: &[Vec<usize>],
    total: usize,
) -> Vec<Sample> {
    let (c, points) = (frames.channels, frames.grid.points());
    let (blocks, lags) = (pairs.len(), pairs[0].len());
    let zero = DMatrix::<Complex<f64>>::zeros(c, c);
    // [mode][block][lag]
    let mut sums = vec![vec![vec![zero; lags]; blocks]; group.complex_modes()];
    let mut place = 0;
    for segment in &frames.segments {
        let path: Vec<Vec<[Complex<f64>; 2]>> = segment
            .clone()
            .map(|n| {
                frames.frame(n).chunks_exact(points).map(|field| group.of_spectrum(field)).collect()
            })
            .collect();
        for (n, later) in path.iter().enumerate() {
            let block = place * blocks / total;
            place += 1;
            for (lag, earlier) in path[..=n].iter().rev().take(lags).enumerate() {
                for (mode, sums) in sums.iter_mut().enumerate() {
                    for a in 0..c {
                        for b in 0..c {
                            sums[block][lag][(a, b)] += later[a][mode] * earlier[b][mode].conj();
                        }
                    }
                }
            }
        }
    }
    let all_pairs: Vec<usize> = (0..lags).map(|l| pairs.iter().map(|of| of[l]).sum()).collect();
    // Without a block no lag may be left without pairs.
    let enough = pairs.iter().all(|of| of.iter().zip(&all_pairs).all(|(own, all)| own < all));
    let mean = |sum: DMatrix<Complex<f64>>, pairs: usize| sum / Complex::from(pairs as f64);
    sums.into_iter()
        .map(|sums| {
            let total: Lags = (0..lags).map(|l| sums.iter().map(|of| &of[l]).sum()).collect();
            let without = |(own, of): (&Lags, &Vec<usize>)| -> Lags {
                (0..lags).map(|l| mean(&total[l] - &own[l], all_pairs[l] - of[l])).collect()
            };
            let without = if enough && blocks > 1 {
                sums.iter().zip(pairs).map(without).collect()
            } else {
                Vec::new()
            };
            let all = total.iter().zip(&all_pairs).map(|(sum, &n)| mean(sum.clone(), n)).collect();
            Sample { all, without }
        })
        .collect()
}

/// Lag l times τ^l with the τ nearest to 1 that makes the block Toeplitz matrix of all lags
/// positive. A mode without any power stays as it is.
fn tapered(lags: Lags) -> Lags {
    let c = lags[0].nrows();
    let power = lags[0].trace().re;
    if power <= 0.0 {
        return lags;
    }
    // A little of the power on the diagonal: rounding to f32 must not undo what the taper has
    // reached.
    let floor = Complex::from(1e-6 * power / c as f64);
    let with = |epsilon: f64| -> Lags {
        let taper =
            |(l, lag): (usize, &DMatrix<_>)| lag * Complex::from((1.0 - epsilon).powi(l as i32));
        lags.iter().enumerate().map(taper).collect()
    };
    let valid = |lags: Lags| {
        let frames = lags.len();
        Autocovariance::new(lags).is_ok_and(|lags| {
            let mut toeplitz = lags.of_window(frames);
            for i in 0..frames * c {
                toeplitz[(i, i)] -= floor;
            }
            positive(toeplitz).is_some()
        })
    };
    let steps = (0..24).map(|step| 1e-6 * f64::from(1 << step));
    let epsilon = std::iter::once(0.0).chain(steps.filter(|e| *e < 1.0)).find(|&e| valid(with(e)));
    match epsilon {
        Some(epsilon) => with(epsilon),
        // Nothing but lag 0 can be trusted.
        None => with(1.0),
    }
}
