//! Measured tables over λ and shells of |k|.

use anyhow::{Result, ensure};

use super::{Array, Model};
use finescale_field::shells::Shells;

/// Ratios to what the linear predictor expects, `[λ][channel][shell]`; see the table of [`super`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// λ, rising.
    pub lambdas: Vec<f64>,
    /// Channels × shells.
    pub width: usize,
    /// S / S of the linear predictor.
    pub innovation_ratio: Vec<f32>,
    /// Of the path score.
    pub path: ScoreMoments,
    /// Of the score head, where there is one.
    pub head: Option<ScoreMoments>,
}

/// Second moments of a score, `[λ][channel][shell]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreMoments {
    /// E|ŝ|² V on noised paths of the data.
    pub power: Vec<f32>,
    /// E[ŝ t*] V on the same paths.
    pub truth: Vec<f32>,
    /// E|ŝ|² V on paths that the sampler has drawn.
    pub drawn_power: Vec<f32>,
    /// E[û ŝ*] on the same paths.
    pub drawn_state: Vec<f32>,
}

impl ScoreMoments {
    fn of(prefix: &str, table: impl Fn(&str) -> Result<Vec<f32>>) -> Result<Self> {
        let table = |name| table(&format!("{prefix}_{name}"));
        Ok(Self {
            power: table("power")?,
            truth: table("truth")?,
            drawn_power: table("drawn_power")?,
            drawn_state: table("drawn_state")?,
        })
    }

    fn arrays<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (String, &'a Vec<f32>)> {
        self.each().map(move |(name, values)| (format!("{prefix}_{name}"), values))
    }

    /// The tables in the order of a file.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &Vec<f32>)> {
        [
            ("power", &self.power),
            ("truth", &self.truth),
            ("drawn_power", &self.drawn_power),
            ("drawn_state", &self.drawn_state),
        ]
        .into_iter()
    }
}

impl Calibration {
    /// Of a predictor whose errors and scores are just those that the linear predictor expects:
    /// what a model has before it is measured.
    pub fn neutral(lambdas: Vec<f64>, width: usize, score_head: bool) -> Self {
        let table = |value: f32| vec![value; lambdas.len() * width];
        // A score s = −û/V has E|s|² V = E[s t*] V = 1 and E[û s*] = −1.
        let moments = ScoreMoments {
            power: table(1.0),
            truth: table(1.0),
            drawn_power: table(1.0),
            drawn_state: table(-1.0),
        };
        Self {
            width,
            innovation_ratio: table(1.0),
            head: score_head.then(|| moments.clone()),
            path: moments,
            lambdas,
        }
    }

    /// The calibration in a model.
    ///
    /// # Errors
    /// If a table is missing or of the wrong size.
    pub fn of(model: &Model) -> Result<Self> {
        let shells = Shells::new(&model.meta.grid()?).count;
        let width = model.meta.channels.len() * shells;
        let lambdas = model.meta.system.lambdas.clone();
        let table = |name: &str| -> Result<Vec<f32>> {
            let values = &model.array(name)?.values;
            ensure!(values.len() == lambdas.len() * width, "the table `{name}` has the wrong size");
            Ok(values.clone())
        };
        Ok(Self {
            width,
            innovation_ratio: table("innovation_ratio")?,
            path: ScoreMoments::of("score", table)?,
            head: model
                .meta
                .system
                .score_head
                .then(|| ScoreMoments::of("head", table))
                .transpose()?,
            lambdas,
        })
    }

    /// Its arrays by name.
    pub fn arrays(&self, channels: usize) -> impl Iterator<Item = (String, Array)> {
        let shape = vec![self.lambdas.len(), channels, self.width / channels.max(1)];
        let head = self.head.iter().flat_map(|head| head.arrays("head"));
        std::iter::once(("innovation_ratio".to_owned(), &self.innovation_ratio))
            .chain(self.path.arrays("score"))
            .chain(head)
            .map(move |(name, values)| {
                (name, Array { shape: shape.clone(), values: values.clone() })
            })
    }
}
