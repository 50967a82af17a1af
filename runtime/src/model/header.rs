//! The fixed part of a file.

use super::cursor::Cursor;
use super::{
    ADDRESS_ALIGNMENT, Footprint, Invalid, KERNEL_LAYOUT, Options, Recommended, VERSION, Views,
    checksum,
};
use crate::{Axis, Boundary, ForwardProcess, Grid, Laplacian};

/// The first bytes; a transfer as text would change them.
pub const MAGIC: [u8; 8] = *b"\x89FSM\r\n\x1a\n";
/// Bytes of the header.
pub const HEADER_LEN: usize = 80;
/// Where the header has the footprint.
pub(super) const FOOTPRINT_AT: usize = 64;
/// The checksum covers the bytes from here to the end; all before are known exactly.
pub const CHECKED_FROM: usize = 20;

/// Sizes and parameters.
pub(super) struct Header {
    pub(super) grid: Grid,
    pub(super) process: ForwardProcess,
    pub(super) options: Options,
    /// Whether the coupling of two channels is behind their descriptions.
    pub(super) coupled: bool,
    /// Whether λ₁, where it ends or begins, is behind it.
    pub(super) switched: bool,
    pub(super) views: Views,
    pub(super) segments: usize,
    pub(super) frame_interval: f32,
    pub(super) channels: usize,
    pub(super) window: usize,
    pub(super) layers: usize,
    pub(super) lambdas: usize,
    pub(super) lambda_grid: usize,
    pub(super) hidden: usize,
    pub(super) bins: usize,
    pub(super) name: usize,
    pub(super) companions: usize,
    pub(super) recommended: Recommended,
    pub(super) footprint: Footprint,
}

/// Reads the first bytes, up to [`CHECKED_FROM`], of a file whose `bytes` are all there: whether it
/// is of a kind and version, and whole.
pub(super) fn open(
    bytes: &[u8],
    cursor: &mut Cursor<'_>,
    magic: &[u8; 8],
    reads: u16,
) -> Result<(), Invalid> {
    if cfg!(target_endian = "big") {
        return Err(Invalid::Endianness);
    }
    if cursor.take(magic.len())? != magic {
        return Err(Invalid::Magic);
    }
    let (version, layout) = (cursor.u16()?, cursor.u16()?);
    if version != reads {
        return Err(Invalid::Version { version, reads });
    }
    if layout != KERNEL_LAYOUT {
        return Err(Invalid::KernelLayout { layout });
    }
    if usize::try_from(cursor.u32()?) != Ok(bytes.len()) {
        return Err(Invalid::Length);
    }
    let said = cursor.u32()?;
    if bytes.get(CHECKED_FROM..).map(checksum) != Some(said) {
        return Err(Invalid::Checksum);
    }
    if bytes.as_ptr().align_offset(ADDRESS_ALIGNMENT) != 0 {
        return Err(Invalid::Alignment);
    }
    Ok(())
}

/// Reads the header of a file whose `bytes` are all there.
pub(super) fn read(bytes: &[u8], cursor: &mut Cursor<'_>) -> Result<Header, Invalid> {
    open(bytes, cursor, &MAGIC, VERSION)?;
    let points = [cursor.u16()?, cursor.u16()?];
    let boundaries = [cursor.u8()?, cursor.u8()?];
    let laplacian = match cursor.u8()? {
        0 => Laplacian::Spectral,
        1 => Laplacian::FiniteDifference,
        _ => return Err(Invalid::Field { name: "laplacian" }),
    };
    let (options, coupled, switched) = options(cursor.u8()?)?;
    let lengths = [cursor.f32()?, cursor.f32()?];
    let (alpha, beta2) = (cursor.f32()?, cursor.f32()?);
    let frame_interval = finite(cursor.f32()?, "frame interval")?;
    let grid = grid(points, boundaries, lengths)?;
    let header = Header {
        grid,
        process: process(alpha, beta2, laplacian)?,
        options,
        coupled,
        switched,
        frame_interval,
        channels: positive(cursor.u8()?, "channels")?,
        window: positive(cursor.u8()?, "window")?,
        layers: usize::from(cursor.u8()?),
        lambdas: usize::from(cursor.u8()?),
        lambda_grid: usize::from(cursor.u8()?),
        hidden: usize::from(cursor.u8()?),
        bins: usize::from(cursor.u16()?),
        name: usize::from(cursor.u8()?),
        companions: usize::from(cursor.u8()?),
        views: Views::from_bits(cursor.u8()?, &grid).ok_or(Invalid::Field { name: "views" })?,
        segments: usize::from(cursor.u8()?),
        recommended: Recommended::from_bytes(cursor.array()?, options.score_head)?,
        footprint: Footprint::of(bytes),
    };
    cursor.take(HEADER_LEN.saturating_sub(FOOTPRINT_AT))?;
    Ok(header)
}

/// A process with noise: without it no path has a score.
fn process(alpha: f32, beta2: f32, laplacian: Laplacian) -> Result<ForwardProcess, Invalid> {
    let process = ForwardProcess::new(alpha, beta2, laplacian).ok();
    process.filter(|process| process.beta2() > 0.0).ok_or(Invalid::Field { name: "process" })
}

/// The options, whether channels are coupled, and whether on one side of a λ only.
fn options(flags: u8) -> Result<(Options, bool, bool), Invalid> {
    let (coupled, switched) = (flags & 8 != 0, flags & 16 != 0);
    if flags > 0b1_1111 {
        return Err(Invalid::Field { name: "options" });
    }
    if switched && !coupled {
        return Err(Invalid::Field { name: "switch" });
    }
    let options = Options {
        linear_base: flags & 1 != 0,
        bounded: flags & 2 != 0,
        score_head: flags & 4 != 0,
    };
    Ok((options, coupled, switched))
}

pub(super) fn grid(
    points: [u16; 2],
    boundaries: [u8; 2],
    lengths: [f32; 2],
) -> Result<Grid, Invalid> {
    let refused = Invalid::Field { name: "grid" };
    let axis = |points: u16, boundary, length| {
        let boundary = match boundary {
            0 => Boundary::Periodic,
            1 => Boundary::Reflecting,
            _ => return Err(refused),
        };
        let axis = Axis::new(usize::from(points), boundary);
        axis.and_then(|axis| axis.with_length(length)).map_err(|_| refused)
    };
    let ([ny, nx], [by, bx], [ly, lx]) = (points, boundaries, lengths);
    let x = axis(nx, bx, lx)?;
    if ny != 0 {
        return Grid::plane(axis(ny, by, ly)?, x).map_err(|_| refused);
    }
    if by != 0 || ly.to_bits() != 0 {
        return Err(refused);
    }
    Ok(Grid::line(x))
}

pub(super) fn positive(value: u8, name: &'static str) -> Result<usize, Invalid> {
    if value > 0 { Ok(usize::from(value)) } else { Err(Invalid::Field { name }) }
}

pub(super) fn finite(value: f32, name: &'static str) -> Result<f32, Invalid> {
    if value.is_finite() { Ok(value) } else { Err(Invalid::Field { name }) }
}
