//! Steps a second of the training that `finescale train` runs.

use std::io::stdin;
use std::time::{Duration, Instant};

use anyhow::Result;
use finescale_train::engine::learner::{Learner, Seat};
use finescale_train::networks::Network;
use finescale_train::run::LOOK;
use finescale_train::systems::predictor_driven::Held;
use serde_json::json;

use crate::case::{Case, Named};

/// For how long.
#[derive(Debug, clap::Args)]
pub(crate) struct PaceArgs {
    /// Seconds that are timed
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Most seconds before them
    #[arg(long, default_value_t = 120.0)]
    warm: f64,
    /// Steps between looks at the losses, at the end of which the clock is read
    #[arg(long, default_value_t = LOOK)]
    look: usize,
    /// Waits for a line of input before it times
    #[arg(long)]
    hold: bool,
}

/// Part by which the pace may still change when it is timed.
const STEADY: f64 = 0.05;
/// Rounds that are timed at least.
const ROUNDS: usize = 3;

/// Warms up, until kernels have been compiled and tuned and the pace is steady; then times rounds
/// of steps.
pub(crate) fn pace<A: Named>(case: &Case, args: &PaceArgs, device: &A::Device) -> Result<()> {
    let begun = Instant::now();
    let held = case.held::<A>(device)?;
    let prepared = begun.elapsed().as_secs_f64();
    let mut learner = Some(Learner::new(case.fresh(device)?));
    let seats = [Seat { device: device.clone(), held }];
    let precision = case.config.training.precision;
    let loss = |network: &Network<A>, held: &Held<A>, batch: u64| {
        held.loss(network, precision, &held.draw(batch))
    };
    let (training, mut step) = (&case.config.training, 0);
    // Seconds a step and the mean loss of some steps.
    let mut round = |steps: usize| -> Result<(f64, f64)> {
        let start = Instant::now();
        let mut pending = Vec::new();
        for _ in 0..steps {
            let (next, losses) =
                learner.take().expect("put back").step(&seats, training, step, &loss);
            learner = Some(next);
            pending.extend(losses);
            step += 1;
        }
        let (mut sum, mut count) = (0.0, 0);
        for losses in pending {
            let values = crate::case::array(losses.values).values;
            sum += values.iter().map(|&value| f64::from(value)).sum::<f64>();
            count += values.len();
        }
        A::sync(device)?;
        Ok((start.elapsed().as_secs_f64() / steps as f64, sum / count as f64))
    };
    let start = Instant::now();
    let limit = Duration::from_secs_f64(args.warm);
    let (first, before) = round(1)?;
    println!("{}", json!({"event": "first", "first": first, "kernels": A::kernels()}));
    let mut last = f64::INFINITY;
    while start.elapsed() < limit {
        let (now, _) = round(args.look)?;
        let steady = (now / last - 1.0).abs() < STEADY;
        last = now;
        if steady {
            break;
        }
    }
    let warm = start.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({
            "event": "ready", "prepared": prepared, "first": first, "warm": warm,
            "kernels": A::kernels(),
        })
    );
    if args.hold {
        stdin().read_line(&mut String::new())?;
    }
    let start = Instant::now();
    let (mut times, mut after) = (Vec::new(), f64::NAN);
    while times.len() < ROUNDS || start.elapsed().as_secs_f64() < args.seconds {
        let (time, loss) = round(args.look)?;
        times.push(time);
        after = loss;
    }
    let rounds = times.len();
    times.sort_by(f64::total_cmp);
    let line = json!({
        "event": "pace",
        "steps_per_second": 1.0 / times[rounds / 2],
        "best": 1.0 / times[0],
        "worst": 1.0 / times[rounds - 1],
        "rounds": rounds,
        "steps": step,
        "batch": training.batch * training.accumulate,
        "loss_before": before,
        "loss_after": after,
        "bytes": A::reserved(device),
    });
    println!("{line}");
    Ok(())
}
