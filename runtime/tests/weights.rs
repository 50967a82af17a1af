//! A crate that is built without a kind of weights refuses models of that kind, by the name of the
//! feature: the gate runs this with each feature alone.

use finescale::Error;
use finescale::include_model;
use finescale::model::{Invalid, MeanModel, Model};

macro_rules! kinds {
    ($($feature:literal)+) => {[$((
        $feature,
        cfg!(feature = $feature),
        include_model!(concat!("../../tests/fuzz/seeds/plane-", $feature, ".finescale")),
        include_model!(concat!("../../tests/fuzz/means/mean-plane-", $feature, ".finescale")),
    )),+]};
}

#[test]
fn a_kind_that_is_not_compiled_in_is_refused_by_its_feature() {
    for (feature, compiled, predictor, mean) in kinds!("f32" "int8" "int16") {
        let refused = Err(Invalid::Weights { feature });
        let expected = if compiled { Ok(()) } else { refused };
        assert_eq!(Model::parse(predictor).map(|_| ()), expected, "{feature}");
        assert_eq!(MeanModel::parse(mean).map(|_| ()), expected, "{feature}");
        if let Err(refused) = expected {
            let said = Error::from(refused).to_string();
            assert!(said.contains(&format!("the feature `{feature}`")), "{said}");
        }
    }
}
