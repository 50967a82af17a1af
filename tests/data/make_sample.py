"""Makes air_temperature.nc from two Met Office files of the package iris-sample-data 2.5.2 (PyPI).

    pip download --no-deps iris-sample-data==2.5.2 && unzip iris_sample_data-*.whl
    pip install numpy netCDF4
    cd iris_sample_data/sample_data && python make_sample.py pre-industrial.pp A1B.2098.pp air_temperature.nc

A PP file is a Fortran sequential file: a header record of 45 integers and 19 reals, then a record of data.
"""

import struct
import sys

import netCDF4
import numpy as np

*sources, target = sys.argv[1:]


def read(path):
    """One PP field: values, middle of the mean in days of a 360-day calendar since 1850, and its grid."""
    with open(path, "rb") as file:
        raw = file.read()
    words = struct.unpack(">45i19f", raw[4:260])
    rows, columns = words[17], words[18]
    first_y, step_y, first_x, step_x = words[58:62]
    values = np.frombuffer(raw[268 : 268 + 4 * rows * columns], ">f4").reshape(rows, columns)
    begin, end = ((w[0] - 1850) * 360 + (w[1] - 1) * 30 + w[2] - 1 for w in (words[0:3], words[6:9]))
    y = first_y + step_y * np.arange(1, rows + 1)
    x = first_x + step_x * np.arange(1, columns + 1)
    return values.astype("f8"), (begin + end) / 2, y, x


fields, times, ys, xs = zip(*map(read, sources))
fields = np.array(fields)
scale = (fields.max() - fields.min()) / 65000
with netCDF4.Dataset(target, "w", format="NETCDF3_CLASSIC") as nc:
    nc.Conventions = "CF-1.8"
    nc.title = "Air temperature at 1.5 m, annual means: pre-industrial, and 2099 in scenario A1B"
    nc.institution = "Met Office, United Kingdom"
    nc.source = f"Met Office Unified Model; {' and '.join(sources)} of iris-sample-data 2.5.2, reformatted"
    nc.license = "Open Government Licence v3.0. British Crown copyright 2018"
    coordinates = [
        ("time", times, "days since 1850-01-01", "T"),
        ("latitude", ys[0], "degrees_north", "Y"),
        ("longitude", xs[0], "degrees_east", "X"),
    ]
    for name, values, units, axis in coordinates:
        nc.createDimension(name, len(values))
        coordinate = nc.createVariable(name, "f8" if name == "time" else "f4", (name,))
        coordinate.standard_name, coordinate.units, coordinate.axis = name, units, axis
        coordinate[:] = values
    nc["time"].calendar = "360_day"
    field = nc.createVariable("air_temperature", "i2", ("time", "latitude", "longitude"))
    field.standard_name, field.units, field.cell_methods = "air_temperature", "K", "time: mean"
    field.add_offset = (fields.max() + fields.min()) / 2
    field.scale_factor = scale
    field[:] = fields
    print(f"rounded to within {scale / 2:.5f} K")
