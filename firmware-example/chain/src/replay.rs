//! A bus that answers as an array would, from a recording, with faults put in.

use core::ops::Range;

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use embedded_hal_async::i2c::I2c as I2cAsync;

use crate::thermal::{ADDRESS, FIRST_PIXEL, OVERFLOW, STATUS};
use crate::{COARSE, setup};

/// 48 frames of a heater at the end of a strip: see `recordings/make.py`.
pub static RECORDING: &[u8] = include_bytes!("../recordings/amg88.raw");
/// Frames that the tests and the emulated boards read.
pub const FRAMES: u32 = 36;
/// What goes wrong there, and when.
pub const FAULTS: &[(Range<u32>, Fault)] = &[
    (6..8, Fault::NoAnswer),
    (11..12, Fault::BreaksOff),
    (15..19, Fault::Frozen),
    (22..23, Fault::Saturated),
    (26..27, Fault::Impossible),
];

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody acknowledges.
    NoAnswer,
    /// The transfer ends after half of the frame.
    BreaksOff,
    /// The frame before the fault comes again and again.
    Frozen,
    /// A pixel is at the end of its range, which the array says as well.
    Saturated,
    /// A pixel is at −256 °C, as a disturbed line gives.
    Impossible,
}

/// The bus.
#[derive(Debug)]
pub struct Replay {
    faults: &'static [(Range<u32>, Fault)],
    /// Frames begun.
    begun: u32,
    register: u8,
}

impl Replay {
    /// A bus with these faults.
    pub const fn new(faults: &'static [(Range<u32>, Fault)]) -> Self {
        Self { faults, begun: 0, register: 0 }
    }

    /// The fault of the frame that is read, and the frame that is answered with.
    fn now(&self) -> (Option<Fault>, u32) {
        let frame = self.begun.saturating_sub(1);
        let fault = self.faults.iter().find(|(frames, _)| frames.contains(&frame));
        match fault {
            Some((frames, Fault::Frozen)) => (Some(Fault::Frozen), frames.start.saturating_sub(1)),
            Some((_, fault)) => (Some(*fault), frame),
            None => (None, frame),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if let [register, ..] = bytes {
            self.register = *register;
            if *register == STATUS {
                self.begun = self.begun.saturating_add(1);
            }
        }
    }

    fn byte(&self, register: u8) -> u8 {
        let (fault, frame) = self.now();
        let Some(place) = register.checked_sub(FIRST_PIXEL).map(usize::from) else {
            let over = fault == Some(Fault::Saturated) && register == STATUS;
            return if over { OVERFLOW } else { 0 };
        };
        let steps: u16 = match (place / 2, fault) {
            (setup::DEAD, _) => 0,
            (30, Some(Fault::Saturated)) => 320,
            (30, Some(Fault::Impossible)) => 0xC00,
            (pixel, _) => {
                let frames = RECORDING.as_chunks::<2>().0.chunks_exact(COARSE);
                let values = frames.cycle().nth(frame as usize).unwrap_or_default();
                values.get(pixel).map_or(0, |bytes| u16::from_le_bytes(*bytes))
            }
        };
        let [low, high] = steps.to_le_bytes();
        if place % 2 == 0 { low } else { high }
    }
}

impl ErrorType for Replay {
    type Error = ErrorKind;
}

impl I2c for Replay {
    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        for operation in operations {
            if let Operation::Write(bytes) = operation {
                self.write(bytes);
            }
            let (fault, _) = self.now();
            if address != ADDRESS || fault == Some(Fault::NoAnswer) {
                return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
            }
            if let Operation::Read(bytes) = operation {
                for byte in bytes.iter_mut() {
                    if fault == Some(Fault::BreaksOff) && self.register > FIRST_PIXEL + 64 {
                        return Err(ErrorKind::ArbitrationLoss);
                    }
                    *byte = self.byte(self.register);
                    self.register = self.register.wrapping_add(1);
                }
            }
        }
        Ok(())
    }
}

/// The same answers, which nobody has to wait for.
impl I2cAsync for Replay {
    async fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        I2c::transaction(self, address, operations)
    }
}
