"""Makes air_temperature_2098.nc from the Met Office file A1B.2098.pp of the package iris-sample-data 2.5.2 (PyPI).

    pip download --no-deps iris-sample-data==2.5.2 && unzip iris_sample_data-*.whl
    pip install numpy netCDF4
    python make_sample.py iris_sample_data/sample_data/A1B.2098.pp air_temperature_2098.nc

A PP file is a Fortran sequential file: a header record of 45 integers and 19 reals, then a record of data.
"""

import struct
import sys

import netCDF4
import numpy as np

source, target = sys.argv[1:]
with open(source, "rb") as file:
    raw = file.read()
header = struct.unpack(">i45i19f", raw[:260])
rows, columns = header[18], header[19]
y0, dy, x0, dx = header[59], header[60], header[61], header[62]
start = 4 + 256 + 4 + 4
values = np.frombuffer(raw[start : start + 4 * rows * columns], ">f4").reshape(rows, columns)

with netCDF4.Dataset(target, "w", format="NETCDF3_CLASSIC") as nc:
    nc.Conventions = "CF-1.8"
    nc.title = "Air temperature at 1.5 m, mean of one year around 2098, scenario A1B"
    nc.institution = "Met Office, United Kingdom"
    nc.source = "Met Office Unified Model; A1B.2098.pp of iris-sample-data 2.5.2, reformatted"
    nc.license = "Open Government Licence v3.0. British Crown copyright 2018"
    for name, count, first, step, units, axis in [
        ("latitude", rows, y0, dy, "degrees_north", "Y"),
        ("longitude", columns, x0, dx, "degrees_east", "X"),
    ]:
        nc.createDimension(name, count)
        coordinate = nc.createVariable(name, "f4", (name,))
        coordinate.standard_name, coordinate.units, coordinate.axis = name, units, axis
        coordinate[:] = first + step * np.arange(1, count + 1)
    field = nc.createVariable("air_temperature", "f4", ("latitude", "longitude"))
    field.standard_name, field.units = "air_temperature", "K"
    field.cell_methods = "time: mean"
    field[:] = values
