//! The sampler as one typed configuration: a preset, a TOML file, and flags, each over the one
//! before.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use finescale::Sampler;
use finescale::model::{Model as View, Recommended};
use finescale::predictor::PathDensity;
use finescale::sampler::{Clip, Langevin, NoiseRule, Schedule, Score, Start, StepRule};
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

use super::HostModel;
use finescale_field::noise::STEPS;
use finescale_host::layers::{self, Layers};

/// Options of the sampler, the same for all four commands.
#[derive(Clone, Debug, Default, Args)]
pub struct SamplerArgs {
    /// Settings in TOML, over the preset; flags come over them
    #[arg(long, value_name = "FILE")]
    sampler: Option<PathBuf>,
    #[command(flatten)]
    flags: Choices,
}

/// A sampler that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Eight ancestral steps, S per mode, no correctors
    Ours,
    /// Steps of 1/1000 with three Langevin correctors each, isotropic S
    Paper,
}

/// Where scores come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ScoreKind {
    /// The density of the whole path
    Path,
    /// The model's score head
    Head,
}

/// How λ goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Spacing {
    /// By equal ratios, to `smallest` and then 0
    Geometric,
    /// As (i/n)³
    Cubic,
    /// As (i/n)²
    Quadratic,
    /// By equal steps
    Equal,
}

/// What was chosen, by a file or by flags; what was not is left to the preset.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Choices {
    /// Sampler to start from
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// Steps from λ* to 0
    #[arg(long)]
    steps: Option<u32>,
    /// λ*, the scale where paths start, above 0 and at most 1
    #[arg(long, value_name = "λ", allow_negative_numbers = true)]
    lambda: Option<f32>,
    /// How λ goes down
    #[arg(long, value_enum)]
    spacing: Option<Spacing>,
    /// Noise of a step
    #[arg(long, value_parser = rules())]
    rule: Option<NoiseRule>,
    /// Where scores come from: the path's density, or the model's score head
    #[arg(long, value_enum)]
    score: Option<ScoreKind>,
    /// Where generated paths start
    #[arg(long, value_parser = starts())]
    start: Option<Start>,
    /// Signal-to-noise ratio of the paper's correctors
    #[arg(long)]
    snr: Option<f32>,
    #[arg(skip)]
    smallest: Option<f32>,
    #[arg(skip)]
    correctors: Option<u32>,
    #[arg(skip)]
    clip_state: Option<f32>,
    #[arg(skip)]
    clip_score: Option<f32>,
    #[arg(skip)]
    clamp: Option<f32>,
    #[arg(skip)]
    quiet_steps: Option<u32>,
}

impl layers::Settings for Choices {
    const ALL: &'static str = "docs/sampling.md has all";
}

/// The runtime's rules by the names that files have too, with what they mean.
pub(super) fn rules() -> impl TypedValueParser<Value = NoiseRule> {
    words([
        ("variance", "From the data's variance"),
        ("residual", "From what the model's scores explain: the lowest error"),
        (
            "matched",
            "From what the model's scores are on drawn paths, so that every mode keeps its \
             variance",
        ),
        ("linear", "Correlated between frames as the linear base says"),
    ])
}

/// The same of where generated paths start.
fn starts() -> impl TypedValueParser<Value = Start> {
    words([
        ("rollout", "A stochastic rollout"),
        ("gaussian", "Independent frames of the data's variance"),
        ("noise", "Independent frames of the noise alone, as in the paper"),
    ])
}

/// Values of a type by the words that its files have, with what they mean.
pub(crate) fn words<T, const N: usize>(
    words: [(&'static str, &'static str); N],
) -> impl TypedValueParser<Value = T>
where
    T: serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
{
    let values = words.map(|(name, meaning)| PossibleValue::new(name).help(meaning));
    PossibleValuesParser::new(values).try_map(|name| {
        let name: StrDeserializer<'_, Error> = name.as_str().into_deserializer();
        T::deserialize(name)
    })
}

/// What a command samples with.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// What it was made from.
    pub preset: Preset,
    /// Whether what was not chosen is what the model recommends.
    pub recommended: bool,
    /// The runtime's sampler; its λ is λ*.
    pub sampler: Sampler,
    /// Where generated paths start.
    pub start: Start,
}

impl SamplerArgs {
    /// The flags over the file.
    fn choices(&self) -> Result<Choices> {
        let mut layers = Layers::<Choices>::default();
        if let Some(path) = &self.sampler {
            layers.add_file("--sampler", path)?;
        }
        layers.add(&toml_edit::ser::to_string(&self.flags)?, "the command line")?;
        layers.finish()
    }

    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        self.sampler.is_none() && self.flags == Choices::default()
    }

    /// The preset that was chosen.
    ///
    /// # Errors
    /// If the file of settings cannot be read.
    pub fn preset(&self) -> Result<Preset> {
        Ok(self.choices()?.preset.unwrap_or(Preset::Ours))
    }

    /// All settings; `lambda` says what λ* is where it was not given.
    ///
    /// # Errors
    /// One sentence that names the setting and the mend.
    pub fn settings(
        &self,
        model: &HostModel,
        lambda: impl FnOnce(Preset) -> Result<f32>,
    ) -> Result<Settings> {
        self.settings_over(None, model, lambda)
    }

    /// The same over what the model recommends for super-resolution, unless a preset was chosen or
    /// the network is left out.
    ///
    /// # Errors
    /// As [`SamplerArgs::settings`].
    pub fn settings_over_recommended(
        &self,
        model: &HostModel,
        lambda: impl FnOnce(Preset) -> Result<f32>,
    ) -> Result<Settings> {
        let recommended = model.view()?.recommended();
        let applies = self.choices()?.preset.is_none()
            && !model.is_linear()
            && recommended != Recommended::DEFAULT;
        self.settings_over(applies.then_some(recommended), model, lambda)
    }

    fn settings_over(
        &self,
        recommended: Option<Recommended>,
        model: &HostModel,
        lambda: impl FnOnce(Preset) -> Result<f32>,
    ) -> Result<Settings> {
        let choices = self.choices()?;
        let preset = choices.preset.unwrap_or(Preset::Ours);
        let lambda = match choices.lambda.or(recommended.and_then(|model| model.lambda())) {
            Some(lambda) => lambda,
            None => lambda(preset)?,
        };
        ensure!(
            lambda > 0.0 && lambda <= 1.0,
            "--lambda is {lambda}: λ* must be above 0 and at most 1"
        );
        let settings = choices.finish(preset, recommended, lambda, &model.view()?)?;
        let head = model.view()?.options().score_head && !model.is_linear();
        ensure!(
            settings.sampler.score != Score::Head || head,
            "--score head needs a model with a score head, which this one has not: use --score path"
        );
        Ok(settings)
    }
}

impl Choices {
    fn finish(
        &self,
        preset: Preset,
        recommended: Option<Recommended>,
        lambda: f32,
        view: &View<'_>,
    ) -> Result<Settings> {
        // The paper's for its two systems, a line and a plane.
        let snr = self.snr.unwrap_or(if view.grid().is_line() { 0.7 } else { 0.3 });
        let mut sampler = match preset {
            Preset::Ours => recommended.unwrap_or(Recommended::DEFAULT).sampler(lambda),
            Preset::Paper => Sampler::published(lambda, snr),
        };
        let positive = |name: &str, value: Option<f32>| match value {
            Some(value) => {
                ensure!(value > 0.0 && value.is_finite(), "{name} is {value}: it must be positive");
                Ok(Some(value))
            }
            None => Ok(None),
        };
        sampler.lambdas = self.lambdas(preset, lambda, sampler.lambdas)?;
        if let Some(rule) = self.rule {
            sampler.step = StepRule::Ancestral(rule);
        }
        sampler.score = match (self.score, preset) {
            (Some(ScoreKind::Head), _) => Score::Head,
            (None, Preset::Ours) => sampler.score,
            (_, Preset::Ours) => Score::Path(PathDensity::FULL),
            (_, Preset::Paper) => Score::Path(PathDensity::PUBLISHED),
        };
        positive("snr", Some(snr))?;
        match self.correctors {
            Some(0) => sampler.correctors = None,
            Some(count) => sampler.correctors = Some(Langevin { count, snr }),
            None => {}
        }
        if let (Some(state), Some(score)) =
            (positive("clip-state", self.clip_state)?, positive("clip-score", self.clip_score)?)
        {
            sampler.clip = Some(Clip { state, score });
        } else {
            ensure!(
                self.clip_state.is_none() && self.clip_score.is_none(),
                "clip-state and clip-score belong together: give both"
            );
        }
        sampler.clamp = positive("clamp", self.clamp)?.or(sampler.clamp);
        sampler.quiet_steps = self.quiet_steps.unwrap_or(sampler.quiet_steps);
        // A step and its correctors for each λ, and for each λ where a mode's measurement is let
        // go.
        let each = u64::from(sampler.correctors.map_or(0, |c| c.count)) + 1;
        let modes = (view.channels() * view.grid().points()) as u64;
        let most = u64::from(STEPS) / (u64::from(sampler.lambdas.steps(lambda)) + modes);
        ensure!(
            each <= most,
            "correctors is {}: with so many steps use at most {}",
            each - 1,
            most.saturating_sub(1)
        );
        let start = self.start.unwrap_or(match preset {
            Preset::Ours => Start::Rollout,
            Preset::Paper => Start::Noise,
        });
        Ok(Settings { preset, recommended: recommended.is_some(), sampler, start })
    }

    fn lambdas(&self, preset: Preset, lambda: f32, usual: Schedule) -> Result<Schedule> {
        let steps = self.steps.unwrap_or_else(|| usual.steps(lambda));
        ensure!((1..=100_000).contains(&steps), "--steps is {steps}: use 1 to 100000");
        let spacing = match (self.spacing, preset, usual) {
            (Some(spacing), ..) => spacing,
            (None, Preset::Paper, _) => Spacing::Equal,
            (None, Preset::Ours, Schedule::Power { exponent, .. }) if self.smallest.is_none() => {
                return Ok(Schedule::Power { steps, exponent });
            }
            (None, Preset::Ours, _) => Spacing::Geometric,
        };
        Ok(match spacing {
            Spacing::Geometric => {
                // Below a small λ* the usual smallest one would be no step at all.
                let smallest = self.smallest.unwrap_or(2e-3_f32.min(0.1 * lambda));
                ensure!(
                    smallest > 0.0 && smallest < lambda,
                    "smallest is {smallest}: it must be above 0 and below λ*, which is {lambda}"
                );
                Schedule::Geometric { steps, smallest }
            }
            Spacing::Cubic => Schedule::Power { steps, exponent: 3 },
            Spacing::Quadratic => Schedule::Power { steps, exponent: 2 },
            Spacing::Equal if self.steps.is_none() && preset == Preset::Paper => usual,
            Spacing::Equal => Schedule::Equal { step: lambda / steps as f32 },
        })
    }
}

impl Settings {
    /// λ*.
    pub fn lambda(&self) -> f32 {
        self.sampler.lambda
    }

    /// About how many evaluations a path of so many frames needs; a VJP counts as one more.
    pub fn calls(&self, frames: usize) -> u64 {
        let steps = u64::from(self.sampler.lambdas.steps(self.lambda()));
        let correctors = self.sampler.correctors.map_or(0, |c| u64::from(c.count));
        let each = match self.sampler.score {
            Score::Path(_) => 2 * (frames as u64).saturating_sub(1),
            Score::Head => frames as u64,
        };
        steps * (1 + correctors) * each
    }
}
