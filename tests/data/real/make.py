"""Cuts the samples of this folder out of the recordings that README.md names.

usage: make.py FOLDER

FOLDER holds the recordings: mlx90640.raw (a headerless log of mlx90640-streamer), fmi.npy and mrms.npy (codes, time × y × x),
forge.npy (time × depth). Needs numpy and netCDF4.
"""

import sys
from pathlib import Path

import netCDF4
import numpy as np

FROM, HERE = Path(sys.argv[1]), Path(__file__).parent


def packed(name, values, interval, units, variable, notice):
    """Codes as CF packs them, with their notice inside."""
    with netCDF4.Dataset(HERE / name, "w") as file:
        file.notice = notice
        file.Conventions = "CF-1.11"
        for axis, points in zip(("time", "y", "x"), values.shape):
            file.createDimension(axis, points)
        time = file.createVariable("time", "i4", ("time",))
        time.units = f"minutes since {interval[1]}"
        time[:] = np.arange(len(values)) * interval[0]
        spacing, unit = units
        for axis, points in zip(("y", "x"), values.shape[1:]):
            coordinate = file.createVariable(axis, "f4", (axis,))
            coordinate.units = unit
            coordinate[:] = np.arange(points) * spacing
        fill = np.iinfo(values.dtype).max
        field = file.createVariable(
            variable["name"], values.dtype, ("time", "y", "x"), zlib=True, complevel=9, fill_value=fill
        )
        field.units, field.scale_factor, field.add_offset = variable["units"], variable["scale"], variable["offset"]
        field.set_auto_maskandscale(False)
        field[:] = values


# Records 300 to 347 of one run: the heater is on.
log = np.fromfile(FROM / "mlx90640.raw", "<f4").reshape(-1, 24, 32)
log[300:348].tofile(HERE / "mlx90640.raw")

codes = np.load(FROM / "fmi.npy")[:12, 128:224, 128:224]
packed(
    "fmi-radar.nc",
    codes,
    (5, "2016-09-28 14:45:00"),
    (1.0, "km"),
    {"name": "reflectivity", "units": "dBZ", "scale": np.float32(0.5), "offset": np.float32(-32.0)},
    "Finnish Meteorological Institute (FMI) open data, CC BY 4.0; cropped",
)

rates = np.load(FROM / "mrms.npy")[:12, 96:192, 96:192]
packed(
    "mrms-radar.nc",
    rates,
    (2, "2019-06-10 00:00:00"),
    (0.01, "degrees"),
    {"name": "rain_rate", "units": "mm h-1", "scale": np.float32(0.1), "offset": np.float32(0.0)},
    "NOAA MRMS, a work of the US federal government, in the public domain; cropped",
)

np.save(HERE / "forge.npy", np.load(FROM / "forge.npy")[300:324])
