"""How near generated paths of a line come to the data that their model was trained on.

    python benches/memorisation.py DATA.zarr GENERATED.nc

For windows of 3 frames on patches of 8 to 64 points: the median distance from a generated patch to the nearest patch of the
training part, at any of its frames and places, beside that of patches of the test part, in standard deviations. A model that
replays its data has a ratio far below 1. Needs numpy and xarray (`tests/python/requirements.txt`).
"""

import sys

import numpy as np
import xarray as xr

FRAMES, POINTS, QUERIES = 3, (8, 16, 32, 64), 300


def windows(paths, points):
    """`[window, frame * point]` of `[path, time, x]`, at all frames and places of a periodic line."""
    around = np.concatenate([paths, paths[:, :, : points - 1]], axis=2)
    view = np.lib.stride_tricks.sliding_window_view(around, (FRAMES, points), axis=(1, 2))
    return view.reshape(-1, FRAMES * points)


def nearest(queries, known):
    """Median over the queries of the root mean square distance to the nearest of `known`."""
    squares = (known**2).sum(1)
    least = np.array([(squares - 2 * known @ query).min() + query @ query for query in queries])
    return np.median(np.sqrt(np.maximum(least, 0) / queries.shape[1]))


def main(data, generated):
    store = xr.open_zarr(data, consolidated=False)
    values, split = store[store.attrs["channels"].split()[0]], store["split"]
    codes = dict(zip(split.attrs["flag_meanings"].split(), np.atleast_1d(split.attrs["flag_values"])))

    def part(name):
        return values.values[(split.values == codes[name]).all(axis=1)].astype(float)

    train, test = part("train"), part("test")
    mean, std = train.mean(), train.std()
    drawn = xr.open_dataset(generated)[values.name].values.astype(float)
    drawn = drawn.reshape(-1, *drawn.shape[-2:])
    print("points  generated  test  ratio")
    random = np.random.default_rng(0)
    for points in POINTS:
        known = windows((train - mean) / std, points)
        distances = []
        for paths in (drawn, test):
            all_windows = windows((paths - mean) / std, points)
            chosen = random.choice(len(all_windows), min(QUERIES, len(all_windows)), replace=False)
            distances.append(nearest(all_windows[chosen], known))
        print(f"{points:6}  {distances[0]:9.3f}  {distances[1]:.3f}  {distances[0] / distances[1]:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
