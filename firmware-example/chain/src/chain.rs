//! The chain: a frame of the array in, a packet out.

use embedded_hal::i2c::I2c;
use embedded_hal_async::i2c::I2c as I2cAsync;
use finescale::{Error, Probe};
use heapless::Deque;

use crate::calibration::Calibration;
use crate::engine::Engine;
use crate::setup::{ALARM, CALIBRATION};
use crate::status::Status;
use crate::thermal::{Fault, Reading, Thermal};
use crate::wire::{Packet, hundredths};
use crate::{COARSE, FINE, POINTS};

/// Frames with the same values after which the array is taken to be frozen: its noise changes some
/// pixel from frame to frame.
const SAME: u32 = 2;
/// Most frames that a fine one may be behind, and itself.
const BEHIND: usize = 8;

/// Everything from the bus to the packet.
#[derive(Debug)]
pub struct Chain<'a, B> {
    array: Thermal<B>,
    engine: Engine<'a>,
    before: Option<Reading>,
    /// How often `before` has come in a row, beyond the first time.
    same: u32,
    /// Whether the last frame was not used.
    lost: bool,
    begun: u32,
    /// Frames whose fine ones have not come yet.
    waiting: Deque<(u32, Status, [i16; COARSE]), BEHIND>,
    fine: [f32; FINE],
    deviation: [f32; FINE],
}

impl<'a, B> Chain<'a, B> {
    /// A chain of a bus, a model's file and [`crate::setup::MEMORY`] values. `probe` is told of
    /// every layer of the network, and feeds the watchdog.
    ///
    /// # Errors
    /// As [`Engine::new`]: a damaged model is no error.
    pub fn new(
        bus: B,
        model: &'a [u8],
        memory: &'a mut [f32],
        probe: &'a dyn Probe,
    ) -> Result<Self, Error> {
        let engine = Engine::new(model, memory, probe)?;
        Ok(Self {
            array: Thermal::new(bus),
            engine,
            before: None,
            same: 0,
            lost: false,
            begun: 0,
            waiting: Deque::new(),
            fine: [0.0; FINE],
            deviation: [0.0; FINE],
        })
    }

    /// Whether the model is whole.
    pub const fn has_model(&self) -> bool {
        matches!(self.engine, Engine::Mean { .. })
    }

    /// The fine frame of the last packet in °C, all bits of it.
    pub const fn fine(&self) -> &[f32; FINE] {
        &self.fine
    }

    /// Takes a frame, or why there is none; gives the packet of the frame that is as many before it
    /// as the model looks ahead.
    ///
    /// # Errors
    /// As [`Engine::push`].
    pub fn take(&mut self, read: Result<Reading, Fault>) -> Result<Option<Packet>, Error> {
        let (mut status, reading) = self.look_at(read);
        let mut celsius = [0.0; COARSE];
        let used = !status.has(Status::LOST);
        if let Some(reading) = &reading {
            CALIBRATION.degrees(reading, &mut celsius);
        }
        if used && self.lost {
            status.raise(Status::RECOVERED);
        }
        self.lost = !used;
        let coarse = celsius.map(hundredths);
        // There is room: as many frames wait as the model looks ahead, which `BEHIND` exceeds.
        let _ = self.waiting.push_back((self.begun, status, coarse));
        self.begun = self.begun.wrapping_add(1);

        let coarse = used.then_some(&celsius);
        let health = self.engine.push(coarse, &mut self.fine, &mut self.deviation)?;
        let due = self.waiting.len() > self.engine.lag();
        let Some((frame, status, coarse)) = due.then(|| self.waiting.pop_front()).flatten() else {
            return Ok(None);
        };
        let Some(health) = health else { return Ok(None) };
        let mut packet = Packet {
            frame,
            status,
            coarse: heapless::Vec::from_array(coarse),
            ..Packet::default()
        };
        if health.is_alarming() {
            packet.status.raise(Status::UNUSUAL);
        }
        packet.chi2 = health.chi2_per_mode().unwrap_or(0.0);
        self.judge(&mut packet);
        Ok(Some(packet))
    }

    /// A frame of the array, and what is wrong with it.
    fn look_at(&mut self, read: Result<Reading, Fault>) -> (Status, Option<Reading>) {
        let mut status = Status::default();
        let reading = match read {
            Ok(reading) => reading,
            Err(fault) => {
                status.raise(Status::LOST);
                status.raise(match fault {
                    Fault::NoAnswer => Status::NO_ANSWER,
                    Fault::BrokenOff => Status::BROKEN_OFF,
                });
                return (status, None);
            }
        };
        let is_same = self.before.as_ref().is_some_and(|before| before.steps == reading.steps);
        self.same = if is_same { self.same.saturating_add(1) } else { 0 };
        self.before = Some(reading);
        let calibration: &Calibration = &CALIBRATION;
        let (full, impossible) = calibration.judge(&reading);
        for (raised, flag) in [
            (self.same >= SAME, Status::FROZEN),
            (full, Status::SATURATED),
            (impossible, Status::IMPOSSIBLE),
            (self.same >= SAME || impossible, Status::LOST),
        ] {
            if raised {
                status.raise(flag);
            }
        }
        (status, Some(reading))
    }

    /// Statistics of the fine frame, and the chance that somewhere it is too hot: that of the point
    /// where it is greatest, which is the least that it can be for the whole.
    fn judge(&self, packet: &mut Packet) {
        let (mut sum, mut hottest, mut at, mut chance) = (0.0, f32::MIN, (0, 0), 0.0_f32);
        let rows = (0_u8..).zip(self.fine.as_chunks::<POINTS>().0);
        for ((y, row), deviation) in rows.zip(self.deviation.as_chunks::<POINTS>().0) {
            for (x, (value, deviation)) in (0_u8..).zip(row.iter().zip(deviation)) {
                sum += value;
                if *value > hottest {
                    (hottest, at) = (*value, (y, x));
                }
                chance = chance.max(above(*value - ALARM.celsius, *deviation));
            }
        }
        let spread: f32 = self.deviation.iter().sum();
        packet.mean = hundredths(sum / FINE as f32);
        packet.spread = hundredths(spread / FINE as f32);
        (packet.hottest, packet.at, packet.chance) = (hundredths(hottest), at, chance);
        if chance >= ALARM.chance {
            packet.status.raise(Status::ALARM);
        }
        if !self.has_model() {
            packet.status.raise(Status::NO_MODEL);
        }
        packet.fine.clear();
        for value in &self.fine {
            // There is room: a packet has as many.
            let _ = packet.fine.push(hundredths(*value));
        }
    }
}

impl<B: I2c> Chain<'_, B> {
    /// Reads a frame, and takes it.
    ///
    /// # Errors
    /// As [`Chain::take`].
    pub fn step(&mut self) -> Result<Option<Packet>, Error> {
        let read = self.array.read();
        self.take(read)
    }
}

impl<B: I2cAsync> Chain<'_, B> {
    /// Reads a frame while other tasks run, and takes it.
    ///
    /// # Errors
    /// As [`Chain::take`].
    pub async fn step_async(&mut self) -> Result<Option<Packet>, Error> {
        let read = self.array.read_async().await;
        self.take(read)
    }
}

/// The chance that a Gaussian of this mean and deviation is positive.
fn above(mean: f32, deviation: f32) -> f32 {
    if deviation > 0.0 {
        0.5 * libm::erfcf(-mean / (deviation * core::f32::consts::SQRT_2))
    } else {
        f32::from(u8::from(mean > 0.0))
    }
}
