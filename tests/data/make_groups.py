"""Makes groups.nc, a NetCDF-4 file whose fields lie in groups: python make_groups.py groups.nc (needs netCDF4, numpy).

Dimensions and coordinates are inherited from the groups around, but where a group has its own. A value is
n + j/16 + i/512 at step n, row j and column i of the file, plus 100 in `forecast/window`.
Times are packed as tenths of a day.
"""

import sys

import netCDF4
import numpy as np

with netCDF4.Dataset(sys.argv[1], "w") as root:
    root.title = "fields in groups"

    def coordinate(group, name, stored, kind, **attributes):
        group.createDimension(name, len(stored))
        variable = group.createVariable(name, kind, (name,))
        variable.set_auto_maskandscale(False)
        variable.setncatts(attributes)
        variable[:] = stored

    def field(group, name, shape, shift):
        n, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
        variable = group.createVariable(name, "f4", ("time", "lat", "lon"), zlib=True)
        variable[:] = n + j / 16 + i / 512 + shift

    days = dict(units="days since 2000-01-01", scale_factor=0.1)
    coordinate(root, "time", 10 * np.arange(12), "i2", **days)
    coordinate(root, "lat", np.linspace(70, 0, 8), "f4", units="degrees_north")
    coordinate(root, "lon", np.linspace(0, 150, 16), "f4", units="degrees_east")
    forecast = root.createGroup("forecast")
    field(forecast, "t", (12, 8, 16), 0)
    window = forecast.createGroup("window")
    # A dimension of the same name and another length, with a coordinate of its own; and one that has none.
    coordinate(window, "lon", np.linspace(200, 270, 8), "f4", units="degrees_east")
    window.createDimension("time", 10)
    field(window, "t", (10, 8, 8), 100)
