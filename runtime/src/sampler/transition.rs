//! One reverse step λ₁ → λ₀: what every mode does.

use super::coupled::{Coupling, Room, Work};
use super::observation::Observation;
use super::rule::{Clip, NoiseRule, StepRule, bounded};
use crate::checked::{self, OrBug, Place};
use crate::noise::NoiseStream;
use crate::predictor::{Linear, Moments, Position, Prepared};
use crate::process::Kappa;
use crate::spectral::{RadialBins, operator};
use crate::{ForwardProcess, Modes};

/// z is at most this in the factor of the score.
const GROWTH_MAX: f32 = 1.0;

/// A reverse step of every mode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transition {
    pub(super) process: ForwardProcess,
    pub(super) from: f32,
    pub(super) to: f32,
    pub(super) rule: StepRule,
    pub(super) clip: Option<Clip>,
    /// Whether the score is the score head's.
    pub(super) head: bool,
}

/// The coefficients of an ancestral step: g, h, V₁ and q of rule V.
struct Ancestral {
    g: f32,
    h: f32,
    before: f32,
    variance: f32,
}

/// û ← state · û + score · ŝ + measured · y + deviation · w, with |ŝ| bounded before.
#[derive(Clone, Copy, Debug, Default)]
struct Move {
    state: f32,
    score: f32,
    measured: f32,
    deviation: f32,
    score_limit: f32,
}

/// The moves of one mode, by what is known of the frame.
#[derive(Clone, Copy, Debug, Default)]
struct Moves {
    free: Move,
    measured: Measured,
    known: Option<Move>,
    kappa: Kappa,
}

/// The move of a mode that was measured.
#[derive(Clone, Copy, Debug)]
enum Measured {
    /// One for all frames; `None` if they are not held.
    Alike(Option<Move>),
    /// Frames have variances of their own.
    ByFrame,
}

impl Default for Measured {
    fn default() -> Self {
        Self::Alike(None)
    }
}

impl Transition {
    /// Moves every mode of `path`, `[frame][channel][y mode][x mode]`; the noise of frame n is that
    /// of `stream` with n added to its frame, `None` adds none.
    pub(super) fn apply(
        &self,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        stream: Option<&NoiseStream>,
        path: &mut [f32],
        score: &mut [f32],
    ) {
        let grid = &predictor.grid;
        let frame = predictor.frame_len();
        let position = predictor.calibration.position(self.from);
        let bins = RadialBins::new(grid);
        // Of its own, so that the compiler sees that `frame` stays what it is, which is not 0.
        let len = frame;
        let mut moves = (0..predictor.channels).flat_map(|channel| {
            let power = predictor.power.chunks_exact(grid.points()).nth(channel).or_bug();
            let modes = checked::counted(power.iter().zip(self.process.kappas(grid, channel)));
            modes.zip(grid.wavenumbers()).map(move |((index, (power, kappa)), k)| {
                let moments = self.moments(predictor, position, channel, bins.bin(k));
                let free = self.free(kappa, *power, moments);
                let index = channel.times(grid.points()).plus(index);
                let measured = match observation.map(|o| o.common_variance(len, index)) {
                    None => Measured::Alike(None),
                    Some(None) => Measured::ByFrame,
                    Some(Some(r)) => Measured::Alike(self.held(kappa, r)),
                };
                let known = observation.and_then(|_| self.held(kappa, 0.0));
                Moves { free, measured, known, kappa }
            })
        });
        let coupled = self.rule == StepRule::Ancestral(NoiseRule::Linear);
        // Four modes at a time, which is a block of noise; a channel has a multiple of four.
        for block in 0..frame / 4 {
            let moves: [Moves; 4] = core::array::from_fn(|_| moves.next().or_bug());
            let range = block.times(4)..block.times(4).plus(4);
            let frames = checked::zip(path.chunks_exact_mut(frame), score.chunks_exact_mut(frame));
            for (n, (u, s)) in checked::numbered_frames(frames) {
                let u = u.get_mut(range.clone()).or_bug();
                let s = s.get_mut(range.clone()).or_bug();
                let noise = stream.map_or([0.0; 4], |stream| {
                    let stream = NoiseStream { frame: stream.frame.wrapping_add(n), ..*stream };
                    stream.block(block as u32)
                });
                let seen =
                    observation.and_then(|o| o.frame(frame, n)).and_then(|y| y.get(range.clone()));
                let values = checked::counted(u.iter_mut().zip(s).zip(noise).zip(&moves));
                let known = observation.is_some_and(|o| o.is_known(n));
                for (lane, (((u, s), w), moves)) in values {
                    let y = seen.and_then(|y| y.get(lane));
                    let held = match moves.measured {
                        _ if known => moves.known,
                        Measured::Alike(held) => held,
                        Measured::ByFrame => observation.and_then(|o| {
                            self.held(moves.kappa, o.variance(frame, n, block.times(4).plus(lane)))
                        }),
                    };
                    let mean = moves.free.of(*u, *s, 0.0, w);
                    let value = held.zip(y).map(|(held, y)| held.of(*u, 0.0, *y, w));
                    if coupled {
                        *s = value.map_or(w, |value| value - mean);
                    }
                    *u = value.unwrap_or(mean);
                }
            }
        }
        if coupled && stream.is_some() {
            self.couple(predictor, observation, path, score);
        }
    }

    /// Adds the noise of rule L; `noise` holds what [`Coupling::add`] takes, not yet packed.
    fn couple(
        &self,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        path: &mut [f32],
        noise: &mut [f32],
    ) {
        match predictor.window {
            0..=4 => self.couple_in::<5, 10>(predictor, observation, path, noise),
            5..=8 => self.couple_in::<9, 36>(predictor, observation, path, noise),
            _ => self.couple_in::<17, 136>(predictor, observation, path, noise),
        }
    }

    /// With so much room on the stack, which is free again afterwards.
    #[inline(never)]
    fn couple_in<const ROW: usize, const FACTORS: usize>(
        &self,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        path: &mut [f32],
        noise: &mut [f32],
    ) {
        const { assert!(Linear::EQUATIONS_MAX < 17) };
        let mut room = Room::<ROW, FACTORS>::new();
        self.couple_modes(&mut room.work(), predictor, observation, path, noise);
    }

    #[inline(never)]
    fn couple_modes(
        &self,
        work: &mut Work<'_>,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        path: &mut [f32],
        noise: &mut [f32],
    ) {
        let grid = &predictor.grid;
        let frame = predictor.frame_len();
        // Lengths were checked where the path came in.
        debug_assert!(path.len().is_multiple_of(frame) && noise.len() == path.len());
        let _ = operator::pack(grid, Modes::from_mut(path));
        let _ = operator::pack(grid, Modes::from_mut(noise));
        for channel in 0..predictor.channels {
            let power = predictor.power.chunks_exact(grid.points()).nth(channel).or_bug();
            let modes =
                operator::by_value(grid).zip(power).zip(grid.kappas(self.process.laplacian()));
            for ((mode, power), grid_kappa) in modes {
                let Some(mode) = mode else { continue };
                let kappa = self.process.kappa(channel, grid_kappa);
                let index = channel.times(grid.points()).plus(mode.re);
                let held = |r| self.held(kappa, r).is_some();
                let common = observation.and_then(|o| o.common_variance(frame, index)).map(held);
                let known = |n| {
                    observation.is_some_and(|o| {
                        let alike = || common.unwrap_or_else(|| held(o.variance(frame, n, index)));
                        o.frame(frame, n).is_some() && (o.is_known(n) || alike())
                    })
                };
                let Ancestral { h, before, variance, .. } = self.ancestral(kappa, *power);
                let (diagonal, factor) = (variance + h * h / before, h * h);
                Coupling { predictor, channel, mode, grid_kappa, diagonal, factor }
                    .add(work, known, noise, path);
            }
        }
        let _ = operator::unpack(grid, path);
    }

    /// The process from λ₀ on, and λ₁ − λ₀.
    fn onwards(&self) -> (ForwardProcess, f32) {
        (self.process.after(self.to), self.from - self.to)
    }

    fn moments(
        &self,
        predictor: &Prepared<'_>,
        position: Position,
        channel: usize,
        bin: usize,
    ) -> Option<Moments> {
        let calibration = &predictor.calibration;
        if self.head {
            calibration.head_score(position, channel, bin)
        } else {
            calibration.path_score(position, channel, bin)
        }
    }

    fn free(&self, kappa: Kappa, power: f32, moments: Option<Moments>) -> Move {
        let process = &self.process;
        let before = process.variance(kappa, self.from, power);
        let score_power = moments.map_or(f32::INFINITY, |moments| moments.power);
        let mut step = match self.rule {
            StepRule::Ancestral(rule) => {
                let Ancestral { g, h, variance, .. } = self.ancestral(kappa, power);
                let step = Move { state: g + h / before, score: h, ..Move::FREE };
                let variance = match (rule, moments) {
                    (NoiseRule::Linear, _) => 0.0,
                    (NoiseRule::Residual, Some(Moments { power, truth, .. })) => {
                        // No score has more power than that of the noise.
                        let most = before / process.noise_variance(kappa, self.from);
                        let excess = (2.0 * truth - power).min(most) - 1.0;
                        variance - h * h * excess.max(0.0) / before
                    }
                    (NoiseRule::Matched, Some(Moments { drawn_power, drawn_state, .. })) => {
                        // ŝ + û/V₁: what it shares with û, and its power.
                        let shared = drawn_state + 1.0;
                        let power = (drawn_power + 2.0 * drawn_state + 1.0).max(0.0) / before;
                        variance - h * (2.0 * g * shared + h * power)
                    }
                    _ => variance,
                };
                let variance = variance.max(0.0);
                Move { deviation: libm::sqrtf(variance), ..step }
            }
            StepRule::Exponential { exact_noise } => {
                let (onwards, delta) = self.onwards();
                let growth = libm::expf(onwards.exponent(kappa, delta));
                let variance = if exact_noise {
                    growth * growth * onwards.noise_variance(kappa, delta)
                } else {
                    process.beta2() * delta
                };
                let score = onwards.growth(kappa, delta);
                Move { state: growth, score, deviation: libm::sqrtf(variance), ..Move::FREE }
            }
        };
        if let Some(clip) = self.clip {
            step.score_limit = clip.score * libm::sqrtf(score_power / before);
        }
        step
    }

    fn ancestral(&self, kappa: Kappa, power: f32) -> Ancestral {
        let process = &self.process;
        let (onwards, delta) = self.onwards();
        let z = onwards.exponent(kappa, delta);
        let added = onwards.noise_variance(kappa, delta);
        let before = process.variance(kappa, self.from, power);
        let after = process.variance(kappa, self.to, power);
        Ancestral {
            g: onwards.damping(kappa, delta) * (after / before),
            h: added * libm::expf(z.min(GROWTH_MAX)),
            before,
            // V₀ − g² V₁ without its cancellation.
            variance: after * (added / before),
        }
    }

    /// The bridge of a mode that was measured with the variance `r`; `None` once the measurement is
    /// noisier than λ₀.
    fn held(&self, kappa: Kappa, r: f32) -> Option<Move> {
        let process = &self.process;
        let after = Observation::spread(process, kappa, self.to, r)?;
        let before = Observation::spread(process, kappa, self.from, r)?;
        let (onwards, delta) = self.onwards();
        let damping = onwards.damping(kappa, delta);
        let (state, variance) = if before > 0.0 {
            let share = after / before;
            (damping * share, share * onwards.noise_variance(kappa, delta))
        } else {
            (0.0, 0.0)
        };
        let measured = process.damping(kappa, self.to) - state * process.damping(kappa, self.from);
        Some(Move { state, measured, deviation: libm::sqrtf(variance), ..Move::FREE })
    }
}

impl Move {
    const FREE: Self =
        Self { state: 0.0, score: 0.0, measured: 0.0, deviation: 0.0, score_limit: f32::INFINITY };

    fn of(&self, u: f32, s: f32, y: f32, w: f32) -> f32 {
        let s = bounded(s, self.score_limit);
        self.state * u + self.score * s + self.measured * y + self.deviation * w
    }
}
