//! Conditional means that are as small as they can be, with draws of their errors.

use finescale::mean::Errors;
use finescale::model::{Aligned, MeanModel};
use finescale::{Error, Field, Instrument, MeanDownscaler, Modes, NoiseStream, Path};

/// Coarse frames.
pub(crate) const FRAMES: usize = 4;

macro_rules! means {
    ($($(#[$doc:meta])* $name:ident: $file:literal;)*) => {
        /// A conditional mean with random weights, of the files that fuzzing starts from.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mean { $($(#[$doc])* $name),* }

        impl Mean {
            pub(super) fn bytes(self) -> &'static [u8] {
                $(static $name: &Aligned<[u8]> =
                    &Aligned(*include_bytes!(concat!("../../fuzz/means/", $file, ".finescale")));)*
                match self { $(Self::$name => &$name.0),* }
            }
        }
    };
}

#[allow(non_upper_case_globals, reason = "each static has the name of its model")]
mod files {
    use super::Aligned;

    means! {
        /// Products with raw and velocity fields and learned maps, pixels, two channels.
        PlaneF32: "mean-plane-f32";
        /// The same with weights of eight bits.
        PlaneInt8: "mean-plane-int8";
        /// The same in integers.
        PlaneInt16: "mean-plane-int16";
        /// Rectifiers with every view, values at points.
        ModesF32: "mean-modes-f32";
        /// Products on a linear map, between mirrors.
        MapInt8: "mean-map-int8";
        /// A line in integers.
        LineInt16: "mean-line-int16";
    }
}
pub use files::Mean;

impl Mean {
    /// Values of its coarse frames.
    ///
    /// # Errors
    /// If the file is refused; no committed one is.
    pub(crate) fn coarse_len(self) -> Result<usize, Error> {
        Ok(MeanModel::parse(self.bytes())?.coarse_len().saturating_mul(FRAMES))
    }

    /// Puts a member of the third frame of a stream, `[channel][y][x]`, in the place of the coarse
    /// frames in `field`; gives the number of its values.
    pub(crate) fn member(
        self,
        coarse: usize,
        field: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<usize, Error> {
        let model = MeanModel::parse(self.bytes())?;
        let values = model.fine_len();
        let too_large = Error::OutputLength { values: field.len(), needed: values };
        let (frames, spare) = field.split_at_mut_checked(coarse).ok_or(too_large)?;
        let (fine, spare) = spare.split_at_mut_checked(values).ok_or(too_large)?;
        {
            let mut stream = MeanDownscaler::new(&model, sensor(&model), scratch)?.stream()?;
            let asked = model.after().saturating_add(3);
            for frame in frames.chunks_exact(model.coarse_len().max(1)).take(asked) {
                if let Some(newest) = stream.push(Some(frame))? {
                    fine.iter_mut().zip(newest.frames).for_each(|(to, value)| *to = *value);
                }
            }
        }
        let path = values.saturating_mul(2);
        let (modes, memory) = spare.split_at_mut_checked(path).ok_or(too_large)?;
        let mut errors = Errors::new(&model, memory)?;
        let stream = NoiseStream { seed: 9, member: 2, frame: 4, draw: 1 };
        errors.draw(0, &stream, Path::modes_mut(modes))?;
        let newest = modes.get(values..).unwrap_or_default();
        errors.add(Modes::new(newest), Field::from_mut(fine), scratch)?;
        Ok(to_front(field, coarse, values))
    }

    /// Puts mean and spread of two members of all frames in the place of the coarse frames in
    /// `field`; gives the number of values.
    pub(crate) fn members(
        self,
        coarse: usize,
        field: &mut [f32],
        memory: &mut [f32],
    ) -> Result<usize, Error> {
        let model = MeanModel::parse(self.bytes())?;
        let values = model.fine_len().saturating_mul(FRAMES).saturating_mul(2);
        let too_large = Error::OutputLength { values: field.len(), needed: values };
        let (frames, found) = field.split_at_mut_checked(coarse).ok_or(too_large)?;
        let mut downscaler = MeanDownscaler::new(&model, sensor(&model), memory)?.with_seed(9);
        let fine = downscaler.ensemble(frames, 2)?;
        let members = fine.mean.iter().chain(fine.spread);
        found.iter_mut().zip(members).for_each(|(to, value)| *to = *value);
        Ok(to_front(field, coarse, values))
    }
}

/// The sensor that a mean was trained for.
fn sensor(model: &MeanModel<'_>) -> Instrument<'static> {
    Instrument::new(model.coarse_points(), model.sensor())
}

/// Moves so many values from `start` on to the first places; gives their number.
fn to_front(field: &mut [f32], start: usize, values: usize) -> usize {
    for n in 0..values {
        let value = field.get(n.saturating_add(start)).copied().unwrap_or_default();
        if let Some(place) = field.get_mut(n) {
            *place = value;
        }
    }
    values
}
