//! Sizes that no processor can hold, and numbers that no formula is made for: refused by name,
//! never wrapped.

use std::f32::consts::PI;

use finescale::layer::int16::{Conv16, Input16, Output16, points_len};
use finescale::layer::{ConvShape, Epilogue, WeightGradient};
use finescale::predictor::{Calibration, Linear, ScoreTables};
use finescale::{Axis, Boundary, Error, ForwardProcess, Grid, Laplacian};
use finescale_tests::BOUNDARIES;
use finescale_tests::layers::{line, plane};

const HUGE: [usize; 4] =
    [usize::MAX, usize::MAX / 2, 1 << (usize::BITS - 1), 1 << (usize::BITS / 2)];

fn small() -> Grid {
    plane(8, Boundary::Periodic, 8, Boundary::Periodic)
}

#[test]
fn lengths_that_do_not_fit_are_lengths_that_no_slice_has() {
    let grid = small();
    for huge in HUGE {
        assert_eq!(Linear::memory_len(&grid, huge, huge), usize::MAX);
        assert_eq!(Linear::noise_memory_len(&grid, huge, huge), usize::MAX);
        assert_eq!(Linear::memory_len(&grid, 1, huge), usize::MAX);
        assert_eq!(Linear::memory_len(&grid, huge, 1), usize::MAX);
        assert_eq!(points_len(huge, usize::MAX), usize::MAX);
    }
    // Where they fit they are what the documentation says.
    let (n, c, w) = (64, 2, 5);
    let memory = (1 + w) * c * n + c * c * n * w * (w + 1) / 2;
    assert_eq!(Linear::memory_len(&grid, c, w), memory);
    assert_eq!(Linear::memory_len(&grid, c, w + 1), memory + c * n + c * c * n * (w + 1));
    assert_eq!(Linear::noise_memory_len(&grid, c, w), c * n + c * c * n * w * (w + 1) / 2);
}

#[test]
fn a_predictor_of_too_many_channels_is_refused() {
    let (grid, process) = (small(), ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap());
    let (autocovariance, mut memory) = ([1.0; 128], [0.0; 4096]);
    for channels in HUGE.into_iter().chain([0]) {
        let refused = Linear::new(&grid, &process, channels, &autocovariance, &mut memory).err();
        assert!(matches!(refused, Some(Error::FieldLength { .. })), "{refused:?}");
    }
    let autocovariance = vec![1.0; 18 * 64];
    let refused = Linear::new(&grid, &process, 1, &autocovariance, &mut memory).err();
    let name = "window × channels";
    let many =
        Error::Count { name, value: 17, expected: "at most 16, the equations for each mode" };
    assert_eq!(refused, Some(many));

    let autocovariance = [1.0; 128];
    let needed = Linear::memory_len(&grid, 1, 1);
    let refused = Linear::new(&grid, &process, 1, &autocovariance, &mut memory[1..needed]).err();
    assert_eq!(refused, Some(Error::MemoryLength { values: needed - 1, needed }));
    let needed = Linear::noise_memory_len(&grid, 1, 1);
    let (memory, head) = memory.split_at_mut(2048);
    let linear = Linear::new(&grid, &process, 1, &autocovariance, memory).unwrap();
    let refused = linear.with_noise(&mut head[1..needed]).err();
    assert_eq!(refused, Some(Error::MemoryLength { values: needed - 1, needed }));
}

#[test]
fn tables_of_too_many_channels_are_refused() {
    let (lambdas, table) = ([0.1, 0.2], [1.0; 8]);
    let scores =
        ScoreTables { power: &table, truth: &table, drawn_power: &table, drawn_state: &table };
    for huge in HUGE {
        for (channels, bins) in [(huge, 4), (4, huge), (huge, huge)] {
            let refused = Calibration::new(&lambdas, channels, bins, &table, scores, None).err();
            assert!(matches!(refused, Some(Error::LengthMismatch { left: 8, .. })), "{refused:?}");
        }
    }
    let calibration = Calibration::new(&lambdas, 1, 4, &table, scores, None).unwrap();
    let place = calibration.position(0.1);
    assert_eq!(calibration.innovation(place, usize::MAX, usize::MAX), 1.0);
    // Tables without entries are of any size.
    let none = ScoreTables::default();
    let empty = Calibration::new(&[], usize::MAX, usize::MAX, &[], none, None).unwrap();
    assert_eq!(empty.innovation(empty.position(0.1), usize::MAX - 1, usize::MAX - 1), 1.0);
}

#[test]
fn a_table_entry_that_scores_are_divided_by_is_positive() {
    let name = |innovation: f32, power: f32, truth: f32| {
        let (innovation, power, truth) = ([innovation], [power], [truth]);
        let scores =
            ScoreTables { power: &power, truth: &truth, drawn_power: &[1.0], drawn_state: &[-1.0] };
        match Calibration::new(&[0.1], 1, 1, &innovation, scores, None) {
            Err(Error::Parameter { name, .. }) => name,
            Err(error) => panic!("{error:?}"),
            Ok(_) => "accepted",
        }
    };
    assert_eq!(name(0.0, 1.0, 1.0), "innovation");
    assert_eq!(name(-1.0, 1.0, 1.0), "innovation");
    assert_eq!(name(f32::INFINITY, 1.0, 1.0), "innovation");
    assert_eq!(name(1.0, -1.0, 1.0), "power");
    assert_eq!(name(1.0, 0.0, f32::NAN), "truth");
    assert_eq!(name(1e-30, 0.0, -1.0), "accepted");
}

#[test]
fn the_largest_convolution_has_the_lengths_of_its_formulas() {
    let grids = [
        line(4096, Boundary::Reflecting),
        plane(1024, Boundary::Reflecting, 1024, Boundary::Reflecting),
        small(),
    ];
    for (grid, taps) in grids.into_iter().flat_map(|grid| [(grid, 1), (grid, 7)]) {
        let most = ConvShape::CHANNELS_MAX;
        let shape = ConvShape::new(grid, most, most, taps, 2).unwrap();
        let (points, nx) = (grid.points() as u64, grid.nx() as u64);
        let (c, t, reach) = (most as u64, taps as u64, 2 * (taps as u64 / 2));
        let rows = if grid.is_line() { 1 } else { t };
        let ny = if grid.is_line() { 1 } else { grid.ny() as u64 + 2 * reach };
        let beyond = if grid.x().boundary() == Boundary::Reflecting { 2 * reach } else { 0 };
        let width = (nx + beyond).next_multiple_of(4);
        let products = c * c * rows * t;
        let tiles = (c / 8 * rows * t).div_ceil(2);
        let gradient = WeightGradient::new(shape);
        let lengths = [
            (shape.input_len(), c * points),
            (shape.output_len(), c * points),
            (shape.signs_len(), c * points / 8),
            (shape.weights_len(), products),
            (shape.packed_len(), products),
            (shape.scratch_len(), rows * c * t * nx + nx + 2 * reach),
            (shape.int16_words()[0], products / 4),
            (shape.int16_words()[1], products / 4),
            (
                shape.int16_scratch_len(),
                4 * rows * (c / 4) * (width + 2 * reach) + c * width + 2 * c,
            ),
            (gradient.sums_len(), c / 4 * tiles * 64),
            (gradient.scratch_len(), c * ny * (nx + 2 * reach)),
        ];
        for (n, (got, expected)) in lengths.into_iter().enumerate() {
            assert_eq!(got as u64, expected, "length {n}");
            // The same on boards: a length that does not fit would be the largest number there.
            assert!(expected < u64::from(u32::MAX), "length {n}");
        }
        assert_eq!(shape.macs() as u64, products * points);
    }
}

#[test]
fn a_byte_beyond_a_convolution_is_zero() {
    let shape = ConvShape::new(small(), 5, 3, 3, 1).unwrap();
    let [forward, _] = shape.int16_words();
    let words = vec![u32::MAX; forward];
    assert_eq!(shape.int16_byte(&words, [2, 4, 2, 2]), -1);
    for at in 0..4 {
        let sizes = [3, 5, 3, 3];
        for beyond in HUGE.into_iter().chain([sizes[at]]) {
            let mut place = [0; 4];
            place[at] = beyond;
            assert_eq!(shape.int16_byte(&words, place), 0, "{place:?}");
        }
    }
    assert_eq!(shape.int16_byte(&[], [0; 4]), 0);
}

#[test]
fn exponents_of_any_size_are_taken() {
    let shape = ConvShape::new(small(), 4, 4, 3, 1).unwrap();
    let words = shape.int16_words().map(|len| vec![0x0102_0304; len]);
    let conv = Conv16::new(shape, &words[0], &words[1]).unwrap();
    let epilogue = Epilogue { scale: &[1.0; 4], shift: &[0.5; 4], slope: 0.1 };
    let (points, mut other) = (vec![[0x0001_0001; 2]; 64], vec![[0; 2]; 64]);
    let mut signs = vec![0; shape.signs_len()];
    let mut scratch = vec![0.0; shape.int16_scratch_len()];
    let exponents = [i32::MIN, -1000, 0, 1000, i32::MAX];
    for from in exponents {
        for to in exponents {
            let input = Input16::Points { points: &points, exponent: from };
            let output = Output16::Points { points: &mut other, exponent: to };
            let add = Some((&*points, from));
            conv.forward(input, &epilogue, Some(&mut signs), add, output, &mut scratch).unwrap();
            let output = Output16::Points { points: &mut other, exponent: to };
            conv.vjp(input, &epilogue, Some(&signs), add, output, &mut scratch).unwrap();
        }
    }
}

#[test]
fn what_is_added_to_fields_is_refused() {
    let shape = ConvShape::new(small(), 4, 4, 3, 1).unwrap();
    let words = shape.int16_words().map(|len| vec![0; len]);
    let conv = Conv16::new(shape, &words[0], &words[1]).unwrap();
    let epilogue = Epilogue { scale: &[1.0; 4], shift: &[0.0; 4], slope: 1.0 };
    let (points, mut fields) = (vec![[0; 2]; 64], vec![0.0; 256]);
    let mut scratch = vec![0.0; shape.int16_scratch_len()];
    let input = Input16::Points { points: &points, exponent: 0 };
    let add = Some((&*points, 0));
    let forward =
        conv.forward(input, &epilogue, None, add, Output16::Fields(&mut fields), &mut scratch);
    let vjp = conv.vjp(input, &epilogue, None, add, Output16::Fields(&mut fields), &mut scratch);
    for refused in [forward, vjp] {
        assert!(matches!(refused, Err(Error::Conflict { name: "add", .. })), "{refused:?}");
    }
}

#[test]
fn an_axis_has_a_length_that_a_model_can_have() {
    for boundary in BOUNDARIES {
        let axis = Axis::new(16, boundary).unwrap();
        for length in [1e-6, 1e-3, PI, 1e6] {
            let long = axis.with_length(length).unwrap();
            assert!((long.length() / length - 1.0).abs() < 3e-7);
            assert_eq!(axis.with_length(long.length()).unwrap(), long);
        }
        for length in [0.0, -1.0, 9.9e-7, 1.01e6, f32::INFINITY, f32::NAN] {
            let refused = axis.with_length(length).err();
            assert!(matches!(refused, Some(Error::Parameter { name: "length", .. })), "{length}");
        }
    }
}
