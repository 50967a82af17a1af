//! The thermal array AMG88xx ("Grid-EYE"), through the driver `grideye`.
//!
//! The driver speaks to the array; two things of it are not used. Its functions for the overflow
//! flags ask the register of interrupts, and its conversion to degrees takes negative values for
//! complements of one, where the data sheet has complements of two.

use embedded_hal::i2c::{Error as _, ErrorKind, I2c};
use grideye::{Address, Framerate, GridEye, Power};

use crate::COARSE;

/// The register of overflow flags; reading it begins a frame.
pub const STATUS: u8 = 0x04;
/// Its flag that a pixel is beyond its range.
pub const OVERFLOW: u8 = 1 << 2;
/// The first register of the pixels.
pub const FIRST_PIXEL: u8 = 0x80;
/// The array's address where its pin AD_SELECT is high.
pub const ADDRESS: u8 = Address::Standard as u8;

/// The array on a bus.
#[derive(Debug)]
pub struct Thermal<B> {
    bus: B,
    started: bool,
}

/// A frame as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Quarters of a degree, `[y][x]`.
    pub steps: [i16; COARSE],
    /// Whether the array says that a pixel is beyond its range.
    pub overflow: bool,
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Fault {
    /// Nobody acknowledged: no power, a wrong address, a broken wire.
    NoAnswer,
    /// The transfer was not completed.
    BrokenOff,
}

impl<B: I2c> Thermal<B> {
    /// An array that will be woken by the first reading.
    pub fn new(bus: B) -> Self {
        Self { bus, started: false }
    }

    /// Reads a frame. After a fault the array is woken and set up again: it may have lost its power.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(&mut self) -> Result<Reading, Fault> {
        let reading = self.try_read().map_err(|error| match error.kind() {
            ErrorKind::NoAcknowledge(_) => Fault::NoAnswer,
            _ => Fault::BrokenOff,
        });
        self.started = reading.is_ok();
        reading
    }

    fn try_read(&mut self) -> Result<Reading, B::Error> {
        let mut flags = [0];
        self.bus.write_read(ADDRESS, &[STATUS], &mut flags)?;
        let mut array = GridEye::new(&mut self.bus, Address::Standard);
        if !self.started {
            array.power(Power::Wakeup)?;
            array.set_framerate(Framerate::Fps10)?;
        }
        let mut reading = Reading { steps: [0; COARSE], overflow: flags[0] & OVERFLOW != 0 };
        for (pixel, steps) in (0..COARSE as u8).zip(&mut reading.steps) {
            // Twelve bits, complements of two.
            *steps = ((array.get_pixel_temperature_raw(pixel)? << 4) as i16) >> 4;
        }
        Ok(reading)
    }
}
