//! The driver draws by any generator: members, the file, and what a generator cannot do.

use anyhow::Result;
use clap::Parser;
use finescale::NoiseStream;
use finescale_data::dataset::{Channel, SpatialAxis, Spec, TimeAxis};
use finescale_ensemble::{Ensemble, Task};
use finescale_sample::generator::{About, Assignment, Generator, Watch, Worker};
use finescale_sample::{ReadyTask, TaskArgs};
use serde_json::json;

const POINTS: usize = 8;
const FRAMES: usize = 3;

/// Writes where a value belongs, so that a misplaced one is seen: no model is behind it.
struct Places;

impl Generator for Places {
    fn about(&self) -> Result<About> {
        Ok(About {
            method: "places".into(),
            model: "none".into(),
            hash: String::new(),
            settings: json!({}),
            summary: "nothing learned".into(),
        })
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Generate]
    }

    fn evaluations(&self, _: &Assignment, frames: usize) -> u64 {
        frames as u64
    }

    fn with_worker(
        &self,
        frames: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()> {
        work(&mut Place { frames, watch })
    }
}

struct Place<'a> {
    frames: usize,
    watch: &'a Watch<'a>,
}

impl Worker for Place<'_> {
    fn draw(
        &mut self,
        _: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()> {
        assert_eq!(path.len(), self.frames * POINTS);
        for (frame, field) in path.chunks_exact_mut(POINTS).enumerate() {
            self.watch.evaluation()?;
            field.fill((100 * trajectory + 10 * frame) as f32 + stream.member as f32);
        }
        Ok(())
    }
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    task: TaskArgs,
}

fn ready(assignment: Assignment) -> ReadyTask<'static> {
    ReadyTask {
        generator: &Places,
        assignment,
        spec: Spec {
            title: "places".into(),
            channels: vec![Channel::new("u", "1", "u")],
            trajectories: 2,
            time: TimeAxis::model(FRAMES, 1.0),
            y: None,
            x: SpatialAxis::two_pi("x", POINTS, finescale::Boundary::Periodic),
        },
        given: 0,
        input: None,
        truth: None,
        options: json!({}),
        from: &[],
    }
}

#[test]
fn members_of_any_generator_come_to_their_places() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out.nc");
    let line = ["sample", "--model", "none", "--members", "4", "--first-member", "1", "--out"];
    let words = line.into_iter().chain([out.to_str().unwrap()]);
    let arguments = Arguments::try_parse_from(words).unwrap();
    arguments.task.sample(ready(Assignment::Generate)).unwrap();
    let ensemble = Ensemble::read(&out).unwrap();
    assert_eq!(ensemble.provenance.method, "places");
    assert_eq!(ensemble.provenance.calls_per_frame, 1.0);
    let mut fields = ensemble.prediction.chunks_exact(POINTS);
    for trajectory in 0..2 {
        for frame in 0..FRAMES {
            for member in 1..5 {
                let expected = (100 * trajectory + 10 * frame + member) as f32;
                assert_eq!(fields.next().unwrap(), [expected; POINTS]);
            }
        }
    }
}

#[test]
fn what_a_generator_cannot_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out.nc");
    let words = ["sample", "--model", "none", "--out", out.to_str().unwrap()];
    let arguments = Arguments::try_parse_from(words).unwrap();
    let forecast = Assignment::Forecast { spectra: vec![0.0; 2 * POINTS], given: 1 };
    let error = arguments.task.sample(ready(forecast)).unwrap_err().to_string();
    assert_eq!(error, "the model `none` cannot forecast: what it can is generate");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
