"""Spectra of simulated thermal frames beside those of recordings.

    python benches/thermal_spectra.py DATA.zarr RUN.raw RUN.raw …

DATA comes from `finescale data simulate thermal`; a RUN is a headerless log of an array of 24 x 32
pixels (float32, degrees). The array writes half of its pixels in a record, so two records are
averaged; a record with a value that is not finite, or beyond 150 degrees, is left out. A row says,
of one source: the standard deviation of the frames, the share of their variance with so many
half-waves over the height of the view, and the share that lies inside blocks of 4 x 4 pixels, which
is what super-resolution has to find. Of DATA the first 100 trajectories are taken. Needs numpy and
zarr.
"""

import argparse
import pathlib

import numpy as np
import zarr

BANDS = [(1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 24)]


def cosines(n):
    """The orthonormal cosine transform of n points."""
    k, j = np.arange(n)[:, None], np.arange(n)
    return np.cos(np.pi * k * (j + 0.5) / n) * np.sqrt(np.where(k == 0, 1, 2) / n)


def row(name, frames):
    """A line of the table for frames (frame, y, x)."""
    rows, columns = frames.shape[1:]
    power = np.mean((cosines(rows) @ frames @ cosines(columns).T) ** 2, axis=0)
    # Half-waves over the height: pixels are square.
    y, x = np.arange(rows)[:, None], np.arange(columns) * rows / columns
    half_waves = np.rint(np.hypot(y, x)).astype(int)
    power[0, 0] = 0
    total = power.sum()
    shares = [power[(half_waves >= first) & (half_waves <= last)].sum() / total for first, last in BANDS]
    blocks = frames.reshape(-1, rows // 4, 4, columns // 4, 4)
    inside = np.mean((blocks - blocks.mean((2, 4), keepdims=True)) ** 2) * rows * columns / total
    deviation = np.sqrt(total / (rows * columns))
    print(f"| {name} | {deviation:.2f} | " + " | ".join(f"{share:.3f}" for share in [*shares, inside]) + " |")


def recording(file):
    """Frames of a log."""
    records = np.fromfile(file, "<f4").reshape(-1, 24, 32)[2:].astype("f8")
    records = records[np.isfinite(records).all((1, 2)) & (np.abs(records) < 150).all((1, 2))]
    return (records[:-1] + records[1:]) / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("runs", nargs="+", type=pathlib.Path)
    given = parser.parse_args()
    bands = " | ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in BANDS)
    print(f"| source | °C | {bands} | inside blocks |\n" + "|---" * (len(BANDS) + 3) + "|")
    fields = zarr.open(given.data, mode="r")
    simulated = next(array for _, array in fields.arrays() if array.ndim == 4)[:100]
    row("simulated", simulated.reshape(-1, *simulated.shape[-2:]).astype("f8"))
    for run in given.runs:
        row(run.stem, recording(run))


if __name__ == "__main__":
    main()
