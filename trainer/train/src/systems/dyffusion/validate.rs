//! How good the networks are on the validation part: ensembles beside the truth.

use anyhow::Result;
use finescale_data::dataset::spread;
use finescale_model::dyffusion::Method;
use finescale_sample::generator::dyffusion::window;

use super::batch::Draw;
use super::evaluate::Evaluated;
use super::shape::Shape;
use crate::engine::frames::{Frames, numbers};
use crate::engine::kernels::Kernels;
use crate::networks::Network;
use crate::systems::Validation;

/// Members by which the weights are judged while they learn.
pub(super) const MEMBERS: usize = 4;
/// Members of the figures in the end.
pub(super) const MEMBERS_AT_THE_END: usize = 20;
/// The seed of validation's masks: the same in every validation.
const SEED: u64 = 0;

/// Windows of the validation part.
pub(super) struct Judge<'a, B: Kernels> {
    pub(super) shape: &'a Shape,
    pub(super) valid: &'a Frames<B>,
    pub(super) windows: usize,
    pub(super) members: usize,
}

impl<B: Kernels> Judge<'_, B> {
    /// Fair CRPS of the frames that I makes between the true ones.
    ///
    /// # Errors
    /// After Ctrl-C.
    pub(super) fn interpolated(&self, interpolator: &Network<B>) -> Result<f64> {
        let h = self.shape.about.window.horizon;
        let [first, last] = [self.frame(0), self.frame(h)];
        let mut sum = 0.0;
        for time in 1..h {
            let members = (0..self.members).map(|member| {
                finescale_host::interrupt::check()?;
                let mut networks = self.networks(Some(interpolator), interpolator, member);
                let mask = time as u64;
                finescale_peers::dyffusion::Networks::interpolate(
                    &mut networks,
                    &first,
                    &last,
                    time as f64,
                    mask,
                )
            });
            sum += fair_crps(&members.collect::<Result<Vec<_>>>()?, &self.frame(time));
        }
        Ok(sum / (h - 1) as f64)
    }

    /// Fair CRPS of the frames that both tell from the true first ones, and the errors of the
    /// members' mean.
    ///
    /// # Errors
    /// After Ctrl-C.
    pub(super) fn forecast(
        &self,
        interpolator: Option<&Network<B>>,
        forecaster: &Network<B>,
    ) -> Result<Validation> {
        let first = self.frame(0);
        let members = (0..self.members).map(|member| {
            finescale_host::interrupt::check()?;
            let mut networks = self.networks(interpolator, forecaster, member);
            Ok(window(&self.shape.about, &first, &mut networks)?.0)
        });
        let members: Vec<Vec<Vec<f64>>> = members.collect::<Result<_>>()?;
        let mut found = Validation::default();
        let mut sum = 0.0;
        let horizon = self.shape.about.window.horizon;
        for n in 0..horizon {
            let truth = self.frame(n + 1);
            let frame: Vec<_> = members.iter().map(|frames| frames[n].clone()).collect();
            sum += fair_crps(&frame, &truth);
            let mean: Vec<f64> = (0..truth.len())
                .map(|at| frame.iter().map(|member| member[at]).sum::<f64>() / frame.len() as f64)
                .collect();
            found.rollout.push(relative(&mean, &truth));
            found.persistence.push(relative(&first, &truth));
        }
        found.losses = vec![(0.0, sum / horizon as f64)];
        Ok(found)
    }

    fn networks<'a>(
        &'a self,
        interpolator: Option<&'a Network<B>>,
        forecaster: &'a Network<B>,
        member: usize,
    ) -> Evaluated<'a, B> {
        Evaluated {
            shape: self.shape,
            interpolator: interpolator.filter(|_| self.shape.about.method == Method::Dyffusion),
            forecaster,
            device: self.valid.device().clone(),
            address: [SEED, member as u64, 0],
            drawn: 0,
        }
    }

    /// A frame of all windows, `[window][channel][y][x]`.
    fn frame(&self, place: usize) -> Vec<f64> {
        let starts = spread(self.valid.starts(), self.windows);
        let steps = vec![0; starts.len()];
        let draw = Draw { starts, steps, symmetries: Vec::new() };
        let [frame] = draw.frames(self.valid, &self.shape.grid, [&|_| place]);
        numbers(frame).into_iter().map(f64::from).collect()
    }
}

/// E|x − y| − ½ E|x − x′| over pairs of different members, averaged over the values.
fn fair_crps(members: &[Vec<f64>], truth: &[f64]) -> f64 {
    let count = members.len();
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let error: f64 = members.iter().map(|member| distance(member, truth)).sum();
    let pairs = members.iter().enumerate();
    let pairs = pairs.flat_map(|(n, a)| members[..n].iter().map(move |b| (a, b)));
    let spread: f64 = pairs.map(|(a, b)| distance(a, b)).sum();
    let pairs = (count * count.saturating_sub(1)).max(1) as f64;
    (error / count as f64 - spread / pairs) / truth.len() as f64
}

/// ‖a − b‖ / ‖b‖.
fn relative(a: &[f64], b: &[f64]) -> f64 {
    let error: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (error / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If it failed, an ensemble would be judged by its number of members: of {0, 1} beside y the
    /// pairs' term takes ½ away, of one member nothing.
    #[test]
    fn the_score_of_two_members_is_that_of_the_formula() {
        let members = [vec![0.0, 0.0], vec![1.0, 1.0]];
        assert!((fair_crps(&members, &[0.0, 3.0]) - 0.5 * (0.0 + 2.0)).abs() < 1e-12);
        assert!((fair_crps(&members[..1], &[0.0, 3.0]) - 1.5).abs() < 1e-12);
        assert!((relative(&[1.0, 0.0], &[0.0, 2.0]) - 1.25_f64.sqrt()).abs() < 1e-12);
    }
}
