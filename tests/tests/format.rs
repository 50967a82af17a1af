//! `docs/format.md` read as a program: its tables walk through files, and its limits are the
//! code's.

use std::collections::HashMap;
use std::path::Path;
use std::{fs, iter};

use finescale::layer::ConvShape;
use finescale::model::{
    ADDRESS_ALIGNMENT, ALIGNMENT, CHECKED_FROM, HEADER_LEN, Invalid, KERNEL_LAYOUT, LAYERS_MAX,
    MAGIC, Model, VERSION, Weights,
};
use finescale::predictor::{Linear, ScoreTables};
use finescale::{Axis, Grid};
use finescale_tests::model_file::{seal, seeds, with_model};

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md");
    fs::read_to_string(path).expect("docs/format.md is there")
}

/// The rows of the tables under a heading, in order, without their headings.
fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = document.split_once(&format!("\n## {heading}")).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|'));
    let cells = |line: &str| -> Vec<String> {
        let line = line.replace("\\|", "¦");
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows = lines.map(cells);
    rows.filter(|row| row[0] != "offset" && row[0] != "type" && !row[0].contains("---")).collect()
}

/// The row of the header at an offset: type, field, values.
fn header(document: &str, offset: usize) -> [String; 3] {
    let rows = rows(document, "Header");
    let row = rows.iter().find(|row| row[0] == offset.to_string()).expect("a row of that offset");
    [row[1].clone(), row[2].clone(), row[3].clone()]
}

/// Every number in a text.
fn numbers(text: &str) -> Vec<f64> {
    let digit = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.split(|c| !digit(c)).filter_map(|word| word.parse().ok()).collect()
}

fn bytes_of(kind: &str) -> usize {
    match kind {
        "u8" | "i8" => 1,
        "u16" => 2,
        "u32" | "f32" => 4,
        other => other.strip_suffix(" bytes").and_then(|n| n.parse().ok()).expect("a type"),
    }
}

/// A seed file that was changed at one place, and what is said to it.
fn refusal(seed: &[u8], offset: usize, bytes: &[u8]) -> Option<Invalid> {
    let mut file = seed.to_vec();
    file[offset..][..bytes.len()].copy_from_slice(bytes);
    seal(&mut file);
    with_model(&file, |model| model.err())
}

#[test]
fn the_constants_are_the_documents() {
    let document = document();
    assert!(document.contains(&format!("\n## Header, {HEADER_LEN} bytes\n")));
    // Wherever its lines end.
    let text = document.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("at a multiple of {ADDRESS_ALIGNMENT} bytes in memory")));
    assert!(text.contains(&format!("The first {CHECKED_FROM} bytes are known exactly")));
    let magic: Vec<String> = MAGIC.iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(header(&document, 0)[2], magic.join(" "));
    assert_eq!(header(&document, 8)[2], VERSION.to_string());
    assert_eq!(header(&document, 10)[2], KERNEL_LAYOUT.to_string());
    assert!(header(&document, 16)[1].contains(&format!("all bytes from {CHECKED_FROM} on")));
    // The header's rows follow each other without a gap.
    let rows = rows(&document, "Header");
    let mut at = 0;
    for row in &rows {
        assert_eq!(row[0], at.to_string(), "{row:?}");
        at += bytes_of(&row[1]);
    }
    assert_eq!(at, HEADER_LEN);
}

#[test]
fn the_limits_are_the_documents() {
    let document = document();
    let limits = |offset: usize| numbers(&header(&document, offset)[2]);
    let (least, plane) = (Axis::POINTS_MIN as f64, Grid::PLANE_POINTS_MAX as f64);
    assert_eq!(limits(20), [0.0, least, plane]);
    assert_eq!(limits(22), [least, Axis::POINTS_MAX as f64, plane]);
    assert_eq!(limits(49), [1.0, Linear::EQUATIONS_MAX as f64]);
    assert_eq!(limits(50), [0.0, 2.0, LAYERS_MAX as f64]);

    // What has no constant is asked of a file: of a plane, at the limit and beyond it.
    let seeds = seeds();
    let plane = seeds.iter().find(|seed| seed[20] > 0 && seed[50] > 0).expect("a plane");
    let refused = |name| Some(Invalid::Field { name });
    for offset in [28, 32] {
        let values = limits(offset);
        let &[.., least, most] = &*values else { panic!("{values:?}") };
        for (value, beyond) in [(least, 0.99 * least), (most, 1.01 * most)] {
            let length = |value: f64| refusal(plane, offset, &(value as f32).to_le_bytes());
            // Other lengths may have other radial bins.
            assert_ne!(length(value), refused("grid"), "{offset}");
            assert_eq!(length(beyond), refused("grid"), "{offset}");
        }
    }
    // α may be 0; without noise, β² = 0, a path has no score.
    for (offset, said, zero) in
        [(36, "from 0 to 1e6", None), (40, "above 0, to 1e6", refused("process"))]
    {
        assert_eq!(header(&document, offset)[2], said);
        let with = |value: f32| refusal(plane, offset, &value.to_le_bytes());
        assert_eq!(with(0.0), zero);
        assert_eq!(with(1e6), None);
        for beyond in [-1e-6, 1.01e6] {
            assert_eq!(with(beyond), refused("process"));
        }
    }
    for (offset, name) in [(24, "grid"), (25, "grid"), (26, "laplacian")] {
        assert_eq!(&limits(offset)[..2], [0.0, 1.0]);
        assert_eq!(refusal(plane, offset, &[2]), refused(name));
    }
    assert_eq!(limits(60)[..4], [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(limits(61), [1.0]);
    assert_eq!(limits(63), [0.0, 1.0, 100.0]);
    let refusals = [(60, 3, 4), (61, 1, 0), (62, 4, 5), (63, 100, 101)];
    for (offset, last, beyond) in refusals {
        assert_eq!(refusal(plane, offset, &[last]), None, "{offset}");
        assert_eq!(refusal(plane, offset, &[beyond]), refused("sampler"), "{offset}");
    }
    // Scores of a head that is not there.
    assert_eq!(plane[27] & 4, 0);
    assert_eq!(refusal(plane, 62, &[0x80]), refused("sampler"));
    let options = header(&document, 27)[2].matches(',').count() + 1;
    assert_eq!(refusal(plane, 27, &[1 << options]), refused("options"));
    assert_ne!(refusal(plane, 27, &[1 << (options - 1)]), refused("options"));
}

#[test]
fn the_limits_of_layers_are_the_documents() {
    let document = document();
    let layers = rows(&document, "A layer");
    let taps = &layers.iter().find(|row| row[1] == "taps").expect("a row of taps")[2];
    let line = |reflecting: bool| {
        let boundary = if reflecting { Axis::reflecting(32) } else { Axis::periodic(32) };
        Grid::line(boundary.expect("an axis"))
    };
    let allowed = (0..=32).filter(|taps| ConvShape::new(line(false), 1, 1, *taps, 1).is_ok());
    assert_eq!(numbers(taps), allowed.map(|taps| taps as f64).collect::<Vec<_>>());

    // One tap of n channels is a sum of n products; where x reflects, three taps fold at the ends.
    let most = |reflecting: bool, taps: usize| {
        let shape = |n| ConvShape::new(line(reflecting), n, 1, taps, 1).expect("a shape");
        let fitting = (1..=ConvShape::CHANNELS_MAX).map(shape).filter(ConvShape::fits_int16);
        fitting.map(|shape| shape.products_max()).max().expect("one channel fits")
    };
    let (_, rest) = document.split_once("which limits it to ").expect("the limit of products");
    let said = numbers(rest.split(". ").next().unwrap_or_default());
    assert_eq!(said, [most(false, 1), most(false, 1) / 2].map(|n| n as f64));
    let (open, folded) = (most(false, 3), most(true, 3));
    assert!(open <= 516 && open > 516 - 3 && folded <= 516, "{open} {folded}");
}

/// A file, read as the document's tables say.
struct Walker<'f> {
    file: &'f [u8],
    at: usize,
    /// What the document's symbols stand for.
    symbols: HashMap<String, usize>,
}

impl Walker<'_> {
    fn take(&mut self, n: usize) -> &[u8] {
        let taken = &self.file[self.at..][..n];
        self.at += n;
        taken
    }

    fn align(&mut self) {
        while !self.at.is_multiple_of(ALIGNMENT) {
            assert_eq!(self.take(1), [0]);
        }
    }

    /// A product such as `(W+1) · C · C · N` or `H · 2M`.
    fn product(&self, text: &str) -> usize {
        let factor = |text: &str| -> usize {
            let text = text.trim_matches(['(', ')']);
            let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, symbol) = text.split_at(digits);
            let number = number.parse().unwrap_or(1);
            if symbol.is_empty() { number } else { number * self.symbols[symbol] }
        };
        let sum =
            |text: &str| text.split('+').map(|t| factor(t.trim_matches(['(', ')']))).sum::<usize>();
        text.split(" · ").map(sum).product()
    }

    /// A row's values, as f32 whatever their type: `f32 × L · C · B, aligned` or `u16`.
    fn row(&mut self, kind: &str) -> Vec<f32> {
        let kind = match kind.strip_suffix(", aligned") {
            Some(kind) => {
                self.align();
                kind
            }
            None => kind,
        };
        let (kind, count) = kind.split_once(" × ").unwrap_or((kind, "1"));
        let count = self.product(count);
        let bytes = self.take(bytes_of(kind) * count).to_vec();
        let value = |bytes: &[u8]| match (kind, bytes) {
            ("f32", &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            ("u32", &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as f32,
            ("u16", &[a, b]) => f32::from(u16::from_le_bytes([a, b])),
            ("u8", &[a]) => f32::from(a),
            ("i8", &[a]) => f32::from(a.cast_signed()),
            other => panic!("{other:?}"),
        };
        bytes.chunks_exact(bytes_of(kind)).map(value).collect()
    }
}

/// What the document's walk through a file finds is what a view of it gives, to the last byte.
#[test]
fn the_tables_walk_through_every_seed() {
    let document = document();
    for file in &seeds() {
        with_model(file, |model| walk(&document, file, &model.expect("a seed is accepted")));
    }
}

fn walk(document: &str, file: &[u8], model: &Model<'_>) {
    let mut walker = Walker { file, at: HEADER_LEN, symbols: HashMap::new() };
    let field = |offset: usize| -> usize {
        let kind = header(document, offset)[0].clone();
        let mut walker = Walker { file, at: offset, symbols: HashMap::new() };
        walker.row(&kind)[0] as usize
    };
    let points = field(22) * field(20).max(1);
    for (symbol, offset) in [("C", 48), ("W", 49), ("L", 51), ("G", 52), ("H", 53), ("B", 54)] {
        let [_, name, _] = header(document, offset);
        assert!(name == symbol || name.starts_with(&format!("{symbol}, ")), "{symbol}: {name}");
        walker.symbols.insert(symbol.into(), field(offset));
    }
    walker.symbols.insert("N".into(), points);
    let layers = field(50);
    let heads = model.options().score_head;
    assert_eq!(
        (model.channels(), model.window(), model.layers().len(), model.grid().points()),
        (field(48), field(49), layers, points)
    );
    assert_eq!(field(57), model.companions());
    assert_eq!(field(58), usize::from(model.views().bits()));
    assert_eq!(field(59).max(1), model.segments());
    let recommended = model.recommended();
    assert_eq!(recommended.to_bytes().map(usize::from), [60, 61, 62, 63].map(field));
    let footprint = model.footprint();
    let said = [64, 68, 72, 76].map(field);
    let known = [footprint.memory, footprint.predictor, footprint.reverse, footprint.frame];
    assert_eq!(said, known.map(|bytes| bytes as usize));

    let tables = model.tables();
    let four =
        |s: ScoreTables<'_>| [s.power, s.truth, s.drawn_power, s.drawn_state].map(<[f32]>::to_vec);
    let mut known: Vec<Vec<f32>> = vec![tables.lambdas.to_vec(), tables.innovation.to_vec()];
    known.extend(four(tables.path));
    known.extend(tables.head.into_iter().flat_map(four));
    known.extend([tables.lambda_grid.to_vec(), model.autocovariance().to_vec()]);
    let mut known = known.into_iter();

    let body = rows(document, "Body");
    let mut kinds: Vec<String> = Vec::new();
    for row in &body {
        let kind = row[0].as_str();
        match kind {
            "UTF-8" => {
                assert_eq!(walker.take(field(56)), model.name().as_bytes());
                walker.align();
            }
            "C × channel" => channels(&mut walker, model),
            "f32, aligned" if row[1].starts_with("λ₁") => {
                let switch = model.process().switch();
                assert_eq!(switch != 0.0, file[27] & 16 != 0);
                if switch != 0.0 {
                    assert_eq!(walker.row(kind), [switch]);
                }
            }
            "f32, aligned" => {
                let coupled = model.process().is_coupled();
                assert_eq!(coupled, file[27] & 8 != 0);
                if coupled {
                    assert_eq!(walker.row(kind), [model.process().coupling()]);
                }
            }
            "the same four" if heads => {
                for kind in &kinds[kinds.len() - 4..] {
                    assert_eq!(walker.row(kind), known.next().expect("a table"), "{kind}");
                }
            }
            "the same four" => {}
            "layers" => network_layers(document, &mut walker, model),
            // The rows from here on are there with a network only.
            _ if known.len() == 0 && layers == 0 => break,
            _ if known.len() == 0 => film(&mut walker, model, kind, &row[1]),
            kind => {
                assert_eq!(walker.row(kind), known.next().expect("a table"), "{row:?}");
                kinds.push(kind.to_owned());
            }
        }
    }
    walker.align();
    assert_eq!((known.len(), walker.at), (0, file.len()));
}

fn channels(walker: &mut Walker<'_>, model: &Model<'_>) {
    for channel in model.channel_descriptions() {
        assert_eq!([walker.row("f32")[0], walker.row("f32")[0]], [channel.mean, channel.std]);
        let lengths = [walker.row("u16")[0], walker.row("u16")[0]];
        for (text, length) in iter::zip([channel.name, channel.units], lengths) {
            assert_eq!(walker.take(length as usize), text.as_bytes());
        }
    }
}

fn film(walker: &mut Walker<'_>, model: &Model<'_>, kind: &str, field: &str) {
    let values = walker.row(kind);
    let film = model.film().expect("a network is modulated");
    match kind {
        "u32, aligned" => {
            assert_eq!(values, [film.bias.len() as f32 / 2.0]);
            walker.symbols.insert("M".into(), values[0] as usize);
        }
        "f32 × 5 · H, aligned" => assert_eq!(values, film.hidden_weight),
        "f32 × H, aligned" => assert_eq!(values, film.hidden_bias),
        "f32 × H · 2M, aligned" => assert_eq!(values, film.weight),
        "f32 × 2M, aligned" => assert_eq!(values, film.bias),
        _ => panic!("no field of the modulation: {field}"),
    }
}

fn network_layers(document: &str, walker: &mut Walker<'_>, model: &Model<'_>) {
    for layer in model.layers().iter() {
        let shape = layer.shape;
        let (int8, int16) = match layer.weights {
            Weights::F32(_) => (false, false),
            Weights::I8 { .. } => (true, false),
            Weights::Int16 { .. } => (true, true),
        };
        for row in rows(document, "A layer") {
            let (kind, field) = (row[0].as_str(), row[1].as_str());
            let expected: Vec<f32> = match field {
                "channels in" => vec![shape.inputs() as f32],
                "channels out" => {
                    walker.symbols.insert("channels out".into(), shape.outputs());
                    vec![shape.outputs() as f32]
                }
                "taps" => vec![shape.taps() as f32],
                "dilation" => vec![shape.dilation() as f32],
                "weights" => vec![f32::from(u8::from(int8)) + f32::from(u8::from(int16))],
                "activation" => vec![f32::from(layer.activation as u8)],
                "bias" => layer.bias.to_vec(),
                "multipliers" => match layer.weights {
                    Weights::F32(_) => continue,
                    Weights::I8 { multipliers, .. } | Weights::Int16 { multipliers, .. } => {
                        multipliers.to_vec()
                    }
                },
                "weights, packed" => {
                    walker.symbols.insert("packed".into(), shape.packed_len());
                    let (kind, known) = match layer.weights {
                        Weights::F32(weights) => ("f32", weights.to_vec()),
                        Weights::I8 { weights, .. } => {
                            ("i8", weights.iter().copied().map(f32::from).collect())
                        }
                        Weights::Int16 { .. } => continue,
                    };
                    assert_eq!(walker.row(&format!("{kind} × packed, aligned")), known);
                    continue;
                }
                _ if field.starts_with("largest absolute value") => vec![layer.input_bound],
                _ if field.starts_with("the same of the gradient") => vec![layer.gradient_bound],
                _ if field.starts_with("the same of p") => vec![layer.factor_bound],
                _ if field.starts_with("words of the forward") => {
                    let Weights::Int16 { words, .. } = layer.weights else { continue };
                    for known in words {
                        walker.symbols.insert("words".into(), known.len());
                        let known: Vec<f32> = known.iter().map(|word| *word as f32).collect();
                        assert_eq!(walker.row("u32 × words, aligned"), known);
                    }
                    continue;
                }
                _ => panic!("no field of a layer: {field}"),
            };
            assert_eq!(walker.row(kind), expected, "{field}");
        }
    }
}
