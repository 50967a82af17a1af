use std::time::Duration;

use super::super::{AxisInfo, ChannelInfo, Clock, Description, SimulateArgs};
use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: SimulateArgs,
}

fn args(line: &str) -> SimulateArgs {
    let words = ["simulate"].into_iter().chain(line.split_whitespace());
    Cli::parse_from(words.chain(["--out", "x"])).args
}

/// Small runs of every system.
const SYSTEMS: [&str; 6] = [
    "kolmogorov --resolution 32 --grid 16 --dt 0.01 --interval 0.1 --burn-in 0.3",
    "lorenz96 --burn-in 0.5",
    "lorenz96 --scheme euler --dt 5e-4 --burn-in 0.5 --slow 8 --fast 2",
    "kuramoto-sivashinsky --burn-in 3",
    "linear --grid 8 --dimensions 2",
    "spring-mesh --masses 8 --burn-in 0.5",
];

struct Memory(Mutex<Vec<Option<Vec<f32>>>>);

impl TrajectorySink for Memory {
    fn write(&self, trajectory: usize, values: &[f32]) -> Result<()> {
        let previous = self.0.lock().unwrap()[trajectory].replace(values.to_vec());
        ensure!(previous.is_none(), "trajectory {trajectory} came twice");
        Ok(())
    }
}

fn make_all(line: &str, trajectories: usize, threads: usize) -> Vec<Vec<f32>> {
    let simulator = args(line).simulator().unwrap();
    let plan = Plan { seed: 9, trajectories, frames: 3 };
    let sink = Memory(Mutex::new(vec![None; trajectories]));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| run(&*simulator, &plan, &sink, &AtomicBool::new(false))).unwrap();
    sink.0.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
}

#[test]
fn bits_depend_on_seed_and_index_alone() {
    // Fails if a generator, a buffer or a plan is shared between trajectories.
    for line in SYSTEMS {
        let all = make_all(line, 5, 1);
        assert_eq!(all, make_all(line, 5, 3), "{line}: another number of threads");
        assert_eq!(all[..2], make_all(line, 2, 2), "{line}: fewer trajectories");
        assert_ne!(all[0], all[1], "{line}: trajectories differ");
        let simulator = args(line).simulator().unwrap();
        let plan = Plan { seed: 9, trajectories: 5, frames: 3 };
        let alone = make(&*simulator, &plan, 4, &|| Ok(())).unwrap();
        assert_eq!(all[4], alone, "{line}: one trajectory by itself");
        assert_eq!(alone.len(), 3 * simulator.describe().frame_len());
    }
}

#[test]
fn a_failing_sink_stops_the_run_with_its_own_error() {
    // Fails if another thread's "interrupted" takes the place of the reason.
    struct Full;
    impl TrajectorySink for Full {
        fn write(&self, trajectory: usize, _: &[f32]) -> Result<()> {
            ensure!(trajectory % 8 != 3, "the disk is full");
            Ok(())
        }
    }
    let simulator = args("linear").simulator().unwrap();
    let plan = Plan { seed: 0, trajectories: 64, frames: 50 };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    for _ in 0..20 {
        let result = pool.install(|| run(&*simulator, &plan, &Full, &AtomicBool::new(false)));
        assert_eq!(result.unwrap_err().to_string(), "the disk is full");
    }
}

#[test]
fn the_stop_flag_stops_the_run() {
    let simulator = args("lorenz96 --burn-in 1e6").simulator().unwrap();
    let plan = Plan { seed: 0, trajectories: 2, frames: 2 };
    let sink = Memory(Mutex::new(vec![None; 2]));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stopped = scope.spawn(|| run(&*simulator, &plan, &sink, &stop));
        std::thread::sleep(Duration::from_millis(50));
        stop.store(true, Relaxed);
        assert!(stopped.join().unwrap().unwrap_err().is::<Interrupted>());
    });
}

#[test]
fn failures_name_the_trajectory() {
    struct Failing;
    impl Trajectory for Failing {
        fn advance(&mut self) -> Result<()> {
            anyhow::bail!("it blew up at t = 3")
        }
        fn values(&mut self, frame: &mut [f32]) {
            frame.fill(f32::INFINITY);
        }
    }
    struct Broken(usize);
    impl Simulator for Broken {
        fn describe(&self) -> Description {
            Description {
                system: "broken",
                axes: vec![AxisInfo {
                    name: "x",
                    points: 4,
                    length: 1.0,
                    boundary: finescale::Boundary::Periodic,
                }],
                channels: vec![ChannelInfo { name: "u", units: "1", long_name: "u" }],
                clock: Clock::new(1.0, 1.0, self.0 as f64).unwrap(),
                usual_frames: 1,
                parameters: serde_json::Value::Null,
            }
        }
        fn start(&self, _: u64, _: u64) -> Box<dyn Trajectory + '_> {
            Box::new(Failing)
        }
    }
    let plan = Plan { seed: 0, trajectories: 1, frames: 2 };
    let sink = Memory(Mutex::new(vec![None]));
    let message = |burn_in| {
        run(&Broken(burn_in), &plan, &sink, &AtomicBool::new(false)).unwrap_err().to_string()
    };
    assert_eq!(message(1), "trajectory 0: it blew up at t = 3");
    assert!(message(0).starts_with("trajectory 0: frame 0 holds numbers beyond f32"));
    assert!(sink.0.lock().unwrap()[0].is_none(), "nothing half-made reaches the sink");
    for plan in [Plan { trajectories: 0, ..plan }, Plan { frames: 0, ..plan }] {
        let result = run(&Broken(0), &plan, &sink, &AtomicBool::new(false));
        assert!(result.unwrap_err().to_string().contains("must be at least 1"));
    }
}

#[test]
fn the_command_line_reaches_the_parameters() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    let line = "kolmogorov --seed 3 --trajectories 7 --grid 40 --resolution 256 --dt 1e-3 --force";
    let kolmogorov = args(line);
    let simulator = kolmogorov.simulator().unwrap();
    assert_eq!(kolmogorov.plan(&*simulator), Plan { seed: 3, trajectories: 7, frames: 40 });
    assert!(kolmogorov.shared().force);
    let described = simulator.describe();
    assert!(described.axes.len() == 2 && described.axes.iter().all(|axis| axis.points == 40));
    assert_eq!((described.clock.interval, described.clock.burn_in), (0.5, 100));
    assert_eq!(described.parameters["resolution"], 256);
    // A parameter file may name a few values only; a misspelt one is refused.
    let parameters: super::super::lorenz96::Parameters =
        serde_json::from_str(r#"{"forcing": 8, "scheme": "euler"}"#).unwrap();
    assert_eq!((parameters.forcing, parameters.slow), (8.0, 32));
    let misspelt = serde_json::from_str::<super::super::linear::Parameters>(r#"{"gird": 8}"#);
    assert!(misspelt.unwrap_err().to_string().contains("gird"));
    // A negative number reaches its own check, instead of being taken for an option.
    let message = args("kolmogorov --nu -1").simulator().err().unwrap().to_string();
    assert_eq!(message, "--nu must be zero or a positive number, but is -1");
}
