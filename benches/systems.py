"""Every system on the same data, with equal budgets: forecasts of all, super-resolution and generation where they can.

    python benches/systems.py FOLDER [--data NAME …] [--seeds 3] [--budget 1] [--era5 era5.nc]

NAME is one of kuramoto-sivashinsky, lorenz96, kolmogorov, spring-mesh and era5 (with --era5); without it all of them. All systems
have the network `tiny` of one size, but for the inputs and outputs that each needs, and train for as many multiply-accumulates as DATA
says below, times the budget: a sample's forward pass, and twice as many for its gradient. On two cores all of it takes hours. FOLDER keeps data sets, runs, results and scores: what is there
is not made again, and an interrupted training goes on, so that the command can be stopped and given again. FINESCALE names the
program (by default `finescale`). Prints a table of each data set; figures are means over the seeds, with the least and the largest.
"""

import argparse
import json
import os
import pathlib
import subprocess

PROGRAM = os.environ.get("FINESCALE", "finescale")
MEMBERS = 20
GIVEN = 3
AHEAD = 16
BATCH = 64

# How to make each data set, its fields and points, taps of a kernel, how far it is coarsened, and multiply-accumulates of a training.
DATA = {
    "kuramoto-sivashinsky": (["simulate", "kuramoto-sivashinsky", "--trajectories", "500"], 1, 64, 5, 4, 1e12),
    "lorenz96": (["simulate", "lorenz96", "--trajectories", "500"], 2, 128, 5, 4, 1.5e12),
    "kolmogorov": (
        "simulate kolmogorov --interval 0.2 --resolution 96 --dt 0.01 --trajectories 200".split(),
        1,
        32 * 32,
        9,
        4,
        3e12,
    ),
    "spring-mesh": (["simulate", "spring-mesh", "--masses", "16", "--trajectories", "100"], 4, 16 * 16, 9, 2, 1.5e12),
    "era5": (
        "import ERA5 --var t2m --isel latitude=0:32,longitude=0:48 --valid 0.05 --test 0.29".split(),
        1,
        32 * 48,
        9,
        4,
        1.5e12,
    ),
}
CHANNELS, LAYERS = 20, 6
COMMON = f"""
[network]
kind = "tiny"
[network.tiny]
channels = {CHANNELS}
kernel = KERNEL
dilations = [1, 2, 4, 2, 1, 1]
[training]
batch = {BATCH}
learning-rate = 3e-3
weight-decay = 0.0
decay = "cosine"
warmup = 100
ema = 0.999
keep = "last"
"""
HORIZON, WINDOW = 8, 3
# Name, system, settings, fields that the network sees and gives in those of a frame, passes of a step, and the tasks with the flags
# of each row, behind another command where that does the task.
SYSTEMS = [
    *(
        (
            name,
            "predictor-driven",
            f"[predictor]\nwindow = {WINDOW}\n{settings}",
            (2 * WINDOW, 1, 3),
            {
                "forecast": {"8 steps": [], "2 steps": ["--steps", "2"], "rolled": ["simulate", "--lambda", "1e-3"]},
                "super-resolve": {"8 steps": [], "16 steps": ["--steps", "16"]},
                "generate": {"8 steps": []},
            },
        )
        for name, settings in [
            ("predictor-driven", ""),
            ("predictor-driven, no base", 'base = "none"\nbounded = false\n[lambda]\nclean = 0.3\n'),
        ]
    ),
    (
        "DYffusion",
        "dyffusion",
        f"[dyffusion]\nhorizon = {HORIZON}\nresidual = true\ndropout = 0.05\nforecaster-dropout = 0.0\n",
        # The interpolator's step, then two forecasts, and two interpolations of which one has a gradient.
        (2, 1, 3 + 6 + 4),
        {
            "forecast": {
                "masks fresh": [],
                "masks trajectory, refined": ["--masks", "trajectory", "--refine", "true"],
            }
        },
    ),
    (
        "control: dropout",
        "dyffusion",
        f'[dyffusion]\nhorizon = {HORIZON}\nmethod = "dropout"\ndropout = 0.05\n',
        (1, 1, 3),
        {"forecast": {"": []}},
    ),
    (
        "control: deterministic",
        "dyffusion",
        f'[dyffusion]\nhorizon = {HORIZON}\nmethod = "deterministic"\n',
        (1, 1, 3),
        {"forecast": {"": []}},
    ),
    *(
        (
            name,
            "dydiff",
            f"[dydiff]\nhistory = 2\nhorizon = {HORIZON}\n{settings}",
            (4 + HORIZON, 2 + HORIZON, 3),
            {"forecast": {"50 calls": []}},
        )
        for name, settings in [("Dynamical Diffusion", ""), ("control: ordinary diffusion", "rho = 0.0\n")]
    ),
    *(
        (
            name,
            "flex",
            f'[flex]\ntask-encoder = "none"\nscaled = true\n{settings}',
            (3, 1, 3),
            {task: {"2 calls": [], "midpoint, 8": ["--calls", "8", "--integrator", "midpoint"]}},
        )
        for name, settings, task in [
            ("FLEX", "", "forecast"),
            ("FLEX, super-resolution", 'task = "super-resolve"\n', "super-resolve"),
        ]
    ),
    (
        "control: regression",
        "flex",
        '[flex]\ntask-encoder = "none"\nmethod = "regression"\n',
        (2, 1, 3),
        {"forecast": {"": []}},
    ),
]
FIGURES = {
    "relative L² of the mean": lambda of: of["error"]["relative_l2_of_mean"],
    "fair CRPS / σ": lambda of: of["crps"]["relative"],
    "spread-skill": lambda of: of["spread"]["ratio"],
    "energy spectrum, \\|q − 1\\|": lambda of: of["spectrum"]["error"],
    "space-time spectrum": lambda of: of["space_time"]["error"],
}


def make(out, *arguments):
    """Runs the program unless what it makes is there; an interrupted sampling goes on."""
    if not out.exists():
        going_on = ["--resume"] if pathlib.Path(f"{out}.partial").exists() else []
        print("#", *arguments, *going_on, flush=True)
        subprocess.run([PROGRAM, *arguments, *going_on, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    return str(out)


def train(run, data, *arguments):
    """Trains unless it is done; an interrupted training goes on."""
    if not (run / "summary.txt").exists():
        arguments = ["--resume"] if run.exists() else arguments
        print("# train", run, *arguments, flush=True)
        command = [PROGRAM, "train", data, *arguments, "--out", str(run)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return str(run)


def macs(fields, taps, points, inputs, outputs):
    """Multiply-accumulates of one evaluation: those of its convolutions."""
    inner = (LAYERS - 2) * CHANNELS * CHANNELS
    return points * taps * (inner + CHANNELS * fields * (inputs + outputs))


def score(result, data):
    out = result.with_suffix(".json")
    make(out, "score", str(result), "--data", data)
    return json.loads(out.read_text())


def slug(*words):
    """A name for files."""
    return "-".join("".join(c if c.isalnum() else " " for c in " ".join(words)).split())


def draw(folder, data, name, task, flags, model, seed, coarser):
    """The result of one row and one seed."""
    out = folder / f"{slug(name, task, *flags)}-{seed}.nc"
    command = flags[:1] if flags and not flags[0].startswith("-") else [task]
    flags = flags[1:] if command == flags[:1] else flags
    common = ["--model", model, "--members", str(MEMBERS), "--seed", str(seed), *flags]
    cases = ["--frames", str(AHEAD), "--trajectories", "12"]
    if task == "forecast":
        make(out, *command, data, "--given", str(GIVEN), *cases, *common)
    elif task == "super-resolve":
        make(out, "super-resolve", data, "--coarsen", str(coarser), *cases, *common)
    else:
        make(out, "generate", "--frames", str(AHEAD), *common)
    return out


def baselines(folder, data, result, task):
    """The scores of what needs no network, on the same cases."""
    out = folder / f"baselines-{task}"
    if not out.exists():
        print("# baselines", result, flush=True)
        subprocess.run([PROGRAM, "baselines", str(result), "--data", data, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    for file in sorted(out.glob("*.nc")):
        yield file.stem, score(file, data)


def cell(values):
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    mean = sum(values) / len(values)
    return f"{mean:.3f}" if len(values) == 1 else f"{mean:.3f} ({min(values):.3f}–{max(values):.3f})"


def line(name, found, cost):
    """A row of a table; figures that a method has not are left open."""
    def figure(of, get):
        try:
            return get(of["overall"])
        except (KeyError, TypeError):
            return None

    cells = [cell([figure(of, get) for of in found]) for get in FIGURES.values()]
    calls = [of["provenance"].get("calls_per_frame") for of in found]
    seconds = [of["provenance"].get("seconds_per_frame") for of in found]
    times = [1e3 * value for value in seconds if value]
    calls = f"{calls[0]:.2f}" if cost and calls[0] is not None else "0"
    million = f"{float(calls) * cost / 1e6:.2f}" if cost else "0"
    shown = f"{min(times):.2f}" if times and cost else "–"
    print(f"| {name} | {' | '.join(cells)} | {calls} | {million} | {shown} |", flush=True)


def compare(folder, name, seeds, budget, era5):
    """Prints the tables of one data set."""
    making, fields, points, taps, coarser, work = DATA[name]
    folder.mkdir(parents=True, exist_ok=True)
    making = [str(era5) if word == "ERA5" else word for word in making]
    data = make(folder / "data.zarr", "data", *making)
    rows, results = {}, {}
    for title, system, settings, (inputs, outputs, passes), tasks in SYSTEMS:
        config = folder / f"{slug(title)}.toml"
        config.write_text(COMMON.replace("KERNEL", "5" if taps == 5 else "3") + settings)
        cost = macs(fields, taps, points, inputs, outputs)
        steps = max(1, round(budget * work / (BATCH * passes * cost)))
        for seed in range(1, seeds + 1):
            named = [] if system == "predictor-driven" else ["--system", system]
            settled = [*named, "--config", str(config), "--steps", str(steps), "--seed", str(seed)]
            model = train(folder / f"{slug(title)}-{seed}", data, *settled)
            for task, options in tasks.items():
                for option, flags in options.items():
                    out = draw(folder, data, title, task, flags, model, seed, coarser)
                    results.setdefault(task, out)
                    shown = f"{title}, {option}" if option else title
                    of_row = rows.setdefault(task, {}).setdefault((shown, steps, cost), [])
                    of_row.append(score(out, data))
    heads = ["", *FIGURES, "evaluations", "million MACs", "ms a frame"]
    for task, found in rows.items():
        print(f"\n### {name}: {task}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        for (shown, steps, cost), of in found.items():
            line(f"{shown} ({steps} training steps)", of, cost)
        if task != "generate":
            for shown, of in baselines(folder, data, results[task], task):
                line(shown, [of], 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", nargs="+", choices=DATA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=1.0)
    parser.add_argument("--era5", type=pathlib.Path)
    given = parser.parse_args()
    names = given.data or [name for name in DATA if name != "era5" or given.era5]
    if "era5" in names and not given.era5:
        parser.error("--data era5 needs the file with --era5")
    for name in names:
        compare(given.folder.resolve() / name, name, given.seeds, given.budget, given.era5 and given.era5.resolve())


main()
