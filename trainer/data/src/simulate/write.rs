//! A simulator's trajectories into a data set.

use anyhow::{Result, ensure};
use finescale::Boundary;

use crate::dataset::{Channel, Manifest, SpatialAxis, Spec, SplitRule, TimeAxis, Writer};
use finescale_host::interrupt;

use super::{AxisInfo, ChannelInfo, Description, Plan, SimulateArgs, TrajectorySink, run};

impl TrajectorySink for Writer {
    fn write(&self, trajectory: usize, values: &[f32]) -> Result<()> {
        Self::write(self, trajectory, values)
    }
}

impl SimulateArgs {
    /// Writes the data set and returns what it holds.
    ///
    /// # Errors
    /// One sentence; nothing is left at `--out` then.
    pub fn write(&self) -> Result<Spec> {
        let simulator = self.simulator()?;
        let (plan, shared) = (self.plan(simulator.as_ref()), self.shared());
        ensure!(plan.trajectories > 0, "--trajectories is 0: ask for at least 1");
        ensure!(plan.frames > 1, "--frames is {}: a path needs at least 2", plan.frames);
        let description = simulator.describe();
        let spec = spec(&description, &plan);
        let splits = match plan.trajectories {
            // Too few to set any aside: the last frames validate and test.
            0..=2 => SplitRule::by_time(1),
            n => SplitRule::by_trajectory(n),
        }
        .apply(plan.trajectories, plan.frames)?;
        let writer = Writer::create(&shared.out, &spec, shared.force)?;
        run(simulator.as_ref(), &plan, &writer, interrupt::flag())?;
        let mut manifest = Manifest::new(serde_json::json!({
            "system": description.system,
            "trajectories": plan.trajectories,
            "frames": plan.frames,
            "length": spec.axes().map(|axis| axis.length).collect::<Vec<_>>(),
            "system_parameters": description.parameters,
        }));
        manifest.seed = Some(plan.seed);
        writer.finish(&splits, &manifest)?;
        Ok(spec)
    }
}

fn spec(description: &Description, plan: &Plan) -> Spec {
    let channel = |c: &ChannelInfo| Channel::new(c.name, c.units, c.long_name);
    let mut axes: Vec<_> = description.axes.iter().map(axis).collect();
    let x = axes.pop().expect("simulators have one or two axes");
    Spec {
        title: format!("{} simulation", description.system),
        channels: description.channels.iter().map(channel).collect(),
        trajectories: plan.trajectories,
        time: TimeAxis::model(plan.frames, description.clock.interval),
        y: axes.pop(),
        x,
    }
}

/// Coordinates in the system's own unit, on an axis of length 2π: systems have one axis, or a
/// square.
fn axis(info: &AxisInfo) -> SpatialAxis {
    let mut axis = SpatialAxis::two_pi(info.name, info.points, Boundary::Periodic);
    let spacing = info.length / info.points as f64;
    axis.coordinates = (0..info.points).map(|j| j as f64 * spacing).collect();
    axis
}
