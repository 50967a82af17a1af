//! Network weights as named arrays, and back.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData, backend::Backend};

use finescale_model::Array;

/// Every weight by its path in the module, `network.layers.0.weight`, say.
pub fn export<B: Backend, M: Module<B>>(module: &M) -> BTreeMap<String, Array> {
    let mut reader = Reader { path: Path::default(), arrays: BTreeMap::new() };
    module.visit(&mut reader);
    reader.arrays
}

/// Puts weights into a module of the same shape.
///
/// # Errors
/// If one is missing or has another shape.
pub fn import<B: Backend, M: Module<B>>(module: M, arrays: &BTreeMap<String, Array>) -> Result<M> {
    let mut writer = Writer { path: Path::default(), arrays, wrong: None };
    let module = module.map(&mut writer);
    match writer.wrong {
        None => Ok(module),
        Some(name) => bail!("the model's weight `{name}` is missing or has another shape"),
    }
}

/// Names of the fields above a weight. Enum variants add nothing: the model's description has them.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        self.0.push(if container.starts_with("Enum:") { String::new() } else { name.to_owned() });
    }

    fn name(&self) -> String {
        let named = self.0.iter().filter(|name| !name.is_empty());
        let path: Vec<&str> = named.map(String::as_str).collect();
        format!("network.{}", path.join("."))
    }
}

struct Reader {
    path: Path,
    arrays: BTreeMap<String, Array>,
}

impl<B: Backend> ModuleVisitor<B> for Reader {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().into_data().convert::<f32>();
        let values = data.to_vec().expect("the data were converted to f32");
        self.arrays.insert(self.path.name(), Array { shape: data.shape.to_vec(), values });
    }
}

struct Writer<'a> {
    path: Path,
    arrays: &'a BTreeMap<String, Array>,
    wrong: Option<String>,
}

impl<B: Backend> ModuleMapper<B> for Writer<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.0.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let name = self.path.name();
        let array = self.arrays.get(&name).filter(|a| a.shape == param.val().dims());
        let Some(array) = array else {
            self.wrong.get_or_insert(name);
            return param;
        };
        param.map(|old| {
            let data = TensorData::new(array.values.clone(), array.shape.clone());
            Tensor::from_data(data, &old.device())
        })
    }
}
