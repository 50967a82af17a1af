//! Packets on a line: postcard, then CRC-32, then COBS, so that a zero stands between two of them
//! and nowhere else. Who comes late, or misses bytes, waits for the next zero.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::status::Status;
use crate::{COARSE, FINE};

/// Most bytes of a packet on the line: three for each value, the rest, the sum, and one of COBS for
/// 254.
pub const LONGEST: usize = 3 * (COARSE + FINE) + 128;
const SUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// What a frame tells. Temperatures are hundredths of a degree: two bytes in place of four.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Packet {
    /// The frame's number: a gap says that packets were lost.
    pub frame: u32,
    /// What is wrong with it, and whether it is too hot.
    pub status: Status,
    /// Chance that the point that most likely is too hot is.
    pub chance: f32,
    /// χ² of the values under the model, for each of them: 1 is usual.
    pub chi2: f32,
    /// Mean of the fine frame.
    pub mean: i16,
    /// Mean standard deviation of its errors; 0 where nobody knows it.
    pub spread: i16,
    /// Its hottest point.
    pub hottest: i16,
    /// Where that is: y, x.
    pub at: (u8, u8),
    /// What was measured, `[y][x]`.
    pub coarse: Vec<i16, COARSE>,
    /// What was made of it, `[y][x]`.
    pub fine: Vec<i16, FINE>,
}

/// Hundredths of a degree.
pub fn hundredths(celsius: f32) -> i16 {
    libm::roundf(100.0 * celsius) as i16
}

/// Goes on with a digest of the bits of values.
pub fn digest(before: u32, values: &[f32]) -> u32 {
    values.iter().fold(before, |digest, value| digest.rotate_left(5) ^ value.to_bits())
}

/// A packet as bytes of the line, with the zero behind it; `None` if it is longer than
/// [`LONGEST`], which none is.
#[inline(never)] // Its buffers would lie in the caller's frame, below all that the caller calls.
pub fn encode(packet: &Packet) -> Option<Vec<u8, LONGEST>> {
    let mut plain = [0; LONGEST];
    let plain: &[u8] = postcard::to_slice(packet, &mut plain).ok()?;
    let sum = SUM.checksum(plain).to_le_bytes();
    let (mut line, mut state) = (Vec::new(), cobs::EncoderState::default());
    line.push(0).ok()?;
    for byte in plain.iter().chain(&sum) {
        match state.push(*byte) {
            cobs::PushResult::AddSingle(byte) => line.push(byte).ok()?,
            cobs::PushResult::ModifyFromStartAndSkip((at, distance)) => {
                *line.get_mut(at)? = distance;
                line.push(0).ok()?;
            }
            cobs::PushResult::ModifyFromStartAndPushAndSkip((at, distance, byte)) => {
                *line.get_mut(at)? = distance;
                line.push(byte).ok()?;
                line.push(0).ok()?;
            }
        }
    }
    let (at, distance) = state.finalize();
    *line.get_mut(at)? = distance;
    line.push(0).ok()?;
    Some(line)
}

/// Finds packets in bytes of the line.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8, LONGEST>,
    overrun: bool,
}

/// Bytes between two zeros that are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

impl Decoder {
    /// Takes the next byte; gives a packet, or what is none, with the zero that ends it.
    pub fn feed(&mut self, byte: u8) -> Option<Result<Packet, Garbled>> {
        if byte != 0 {
            self.overrun |= self.bytes.push(byte).is_err();
            return None;
        }
        let empty = self.bytes.is_empty();
        let packet = if self.overrun { Err(Garbled) } else { self.packet().ok_or(Garbled) };
        self.bytes.clear();
        self.overrun = false;
        (!empty).then_some(packet)
    }

    fn packet(&mut self) -> Option<Packet> {
        let len = cobs::decode_in_place(&mut self.bytes).ok()?;
        let (plain, sum) = self.bytes.get(..len)?.split_last_chunk::<4>()?;
        (SUM.checksum(plain).to_le_bytes() == *sum).then_some(())?;
        postcard::from_bytes(plain).ok()
    }
}
