//! Real FFTs: microfft's where it has the length, around them steps of radix 2, 3 and 5.
//!
//! Source: Cooley and Tukey, Math. Comp. 19, 1965, decimation in time. A line of N = P·r₁⋯r_k
//! points is dealt out into N/P lines of P points, P a power of two, each transformed by microfft.
//! Then every step merges the spectra Y_s of r lines of L points, whose points take turns in a line
//! of rL: X_{k+qL} = Σ_s exp(−2πis(k + qL)/rL) Y_s(k), s, q = 0 … r−1. Spectra of real lines are
//! held by half, so that k runs to L/2, and what falls beyond rL/2 is the conjugate of a mode below
//! it.

use super::quarter_wave::turn;
use crate::checked::{self, OrBug, Place, bug};

/// Real and imaginary part.
type Complex = [f32; 2];

/// Longest line that microfft transforms (with the features that this crate asks for).
const BASE_MAX: usize = 1024;

/// Real FFT, X_m = Σ_j x_j exp(−2πijm/N), packed `[X_0, X_{N/2}, Re X_1, Im X_1, …]`, in place.
///
/// `line` is as long as an axis can be, and `spare` as long as `line`.
pub(super) fn real_fft(line: &mut [f32], spare: &mut [f32]) {
    let n = line.len();
    let base = 1_usize.wrapping_shl(n.trailing_zeros().min(BASE_MAX.trailing_zeros()));
    let lines = n / base.max(1);
    // Every step goes from one slice to the other, the last one to `line`.
    let (mut from, mut to) = (line, spare);
    let odd = radices(lines).fold(false, |odd, _| !odd);
    if !odd {
        (from, to) = (to, from);
    }
    if lines > 1 {
        if !odd {
            checked::zip(&mut *from, &*to).for_each(|(to, from)| *to = *from);
        }
        deal(lines, from, to);
    }
    for line in to.chunks_exact_mut(base.max(1)) {
        power_of_two(line);
    }
    let mut len = base;
    for radix in radices(lines) {
        (from, to) = (to, from);
        match radix {
            2 => merge(len, from, to, two),
            3 => merge(len, from, to, three),
            _ => merge(len, from, to, five),
        }
        len = len.times(radix);
    }
}

fn power_of_two(line: &mut [f32]) {
    macro_rules! by_length {
        ($($n:literal => $fft:ident),*) => {
            match line.len() {
                $($n => {
                    let Ok(line) = <&mut [f32; $n]>::try_from(line) else { return bug() };
                    let _packed_in_line = microfft::real::$fft(line);
                })*
                _ => bug(),
            }
        };
    }
    by_length!(
        2 => rfft_2, 4 => rfft_4, 8 => rfft_8, 16 => rfft_16, 32 => rfft_32, 64 => rfft_64,
        128 => rfft_128, 256 => rfft_256, 512 => rfft_512, 1024 => rfft_1024
    );
}

/// Radices of the steps that merge so many lines, the first step's first.
fn radices(mut lines: usize) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let (radix, rest) = match lines {
            0 | 1 => return None,
            _ if lines.is_multiple_of(5) => (5, lines / 5),
            _ if lines.is_multiple_of(3) => (3, lines / 3),
            _ => (2, lines / 2),
        };
        lines = rest;
        Some(radix)
    })
}

/// Deals the points of a line out to `lines` lines, to each every so manyeth: to the second one
/// those that the first step merges with the first line's, and so on.
fn deal(lines: usize, from: &[f32], to: &mut [f32]) {
    let len = to.len() / lines.max(1);
    let mut first = 0_usize;
    for to in to.chunks_exact_mut(len.max(1)) {
        let from = from.get(first..).or_bug().iter().step_by(lines.max(1));
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        // The first point is a number whose highest digit counts to the first step's radix.
        let mut limit = lines;
        for radix in radices(lines) {
            let weight = limit / radix.max(1);
            first = first.plus(weight);
            if first < limit {
                break;
            }
            first = first.minus(limit);
            limit = weight;
        }
    }
}

/// A step of radix R: merges the spectra of every R lines of `len` points, by `dft`, the transform
/// of R numbers.
#[inline(always)]
fn merge<const R: usize>(
    len: usize,
    from: &[f32],
    to: &mut [f32],
    dft: fn([Complex; R]) -> [Complex; R],
) {
    let (half, merged) = (len / 2, len.times(R));
    // X_k at place k; in place 0 there are X_0 and X_{N/2}, which are real.
    let (from, to) = (from.as_chunks::<2>().0, to.as_chunks_mut::<2>().0);
    let group = half.times(R);
    if group == 0 {
        return bug();
    }
    let groups = from.chunks_exact(group);
    for k in 0..half.plus(1) {
        let mut angle = 0_usize;
        let turns = [(); R].map(|()| {
            let turn = turn(angle, merged);
            angle = angle.plus(k);
            turn
        });
        let mut rest = &mut *to;
        for from in groups.clone() {
            let (to, others) = rest.split_at_mut_checked(group).or_bug();
            rest = others;
            let edge = k == 0 || k == half;
            let mut place = if edge { 0 } else { k };
            let mut values = turns.map(|turn| {
                let value = from.get(place).copied().or_bug();
                place = place.plus(half);
                (turn, value)
            });
            if edge {
                for (_, value) in &mut values {
                    *value = [if k == 0 { value[0] } else { value[1] }, 0.0];
                }
            }
            let values = values.map(|(turn, value)| times(turn, value));
            for (q, value) in (0..R).zip(dft(values)) {
                put(to, k.plus(q.times(len)), value);
            }
        }
    }
}

/// Puts X_k, 0 ≤ k < N, where half a spectrum has it or its conjugate.
#[inline(always)]
fn put(spectrum: &mut [Complex], k: usize, [re, im]: Complex) {
    let half = spectrum.len();
    let (place, value) = if k < half { (k, [re, im]) } else { (half.times(2).minus(k), [re, -im]) };
    match spectrum.get_mut(place) {
        Some([first, _]) if place == 0 => *first = re,
        Some(to) => *to = value,
        None => match spectrum.first_mut() {
            Some([_, last]) => *last = re,
            None => bug(),
        },
    }
}

fn times([a, b]: Complex, [c, d]: Complex) -> Complex {
    [a * c - b * d, a * d + b * c]
}

fn plus([a, b]: Complex, [c, d]: Complex) -> Complex {
    [a + c, b + d]
}

fn minus([a, b]: Complex, [c, d]: Complex) -> Complex {
    [a - c, b - d]
}

fn scaled(factor: f32, [a, b]: Complex) -> Complex {
    [factor * a, factor * b]
}

/// a − ib and a + ib.
fn apart([a, b]: Complex, [c, d]: Complex) -> [Complex; 2] {
    [[a + d, b - c], [a - d, b + c]]
}

fn two([a, b]: [Complex; 2]) -> [Complex; 2] {
    [plus(a, b), minus(a, b)]
}

fn three([a, b, c]: [Complex; 3]) -> [Complex; 3] {
    /// sin 2π/3
    const SIN: f32 = 0.866_025_4;
    let sum = plus(b, c);
    let [once, twice] = apart(minus(a, scaled(0.5, sum)), scaled(SIN, minus(b, c)));
    [plus(a, sum), once, twice]
}

fn five([a, b, c, d, e]: [Complex; 5]) -> [Complex; 5] {
    /// cos and sin of 2π/5 and 4π/5
    const COS: [f32; 2] = [0.309_017, -0.809_017];
    const SIN: [f32; 2] = [0.951_056_54, 0.587_785_24];
    let (outer, inner) = (plus(b, e), plus(c, d));
    let (across, between) = (minus(b, e), minus(c, d));
    let even = |[near, far]: [f32; 2]| plus(a, plus(scaled(near, outer), scaled(far, inner)));
    let [x1, x4] = apart(even(COS), plus(scaled(SIN[0], across), scaled(SIN[1], between)));
    let [x2, x3] =
        apart(even([COS[1], COS[0]]), minus(scaled(SIN[1], across), scaled(SIN[0], between)));
    [plus(a, plus(outer, inner)), x1, x2, x3, x4]
}
