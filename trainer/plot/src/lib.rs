//! Figures: fields, space-time diagrams, spectra and curves, as PNG or SVG.
//!
//! A [`Figure`] is a column of [`Panel`]s under a title; [`Figure::save`] picks the format by the
//! suffix of the path. Everything takes plain slices, so nothing here knows where the numbers come
//! from. The font is built in: no system package is needed.
//!
//! ```no_run
//! use finescale_plot::{Field, FieldGrid, Figure};
//!
//! let values: Vec<f32> = (0..64 * 64).map(|i| (i as f32 * 0.1).sin()).collect();
//! let field = Field::new(&values, 64, 64)?.title("λ = 0").units("m/s");
//! Figure::new().title("Zonal wind").push(FieldGrid::row(vec![field])).save("wind.png")?;
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! The data's way: panels lay themselves out and draw on a page (`scene`), in units of 1/96 inch,
//! which is an SVG document; a PNG is that document in pixels (`save`).

mod axes;
mod axis;
mod color;
mod field;
mod figure;
mod font;
mod frame;
mod grid;
mod image;
mod legend;
mod marks;
mod save;
mod scene;
mod series;
mod space_time;
mod spectra;
mod ticks;
mod trajectory;

pub use axes::Plot;
pub use axis::{Axis, AxisScale};
pub use color::{ColorScale, Colors, PALETTE, ladder};
pub use colorous::Color;
pub use field::{Coordinate, Field};
pub use figure::{Figure, Panel};
pub use grid::{FieldGrid, field_strip};
pub use series::{Bars, Dash, Series};
pub use space_time::{SpaceTime, space_time};
pub use spectra::{Spectrum, spectra};
pub use trajectory::{
    ChannelMeta, TrajectoryMeta, plot_trajectory, trajectory_fields, trajectory_spectra,
};
