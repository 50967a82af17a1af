"""Data sets in xarray: opened as they are, numbers compared with netCDF4, xarray and SciPy.

usage: dataset.py FINESCALE MONTHLY_NAVY_WINDS FOLDER

FINESCALE is the program, MONTHLY_NAVY_WINDS the file of the Debian package ferret-datasets, FOLDER an empty folder.
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import netCDF4
import numpy as np
import scipy.fft
import scipy.signal
import xarray as xr

PROGRAM, WINDS, FOLDER = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
# Whatever xarray has to warn about, users would see.
warnings.simplefilter("error")
# That binary wheels were built with another NumPy is none of our business.
warnings.filterwarnings("ignore", message="numpy.ndarray size changed")


def run_import(file, name, *arguments):
    out = FOLDER / name
    command = [PROGRAM, "data", "import", str(file), "--out", str(out), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def raw_points_agree():
    """A box of 64 x 128 of the file's own points: the same numbers, coordinates, units and times."""
    out = run_import(WINDS, "raw.zarr", "--isel", "FNOCY=5:69,FNOCX=0:128")
    ours = xr.open_zarr(out)
    theirs = xr.open_dataset(WINDS).isel(FNOCY=slice(5, 69), FNOCX=slice(0, 128))
    assert ours.UWND.dims == ("trajectory", "time", "FNOCY", "FNOCX"), ours.UWND.dims
    for name in ["UWND", "VWND"]:
        np.testing.assert_array_equal(ours[name].isel(trajectory=0).values, theirs[name].values)
        assert ours[name].attrs["units"] == "M/S"
        assert ours[name].attrs["long_name"] == theirs[name].attrs["long_name"]
    np.testing.assert_array_equal(ours.time.values, theirs.TIME.values)
    for axis, units in [("FNOCX", "degrees_east"), ("FNOCY", "degrees_north")]:
        np.testing.assert_array_equal(ours[axis].values, theirs[axis].values)
        assert ours[axis].attrs["units"] == units
    assert ours.attrs["source"].endswith("monthly_navy_winds.cdf")
    parts = [int((ours.split == flag).sum()) for flag in ours.split.attrs["flag_values"]]
    assert sum(parts) == 132 and min(parts) > 0, parts
    ours.to_netcdf(FOLDER / "copy.nc")
    np.testing.assert_array_equal(xr.open_dataset(FOLDER / "copy.nc").UWND, ours.UWND)


def regridded(field, ny, nx):
    """SciPy's way: FFT along the circle, cosines from pole to pole."""
    field = scipy.signal.resample(field.astype("f8"), nx, axis=-1)
    n = field.shape[-2]
    cosines = scipy.fft.dct(field, type=1, axis=-2) / (n - 1)
    cosines[..., 0, :] /= 2
    cosines[..., -1, :] /= 2
    angle = np.pi * (np.arange(ny) + 0.5) / ny
    return np.einsum("jk,...ki->...ji", np.cos(np.outer(angle, np.arange(min(n, ny)))), cosines[..., :ny, :])


def regridding_agrees():
    with netCDF4.Dataset(WINDS) as file:
        theirs = {name: np.asarray(file[name][:]) for name in ["UWND", "VWND"]}
    for ny, nx in [(64, 128), (32, 64), (128, 256)]:
        ours = xr.open_zarr(run_import(WINDS, f"{ny}.zarr", "--grid", f"{ny}x{nx}"))
        np.testing.assert_allclose(ours.FNOCX, 20 + 360 * np.arange(nx) / nx, rtol=1e-12)
        np.testing.assert_allclose(ours.FNOCY, -90 + 180 * (np.arange(ny) + 0.5) / ny, rtol=1e-12)
        for name, field in theirs.items():
            np.testing.assert_allclose(ours[name][0], regridded(field, ny, nx), rtol=0, atol=1e-5)


def statistics_agree():
    path = FOLDER / "64.zarr"
    ours, statistics = xr.open_zarr(path), xr.open_zarr(path, group="statistics").load()
    train = ours.split.values[0] == 0
    info = json.loads(subprocess.check_output([PROGRAM, "data", "info", str(path), "--json"]))
    # From pole to pole it is half as far as around: the modes of both axes have the wavenumbers 0, 1, 2, …
    np.testing.assert_allclose([ours.FNOCY.attrs["length"], ours.FNOCX.attrs["length"]], [np.pi, 2 * np.pi], rtol=1e-15)
    ky = np.arange(64)
    kx = np.abs(np.fft.fftfreq(128, 1 / 128))
    shell = np.floor(np.hypot(ky[:, None], kx[None]) + 0.5).astype(int)
    modes = np.bincount(shell.ravel())
    np.testing.assert_array_equal(statistics.modes, modes)
    np.testing.assert_array_equal(statistics["wavenumber"], np.arange(len(modes)))
    for n, name in enumerate(["UWND", "VWND"]):
        u = ours[name].values[0][train].astype("f8")
        np.testing.assert_allclose(statistics["mean"][n], u.mean(), rtol=1e-9)
        np.testing.assert_allclose(statistics["std"][n], u.std(), rtol=1e-9)
        u = (u - u.mean()) / u.std()
        power_of = np.fft.fft(scipy.fft.dct(u, axis=1, norm="ortho"), axis=2, norm="ortho")
        binned = lambda x: np.bincount(shell.ravel(), x.ravel())
        power = binned((np.abs(power_of) ** 2).mean(0)) / modes
        np.testing.assert_allclose(statistics.power_spectrum[n], power, rtol=1e-7)
        np.testing.assert_allclose(info["channels"][n]["power_spectrum"], power, rtol=1e-7)
        a, b = power_of[:-1], power_of[1:]
        product, squares = (a.conj() * b).real.sum(0), (abs(a) ** 2 + abs(b) ** 2).sum(0) / 2
        np.testing.assert_allclose(statistics.lag1_spectrum[n], binned(product) / binned(squares), rtol=1e-6)
        np.testing.assert_allclose(statistics.lag1[n], product.sum() / squares.sum(), rtol=1e-9)
        np.testing.assert_allclose(info["channels"][n]["lag1"], statistics.lag1[n])


def anomalies_agree():
    out = run_import(WINDS, "anomaly.zarr", "--grid", "64x128", "--anomaly", "monthly")
    ours, climatology = xr.open_zarr(out).load(), xr.open_zarr(out, group="climatology").load()
    whole = xr.open_zarr(FOLDER / "64.zarr").load()
    train = whole.isel(trajectory=0, time=whole.split.values[0] == 0)
    months = train.groupby("time.month").mean()
    for name in ["UWND", "VWND"]:
        np.testing.assert_allclose(climatology[name], months[name], atol=1e-5)
        back = ours[name][0].groupby("time.month") + climatology[name]
        np.testing.assert_allclose(back, whole[name][0], atol=1e-5)


def formats_agree():
    """The same fields as packed NetCDF-4, and as Zarr 2 and 3 with Python's own codecs: xarray's numbers."""
    random = np.random.default_rng(0)
    values = random.normal(280, 5, (40, 8, 16))
    values[3, 2, 5] = np.nan
    coordinates = {
        "time": xr.date_range("1999-01-01", periods=40, freq="D", calendar="360_day", use_cftime=True),
        "lat": ("lat", np.linspace(70, 0, 8), {"units": "degrees_north"}),
        "lon": ("lon", np.linspace(0, 150, 16), {"units": "degrees_east"}),
    }
    data = xr.Dataset({"t": (("time", "lat", "lon"), values, {"units": "K"})}, coordinates)
    packed = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 280.0, "_FillValue": -32768, "zlib": True}
    data.to_netcdf(FOLDER / "packed.nc", encoding={"t": {**packed, "chunksizes": (7, 5, 6), "shuffle": True}})
    data.astype("f4").to_zarr(FOLDER / "v2.zarr", zarr_format=2, consolidated=True)
    sharded = {"t": {"chunks": (10, 4, 8), "shards": (20, 8, 16)}}
    data.to_zarr(FOLDER / "v3.zarr", zarr_format=3, consolidated=False, encoding=sharded)
    for file in ["packed.nc", "v2.zarr", "v3.zarr"]:
        opened = xr.open_dataset(FOLDER / file) if file.endswith("nc") else xr.open_zarr(FOLDER / file, consolidated=file == "v2.zarr")
        refused = subprocess.run([PROGRAM, "data", "import", FOLDER / file, "--out", FOLDER / "x.zarr"], capture_output=True, text=True)
        assert refused.returncode == 1 and "`t` misses 1 of 5120 values" in refused.stderr, refused.stderr
        ours = xr.open_zarr(run_import(FOLDER / file, f"{file}.out.zarr", "--fill", "zero"))
        # Rows go north in a data set.
        theirs = opened.t.sortby("lat").fillna(0)
        np.testing.assert_allclose(ours.t[0], theirs, rtol=1e-6)
        np.testing.assert_array_equal(ours.lat, theirs.lat)
        assert (ours.time.values == opened.time.values).all(), (file, ours.time.values[:2])


for check in [raw_points_agree, regridding_agrees, statistics_agree, anomalies_agree, formats_agree]:
    check()
    print(f"{check.__name__}: ok")
