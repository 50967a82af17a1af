//! Whole time steps in a frame interval, whole frame intervals in the burn-in.

use super::check::{not_negative, positive};
use anyhow::{Result, ensure};

/// The time of a simulation, in the system's own units.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Time between frames.
    pub(super) interval: f64,
    /// Time steps in a frame interval.
    pub(super) steps: usize,
    /// Frame intervals that are thrown away before frame 0: the burn-in, rounded up.
    pub(super) burn_in: usize,
}

impl Clock {
    pub(super) fn new(dt: f64, interval: f64, burn_in: f64) -> Result<Self> {
        positive("--dt", dt)?;
        positive("--interval", interval)?;
        not_negative("--burn-in", burn_in)?;
        let ratio = interval / dt;
        // Sums of decimal fractions such as 0.05 / 5e-4 miss whole numbers by a few roundings.
        let whole = ratio.round();
        ensure!(
            whole >= 1.0 && (ratio - whole).abs() < 1e-9 * ratio,
            "--dt {dt} does not divide --interval {interval}: use --dt {}",
            step_within(interval, dt)
        );
        let intervals = burn_in / interval;
        let burn_in = (intervals - 1e-9 * intervals.max(1.0)).ceil().max(0.0) as usize;
        Ok(Self { interval, steps: whole as usize, burn_in })
    }

    /// The time step, free of the user's rounding.
    pub(super) fn dt(&self) -> f64 {
        self.interval / self.steps as f64
    }

    /// What is said of a solution that was no number or too large at `time`.
    pub(super) fn blow_up(&self, what: &str, time: f64) -> String {
        format!("{what} blew up before t = {time:.2}: use a --dt smaller than {}", self.dt())
    }
}

/// A time step to suggest: it divides `interval` and does not exceed `bound`. One that can be
/// written with three digits is preferred where a third more steps, at most, afford it.
pub(super) fn step_within(interval: f64, bound: f64) -> f64 {
    let fewest = (interval / bound).ceil().max(1.0) as u64;
    let short = |steps: u64| {
        let step = interval / steps as f64;
        let written: f64 = format!("{step:.2e}").parse().ok()?;
        ((written - step).abs() < 1e-9 * step && written <= bound).then_some(written)
    };
    (fewest..=fewest * 4 / 3).find_map(short).unwrap_or(interval / fewest as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_steps_hold_divide_and_are_short_where_possible() {
        assert_eq!(step_within(0.5, 0.0075), 0.00625);
        assert_eq!(step_within(0.05, 0.0133), 0.0125);
        assert_eq!(step_within(1.5, 0.5), 0.5);
        assert_eq!(step_within(0.1, 7.0), 0.1);
        for bound in [0.9, 0.31, 0.071, 0.0137, 1.1e-3] {
            for interval in [1.0, 0.7, 1.5, 0.05, 1.0 / 3.0] {
                let step = step_within(interval, bound);
                assert!(step <= bound && step >= 0.37 * bound.min(interval), "{interval} {bound}");
                assert!(Clock::new(step, interval, 0.0).is_ok());
            }
        }
    }

    #[test]
    fn decimal_fractions_divide() {
        // Fails if the check compares floating-point remainders: 0.05 % 5e-4 is not 0.
        for (dt, interval, steps) in
            [(5e-4, 0.05, 100), (1e-3, 0.5, 500), (0.125, 1.5, 12), (0.1, 0.3, 3)]
        {
            assert_eq!(Clock::new(dt, interval, 0.0).unwrap().steps, steps);
        }
    }

    #[test]
    fn a_step_that_does_not_divide_is_refused_with_the_next_smaller_that_does() {
        let message = Clock::new(0.03, 0.1, 0.0).unwrap_err().to_string();
        assert_eq!(message, "--dt 0.03 does not divide --interval 0.1: use --dt 0.025");
        assert!(Clock::new(0.2, 0.1, 0.0).unwrap_err().to_string().ends_with("use --dt 0.1"));
        assert!(Clock::new(0.0, 0.1, 0.0).unwrap_err().to_string().starts_with("--dt must be"));
        assert!(Clock::new(0.1, -0.1, 0.0).unwrap_err().to_string().starts_with("--interval"));
        assert!(Clock::new(0.1, 0.1, f64::NAN).unwrap_err().to_string().starts_with("--burn-in"));
    }

    #[test]
    fn burn_in_is_rounded_up_to_whole_intervals() {
        assert_eq!(Clock::new(0.1, 0.5, 50.0).unwrap().burn_in, 100);
        assert_eq!(Clock::new(5e-4, 0.05, 30.0).unwrap().burn_in, 600);
        assert_eq!(Clock::new(0.1, 0.5, 0.6).unwrap().burn_in, 2);
        assert_eq!(Clock::new(0.1, 0.5, 0.0).unwrap().burn_in, 0);
    }
}
