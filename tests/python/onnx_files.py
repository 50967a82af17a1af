"""Checks exported ONNX files with onnx.checker, and compares ONNX Runtime with the boards' runtime.

usage: onnx_files.py FOLDER

FOLDER/MODEL/GRAPH/graph.onnx is a graph; each folder beside it is a case: NAME.npy for every input and output, and
tolerance.npy. The test `onnx_runtime` of the trainer writes them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def check(file):
    """Says how far the worst output is off."""
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    meta, tables = metadata["finescale.model"], metadata["finescale.calibration"]
    entries = len(tables["lambdas"]) * len(meta["channels"]) * tables["shells"]
    assert all(len(tables[name]) == entries for name in ("innovation_ratio", "score_power", "score_truth", "score_drawn_power", "score_drawn_state"))

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    errors = []
    for case in sorted(path for path in file.parent.iterdir() if path.is_dir()):
        inputs = {value.name: np.load(case / f"{value.name}.npy") for value in session.get_inputs()}
        names = [value.name for value in session.get_outputs()]
        for name, got in zip(names, session.run(names, inputs)):
            expected = np.load(case / f"{name}.npy")
            assert got.shape == expected.shape, f"{name} has the shape {got.shape}, not {expected.shape}"
            error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
            scale = inputs["lambda"][0]
            assert error < np.load(case / "tolerance.npy"), f"{file}: {name} at {scale} is off by {error}"
            errors.append(error)
    assert errors, f"{file} has no cases"
    return max(errors)


def main():
    folder = Path(sys.argv[1])
    models = sorted(folder.iterdir())
    assert models, f"{folder} is empty"
    print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}; largest relative difference")
    for model in models:
        predictor, score = (check(model / name / "graph.onnx") for name in ("predictor", "score"))
        print(f"{model.name:28} increment {predictor:.1e}   score {score:.1e}", flush=True)


main()
