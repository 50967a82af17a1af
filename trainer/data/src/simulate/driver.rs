//! Runs the trajectories of a plan on all cores.

#[cfg(test)]
mod tests;

use super::{Simulator, Trajectory};
use anyhow::{Result, anyhow, ensure};
use finescale_host::interrupt::Interrupted;
use finescale_host::progress::Progress;
use rayon::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Key of the random numbers.
    pub seed: u64,
    /// Number of trajectories.
    pub trajectories: usize,
    /// Frames of each.
    pub frames: usize,
}

/// Where finished trajectories go; called from many threads, in any order.
pub trait TrajectorySink: Sync {
    /// Takes trajectory `trajectory`, `[frame][channel][y][x]`.
    ///
    /// # Errors
    /// Whatever stops the writing; it stops the run.
    fn write(&self, trajectory: usize, values: &[f32]) -> Result<()>;
}

/// Makes every trajectory of `plan`, one a task on the current rayon pool, and hands each to
/// `sink`.
///
/// Shows a progress bar with the time left on a terminal, and a line every ten seconds elsewhere.
/// A thread holds one trajectory in memory: frames × channels × ny × nx numbers.
///
/// # Errors
/// The first failure of a simulator ("trajectory 3: ... at t = 12") or of `sink`, or
/// [`Interrupted`] within one frame interval of `stop` being set. The other trajectories then stop
/// too.
pub fn run(
    simulator: &dyn Simulator,
    plan: &Plan,
    sink: &dyn TrajectorySink,
    stop: &AtomicBool,
) -> Result<()> {
    ensure!(plan.trajectories > 0, "--trajectories must be at least 1, but is 0");
    ensure!(plan.frames > 0, "--frames must be at least 1, but is 0");
    let intervals = simulator.describe().clock.burn_in + plan.frames - 1;
    let progress = Progress::new(
        "simulating",
        (plan.trajectories * intervals.max(1)) as u64,
        format!("{} trajectories", plan.trajectories),
    );
    let failed = AtomicBool::new(false);
    let failure = Mutex::new(None);
    // Stops at the first error of any thread; which one that was is kept here, since the others
    // then report that they were told to stop.
    let result = (0..plan.trajectories).into_par_iter().try_for_each(|index| {
        let goes_on = || -> Result<()> {
            ensure!(!stop.load(Relaxed) && !failed.load(Relaxed), Interrupted);
            progress.tick();
            Ok(())
        };
        let one =
            make(simulator, plan, index, &goes_on).and_then(|values| sink.write(index, &values));
        one.map_err(|error| {
            failure.lock().expect("no thread panics here").get_or_insert(error);
            failed.store(true, Relaxed);
        })
    });
    progress.finish(result.is_ok());
    match failure.into_inner().expect("no thread panics here") {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Trajectory `index` of a plan, `[frame][channel][y][x]`; `goes_on` is asked before each interval.
pub(super) fn make(
    simulator: &dyn Simulator,
    plan: &Plan,
    index: usize,
    goes_on: &dyn Fn() -> Result<()>,
) -> Result<Vec<f32>> {
    let description = simulator.describe();
    let mut state = simulator.start(plan.seed, index as u64);
    let advance = |state: &mut Box<dyn Trajectory + '_>| -> Result<()> {
        goes_on()?;
        state.advance().map_err(|error| anyhow!("trajectory {index}: {error:#}"))
    };
    for _ in 0..description.clock.burn_in {
        advance(&mut state)?;
    }
    let mut values = vec![0.0; plan.frames * description.frame_len()];
    for (number, frame) in values.chunks_exact_mut(description.frame_len()).enumerate() {
        if number > 0 {
            advance(&mut state)?;
        }
        state.values(frame);
        ensure!(
            frame.iter().all(|value| value.is_finite()),
            "trajectory {index}: frame {number} holds numbers beyond f32: use a smaller --dt"
        );
    }
    Ok(values)
}
