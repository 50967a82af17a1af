//! How good the networks are on the validation part: ensembles beside the truth.

use anyhow::Result;
use finescale_model::dyffusion::Method;
use finescale_peers::dyffusion::Networks;
use finescale_sample::generator::windows::dyffusion::window;

use super::evaluate::Evaluated;
use super::shape::Shape;
use crate::engine::kernels::Kernels;
use crate::networks::Network;
use crate::systems::Validation;
use crate::systems::windows::judge::{self, fair_crps};

/// Members by which the weights are judged while they learn.
pub(super) const MEMBERS: usize = 4;
/// The seed of validation's masks: the same in every validation.
const SEED: u64 = 0;

/// Windows of the validation part, and what is learned.
pub(super) struct Judge<'a, B: Kernels> {
    pub(super) shape: &'a Shape,
    pub(super) windows: judge::Judge<'a, B>,
}

impl<B: Kernels> Judge<'_, B> {
    /// Fair CRPS of the frames that I makes between the true ones.
    ///
    /// # Errors
    /// After Ctrl-C.
    pub(super) fn interpolated(&self, interpolator: &Network<B>) -> Result<f64> {
        let h = self.shape.about.window.horizon;
        let [first, last] = [0, h].map(|place| self.windows.frame(place));
        let mut sum = 0.0;
        for time in 1..h {
            let members = (0..self.windows.members).map(|member| {
                finescale_host::interrupt::check()?;
                let mut networks = self.networks(Some(interpolator), interpolator, member);
                networks.interpolate(&first, &last, time as f64, time as u64)
            });
            sum += fair_crps(&members.collect::<Result<Vec<_>>>()?, &self.windows.frame(time));
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
        let first = self.windows.frame(0);
        self.windows.forecast(&first, |member| {
            let mut networks = self.networks(interpolator, forecaster, member);
            Ok(window(&self.shape.about, &first, &mut networks)?.0)
        })
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
            device: self.windows.valid.device().clone(),
            address: [SEED, member as u64, 0],
            drawn: 0,
        }
    }
}
