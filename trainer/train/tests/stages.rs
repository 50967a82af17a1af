//! A system of two stages: the first network is frozen when the second begins, and a training that
//! goes on between them gives the bits of one that was never interrupted.

#[allow(dead_code, reason = "one kind of model is enough here")]
#[path = "../../fixtures/models.rs"]
mod models;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};
use clap::Parser;
use finescale_data::dataset::Reader;
use finescale_data::simulate::SimulateArgs;
use finescale_model::{Array, Meta, Model, SystemMeta};
use finescale_train::config::Layers;
use finescale_train::engine::Trainable;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::checkpoint::Kept;
use finescale_train::engine::learner::{Loss, Losses};
use finescale_train::engine::weights;
use finescale_train::run::{RunIdentity, TrainingRun};
use finescale_train::systems::{Level, Stage, System, Validation};

use serde::{Deserialize, Serialize};

type A = Differentiable<Cpu>;

/// One number.
#[derive(Module, Debug)]
struct Number<B: Backend> {
    value: Param<Tensor<B, 1>>,
}

/// What the system says of its models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Follows {
    factor: f32,
}

impl SystemMeta for Follows {
    const NAME: &'static str = "chain";
}

/// The first number learns to be 2, the second to be three times the first, frozen one. Every batch
/// shifts the goal, so that a batch too many or too few gives other bits.
struct Chain;

const STEPS: usize = 200;

fn value<B: Backend>(network: &Number<B>) -> f64 {
    f64::from(network.value.val().into_data().to_vec::<f32>().unwrap()[0])
}

impl<A: Trainable> System<A> for Chain {
    type Held = ();
    type Network = Number<A>;
    type Meta = Follows;

    fn prepare(_: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<()>)> {
        Ok((Self, vec![(); devices.len()]))
    }

    fn stages(&self) -> Vec<Stage> {
        ["first", "second"].map(|name| Stage { name, steps: STEPS }).to_vec()
    }

    fn level(&self) -> Level {
        Level { symbol: "k", bands: &[0.5, 1.0] }
    }

    fn network(&self, stage: usize, device: &A::Device) -> Number<A> {
        Number { value: Param::from_tensor(Tensor::from_data([stage as f32], device)) }
    }

    fn loss(&self, (): &(), earlier: &[Kept<Number<A>>], network: &Number<A>, n: u64) -> Loss<A> {
        let goal = earlier.first().map_or_else(
            || network.value.val().detach() * 0.0 + 2.0,
            |kept| kept.network.value.val() * 3.0,
        );
        let shift = (n * 37 % 101) as f64 / 101.0 - 0.5;
        let error = network.value.val() - goal + shift;
        let values = error.clone() * error;
        let samples = Losses { values: values.clone().inner(), levels: vec![0.4] };
        Loss { total: values, samples }
    }

    fn validate(&self, (): &(), _: &[Kept<Number<A>>], network: &Number<A>) -> Result<Validation> {
        let losses = vec![(0.4, value(network))];
        let other = Validation { rollout: vec![0.1], spectrum: vec![0.1], ..Validation::default() };
        Ok(Validation { losses, ..other })
    }

    fn model(&self, networks: &[Kept<Number<A>>]) -> Result<Model<Follows>> {
        let Model { meta, mut arrays } = models::model(&models::kinds()[0]);
        for (n, kept) in networks.iter().enumerate() {
            let mut weights = weights::export::<A, _>(&kept.network);
            let array: Array = weights.remove("network.value").unwrap();
            arrays.insert(format!("network.{n}"), array);
        }
        let Meta { name, version, layout, channels, y, x, frame_interval, .. } = meta;
        let Meta { network, data, seed, steps, figures, .. } = meta;
        let system = Follows { factor: 3.0 };
        let meta = Meta {
            name,
            version,
            layout,
            channels,
            y,
            x,
            frame_interval,
            network,
            data,
            seed,
            steps,
            figures,
            system,
        };
        Ok(Model { meta, arrays })
    }

    fn measure(
        &self,
        (): &(),
        networks: &[Kept<Number<A>>],
        _: &mut Model<Follows>,
    ) -> Result<String> {
        Ok(format!("{} networks", networks.len()))
    }
}

#[derive(Parser)]
struct Simulate {
    #[command(flatten)]
    args: SimulateArgs,
}

fn run(home: &Path, name: &str, every: usize, begins: bool) {
    let mut layers = Layers::default();
    let training = "[training]\nlearning-rate = 0.2\nwarmup = 1\nclip = 100.0";
    layers.add(&format!("{training}\n[report]\nevery = {every}"), "the test").unwrap();
    let reader = Arc::new(Reader::open(&home.join("data.zarr")).unwrap());
    let identity = RunIdentity::new(name, &reader, "cpu", 2);
    let (config, text) = (layers.finish().unwrap(), layers.text());
    let run = TrainingRun {
        folder: home.join(name),
        config,
        reader,
        name: name.into(),
        begin: begins.then_some((text, identity)),
    };
    // Two devices share every step, though on the CPU they are one.
    run.by::<A, Chain>(&[Default::default(), Default::default()]).unwrap();
}

#[test]
fn a_later_stage_learns_from_the_frozen_one_and_resumes_between_them() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let data = home.join("data.zarr");
    let simulate = ["simulate", "linear", "--trajectories", "4", "--out", data.to_str().unwrap()];
    Simulate::try_parse_from(simulate).unwrap().args.write().unwrap();
    run(home, "whole", STEPS, true);
    let path = home.join("whole/model.safetensors");
    let model = Model::<Follows>::open(&path).unwrap();
    assert_eq!(model.meta.system.factor, 3.0);
    // What works with another system's models refuses this one.
    let refusal = format!("{:#}", <Model>::open(&path).unwrap_err());
    assert!(refusal.contains("trained by the system `chain`"), "{refusal}");
    let number = |n: usize| model.arrays[&format!("network.{n}")].values[0];
    assert!((number(0) - 2.0).abs() < 0.1, "{}", number(0));
    assert!((number(1) - 3.0 * number(0)).abs() < 0.1, "{}", number(1));

    let whole = std::fs::read(&path).unwrap();
    // The last two checkpoints are left. Without the newest, half of the second stage is missing,
    // or all of it.
    for (name, every, left) in [("half", STEPS / 2, (1, STEPS / 2)), ("between", STEPS, (0, STEPS))]
    {
        run(home, name, every, true);
        let checkpoint = |(stage, step): (usize, usize)| {
            home.join(format!("{name}/checkpoint-{stage}-{step:09}.safetensors"))
        };
        assert!(checkpoint(left).exists(), "{name}");
        std::fs::remove_file(checkpoint((1, STEPS))).unwrap();
        std::fs::remove_file(home.join(name).join("model.safetensors")).unwrap();
        run(home, name, every, false);
        let resumed = std::fs::read(home.join(name).join("model.safetensors")).unwrap();
        assert!(whole == resumed, "{name}: the resumed training gave another model");
    }
    for curves in ["curves-first.png", "curves-second.png"] {
        assert!(home.join("whole").join(curves).exists(), "{curves}");
    }
}
