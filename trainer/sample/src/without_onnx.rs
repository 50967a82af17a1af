//! What stands in for tract in a program that was built without it.

use anyhow::{Result, bail};
use finescale::Predictor;
use finescale::predictor::{Description, Prepared, Trained};
use finescale_model::Model;

/// There are none.
pub(crate) enum Graphs {}

impl Graphs {
    pub(crate) fn new(_: &Model) -> Result<Self> {
        bail!(
            "its network is for desktops, and this program was built without ONNX: build it with \
             the feature `onnx`"
        )
    }
}

/// There is none.
pub(crate) enum Desktop {}

impl Desktop {
    pub(crate) fn new(_: Trained<'_>, graphs: &Graphs) -> Result<Self> {
        match *graphs {}
    }

    pub(crate) fn failure(&self) -> Option<anyhow::Error> {
        match *self {}
    }
}

impl Predictor for Desktop {
    fn describe(&self) -> &Description<'_> {
        match *self {}
    }

    fn prepare(&mut self, _: f32) -> Result<Prepared<'_>, finescale::Error> {
        match *self {}
    }
}
