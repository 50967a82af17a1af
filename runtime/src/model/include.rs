//! Models as part of a program.

/// A model file as part of a program: its bytes, `&'static [u8]`, at a multiple of
/// [`ALIGNMENT`](crate::model::ALIGNMENT). Compilation stops if the file is no predictor and no
/// conditional mean of this version.
///
/// The path is as for [`include_bytes!`]. What the model needs is a constant, so that all memory
/// can be static arrays, and that it fits a board is found out when the program is compiled:
///
/// ```
/// # mod firmware {
/// use finescale::model::Footprint;
/// use finescale::{Downscaler, Instrument, Values};
///
/// static WINDS: &[u8] = finescale::include_model!(concat!(
///     env!("CARGO_MANIFEST_DIR"),
///     "/../tests/fuzz/seeds/plane-int16.finescale"
/// ));
/// const SENSOR: Instrument = Instrument::new([8, 8], Values::BlockMeans);
/// const MEMORY: usize = Downscaler::memory_len(&Footprint::of(WINDS), &SENSOR, 4, 1);
/// const _: () = assert!(4 * MEMORY <= 96 * 1024, "the model needs more RAM than the board has");
/// static mut RAM: [f32; MEMORY] = [0.0; MEMORY];
/// # }
/// ```
///
/// ```compile_fail,E0080
/// static NO_MODEL: &[u8] = finescale::include_model!("include.rs");
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        const LEN: usize = include_bytes!($path).len();
        static MODEL: $crate::model::Aligned<[u8; LEN]> =
            $crate::model::Aligned(*include_bytes!($path));
        const _: () = assert!(
            $crate::model::is_model(&MODEL.0),
            "the file is no model of this version: export it again"
        );
        &MODEL.0 as &'static [u8]
    }};
}
