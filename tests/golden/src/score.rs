//! Path scores of models that are as small as they can be, on every kind of layer.

use finescale::model::{Aligned, Model as File};
use finescale::predictor::{PathDensity, Predictor, Trained, path_score};
use finescale::{Error, Field, Path, spectral};

/// Frames of a path.
pub(crate) const FRAMES: usize = 4;

macro_rules! models {
    ($($(#[$doc:meta])* $name:ident: $file:literal;)*) => {
        /// A model with random weights, of the files that fuzzing starts from.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Model { $($(#[$doc])* $name),* }

        impl Model {
            pub(super) fn bytes(self) -> &'static [u8] {
                $(static $name: &Aligned<[u8]> =
                    &Aligned(*include_bytes!(concat!("../../fuzz/seeds/", $file, ".finescale")));)*
                match self { $(Self::$name => &$name.0),* }
            }
        }
    };
}

#[allow(non_upper_case_globals, reason = "each static has the name of its model")]
mod files {
    use super::Aligned;

    models! {
        /// Products with filtered, raw and velocity fields.
        PlaneF32: "products-f32";
        /// The same with weights of eight bits.
        PlaneInt8: "products-int8";
        /// The same in integers.
        PlaneInt16: "products-int16";
        /// Products in three runs on a line with mirrors, two channels, a score head.
        LineInt8: "products-line-int8";
        /// The same in integers.
        LineInt16: "products-line-int16";
        /// Products in two runs with every view, between mirrors along y.
        LatitudesF32: "products-latitudes-f32";
        /// The same in integers.
        LatitudesInt16: "products-latitudes-int16";
        /// Products on two channels that see companions.
        ResidualsF32: "residuals-f32";
        /// The same with weights of eight bits.
        ResidualsInt8: "residuals-int8";
        /// The same in integers.
        ResidualsInt16: "residuals-int16";
    }
}
pub use files::Model;

impl Model {
    /// Puts the score of a path of fields, `[frame][channel][y][x]`, in its place. Where a model
    /// sees companions, they are the fields of the path, over and over.
    pub(crate) fn path_score(
        self,
        lambda: f32,
        path: &mut [f32],
        spare: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let model = File::parse(self.bytes())?;
        let too_short = Error::MemoryLength { values: spare.len(), needed: path.len() };
        let (score, spare) = spare.split_at_mut_checked(path.len()).ok_or(too_short)?;
        let seen = model.companions().saturating_mul(model.grid().points()).saturating_mul(FRAMES);
        let (companions, memory) = spare.split_at_mut_checked(seen).ok_or(too_short)?;
        for (to, value) in companions.iter_mut().zip(path.iter().cycle()) {
            *to = *value;
        }
        spectral::forward(model.grid(), Field::from_mut(path), scratch)?;
        let mut predictor = Trained::new(&model, memory)?;
        let predictor = predictor.prepare(lambda)?.given(Path::fields(companions));
        path_score(
            &predictor,
            PathDensity::FULL,
            Path::modes(path),
            Path::modes_mut(score),
            scratch,
        )?;
        for (to, value) in path.iter_mut().zip(score) {
            *to = *value;
        }
        Ok(())
    }
}
