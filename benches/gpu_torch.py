"""Training steps of one preset in PyTorch; `gpu.py` runs it.

    python benches/gpu_torch.py FILE --device cuda|cpu --seconds SECONDS --look STEPS [--modes NAME ...]

FILE is written by the bench program's `export`. First the network and the step are compared with finescale's numbers, then every mode is
compiled, says that it is ready, waits for a line of input and is timed. Every line of output is a JSON object.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from networks import Learner, Step, agreement, opened

# Name: precision, and torch.compile's mode or None.
MODES = {
    f"{how}-{precision}": (precision, mode)
    for precision in ("tf32", "bf16", "f32")
    for how, mode in (("eager", None), ("compiled", "default"), ("graphs", "reduce-overhead"))
}
AGREE = {"losses": 1e-4, "gradients": 1e-3}


def say(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


class Timed:
    def __init__(self, learner, device, look):
        self.learner, self.cuda, self.look = learner, device.type == "cuda", look

    def round(self, steps):
        """Seconds a step, the losses read at the end, as finescale does."""
        begun = time.perf_counter()
        seen = [values for _ in range(steps) for values in self.learner()]
        mean = torch.cat(seen).mean().item()
        if self.cuda:
            torch.cuda.synchronize()
        return (time.perf_counter() - begun) / steps, mean

    def steady(self, limit):
        begun, last = time.perf_counter(), float("inf")
        while time.perf_counter() - begun < limit:
            now, _ = self.round(self.look)
            if abs(now / last - 1) < 0.05:
                return
            last = now


def measure(name, arrays, case, device, options):
    precision, mode = MODES[name]
    torch._dynamo.reset()
    torch.set_float32_matmul_precision("highest" if precision == "f32" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "f32"
    torch.backends.cudnn.benchmark = False
    if device.type == "cuda":
        torch.cuda.empty_cache()
    torch.manual_seed(1)
    step = Step(arrays, case, device, mixed=precision == "bf16")
    timed = Timed(Learner(step, mode), device, options.look)
    begun = time.perf_counter()
    first, before = timed.round(1)
    timed.round(2)
    say("ready", mode=name, first=first, warm=time.perf_counter() - begun)
    sys.stdin.readline()
    # cuDNN measures its algorithms now that nothing else runs, as finescale's backend does.
    torch.backends.cudnn.benchmark = True
    timed.steady(options.warm)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    begun, times = time.perf_counter(), []
    while len(times) < 3 or time.perf_counter() - begun < options.seconds:
        seconds, after = timed.round(options.look)
        times.append(seconds)
    memory = {}
    if device.type == "cuda":
        memory = {
            "bytes": torch.cuda.max_memory_reserved(),
            "bytes_allocated": torch.cuda.max_memory_allocated(),
        }
    say(
        "pace",
        mode=name,
        steps_per_second=1 / statistics.median(times),
        best=1 / min(times),
        worst=1 / max(times),
        rounds=len(times),
        loss_before=before,
        loss_after=after,
        **memory,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--warm", type=float, default=8.0)
    parser.add_argument("--look", type=int, default=20)
    parser.add_argument("--modes", nargs="*", default=list(MODES))
    options = parser.parse_args()
    arrays, case = opened(options.file)
    found = agreement(arrays, case)
    for name, bound in AGREE.items():
        error = found[name]
        say("check", name=f"PyTorch: {name}", error=error, bound=bound, passed=error <= bound)
    say("network", parameters=found["parameters"], torch=torch.__version__, cudnn=torch.backends.cudnn.version())
    device = torch.device(options.device)
    for name in options.modes:
        try:
            measure(name, arrays, case, device, options)
        except Exception as error:  # noqa: BLE001: whatever keeps one mode from working leaves the others
            say("failed", mode=name, why=f"{type(error).__name__}: {error}"[:300])


if __name__ == "__main__":
    main()
