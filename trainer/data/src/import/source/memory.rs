//! Arrays held in memory.

use std::ops::Range;

/// Copies a box out of a row-major array: `read(start, len, out)` appends `len` values from offset
/// `start`.
///
/// Runs along the last dimension are read in one go.
pub(super) fn gather<E>(
    sizes: &[usize],
    ranges: &[Range<usize>],
    mut read: impl FnMut(usize, usize, &mut Vec<f64>) -> Result<(), E>,
) -> Result<Vec<f64>, E> {
    let total = ranges.iter().map(ExactSizeIterator::len).product();
    let mut out = Vec::with_capacity(total);
    let (last, outer) = match ranges.split_last() {
        Some((last, outer)) => (last.clone(), outer),
        None => (0..1, ranges),
    };
    let mut index: Vec<usize> = outer.iter().map(|r| r.start).collect();
    while out.len() < total {
        let row = index.iter().zip(sizes).fold(0, |offset, (i, size)| offset * size + i);
        let width = sizes.last().copied().unwrap_or(1);
        read(row * width + last.start, last.len(), &mut out)?;
        for (i, range) in index.iter_mut().zip(outer).rev() {
            *i += 1;
            if *i < range.end {
                break;
            }
            *i = range.start;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_come_out_in_row_major_order() {
        let data: Vec<f64> = (0..24).map(f64::from).collect();
        let read = |start: usize, len: usize, out: &mut Vec<f64>| -> Result<(), ()> {
            out.extend_from_slice(&data[start..start + len]);
            Ok(())
        };
        assert_eq!(
            gather(&[2, 3, 4], &[0..2, 1..3, 2..4], read).unwrap(),
            [6.0, 7.0, 10.0, 11.0, 18.0, 19.0, 22.0, 23.0]
        );
        assert_eq!(gather(&[], &[], read).unwrap(), [0.0]);
        let line = 3..5;
        assert_eq!(gather(&[24], std::slice::from_ref(&line), read).unwrap(), [3.0, 4.0]);
        assert!(gather(&[2, 12], &[0..0, 0..12], read).unwrap().is_empty());
    }
}
