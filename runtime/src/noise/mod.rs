//! Noise that can be recomputed from its address alone.
//!
//! Every normal variate has an address: (seed, member, frame, draw, mode). It is computed from that
//! address by a counter-based generator, so results do not depend on the order of evaluation, on
//! threads, or on which other members, frames or draws are computed.
//!
//! # Stream layout
//!
//! | Philox4x32-10 input | word | holds |
//! |---|---|---|
//! | key | 0, 1 | low and high half of the 64-bit seed |
//! | counter | 0 | mode / 4 (block of four modes) |
//! | counter | 1 | draw |
//! | counter | 2 | frame |
//! | counter | 3 | member |
//!
//! The four output words of a block become the normals of modes 4b … 4b+3 by two Box–Muller pairs:
//! words (0, 1) give modes 4b and 4b+1 (cosine, sine), words (2, 3) give modes 4b+2 and 4b+3.
//! The mode index counts values in storage order over the whole spectrum, channels included.

mod normal;
mod philox;

pub use normal::normal_pair;
pub use philox::philox4x32;

/// One stream of unit normal variates: all modes of one frame of one member at one draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NoiseStream {
    /// The run's seed: draws for different purposes need different seeds.
    pub seed: u64,
    /// Ensemble member.
    pub member: u32,
    /// Frame of the path.
    pub frame: u32,
    /// The draw in λ: 0 at the start of a path, one more for every update of it.
    pub draw: u32,
}

impl NoiseStream {
    /// The variates of modes 4·`block` … 4·`block`+3.
    pub fn block(&self, block: u32) -> [f32; 4] {
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        let [a, b, c, d] = philox4x32([block, self.draw, self.frame, self.member], key);
        let (n0, n1) = normal_pair(a, b);
        let (n2, n3) = normal_pair(c, d);
        [n0, n1, n2, n3]
    }

    /// The variate of one mode.
    pub fn normal(&self, mode: u32) -> f32 {
        let [n0, n1, n2, n3] = self.block(mode / 4);
        match mode % 4 {
            0 => n0,
            1 => n1,
            2 => n2,
            _ => n3,
        }
    }

    /// The variates of modes 0, 1, 2, …, without end (the mode index wraps after 2³²).
    pub fn normals(&self) -> Normals {
        Normals { stream: *self, block: 0, lanes: [0.0; 4].into_iter(), started: false }
    }

    /// Fills `noise` with the variates of modes 0 … len−1.
    pub fn fill(&self, noise: &mut [f32]) {
        for (value, normal) in noise.iter_mut().zip(self.normals()) {
            *value = normal;
        }
    }
}

/// Iterator over the variates of a stream; see [`NoiseStream::normals`].
#[derive(Clone, Debug)]
pub struct Normals {
    stream: NoiseStream,
    block: u32,
    lanes: core::array::IntoIter<f32, 4>,
    started: bool,
}

impl Iterator for Normals {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.started {
            if let Some(lane) = self.lanes.next() {
                return Some(lane);
            }
            self.block = self.block.wrapping_add(1);
        }
        self.started = true;
        self.lanes = self.stream.block(self.block).into_iter();
        self.lanes.next()
    }
}
