//! A model's predictor and path score, slow, plain, in f64: what every other implementation is
//! compared with.
//!
//! Spectra are `[channel][mode]`, windows and paths frame after frame, oldest first. Source: arXiv
//! 2604.00327, sections 3 and 4, with the linear base, the bounded correction and S per mode that
//! are ours.

mod convolution;
pub mod inputs;
mod linear;
mod mean;
mod network;

use anyhow::{Result, ensure};

pub use mean::MeanReference;
pub use network::{BOUND, FACTOR_MAX, LAMBDA_FEATURES, SLOPE, lambda_features};

use super::basis::Basis;
use super::{Calibration, Meta, Model};
use crate::linear::{LinearBase, Noised, deviations};
use finescale_field::shells::Shells;
use inputs::Seen;
use linear::{Estimate, LinearAt};
use network::{Modulation, Network, largest};

/// A model ready to be evaluated.
pub struct Reference {
    meta: Meta,
    base: LinearBase,
    basis: Basis,
    calibration: Calibration,
    network: Option<Network>,
}

/// A model at one λ.
pub struct Level<'a> {
    reference: &'a Reference,
    linear: LinearAt,
    noised: Noised,
    /// What the network sees.
    seen: Vec<Seen>,
    /// S, `[frames − 1][channel][mode]`.
    innovation: Vec<Vec<f64>>,
    modulation: Option<Modulation>,
    /// `[frame][field][y][x]`.
    companions: Vec<f64>,
}

/// What a predictor says of a window, `[channel][mode]` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// E[û^{n+1} − û^n | window].
    pub increment: Vec<f64>,
    /// E[ε^n | window], from a score head.
    pub noise: Option<Vec<f64>>,
}

impl Reference {
    /// The reference of a model.
    ///
    /// # Errors
    /// If an array is missing or of the wrong size, or the network is a U-Net.
    pub fn new(model: &Model) -> Result<Self> {
        let base = model.base()?;
        Ok(Self {
            meta: model.meta.clone(),
            basis: Basis::new(&base.grid),
            calibration: Calibration::of(model)?,
            network: Network::of(model, &model.meta.layers()?)?,
            base,
        })
    }

    /// The transforms of its grid.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The model at λ > 0.
    ///
    /// # Errors
    /// If λ is not positive.
    pub fn at(&self, lambda: f64) -> Result<Level<'_>> {
        ensure!(lambda > 0.0 && lambda.is_finite(), "lambda is {lambda}: use more than 0");
        let frames = self.meta.system.window;
        let linear = LinearAt::new(&self.base, lambda)?;
        let (grid, noised) = (self.base.grid, self.base.noised(lambda));
        let seen = match self.network {
            Some(_) => inputs::seen(&grid, self.meta.views(), &noised),
            None => Vec::new(),
        };
        let shells = Shells::new(&grid);
        let ratio = self.ratio(lambda, &shells);
        let innovation = (1..=frames).map(|frames| {
            let linear = linear.variance(Estimate::Increment, frames);
            linear.iter().zip(&ratio).map(|(s, ratio)| s * ratio).collect()
        });
        Ok(Level {
            innovation: innovation.collect(),
            modulation: self.network.as_ref().map(|network| network.modulation(lambda)),
            reference: self,
            noised,
            linear,
            seen,
            companions: Vec::new(),
        })
    }

    /// S over the linear predictor's, `[channel][mode]`: linear in log λ, constant beyond the
    /// table.
    fn ratio(&self, lambda: f64, shells: &Shells) -> Vec<f64> {
        let Calibration { lambdas, width, innovation_ratio, .. } = &self.calibration;
        let above = lambdas.partition_point(|known| *known < lambda).min(lambdas.len() - 1);
        let below = above.saturating_sub(1);
        let part = if above == below {
            0.0
        } else {
            ((lambda / lambdas[below]).ln() / (lambdas[above] / lambdas[below]).ln())
                .clamp(0.0, 1.0)
        };
        let entry = |row: usize, shell: usize| f64::from(innovation_ratio[row * width + shell]);
        let at = |shell| entry(below, shell) * (1.0 - part) + entry(above, shell) * part;
        (0..width / shells.count)
            .flat_map(|channel| shells.of.iter().map(move |shell| channel * shells.count + shell))
            .map(at)
            .collect()
    }
}

impl Level<'_> {
    /// The same with companions, `[frame][field][y][x]`: those of every frame of a path, or for
    /// [`Self::predict`] and [`Self::vjp`] those of the frame that is predicted.
    pub fn given(self, companions: Vec<f64>) -> Self {
        Self { companions, ..self }
    }

    /// The companions of a path's frame.
    fn toward(&self, frame: usize) -> &[f64] {
        let len = self.reference.meta.companions() * self.reference.base.grid.points();
        &self.companions[frame * len..][..len]
    }

    /// V of every mode, `[channel][mode]`.
    pub fn variance(&self) -> &[f64] {
        &self.noised.variance
    }

    /// S of every mode from `frames` ≥ 1 frames, `[channel][mode]`.
    pub fn innovation(&self, frames: usize) -> &[f64] {
        &self.innovation[frames.min(self.innovation.len()) - 1]
    }

    /// S of the linear base alone, as [`Self::innovation`].
    pub(crate) fn linear_innovation(&self, frames: usize) -> Vec<f64> {
        self.linear.variance(Estimate::Increment, frames.min(self.innovation.len()))
    }

    /// For every window of a path, as its score is computed: of every layer of the network, the
    /// largest absolute value of its input, of the gradient with respect to it over the largest of
    /// the gradient with respect to the output, and of the first factors of its products.
    pub fn bounds(&self, path: &[f64]) -> Vec<[Vec<f64>; 3]> {
        let (Some(network), Some(modulation)) = (&self.reference.network, &self.modulation) else {
            return Vec::new();
        };
        let width = self.noised.variance.len();
        let ends = 1..path.len() / width;
        let of_window = |end: usize| {
            let frames = end.min(self.reference.meta.system.window);
            let window = &path[(end - frames) * width..end * width];
            let (out, tape) = network.forward(&self.fields(window, end), modulation);
            let behind = self.behind(&out, &self.innovation_score(path, end));
            let unit = largest(&behind).max(f64::MIN_POSITIVE);
            let mut gradients = Vec::new();
            network.vjp(&behind, modulation, &tape, |v| gradients.push(largest(v) / unit));
            gradients.reverse();
            [tape.input_bounds, gradients, tape.factor_bounds]
        };
        ends.map(of_window).collect()
    }

    /// What the network's outputs get from the gradient of an increment's spectrum.
    fn behind(&self, out: &[f64], cotangent: &[f64]) -> Vec<f64> {
        let mut behind = vec![0.0; out.len()];
        let slopes = self.bounded_slope(&out[..cotangent.len()]);
        let fields = self.reference.basis.inverse(cotangent);
        for ((to, v), slope) in behind.iter_mut().zip(fields).zip(slopes) {
            *to = v * slope;
        }
        behind
    }

    /// e/S of the frame `next` of a path.
    fn innovation_score(&self, path: &[f64], next: usize) -> Vec<f64> {
        let width = self.noised.variance.len();
        let frames = next.min(self.reference.meta.system.window);
        let window = &path[(next - frames) * width..next * width];
        let increment = self.predict_frame(window, next).increment;
        let (newest, next) = (&path[(next - 1) * width..next * width], &path[next * width..]);
        (0..width)
            .map(|i| (next[i] - newest[i] - increment[i]) / self.innovation(frames)[i])
            .collect()
    }

    /// How near an activation of the network comes along a path to where its derivative jumps: 0
    /// for a rectifier, ±4 for a product. Where rounding can change the side, implementations may
    /// differ.
    pub fn margin(&self, path: &[f64]) -> f64 {
        let (Some(network), Some(modulation)) = (&self.reference.network, &self.modulation) else {
            return f64::INFINITY;
        };
        let width = self.noised.variance.len();
        let windows = (1..(path.len() / width).max(2)).map(|end| {
            let frames = end.min(self.reference.meta.system.window);
            (&path[(end - frames) * width..end * width], end)
        });
        windows
            .map(|(window, end)| network.forward(&self.fields(window, end), modulation).1.margin)
            .fold(f64::INFINITY, f64::min)
    }

    /// From a window `[frame][channel][mode]` of at most W frames.
    pub fn predict(&self, window: &[f64]) -> Prediction {
        self.predict_frame(window, 0)
    }

    /// The same for a path's frame.
    fn predict_frame(&self, window: &[f64], frame: usize) -> Prediction {
        let meta = &self.reference.meta;
        let linear = |estimate| {
            if meta.system.linear_base {
                self.linear.apply(estimate, window)
            } else {
                vec![0.0; self.noised.variance.len()]
            }
        };
        let mut increment = linear(Estimate::Increment);
        let mut noise = meta.system.score_head.then(|| linear(Estimate::Noise));
        if let (Some(network), Some(modulation)) = (&self.reference.network, &self.modulation) {
            let (out, _) = network.forward(&self.fields(window, frame), modulation);
            let mut heads = out.chunks_exact(increment.len());
            let estimates = [Estimate::Increment, Estimate::Noise];
            for (to, estimate) in
                [Some(&mut increment), noise.as_mut()].into_iter().flatten().zip(estimates)
            {
                let head = heads.next().unwrap_or_default();
                let correction = self.reference.basis.forward(&self.bounded(head, estimate));
                to.iter_mut().zip(correction).for_each(|(to, value)| *to += value);
            }
        }
        Prediction { increment, noise }
    }

    /// (∂ increment/∂ window)ᵀ `cotangent`, `[frame][channel][mode]`.
    pub fn vjp(&self, window: &[f64], cotangent: &[f64]) -> Vec<f64> {
        self.vjp_frame(window, 0, cotangent)
    }

    /// The same for a path's frame.
    fn vjp_frame(&self, window: &[f64], frame: usize, cotangent: &[f64]) -> Vec<f64> {
        let width = self.noised.variance.len();
        let frames = window.len() / width;
        let mut gradient = if self.reference.meta.system.linear_base {
            self.linear.adjoint(Estimate::Increment, cotangent, frames)
        } else {
            vec![0.0; window.len()]
        };
        let (Some(network), Some(modulation)) = (&self.reference.network, &self.modulation) else {
            return gradient;
        };
        let (out, tape) = network.forward(&self.fields(window, frame), modulation);
        let inputs = network.vjp(&self.behind(&out, cotangent), modulation, &tape, |_| ());
        // Frames that are not there came first among the inputs.
        let all = self.reference.meta.system.window * width;
        for (seen, fields) in self.seen.iter().zip(inputs.chunks_exact(all)) {
            let spectra = seen.spectra(&self.reference.basis, &fields[all - frames * width..]);
            gradient.iter_mut().zip(spectra).for_each(|(to, v)| *to += v);
        }
        gradient
    }

    /// ∇ ln p of a path `[frame][channel][mode]`: with e^n = û^{n+1} − û^n − F_n, of frame m
    /// −S⁻¹e^{m−1} + S⁻¹e^m + Σ_n J_{n,m}ᵀ S⁻¹e^n, and −û⁰/V of frame 0.
    pub fn path_score(&self, path: &[f64]) -> Vec<f64> {
        let width = self.noised.variance.len();
        let mut score = vec![0.0; path.len()];
        for ((s, u), v) in score.iter_mut().zip(path).zip(&self.noised.variance) {
            *s = -u / v;
        }
        for n in 0..(path.len() / width).saturating_sub(1) {
            let frames = (n + 1).min(self.reference.meta.system.window);
            let start = (n + 1 - frames) * width;
            let window = &path[start..(n + 1) * width];
            let error = self.innovation_score(path, n + 1);
            for (i, value) in error.iter().enumerate() {
                score[n * width + i] += value;
                score[(n + 1) * width + i] -= value;
            }
            for (s, g) in score[start..].iter_mut().zip(self.vjp_frame(window, n + 1, &error)) {
                *s += g;
            }
        }
        score
    }

    /// −½ Σ |e|²/S − ½ |û⁰|²/V, whose gradient the path score is.
    pub fn log_density(&self, path: &[f64]) -> f64 {
        let width = self.noised.variance.len();
        let mut sum: f64 = path.iter().zip(&self.noised.variance).map(|(u, v)| u * u / v).sum();
        for n in 0..(path.len() / width).saturating_sub(1) {
            let frames = (n + 1).min(self.reference.meta.system.window);
            let window = &path[(n + 1 - frames) * width..(n + 1) * width];
            let increment = self.predict_frame(window, n + 1).increment;
            for (i, s) in self.innovation(frames).iter().enumerate() {
                sum += (path[(n + 1) * width + i] - path[n * width + i] - increment[i]).powi(2) / s;
            }
        }
        -0.5 * sum
    }

    /// What the network sees to predict a path's `frame`, `[field][y][x]`: a frame of the window
    /// that is not there is zero.
    fn fields(&self, window: &[f64], frame: usize) -> Vec<f64> {
        let width = self.noised.variance.len();
        let missing = self.reference.meta.system.window * width - window.len();
        let of = |seen: &Seen| {
            let mut fields = vec![0.0; missing];
            fields.extend(seen.fields(&self.reference.basis, window));
            fields
        };
        self.seen.iter().flat_map(of).chain(self.toward(frame).iter().copied()).collect()
    }

    /// Standard deviation of a grid value of the base's error, for every value of a frame.
    fn scale(&self, estimate: Estimate) -> Vec<f64> {
        let points = self.reference.base.grid.points();
        let variance = self.linear.variance(estimate, self.reference.meta.system.window);
        deviations(&variance, points).flat_map(|deviation| vec![deviation; points]).collect()
    }

    fn bounded(&self, out: &[f64], estimate: Estimate) -> Vec<f64> {
        if !self.reference.meta.system.bounded {
            return out.to_vec();
        }
        let scale = self.scale(estimate);
        out.iter().zip(scale).map(|(out, scale)| scale * BOUND * (out / BOUND).tanh()).collect()
    }

    /// Derivative of [`Self::bounded`] for the increment.
    fn bounded_slope(&self, out: &[f64]) -> Vec<f64> {
        if !self.reference.meta.system.bounded {
            return vec![1.0; out.len()];
        }
        let scale = self.scale(Estimate::Increment);
        out.iter().zip(scale).map(|(out, s)| s * (1.0 - (out / BOUND).tanh().powi(2))).collect()
    }
}
