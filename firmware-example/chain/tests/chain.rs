//! The whole chain on the desktop: the bits that boards must have, and every fault with its name.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use embedded_hal_async::i2c::{ErrorKind, ErrorType, I2c, Operation};
use finescale::{Pass, Probe};
use finescale_chain::replay::{FAULTS, FRAMES, Fault, Replay};
use finescale_chain::wire::{Decoder, digest, encode};
use finescale_chain::{Chain, Packet, Status, setup};

struct Nobody;
impl Probe for Nobody {
    fn layer(&self, _: Pass, _: usize) {}
}

fn run(
    model: &'static [u8],
    faults: &'static [(std::ops::Range<u32>, Fault)],
) -> (Vec<Packet>, Vec<u8>, u32) {
    let mut memory = vec![f32::NAN; setup::MEMORY];
    let mut chain = Chain::new(Replay::new(faults), model, &mut memory, &Nobody).unwrap();
    let (mut packets, mut line, mut found) = (Vec::new(), Vec::new(), 0);
    for _ in 0..FRAMES {
        if let Some(packet) = chain.step().unwrap() {
            found = digest(found, chain.fine());
            line.extend(encode(&packet).unwrap());
            packets.push(packet);
        }
    }
    (packets, line, found)
}

/// If this failed, boards and the desktop would be compared with another chain.
#[test]
fn boards_are_told_what_the_desktop_gets() {
    let (packets, _, found) = run(setup::MODEL, FAULTS);
    assert_eq!(packets.len(), FRAMES as usize - 1);
    assert_eq!(found, setup::DIGEST, "{found:#010x}");
    // The heater warms up: first an alarm is less likely than not, then it is certain.
    assert!(!packets[0].status.has(Status::ALARM) && packets[0].chance < 0.5);
    let last = packets.last().unwrap();
    assert!(last.status.has(Status::ALARM) && last.chance > 0.95, "{}", last.chance);
    // The fine frame finds more than its pixels, and keeps to what can be.
    let pixel = last.coarse.iter().max().unwrap();
    assert!((pixel + 100..pixel + 600).contains(&last.hottest), "{pixel} {}", last.hottest);
}

/// The recording on a bus that keeps everybody waiting.
struct Late(Replay);

impl ErrorType for Late {
    type Error = ErrorKind;
}

impl I2c for Late {
    async fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), ErrorKind> {
        let mut polled = false;
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.0.transaction(address, operations).await
    }
}

/// Polls until the future is done; gives how often it was not.
fn block_on<T>(future: impl Future<Output = T>) -> (T, usize) {
    let (mut future, mut waited) = (pin!(future), 0);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => return (done, waited),
            Poll::Pending => waited += 1,
        }
    }
}

/// If this failed, a board that awaits its bus would get other frames, or miss other faults, than one
/// that waits for it.
#[test]
fn a_bus_that_is_awaited_gives_the_same_packets() {
    let (packets, _, _) = run(setup::MODEL, FAULTS);
    let mut memory = vec![f32::NAN; setup::MEMORY];
    let bus = Late(Replay::new(FAULTS));
    let mut chain = Chain::new(bus, setup::MODEL, &mut memory, &Nobody).unwrap();
    let (mut awaited, mut found, mut waits) = (Vec::new(), 0, Vec::new());
    for _ in 0..FRAMES {
        let (packet, waited) = block_on(chain.step_async());
        waits.push(waited);
        if let Some(packet) = packet.unwrap() {
            found = digest(found, chain.fine());
            awaited.push(packet);
        }
    }
    assert_eq!(awaited, packets);
    assert_eq!(found, setup::DIGEST, "{found:#010x}");
    // Flags, and all pixels at once; the array is set up before, at first and after a fault.
    assert_eq!(waits[..8], [4, 2, 2, 2, 2, 2, 1, 1]);
    assert_eq!(waits[8..13], [4, 2, 2, 2, 4]);
}

/// If this failed, a fault would go unnoticed, or the stream would not come back from it.
#[test]
fn every_fault_is_named_and_recovered_from() {
    let (packets, _, _) = run(setup::MODEL, FAULTS);
    let (healthy, _, _) = run(setup::MODEL, &[]);
    let wrong = |packets: &[Packet], frame: usize| -> Vec<&str> {
        let status = packets[frame].status;
        status.names().filter(|name| !["alarm", "unusual"].contains(name)).collect()
    };
    for frame in 0..packets.len() {
        let expected: &[&str] = match frame {
            6 | 7 => &["no answer", "lost"],
            11 => &["broken off", "lost"],
            // One repeated frame may be chance.
            16..19 => &["frozen", "lost"],
            22 => &["saturated"],
            26 => &["impossible", "lost"],
            8 | 12 | 19 | 27 => &["recovered"],
            _ => &[],
        };
        assert_eq!(packets[frame].frame as usize, frame);
        assert_eq!(wrong(&packets, frame), expected, "frame {frame}");
        assert!(wrong(&healthy, frame).is_empty(), "frame {frame}");
    }
    // Where no frame of the window was touched, nothing is left of the faults.
    assert_eq!(packets[2], healthy[2]);
    assert_eq!(packets[31], healthy[31]);
    assert_ne!(packets[22].fine, healthy[22].fine);
}

/// If this failed, a board whose flash has lost a bit would stop, or trust a wrong network.
#[test]
fn a_damaged_model_is_replaced_by_interpolation_and_marked() {
    let mut damaged = setup::MODEL.to_vec();
    damaged[30_000] ^= 1;
    let damaged: &'static [u8] = damaged.leak();
    let (packets, _, found) = run(damaged, FAULTS);
    assert_eq!(packets.len(), FRAMES as usize);
    assert!(packets.iter().all(|packet| packet.status.has(Status::NO_MODEL)));
    assert!(packets.iter().all(|packet| packet.fine.len() == 1024 && packet.spread == 0));
    assert_eq!(found, setup::DAMAGED_DIGEST, "{found:#010x}");
    // It passes through the pixels: their mean is that of the frame.
    let last = packets.last().unwrap();
    let alive = |n: &usize| *n != setup::DEAD;
    let mean: f32 = (0..64).filter(alive).map(|n| f32::from(last.coarse[n])).sum::<f32>() / 63.0;
    assert!((f32::from(last.mean) - mean).abs() < 30.0, "{} {mean}", last.mean);
    assert!(last.status.has(Status::ALARM) && last.hottest > 4900);
}

/// If this failed, one lost byte would take more than its packet with it.
#[test]
fn a_line_that_breaks_loses_the_packets_that_it_breaks_in() {
    let (packets, line, _) = run(setup::MODEL, FAULTS);
    let received = |bytes: &[u8]| {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.feed(*byte)).collect::<Vec<_>>()
    };
    let all: Vec<_> = packets.iter().cloned().map(Ok).collect();
    assert_eq!(received(&line), all);
    // A byte is changed, then a piece across two packets is missing.
    let mut changed = line.clone();
    changed[100] ^= 0x55;
    let found = received(&changed);
    assert!(found[0].is_err() && found[1..] == all[1..]);
    let first = line.iter().position(|byte| *byte == 0).unwrap();
    let missing = [&line[..first - 50], &line[first + 50..]].concat();
    let found = received(&missing);
    assert!(found[0].is_err() && found[1..] == all[2..]);
}

/// If this failed, the recording would not be what `recordings/make.py` says.
#[test]
fn the_recording_is_block_means_of_the_real_one() {
    let real =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/real/mlx90640.raw"));
    let real: Vec<f32> =
        real.unwrap().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let steps = finescale_chain::replay::RECORDING.as_chunks::<2>().0;
    for (n, bytes) in steps.iter().enumerate() {
        let (frame, y, x) = (n / 64, n / 8 % 8, n % 8);
        let block = (0..12).map(|i| real[frame * 768 + (3 * y + i / 4) * 32 + 4 * x + i % 4]);
        let (step, mean) = (f32::from(u16::from_le_bytes(*bytes)), block.sum::<f32>() / 3.0);
        assert!((step - mean).abs() <= 0.501, "frame {frame}: {step} for {mean}");
    }
}
