//! Mean, standard deviation, power spectrum and lag-1 correlation of the training part, streamed in
//! f64.
//!
//! Every piece of the data is summed on its own and the pieces are joined in their order, so the
//! result does not depend on the number of threads.

use std::ops::Range;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde_json::json;

use super::fields::Fields;
use super::store::{self, Store};
use super::{Attributes, Spec, Split, Splits};
use finescale_field::scale::Scale;
use finescale_field::shells::Shells;
use finescale_field::transform::Transform;

/// Statistics of one channel, of all frames, points and trajectories of the training part.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelStatistics {
    /// Mean, in the channel's units.
    pub mean: f64,
    /// Standard deviation, in the channel's units.
    pub std: f64,
    /// Correlation of the standardised field with itself one frame later.
    pub lag1: f64,
    /// P_k: E|û_k|² of the standardised field per shell, orthonormal transform.
    pub power: Vec<f64>,
    /// Correlation one frame later per shell, Re E(û_kⁿ* û_kⁿ⁺¹) / E|û_k|²; 0 where there is no
    /// power.
    pub lag1_spectrum: Vec<f64>,
}

/// Statistics of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Frames that they were taken from.
    pub frames: usize,
    /// The shells of the spectra.
    pub shells: Shells,
    /// One entry per channel.
    pub channels: Vec<ChannelStatistics>,
}

/// Count, mean and sum of squared deviations, joined by Chan's rule.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(values: &[f32]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
        Self { count, mean, squares }
    }

    fn join(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        let count = self.count + other.count;
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares
                + other.squares
                + apart * apart * self.count * other.count / count,
        }
    }
}

/// Sums over the frames and pairs of frames of a piece, `[channel][shell]`.
struct Sums {
    power: Vec<f64>,
    /// û_kⁿ û_kⁿ⁺¹
    product: Vec<f64>,
    /// ½ (|û_kⁿ|² + |û_kⁿ⁺¹|²) of the same pairs
    pair_power: Vec<f64>,
}

/// Part of a training segment: its frames, and the one after it if the segment goes on.
struct Piece {
    trajectory: usize,
    frames: Range<usize>,
    pair_with_next: bool,
}

/// Cuts segments at every eighth chunk: small enough for all cores, large enough that few chunks
/// are read twice.
fn pieces(splits: &Splits, block: usize) -> Vec<Piece> {
    let step = 8 * block;
    let mut pieces = Vec::new();
    for segment in splits.segments(Split::Train) {
        let mut start = segment.frames.start;
        while start < segment.frames.end {
            let end = (start / step * step + step).min(segment.frames.end);
            pieces.push(Piece {
                trajectory: segment.trajectory,
                frames: start..end,
                pair_with_next: end < segment.frames.end,
            });
            start = end;
        }
    }
    pieces
}

/// Both passes over the training part: moments first, then spectra of the standardised field.
pub(super) fn compute(spec: &Spec, splits: &Splits, fields: &Fields) -> Result<Statistics> {
    let frames = splits.count(Split::Train);
    ensure!(frames >= 2, "the training part has {frames} frames: statistics need at least 2");
    let pieces = pieces(splits, fields.block);
    let moments = moments(spec, &pieces, fields)?;
    for (channel, m) in spec.channels.iter().zip(&moments) {
        let std = (m.squares / m.count).sqrt();
        // Below the resolution of f32 the spread is rounding.
        ensure!(
            std > 1e-7 * m.mean.abs(),
            "`{}` is constant ({}) over the training part: leave it out",
            channel.name,
            m.mean
        );
    }
    let grid = spec.grid()?;
    let (transform, of) = (Transform::new(&grid), Shells::new(&grid));
    let shells = of.count;
    let sums = pieces
        .par_iter()
        .map(|piece| sum_piece(spec, piece, fields, &transform, &of, &moments))
        .collect::<Result<Vec<_>>>()?;
    let total = |part: fn(&Sums) -> &Vec<f64>, index: usize| -> f64 {
        sums.iter().map(|sums| part(sums)[index]).sum()
    };
    let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    let channels = moments.iter().enumerate().map(|(c, m)| {
        let gather = |part| (0..shells).map(|s| total(part, c * shells + s)).collect::<Vec<f64>>();
        let (power, product, pair) =
            (gather(|s| &s.power), gather(|s| &s.product), gather(|s| &s.pair_power));
        let per_mode = |(sum, &n): (&f64, &u64)| sum / (frames as f64 * n as f64);
        ChannelStatistics {
            mean: m.mean,
            std: (m.squares / m.count).sqrt(),
            lag1: ratio(product.iter().sum(), pair.iter().sum()),
            power: power.iter().zip(&of.modes).map(per_mode).collect(),
            lag1_spectrum: product.iter().zip(&pair).map(|(&a, &b)| ratio(a, b)).collect(),
        }
    });
    let channels = channels.collect();
    Ok(Statistics { frames, shells: of, channels })
}

fn moments(spec: &Spec, pieces: &[Piece], fields: &Fields) -> Result<Vec<Moments>> {
    let parts = pieces
        .par_iter()
        .map(|piece| {
            let mut moments = vec![Moments::default(); spec.channels.len()];
            for start in piece.frames.clone().step_by(fields.block) {
                finescale_host::interrupt::check()?;
                let end = (start + fields.block).min(piece.frames.end);
                let values = fields.read(piece.trajectory, start..end)?;
                for frame in values.chunks_exact(spec.frame_len()) {
                    for (m, field) in moments.iter_mut().zip(frame.chunks_exact(spec.points())) {
                        *m = m.join(Moments::of(field));
                    }
                }
            }
            Ok(moments)
        })
        .collect::<Result<Vec<_>>>()?;
    let empty = vec![Moments::default(); spec.channels.len()];
    Ok(parts
        .into_iter()
        .fold(empty, |sum, part| sum.into_iter().zip(part).map(|(a, b)| a.join(b)).collect()))
}

fn sum_piece(
    spec: &Spec,
    piece: &Piece,
    fields: &Fields,
    transform: &Transform,
    of: &Shells,
    moments: &[Moments],
) -> Result<Sums> {
    let (points, shells) = (spec.points(), of.count);
    let zeros = || vec![0.0; spec.channels.len() * shells];
    let mut sums = Sums { power: zeros(), product: zeros(), pair_power: zeros() };
    let mut previous: Option<Vec<f64>> = None;
    let mut frame = piece.frames.start;
    let end = piece.frames.end + usize::from(piece.pair_with_next);
    while frame < end {
        finescale_host::interrupt::check()?;
        let next = (frame + fields.block).min(end);
        let values = fields.read(piece.trajectory, frame..next)?;
        for values in values.chunks_exact(spec.frame_len()) {
            let mut spectrum = Vec::with_capacity(values.len());
            for (field, m) in values.chunks_exact(points).zip(moments) {
                let scale = (m.count / m.squares).sqrt();
                spectrum.extend(field.iter().map(|&v| (f64::from(v) - m.mean) * scale));
            }
            spectrum.chunks_exact_mut(points).for_each(|field| transform.forward(field));
            let bin = |i: usize| i / points * shells + of.of[i % points];
            if frame < piece.frames.end {
                for (i, u) in spectrum.iter().enumerate() {
                    sums.power[bin(i)] += u * u;
                }
            }
            if let Some(previous) = &previous {
                for (i, (a, b)) in previous.iter().zip(&spectrum).enumerate() {
                    sums.product[bin(i)] += a * b;
                    sums.pair_power[bin(i)] += 0.5 * (a * a + b * b);
                }
            }
            previous = Some(spectrum);
            frame += 1;
        }
    }
    Ok(sums)
}

/// Name, meaning and value of a statistic.
type Described<T> = (&'static str, &'static str, fn(&ChannelStatistics) -> T);

impl Statistics {
    /// What standardises the channels.
    pub fn scale(&self) -> Scale {
        self.channels.iter().map(|c| (c.mean, c.std)).collect()
    }

    /// Writes the group `statistics`.
    pub(super) fn write(&self, store: &Store, spec: &Spec) -> Result<()> {
        let (n, shells) = (self.channels.len(), self.shells.count);
        let long = |name: &str, units: &str| {
            Attributes::from_iter([
                ("long_name".into(), json!(name)),
                ("units".into(), json!(units)),
            ])
        };
        let scalars: [Described<f64>; 3] = [
            ("mean", "mean, in the channel's units", |c| c.mean),
            ("std", "standard deviation, in the channel's units", |c| c.std),
            ("lag1", "correlation one frame later", |c| c.lag1),
        ];
        for (name, meaning, value) in scalars {
            let values: Vec<f64> = self.channels.iter().map(value).collect();
            let mut attributes = long(meaning, "1");
            if name != "lag1" {
                attributes.remove("units");
            }
            store::write(
                store,
                &format!("/statistics/{name}"),
                &[("channel", n)],
                &values,
                attributes,
            )?;
        }
        let spectra: [Described<Vec<f64>>; 2] = [
            ("power_spectrum", "mean power of a mode of the standardised field", |c| {
                c.power.clone()
            }),
            ("lag1_spectrum", "correlation of a mode one frame later", |c| c.lag1_spectrum.clone()),
        ];
        let dimensions = [("channel", n), ("wavenumber", shells)];
        for (name, meaning, values) in spectra {
            let values: Vec<f64> = self.channels.iter().flat_map(values).collect();
            let path = format!("/statistics/{name}");
            store::write(store, &path, &dimensions, &values, long(meaning, "1"))?;
        }
        let k = self.shells.wavenumbers();
        let dimension = [("wavenumber", shells)];
        let attributes =
            long("wavenumber at the centre of a shell, in radians per unit length", "1");
        store::write(store, "/statistics/wavenumber", &dimension, &k, attributes)?;
        let modes: Vec<i64> = self.shells.modes.iter().map(|&n| n as i64).collect();
        let attributes = long("number of modes of a shell", "1");
        store::write(store, "/statistics/modes", &dimension, &modes, attributes)?;
        let names: Vec<&str> = spec.channels.iter().map(|c| c.name.as_str()).collect();
        let attributes = Attributes::from_iter([
            ("split".into(), json!(Split::Train.name())),
            ("frames".into(), json!(self.frames)),
            ("channels".into(), json!(names.join(" "))),
        ]);
        store::write_group(store, "/statistics", attributes)
    }

    /// Reads the group `statistics`.
    pub(super) fn read(store: &Store, spec: &Spec, frames: usize) -> Result<Self> {
        let shells = Shells::new(&spec.grid()?);
        let (n, count) = (spec.channels.len(), shells.count);
        let scalar = |name: &str| store::read::<f64>(store, &format!("/statistics/{name}"), &[n]);
        let spectrum =
            |name: &str| store::read::<f64>(store, &format!("/statistics/{name}"), &[n, count]);
        let (mean, std, lag1) = (scalar("mean")?, scalar("std")?, scalar("lag1")?);
        let (power, lag1_spectrum) = (spectrum("power_spectrum")?, spectrum("lag1_spectrum")?);
        for (name, values) in [("mean", &mean), ("std", &std), ("power_spectrum", &power)] {
            ensure!(values.iter().all(|v| v.is_finite()), "the statistic `{name}` is missing");
        }
        let channels = (0..n).map(|c| ChannelStatistics {
            mean: mean[c],
            std: std[c],
            lag1: lag1[c],
            power: power[c * count..][..count].to_vec(),
            lag1_spectrum: lag1_spectrum[c * count..][..count].to_vec(),
        });
        Ok(Self { frames, shells, channels: channels.collect() })
    }
}
