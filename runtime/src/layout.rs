//! What the numbers of a slice are: values at points, or modes; of one frame, or of a path.
//!
//! A slice of `f32` does not say it. These views do, and cost nothing: they are slices with a name,
//! made by [`Field::new`], [`Modes::new`], [`Path::modes`] and their like, and everything that
//! reads a slice reads them. So what was never transformed cannot be given to what computes with
//! modes,
//!
//! ```compile_fail,E0308
//! use finescale::{Axis, Field, ForwardProcess, Grid, Laplacian};
//! # fn main() -> Result<(), finescale::Error> {
//! let grid = Grid::line(Axis::periodic(8)?);
//! let process = ForwardProcess::new(1.0, 1.0, Laplacian::Spectral)?;
//! let mut pixels = [0.0; 8];
//! process.damp(&grid, 0.1, Field::from_mut(&mut pixels))?; // Expected `Modes`, found `Field`.
//! # Ok(())
//! # }
//! ```
//!
//! and a transform gives back what its memory has become:
//!
//! ```
//! use finescale::{Axis, Field, ForwardProcess, Grid, Laplacian, spectral};
//! # fn main() -> Result<(), finescale::Error> {
//! let grid = Grid::line(Axis::periodic(8)?);
//! let process = ForwardProcess::new(1.0, 1.0, Laplacian::Spectral)?;
//! let (mut pixels, mut scratch) = ([0.0; 8], [0.0; 8]);
//! let modes = spectral::forward(&grid, Field::from_mut(&mut pixels), &mut scratch)?;
//! process.damp(&grid, 0.1, modes)?;
//! # Ok(())
//! # }
//! ```
//!
//! Views of the sensor's [`CoarseGrid`] are other types than those of the model's [`FineGrid`],
//! which are meant where nothing is said; [`spectral::coarsen`](crate::spectral::coarsen) and
//! [`spectral::refine`](crate::spectral::refine) lead from one to the other. So the two do not
//! compile when they are exchanged:
//!
//! ```compile_fail,E0308
//! use finescale::{Axis, Grid, Modes, spectral};
//! # fn main() -> Result<(), finescale::Error> {
//! let (fine, coarse) = (Grid::line(Axis::periodic(32)?), Grid::line(Axis::periodic(8)?));
//! let (modes, mut seen) = ([0.0; 32], [0.0; 8]);
//! spectral::coarsen(&fine, Modes::new(&modes), &coarse, Modes::from_mut(&mut seen))?;
//! # Ok(())
//! # }
//! ```
//!
//! The number of frames, of channels and of points is checked where a view is used. Tables with a
//! number for each mode, as powers and variances, are plain slices.

use core::fmt::{Debug, Formatter, Result};
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::slice::{Iter, IterMut};

use bytemuck::TransparentWrapper;

/// What all of them are; the derived wrapper wants a name for it.
type Numbers = [f32];

/// The grid of a model. A type only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FineGrid {}

/// The grid of a sensor, over the same domain as that of the model. A type only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoarseGrid {}

/// Values at points, `[…][channel][y][x]`.
#[derive(PartialEq, TransparentWrapper)]
#[repr(transparent)]
#[transparent(Numbers)]
pub struct Field<G = FineGrid>(PhantomData<G>, Numbers);

/// Values of modes, `[…][channel][y mode][x mode]`: see [`crate::spectral`].
#[derive(PartialEq, TransparentWrapper)]
#[repr(transparent)]
#[transparent(Numbers)]
pub struct Modes<G = FineGrid>(PhantomData<G>, Numbers);

/// Frame after frame, oldest first, of [`Field`] or of [`Modes`]; what takes any number of frames
/// takes it as one.
#[derive(PartialEq, TransparentWrapper)]
#[repr(transparent)]
pub struct Path<L: ?Sized>(L);

impl Field {
    /// These are values at the points of the model.
    pub fn new(values: &[f32]) -> &Self {
        Self::wrap_ref(values)
    }

    /// These are values at the points of the model.
    pub fn from_mut(values: &mut [f32]) -> &mut Self {
        Self::wrap_mut(values)
    }
}

impl<G> Field<G> {
    /// A transform has taken the values to modes.
    pub(crate) fn become_modes(&mut self) -> &mut Modes<G> {
        Modes::wrap_mut(&mut self.1)
    }
}

impl Field<CoarseGrid> {
    /// These are values at the points of the sensor: its pixels.
    pub fn coarse(values: &[f32]) -> &Self {
        Self::wrap_ref(values)
    }

    /// These are values at the points of the sensor: its pixels.
    pub fn coarse_mut(values: &mut [f32]) -> &mut Self {
        Self::wrap_mut(values)
    }
}

impl Modes {
    /// These are modes on the grid of the model.
    pub fn new(values: &[f32]) -> &Self {
        Self::wrap_ref(values)
    }

    /// These are modes on the grid of the model.
    pub fn from_mut(values: &mut [f32]) -> &mut Self {
        Self::wrap_mut(values)
    }
}

impl<G> Modes<G> {
    /// A transform has taken the modes to values.
    pub(crate) fn become_field(&mut self) -> &mut Field<G> {
        Field::wrap_mut(&mut self.1)
    }
}

impl Modes<CoarseGrid> {
    /// These are modes on the grid of the sensor.
    pub fn coarse(values: &[f32]) -> &Self {
        Self::wrap_ref(values)
    }

    /// These are modes on the grid of the sensor.
    pub fn coarse_mut(values: &mut [f32]) -> &mut Self {
        Self::wrap_mut(values)
    }
}

impl Path<Modes> {
    /// These are the modes of frame after frame.
    pub fn modes(values: &[f32]) -> &Self {
        Self::wrap_ref(Modes::new(values))
    }

    /// These are the modes of frame after frame.
    pub fn modes_mut(values: &mut [f32]) -> &mut Self {
        Self::wrap_mut(Modes::from_mut(values))
    }
}

impl Path<Field> {
    /// These are the values at the model's points of frame after frame.
    pub fn fields(values: &[f32]) -> &Self {
        Self::wrap_ref(Field::new(values))
    }

    /// These are the values at the model's points of frame after frame.
    pub fn fields_mut(values: &mut [f32]) -> &mut Self {
        Self::wrap_mut(Field::from_mut(values))
    }
}

impl Path<Field<CoarseGrid>> {
    /// These are the values at the sensor's points of frame after frame.
    pub fn coarse_fields(values: &[f32]) -> &Self {
        Self::wrap_ref(Field::coarse(values))
    }
}

impl<L: ?Sized + TransparentWrapper<[f32]>> Path<L> {
    /// The frames, of so many values each; what is behind the last whole one is left out.
    pub fn frames(&self, len: usize) -> impl Iterator<Item = &L> {
        crate::checked::rows(L::peel_ref(&self.0), len).map(L::wrap_ref)
    }
}

/// A view is the slice that it is made of.
macro_rules! slice {
    ($view:ident) => {
        /// The numbers.
        impl<G> Deref for $view<G> {
            type Target = [f32];

            fn deref(&self) -> &[f32] {
                &self.1
            }
        }

        impl<G> DerefMut for $view<G> {
            fn deref_mut(&mut self) -> &mut [f32] {
                &mut self.1
            }
        }

        impl<'v, G> IntoIterator for &'v $view<G> {
            type Item = &'v f32;
            type IntoIter = Iter<'v, f32>;

            fn into_iter(self) -> Iter<'v, f32> {
                self.1.iter()
            }
        }

        impl<'v, G> IntoIterator for &'v mut $view<G> {
            type Item = &'v mut f32;
            type IntoIter = IterMut<'v, f32>;

            fn into_iter(self) -> IterMut<'v, f32> {
                self.1.iter_mut()
            }
        }

        impl<G> Debug for $view<G> {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                self.1.fmt(f)
            }
        }
    };
}

slice!(Field);
slice!(Modes);

/// All frames at once, as what treats every channel alike takes them.
impl<L: ?Sized> Deref for Path<L> {
    type Target = L;

    fn deref(&self) -> &L {
        &self.0
    }
}

impl<L: ?Sized> DerefMut for Path<L> {
    fn deref_mut(&mut self) -> &mut L {
        &mut self.0
    }
}

impl<L: ?Sized + Debug> Debug for Path<L> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.fmt(f)
    }
}
