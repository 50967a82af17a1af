//! Which coarse values predict which fine points, and where one map holds.

use nalgebra::DMatrix;

use super::RidgeMap;
use crate::baseline::beyond;
use finescale::Boundary;
use finescale_data::dataset::{SpatialAxis, Spec};
use finescale_field::coarsening::Coarsening;

/// Points along each side of a patch or window, its own cell in the middle.
const SIDE: usize = 5;
/// Most predictors of a map from all coarse values; where there are more, it takes those of a
/// window.
const MOST: usize = 256;

/// A coarse cell, or the whole grid.
pub(super) struct Cell {
    /// Places of its predictors in a coarse field.
    from: Vec<usize>,
    /// Places of its targets in a fine field.
    to: Vec<usize>,
}

/// Cells that share one map: their samples come in turn, cell by cell in each frame.
pub(super) struct Region {
    pub(super) cells: Vec<Cell>,
    /// Points of a coarse and of a fine field, and fields of a frame.
    points: (usize, usize, usize),
    /// Whether the frames before and after are predictors too.
    neighbours: bool,
}

/// Frames `[frame][channel][y][x]`, with the frames before, at and after each.
pub(super) struct Frames<'a> {
    pub(super) values: &'a [f32],
    pub(super) around: &'a [[usize; 3]],
}

impl Region {
    /// The regions of a map.
    pub(super) fn all(
        fine: &Spec,
        coarse: &Spec,
        coarsening: Coarsening,
        map: RidgeMap,
        neighbours: bool,
    ) -> Vec<Self> {
        let points = (coarse.points(), fine.points(), fine.channels.len());
        let region = |cells| Self { cells, points, neighbours };
        let inputs = points.0 * points.2 * if neighbours { 3 } else { 1 };
        let cells = |near: fn(usize, &SpatialAxis) -> Vec<usize>| -> Vec<Cell> {
            let x = lines(&fine.x, &coarse.x, coarsening, near);
            let y = match (&fine.y, &coarse.y) {
                (Some(fine), Some(coarse)) => lines(fine, coarse, coarsening, near),
                _ => vec![(vec![0], vec![0])],
            };
            y.iter()
                .flat_map(|y| x.iter().map(move |x| (y, x)))
                .map(|(y, x)| Cell {
                    from: product(&y.0, &x.0, coarse.nx()),
                    to: product(&y.1, &x.1, fine.nx()),
                })
                .collect()
        };
        match map {
            RidgeMap::Patch => vec![region(cells(patch))],
            RidgeMap::Pixel if inputs <= MOST => {
                let (from, to) = ((0..points.0).collect(), (0..points.1).collect());
                vec![region(vec![Cell { from, to }])]
            }
            RidgeMap::Pixel => cells(window).into_iter().map(|cell| region(vec![cell])).collect(),
        }
    }

    /// Predictors of some frames, a sample in each column; the last one is 1.
    pub(super) fn predictors(&self, coarse: &Frames<'_>, frames: &[usize]) -> DMatrix<f64> {
        let (points, _, channels) = self.points;
        let len = points * channels;
        let frames_taken = if self.neighbours { 3 } else { 1 };
        let rows = self.cells[0].from.len() * channels * frames_taken + 1;
        let mut values = Vec::with_capacity(rows * frames.len() * self.cells.len());
        for &frame in frames {
            let around = &coarse.around[frame];
            let taken = if self.neighbours { &around[..] } else { &around[1..2] };
            for cell in &self.cells {
                for n in taken {
                    for field in coarse.values[n * len..][..len].chunks_exact(points) {
                        values.extend(cell.from.iter().map(|&place| f64::from(field[place])));
                    }
                }
                values.push(1.0);
            }
        }
        DMatrix::from_vec(rows, frames.len() * self.cells.len(), values)
    }

    /// Targets in some of the frames, as [`Self::predictors`].
    pub(super) fn targets(&self, fine: &[f32], frames: &[usize]) -> DMatrix<f64> {
        let mut values = Vec::new();
        for &frame in frames {
            for cell in 0..self.cells.len() {
                values.extend(
                    self.places(cell).map(|place| f64::from(fine[frame * self.len() + place])),
                );
            }
        }
        DMatrix::from_vec(self.outputs(), frames.len() * self.cells.len(), values)
    }

    /// Places of the targets of a cell in a fine frame.
    pub(super) fn places(&self, cell: usize) -> impl Iterator<Item = usize> {
        let (_, points, channels) = self.points;
        let to = &self.cells[cell].to;
        (0..channels).flat_map(move |c| to.iter().map(move |place| c * points + place))
    }

    /// Targets of a sample.
    pub(super) fn outputs(&self) -> usize {
        self.cells[0].to.len() * self.points.2
    }

    fn len(&self) -> usize {
        self.points.1 * self.points.2
    }
}

/// For every coarse point of an axis: the places that are near it, and the fine points that it
/// stands for.
fn lines(
    fine: &SpatialAxis,
    coarse: &SpatialAxis,
    coarsening: Coarsening,
    near: fn(usize, &SpatialAxis) -> Vec<usize>,
) -> Vec<(Vec<usize>, Vec<usize>)> {
    let (points, ratio) = (fine.points(), fine.points() / coarse.points());
    // A value at a point has half of its fine points on either side.
    let shift = if coarsening.is_centred(fine.boundary) { 0 } else { ratio / 2 };
    let block = |cell: usize| (0..ratio).map(move |n| (cell * ratio + n + points - shift) % points);
    (0..coarse.points()).map(|cell| (near(cell, coarse), block(cell).collect())).collect()
}

fn patch(cell: usize, axis: &SpatialAxis) -> Vec<usize> {
    let first = cell as isize - (SIDE / 2) as isize;
    (first..first + SIDE as isize).map(|j| beyond(j, axis.points(), axis.boundary)).collect()
}

/// Near an end that is no circle the window stays inside: mirrored values would tell nothing new.
fn window(cell: usize, axis: &SpatialAxis) -> Vec<usize> {
    let (n, before) = (axis.points(), SIDE / 2);
    match axis.boundary {
        Boundary::Periodic => (0..SIDE.min(n)).map(|j| (cell + j + n - before % n) % n).collect(),
        Boundary::Reflecting => {
            let first = cell.saturating_sub(before).min(n.saturating_sub(SIDE));
            (first..n.min(first + SIDE)).collect()
        }
    }
}

fn product(rows: &[usize], columns: &[usize], width: usize) -> Vec<usize> {
    rows.iter().flat_map(|y| columns.iter().map(move |x| y * width + x)).collect()
}
