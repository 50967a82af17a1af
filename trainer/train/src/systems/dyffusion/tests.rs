use burn::module::{AutodiffModule, Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use finescale::{Axis, Boundary, Grid};
use finescale_data::dataset::SpectralFrames;
use finescale_model::dyffusion::Part;
use finescale_model::reference::LAMBDA_FEATURES;
use finescale_peers::dyffusion::{Conditioning, Networks};

use super::evaluate::Evaluated;
use super::loss::Objective;
use super::shape::Shape;
use crate::config::{Config, Precision};
use crate::engine::frames::{Frames, numbers};
use crate::networks::dropout::Dropout;
use crate::networks::{Forward, Kind, Network};
use crate::systems::windows::batch::Held;
use crate::systems::windows::testing::{A, stirred, wave};

const POINTS: usize = 16;

/// A small system on a line, and frames of it.
fn objective(change: impl Fn(&mut Config)) -> (Objective, Held<A>) {
    let mut config = Config::default();
    config.network.tiny.channels = 6;
    config.network.tiny.dilations = vec![1, 2, 1];
    config.training.batch = 6;
    config.dyffusion.horizon = 4;
    change(&mut config);
    let grid = Grid::line(Axis::new(POINTS, Boundary::Periodic).unwrap());
    let shape = Shape { grid, channels: 1, about: config.dyffusion.about() };
    let values = (0..30 * POINTS).map(wave).collect();
    let frames = SpectralFrames { grid, channels: 1, segments: vec![0..10, 10..30], values };
    let frames = Frames::new(&frames, config.dyffusion.horizon, &Default::default()).unwrap();
    (Objective { shape, config }, Held { train: frames.clone(), valid: frames })
}

/// A network none of whose weights is zero.
fn network(objective: &Objective, part: Part) -> Network<A> {
    let Objective { shape, config } = objective;
    let fresh = shape.fresh::<A>(part, &config.network, 3, &Default::default());
    stirred(fresh.unwrap())
}

/// The loss of a batch and its derivative by the last bias of F.
fn derivative(objective: &Objective, held: &Held<A>, shift: f32) -> (f64, f64) {
    let interpolator = network(objective, Part::Interpolator).no_grad();
    let mut forecaster = network(objective, Part::Forecaster);
    let Network::Tiny(stack) = &mut forecaster else { panic!("the default is tiny") };
    let bias = Tensor::from_inner(stack.layers[2].bias.val().inner() + shift);
    let bias = Param::from_tensor(bias);
    stack.layers[2].bias = bias.clone();
    let loss = objective.forecaster_loss(held, &interpolator, &forecaster, 5);
    let value = f64::from(numbers(loss.total.clone())[0]);
    let slope = bias.val().grad(&loss.total.backward()).unwrap();
    (value, f64::from(numbers(slope)[0]))
}

/// If it failed, the frozen interpolator would learn, or its gradient would not reach F.
#[test]
fn gradients_run_through_the_frozen_interpolator_into_the_forecaster_alone() {
    for conditioning in [Conditioning::None, Conditioning::First, Conditioning::Noisy] {
        let (objective, held) = objective(|config| config.dyffusion.conditioning = conditioning);
        let interpolator = network(&objective, Part::Interpolator);
        let forecaster = network(&objective, Part::Forecaster);
        let of = |interpolator: &Network<A>| {
            let loss = objective.forecaster_loss(&held, interpolator, &forecaster, 5);
            let mut gradients = loss.total.backward();
            let of_i = GradientsParams::from_module(&mut gradients, interpolator).len();
            (of_i, GradientsParams::from_module(&mut gradients, &forecaster).len())
        };
        // Without the freezing it would have some: the test can fail.
        assert!(of(&interpolator).0 > 0);
        let (of_i, of_f) = of(&interpolator.clone().no_grad());
        assert!(of_i == 0 && of_f > 0, "{conditioning:?}: {of_i} and {of_f}");
    }
}

/// Central differences are the derivative where nothing is cut, and only there.
#[test]
fn the_last_frame_that_is_told_is_differentiated_unless_it_is_detached() {
    // Most of the loss looks ahead, and the straight line alone carries a gradient.
    let ahead = |config: &mut Config| {
        config.dyffusion.look_ahead = 0.9;
        config.dyffusion.residual = true;
    };
    let (whole, held) = objective(ahead);
    // Small enough that no absolute value has its kink between, as far as chance allows.
    let step = 1e-3;
    let [(above, _), (value, slope), (below, _)] =
        [step, 0.0, -step].map(|shift| derivative(&whole, &held, shift));
    let expected = (above - below) / (2.0 * f64::from(step));
    assert!((slope - expected).abs() < 0.01 * expected.abs(), "{slope} {expected}");
    let (cut, held) = objective(|config| {
        ahead(config);
        config.dyffusion.detach = true;
    });
    let (same, cut) = derivative(&cut, &held, 0.0);
    assert_eq!(value, same);
    assert!((cut - expected).abs() > 0.04 * expected.abs(), "{cut} {expected}");
    // Without the second loss there is nothing to cut.
    let alone = |detach| {
        let (objective, held) = objective(|config| {
            config.dyffusion.detach = detach;
            config.dyffusion.look_ahead = 0.0;
        });
        derivative(&objective, &held, 0.0)
    };
    assert_eq!(alone(true), alone(false));
}

/// If it failed, dropout would do more than drop: a rate at which nothing falls gives what no
/// dropout gives.
#[test]
fn networks_with_dropout_are_the_same_where_nothing_is_dropped() {
    let device = Default::default();
    for kind in [Kind::Tiny, Kind::Product, Kind::Unet] {
        let (objective, _) = objective(|config| {
            config.network.kind = kind;
            config.network.product.dilations = vec![1, 2];
            config.network.unet.dim = 8;
            config.network.unet.multipliers = vec![1, 2];
        });
        let network = network(&objective, Part::Interpolator);
        let fields = Tensor::<A, 1>::from_data(
            (0..4 * POINTS).map(wave).collect::<Vec<f32>>().as_slice(),
            &device,
        );
        let fields = fields.reshape([2, 2, 1, POINTS]);
        let lambda = Tensor::ones([2, LAMBDA_FEATURES], &device) * 0.3;
        let of = |rate: f64| {
            let mut dropout = Dropout::new(rate, [1, 0, 0, 0]);
            let (fields, lambda) = (fields.clone(), Some(lambda.clone()));
            numbers(network.forward_with(fields, lambda, Precision::Full, &mut dropout))
        };
        let (plain, kept, dropped) = (of(0.0), of(1e-15), of(0.3));
        for ((plain, kept), dropped) in plain.iter().zip(&kept).zip(&dropped) {
            assert!((plain - kept).abs() < 1e-5 * (1.0 + plain.abs()), "{kind:?} {plain} {kept}");
            assert_ne!(plain, dropped, "{kind:?}");
        }
    }
}

/// If it failed, one mask would be two, or two one, and the policies of sampling would mean nothing.
#[test]
fn masks_of_sampling_are_those_that_are_asked_for() {
    let (objective, held) = objective(|_| ());
    let interpolator = network(&objective, Part::Interpolator).valid();
    let ends: Vec<f64> = (0..2 * POINTS).map(|n| f64::from(wave(n))).collect();
    let drawn = |rate: f64, address: [u64; 3], mask: u64| {
        let mut shape = objective.shape.clone();
        shape.about.dropout = rate;
        let mut networks = Evaluated {
            shape: &shape,
            interpolator: Some(&interpolator),
            forecaster: &interpolator,
            device: *held.train.device(),
            address,
            drawn: 0,
        };
        networks.interpolate(&ends[..POINTS], &ends[POINTS..], 2.0, mask).unwrap()
    };
    let once = drawn(0.3, [1, 2, 3], 7);
    assert_eq!(once, drawn(0.3, [1, 2, 3], 7));
    for (address, mask) in [([1, 2, 3], 8), ([2, 2, 3], 7), ([1, 3, 3], 7), ([1, 2, 4], 7)] {
        assert_ne!(once, drawn(0.3, address, mask), "{address:?} {mask}");
    }
    assert_eq!(drawn(0.0, [1, 2, 3], 7), drawn(0.0, [1, 3, 3], 8));
}
