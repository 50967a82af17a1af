//! Cuts lines at the frame of a plot.

use super::scene::Rect;

/// The part of a segment inside `frame` (Liang and Barsky 1984).
pub(crate) fn segment(
    frame: Rect,
    (x0, y0): (f64, f64),
    (x1, y1): (f64, f64),
) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let (mut enter, mut leave) = (0f64, 1f64);
    let sides = [
        (-dx, x0 - frame.x),
        (dx, frame.right() - x0),
        (-dy, y0 - frame.y),
        (dy, frame.bottom() - y0),
    ];
    for (outward, distance) in sides {
        if outward == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if outward < 0.0 {
            enter = enter.max(distance / outward);
        } else {
            leave = leave.min(distance / outward);
        }
    }
    let at = |t: f64| (x0 + t * dx, y0 + t * dy);
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// The pieces of a polyline inside `frame`.
pub(crate) fn polyline(frame: Rect, points: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = segment(frame, pair[0], pair[1]) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

/// Cuts a polyline into dashes: lengths drawn and left out by turns.
pub(crate) fn dashes(points: &[(f64, f64)], pattern: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let Some(&first) = points.first() else { return vec![] };
    let mut dashes = vec![vec![first]];
    let (mut index, mut left) = (0, pattern[0]);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            if index % 2 == 0 {
                dashes.last_mut().expect("starts with one").push(at);
            }
            index = (index + 1) % pattern.len();
            left = pattern[index];
            if index % 2 == 0 {
                dashes.push(vec![at]);
            }
        }
        left -= length - done;
        if index % 2 == 0 {
            dashes.last_mut().expect("starts with one").push((x1, y1));
        }
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rect = Rect { x: 0.0, y: 0.0, w: 10.0, h: 10.0 };

    #[test]
    fn segments_end_at_the_frame() {
        let cut = segment(FRAME, (-5.0, 5.0), (15.0, 5.0));
        assert_eq!(cut, Some(((0.0, 5.0), (10.0, 5.0))));
        assert_eq!(segment(FRAME, (-5.0, -1.0), (15.0, -1.0)), None);
    }

    #[test]
    fn a_line_that_leaves_and_returns_becomes_two() {
        let line = [(1.0, 5.0), (5.0, 25.0), (9.0, 5.0)];
        assert_eq!(polyline(FRAME, &line).len(), 2);
    }

    #[test]
    fn dashes_cover_their_share() {
        let dashes = dashes(&[(0.0, 0.0), (10.0, 0.0)], &[2.0, 3.0]);
        assert_eq!(dashes, [[(0.0, 0.0), (2.0, 0.0)], [(5.0, 0.0), (7.0, 0.0)]]);
    }
}
