"""Super-resolution of real fields 4 times along each axis, on what was left out: conditional means beside regressions.

    python benches/real_fields.py thermal FOLDER RUN.raw RUN.raw RUN.raw …
    python benches/real_fields.py radar FOLDER EVENT.npy EVENT.npy [--seeds 3]
    python benches/real_fields.py transfer FOLDER RUN.raw RUN.raw … --model models/thermal-means

`thermal` takes headerless logs of a thermal array of 24 x 32 pixels, each the recording of one run. Every run is left out once:
the others train and validate. `radar` takes two events as codes of the Finnish Meteorological Institute, bytes (time, y, x):
a network learns from one event in patches of 64 x 64 points, and is scored on the other; then the other way round.
`transfer` scores a mean that was trained on simulated warm bodies on such runs, whose 24 rows become 32 by cosines: two records
of the array, which are one picture, are averaged, and those with a value that cannot be are left out.
FOLDER keeps data sets, models and results: what is there is not made again. FINESCALE names the program (by default `finescale`).
Needs numpy. Errors are pooled over all runs or events, in their units; the CRPS is the mean over them.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess

import numpy as np

PROGRAM = os.environ.get("FINESCALE", "finescale")
# Pixels differ from place to place: a linear map for each, no network.
THERMAL = """
system = "conditional-mean"
[sensor]
kind = "block-mean"
ratio = 4
[mean]
before = 3
after = 3
base = "ridge"
climatology = true
[network]
kind = "linear"
"""
# Rain has no place and no direction: what a network learns of one event's wind must not be that wind.
RADAR = """
system = "conditional-mean"
[symmetries]
turns = ["flip-y", "flip-x", "transpose"]
[sensor]
kind = "block-mean"
ratio = 4
[mean]
before = 3
after = 3
inputs = ["raw", "gradient"]
[network]
kind = "tiny"
[network.tiny]
channels = 24
dilations = [1, 2, 1, 2, 1, 2, 1, 1]
[training]
steps = 4000
batch = 8
learning-rate = 2e-3
"""
BASELINES = ["ridge-pixel", "ridge-pixel-3-frames", "ridge-patch", "ridge-patch-3-frames", "bicubic"]


def make(out, *arguments):
    """Runs the program unless what it makes is there."""
    if not out.exists():
        print("#", *arguments, flush=True)
        subprocess.run([PROGRAM, *arguments, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    return str(out)


def scores(result, data):
    """Error of the mean in units, and fair CRPS in standard deviations."""
    out = result.with_suffix(".json")
    make(out, "score", str(result), "--data", data)
    figures = json.loads(out.read_text())
    return figures["channels"][0]["error"]["rmse_of_mean"], figures["overall"]["crps"]["relative"]


def case(folder, name, fields, shares, importing, config, seed):
    """One data set whose last trajectories test: scores of the mean, of members, and of baselines."""
    folder.mkdir(parents=True, exist_ok=True)
    array = folder / f"{name}.npy"
    if not array.exists():
        np.save(array, fields())
    (folder / "config.toml").write_text(config)
    data = make(folder / f"{name}.zarr", "data", "import", str(array), *importing, "--split", "trajectory", *shares)
    model = make(
        folder / f"{name}-{seed}", "train", data, "--config", str(folder / "config.toml"), "--seed", str(seed)
    )
    fine = ["super-resolve", data, "--coarsen", "4", "--model", model]
    mean, members = folder / f"{name}-{seed}-mean.nc", folder / f"{name}-{seed}-members.nc"
    make(mean, *fine, "--members", "1", "--mean-alone")
    make(members, *fine, "--members", "20")
    found = {f"mean, seed {seed}": (scores(mean, data)[0], scores(members, data)[1])}
    baselines = folder / f"{name}-baselines"
    make(baselines, "baselines", str(mean), "--data", data)
    for baseline in BASELINES:
        found[baseline] = scores(baselines / f"{baseline}.nc", data)
    return found


def thermal(folder, files):
    runs = [np.fromfile(file, "<f4").reshape(-1, 24, 32)[2:] for file in files]
    frames = min(map(len, runs))
    importing = "--axes trajectory,time,y,x --drop-repeats --fill interpolate,nearest --interval 0.0625".split()
    share = str(0.999 / len(runs))
    for n, file in enumerate(files):
        order = [run for run in runs[:n] + runs[n + 1 :]] + [runs[n]]
        yield pathlib.Path(file).stem, case(
            folder,
            f"run-{n + 1}",
            lambda order=order: np.stack([run[:frames] for run in order]),
            ["--valid", share, "--test", share],
            [*importing, "--time-units", "seconds"],
            THERMAL,
            1,
        )


def patches(file, points=64):
    """Patches (patch, time, y, x) in dBZ; what has no echo, and everything below 0 dBZ, is 0 dBZ."""
    codes = np.load(file)
    dbz = np.where(codes == 255, np.nan, np.maximum(codes, 64) / 2 - 32).astype("f4")
    time, y, x = dbz.shape
    cut = dbz.reshape(time, y // points, points, x // points, points)
    return cut.transpose(1, 3, 0, 2, 4).reshape(-1, time, points, points)


def radar(folder, files, seeds):
    for seed in range(1, seeds + 1):
        for name, (learned, tested) in [("first", files), ("second", files[::-1])]:
            yield f"{name}, seed {seed}", case(
                folder,
                name,
                lambda learned=learned, tested=tested: np.concatenate([patches(learned), patches(tested)]),
                ["--valid", "0.0834", "--test", "0.5"],
                ["--axes", "trajectory,time,y,x", "--interval", "5", "--time-units", "minutes"],
                RADAR,
                seed,
            )


def transfer(folder, files, model):
    runs = []
    for file in files:
        records = np.fromfile(file, "<f4").reshape(-1, 24, 32)[2:]
        pairs = records[: len(records) // 2 * 2].reshape(-1, 2, 24, 32)
        possible = (np.isfinite(pairs) & (np.abs(pairs) < 150)).all((1, 2, 3))
        runs.append(pairs[possible].mean(1))
    frames = min(map(len, runs))
    folder.mkdir(parents=True, exist_ok=True)
    array = folder / "temperature.npy"
    np.save(array, np.stack([run[:frames] for run in runs]))
    importing = "--axes trajectory,time,y,x --grid 32x32 --interval 0.1 --time-units seconds".split()
    shares = "--split trajectory --valid 0.12 --test 0.75".split()
    data = make(folder / "runs.zarr", "data", "import", str(array), *importing, *shares)
    mean, members = folder / "mean.nc", folder / "members.nc"
    fine = ["super-resolve", data, "--coarsen", "4", "--model", str(pathlib.Path(model).resolve())]
    make(mean, *fine, "--members", "1", "--mean-alone")
    make(members, *fine, "--members", "20")
    baselines = folder / "baselines"
    make(baselines, "baselines", str(mean), "--data", data)
    found = {"mean": (scores(mean, data)[0], scores(members, data)[1])}
    for baseline in ["fourier", "wiener", "bicubic"]:
        found[baseline] = scores(baselines / f"{baseline}.nc", data)
    yield "all runs", found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=["thermal", "radar", "transfer"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--model", default="models/thermal-means")
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.case == "thermal":
        cases = thermal(folder, given.files)
    elif given.case == "radar":
        cases = radar(folder, given.files, given.seeds)
    else:
        cases = transfer(folder, given.files, given.model)
    pooled = {}
    for name, found in cases:
        print(name, {method: f"{error:.3f}" for method, (error, _) in found.items()}, flush=True)
        for method, figures in found.items():
            pooled.setdefault(method, []).append(figures)
    print("| method | RMS error of the mean | fair CRPS / σ |\n|---|---|---|")
    for method, figures in pooled.items():
        error = math.sqrt(np.mean([error**2 for error, _ in figures]))
        print(f"| {method} | {error:.3f} | {np.mean([crps for _, crps in figures]):.4f} |")


main()
