//! Grids: how many points, which boundaries, which wavenumbers.
//!
//! A field on a grid is a slice of `f32`, row-major `[channel][y][x]` (on a line `[channel][x]`).
//! The points of a periodic axis lie at `j·h`, those of a reflecting axis at `(j + ½)·h`, `j = 0 …
//! N−1`, `h` the spacing; a reflecting axis continues as its mirror image beyond both ends.

use core::f32::consts::{PI, TAU};
use core::ops::RangeInclusive;

use crate::Error;
use crate::checked::Place;
use crate::spectral::quarter_wave;

/// What lies beyond the ends of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Boundary {
    /// The field repeats: Fourier modes.
    Periodic,
    /// The field is mirrored half a spacing beyond its end points (even extension, no flux): cosine
    /// modes.
    Reflecting,
}

impl Boundary {
    /// Its name, as in files and on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Reflecting => "reflecting",
        }
    }

    /// Wavenumber of the first mode of an axis of this length; as well the length of an axis with
    /// this wavenumber.
    fn unit(self, length: f32) -> f32 {
        match self {
            Self::Periodic => TAU / length,
            Self::Reflecting => PI / length,
        }
    }
}

/// Which Laplacian damps the modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Laplacian {
    /// κ = |k|², exact on smooth fields.
    #[default]
    Spectral,
    /// κ = Σ (4/h²) sin²(kh/2), the symbol of the three-point difference on each axis.
    FiniteDifference,
}

/// One axis: an even product of twos, threes and fives of points, a boundary, a length.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "written::Axis", into = "written::Axis"))]
pub struct Axis {
    points: u16,
    boundary: Boundary,
    /// Wavenumber of the first mode, radians per unit length.
    unit: f32,
}

impl Axis {
    /// Fewest points of an axis.
    pub const POINTS_MIN: usize = 8;
    /// Most points of the axis of a line.
    pub const POINTS_MAX: usize = 4096;

    /// Whether an axis can have so many points: 2ᵃ·3ᵇ·5ᶜ from 8 to 4096, and an even number.
    ///
    /// Every spectrum of a periodic axis so has a mode N/2, and every other mode its partner behind
    /// it.
    pub const fn has_transform(points: usize) -> bool {
        let mut rest = points;
        while rest > 0 && rest.is_multiple_of(2) {
            rest /= 2;
        }
        while rest > 0 && rest.is_multiple_of(3) {
            rest /= 3;
        }
        while rest > 0 && rest.is_multiple_of(5) {
            rest /= 5;
        }
        let fits = Self::POINTS_MIN <= points && points <= Self::POINTS_MAX;
        fits && points.is_multiple_of(2) && rest == 1
    }

    /// The number of points nearest to `points` that an axis can have, at most `most`; the smaller
    /// one of two.
    pub fn nearest_points(points: usize, most: usize) -> usize {
        let most = most.clamp(Self::POINTS_MIN, Self::POINTS_MAX);
        let all = (Self::POINTS_MIN..=most).filter(|n| Self::has_transform(*n));
        all.min_by_key(|n| n.abs_diff(points)).unwrap_or(Self::POINTS_MIN)
    }

    /// An axis of length 2π.
    ///
    /// # Errors
    /// [`Error::AxisPoints`] unless [`Axis::has_transform`] of `points`.
    pub fn new(points: usize, boundary: Boundary) -> Result<Self, Error> {
        if !Self::has_transform(points) {
            return Err(Error::AxisPoints { points, most: Self::POINTS_MAX });
        }
        let unit = match boundary {
            Boundary::Periodic => 1.0,
            Boundary::Reflecting => 0.5,
        };
        Ok(Self { points: points as u16, boundary, unit })
    }

    /// A periodic axis of length 2π; its modes have the wavenumbers 0, 1, …, N/2.
    ///
    /// # Errors
    /// As [`Axis::new`].
    pub fn periodic(points: usize) -> Result<Self, Error> {
        Self::new(points, Boundary::Periodic)
    }

    /// A reflecting axis of length 2π; its modes have the wavenumbers 0, ½, …, (N−1)/2.
    ///
    /// # Errors
    /// As [`Axis::new`].
    pub fn reflecting(points: usize) -> Result<Self, Error> {
        Self::new(points, Boundary::Reflecting)
    }

    /// Lengths that an axis can have: squares of wavenumbers stay far from overflow.
    pub const LENGTHS: RangeInclusive<f32> = 1e-6..=1e6;

    /// The same axis with another length, where the axes of a plane differ: π for a pole-to-pole
    /// latitude beside a longitude of 2π, say.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless `length` is in [`Axis::LENGTHS`].
    pub fn with_length(self, length: f32) -> Result<Self, Error> {
        Error::check("length", length, Self::LENGTHS.contains(&length), "from 1e-6 to 1e6")?;
        Ok(Self { unit: self.boundary.unit(length), ..self })
    }

    /// The same axis with another number of points, and the same wavenumbers to their last bit.
    ///
    /// # Errors
    /// [`Error::AxisPoints`] unless [`Axis::has_transform`] of `points`.
    pub fn with_points(self, points: usize) -> Result<Self, Error> {
        Ok(Self { unit: self.unit, ..Self::new(points, self.boundary)? })
    }

    /// Number of points, which is also the number of modes.
    pub const fn points(&self) -> usize {
        not_zero(self.points as usize)
    }

    /// What lies beyond the ends.
    pub const fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// Length, in the unit in which wavenumbers are radians per unit length; 2π unless set
    /// otherwise.
    pub fn length(&self) -> f32 {
        // Rounded twice, the longest and the shortest could lie outside.
        self.boundary.unit(self.unit).clamp(*Self::LENGTHS.start(), *Self::LENGTHS.end())
    }

    /// Wavenumber of the first mode, the spacing of all wavenumbers on this axis.
    pub const fn wavenumber_unit(&self) -> f32 {
        self.unit
    }

    /// Order of the mode stored at `index`: how many of [`Axis::wavenumber_unit`] its wavenumber
    /// has. Storage order: see [`crate::spectral`].
    pub const fn mode(&self, index: usize) -> usize {
        match (self.boundary, index) {
            (Boundary::Reflecting, _) => index,
            (Boundary::Periodic, 1) => self.points() / 2,
            (Boundary::Periodic, _) => index / 2,
        }
    }

    /// Wavenumber |k| of the mode stored at `index`, radians per unit length; relative error ≤
    /// 6e-8.
    pub fn wavenumber(&self, index: usize) -> f32 {
        self.mode(index) as f32 * self.unit
    }

    /// This axis' share of κ, the damping eigenvalue of the mode stored at `index`; relative error
    /// ≤ 5e-7.
    pub fn kappa(&self, laplacian: Laplacian, index: usize) -> f32 {
        match laplacian {
            Laplacian::Spectral => {
                let k = self.wavenumber(index);
                k * k
            }
            Laplacian::FiniteDifference => {
                // k h / 2 = π m / N on a periodic axis, π m / 2N on a reflecting one; 2 / h follows
                // from h = length / N.
                let n = self.points();
                let (quarters, inverse_half_spacing) = match self.boundary {
                    Boundary::Periodic => (self.mode(index).times(2), n as f32 * self.unit / PI),
                    Boundary::Reflecting => (index, 2.0 * n as f32 * self.unit / PI),
                };
                let root = inverse_half_spacing * quarter_wave::sin(quarters, n);
                root * root
            }
        }
    }
}

/// A line or a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "written::Grid", into = "written::Grid"))]
pub struct Grid {
    y: Option<Axis>,
    x: Axis,
}

impl Grid {
    /// Most points of an axis of a plane.
    pub const PLANE_POINTS_MAX: usize = 2048;

    /// A 1-D grid.
    pub const fn line(x: Axis) -> Self {
        Self { y: None, x }
    }

    /// A 2-D grid; `x` is the axis whose points lie side by side in memory.
    ///
    /// # Errors
    /// [`Error::AxisPoints`] if an axis has more than 2048 points.
    pub fn plane(y: Axis, x: Axis) -> Result<Self, Error> {
        let points = y.points().max(x.points());
        if points > Self::PLANE_POINTS_MAX {
            return Err(Error::AxisPoints { points, most: Self::PLANE_POINTS_MAX });
        }
        Ok(Self { y: Some(y), x })
    }

    /// The same domain with so many points along y, which a line does not read, and along x.
    ///
    /// # Errors
    /// [`Error::AxisPoints`] if an axis cannot have as many.
    pub fn with_points(&self, [ny, nx]: [usize; 2]) -> Result<Self, Error> {
        let x = self.x.with_points(nx)?;
        match self.y {
            Some(y) => Self::plane(y.with_points(ny)?, x),
            None => Ok(Self::line(x)),
        }
    }

    /// The y axis, `None` on a line.
    pub const fn y(&self) -> Option<Axis> {
        self.y
    }

    /// The x axis.
    pub const fn x(&self) -> Axis {
        self.x
    }

    /// Its axes, y before x.
    pub fn axes(&self) -> impl Iterator<Item = Axis> + use<> {
        self.y.into_iter().chain([self.x])
    }

    /// Whether the grid is 1-D.
    pub const fn is_line(&self) -> bool {
        self.y.is_none()
    }

    /// Rows: 1 on a line.
    pub const fn ny(&self) -> usize {
        match self.y {
            Some(y) => y.points(),
            None => 1,
        }
    }

    /// Columns.
    pub const fn nx(&self) -> usize {
        self.x.points()
    }

    /// Points, and modes, of one channel.
    pub const fn points(&self) -> usize {
        not_zero(self.ny().wrapping_mul(self.nx()))
    }

    /// Channels of a field of `values` values.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `values` is a positive multiple of [`Grid::points`].
    pub fn channels(&self, values: usize) -> Result<usize, Error> {
        let points = self.points();
        if values == 0 || !values.is_multiple_of(points) {
            return Err(Error::FieldLength { values, points });
        }
        Ok(values / points)
    }

    /// (|k_y|, |k_x|) of every mode of one channel in storage order.
    pub fn wavenumbers(&self) -> impl Iterator<Item = (f32, f32)> + use<> {
        let Self { y, x } = *self;
        (0..self.ny()).flat_map(move |j| {
            let ky = y.map_or(0.0, |axis| axis.wavenumber(j));
            (0..x.points()).map(move |i| (ky, x.wavenumber(i)))
        })
    }

    /// κ of every mode of one channel in storage order; relative error ≤ 6e-7.
    pub fn kappas(&self, laplacian: Laplacian) -> impl Iterator<Item = f32> + use<> {
        let Self { y, x } = *self;
        (0..self.ny()).flat_map(move |j| {
            let ky = y.map_or(0.0, |axis| axis.kappa(laplacian, j));
            (0..x.points()).map(move |i| ky + x.kappa(laplacian, i))
        })
    }
}

/// The number, of which the compiler then sees that it is not zero: no number of points is.
const fn not_zero(points: usize) -> usize {
    if points == 0 { 1 } else { points }
}

/// What serde writes; reading goes through the same checks as the constructors.
#[cfg(feature = "serde")]
mod written {
    use super::Boundary;
    use crate::Error;

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Axis {
        points: usize,
        boundary: Boundary,
        wavenumber_unit: f32,
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Grid {
        #[serde(default)]
        y: Option<super::Axis>,
        x: super::Axis,
    }

    impl TryFrom<Axis> for super::Axis {
        type Error = Error;

        fn try_from(axis: Axis) -> Result<Self, Error> {
            let unit = axis.wavenumber_unit;
            let [least, most] =
                [Self::LENGTHS.end(), Self::LENGTHS.start()].map(|end| axis.boundary.unit(*end));
            let holds = (least..=most).contains(&unit);
            Error::check("wavenumber_unit", unit, holds, "that of a length from 1e-6 to 1e6")?;
            Ok(Self { unit, ..Self::new(axis.points, axis.boundary)? })
        }
    }

    impl From<super::Axis> for Axis {
        fn from(axis: super::Axis) -> Self {
            Self { points: axis.points(), boundary: axis.boundary, wavenumber_unit: axis.unit }
        }
    }

    impl TryFrom<Grid> for super::Grid {
        type Error = Error;

        fn try_from(grid: Grid) -> Result<Self, Error> {
            match grid.y {
                Some(y) => Self::plane(y, grid.x),
                None => Ok(Self::line(grid.x)),
            }
        }
    }

    impl From<super::Grid> for Grid {
        fn from(grid: super::Grid) -> Self {
            Self { y: grid.y, x: grid.x }
        }
    }
}
