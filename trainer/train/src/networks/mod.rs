//! Networks: each one a file with a design, which is its section of the configuration, and a
//! module.
//!
//! What a network is for is the matter of a system ([`crate::systems`]): here it takes fields, and
//! a scale λ where there is one, and gives fields.

// There is one network at a time: its size on the stack does not matter.
#![allow(clippy::large_enum_variant)]

mod board;
pub mod dropout;
mod film;
pub mod flex;
pub(crate) mod initial;
mod layers;
pub mod product;
pub mod stack;
pub mod tiny;
pub mod unet;

use anyhow::Result;
use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use finescale_model::NetworkMeta;
use rand_chacha::ChaCha8Rng;

use crate::config::Precision;
use crate::engine::kernels::Kernels;
use dropout::Dropout;

/// The settings of a network, which its section of the configuration has.
pub trait Design {
    /// What is trained.
    type Network<B: Backend>: Module<B>;

    /// Refuses settings that are no network's.
    ///
    /// # Errors
    /// One sentence that names the setting and the mend.
    fn check(&self) -> Result<()>;

    /// Refuses settings that do not fit a grid; what the runtime cannot use is refused by who
    /// exports the model.
    ///
    /// # Errors
    /// As [`Design::check`].
    fn check_on(&self, grid: &Grid) -> Result<()>;

    /// A network that gives zeros at first: its last layer is zero.
    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Self::Network<B>;

    /// What a model's file says of it where the runtime has it; none if only training does.
    fn meta(&self) -> Option<NetworkMeta> {
        None
    }
}

/// What goes in and what comes out.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// The grid of both.
    pub grid: Grid,
    /// Fields that the network sees.
    pub inputs: usize,
    /// Fields that it gives.
    pub outputs: usize,
    /// Whether it depends on λ.
    pub lambda: bool,
    /// Which of the inputs, the last ones, have an encoder of their own; none where all are seen
    /// side by side. The network `flex` alone has such an encoder.
    pub task: Option<TaskFields>,
}

/// What a task is given by, and where a network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskFields {
    /// The last inputs.
    pub inputs: usize,
    /// Whether their features are added to those of the other inputs, in every stage.
    pub weak: bool,
    /// Whether they are added to what the decoder sees.
    pub strong: bool,
}

/// A module that can be evaluated.
pub trait Forward<B: Kernels> {
    /// `[batch, inputs, y, x]`, and `[batch, LAMBDA_FEATURES]` if the network depends on λ, to
    /// `[batch, outputs, y, x]`.
    fn forward(
        &self,
        fields: Tensor<B, 4>,
        lambda: Option<Tensor<B, 2>>,
        precision: Precision,
    ) -> Tensor<B, 4> {
        self.forward_with(fields, lambda, precision, &mut Dropout::OFF.clone())
    }

    /// The same with dropout behind every activation.
    fn forward_with(
        &self,
        fields: Tensor<B, 4>,
        lambda: Option<Tensor<B, 2>>,
        precision: Precision,
        dropout: &mut Dropout,
    ) -> Tensor<B, 4>;
}

/// What one evaluation costs.
pub trait Cost {
    /// Multiply-accumulates, of two floating-point operations each, for one sample on a grid of so
    /// many points: those of convolutions, dense layers and products of matrices alone.
    fn macs(&self, points: usize) -> usize;
}

/// The registry: one line for each network.
macro_rules! networks {
    ($($(#[$doc:meta])* $name:ident in $module:ident;)*) => {
        /// Any of the networks.
        #[derive(Module, Debug)]
        pub enum Network<B: Backend> { $($(#[$doc])* $name($module::$name<B>)),* }

        /// Which network.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind {
            $($(#[$doc])* $name,)*
            /// None: the closed form, with nothing to train.
            Linear,
        }

        /// Section `network`, with a section of its own for each network.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Settings {
            /// The network that is trained.
            pub kind: Kind,
            $($(#[$doc])* pub $module: $module::Design,)*
        }

        impl Settings {
            /// Refuses settings that are no network's, of the networks that are not chosen too.
            pub(crate) fn check(&self) -> Result<()> {
                $(self.$module.check()?;)*
                Ok(())
            }

            /// Refuses a network that does not fit a grid.
            pub(crate) fn check_on(&self, grid: &Grid) -> Result<()> {
                match self.kind {
                    $(Kind::$name => self.$module.check_on(grid),)*
                    Kind::Linear => Ok(()),
                }
            }

            /// The chosen network before its first step; none for `linear`.
            pub fn build<B: Backend>(
                &self,
                fields: Fields,
                rng: &mut ChaCha8Rng,
                device: &B::Device,
            ) -> Option<Network<B>> {
                Some(match self.kind {
                    $(Kind::$name => {
                        Network::$name(self.$module.build::<B>(fields, rng, device))
                    })*
                    Kind::Linear => return None,
                })
            }

            /// The same settings with the network that a model's file says, as
            /// [`Settings::meta`] has put it there.
            ///
            /// # Errors
            /// If it says none that there is.
            pub fn with_meta(&self, meta: &NetworkMeta) -> Result<Self> {
                let mut said = serde_json::to_value(meta)?;
                let kind = said.as_object_mut().and_then(|said| said.remove("kind"));
                let kind = serde_json::from_value(kind.unwrap_or_default())?;
                let mut settings = Self { kind, ..self.clone() };
                match kind {
                    $(Kind::$name => settings.$module = serde_json::from_value(said)?,)*
                    Kind::Linear => {}
                }
                settings.check()?;
                Ok(settings)
            }

            /// What a model's file says of the chosen network.
            pub fn meta(&self) -> NetworkMeta {
                match self.kind {
                    $(Kind::$name => self.$module.meta().unwrap_or_else(|| {
                        NetworkMeta::other(stringify!($module), &self.$module)
                    }),)*
                    Kind::Linear => NetworkMeta::Linear,
                }
            }
        }

        impl<B: Backend> Cost for Network<B> {
            fn macs(&self, points: usize) -> usize {
                match self { $(Self::$name(network) => network.macs(points),)* }
            }
        }

        impl<B: Kernels> Forward<B> for Network<B> {
            fn forward_with(
                &self,
                fields: Tensor<B, 4>,
                lambda: Option<Tensor<B, 2>>,
                precision: Precision,
                dropout: &mut Dropout,
            ) -> Tensor<B, 4> {
                match self {
                    $(Self::$name(network) => {
                        network.forward_with(fields, lambda, precision, dropout)
                    })*
                }
            }
        }
    };
}

networks! {
    /// Residual dilated convolutions, for boards.
    Tiny in tiny;
    /// Products of fields, for boards.
    Product in product;
    /// The paper's U-Net.
    Unet in unet;
    /// FLEX's Transformer U-Net.
    Flex in flex;
}
