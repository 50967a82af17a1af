//! Rank histogram: where the truth stands among the members.
//!
//! The rank of the truth at a point is the number of members below it, 0 … M. If truth and members
//! are draws of one distribution, all ranks are equally frequent, 1/(M + 1). A ∪ shape is an
//! ensemble too narrow, a ∩ shape one too wide, a slope a bias (Hamill 2001, doi
//! 10.1175/1520-0493(2001)129<0550:IORHFV>2.0.CO;2). Ties share the rank evenly. Reliability index:
//! Σ_r |f_r − 1/(M + 1)|, 0 flat, at most 2 (Delle Monache et al. 2006, doi 10.1029/2005JD006917).

use serde::Serialize;

use super::pointwise::{Pass, Pick};

/// Adds the rank of `truth` among `members` to `counts`, of members + 1 entries.
pub(crate) fn count_rank(members: &[f32], truth: f32, counts: &mut [f64]) {
    let below = members.iter().filter(|x| **x < truth).count();
    let equal = members.iter().filter(|x| **x == truth).count();
    let share = 1.0 / (equal + 1) as f64;
    for count in counts.iter_mut().skip(below).take(equal + 1) {
        *count += share;
    }
}

/// Ranks of the truth over trajectories, frames and points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankHistogram {
    /// Frequency of the ranks 0 … M; their sum is 1.
    pub frequencies: Vec<f64>,
    /// Σ |f − 1/(M + 1)|.
    pub reliability_index: f64,
}

impl RankHistogram {
    pub(super) fn new(pass: &Pass, pick: Pick) -> Option<Self> {
        if pass.members < 2 {
            return None;
        }
        let counts = pass.ranks(pick);
        let total: f64 = counts.iter().sum();
        let frequencies: Vec<f64> = counts.iter().map(|count| count / total).collect();
        let even = 1.0 / frequencies.len() as f64;
        let reliability_index = frequencies.iter().map(|f| (f - even).abs()).sum();
        Some(Self { frequencies, reliability_index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tie given to one side would tilt the histogram of fields with many equal values, such as
    /// rain.
    #[test]
    fn ties_are_shared() {
        let mut counts = [0.0; 4];
        count_rank(&[0.0, 1.0, 2.0], 1.5, &mut counts);
        assert_eq!(counts, [0.0, 0.0, 1.0, 0.0]);
        let mut counts = [0.0; 4];
        count_rank(&[0.0, 0.0, 2.0], 0.0, &mut counts);
        assert_eq!(counts, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
    }
}
