//! The file for boards: what is written is what is read, and nothing else is read.

#[path = "../../fixtures/models.rs"]
mod models;

use finescale::model::{
    Activation, CHECKED_FROM, HEADER_LEN, Invalid, MEAN_MAGIC, MeanModel, Model as View, VERSION,
    Weights, checksum,
};
use finescale::predictor::ScoreTables;
use finescale_model::export::quantize::Quantized;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};
use finescale_model::{Calibration, Model};
use models::{Kind, kinds, model};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::Int8, Precision::Int16];

/// The smallest model with every section.
fn smallest() -> Model {
    let line = kinds()[0];
    let mut model = model(&Kind { x: (8, line.x.1), window: 1, kernel: 3, ..line });
    model.meta.system.lambdas.truncate(3);
    let width = Calibration::of(&models::model(&Kind { x: (8, line.x.1), window: 1, ..line }))
        .unwrap()
        .width;
    for name in models::TABLES {
        let table = model.arrays.get_mut(*name).unwrap();
        table.values.truncate(3 * width);
        table.shape[0] = 3;
    }
    model
}

/// Everything that a view gives, touched.
fn walk(view: &View<'_>) -> usize {
    let mut seen = view.name().len() + view.input_fields() + view.autocovariance().len();
    seen += view.channel_descriptions().map(|c| c.name.len() + c.units.len()).sum::<usize>();
    for (n, layer) in view.layers().iter().enumerate() {
        seen += layer.bias.len() + layer.shape.macs();
        seen += match layer.weights {
            Weights::F32(weights) => weights.len(),
            Weights::I8 { weights, multipliers } => weights.len() + multipliers.len(),
            Weights::Int16 { words: [a, b], multipliers } => a.len() + b.len() + multipliers.len(),
        };
        assert!(view.layers().get(n).is_some());
    }
    assert_eq!(view.layers().iter().count(), view.layers().len());
    assert_eq!(view.channel_descriptions().count(), view.channels());
    seen
}

/// Bounds of so many layers, all different.
fn bounds(layers: usize) -> Bounds {
    let from = |first: f32| (0..layers).map(|n| first + n as f32).collect();
    Bounds { inputs: from(1.5), gradients: from(0.5), factors: from(2.5) }
}

#[test]
fn what_is_written_is_read() {
    for kind in kinds() {
        let model = model(&kind);
        let meta = &model.meta;
        for precision in PRECISIONS {
            let bounds = bounds(meta.layers().unwrap().len());
            let bytes = AlignedBytes::new(&file(&model, precision, &bounds).unwrap());
            let view = bytes.parse().unwrap();
            walk(&view);
            assert_eq!(view.name(), kind.name);
            assert_eq!(*view.grid(), meta.grid().unwrap());
            assert_eq!(*view.process(), meta.process().unwrap());
            assert_eq!((view.channels(), view.window()), (kind.channels, kind.window));
            assert_eq!(view.frame_interval(), 0.5);
            let options = view.options();
            assert_eq!(options.linear_base, kind.linear_base);
            let views = if kind.kernel == 0 { &[] } else { kind.views };
            assert!(view.views().iter().eq(views.iter().copied()));
            assert_eq!(view.companions(), if kind.residuals { 2 * kind.channels } else { 0 });
            assert_eq!(view.segments(), kind.products.map_or(1, |(_, segments)| segments));
            assert_eq!(options.bounded, kind.bounded);
            assert_eq!(options.score_head, kind.score_head);
            for (channel, known) in view.channel_descriptions().zip(&meta.channels) {
                assert_eq!((channel.name, channel.units), (&*known.name, &*known.units));
                assert_eq!((channel.mean, channel.std), (known.mean as f32, known.std as f32));
            }
            let tables = view.tables();
            assert_eq!(tables.innovation, model.array("innovation_ratio").unwrap().values);
            let scores = |prefix: &str, tables: ScoreTables<'_>| {
                let array = |name: &str| &model.array(&format!("{prefix}_{name}")).unwrap().values;
                assert_eq!(tables.power, array("power"));
                assert_eq!(tables.truth, array("truth"));
                assert_eq!(tables.drawn_power, array("drawn_power"));
                assert_eq!(tables.drawn_state, array("drawn_state"));
            };
            scores("score", tables.path);
            assert_eq!(tables.head.is_some(), kind.score_head);
            if let Some(head) = tables.head {
                scores("head", head);
            }
            assert_eq!(tables.lambdas.len(), meta.system.lambdas.len());
            assert_eq!(tables.lambda_grid, [1.0, 0.1, 0.01, 0.0]);
            assert_eq!(view.autocovariance(), model.base().unwrap().autocovariance.values);
            network(&view, &model, precision, &bounds);
        }
    }
}

fn network(view: &View<'_>, model: &Model, precision: Precision, bounds: &Bounds) {
    let metas = model.meta.layers().unwrap();
    if metas.is_empty() {
        assert!(view.layers().is_empty() && view.film().is_none());
        return;
    }
    let film = view.film().unwrap();
    assert_eq!(film.weight, model.array("network.film.weight").unwrap().values);
    assert_eq!(film.hidden_bias, model.array("network.film.hidden_bias").unwrap().values);
    for (n, layer) in view.layers().iter().enumerate() {
        let weights = model.array(&format!("network.layers.{n}.weight")).unwrap();
        assert_eq!(layer.bias, model.array(&format!("network.layers.{n}.bias")).unwrap().values);
        assert_eq!(layer.shape.dilation(), metas[n].dilation);
        assert_eq!(layer.input_bound, bounds.inputs[n]);
        assert_eq!(layer.gradient_bound, bounds.gradients[n]);
        assert_eq!(layer.activation, metas[n].activation);
        assert_eq!(layer.residual, metas[n].residual);
        assert_eq!(layer.modulated, n + 1 < metas.len());
        let product = layer.activation == Activation::Product;
        assert_eq!(layer.factor_bound, if product { bounds.factors[n] } else { 0.0 });
        match layer.weights {
            Weights::F32(got) => {
                let mut packed = vec![0.0; layer.shape.packed_len()];
                layer.shape.pack(&weights.values, &mut packed).unwrap();
                assert_eq!((got, precision), (&*packed, Precision::F32));
            }
            Weights::I8 { weights: got, multipliers } => {
                let quantized = Quantized::new(weights);
                let mut packed = vec![0; layer.shape.packed_len()];
                layer.shape.pack(&quantized.bytes, &mut packed).unwrap();
                assert_eq!(got, packed);
                assert_eq!((multipliers, precision), (&*quantized.multipliers, Precision::Int8));
            }
            Weights::Int16 { words: [forward, adjoint], multipliers } => {
                let quantized = Quantized::new(weights);
                let mut words = layer.shape.int16_words().map(|len| vec![0; len]);
                let [there, back] = &mut words;
                layer.shape.pack_int16(&quantized.bytes, there, back).unwrap();
                assert_eq!([forward, adjoint], [&**there, &**back]);
                assert_eq!((multipliers, precision), (&*quantized.multipliers, Precision::Int16));
            }
        }
    }
}

#[test]
fn eight_bits_are_within_half_a_step() {
    let model = model(&kinds()[2]);
    let weights = model.array("network.layers.1.weight").unwrap();
    let quantized = Quantized::new(weights);
    let per_output = weights.values.len() / quantized.multipliers.len();
    for (n, (rounded, weight)) in quantized.weights().zip(&weights.values).enumerate() {
        let step = quantized.multipliers[n / per_output];
        assert!((rounded - weight).abs() <= 0.5001 * step);
    }
    for row in quantized.bytes.chunks_exact(per_output) {
        assert_eq!(row.iter().map(|byte| byte.unsigned_abs()).max(), Some(127));
    }
}

#[test]
fn no_flipped_bit_is_overlooked() {
    for precision in PRECISIONS {
        let mut bytes = AlignedBytes::new(&file(&smallest(), precision, &bounds(3)).unwrap());
        for place in 0..bytes.bytes().len() {
            for bit in 0..8 {
                bytes.bytes_mut()[place] ^= 1 << bit;
                let parsed = View::parse(bytes.bytes());
                assert!(parsed.is_err(), "bit {bit} of byte {place}");
                bytes.bytes_mut()[place] ^= 1 << bit;
            }
        }
        assert!(bytes.parse().is_ok());
    }
}

#[test]
fn no_truncation_is_overlooked() {
    let bytes = AlignedBytes::new(&file(&smallest(), Precision::Int8, &Bounds::default()).unwrap());
    for length in 0..bytes.bytes().len() {
        assert!(View::parse(&bytes.bytes()[..length]).is_err(), "{length}");
    }
    // Nor is anything after the end.
    let longer = [bytes.bytes(), &[0; 16]].concat();
    assert_eq!(
        AlignedBytes::new(&longer).parse().err().map(|e| e.to_string()),
        Some(Invalid::Length.to_string())
    );
}

#[test]
fn every_refusal_names_its_reason() {
    let whole = file(&smallest(), Precision::F32, &Bounds::default()).unwrap();
    let parse = |change: &dyn Fn(&mut Vec<u8>), sealed: bool| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        if sealed {
            seal(&mut bytes);
        }
        View::parse(AlignedBytes::new(&bytes).bytes()).map(|_| ()).unwrap_err()
    };
    assert_eq!(parse(&|b| b[0] = b'P', false), Invalid::Magic);
    assert_eq!(parse(&|b| b[8] = 9, false), Invalid::Version { version: 9, reads: VERSION });
    assert_eq!(parse(&|b| b[10] = 7, false), Invalid::KernelLayout { layout: 7 });
    assert_eq!(parse(&|b| b[100] ^= 1, false), Invalid::Checksum);
    let fields: [(usize, u8, &str); 9] = [
        (22, 9, "grid"),
        (25, 2, "grid"),
        (26, 2, "laplacian"),
        (27, 16, "switch"),
        (27, 32, "options"),
        (48, 0, "channels"),
        (49, 0, "window"),
        (54, 200, "bins"),
        (61, 0, "sampler"),
    ];
    for (place, value, name) in fields {
        assert_eq!(parse(&|b| b[place] = value, true), Invalid::Field { name }, "{place}");
    }
    // Not aligned.
    let shifted = AlignedBytes::new(&[&[0; 2], &*whole].concat());
    assert_eq!(View::parse(&shifted.bytes()[2..]).err(), Some(Invalid::Alignment));
}

/// Every model that is shipped for boards is whole; of the smallest predictor every flip of one bit
/// and every truncation is refused.
#[test]
fn a_shipped_model_with_one_bit_flipped_is_refused() {
    use rayon::prelude::*;
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let folders = std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|folder| folder.is_dir()).flat_map(|folder| {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    });
    let shipped: Vec<Vec<u8>> = files
        .filter(|file| file.extension().is_some_and(|suffix| suffix == "finescale"))
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    assert!(shipped.len() >= 6);
    let (means, mut shipped): (Vec<_>, Vec<_>) =
        shipped.into_iter().partition(|bytes| bytes.starts_with(&MEAN_MAGIC));
    for bytes in means {
        MeanModel::parse(AlignedBytes::new(&bytes).bytes()).unwrap();
    }
    for bytes in &shipped {
        walk(&AlignedBytes::new(bytes).parse().unwrap());
    }
    shipped.sort_by_key(Vec::len);
    let whole = &shipped[0];
    // A copy for each thread, whose bit is flipped back.
    (0..whole.len()).into_par_iter().for_each_init(
        || AlignedBytes::new(whole),
        |bytes, place| {
            for bit in 0..8 {
                bytes.bytes_mut()[place] ^= 1 << bit;
                assert!(bytes.parse().is_err(), "bit {bit} of byte {place}");
                bytes.bytes_mut()[place] ^= 1 << bit;
            }
            assert!(View::parse(&bytes.bytes()[..place]).is_err(), "{place} bytes");
        },
    );
}

/// Makes length and checksum right, so that a parser sees what comes after.
fn seal(bytes: &mut [u8]) {
    let length = (bytes.len() as u32).to_le_bytes();
    let Some(at) = bytes.get_mut(12..16) else { return };
    at.copy_from_slice(&length);
    if bytes.len() >= HEADER_LEN {
        let sum = checksum(&bytes[CHECKED_FROM..]);
        bytes[16..20].copy_from_slice(&sum.to_le_bytes());
    }
}

/// If it failed, a plane of an older version would turn its travelling waves the other way.
#[test]
fn a_model_of_another_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut model = model(&kinds()[0]);
    for layout in [1, finescale_model::LAYOUT, finescale_model::LAYOUT + 1] {
        model.meta.layout = layout;
        model.save(&path).unwrap();
        match Model::open(&path) {
            Ok(read) => assert!(layout == finescale_model::LAYOUT && read == model),
            Err(error) => {
                assert_ne!(layout, finescale_model::LAYOUT);
                assert!(format!("{error:#}").contains("train it again"), "{error:#}");
            }
        }
    }
}
