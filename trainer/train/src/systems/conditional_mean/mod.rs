//! Conditional means: a regression from a sensor's coarse frames n − a … n + b to the fine frame n
//! ([`finescale_model::conditional`]).
//!
//! Frames are read once ([`frames`]), made coarse by a [`sensor`], and mapped by a [`base`] in
//! closed form; what it leaves, a [`network`] learns from batches that are made on the device
//! ([`batch`]). In the end the errors that are left on the validation part are measured
//! ([`measure`]).

pub mod base;
pub mod batch;
pub mod frames;
pub mod known;
pub mod measure;
mod model;
pub mod network;
mod ridge;
pub mod sensor;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use burn::module::AutodiffModule;
use burn::tensor::{Tensor, backend::AutodiffBackend};
use finescale_data::dataset::{Reader, Split, spread, windows};
use finescale_model::{Model, conditional};

pub(crate) use settings::check;

use super::{Level, Stage, System, Validation};
use crate::config::{Config, Precision};
use crate::engine::Trainable;
use crate::engine::checkpoint::Kept;
use crate::engine::frames::numbers;
use crate::engine::learner::{Loss, Losses};
use crate::networks::Kind;
use crate::run::TrainingRun;
use batch::{Held, Tables};
use frames::Part;
use known::{Known, VALID};
use measure::Errors;
use network::Mapped;
use sensor::Sensor;

/// What is known before any step.
pub struct ConditionalMean {
    name: String,
    config: Config,
    reader: Arc<Reader>,
    sensor: Sensor,
    known: Known,
    /// The validation part, and what the base leaves of it.
    valid: Part,
    base_left: Vec<f32>,
    base_errors: Errors,
}

/// Both parts on a device.
pub struct Placed<A: AutodiffBackend> {
    train: Held<A::InnerBackend>,
    valid: Held<A::InnerBackend>,
    tables: Tables<A::InnerBackend>,
}

impl ConditionalMean {
    fn channels(&self) -> usize {
        self.known.deviation.len()
    }

    /// Puts the sizes of what base and mean leave of the validation part into a model, and gives
    /// them as text: over all frames, and over those whose window is inside their segment.
    fn put_figures(&self, left: &[f32], model: &mut Model<conditional::ConditionalMean>) -> String {
        let points = self.sensor.fine.points();
        let names: Vec<&str> = model.meta.channels.iter().map(|c| c.name.as_str()).collect();
        let (mut figures, mut text) = (BTreeMap::new(), String::new());
        let mut put = |which: &str, counts: &dyn Fn(usize) -> bool| {
            let of = |left: &[f32]| {
                measure::relative(left, &self.valid, &self.known.climatology, points, counts)
            };
            let both = [of(&self.base_left), of(left)];
            measure::put(
                which,
                &names,
                both.each_ref().map(Vec::as_slice),
                &mut figures,
                &mut text,
            );
        };
        put("all frames", &|_| true);
        let mean = &self.config.mean;
        let whole = self.valid.whole(mean.before, mean.after);
        if !whole.is_empty() {
            put("whole windows", &|n| whole.binary_search(&n).is_ok());
        }
        model.meta.figures = figures;
        text
    }
}

impl<A: Trainable> System<A> for ConditionalMean {
    type Held = Placed<A>;
    type Network = Mapped<A>;
    type Meta = conditional::ConditionalMean;

    fn prepare(run: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<Placed<A>>)> {
        let (config, reader) = (run.config.clone(), run.reader.clone());
        let (grid, channels) = (reader.spec().grid()?, reader.spec().channels.len());
        let sensor = Sensor::new(&grid, config.sensor.kind, config.sensor.ratio)?;
        config.mean.check_on(config.network.kind, &grid, sensor.points(), channels)?;
        let inputs = config.mean.input_fields(&grid, channels);
        config.network.check_on_board(&grid, inputs)?;
        config.symmetries.check_on(&grid)?;
        ensure!(
            config.symmetries.is_empty() || config.mean.is_the_same_everywhere(),
            "symmetries are asked for, and mean.base \"ridge\" and mean.climatology hold what belongs \
             to a place: leave out one or the other"
        );
        let mut train = Part::read(&reader, Split::Train)?;
        let mut valid = Part::read(&reader, Split::Valid)?;
        let window = config.mean.window;
        windows(&valid.segments, window + 1)
            .context("mean.window does not fit the validation part: set it lower")?;
        let known = Known::measure(&config, &sensor, &mut train, &mut valid)?;
        let seen = valid.noisy(config.sensor.noise, config.seed, VALID);
        let base_left = known::left(&known.base, &config, &sensor, &valid, &seen)?;
        let base_errors = Errors::of(&base_left, &valid, &config.mean, &grid)?;
        let held = |part: &Part, seen: &[f32], noise, device| {
            Held::new(part, seen, &config.mean, noise, &grid, device)
        };
        let placed = devices.iter().map(|device| {
            Ok(Placed {
                train: held(&train, &train.coarse, config.sensor.noise, device),
                valid: held(&valid, &seen, 0.0, device),
                tables: Tables::new(&known, &sensor, &config.mean, device)?,
            })
        });
        let placed = placed.collect::<Result<_>>()?;
        let name = run.name.clone();
        let system = Self { name, config, reader, sensor, known, valid, base_left, base_errors };
        Ok((system, placed))
    }

    fn stages(&self) -> Vec<Stage> {
        match self.config.network.kind {
            Kind::Linear => Vec::new(),
            _ => vec![Stage { name: "mean", steps: self.config.training.steps }],
        }
    }

    fn level(&self) -> Level {
        Level::ONE
    }

    fn network(&self, _: usize, device: &A::Device) -> Mapped<A> {
        let network = Mapped::fresh(&self.config, &self.sensor.fine, self.channels(), device);
        network.expect("the only stage has a network")
    }

    fn loss(
        &self,
        held: &Placed<A>,
        _: &[Kept<Mapped<A>>],
        network: &Mapped<A>,
        number: u64,
    ) -> Loss<A> {
        let draw = held.train.draw(&self.config, number);
        let batch = held.tables.batch(&held.train, &draw);
        let (fields, target) = (Tensor::from_inner(batch.fields), Tensor::from_inner(batch.target));
        let error = network.forward(fields, self.config.training.precision) - target;
        let [samples, channels, ny, nx] = error.dims();
        let squares = (error.clone() * error).reshape([samples, channels * ny * nx]);
        let values: Tensor<A, 1> = squares.mean_dim(1).reshape([samples]);
        let losses = Losses { values: values.clone().inner(), levels: vec![0.0; samples] };
        Loss { total: values.mean(), samples: losses }
    }

    fn validate(
        &self,
        held: &Placed<A>,
        _: &[Kept<Mapped<A>>],
        network: &Mapped<A>,
    ) -> Result<Validation> {
        finescale_host::interrupt::check()?;
        let all: Vec<usize> = (0..held.valid.frames()).collect();
        let frames = spread(&all, self.config.report.windows);
        let draw = held.valid.of(&self.config.mean, frames);
        let batch = held.tables.batch(&held.valid, &draw);
        let error = network.valid().forward(batch.fields, Precision::Full) - batch.target;
        let loss = numbers((error.clone() * error).mean())[0];
        Ok(Validation { losses: vec![(0.0, f64::from(loss))], ..Validation::default() })
    }

    fn model(&self, networks: &[Kept<Mapped<A>>]) -> Result<Model<Self::Meta>> {
        self.with(networks.first())
    }

    fn measure(
        &self,
        held: &Placed<A>,
        networks: &[Kept<Mapped<A>>],
        model: &mut Model<Self::Meta>,
    ) -> Result<String> {
        let Some(kept) = networks.first() else {
            return Ok(self.put_figures(&self.base_left, model));
        };
        let left = measure::errors(&kept.network.valid(), &held.valid, &held.tables)?;
        let errors = Errors::of(&left, &self.valid, &self.config.mean, &self.sensor.fine)?;
        self.put_errors(&errors, model);
        Ok(self.put_figures(&left, model))
    }
}
