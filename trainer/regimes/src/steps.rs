//! Which spacing of λ suits a spectrum: the one whose busiest step decides least.

use finescale::sampler::Schedule;
use serde::Serialize;

/// A spacing of λ, and how much its busiest step decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggested {
    /// Its name, as samplers have it.
    pub spacing: &'static str,
    /// λ, falling to 0.
    pub lambdas: Vec<f64>,
    /// The largest part of the variance that emerges within one step.
    pub busiest: f64,
}

/// All spacings from `start` to 0 in `steps` steps, the one with the least busy step first.
/// `emerging`: λ_S and variance of everything that emerges; what does so above `start` is decided
/// before.
pub fn suggested(emerging: &[(f64, f64)], start: f64, steps: u32) -> Vec<Suggested> {
    // As samplers have it.
    let smallest = 2e-3_f64.min(0.1 * start) as f32;
    let schedules = [
        ("geometric", Schedule::Geometric { steps, smallest }),
        ("quadratic", Schedule::Power { steps, exponent: 2 }),
        ("cubic", Schedule::Power { steps, exponent: 3 }),
        ("equal", Schedule::Power { steps, exponent: 1 }),
    ];
    let total: f64 = emerging.iter().map(|(_, power)| power).sum();
    let mut all: Vec<Suggested> = schedules
        .into_iter()
        .map(|(spacing, schedule)| {
            let lambdas: Vec<f64> =
                (0..=steps).map(|i| schedule.lambda(start as f32, i).into()).collect();
            let decided = |step: &[f64]| -> f64 {
                let within = emerging.iter().filter(|(l, _)| *l <= step[0] && *l > step[1]);
                within.map(|(_, power)| power).sum()
            };
            let busiest = lambdas.windows(2).map(decided).fold(0.0, f64::max) / total;
            Suggested { spacing, lambdas, busiest }
        })
        .collect();
    all.sort_by(|a, b| a.busiest.total_cmp(&b.busiest));
    all
}
