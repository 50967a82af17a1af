//! A conditional mean, slow, plain, in f64.

use anyhow::{Result, ensure};

use super::inputs::{Seen, seen};
use super::network::{Modulation, Network};
use crate::basis::Basis;
use crate::conditional::{Base, ConditionalMean};
use crate::export::Bounds;
use crate::linear::Noised;
use crate::{Meta, Model, Shown};

/// A conditional mean ready to be evaluated; see [`finescale::mean::ConditionalMean`].
pub struct MeanReference {
    meta: Meta<ConditionalMean>,
    basis: Basis,
    shown: Shown,
    climatology: [Vec<f64>; 2],
    /// The linear map, where it is the base.
    map: Option<[Vec<f64>; 2]>,
    network: Option<Correction>,
    coarse_len: usize,
    fine_len: usize,
}

struct Correction {
    network: Network,
    modulation: Modulation,
    seen: Vec<Seen>,
    maps: Vec<f64>,
    deviation: Vec<f64>,
}

impl MeanReference {
    /// The reference of a model.
    ///
    /// # Errors
    /// If an array is missing or of the wrong size.
    pub fn new(model: &Model<ConditionalMean>) -> Result<Self> {
        let (meta, system) = (&model.meta, &model.meta.system);
        let (fine, channels) = (meta.grid()?, meta.channels.len());
        let array = |name: &str, len: usize| -> Result<Vec<f64>> {
            let values = &model.array(name)?.values;
            ensure!(values.len() == len, "the array `{name}` has the wrong size");
            Ok(values.iter().copied().map(f64::from).collect())
        };
        let fine_len = channels * fine.points();
        let coarse_len = channels * meta.coarse_points().iter().product::<usize>();
        let map = match system.base {
            Base::Interpolation => None,
            Base::Ridge => {
                let rank = model.array("down")?.shape.first().copied().unwrap_or(0);
                let down = array("down", rank * system.frames() * coarse_len)?;
                Some([down, array("up", fine_len * rank)?])
            }
        };
        let network = match Network::of(model, &meta.layers()?)? {
            None => None,
            Some(network) => {
                let power = array("input_power", fine_len)?;
                let noised = Noised {
                    damping: vec![1.0; power.len()],
                    noise_variance: vec![0.0; power.len()],
                    signal: power.clone(),
                    variance: power,
                };
                let maps = system.maps * fine.points();
                Some(Correction {
                    modulation: network.modulation(1.0),
                    seen: seen(&fine, meta.views(), &noised),
                    maps: if maps == 0 { Vec::new() } else { array("maps", maps)? },
                    deviation: array("deviation", channels)?,
                    network,
                })
            }
        };
        Ok(Self {
            basis: Basis::new(&fine),
            shown: meta.shown()?,
            climatology: [
                array("climatology", fine_len)?,
                array("coarse_climatology", coarse_len)?,
            ],
            map,
            network,
            meta: meta.clone(),
            coarse_len,
            fine_len,
        })
    }

    /// The mean of frame `n` of a path of coarse frames `[frame][channel][y][x]`; both in the units
    /// of the channels.
    pub fn evaluate(&self, coarse: &[f64], n: usize) -> Vec<f64> {
        self.evaluated(coarse, n).0
    }

    /// Takes what the network's layers have on the way to a frame.
    pub fn widen(&self, bounds: &mut Bounds, coarse: &[f64], n: usize) {
        let Some([inputs, factors]) = self.evaluated(coarse, n).1 else { return };
        for (mosts, values) in [(&mut bounds.inputs, inputs), (&mut bounds.factors, factors)] {
            mosts.resize(values.len(), 0.0);
            for (most, value) in mosts.iter_mut().zip(values) {
                *most = most.max(value as f32);
            }
        }
    }

    /// For every component of the views, the linear map from the pixels of a frame to its field,
    /// `[channel][pixel][point]`.
    #[cfg(feature = "onnx")]
    pub(crate) fn view_maps(&self) -> Vec<Vec<f64>> {
        let Some(correction) = &self.network else { return Vec::new() };
        let channels = self.meta.channels.len();
        let (pixels, points) = (self.coarse_len / channels, self.fine_len / channels);
        let mut maps = vec![vec![0.0; channels * pixels * points]; correction.seen.len()];
        for pixel in 0..pixels {
            let mut unit = vec![0.0; pixels];
            unit[pixel] = 1.0;
            let spectra = self.basis.forward(&self.shown.field(&unit)).repeat(channels);
            for (map, seen) in maps.iter_mut().zip(&correction.seen) {
                let fields = seen.fields(&self.basis, &spectra);
                for (channel, field) in fields.chunks_exact(points).enumerate() {
                    map[(channel * pixels + pixel) * points..][..points].copy_from_slice(field);
                }
            }
        }
        maps
    }

    /// The fields that the network sees of a window of anomalies, `[field][y][x]`.
    fn fields(&self, correction: &Correction, window: &[f64]) -> Vec<f64> {
        let spectra = self.basis.forward(&self.shown.field(window));
        let views = correction.seen.iter().flat_map(|seen| seen.fields(&self.basis, &spectra));
        views.chain(correction.maps.iter().copied()).collect()
    }

    fn evaluated(&self, coarse: &[f64], n: usize) -> (Vec<f64>, Option<[Vec<f64>; 2]>) {
        let (system, frame) = (&self.meta.system, self.coarse_len);
        let (last, points) = (coarse.len() / frame - 1, frame / self.meta.channels.len());
        let place = |j: usize| (n + j).saturating_sub(system.before).min(last);
        let [climatology, usual] = &self.climatology;
        let anomaly = |(i, value): (usize, &f64)| {
            let channel = &self.meta.channels[i / points];
            (value - f64::from(channel.mean as f32)) / f64::from(channel.std as f32) - usual[i]
        };
        let window: Vec<f64> = (0..system.frames())
            .flat_map(|j| coarse[place(j) * frame..][..frame].iter().enumerate().map(anomaly))
            .collect();
        let mut fine = match &self.map {
            None => self.shown.field(&window[system.before * frame..][..frame]),
            Some([down, up]) => times(up, &times(down, &window)),
        };
        let points = self.fine_len / self.meta.channels.len();
        let mut bounds = None;
        if let Some(correction) = &self.network {
            let fields = self.fields(correction, &window);
            let (out, tape) = correction.network.forward(&fields, &correction.modulation);
            for (i, (value, out)) in fine.iter_mut().zip(out).enumerate() {
                *value += correction.deviation[i / points] * out;
            }
            bounds = Some([tape.input_bounds, tape.factor_bounds]);
        }
        for (i, value) in fine.iter_mut().enumerate() {
            let channel = &self.meta.channels[i / points];
            *value = (*value + climatology[i]) * f64::from(channel.std as f32)
                + f64::from(channel.mean as f32);
        }
        (fine, bounds)
    }
}

/// A matrix, row by row, times a vector.
fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(vector).map(|(a, b)| a * b).sum();
    matrix.chunks_exact(vector.len()).map(dot).collect()
}
