//! Small files to import, and the command that imports them.

pub(crate) mod files;
pub(crate) mod home;

use std::path::Path;
use std::process::{Command, Output};

pub(crate) use home::Home;

impl Home {
    /// `finescale data import FILE --out out.zarr …` in this folder.
    pub(crate) fn import(&self, file: &str, arguments: &[&str]) -> Output {
        finescale(
            self.0.path(),
            &[&["data", "import", file, "--out", "out.zarr"], arguments].concat(),
        )
    }

    /// Imports; the file must be taken.
    pub(crate) fn imported(
        &self,
        file: &str,
        arguments: &[&str],
    ) -> finescale_data::dataset::Reader {
        let output = self.import(file, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        finescale_data::dataset::Reader::open(&self.path("out.zarr")).unwrap()
    }
}

/// Runs the command line.
pub(crate) fn finescale(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_finescale"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}
