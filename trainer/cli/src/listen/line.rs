//! Bytes to frames: what is missing between them is counted.

use finescale_chain::wire::Decoder;
use finescale_chain::{COARSE, FINE, Packet};

/// A step in time between two frames that the clock cannot tell apart, in seconds.
const TICK: f64 = 1e-6;

/// A frame that arrived, and what went before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// What the board says.
    pub(crate) packet: Packet,
    /// When it arrived, in seconds since 1970; later than the one before.
    pub(crate) time: f64,
    /// Packets that were lost between it and the one before.
    pub(crate) lost: u32,
    /// Pieces of bytes between the two that were no packet.
    pub(crate) garbled: u32,
    /// The connection that it came by, counted from 0.
    pub(crate) connection: u32,
}

/// What came in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Frames.
    pub(crate) frames: u64,
    /// Packets that are missing between them.
    pub(crate) lost: u64,
    /// Pieces that were no packet.
    pub(crate) garbled: u64,
    /// Times that the board began to count again.
    pub(crate) restarts: u64,
}

/// The state of the line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    decoder: Decoder,
    /// The number of the frame before, and its time.
    before: Option<(u32, f64)>,
    garbled: u32,
    connection: u32,
    /// What came in all.
    pub(crate) totals: Totals,
}

impl Line {
    /// Takes a byte, and the time in seconds since 1970; gives the frame that it completes.
    pub(crate) fn feed(&mut self, byte: u8, now: f64) -> Option<Received> {
        let found = self.decoder.feed(byte)?.ok();
        // A whole packet with frames of other sizes is another firmware's.
        let fits = |packet: &Packet| packet.coarse.len() == COARSE && packet.fine.len() == FINE;
        let Some(packet) = found.filter(fits) else {
            self.garbled = self.garbled.saturating_add(1);
            self.totals.garbled += 1;
            return None;
        };
        let (mut lost, mut time) = (0, now);
        if let Some((number, before)) = self.before {
            // Numbers go around; half of the circle is behind.
            match packet.frame.wrapping_sub(number) {
                0 | 0x8000_0000.. => self.totals.restarts += 1,
                step => lost = step - 1,
            }
            time = time.max(before + TICK);
        }
        self.before = Some((packet.frame, time));
        self.totals.frames += 1;
        self.totals.lost += u64::from(lost);
        let garbled = std::mem::take(&mut self.garbled);
        Some(Received { packet, time, lost, garbled, connection: self.connection })
    }

    /// The line has gone: the rest of a packet that has begun will not come. Gives the frame of one
    /// that lacks nothing but the zero behind it.
    pub(crate) fn breaks_off(&mut self, now: f64) -> Option<Received> {
        self.feed(0, now)
    }

    /// The line is there again.
    pub(crate) fn comes_back(&mut self) {
        self.connection += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale_chain::wire::encode;

    fn bytes(frame: u32) -> Vec<u8> {
        let (coarse, fine) = ([2000; COARSE].into(), [2000; FINE].into());
        encode(&Packet { frame, coarse, fine, ..Packet::default() }).unwrap().to_vec()
    }

    fn fed(line: &mut Line, bytes: &[u8]) -> Vec<(u32, u32, u32)> {
        let received = bytes.iter().filter_map(|byte| line.feed(*byte, 1.0));
        received.map(|r| (r.packet.frame, r.lost, r.garbled)).collect()
    }

    /// If this failed, a board that was switched off and on would look like four billion losses, or
    /// one that runs for years like a restart.
    #[test]
    fn a_restart_is_no_loss_and_a_number_that_goes_around_is_none() {
        let mut line = Line::default();
        let numbers = [u32::MAX - 1, u32::MAX, 1, 0, 0, 3];
        let all: Vec<u8> = numbers.into_iter().flat_map(bytes).collect();
        let lost: Vec<u32> = fed(&mut line, &all).into_iter().map(|(_, lost, _)| lost).collect();
        assert_eq!(lost, [0, 0, 1, 0, 0, 2]);
        assert_eq!(line.totals, Totals { frames: 6, lost: 3, garbled: 0, restarts: 2 });
    }

    /// If this failed, the first packet after a break would be lost with the last one before it.
    #[test]
    fn what_breaks_off_takes_nothing_with_it() {
        let mut line = Line::default();
        let first = bytes(0);
        assert_eq!(fed(&mut line, &[&first[..], &bytes(1)[..9]].concat()), [(0, 0, 0)]);
        assert!(line.breaks_off(1.0).is_none());
        line.comes_back();
        let second = bytes(2);
        assert_eq!(fed(&mut line, &second[..second.len() - 1]), []);
        let received = line.breaks_off(1.0).unwrap();
        let Received { packet, lost, garbled, connection, .. } = received;
        assert_eq!((packet.frame, lost, garbled, connection), (2, 1, 1, 1));
    }

    /// If this failed, the packets of another firmware would stop the recording.
    #[test]
    fn frames_of_other_sizes_are_none() {
        let mut line = Line::default();
        let other = encode(&Packet { coarse: [1; 4].into_iter().collect(), ..Packet::default() });
        assert_eq!(fed(&mut line, &other.unwrap()), []);
        assert_eq!(line.totals, Totals { garbled: 1, ..Totals::default() });
    }

    /// If this failed, a clock that is set back would make a file whose times xarray cannot search.
    #[test]
    fn times_rise_whatever_the_clock_does() {
        let mut line = Line::default();
        let mut times = Vec::new();
        for (frame, now) in [(0, 1.8e9), (1, 1.8e9), (2, 1.7e9), (3, 1.9e9)] {
            times.extend(bytes(frame).iter().filter_map(|byte| Some(line.feed(*byte, now)?.time)));
        }
        assert!(times.is_sorted_by(|a, b| a < b) && times[3] == 1.9e9, "{times:?}");
    }
}
