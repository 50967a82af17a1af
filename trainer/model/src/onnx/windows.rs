//! Sums of the linear base's terms at one λ, for windows of 1 … W frames.
//!
//! They are taken over complex modes, each once, and over the frames that a window has; then they
//! are brought to all places and to W frames, with zeros for those that a shorter window has not.

use super::graph::{Graph, Value};
use super::level::Sizes;
use super::terms::Terms;

/// What is common to the sums.
pub(super) struct Windows {
    sizes: Sizes,
    planes: usize,
    /// C² and Σ of each complex mode.
    pub(super) damping2: Value,
    pub(super) sigma: Value,
    /// C²d + Σ of windows of 1 … W frames: I × M.
    totals: Vec<Value>,
    /// The complex mode of each place.
    modes: Value,
    /// What imaginary parts are multiplied with: Q × 1 × modes, if there are any.
    signs: Option<Value>,
}

impl Windows {
    pub(super) fn new(
        graph: &mut Graph,
        terms: &Terms,
        sizes: Sizes,
        planes: usize,
        damping2: &Value,
        sigma: &Value,
    ) -> Self {
        let damping2 = graph.gather(damping2, 0, &terms.places);
        let sigma = graph.gather(sigma, 0, &terms.places);
        let totals = terms.windows.iter().map(|window| {
            let shape = [window.frames * sizes.channels, terms.places.len()];
            let name = format!("eigenvalues.{}", window.frames);
            let eigenvalues = graph.constant(&name, &shape, window.eigenvalues.iter().copied());
            let carried = graph.mul(&eigenvalues, &damping2);
            graph.add(&carried, &sigma)
        });
        let totals = totals.collect();
        let signs = (planes == 2).then(|| {
            let signs = std::iter::repeat_n(1.0, sizes.points).chain(terms.signs.iter().copied());
            graph.constant("signs", &[planes, 1, sizes.points], signs)
        });
        let modes = graph.integers(&terms.modes);
        Self { sizes, planes, damping2, sigma, totals, modes, signs }
    }

    /// W × C × QF × modes.
    pub(super) fn operator<'t>(
        &self,
        graph: &mut Graph,
        name: &str,
        terms: impl Iterator<Item = &'t Vec<f64>>,
        numerator: &Value,
    ) -> Value {
        let Sizes { channels: c, window: w, points: n } = self.sizes;
        let inner = [c, self.planes];
        let sums = self.sums(graph, name, terms, numerator, &inner, true);
        // Frames oldest first: those that are missing stand at the front.
        let whole = (1..).zip(&sums).map(|(frames, sum)| {
            let missing = ((w - frames) * c) as i64;
            let sum = graph.zeros_around(sum, 4, 2, missing, 0);
            graph.unsqueeze(&sum, &[0])
        });
        let whole: Vec<Value> = whole.collect();
        let whole = graph.concat(0, &whole.iter().collect::<Vec<_>>());
        let mut all = self.at_places(graph, &whole, 4);
        if let Some(signs) = &self.signs {
            all = graph.mul(&all, signs);
        }
        graph.reshape(&all, &[w as i64, c as i64, (self.planes * w * c) as i64, n as i64])
    }

    /// W × C × modes.
    pub(super) fn variance<'t>(
        &self,
        graph: &mut Graph,
        name: &str,
        terms: impl Iterator<Item = &'t Vec<f64>>,
        numerator: &Value,
    ) -> Value {
        let inner = [self.sizes.channels];
        let sums = self.sums(graph, name, terms, numerator, &inner, false);
        let sums: Vec<Value> = sums.iter().map(|sum| graph.unsqueeze(sum, &[0])).collect();
        let sums = graph.concat(0, &sums.iter().collect::<Vec<_>>());
        self.at_places(graph, &sums, 2)
    }

    /// Complex modes to places along an axis.
    pub(super) fn at_places(&self, graph: &mut Graph, modes: &Value, axis: i64) -> Value {
        graph.gather_by(modes, axis, &self.modes)
    }

    /// Σ_i terms_i · numerator/(C²d_i + Σ) of every window: the axes `inner`, then F where `fields`
    /// says so, then M.
    fn sums<'t>(
        &self,
        graph: &mut Graph,
        name: &str,
        terms: impl Iterator<Item = &'t Vec<f64>>,
        numerator: &Value,
        inner: &[usize],
        fields: bool,
    ) -> Vec<Value> {
        let sums = (1..).zip(terms).zip(&self.totals).map(|((frames, terms), total)| {
            let f = frames * self.sizes.channels;
            let mut shape = [&[f], inner].concat();
            shape.extend(fields.then_some(f));
            shape.push(terms.len() / shape.iter().product::<usize>());
            let between: Vec<i64> = (1..shape.len() as i64 - 1).collect();
            let name = format!("{name}.terms.{frames}");
            let terms = graph.constant(&name, &shape, terms.iter().copied());
            let factor = graph.div(numerator, total);
            let factor = graph.unsqueeze(&factor, &between);
            let products = graph.mul(&terms, &factor);
            graph.sum(&products, 0)
        });
        sums.collect()
    }
}
