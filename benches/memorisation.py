"""How near generated paths of a line come to the data that their model was trained on.

    python benches/memorisation.py --test LARGE.zarr [--picture FILE.png] FEW.zarr=GENERATED.nc …

Each FEW is a data set that a model was trained on, with paths that this model generated. For
windows of 3 frames on patches of 8 to 64 points: the median distance from a generated patch to the
nearest patch of the training part of FEW, at any of its frames and places, over the same distance
of patches of the test part of LARGE, which no model has seen. A model that replays its data has a
ratio far below 1. Of more than 100 000 patches so many are drawn. Needs numpy and xarray
(`tests/python/requirements.txt`), and matplotlib for the picture.
"""

import argparse

import numpy as np
import xarray as xr

FRAMES, POINTS, QUERIES = 3, (8, 16, 32, 64), 300


def windows(paths, points):
    """`[window, frame * point]` of `[path, time, x]`, at all frames and places of a periodic line."""
    around = np.concatenate([paths, paths[:, :, : points - 1]], axis=2)
    view = np.lib.stride_tricks.sliding_window_view(around, (FRAMES, points), axis=(1, 2))
    return view.reshape(-1, FRAMES * points)


def some(paths, points, random):
    """Windows to ask about."""
    every = windows(paths, points)
    return every[random.choice(len(every), min(QUERIES, len(every)), replace=False)]


def nearest(queries, known):
    """Median over the queries of the root mean square distance to the nearest of `known`."""
    squares, least = (known**2).sum(1)[:, None], np.full(len(queries), np.inf)
    for first in range(0, len(known), 10_000):
        some_known = slice(first, first + 10_000)
        least = np.minimum(least, (squares[some_known] - 2 * known[some_known] @ queries.T).min(0))
    least += (queries**2).sum(1)
    return np.median(np.sqrt(np.maximum(least, 0) / queries.shape[1]))


def part(data, name):
    """The trajectories of a part, and the name of the channel."""
    store = xr.open_zarr(data, consolidated=False)
    values, split = store[store.attrs["channels"].split()[0]], store["split"]
    codes = dict(zip(split.attrs["flag_meanings"].split(), np.atleast_1d(split.attrs["flag_values"])))
    return values.values[(split.values == codes[name]).all(axis=1)].astype(float), values.name


def ratios(few, generated, test):
    """The training part's trajectories, and a ratio for each size of a patch."""
    train, channel = part(few, "train")
    mean, std = train.mean(), train.std()
    drawn = xr.open_dataset(generated)[channel].values.astype(float)
    drawn = drawn.reshape(-1, *drawn.shape[-2:])
    random = np.random.default_rng(0)
    found = []
    for points in POINTS:
        known = windows((train - mean) / std, points)
        if len(known) > 100_000:
            known = known[random.choice(len(known), 100_000, replace=False)]
        distances = [nearest(some((paths - mean) / std, points, random), known) for paths in (drawn, test)]
        found.append(distances[0] / distances[1])
    return len(train), found


def draw(picture, results):
    """Ratios over the number of trajectories; a line through the mean over models for each patch."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    counts = sorted({count for count, _ in results})
    for n, points in enumerate(POINTS):
        (line,) = axes.plot(
            counts, [np.mean([r[n] for c, r in results if c == count]) for count in counts], label=f"{points} points"
        )
        axes.plot([c for c, _ in results], [r[n] for _, r in results], "o", color=line.get_color(), markersize=4)
    axes.axhline(1, color="black", linewidth=1, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="trajectories in the training part")
    axes.set_ylabel("distance to the training data,\ngenerated over unseen")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_yticks(ticks := [0.5, 1, 2, 4, 8], [str(tick) for tick in ticks])
    axes.set_ylim(0.5, 11)
    axes.legend(title="patch of 3 frames", ncols=4, loc="lower center")
    figure.savefig(picture, dpi=140)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", required=True)
    parser.add_argument("--picture")
    parser.add_argument("pairs", nargs="+", metavar="FEW.zarr=GENERATED.nc")
    given = parser.parse_args()
    test, _ = part(given.test, "test")
    results = [ratios(*pair.split("="), test) for pair in given.pairs]
    print("| trajectories | " + " | ".join(f"{points} points" for points in POINTS) + " |")
    print("|---" * (len(POINTS) + 1) + "|")
    for count in sorted({count for count, _ in results}):
        found = np.array([r for c, r in results if c == count])
        cells = [f"{np.mean(values):.2f} ({', '.join(f'{value:.2f}' for value in values)})" for values in found.T]
        print(f"| {count} | " + " | ".join(cells) + " |")
    if given.picture:
        draw(given.picture, results)


if __name__ == "__main__":
    main()
