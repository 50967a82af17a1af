//! The thermal array AMG88xx ("Grid-EYE"): through the driver `grideye` where the program waits for
//! the bus, and by its registers where the bus is awaited, for which the driver has no functions.
//!
//! Two things of the driver are not used. Its functions for the overflow flags ask the register of
//! interrupts, and its conversion to degrees takes negative values for complements of one, where the
//! data sheet has complements of two.

use embedded_hal::i2c::{Error, ErrorKind, I2c};
use embedded_hal_async::i2c::I2c as I2cAsync;
use grideye::{Address, Framerate, GridEye, Power};

use crate::COARSE;

/// The register of overflow flags; reading it begins a frame.
pub const STATUS: u8 = 0x04;
/// Its flag that a pixel is beyond its range.
pub const OVERFLOW: u8 = 1 << 2;
/// The registers of power and of the frame rate.
const POWER: u8 = 0x00;
const FRAMERATE: u8 = 0x02;
/// The first register of the pixels, of which each has two, the lower byte first.
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

impl<B> Thermal<B> {
    /// An array that will be woken by the first reading.
    pub const fn new(bus: B) -> Self {
        Self { bus, started: false }
    }

    /// Names the fault. After one the array is woken and set up again: it may have lost its power.
    fn judged<E: Error>(&mut self, reading: Result<Reading, E>) -> Result<Reading, Fault> {
        self.started = reading.is_ok();
        reading.map_err(|error| match error.kind() {
            ErrorKind::NoAcknowledge(_) => Fault::NoAnswer,
            _ => Fault::BrokenOff,
        })
    }
}

impl<B: I2c> Thermal<B> {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(&mut self) -> Result<Reading, Fault> {
        let reading = self.try_read();
        self.judged(reading)
    }

    fn try_read(&mut self) -> Result<Reading, B::Error> {
        let mut flags = [0];
        self.bus.write_read(ADDRESS, &[STATUS], &mut flags)?;
        let mut array = GridEye::new(&mut self.bus, Address::Standard);
        if !self.started {
            array.power(Power::Wakeup)?;
            array.set_framerate(Framerate::Fps10)?;
        }
        let mut reading = Reading::of(flags);
        for (pixel, steps) in (0..COARSE as u8).zip(&mut reading.steps) {
            *steps = signed(array.get_pixel_temperature_raw(pixel)?);
        }
        Ok(reading)
    }
}

impl<B: I2cAsync> Thermal<B> {
    /// Reads a frame as [`Thermal::read`] does, while other tasks run; all pixels in one transfer.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn read_async(&mut self) -> Result<Reading, Fault> {
        let reading = self.try_read_async().await;
        self.judged(reading)
    }

    async fn try_read_async(&mut self) -> Result<Reading, B::Error> {
        let mut flags = [0];
        self.bus.write_read(ADDRESS, &[STATUS], &mut flags).await?;
        if !self.started {
            self.bus.write(ADDRESS, &[POWER, Power::Wakeup as u8]).await?;
            self.bus.write(ADDRESS, &[FRAMERATE, Framerate::Fps10 as u8]).await?;
        }
        let mut pixels = [0; 2 * COARSE];
        self.bus.write_read(ADDRESS, &[FIRST_PIXEL], &mut pixels).await?;
        let mut reading = Reading::of(flags);
        for (bytes, steps) in pixels.as_chunks::<2>().0.iter().zip(&mut reading.steps) {
            *steps = signed(u16::from_le_bytes(*bytes));
        }
        Ok(reading)
    }
}

impl Reading {
    /// One whose pixels are still to come.
    const fn of([flags]: [u8; 1]) -> Self {
        Self { steps: [0; COARSE], overflow: flags & OVERFLOW != 0 }
    }
}

/// A pixel's value: twelve bits, complements of two.
const fn signed(bits: u16) -> i16 {
    ((bits << 4) as i16) >> 4
}
