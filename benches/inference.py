"""Evaluations of the shipped models: finescale's runtime, tract and ONNX Runtime on one thread.

    python benches/inference.py [MODEL ...]

Needs the packages of tests/python/requirements.txt (`cargo xtask test` keeps them in target/python). Builds and runs
`inference` of this folder. All backends take turns, round by round; a figure is processor time (Linux), which holds on a machine
that others share: the least over the rounds of the mean over a round's evaluations, in microseconds. The ONNX files are
those of models/, the same for tract and ONNX Runtime; `network` is the part of predictor.onnx between the input of the first
layer and the last convolution.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime

ROUNDS, BEYOND = 7, 3
EVALUATIONS = {"network": 100, "increment": 100, "score": 10, "prepare": 50}
MODELS = [
    "kolmogorov-32",
    "kolmogorov-64",
    "kuramoto-sivashinsky",
    "kuramoto-sivashinsky-head",
    "lorenz96",
    "winds",
]
OURS = ["f32", "int8", "tract"]
ROOT = pathlib.Path(__file__).parents[1]


def build():
    command = ["cargo", "build", "--release", "-q", "-p", "finescale-benches", "--bin", "inference"]
    only = ["--no-default-features", "--features", "onnx", "--message-format=json"]
    lines = subprocess.check_output([*command, *only], cwd=ROOT, text=True).splitlines()
    line = next(line for line in lines if '"executable":"' in line)
    return line.split('"executable":"')[1].split('"')[0]


def write_network(predictor, file):
    """The layers alone: what lies between their input, λ, and the last convolution."""
    model = onnx.load(predictor)
    nodes = model.graph.node
    # What is first padded: a slice of a periodic axis, mirrored places of a reflecting one.
    padding = ("layer.0/Slice", "layer.0/Gather")
    data = next(n.input[0] for n in nodes if n.name.startswith(padding) and not n.input[0].startswith("film"))
    output = [n for n in nodes if n.op_type == "Conv"][-1].output[0]
    needed, kept = {output}, []
    for node in reversed(nodes):
        if needed & set(node.output) and data not in node.output:
            needed |= set(node.input)
            kept.insert(0, node)
    points = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][-2:]
    fields = next(list(i.dims)[1] for i in model.graph.initializer if i.name == "layers.0.weight")
    value = lambda name, shape: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    inputs = [value(data, [1, fields, *points]), value("lambda", [1])]
    constants = [i for i in model.graph.initializer if i.name in needed]
    graph = onnx.helper.make_graph(kept, "network", inputs, [value(output, ["batch", "channel", *points])], constants)
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(alone)
    onnx.save(alone, file)


def theirs(file, free):
    """A call of ONNX Runtime; `free` are the lengths of the free dimensions."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    data, scale = session.get_inputs()
    free = iter(free)
    shape = [n if isinstance(n, int) else next(free) for n in data.shape]
    values = np.random.default_rng(0).normal(size=shape).astype("f4")
    inputs = {data.name: values, scale.name: np.array([0.1], "f4")}
    return lambda: session.run(None, inputs)


def mean_of(count, call):
    began = time.thread_time()
    for _ in range(count):
        call()
    return 1e6 * (time.thread_time() - began) / count


def main():
    program = build()
    print(f"ONNX Runtime {onnxruntime.__version__}; microseconds of processor time, the best of {ROUNDS} rounds")
    names = [*OURS, "ONNX Runtime", "tract / f32", "ONNX RT / f32"]
    print(f"{'':37}" + "".join(f"{name:>14}" for name in names))
    for model in sys.argv[1:] or MODELS:
        folder = ROOT / "models" / model
        with tempfile.NamedTemporaryFile(suffix=".onnx") as network:
            write_network(folder / "predictor.onnx", network.name)
            window = onnx.load(folder / "predictor.onnx").graph.input[0].type.tensor_type.shape.dim[1].dim_value
            calls = {
                "network": theirs(network.name, []),
                "increment": theirs(folder / "predictor.onnx", [1]),
                "score": theirs(folder / "score.onnx", [1, window + BEYOND]),
            }
            ours = subprocess.Popen([program, folder, network.name], stdin=-1, stdout=-1, text=True, bufsize=1)

            def ask(what, backend):
                """While it waits for a line its processor time stands still."""
                spent = lambda: int(pathlib.Path(f"/proc/{ours.pid}/schedstat").read_text().split()[0])
                began, count = spent(), EVALUATIONS[what]
                print(what, backend, count, file=ours.stdin)
                ours.stdout.readline()
                time.sleep(0.005)  # Now it waits.
                return (spent() - began) / count / 1e3

            for what, call in calls.items():
                rounds = [[*(ask(what, name) for name in OURS), mean_of(EVALUATIONS[what], call)] for _ in range(ROUNDS)]
                times = np.min(rounds, axis=0)
                figures = "".join(f"{value:14.0f}" for value in times)
                print(f"{model:27}{what:10}{figures}{times[2] / times[0]:14.2f}{times[3] / times[0]:14.2f}", flush=True)
            prepare = min(ask("prepare", "f32") for _ in range(ROUNDS))
            print(f"{model:27}{'prepare':10}{prepare:14.0f}", flush=True)
            ours.stdin.close()


main()
