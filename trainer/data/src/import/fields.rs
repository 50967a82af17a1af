//! Reads fields out of a file: boxes in the file's own order of dimensions become
//! `[step][channel][y][x]`.

use std::ops::Range;

use anyhow::Result;

use super::cf::Unpack;
use super::source::{Source, Variable};

/// What a dimension of a variable means for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Trajectories.
    Member,
    /// Time.
    Time,
    /// Rows.
    Y,
    /// Columns.
    X,
    /// One index of it is taken.
    Fixed(usize),
}

/// The fields of a file.
pub(super) struct Fields<'a> {
    /// The open file.
    pub source: &'a dyn Source,
    /// The variable of every channel, with how it is unpacked and what its dimensions mean.
    pub channels: Vec<(&'a Variable, Unpack, Vec<Role>)>,
    /// Rows of the file that are taken, in order; one row on a line.
    pub y: Vec<usize>,
    /// Columns of the file that are taken, in order.
    pub x: Vec<usize>,
}

/// The smallest range that holds all indices.
fn hull(indices: &[usize]) -> Range<usize> {
    let first = indices.iter().min().copied().unwrap_or(0);
    first..indices.iter().max().map_or(0, |last| last + 1)
}

impl Fields<'_> {
    /// Values of a frame.
    pub(super) fn frame_len(&self) -> usize {
        self.channels.len() * self.y.len() * self.x.len()
    }

    /// Reads steps of a member as `[step][channel][y][x]`, NaN where values are missing.
    ///
    /// # Errors
    /// If the file is damaged.
    pub(super) fn read(&self, member: usize, steps: &[usize]) -> Result<Vec<f64>> {
        let points = self.y.len() * self.x.len();
        let mut out = vec![f64::NAN; steps.len() * self.frame_len()];
        for (c, (variable, unpack, roles)) in self.channels.iter().enumerate() {
            let range = |role: &Role| match *role {
                Role::Member => member..member + 1,
                Role::Time => hull(steps),
                Role::Y => hull(&self.y),
                Role::X => hull(&self.x),
                Role::Fixed(index) => index..index + 1,
            };
            let ranges: Vec<Range<usize>> = roles.iter().map(range).collect();
            let stored = self.source.read(variable, &ranges)?;
            // Distance in the box between neighbours along every role; absent dimensions have none.
            let stride = |role: Role| {
                let at = roles.iter().position(|&r| r == role);
                at.map_or(0, |at| ranges[at + 1..].iter().map(ExactSizeIterator::len).product())
            };
            let (time, row, column) = (stride(Role::Time), stride(Role::Y), stride(Role::X));
            let (first_step, first_y, first_x) =
                (hull(steps).start, hull(&self.y).start, hull(&self.x).start);
            for (frame, &step) in out.chunks_exact_mut(self.frame_len()).zip(steps) {
                let field = &mut frame[c * points..][..points];
                for (line, &j) in field.chunks_exact_mut(self.x.len()).zip(&self.y) {
                    let start = (step - first_step) * time + (j - first_y) * row;
                    for (value, &i) in line.iter_mut().zip(&self.x) {
                        *value = unpack.value(stored[start + (i - first_x) * column]);
                    }
                }
            }
        }
        Ok(out)
    }
}
