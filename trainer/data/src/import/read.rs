//! Fields of a file in memory, as a data set would have them: the way of an import without its end.

use anyhow::{Context, Result};
use finescale::Boundary;

use super::cf::AxisKind;
use super::plan::Plan;
use super::stream::FrameStream;
use super::{Options, grid, grid_within, length, spec};
use crate::dataset::Spec;

/// What was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// Channels, times and axes.
    pub spec: Spec,
    /// `[trajectory][frame][channel][y][x]`.
    pub values: Vec<f32>,
    /// Rows and columns of the file; one row on a line.
    pub source_grid: (usize, usize),
    /// Whether the lengths of the axes follow from their units; otherwise all are 2π.
    pub lengths_known: bool,
}

/// Reads the fields of a file; by default on the finest grid that has transforms and is nowhere
/// finer than the file. Where it does not say what is beyond the ends of an axis, and no option
/// does, `expected` holds, y before x.
///
/// # Errors
/// As an import.
pub fn read(options: &Options, expected: &[Boundary]) -> Result<Read> {
    let source = options.open()?;
    let shown = options.input.display();
    let failed = || format!("{shown} cannot be used");
    let mut options = options.clone();
    if options.boundary.is_empty() {
        let plan = Plan::new(source.as_ref(), &options).with_context(failed)?;
        let axes: Vec<_> = plan.y.iter().chain([&plan.x]).collect();
        if axes.len() == expected.len() {
            options.boundary = axes
                .iter()
                .zip(expected)
                .map(|(axis, &expected)| {
                    // Of the globe the coordinates tell; of anything else only the file could.
                    let globe = matches!(axis.kind, AxisKind::Longitude | AxisKind::Latitude);
                    axis.told.unwrap_or(if globe { axis.boundary } else { expected })
                })
                .collect();
        }
    }
    let plan = Plan::new(source.as_ref(), &options).with_context(failed)?;
    let shape = match &options.grid {
        Some(points) => grid(&plan, points).with_context(failed)?,
        None => grid_within(&plan).with_context(failed)?,
    };
    let (stream, mut y, mut x) = FrameStream::new(&plan, &options, shape)?;
    let no_common_unit = length::set(y.as_mut(), &mut x, &options.length)?;
    let lengths_known = y.is_some() && no_common_unit.is_none();
    let spec = spec(&options, &plan, y, x);
    spec.validate().with_context(failed)?;
    let mut values = Vec::new();
    const BLOCK: usize = 64;
    for member in 0..spec.trajectories {
        stream.blocks(member, BLOCK, |_, block| {
            values.extend(block);
            Ok(())
        })?;
    }
    let source_grid = (plan.fields.y.len(), plan.fields.x.len());
    Ok(Read { spec, values, source_grid, lengths_known })
}
