//! What a network sees of each frame.

use crate::Grid;
use crate::checked::product;

/// One way to look at a frame. From û of the frame, with W = C²P/(C²P + Σ) the Wiener filter:
///
/// | view | fields of a channel | what it is |
/// |---|---|---|
/// | filtered | 1 | W û |
/// | raw | 1 | û |
/// | potential | 1 | φ with Δφ = W u, mean 0 |
/// | velocity | 2, on planes alone | (−∂φ/∂y, ∂φ/∂x): the flow whose vorticity W u is |
/// | gradient | 1 for each axis | ∂(W u)/∂x, and on planes ∂(W u)/∂y after it |
///
/// Every field is scaled to about unit variance at each λ, both components of a vector alike. A
/// derivative is a centred difference: (f[i+1] − f[i−1])/2h, whose symbol is i sin(kh)/h; beyond a
/// reflecting end lies the mirror image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum View {
    /// Wiener-filtered.
    Filtered,
    /// As it is.
    Raw,
    /// The inverse Laplacian of the filtered frame.
    Potential,
    /// The velocity of the filtered frame, if that is a vorticity.
    Velocity,
    /// The gradient of the filtered frame.
    Gradient,
}

/// Along which axis a field is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivative {
    /// x.
    X,
    /// y.
    Y,
}

/// A field that a view has of each channel of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// Whose it is.
    pub view: View,
    /// The difference that makes it from the field of modes; none for scalars.
    pub derivative: Option<Derivative>,
    /// Whether the difference changes its sign.
    pub negative: bool,
}

impl View {
    /// All of them, in the order in which a network sees them.
    pub const ALL: [Self; 5] =
        [Self::Filtered, Self::Raw, Self::Potential, Self::Velocity, Self::Gradient];

    /// Its name, as in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Raw => "raw",
            Self::Potential => "potential",
            Self::Velocity => "velocity",
            Self::Gradient => "gradient",
        }
    }

    /// Its fields of a channel, in their order.
    pub const fn components(self, grid: &Grid) -> &'static [Component] {
        use Component as Of;
        use Derivative::{X, Y};
        match (self, grid.is_line()) {
            (Self::Filtered, _) => const { &[Of::scalar(Self::Filtered)] },
            (Self::Raw, _) => const { &[Of::scalar(Self::Raw)] },
            (Self::Potential, _) => const { &[Of::scalar(Self::Potential)] },
            (Self::Velocity, true) => &[],
            (Self::Velocity, false) => {
                const { &[Of::along(Self::Velocity, Y, true), Of::along(Self::Velocity, X, false)] }
            }
            (Self::Gradient, true) => const { &[Of::along(Self::Gradient, X, false)] },
            (Self::Gradient, false) => {
                const { &[Of::along(Self::Gradient, X, false), Of::along(Self::Gradient, Y, false)] }
            }
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Component {
    const fn scalar(view: View) -> Self {
        Self { view, derivative: None, negative: false }
    }

    const fn along(view: View, axis: Derivative, negative: bool) -> Self {
        Self { view, derivative: Some(axis), negative }
    }
}

/// The views that a network has, in the order of [`View::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Views(u8);

impl Views {
    /// From the byte of a file, bit n for view n; `None` if a bit stands for nothing, or for what
    /// a grid does not have.
    pub const fn from_bits(bits: u8, grid: &Grid) -> Option<Self> {
        let known = bits < View::Gradient.bit() << 1;
        let there = !grid.is_line() || bits & View::Velocity.bit() == 0;
        if known && there { Some(Self(bits)) } else { None }
    }

    /// The byte of a file.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether a view is among them.
    pub const fn has(self, view: View) -> bool {
        self.0 & view.bit() != 0
    }

    /// From first to last.
    pub fn iter(self) -> impl Iterator<Item = View> {
        View::ALL.into_iter().filter(move |view| self.has(*view))
    }

    /// The fields of a channel of a frame, from first to last.
    pub fn components(self, grid: &Grid) -> impl Iterator<Item = Component> + use<> {
        let grid = *grid;
        self.iter().flat_map(move |view| view.components(&grid)).copied()
    }

    /// Fields that a network sees of windows of so many frames of so many channels: component
    /// after component, the frames of each, the channels of each frame.
    pub fn fields(self, grid: &Grid, window: usize, channels: usize) -> usize {
        product(&[self.components(grid).count(), window, channels])
    }
}

impl FromIterator<View> for Views {
    fn from_iter<I: IntoIterator<Item = View>>(views: I) -> Self {
        Self(views.into_iter().fold(0, |bits, view| bits | view.bit()))
    }
}
