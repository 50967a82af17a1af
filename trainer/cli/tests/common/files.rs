//! Small files to import.

use std::path::Path;

use netcdf3::{DataSet, FileWriter, Version};

/// A NetCDF classic file of `u(time, lat, lon)`, to be changed before it is written.
pub(crate) struct Grid {
    pub(crate) time: Vec<f64>,
    pub(crate) time_units: Option<&'static str>,
    pub(crate) lat: Vec<f64>,
    pub(crate) lon: Vec<f64>,
    pub(crate) u: Vec<f32>,
    pub(crate) fill: Option<f32>,
}

impl Grid {
    /// A smooth travelling field on `ny` × `nx` points around the globe, `frames` months or hours.
    pub(crate) fn new(frames: usize, ny: usize, nx: usize) -> Self {
        let lat: Vec<f64> = (0..ny).map(|j| -90.0 + (j as f64 + 0.5) * 180.0 / ny as f64).collect();
        let lon: Vec<f64> = (0..nx).map(|i| i as f64 * 360.0 / nx as f64).collect();
        let mut u = Vec::new();
        for n in 0..frames {
            for &y in &lat {
                u.extend(lon.iter().map(|&x| field(n as f64, y, x) as f32));
            }
        }
        let time = (0..frames).map(|n| n as f64 * 6.0).collect();
        Self { time, time_units: Some("hours since 2000-01-01 00:00:00"), lat, lon, u, fill: None }
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut set = DataSet::new();
        for (name, values) in [("time", &self.time), ("lat", &self.lat), ("lon", &self.lon)] {
            set.add_fixed_dim(name, values.len()).unwrap();
            set.add_var_f64(name, &[name]).unwrap();
        }
        set.add_var_f32("u", &["time", "lat", "lon"]).unwrap();
        set.add_var_attr_string("lat", "units", "degrees_north").unwrap();
        set.add_var_attr_string("lon", "units", "degrees_east").unwrap();
        set.add_var_attr_string("u", "units", "m s-1").unwrap();
        set.add_var_attr_string("u", "standard_name", "eastward_wind").unwrap();
        if let Some(units) = self.time_units {
            set.add_var_attr_string("time", "units", units).unwrap();
        }
        if let Some(fill) = self.fill {
            set.add_var_attr_f32("u", "_FillValue", vec![fill]).unwrap();
        }
        let mut file = FileWriter::open(path).unwrap();
        file.set_def(&set, Version::Classic, 0).unwrap();
        file.write_var_f64("time", &self.time).unwrap();
        file.write_var_f64("lat", &self.lat).unwrap();
        file.write_var_f64("lon", &self.lon).unwrap();
        file.write_var_f32("u", &self.u).unwrap();
        file.close().unwrap();
    }
}

/// What the files hold: band-limited in longitude, cosines in latitude.
pub(crate) fn field(n: f64, lat: f64, lon: f64) -> f64 {
    let (y, x) = ((lat + 90.0).to_radians(), lon.to_radians());
    3.0 + (2.0 * x - 0.3 * n).cos() * y.cos() + 0.5 * (3.0 * y).cos() * (0.7 * n).sin()
}
