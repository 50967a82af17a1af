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
from torch import nn

INPUTS, BATCH, DILATIONS = 6, 16, (1, 2, 4, 2, 1)
CASES = [(32, 16), (64, 16), (32, 24)]
ROUNDS, STEPS = 5, 5


class Tiny(nn.Module):
    """Residual dilated circular convolutions, each but the last modulated by λ."""

    def __init__(self, channels):
        super().__init__()
        last = len(DILATIONS) - 1
        self.layers = nn.ModuleList(
            nn.Conv2d(
                INPUTS if n == 0 else channels,
                1 if n == last else channels,
                3,
                padding=dilation,
                dilation=dilation,
                padding_mode="circular",
            )
            for n, dilation in enumerate(DILATIONS)
        )
        self.hidden = nn.Linear(5, 16)
        self.film = nn.Linear(16, 2 * last * channels)
        self.channels = channels

    def forward(self, h, scale):
        film = self.film(nn.functional.leaky_relu(self.hidden(scale), 0.1))
        factors, shifts = film[:, :, None, None].chunk(2, dim=1)
        for n, layer in enumerate(self.layers[:-1]):
            part = slice(n * self.channels, (n + 1) * self.channels)
            out = layer(h) * (1 + factors[:, part]) + shifts[:, part]
            out = nn.functional.leaky_relu(out, 0.1)
            h = out if n == 0 else out + h
        return self.layers[-1](h)


class Training:
    def __init__(self, points, channels, compiled):
        torch.manual_seed(1)
        network = Tiny(channels)
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


def cpu_time(program, threads, points, channels):
    """Processor time a step: ours is the difference of a long and a short run, so that starting does not count."""
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))

    def run(steps):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        arguments = [str(n) for n in (points, channels, BATCH, 1, steps)]
        subprocess.run([program, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return 1e3 * (run(2 + 2 * STEPS) - run(2)) / (2 * STEPS)


def wall_time(program, threads, points, channels):
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    arguments = [str(n) for n in (points, channels, BATCH, 1, STEPS)]
    out = subprocess.run([program, *arguments], env=environment, capture_output=True, check=True, text=True)
    return float(out.stdout)


def main():
    program = os.environ.get("TRAIN_STEP") or built()
    numbers = [a for a in sys.argv[1:] if a != "--cpu-time"]
    ours, clock = (
        (wall_time, time.perf_counter) if numbers == sys.argv[1:] else (cpu_time, time.process_time)
    )
    print("| threads | grid | channels | finescale, ms | PyTorch eager | compiled | best PyTorch / finescale |")
    print("|---|---|---|---|---|---|---|")
    for threads in [int(a) for a in numbers] or [1, 2]:
        torch.set_num_threads(threads)
        for points, channels in CASES:
            theirs = trainings(points, channels)
            mine, best = float("inf"), [float("inf")] * len(theirs)
            for _ in range(ROUNDS):
                mine = min(mine, ours(program, threads, points, channels))
                best = [min(b, t.milliseconds(clock)) for b, t in zip(best, theirs)]
            row(threads, points, channels, mine, best)


if __name__ == "__main__":
    main()
