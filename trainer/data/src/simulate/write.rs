//! A simulator's trajectories into a data set.

use std::f64::consts::TAU;

use anyhow::{Result, ensure};

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
    let first = description.axes.first().map_or(1.0, |axis| axis.length);
    let mut axes: Vec<_> = description.axes.iter().map(|info| axis(info, first)).collect();
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

/// Coordinates in the system's own unit, on an axis whose length is 2π where it is as long as the
/// first one.
fn axis(info: &AxisInfo, first: f64) -> SpatialAxis {
    let own = SpatialAxis::of_length(info.name, info.points, info.boundary, info.length);
    SpatialAxis { length: TAU * (info.length / first), ..own }
}
