//! Configurations that are known to work, one for each shipped model and for the paper's own
//! experiments.

/// A named configuration, over the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// TOML; its first comment lines say what it is and how its data are made.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal),* $(,)?) => {
        /// All of them.
        pub const PRESETS: &[Preset] =
            &[$(Preset { name: $name, text: include_str!(concat!("presets/", $name, ".toml")) }),*];
    };
}

presets!(
    "kolmogorov-32",
    "kolmogorov-64",
    "lorenz96",
    "kuramoto-sivashinsky",
    "kuramoto-sivashinsky-head",
    "kuramoto-sivashinsky-means",
    "kolmogorov-32-means",
    "lorenz96-means",
    "thermal-means",
    "winds",
    "paper-kolmogorov",
    "paper-lorenz96",
);

impl Preset {
    /// By name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The command that makes its data.
    pub fn data_command(&self) -> &'static str {
        self.text.lines().filter_map(|line| line.strip_prefix("# ")).nth(1).unwrap_or("")
    }
}
