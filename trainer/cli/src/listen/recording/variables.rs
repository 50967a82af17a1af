//! What a recording has for each frame, in the order of the file.

use finescale_chain::Status;
use netcdf3::error::InvalidDataSet;
use netcdf3::{DataSet, NC_FILL_F32};

use super::super::line::Received;
use super::super::temperatures::measured;

/// What stands for a temperature that is not known; none of a packet is so low.
const MISSING: i16 = i16::MIN;

/// A variable.
pub(super) struct Variable {
    name: &'static str,
    about: &'static str,
    values: Values,
}

/// Its values in a frame. Temperatures are hundredths of a degree, as packets have them.
enum Values {
    /// The record's coordinate.
    Time(fn(&Received) -> f64),
    Count(fn(&Received) -> u32),
    Status(fn(&Received) -> Status),
    /// A number that 0 says nothing of.
    Number(fn(&Received) -> f32),
    Index(fn(&Received) -> u8),
    Temperature(fn(&Received) -> i16),
    /// A difference of temperatures; 0 where it is not known.
    Difference(fn(&Received) -> i16),
    /// Temperatures along these axes.
    Field(&'static [&'static str], fn(&Received, &mut dyn FnMut(i16))),
}

/// All of them.
pub(super) const VARIABLES: &[Variable] = &[
    Variable {
        name: "time",
        about: "time at which the packet arrived",
        values: Values::Time(|r| r.time),
    },
    Variable {
        name: "frame",
        about: "number of the frame since the board was started",
        values: Values::Count(|r| r.packet.frame),
    },
    Variable {
        name: "lost",
        about: "packets that were lost between this one and the one before",
        values: Values::Count(|r| r.lost),
    },
    Variable {
        name: "garbled",
        about: "pieces of bytes between this packet and the one before that were none",
        values: Values::Count(|r| r.garbled),
    },
    Variable {
        name: "connection",
        about: "the connection that the packet came by, counted from 0",
        values: Values::Count(|r| r.connection),
    },
    Variable {
        name: "status",
        about: "what is wrong with the frame, and whether it is too hot",
        values: Values::Status(|r| r.packet.status),
    },
    Variable {
        name: "chance",
        about: "chance that the point that most likely is too hot is",
        values: Values::Number(|r| r.packet.chance),
    },
    Variable {
        name: "chi2",
        about: "chi-square of the measured values under the model for each of them, 1 is usual",
        values: Values::Number(|r| if r.packet.chi2 > 0.0 { r.packet.chi2 } else { NC_FILL_F32 }),
    },
    Variable {
        name: "mean",
        about: "mean of the fine frame",
        values: Values::Temperature(|r| r.packet.mean),
    },
    Variable {
        name: "spread",
        about: "mean standard deviation of the errors of the fine frame",
        values: Values::Difference(|r| r.packet.spread),
    },
    Variable {
        name: "hottest",
        about: "temperature of the hottest point of the fine frame",
        values: Values::Temperature(|r| r.packet.hottest),
    },
    Variable {
        name: "hottest_row",
        about: "row of the hottest point, an index of y",
        values: Values::Index(|r| r.packet.at.0),
    },
    Variable {
        name: "hottest_column",
        about: "column of the hottest point, an index of x",
        values: Values::Index(|r| r.packet.at.1),
    },
    Variable {
        name: "coarse",
        about: "temperature as it was measured",
        values: Values::Field(&["time", "y_coarse", "x_coarse"], |r, to| {
            measured(&r.packet).for_each(|value| to(value.unwrap_or(MISSING)));
        }),
    },
    Variable {
        name: "fine",
        about: "temperature as the board computed it",
        values: Values::Field(&["time", "y", "x"], |r, to| {
            r.packet.fine.iter().for_each(|value| to(*value));
        }),
    },
];

impl Variable {
    /// Adds it to a header.
    ///
    /// # Errors
    /// If it is there already.
    pub(super) fn define(&self, set: &mut DataSet) -> Result<(), InvalidDataSet> {
        let name = self.name;
        let time: &[&str] = &["time"];
        match &self.values {
            Values::Time(_) => {
                set.add_var_f64(name, time)?;
                let units = "seconds since 1970-01-01 00:00:00";
                set.add_var_attr_string(name, "standard_name", "time")?;
                set.add_var_attr_string(name, "units", units)?;
                set.add_var_attr_string(name, "calendar", "standard")?;
                set.add_var_attr_string(name, "axis", "T")?;
            }
            Values::Count(_) => {
                set.add_var_i32(name, time)?;
                set.add_var_attr_string(name, "_Unsigned", "true")?;
                set.add_var_attr_string(name, "units", "1")?;
            }
            Values::Status(_) => {
                set.add_var_i16(name, time)?;
                let masks = Status::NAMES.iter().map(|(flag, _)| flag.0.cast_signed());
                let meanings = Status::NAMES.map(|(_, name)| name.replace(' ', "_")).join(" ");
                set.add_var_attr_string(name, "standard_name", "status_flag")?;
                set.add_var_attr_i16(name, "flag_masks", masks.collect())?;
                set.add_var_attr_string(name, "flag_meanings", meanings)?;
            }
            Values::Number(_) => {
                set.add_var_f32(name, time)?;
                set.add_var_attr_string(name, "units", "1")?;
                set.add_var_attr_f32(name, "_FillValue", vec![NC_FILL_F32])?;
            }
            Values::Index(_) => {
                set.add_var_i16(name, time)?;
                set.add_var_attr_string(name, "units", "1")?;
            }
            Values::Temperature(_) => temperature(set, name, time, "on_scale")?,
            Values::Difference(_) => temperature(set, name, time, "difference")?,
            Values::Field(axes, _) => temperature(set, name, axes, "on_scale")?,
        }
        set.add_var_attr_string(name, "long_name", self.about)
    }

    /// Appends its values in a frame, filled up to four bytes.
    pub(super) fn write(&self, received: &Received, bytes: &mut Vec<u8>) {
        match &self.values {
            Values::Time(of) => bytes.extend(of(received).to_be_bytes()),
            Values::Count(of) => bytes.extend(of(received).to_be_bytes()),
            Values::Status(of) => bytes.extend(of(received).0.to_be_bytes()),
            Values::Number(of) => bytes.extend(of(received).to_be_bytes()),
            Values::Index(of) => bytes.extend(u16::from(of(received)).to_be_bytes()),
            Values::Temperature(of) => bytes.extend(of(received).to_be_bytes()),
            Values::Difference(of) => {
                let value = Some(of(received)).filter(|value| *value != 0).unwrap_or(MISSING);
                bytes.extend(value.to_be_bytes());
            }
            Values::Field(_, of) => of(received, &mut |value| bytes.extend(value.to_be_bytes())),
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
}

/// A variable of hundredths of a degree.
fn temperature(
    set: &mut DataSet,
    name: &str,
    axes: &[&str],
    kind: &str,
) -> Result<(), InvalidDataSet> {
    set.add_var_i16(name, axes)?;
    set.add_var_attr_string(name, "units", "degC")?;
    set.add_var_attr_string(name, "units_metadata", format!("temperature: {kind}"))?;
    set.add_var_attr_f64(name, "scale_factor", vec![0.01])?;
    set.add_var_attr_i16(name, "_FillValue", vec![MISSING])
}
