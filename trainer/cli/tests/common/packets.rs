//! What the chain of a board sends, on the desktop.

use std::sync::LazyLock;

use finescale::{Pass, Probe};
use finescale_chain::replay::{FAULTS, FRAMES, Replay};
use finescale_chain::wire::encode;
use finescale_chain::{Chain, Packet, setup};

struct Nobody;
impl Probe for Nobody {
    fn layer(&self, _: Pass, _: usize) {}
}

/// Every packet of the recording with its faults, and its bytes on the line.
pub(crate) static SENT: LazyLock<Vec<(Packet, Vec<u8>)>> = LazyLock::new(|| {
    let mut memory = vec![f32::NAN; setup::MEMORY];
    let mut chain = Chain::new(Replay::new(FAULTS), setup::MODEL, &mut memory, &Nobody).unwrap();
    let packets = (0..FRAMES).filter_map(|_| chain.step().unwrap());
    packets.map(|packet| (packet.clone(), encode(&packet).unwrap().to_vec())).collect()
});

/// The bytes of some of them.
pub(crate) fn bytes(numbers: std::ops::Range<usize>) -> Vec<u8> {
    SENT[numbers].iter().flat_map(|(_, bytes)| bytes.clone()).collect()
}
