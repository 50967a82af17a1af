//! Which layers a network has: the one description that the f64 reference, ONNX and the file for
//! boards are made from.

use anyhow::{Result, bail, ensure};
use finescale::model::Activation;
use serde::{Deserialize, Serialize};

/// The network's kind and sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkMeta {
    /// The linear base alone.
    Linear,
    /// Residual dilated convolutions with rectifiers.
    Tiny {
        /// Channels of the inner layers.
        channels: usize,
        /// Points of a kernel along each axis.
        kernel: usize,
        /// Dilation of each layer.
        dilations: Vec<usize>,
    },
    /// A convolution, blocks that add products of two convolutions, and a layer of one point.
    Product {
        /// Channels of the inner layers.
        channels: usize,
        /// Points of a kernel along each axis.
        kernel: usize,
        /// Dilation of each block.
        dilations: Vec<usize>,
        /// Into how many runs the blocks are split: see [`finescale::model::Model::segments`].
        segments: usize,
    },
    /// A network that the runtime lacks, and the desktop has in ONNX: the paper's U-Net, say.
    #[serde(untagged)]
    Other(OtherNetwork),
}

/// A network that boards have no room for, as the configuration of the training has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherNetwork {
    /// Its kind.
    pub kind: String,
    /// Its settings.
    #[serde(flatten)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// One convolution of a network, with what follows it. All but the last are modulated by λ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerMeta {
    /// Channels in.
    pub inputs: usize,
    /// Channels out of the convolution; the next layer gets half of them if they are factors.
    pub outputs: usize,
    /// Points along each axis.
    pub kernel: usize,
    /// Distance between them.
    pub dilation: usize,
    /// What follows.
    pub activation: Activation,
    /// Whether the input is added to the output.
    pub residual: bool,
}

impl NetworkMeta {
    /// A network that the runtime lacks, of its kind and its section of the configuration.
    pub fn other(kind: &str, settings: &impl Serialize) -> Self {
        let settings = match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(settings)) => settings,
            _ => serde_json::Map::new(),
        };
        Self::Other(OtherNetwork { kind: kind.into(), settings })
    }

    /// Whether the runtime has it: only then is there a file for boards.
    pub fn on_boards(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// The runtime's [`finescale::model::Model::segments`]; 0 without products.
    pub fn segments(&self) -> usize {
        match self {
            Self::Product { segments, .. } => *segments,
            Self::Linear | Self::Tiny { .. } | Self::Other(_) => 0,
        }
    }

    /// The layers from so many fields to so many, from first to last; none for the linear base.
    ///
    /// # Errors
    /// If there are no two layers, or the runtime lacks the network.
    pub fn layers(&self, inputs: usize, outputs: usize) -> Result<Vec<LayerMeta>> {
        let layers = match self {
            Self::Linear => return Ok(Vec::new()),
            Self::Tiny { channels, kernel, dilations } => {
                let last = dilations.len().saturating_sub(1);
                let layer = |(n, &dilation): (usize, &usize)| LayerMeta {
                    inputs: if n == 0 { inputs } else { *channels },
                    outputs: if n == last { outputs } else { *channels },
                    kernel: *kernel,
                    dilation,
                    activation: if n == last { Activation::None } else { Activation::Rectifier },
                    residual: n > 0 && n < last,
                };
                dilations.iter().enumerate().map(layer).collect::<Vec<_>>()
            }
            Self::Product { channels, kernel, dilations, .. } => {
                let plain = |inputs, outputs, kernel| LayerMeta {
                    inputs,
                    outputs,
                    kernel,
                    dilation: 1,
                    activation: Activation::None,
                    residual: false,
                };
                let block = |&dilation: &usize| LayerMeta {
                    inputs: *channels,
                    outputs: 2 * channels,
                    kernel: *kernel,
                    dilation,
                    activation: Activation::Product,
                    residual: true,
                };
                let first = [plain(inputs, *channels, *kernel)];
                let last = [plain(*channels, outputs, 1)];
                first.into_iter().chain(dilations.iter().map(block)).chain(last).collect()
            }
            Self::Other(other) => bail!(
                "a network `{}` is for desktops, and boards have none of it: use the run's folder or \
                 --format onnx, or train the network `tiny` or `product`",
                other.kind
            ),
        };
        ensure!(layers.len() >= 2, "the model's network has fewer than two layers");
        Ok(layers)
    }
}
