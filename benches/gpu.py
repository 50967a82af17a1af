"""finescale's CUDA backend on one NVIDIA GPU, in eight minutes: its numbers against the CPU's, its pace against PyTorch's.

    python benches/gpu.py [--program FILE] [--minutes 8] [--out FOLDER] [--presets NAME ...] [--without-torch] [--kernels FILE]
                          [--keep-kernels] [--profile] [--budget SECONDS] [--dry-run]

Needs what `cargo xtask gpu --build-only` built, packed or not, an NVIDIA driver, NVRTC and CUDA's headers, and Python with
PyTorch and safetensors; no Rust, no network. Writes `gpu.md` (the tables), `gpu.json`, `gpu.log` and a log of every process to the
folder: $OUT, or target/gpu-run/out. What has been measured is kept in target/gpu-run, compiled kernels too, and a second run goes
on from there. --keep-kernels leaves them in `kernels.tar.xz` as well, with which --kernels begins on a fresh machine of the same kind.
With --profile the backend times every kernel of a few steps by itself. With --dry-run every step runs on the CPU, on tiny batches, or
says what it would need; the figures mean nothing then.

finescale's cases run one after another: first all that are timed, then all that are compared. PyTorch compiles beside them; whoever
is timed is timed alone: all other processes are stopped meanwhile.
"""

import argparse
import contextlib
import importlib.util
import json
import lzma
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time

import gpu_kernels

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = ROOT / "benches"
WORK = ROOT / "target" / "gpu-run"
# Preset: how its data are made (few, with a short burn-in: only their shapes and their kind matter here).
PRESETS = {
    "kolmogorov-32": "kolmogorov --interval 0.2 --resolution 96 --dt 0.01 --burn-in 10",
    "paper-kolmogorov": "kolmogorov --resolution 96 --dt 0.01 --burn-in 10",
    "kolmogorov-64": "kolmogorov --grid 64 --interval 0.2 --burn-in 10",
    "paper-lorenz96": "lorenz96 --scheme euler --dt 5e-4",
}
TRAJECTORIES = 16
CACHE = WORK / "cache"
# Seconds kept for writing, and most seconds that a job is timed alone.
RESERVE, WINDOW = 8, 45


class Run:
    """What all jobs share: the results, the clock, and the right to be timed."""

    def __init__(self, options):
        self.options, self.begun = options, time.monotonic()
        self.out = pathlib.Path(options.out or os.environ.get("OUT") or WORK / "out")
        for folder in (self.out, WORK):
            folder.mkdir(parents=True, exist_ok=True)
        self.state = WORK / "results.json"
        self.results = json.loads(self.state.read_text()) if self.state.exists() else {}
        if self.results.get("dry-run", options.dry_run) != options.dry_run:
            self.results = {}
        self.results["dry-run"] = options.dry_run
        self.log = open(self.out / "gpu.log", "a", buffering=1)
        self.alone, self.lock = threading.Lock(), threading.RLock()
        self.jobs = set()

    def left(self):
        return self.options.minutes * 60 - RESERVE - (time.monotonic() - self.begun)

    def note(self, text):
        line = f"{time.monotonic() - self.begun:6.1f} s  {text}"
        print(line, flush=True)
        self.log.write(line + "\n")

    def keep(self, part, name, value):
        with self.lock:
            self.results.setdefault(part, {})[name] = value
            self.write()

    def kept(self, part, name):
        return self.results.get(part, {}).get(name)

    def write(self):
        with self.lock:
            text = json.dumps(self.results, indent=1)
            for path, content in (
                (self.state, text),
                (self.out / "gpu.json", text),
                (self.out / "gpu.md", report(self.results)),
            ):
                temporary = path.with_suffix(".part")
                temporary.write_text(content)
                temporary.replace(path)

    def stop(self, number, _):
        """Ends with all jobs; what has been measured is kept."""
        for job in list(self.jobs):
            job.signal(signal.SIGKILL)
        os._exit(128 + number)

    @contextlib.contextmanager
    def timed_alone(self, job):
        """Stops all other jobs; ends the job if it takes too long."""
        with self.alone:
            with self.lock:
                others = [other for other in self.jobs if other is not job]
            for other in others:
                other.signal(signal.SIGSTOP)
            watch = threading.Timer(WINDOW, job.signal, [signal.SIGKILL])
            watch.start()
            try:
                yield
            finally:
                watch.cancel()
                for other in others:
                    other.signal(signal.SIGCONT)


class Job:
    """A process whose lines of output are JSON events; it may ask to be timed."""

    def __init__(self, run, name, command, budget, changes=()):
        self.run, self.name, self.command, self.budget = run, name, [str(c) for c in command], budget
        self.environment = {**os.environ, **dict(changes)}

    def errors(self):
        return self.run.out / f"{self.name.replace(' ', '-')}.log"

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def events(self):
        """Its events; one `failed` more if it did not end well."""
        run = self.run
        budget = min(self.budget, run.left())
        if budget < 5:
            run.note(f"{self.name}: no time left")
            yield {"event": "failed", "why": "no time was left"}
            return
        run.log.write("$ " + " ".join(self.command) + "\n")
        # Where it is found even if this script is ended from outside.
        errors = open(self.errors(), "w+")
        with run.alone, run.lock:
            self.process = subprocess.Popen(
                self.command,
                cwd=WORK,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                process_group=0,
            )
            run.jobs.add(self)
        late = threading.Event()

        def end():
            late.set()
            self.signal(signal.SIGKILL)

        watch = threading.Timer(budget, end)
        watch.start()
        try:
            yield from self.read()
            self.process.wait()
        finally:
            watch.cancel()
            # What it has started ends with it.
            self.signal(signal.SIGKILL)
            self.process.wait()
            with run.lock:
                run.jobs.discard(self)
            errors.seek(0)
            text = errors.read()
            errors.close()
            run.log.write(f"-- {self.name}, the end of {self.errors().name}\n{text[-4000:]}\n")
        if late.is_set():
            run.note(f"{self.name}: stopped after {budget:.0f} s")
            yield {"event": "failed", "why": f"it was stopped after {budget:.0f} s"}
        elif self.process.returncode not in (0, 1) or (self.process.returncode == 1 and "error: " in text):
            why = next((line for line in reversed(text.splitlines()) if line.strip()), "no word")
            run.note(f"{self.name}: ended with {self.process.returncode}: {why[:200]}")
            yield {"event": "failed", "why": why[:200]}

    def read(self):
        lines = iter(self.process.stdout.readline, "")
        for line in lines:
            event = self.parsed(line)
            if event is None:
                continue
            asks = event["event"] == "ready"
            yield event
            if not asks:
                continue
            with self.run.timed_alone(self):
                try:
                    self.process.stdin.write("go\n")
                    self.process.stdin.flush()
                except BrokenPipeError:
                    continue
                answer = self.parsed(next(lines, ""))
                if answer:
                    answer["process_bytes"] = process_memory(self.process.pid)
                    yield answer

    def parsed(self, line):
        self.run.log.write(f"{self.name}: {line}")
        try:
            event = json.loads(line)
            return event if "event" in event else None
        except (json.JSONDecodeError, TypeError):
            return None


def process_memory(pid):
    """What the driver says that a process holds on the GPU, its context and kernels included."""
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        text = subprocess.run(query, capture_output=True, text=True, timeout=10).stdout
        for line in text.splitlines():
            found, mebibytes = line.split(",")
            if int(found) == pid:
                return int(mebibytes) << 20
    return None


def cuda_folders():
    """Folders of a CUDA installation, or of NVIDIA's Python packages: with headers, and with NVRTC."""
    roots = [os.environ.get("CUDA_PATH"), "/usr/local/cuda", "/opt/cuda"]
    if nvcc := shutil.which("nvcc"):
        roots.append(pathlib.Path(nvcc).resolve().parent.parent)
    if (spec := importlib.util.find_spec("nvidia")) and spec.submodule_search_locations:
        for place in map(pathlib.Path, spec.submodule_search_locations):
            roots += [*sorted(place.glob("cu1*")), place / "cuda_nvrtc", place / "cuda_runtime"]
    roots = [pathlib.Path(root) for root in roots if root]
    headers = [root for root in roots if (root / "include" / "cuda_runtime.h").exists()]
    libraries = []
    for root in roots:
        for folder in (root / "lib64", root / "lib", root / "targets" / "x86_64-linux" / "lib"):
            if list(folder.glob("libnvrtc.so*")):
                libraries.append(folder)
    return headers, libraries


def environment(run):
    """Where CUDA is, and where compiled kernels are kept."""
    headers, libraries = cuda_folders()
    if headers:
        os.environ["CUDA_PATH"] = str(headers[0])
    run.found_path = os.environ.get("LD_LIBRARY_PATH", "")
    path = [str(folder) for folder in libraries] + [run.found_path]
    os.environ["LD_LIBRARY_PATH"] = ":".join(filter(None, path))
    run.note(f"CUDA's headers: {headers[0] if headers else 'none found'}; NVRTC: {libraries[0] if libraries else 'none found'}")
    for name, folder in (
        ("FINESCALE_KERNELS", "kernels"),
        ("CUDA_CACHE_PATH", "driver"),
        ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
        ("TRITON_CACHE_DIR", "triton"),
    ):
        os.environ[name] = str(CACHE / folder)
    os.environ["CUDA_CACHE_MAXSIZE"] = str(4 << 30)
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = str(max(1, (os.cpu_count() or 4) // 4))
    # The backend looks for this file where its process starts. The program writes what it logs to its standard error.
    (WORK / "cubecl.toml").write_text(
        '[compilation]\nlogger = { level = "basic", log = "info" }\n[profiling]\nlogger = { log = "info" }\n'
    )


def machine(run):
    """The GPU, its driver and the versions, for the table's head."""
    gpu = "none: this step would need an NVIDIA GPU and its nvidia-smi"
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        found = subprocess.run(query, capture_output=True, text=True, timeout=20)
        if found.returncode == 0 and found.stdout.strip():
            gpu = found.stdout.strip().splitlines()[0]
    run.note(f"GPU: {gpu}")
    about = {"gpu": gpu, "python": platform.python_version(), "libc": " ".join(platform.libc_ver())}
    about["processor"] = f"{os.cpu_count()} processors"
    for name, value in about.items():
        run.keep("machine", name, value)
    return not gpu.startswith("none")


def unpacked(program):
    """The program itself, from a `.xz` of it if that is what there is."""
    if program.suffix != ".xz":
        return program
    plain = WORK / program.stem
    if not plain.exists() or plain.stat().st_mtime < program.stat().st_mtime:
        part = plain.with_suffix(".part")
        with lzma.open(program) as packed, open(part, "wb") as file:
            shutil.copyfileobj(packed, file)
        part.chmod(0o755)
        part.replace(plain)
    return plain


def prepare(run, program, preset):
    """A preset's data and its exported step: nothing of it needs a GPU."""
    data, file = WORK / f"{preset}.zarr", WORK / f"{preset}.safetensors"
    torch = bool(run.options.modes)
    command = [program, "data", "simulate", *PRESETS[preset].split(), "--trajectories", TRAJECTORIES, "--out", data]
    if not data.exists() and not done(run, f"{preset} data", command):
        return
    # Few samples: PyTorch is compared with the CPU's numbers, not timed, on them.
    command = [program, "export", data, "--preset", preset, "--out", file, *run.options.shrink]
    if torch and not file.exists():
        done(run, f"{preset} export", command)


def done(run, name, command):
    begun = time.monotonic()
    failed = [event for event in Job(run, name, command, 120).events() if event["event"] == "failed"]
    if not failed:
        run.note(f"{name}: {time.monotonic() - begun:.1f} s")
    return not failed


def ours(run, program):
    """finescale's cases, one after another, and what belongs to them."""
    options = run.options
    cases = [(preset, mixed) for preset in options.presets for mixed in (False, True)]

    def measure(preset, mixed, *more):
        command = [program, "measure", WORK / f"{preset}.zarr", "--preset", preset, *options.device, *more]
        return command + (["--mixed"] if mixed else [])

    def named(preset, mixed):
        return f"{preset} {'mixed' if mixed else 'full'}"

    def case(name, kind, command, **more):
        gpu_kernels.unlock(CACHE)
        collect(run, "finescale", name, Job(run, f"finescale {name}{kind}", command, options.budget, **more))

    for preset, mixed in cases:
        name = named(preset, mixed)
        if not (run.kept("finescale", name) or {}).get("steps_per_second"):
            case(name, "", measure(preset, mixed, "--no-check", "--hold", *options.timing))
    few = ["--no-check", "--warm", 0, "--seconds", 0, "--look", 1]
    # The first step of a process that finds its kernels compiled.
    again = f"{named(*cases[0])} again"
    if not run.kept("finescale", again):
        case(again, "", measure(*cases[0], *few))
    if not run.kept("checks", "blocks"):
        case("blocks", "", [program, "blocks", "--backend", options.backend])
    for preset, mixed in cases:
        name = named(preset, mixed)
        if not run.kept("checks", name):
            case(name, " numbers", measure(preset, mixed, "--no-pace"))
    for preset, mixed in cases if options.profile else []:
        name = f"profile {named(preset, mixed)}"
        job = Job(run, name, measure(preset, mixed, *few), options.budget, {"CUBECL_DEBUG_OPTION": "profile-medium"})
        collect(run, "finescale", name, job)
        (run.out / f"{name.replace(' ', '-')}.txt").write_text(gpu_kernels.profile(job.errors().read_text()))
    if "kolmogorov-32" in options.presets and not run.kept("finescale", "train"):
        train(run, program)


def collect(run, part, name, job):
    """Keeps a job's figures and checks."""
    figures, checks = run.kept(part, name) or {}, []
    figures.pop("failed", None)
    for event in job.events():
        kind = event.pop("event")
        if kind == "check":
            checks.append(event)
            run.keep("checks", name, checks)
            if not event["passed"]:
                run.note(f"{job.name}: {event['name']}: {scientific(event['error'])}, bound {event['bound']:.0e}: FAILED")
        else:
            figures.update({"failed": event["why"]} if kind == "failed" else event)
            run.keep(part, name, figures)
        if kind == "first":
            kernels = event.get("kernels") or {"compiled": 0, "found": 0}
            counts = f"{kernels['compiled']} kernels compiled, {kernels['found']} found compiled"
            run.note(f"{job.name}: first step after {event['first']:.1f} s, {counts}")
        if kind == "ready":
            run.note(f"{job.name}: steady after {event['warm']:.1f} s")
        if kind == "pace":
            run.note(f"{job.name}: {event['steps_per_second']:.2f} steps/s")
    if checks:
        run.note(f"{job.name}: {sum(c['passed'] for c in checks)} of {len(checks)} comparisons passed")


def train(run, program):
    """What `finescale train` runs, from data to a calibrated model."""
    options, preset = run.options, "kolmogorov-32"
    folder = WORK / "trained"
    shutil.rmtree(folder, ignore_errors=True)
    command = [program, "train", WORK / f"{preset}.zarr", "--preset", preset, "--out", folder]
    command += ["--steps", 4 if options.dry_run else 200, "--backend", options.backend]
    begun = time.monotonic()
    if done(run, "finescale train", command):
        size = (folder / "model.safetensors").stat().st_size
        run.keep("finescale", "train", {"seconds": time.monotonic() - begun, "model_bytes": size})


def theirs(run, preset):
    """PyTorch's modes of one preset."""
    options = run.options
    kept = run.results.get("torch", {})
    modes = [mode for mode in options.modes if f"{preset} {mode}" not in kept]
    if not modes:
        return
    command = [sys.executable, HERE / "gpu_torch.py", WORK / f"{preset}.safetensors"]
    command += ["--device", "cpu" if options.dry_run else "cuda", *options.torch, "--modes", *modes]
    figures, checks = {}, []
    # PyTorch brings its own libraries.
    changes = {"LD_LIBRARY_PATH": run.found_path}
    for event in Job(run, f"PyTorch {preset}", command, 10_000, changes).events():
        kind, mode = event.pop("event"), event.pop("mode", None)
        if kind == "check":
            checks.append(event)
            run.keep("checks", f"PyTorch {preset}", checks)
        elif kind == "network":
            run.keep("machine", "torch", event.pop("torch"))
            run.keep("machine", f"parameters of {preset}", event["parameters"])
        elif mode is None:
            run.keep("torch", f"{preset} stopped", event)
        else:
            figures.setdefault(mode, {}).update({"failed": event["why"]} if kind == "failed" else event)
            if kind != "ready":
                shown = event.get("steps_per_second")
                run.note(f"PyTorch {preset} {mode}: " + (f"{shown:.2f} steps/s" if shown else event["why"]))
                run.keep("torch", f"{preset} {mode}", figures[mode])


def scientific(error):
    return "not a number" if error is None else f"{error:.1e}"


def shown(figures, key="steps_per_second", unit=1.0, digits=1):
    if not figures or not figures.get(key):
        return "failed" if figures and figures.get("failed") else "–"
    return f"{figures[key] / unit:.{digits}f}"


def report(results):
    """The tables, in Markdown."""
    about = results.get("machine", {})
    torch, finescale = results.get("torch", {}), results.get("finescale", {})
    lines = []
    if results.get("dry-run"):
        lines += ["**A dry run on a CPU: the figures mean nothing.**", ""]
    lines += [
        f"GPU, driver, memory: {about.get('gpu', 'not asked')}. PyTorch {about.get('torch', 'not reached')}, "
        f"Python {about.get('python')}, {about.get('libc')}, {about.get('processor')}.",
        "",
        "Steps a second of a whole training step: batch, network, loss, backward, clipped Adam, moving average.",
        "",
        "| preset | precision | finescale | PyTorch eager | compiled | CUDA graphs | finescale / best PyTorch |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [("f32", "full"), ("TF32", "full"), ("bf16", "mixed")]
    for preset in PRESETS:
        for precision, our in rows:
            mine = finescale.get(f"{preset} {our}")
            others = [torch.get(f"{preset} {how}-{precision.lower()}") for how in ("eager", "compiled", "graphs")]
            paces = [o["steps_per_second"] for o in others if o and o.get("steps_per_second")]
            pace = mine.get("steps_per_second") if mine else None
            ratio = f"{pace / max(paces):.2f}" if pace and paces else "–"
            cells = [shown(mine), *(shown(other) for other in others), ratio]
            lines.append(f"| {preset} | {precision} | {' | '.join(cells)} |")
    lines += [
        "",
        "finescale has one full precision, f32 whose products are tensor cores' TF32 wherever their shape allows: it stands in both rows.",
        "",
        "Memory on the GPU in MiB: what the allocator holds; in brackets all that the driver counts for the process (PyTorch's modes "
        "share one).",
        "",
        "| preset | precision | finescale | PyTorch eager | compiled | CUDA graphs |",
        "|---|---|---|---|---|---|",
    ]
    mib = float(1 << 20)
    for preset in PRESETS:
        for precision, our in rows:
            cells = []
            for figures in (
                finescale.get(f"{preset} {our}"),
                *(torch.get(f"{preset} {how}-{precision.lower()}") for how in ("eager", "compiled", "graphs")),
            ):
                cells.append(f"{shown(figures, 'bytes', mib, 0)} ({shown(figures, 'process_bytes', mib, 0)})")
            lines.append(f"| {preset} | {precision} | {' | '.join(cells)} |")
    lines += [
        "",
        "Seconds to the first step, and until the pace was steady (kernels compiled and tuned); the loss of the first step, and of the "
        "last.",
        "",
        "| finescale | first step, s | kernels compiled / found | steady, s | steps | loss | |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, figures in finescale.items():
        if name == "train":
            continue
        kernels = figures.get("kernels") or {}
        counts = f"{kernels.get('compiled', '–')} / {kernels.get('found', '–')}"
        cells = [shown(figures, "first"), counts, shown(figures, "warm"), shown(figures, "steps", digits=0)]
        loss = f"{shown(figures, 'loss_before', digits=3)} → {shown(figures, 'loss_after', digits=3)}"
        lines.append(f"| {name} | {' | '.join(cells)} | {loss} | {figures.get('failed', '')} |")
    if trained := finescale.get("train"):
        seconds = trained.get("seconds")
        lines += ["", f"A run of 200 steps of kolmogorov-32 to a calibrated model: {seconds:.0f} s."]
    lines += ["", "Against the CPU's f32, ‖difference‖ / ‖expected‖:", ""]
    lines += ["| case | comparison | error | bound | |", "|---|---|---|---|---|"]
    everything = results.get("checks", {})
    for name, checks in everything.items():
        for check in checks:
            verdict = "" if check["passed"] else "**failed**"
            lines.append(f"| {name} | {check['name']} | {scientific(check['error'])} | {check['bound']:.0e} | {verdict} |")
    flat = [check["passed"] for checks in everything.values() for check in checks]
    lines += ["", f"{sum(flat)} passed, {len(flat) - sum(flat)} failed."]
    return "\n".join(lines) + "\n"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target" / "gpu" / "gpu")
    parser.add_argument("--minutes", type=float, default=8.0, help="after which everything ends")
    parser.add_argument("--out", help="folder of the tables")
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=list(PRESETS), help="in this order")
    parser.add_argument("--without-torch", action="store_true", help="finescale alone")
    parser.add_argument("--kernels", type=pathlib.Path, help="the `kernels.tar.xz` of an earlier run, to begin with")
    parser.add_argument("--keep-kernels", action="store_true", help="leaves `kernels.tar.xz` beside the tables")
    parser.add_argument("--profile", action="store_true", help="times the kernels of a few steps, each by itself")
    parser.add_argument("--budget", type=float, default=200.0, help="seconds after which one of finescale's cases is ended")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, to try the script")
    options = parser.parse_args()
    dry = options.dry_run
    options.backend = "cpu" if dry else "cuda"
    options.modes = [
        f"{how}-{precision}"
        for how in ("eager", "compiled", "graphs")
        for precision in ("tf32", "bf16", "f32")
        # Strict f32 by CUDA graphs would be a row that nobody chooses.
        if (how, precision) != ("graphs", "f32")
    ]
    options.shrink = ["--batch", 2, "--lambdas", 8] if dry else []
    options.device = ["--backend", options.backend, *options.shrink]
    options.timing = ["--seconds", 0.1, "--warm", 0, "--look", 1] if dry else ["--seconds", 3, "--warm", options.budget / 4]
    options.torch = ["--seconds", "0.1", "--warm", "0", "--look", "1"] if dry else ["--seconds", "1", "--warm", "4"]
    if dry:
        options.modes = ["eager-f32", "eager-bf16", "compiled-f32"]
    if options.without_torch:
        options.modes = []
    return options


def main():
    options = arguments()
    run = Run(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, run.stop)
    there = machine(run)
    if not there and not options.dry_run:
        sys.exit("error: no NVIDIA GPU was found (nvidia-smi answers nothing): use --dry-run to try the script without one")
    environment(run)
    if options.modes and (importlib.util.find_spec("torch") is None or importlib.util.find_spec("safetensors") is None):
        run.note("PyTorch's steps would need the Python packages torch and safetensors")
        options.modes = []
    if options.program.suffix != ".xz" and not options.program.exists():
        options.program = options.program.with_suffix(".xz")
    if not options.program.exists():
        sys.exit(f"error: {options.program} is missing: build it with `cargo xtask gpu --build-only`")
    program = unpacked(options.program).resolve()
    if options.kernels:
        gpu_kernels.unpack(options.kernels, CACHE)
    preparing = [threading.Thread(target=prepare, args=(run, program, preset)) for preset in options.presets]
    for thread in preparing:
        thread.start()
    for thread in preparing:
        thread.join()
    lanes = [threading.Thread(target=ours, args=(run, program))]
    if options.modes:
        lanes += [threading.Thread(target=theirs, args=(run, preset)) for preset in options.presets]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    if options.keep_kernels:
        size = gpu_kernels.pack(CACHE, run.out / "kernels.tar.xz")
        run.note(f"kernels.tar.xz: {size} bytes" if size else "kernels.tar.xz would have been too large")
    run.write()
    print((run.out / "gpu.md").read_text())
    flat = [check["passed"] for checks in run.results.get("checks", {}).values() for check in checks]
    return 0 if flat and all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
