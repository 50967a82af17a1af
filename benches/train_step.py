"""One CPU training step of the network `tiny`: finescale (Burn with our kernels) against PyTorch.

    python benches/train_step.py [THREADS ...]
    python benches/train_step.py --cpu-time

Needs PyTorch. Builds and runs `train_step` of this folder; the same network is trained in PyTorch, eager and compiled
(where torch.compile finds a C++ compiler), with the same batch and threads: forward, mean squared error, backward, Adam.
Prints milliseconds a step and ratios; a figure is the best of several rounds, which take turns.
With --cpu-time: processor time on one thread, eager only, for a machine that others share.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time

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

    def milliseconds(self):
        begun = time.perf_counter()
        for _ in range(STEPS):
            self.step()
        return 1e3 * (time.perf_counter() - begun) / STEPS


def built():
    root = pathlib.Path(__file__).parent.parent
    command = ["cargo", "build", "--release", "-q", "-p", "finescale-benches", "--bin", "train_step"]
    subprocess.run(command, cwd=root, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", root / "target")
    return pathlib.Path(target) / "release" / "train_step"


def cpu_time(program):
    """Processor time a step: ours is the difference of a long and a short run, so that starting does not count."""
    torch.set_num_threads(1)
    environment = dict(os.environ, RAYON_NUM_THREADS="1")

    def ours(points, channels, steps):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        arguments = [str(n) for n in (points, channels, BATCH, 1, steps)]
        subprocess.run([program, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    print("| grid | channels | finescale, ms | PyTorch eager | PyTorch / finescale |")
    print("|---|---|---|---|---|")
    for points, channels in CASES:
        training = Training(points, channels, False)
        training.step()
        mine = eager = float("inf")
        for _ in range(ROUNDS):
            begun = time.process_time()
            for _ in range(STEPS):
                training.step()
            eager = min(eager, 1e3 * (time.process_time() - begun) / STEPS)
            more = ours(points, channels, 2 + 2 * STEPS) - ours(points, channels, 2)
            mine = min(mine, 1e3 * more / (2 * STEPS))
        print(f"| {points}² | {channels} | {mine:.1f} | {eager:.1f} | {eager / mine:.2f} |", flush=True)


def main():
    program = os.environ.get("TRAIN_STEP") or built()
    if sys.argv[1:] == ["--cpu-time"]:
        return cpu_time(program)
    print("| threads | grid | channels | finescale, ms | PyTorch eager | compiled | best PyTorch / finescale |")
    print("|---|---|---|---|---|---|---|")
    for threads in [int(a) for a in sys.argv[1:]] or [1, 2]:
        torch.set_num_threads(threads)
        environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
        for points, channels in CASES:
            trainings = [Training(points, channels, False)]
            try:
                compiled = Training(points, channels, True)
                compiled.step()
                trainings.append(compiled)
            except Exception as error:  # noqa: BLE001: whatever keeps torch.compile from working
                print(f"torch.compile does not work here: {type(error).__name__}", file=sys.stderr)
            trainings[0].step()
            best = [float("inf")] * len(trainings)
            ours = float("inf")
            for _ in range(ROUNDS):
                arguments = [points, channels, BATCH, 1, STEPS]
                out = subprocess.run(
                    [program, *map(str, arguments)], env=environment, capture_output=True, check=True, text=True
                )
                ours = min(ours, float(out.stdout))
                best = [min(b, t.milliseconds()) for b, t in zip(best, trainings)]
            names = [f"{value:.1f}" for value in best] + ["–"] * (2 - len(best))
            ratio = min(best) / ours
            print(f"| {threads} | {points}² | {channels} | {ours:.1f} | {' | '.join(names)} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
