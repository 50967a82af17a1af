"""A recording of `finescale listen`, opened by xarray: the numbers that the board sent.

usage: recording.py

The folder has the recording a.nc, and what was sent as 16-bit integers: fine.raw, in hundredths of a
degree, and status.raw.
"""

import netCDF4
import numpy as np
import xarray as xr

frames = xr.open_dataset("a.nc")
sent = np.fromfile("fine.raw", "<i2").reshape(-1, 32, 32)
status = np.fromfile("status.raw", "<u2")
assert frames.fine.dims == ("time", "y", "x"), frames.fine.dims
np.testing.assert_allclose(frames.fine, sent / 100, atol=1e-4)
np.testing.assert_allclose(frames.hottest, sent.max((1, 2)) / 100, atol=1e-4)
np.testing.assert_array_equal(frames.status, status)
assert frames.time.dtype.kind == "M" and frames.indexes["time"].is_unique
assert frames.frame.dtype.kind == "u", frames.frame.dtype

# The flags, as CF has them: frames of which the array gave nothing are missing.
flags = dict(zip(frames.status.flag_meanings.split(), frames.status.flag_masks))
silent = (status & (flags["no_answer"] | flags["broken_off"])) != 0
assert silent.any() and not silent.all()
missing = np.isnan(frames.coarse).all(("y_coarse", "x_coarse"))
np.testing.assert_array_equal(missing, silent)

# The hottest point is where its indices say, and coordinates of both grids cover the same square.
points = frames.fine.isel(y=frames.hottest_row.astype(int), x=frames.hottest_column.astype(int))
np.testing.assert_allclose(points, frames.hottest, atol=1e-4)
for fine, coarse in [("y", "y_coarse"), ("x", "x_coarse")]:
    means = frames[fine].values.reshape(8, 4).mean(1)
    np.testing.assert_allclose(means, frames[coarse].values)
assert frames.y[0] > frames.y[-1] and frames.x[0] < frames.x[-1]
assert netCDF4.Dataset("a.nc").dimensions["time"].isunlimited()
