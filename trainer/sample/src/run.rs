//! Draws the members of an ensemble on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Result, ensure};
use finescale::NoiseStream;
use rayon::prelude::*;

use super::generator::{Assignment, Generator, Watch, Worker};
use super::partial::{Drawn, Partial};
use finescale_field::noise::Purpose;
use finescale_host::interrupt::{self, Interrupted};
use finescale_host::progress::Progress;

/// What to draw.
pub(super) struct Job<'a> {
    pub(super) generator: &'a dyn Generator,
    pub(super) assignment: &'a Assignment,
    pub(super) trajectories: usize,
    pub(super) members: usize,
    pub(super) first_member: u32,
    pub(super) frames: usize,
    /// Values of a frame.
    pub(super) frame_len: usize,
    pub(super) seed: u64,
    pub(super) partial: &'a Partial,
}

/// What was drawn.
pub(super) struct Paths {
    /// `[trajectory][frame][member][channel][y][x]`, physical.
    pub(super) prediction: Vec<f32>,
    pub(super) calls_per_frame: f64,
    pub(super) seconds_per_frame: f64,
}

impl Job<'_> {
    /// The noise of a path. Every trajectory has a seed of its own, so that a path depends on
    /// nothing but the seed, its trajectory and its member.
    fn stream(&self, trajectory: usize, member: u32) -> NoiseStream {
        // The golden ratio's bits: seeds that people choose stay apart.
        let seed = self.seed.wrapping_add((trajectory as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Purpose::Sampling.stream(seed, member, 0, 0)
    }

    /// Draws all members of all trajectories; those that are finished already are taken as they
    /// are.
    pub(super) fn run(&self) -> Result<Paths> {
        let frame = self.frame_len;
        let calls = self.generator.evaluations(self.assignment, self.frames);
        let (units, path) = (self.trajectories * self.members, self.frames * frame);
        let progress = Progress::new(
            "sampling",
            calls * units as u64,
            format!("{} × {} members", self.trajectories, self.members),
        );
        let prediction = Mutex::new((vec![0.0_f32; units * path], 0.0, 0));
        let keep = |unit: usize, drawn: &Drawn| -> Result<()> {
            let mut all = prediction.lock().map_err(|_| anyhow::anyhow!("a thread failed"))?;
            let (values, seconds, calls) = &mut *all;
            *seconds += drawn.seconds;
            *calls += drawn.calls;
            let (trajectory, member) = (unit / self.members, unit % self.members);
            for (n, field) in drawn.values.chunks_exact(frame).enumerate() {
                let place = (trajectory * self.frames + n) * self.members + member;
                values[place * frame..][..frame].copy_from_slice(field);
            }
            Ok(())
        };
        let mut open = Vec::new();
        for unit in 0..units {
            let (trajectory, member) = self.unit(unit);
            match self.partial.load(trajectory, member, path)? {
                Some(drawn) => {
                    progress.skip(calls);
                    keep(unit, &drawn)?;
                }
                None => open.push(unit),
            }
        }
        let blown_up = AtomicUsize::new(0);
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let failure = Mutex::new(None);
        let threads = rayon::current_num_threads().min(open.len());
        let result = (0..threads).into_par_iter().with_max_len(1).try_for_each(|_| {
            let watch = Watch::new(&progress);
            let mut work = |worker: &mut dyn Worker| {
                while let Some(&unit) = open.get(next.fetch_add(1, Relaxed)) {
                    ensure!(!failed.load(Relaxed), Interrupted);
                    let (trajectory, member) = self.unit(unit);
                    let drawn = match self.draw(worker, &watch, unit, path) {
                        Ok(drawn) => drawn,
                        Err(error) => {
                            let place = format!("trajectory {trajectory}, member {member}");
                            if is_blow_up(&error) {
                                // The others may be sound, and how many are says how bad it is.
                                eprintln!("warning: {place} blew up: {error}");
                                blown_up.fetch_add(1, Relaxed);
                                continue;
                            }
                            return Err(error.context(place));
                        }
                    };
                    self.partial.store(trajectory, member, &drawn)?;
                    keep(unit, &drawn)?;
                }
                Ok(())
            };
            let done = self.generator.with_worker(self.frames, &watch, &mut work);
            done.map_err(|error| {
                if let Ok(mut first) = failure.lock() {
                    // After Ctrl-C every thread reports what it was at: that is no news.
                    first.get_or_insert(if interrupt::check().is_err() {
                        Interrupted.into()
                    } else {
                        error
                    });
                }
                failed.store(true, Relaxed);
            })
        });
        progress.finish(result.is_ok());
        if let Some(error) = failure.into_inner().ok().flatten() {
            let interrupted = error.chain().any(|cause| cause.is::<Interrupted>());
            return Err(match self.partial.advice() {
                Some(advice) if interrupted => error.context(advice),
                _ => error,
            });
        }
        let blown_up = blown_up.into_inner();
        ensure!(
            blown_up == 0,
            "{blown_up} of {units} paths are not finite: use another λ*, more steps, or --preset \
             ours"
        );
        let (prediction, seconds, calls) =
            prediction.into_inner().map_err(|_| anyhow::anyhow!("a thread failed"))?;
        let frames = (units * self.frames) as f64;
        Ok(Paths {
            prediction,
            calls_per_frame: calls as f64 / frames,
            seconds_per_frame: seconds / frames,
        })
    }

    fn unit(&self, unit: usize) -> (usize, u32) {
        (unit / self.members, self.first_member + (unit % self.members) as u32)
    }

    fn draw(
        &self,
        worker: &mut dyn Worker,
        watch: &Watch<'_>,
        unit: usize,
        len: usize,
    ) -> Result<Drawn> {
        interrupt::check()?;
        let (trajectory, member) = self.unit(unit);
        let begun = Instant::now();
        let mut values = vec![0.0; len];
        let stream = self.stream(trajectory, member);
        worker.draw(self.assignment, trajectory, &stream, &mut values)?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(finescale::Error::NotFinite { name: "field", index }.into());
        }
        Ok(Drawn { values, seconds: begun.elapsed().as_secs_f64(), calls: watch.take() })
    }
}

/// Whether a path stopped to be numbers on its way. Input was checked before, so the network is to
/// blame.
fn is_blow_up(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<finescale::Error>();
    matches!(error, Some(finescale::Error::NotFinite { .. }))
}
