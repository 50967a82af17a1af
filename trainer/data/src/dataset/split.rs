//! Which frames train, which validate, which test: by trajectory, or by blocks of time; never by
//! shuffled frames.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// The part that a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Seen by training and by the statistics.
    Train,
    /// Chooses among trained models.
    Valid,
    /// Seen by nothing before the scores.
    Test,
}

impl Split {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Its name, as in attributes and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// The flag stored in the array `split`.
    pub fn flag(self) -> i8 {
        self as i8
    }
}

/// Flag of frames that belong to no part: gaps between blocks of time, and frames left out.
pub const GAP: i8 = -1;

/// How frames are shared out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum SplitRule {
    /// Whole trajectories: the first train, the next validate, the last test.
    Trajectory {
        /// Trajectories that validate.
        valid: usize,
        /// Trajectories that test.
        test: usize,
    },
    /// Blocks of time, the same in every trajectory: the first trains, the next validates, the last
    /// tests.
    Time {
        /// Share of the frames that validates.
        valid: f64,
        /// Share of the frames that tests.
        test: f64,
        /// Frames left out between two blocks.
        gap: usize,
        /// Validation and test begin at multiples of so many frames (12 keeps the years of monthly
        /// data whole).
        block: usize,
    },
    /// Everything trains.
    None,
}

impl SplitRule {
    /// 80 % train, 10 % validate, 10 % test, at least one trajectory each.
    pub fn by_trajectory(trajectories: usize) -> Self {
        let tenth = (trajectories as f64 / 10.0).round().max(1.0) as usize;
        Self::Trajectory { valid: tenth, test: tenth }
    }

    /// 80 % train, 10 % validate, 10 % test, five frames between them: the window of the paper's
    /// predictor.
    pub(crate) fn by_time(block: usize) -> Self {
        Self::Time { valid: 0.1, test: 0.1, gap: 5, block }
    }

    /// Shares out the frames.
    ///
    /// # Errors
    /// One sentence if a part would get too little.
    pub fn apply(&self, trajectories: usize, frames: usize) -> Result<Splits> {
        let mut splits = Splits { frames, flags: vec![Split::Train.flag(); trajectories * frames] };
        match *self {
            Self::None => {}
            Self::Trajectory { valid, test } => {
                ensure!(
                    trajectories > valid + test,
                    "{trajectories} trajectories cannot be split into {valid} for validation, {test} for testing \
                     and at least one for training: ask for fewer, or split by time"
                );
                let first = trajectories - valid - test;
                splits.flags[first * frames..].fill(Split::Valid.flag());
                splits.flags[(first + valid) * frames..].fill(Split::Test.flag());
            }
            Self::Time { valid, test, gap, block } => {
                let parts = blocks_of_time(frames, valid, test, gap, block)?;
                for trajectory in splits.flags.chunks_exact_mut(frames) {
                    trajectory.fill(GAP);
                    for (split, part) in Split::ALL.into_iter().zip(parts.clone()) {
                        trajectory[part].fill(split.flag());
                    }
                }
            }
        }
        Ok(splits)
    }
}

/// Ranges of the three blocks. Validation and test begin at multiples of `block` and have whole
/// blocks (the frames over at the end go to the test); the gaps are taken from the training part.
fn blocks_of_time(
    frames: usize,
    valid: f64,
    test: f64,
    gap: usize,
    block: usize,
) -> Result<[Range<usize>; 3]> {
    ensure!(
        valid > 0.0 && test > 0.0 && valid + test < 1.0,
        "shares of {valid} and {test} leave nothing to train on: validation and test need \
         positive shares below 1 in all"
    );
    ensure!(block > 0, "a block of time needs at least one frame");
    let whole = |share: f64| {
        let least = 2_usize.div_ceil(block);
        ((share * frames as f64 / block as f64).round() as usize).max(least) * block
    };
    let (valid, test) = (whole(valid), whole(test));
    let parts = || {
        let test_start = (frames / block * block).checked_sub(test)?;
        let valid_start = test_start.checked_sub(gap + valid)? / block * block;
        let train_end = valid_start.checked_sub(gap).filter(|&n| n >= 2)?;
        Some([0..train_end, valid_start..valid_start + valid, test_start..frames])
    };
    parts().with_context(|| {
        format!(
            "{frames} frames are too few to split by time into train, {valid} for validation and {test} for testing \
             with gaps of {gap}: make the gap smaller (--gap) or split nothing off (--split none)"
        )
    })
}

/// Frames that follow each other and belong to one part: windows are drawn inside segments only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Index of the trajectory.
    pub trajectory: usize,
    /// Range of frames.
    pub frames: Range<usize>,
}

/// The part of every frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    frames: usize,
    flags: Vec<i8>,
}

impl Splits {
    /// From flags `[trajectory][frame]` as stored.
    ///
    /// # Errors
    /// If a flag is none of -1, 0, 1, 2.
    pub(crate) fn from_flags(frames: usize, flags: Vec<i8>) -> Result<Self> {
        ensure!(
            flags.iter().all(|flag| (GAP..=Split::Test.flag()).contains(flag)),
            "`split` holds a value other than -1, 0, 1 and 2"
        );
        Ok(Self { frames, flags })
    }

    /// Flags `[trajectory][frame]`.
    pub fn flags(&self) -> &[i8] {
        &self.flags
    }

    /// Leaves these frames out of every part, in every trajectory.
    pub(crate) fn exclude(&mut self, frames: impl IntoIterator<Item = usize>) {
        for frame in frames {
            self.flags.iter_mut().skip(frame).step_by(self.frames).for_each(|flag| *flag = GAP);
        }
    }

    /// The part of a frame; `None` in a gap.
    pub fn of(&self, trajectory: usize, frame: usize) -> Option<Split> {
        let flag = *self.flags.get(trajectory * self.frames + frame)?;
        Split::ALL.into_iter().find(|split| split.flag() == flag)
    }

    /// Number of frames of a part.
    pub fn count(&self, split: Split) -> usize {
        self.flags.iter().filter(|&&flag| flag == split.flag()).count()
    }

    /// The runs of frames of a part, in order.
    pub fn segments(&self, split: Split) -> Vec<Segment> {
        let mut segments = Vec::new();
        for (trajectory, flags) in self.flags.chunks_exact(self.frames).enumerate() {
            let mut start = 0;
            for run in flags.chunk_by(|a, b| a == b) {
                if run[0] == split.flag() {
                    segments.push(Segment { trajectory, frames: start..start + run.len() });
                }
                start += run.len();
            }
        }
        segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If whole trajectories leaked between parts, scores would be too good.
    #[test]
    fn trajectories_are_split_whole() {
        let splits = SplitRule::Trajectory { valid: 1, test: 2 }.apply(6, 4).unwrap();
        for trajectory in 0..6 {
            let expected =
                [Split::Train, Split::Train, Split::Train, Split::Valid, Split::Test, Split::Test];
            assert!((0..4).all(|n| splits.of(trajectory, n) == Some(expected[trajectory])));
        }
        assert_eq!(splits.segments(Split::Train).len(), 3);
        assert!(SplitRule::Trajectory { valid: 1, test: 1 }.apply(2, 4).is_err());
    }

    /// If the gap or the whole years were lost, a validation window would overlap training.
    #[test]
    fn blocks_of_time_keep_years_whole_and_gaps_open() {
        let splits = SplitRule::by_time(12).apply(1, 132).unwrap();
        let ranges: Vec<_> =
            Split::ALL.iter().map(|&s| splits.segments(s)[0].frames.clone()).collect();
        assert_eq!(ranges, [0..91, 96..108, 120..132]);
        assert_eq!(splits.of(0, 92), None);
        let splits = SplitRule::by_time(1).apply(1, 64).unwrap();
        let ranges: Vec<_> =
            Split::ALL.iter().map(|&s| splits.segments(s)[0].frames.clone()).collect();
        assert_eq!(ranges, [0..42, 47..53, 58..64]);
    }

    #[test]
    fn too_few_frames_are_refused_in_one_sentence() {
        let error = SplitRule::by_time(1).apply(1, 12).unwrap_err().to_string();
        assert!(error.starts_with("12 frames are too few"), "{error}");
        assert!(SplitRule::Time { valid: 0.5, test: 0.5, gap: 0, block: 1 }.apply(1, 99).is_err());
    }

    #[test]
    fn excluded_frames_cut_segments() {
        let mut splits = SplitRule::None.apply(2, 10).unwrap();
        splits.exclude([3]);
        let train: Vec<_> = splits.segments(Split::Train).into_iter().map(|s| s.frames).collect();
        assert_eq!(train, [0..3, 4..10, 0..3, 4..10]);
    }
}
