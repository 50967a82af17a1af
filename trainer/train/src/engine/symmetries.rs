//! Symmetries of the data: fields that are as likely as those that were recorded.
//!
//! A symmetry is a rearrangement of the points of all frames of a sample, perhaps with the sign of
//! all values changed. Each sample of a batch draws one. Where the dynamics have them, a data set
//! is worth as many times more as there are rearrangements.

use anyhow::{Result, ensure};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};
use finescale::{Axis, Boundary, Grid};
use rand_chacha::rand_core::Rng;

use super::frames::{below, unit};
use crate::config::{choice, settings};

settings!(/// Section `symmetries`.
    Symmetries { shift_y: usize, shift_x: usize, turns: Vec<Turn> });
choice!(/// A symmetry that is used for half of the samples: u at turned points, or −u for the odd ones.
#[derive(Hash)]
Turn { FlipY, FlipX, HalfTurn, Transpose, OddFlipY, OddFlipX, OddHalfTurn });

/// What one sample draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    shift: [usize; 2],
    flipped: [bool; 2],
    transposed: bool,
    negative: bool,
}

impl Turn {
    /// Axes that it flips, y before x, and whether it changes the sign.
    fn parts(self) -> ([bool; 2], bool) {
        match self {
            Self::FlipY => ([true, false], false),
            Self::FlipX => ([false, true], false),
            Self::HalfTurn => ([true, true], false),
            Self::Transpose => ([false, false], false),
            Self::OddFlipY => ([true, false], true),
            Self::OddFlipX => ([false, true], true),
            Self::OddHalfTurn => ([true, true], true),
        }
    }
}

impl Symmetries {
    /// Whether the data have none.
    pub fn is_empty(&self) -> bool {
        self.shift_y == 0 && self.shift_x == 0 && self.turns.is_empty()
    }

    /// Refuses what fields of a grid cannot have.
    pub(crate) fn check_on(&self, grid: &Grid) -> Result<()> {
        let axes = [("y", self.shift_y, grid.y()), ("x", self.shift_x, Some(grid.x()))];
        for (name, shift, axis) in axes {
            let fits = shift == 0
                || axis.is_some_and(|axis| {
                    axis.boundary() == Boundary::Periodic && axis.points().is_multiple_of(shift)
                });
            ensure!(
                fits,
                "symmetries.shift-{name} is {shift}: use a divisor of the points of a periodic {name} \
                 axis, or 0 for none"
            );
        }
        let alike = grid.y().is_some_and(|y| y == grid.x());
        ensure!(
            alike || !self.turns.contains(&Turn::Transpose),
            "symmetries.turns has \"transpose\", which needs two axes that are alike: leave it out"
        );
        let along_y = |turn: &Turn| matches!(turn, Turn::FlipY | Turn::OddFlipY);
        ensure!(
            !grid.is_line() || !self.turns.iter().any(along_y),
            "symmetries.turns flips y, which a line does not have: leave it out"
        );
        Ok(())
    }

    /// One for a sample.
    pub fn draw(&self, grid: &Grid, rng: &mut impl Rng) -> Drawn {
        let mut shift = |points: usize, step: usize| match step {
            0 => 0,
            step => below(rng, points / step) * step,
        };
        let shift = [shift(grid.ny(), self.shift_y), shift(grid.nx(), self.shift_x)];
        let mut drawn = Drawn { shift, flipped: [false; 2], transposed: false, negative: false };
        for turn in &self.turns {
            if unit(rng) < 0.5 {
                let (flips, sign) = turn.parts();
                drawn.flipped[0] ^= flips[0];
                drawn.flipped[1] ^= flips[1];
                drawn.negative ^= sign;
                drawn.transposed ^= *turn == Turn::Transpose;
            }
        }
        drawn
    }
}

impl Drawn {
    /// The point whose value each point gets, `[y][x]`.
    fn sources(&self, grid: &Grid) -> Vec<i32> {
        let (ny, nx) = (grid.ny(), grid.nx());
        let flip = |axis: Option<Axis>, flipped: bool, place: usize| match axis {
            Some(axis) if flipped && axis.boundary() == Boundary::Periodic => {
                (axis.points() - place) % axis.points()
            }
            Some(axis) if flipped => axis.points() - 1 - place,
            _ => place,
        };
        let source = |j: usize, i: usize| {
            let (j, i) = if self.transposed { (i, j) } else { (j, i) };
            let j = (flip(grid.y(), self.flipped[0], j) + self.shift[0]) % ny;
            let i = (flip(Some(grid.x()), self.flipped[1], i) + self.shift[1]) % nx;
            (j * nx + i) as i32
        };
        (0..ny * nx).map(|place| source(place / nx, place % nx)).collect()
    }
}

/// Fields `[sample, fields, points]`, those of each sample moved by what it has drawn.
pub fn moved<B: Backend>(fields: Tensor<B, 3>, grid: &Grid, drawn: &[Drawn]) -> Tensor<B, 3> {
    let [samples, each, points] = fields.dims();
    assert_eq!(samples, drawn.len(), "one symmetry for each sample");
    let device = fields.device();
    let sources: Vec<i32> = drawn.iter().flat_map(|drawn| drawn.sources(grid)).collect();
    let sources = TensorData::new(sources, [samples, 1, points]);
    let sources = Tensor::<B, 3, Int>::from_data(sources, &device).repeat_dim(1, each);
    let signs: Vec<f32> =
        drawn.iter().map(|drawn| if drawn.negative { -1.0 } else { 1.0 }).collect();
    let signs = Tensor::<B, 3>::from_data(TensorData::new(signs, [samples, 1, 1]), &device);
    fields.gather(2, sources) * signs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backend::Cpu;
    use crate::engine::frames::numbers;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn plane(y: Axis, x: Axis) -> Grid {
        Grid::plane(y, x).unwrap()
    }

    fn none() -> Symmetries {
        Symmetries { shift_y: 0, shift_x: 0, turns: Vec::new() }
    }

    /// If it failed, a network would learn from fields that the data do not have.
    #[test]
    fn points_go_where_the_symmetry_says() {
        let (periodic, reflecting) = (Axis::periodic(8).unwrap(), Axis::reflecting(16).unwrap());
        let grid = plane(periodic, reflecting);
        let drawn =
            Drawn { shift: [3, 0], flipped: [true, true], transposed: false, negative: true };
        let still =
            Drawn { shift: [0; 2], flipped: [false; 2], transposed: false, negative: false };
        let values: Vec<f32> = (0..2 * 2 * 128).map(|n| n as f32).collect();
        let fields = Tensor::<Cpu, 3>::from_data(
            TensorData::new(values.clone(), [2, 2, 128]),
            &Default::default(),
        );
        let found = numbers(moved(fields, &grid, &[drawn, still]));
        assert_eq!(found[256..], values[256..]);
        for (place, found) in found[..256].iter().enumerate() {
            let (field, j, i) = (place / 128, place % 128 / 16, place % 16);
            let source = (8 - j + 3) % 8 * 16 + 15 - i;
            assert_eq!(*found, -((field * 128 + source) as f32));
        }

        let square = plane(periodic, periodic);
        let transposed = Drawn { transposed: true, ..still };
        let sources = transposed.sources(&square);
        assert!(sources.iter().enumerate().all(|(n, &s)| s as usize == n % 8 * 8 + n / 8));
    }

    #[test]
    fn draws_are_what_was_asked_for() {
        let axis = Axis::periodic(32).unwrap();
        let grid = plane(axis, axis);
        let asked = Symmetries { shift_y: 8, shift_x: 1, turns: vec![Turn::OddHalfTurn] };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<_> = (0..400).map(|_| asked.draw(&grid, &mut rng)).collect();
        for drawn in &drawn {
            assert!(drawn.shift[0] % 8 == 0 && !drawn.transposed);
            assert_eq!(drawn.flipped, [drawn.negative; 2]);
        }
        let turned = drawn.iter().filter(|drawn| drawn.negative).count();
        assert!((150..250).contains(&turned), "{turned}");
        for shift in 0..32 {
            assert!(drawn.iter().any(|drawn| drawn.shift[1] == shift), "{shift} was never drawn");
        }
    }

    #[test]
    fn what_a_grid_cannot_have_is_refused() {
        let (periodic, reflecting) = (Axis::periodic(32).unwrap(), Axis::reflecting(32).unwrap());
        let line = Grid::line(periodic);
        let refused = |symmetries: Symmetries, grid: &Grid, word: &str| {
            let message = symmetries.check_on(grid).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        };
        refused(Symmetries { shift_y: 1, ..none() }, &line, "symmetries.shift-y is 1");
        refused(Symmetries { shift_x: 5, ..none() }, &line, "symmetries.shift-x is 5");
        refused(
            Symmetries { shift_x: 4, ..none() },
            &plane(periodic, reflecting),
            "symmetries.shift-x is 4",
        );
        refused(
            Symmetries { turns: vec![Turn::Transpose], ..none() },
            &plane(periodic, reflecting),
            "transpose",
        );
        refused(Symmetries { turns: vec![Turn::FlipY], ..none() }, &line, "flips y");
        Symmetries { shift_x: 4, turns: vec![Turn::OddFlipX], ..none() }.check_on(&line).unwrap();
    }
}
