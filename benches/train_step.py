"""One CPU training step of the network `tiny`: finescale (Burn with our kernels) against PyTorch.

    python benches/train_step.py [THREADS ...]
    python benches/train_step.py --cpu-time [THREADS ...]

Needs PyTorch. Builds and runs `train_step` of this folder; the same network is trained in PyTorch, eager and compiled
(where torch.compile finds a C++ compiler), with the same batch and threads: forward, mean squared error, backward, Adam.
Prints milliseconds a step and ratios; a figure is the best of several rounds, which take turns.
With --cpu-time: processor time of all threads together, for a machine that others share; OpenMP's threads sleep while they wait,
so that waiting does not count.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time

if "--cpu-time" in sys.argv:
    os.environ["OMP_WAIT_POLICY"] = "passive"  # read when OpenMP starts

import torch
from networks import Tiny

INPUTS, BATCH, DILATIONS = 6, 16, (1, 2, 4, 2, 1)
CASES = [(32, 16), (64, 16), (32, 24)]
ROUNDS, STEPS = 5, 5


class Training:
    def __init__(self, points, channels, compiled):
        torch.manual_seed(1)
        network = Tiny(INPUTS, 1, channels, 3, DILATIONS)
        self.optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
        self.network = torch.compile(network) if compiled else network
        self.input = torch.randn(BATCH, INPUTS, points, points)
        self.target = torch.randn(BATCH, 1, points, points)
        self.scale = torch.ones(BATCH, 5)

    def step(self):
        self.optimizer.zero_grad()
        loss = (self.network(self.input, self.scale) - self.target).square().mean()
        loss.backward()
        self.optimizer.step()

    def milliseconds(self, clock=time.perf_counter):
        begun = clock()
        for _ in range(STEPS):
            self.step()
        return 1e3 * (clock() - begun) / STEPS


def trainings(points, channels):
    """Eager, and compiled where that works."""
    eager, compiled = Training(points, channels, False), Training(points, channels, True)
    eager.step()
    try:
        compiled.step()
    except Exception as error:  # noqa: BLE001: whatever keeps torch.compile from working
        print(f"torch.compile does not work here: {type(error).__name__}", file=sys.stderr)
        return [eager]
    return [eager, compiled]


def row(threads, points, channels, ours, best):
    names = [f"{value:.1f}" for value in best] + ["–"] * (2 - len(best))
    ratio = min(best) / ours
    print(
        f"| {threads} | {points}² | {channels} | {ours:.1f} | {' | '.join(names)} | {ratio:.2f} |",
        flush=True,
    )


def built():
    root = pathlib.Path(__file__).parent.parent
    command = ["cargo", "build", "--release", "-q", "-p", "finescale-benches", "--bin", "train_step"]
    subprocess.run(command, cwd=root, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", root / "target")
    return pathlib.Path(target) / "release" / "train_step"


class CpuTime:
    """Processor time a step: ours is the difference of a long and a short run, the best of each, so that starting does not count."""

    clock = staticmethod(time.process_time)

    def __init__(self, program, threads, points, channels):
        self.arguments = [program, *(str(n) for n in (points, channels, BATCH, 1))]
        self.environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
        self.best = {steps: float("inf") for steps in (2, 2 + 2 * STEPS)}

    def round(self):
        for steps in self.best:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([*self.arguments, str(steps)], env=self.environment, stdout=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.best[steps] = min(self.best[steps], spent)

    def milliseconds(self):
        short, long = self.best.values()
        return 1e3 * (long - short) / (2 * STEPS)


class WallTime:
    """Wall time a step, as the program measures it."""

    clock = staticmethod(time.perf_counter)

    def __init__(self, program, threads, points, channels):
        self.arguments = [program, *(str(n) for n in (points, channels, BATCH, 1, STEPS))]
        self.environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
        self.best = float("inf")

    def round(self):
        out = subprocess.run(self.arguments, env=self.environment, capture_output=True, check=True, text=True)
        self.best = min(self.best, float(out.stdout))

    def milliseconds(self):
        return self.best


def main():
    program = os.environ.get("TRAIN_STEP") or built()
    numbers = [a for a in sys.argv[1:] if a != "--cpu-time"]
    measure = WallTime if numbers == sys.argv[1:] else CpuTime
    print("| threads | grid | channels | finescale, ms | PyTorch eager | compiled | best PyTorch / finescale |")
    print("|---|---|---|---|---|---|---|")
    for threads in [int(a) for a in numbers] or [1, 2]:
        torch.set_num_threads(threads)
        for points, channels in CASES:
            theirs = trainings(points, channels)
            ours, best = measure(program, threads, points, channels), [float("inf")] * len(theirs)
            for _ in range(ROUNDS):
                ours.round()
                best = [min(b, t.milliseconds(measure.clock)) for b, t in zip(best, theirs)]
            row(threads, points, channels, ours.milliseconds(), best)


if __name__ == "__main__":
    main()
