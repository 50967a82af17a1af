"""Files as climate centres and Python libraries write them: imported, with the numbers of xarray.

usage: files.py FINESCALE FOLDER

FINESCALE is the program, FOLDER an empty folder.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

PROGRAM, FOLDER = sys.argv[1], Path(sys.argv[2])
# Strings have no specification in Zarr 3 yet, as xarray says.
warnings.filterwarnings("ignore")

STEPS, LAT, LON = 48, np.linspace(90, -90, 37), 5.0 * np.arange(72)
n, j, i = np.ogrid[:STEPS, :37, :72]
FIELD = (
    280 + 10 * np.cos(np.radians(2 * LON)) * np.cos(np.radians(LAT))[:, None] * np.cos(0.2 * n)
).astype("f4")
HOURS = 6 * np.arange(STEPS)


def imported(file, *arguments):
    """The data set that a file becomes, on its own points."""
    out = FOLDER / "out.zarr"
    # Rows without the poles, and an even number of them, so that nothing is regridded.
    points = ["--isel", "latitude=2:34,longitude=0:64", "--split", "none"]
    command = [
        PROGRAM,
        "data",
        "import",
        str(file),
        "--out",
        str(out),
        "--force",
        *points,
        *arguments,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return xr.open_zarr(out).isel(trajectory=0).load()


def agrees(ours, name, theirs, time="time"):
    theirs = theirs.isel(latitude=slice(2, 34), longitude=slice(0, 64)).sortby("latitude")
    np.testing.assert_allclose(ours[name], theirs, rtol=1e-6)
    np.testing.assert_array_equal(ours.latitude, theirs.latitude)
    np.testing.assert_array_equal(ours.longitude, theirs.longitude)
    assert (ours.time.values == theirs[time].values).all(), (
        ours.time.values[:3],
        theirs[time].values[:3],
    )


def coordinates(group, time, fill=None):
    """Latitudes from the north, longitudes from Greenwich."""
    for name, size in [(time, STEPS), ("latitude", 37), ("longitude", 72)]:
        group.createDimension(name, size)
    for name, values, units in [
        ("latitude", LAT, "degrees_north"),
        ("longitude", LON, "degrees_east"),
    ]:
        variable = group.createVariable(name, "f8" if fill else "f4", (name,), fill_value=fill)
        variable.units, variable.standard_name = units, name
        variable[:] = values


def reanalysis_of_the_new_store():
    """ERA5 since 2024: `valid_time` in seconds, beside it `number` and `expver`, NaN as fill."""
    file = FOLDER / "new.nc"
    with netCDF4.Dataset(file, "w") as data:
        coordinates(data, "valid_time", np.nan)
        data.createVariable("number", "i8", ())[...] = 0
        data["number"].standard_name = "realization"
        time = data.createVariable("valid_time", "i8", ("valid_time",))
        time.standard_name, time.units, time.calendar = (
            "time",
            "seconds since 1970-01-01",
            "proleptic_gregorian",
        )
        time[:] = 946684800 + 3600 * HOURS
        data.createVariable("expver", str, ("valid_time",))[:] = np.array(
            ["0001"] * STEPS, dtype=object
        )
        field = data.createVariable(
            "t2m", "f4", ("valid_time", "latitude", "longitude"), fill_value=np.nan, zlib=True
        )
        field.units, field.coordinates = "K", "number valid_time latitude longitude expver"
        field[:] = FIELD
    with xr.open_dataset(file) as theirs:
        agrees(imported(file), "t2m", theirs.t2m, "valid_time")
        # Strings beside the fields are no hindrance in Zarr either.
        for version in [2, 3]:
            store = FOLDER / f"new{version}.zarr"
            theirs.load().drop_encoding().to_zarr(store, zarr_format=version)
            agrees(imported(store), "t2m", theirs.t2m, "valid_time")


def reanalysis_of_the_old_store():
    """ERA5 until 2024: 16-bit integers, hours since 1900, preliminary data by `expver`."""
    for kind in ["NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA", "NETCDF4", "NETCDF4_CLASSIC"]:
        file = FOLDER / f"{kind}.nc"
        with netCDF4.Dataset(file, "w", format=kind) as data:
            coordinates(data, "time")
            time = data.createVariable("time", "i4", ("time",))
            time.units, time.calendar = "hours since 1900-01-01 00:00:00.0", "gregorian"
            time[:] = 876576 + HOURS
            data.createDimension("expver", 2)
            data.createVariable("expver", "i4", ("expver",))[:] = [1, 5]
            shape = ("time", "expver", "latitude", "longitude")
            field = data.createVariable("t2m", "i2", shape, fill_value=-32767)
            field.scale_factor, field.add_offset, field.missing_value = (
                0.0008,
                280.0,
                np.int16(-32767),
            )
            values = np.ma.masked_all((STEPS, 2, 37, 72))
            values[:30, 0], values[30:, 1] = FIELD[:30], FIELD[30:]
            field[:] = values
        with xr.open_dataset(file) as theirs:
            final = theirs.t2m.isel(time=slice(0, 30)).sel(expver=1)
            agrees(imported(file, "--sel", "expver=1", "--time", "0:30"), "t2m", final)


def packed_coordinates():
    """Days as tenths, degrees as hundredths; nanoseconds as xarray writes them."""
    file = FOLDER / "packed.nc"
    with netCDF4.Dataset(file, "w") as data:
        for name, values, scale, units in [
            ("time", 10 * np.arange(STEPS), 0.1, "days since 2000-01-01"),
            ("latitude", 100 * LAT, 0.01, "degrees_north"),
            ("longitude", 100 * LON - 18000, 0.01, "degrees_east"),
        ]:
            data.createDimension(name, len(values))
            variable = data.createVariable(name, "i2", (name,))
            variable.set_auto_maskandscale(False)
            variable.units, variable.scale_factor = units, scale
            if name == "longitude":
                variable.add_offset = 180.0
            variable[:] = np.round(values)
        data.createVariable("t2m", "f4", ("time", "latitude", "longitude"))[:] = FIELD
    with xr.open_dataset(file) as theirs:
        ours = imported(file)
        np.testing.assert_allclose(ours.latitude, LAT[2:34][::-1], rtol=1e-12)
        np.testing.assert_allclose(ours.longitude, LON[:64], atol=1e-9)
        assert (abs(ours.time.values - theirs.time.values) < np.timedelta64(1, "us")).all()
        plain = theirs.load().drop_encoding().assign_coords(latitude=LAT, longitude=LON)
        plain = plain.assign_coords(
            time=np.datetime64("2000-01-01", "ns") + HOURS * np.timedelta64(3600, "s")
        )
        plain.latitude.attrs["units"], plain.longitude.attrs["units"] = (
            "degrees_north",
            "degrees_east",
        )
    encoding = {"time": {"units": "nanoseconds since 1970-01-01", "dtype": "i8"}}
    plain.to_netcdf(FOLDER / "ns.nc", encoding=encoding)
    plain.to_zarr(FOLDER / "ns.zarr", encoding=encoding)
    for file in ["ns.nc", "ns.zarr"]:
        agrees(imported(FOLDER / file), "t2m", plain.t2m)


def groups():
    """Trees of xarray, through both libraries that it writes NetCDF-4 with, and as Zarr."""
    field = xr.DataArray(FIELD, dims=("time", "latitude", "longitude"), name="t")
    root = xr.Dataset(
        coords={
            "time": np.datetime64("2000-01-01", "ns") + HOURS * np.timedelta64(3600, "s"),
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
        }
    )
    tree = xr.DataTree.from_dict(
        {"/": root, "/a": field.to_dataset(), "/a/b": (field + 1).to_dataset()}
    )
    tree.to_netcdf(FOLDER / "tree.nc", engine="netcdf4")
    tree.to_netcdf(FOLDER / "tree.h5.nc", engine="h5netcdf")
    for version in [2, 3]:
        for consolidated in [False, True]:
            tree.to_zarr(
                FOLDER / f"tree{version}{consolidated}.zarr",
                zarr_format=version,
                consolidated=consolidated,
            )
    stores = sorted(FOLDER.glob("tree*"))
    assert len(stores) == 6
    for store in stores:
        for path in ["a", "a/b"]:
            agrees(imported(store, "--var", f"{path}/t"), "t", tree[path].to_dataset().t)
        refused = subprocess.run(
            [PROGRAM, "data", "import", store, "--var", "t", "--out", FOLDER / "x.zarr"],
            capture_output=True,
            text=True,
        )
        assert (
            refused.returncode == 1
            and "a/b/t(time 48, latitude 37, longitude 72)" in refused.stderr
        ), refused.stderr


for check in [reanalysis_of_the_new_store, reanalysis_of_the_old_store, packed_coordinates, groups]:
    check()
    print(f"{check.__name__}: ok")
