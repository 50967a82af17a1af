"""The compiled kernels that `gpu.py` keeps, and where the time of a step goes among them."""

import contextlib
import re
import tarfile

# What travels to another machine: PTX of finescale's kernels, and the machine code that the driver made of it.
PARTS = ["kernels", "driver"]
LARGEST = 16_000_000
SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def unpack(file, cache):
    """Kernels of another machine; those that are there already stay."""
    with tarfile.open(file) as packed:
        for member in packed:
            if not (cache / member.name).exists():
                packed.extract(member, cache, filter="data")


def pack(cache, file):
    """Packs the kernels, without the driver's if they are too large then; its bytes."""
    for parts in (PARTS, PARTS[:1]):
        with tarfile.open(file, "w:xz", preset=6) as packed:
            for part in parts:
                with contextlib.suppress(FileNotFoundError):
                    packed.add(cache / part, part, filter=lambda entry: None if entry.name.endswith(".lock") else entry)
        if file.stat().st_size <= LARGEST:
            return file.stat().st_size
    file.unlink()
    return None


def unlock(cache):
    """Removes the locks of a process that was ended while it wrote, for which the next would wait."""
    for lock in cache.rglob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            lock.unlink()


def profile(text):
    """A table of kernels by their time, from the backend's log of them."""
    kernels = {}
    # The backend's own summary has another number there.
    for number, unit, name in re.findall(r"\| ([0-9.]+)(ns|µs|ms|s) *\| ([^0-9\s].*)", text):
        name = re.sub(r"<.*", "", name).strip()[:90]
        count, seconds = kernels.get(name, (0, 0.0))
        kernels[name] = (count + 1, seconds + float(number) * SECONDS[unit])
    lines = [f"{'calls':>7} {'ms':>10}  kernel, each timed alone (waiting for the GPU included)"]
    for name, (count, seconds) in sorted(kernels.items(), key=lambda item: -item[1][1]):
        lines.append(f"{count:7} {seconds * 1e3:10.2f}  {name}")
    return "\n".join(lines) + "\n"
