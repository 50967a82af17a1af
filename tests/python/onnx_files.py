"""Checks exported ONNX files with onnx.checker and runs them in ONNX Runtime.

The folder given holds NAME.predictor.onnx and NAME.score.onnx, and for each the inputs and expected outputs at
several λ as raw float32: NAME.predictor.LAMBDA.window and so on. The test `onnx` of the trainer writes it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5


def check(folder, file):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    meta, tables = metadata["finescale.model"], metadata["finescale.calibration"]
    entries = len(tables["lambdas"]) * len(meta["channels"]) * tables["shells"]
    assert all(len(tables[name]) == entries for name in ("innovation_ratio", "score_power", "score_truth"))

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    data, _ = session.get_inputs()
    fixed = [n if isinstance(n, int) else -1 for n in data.shape]
    stem = file.name.removesuffix(".onnx")
    worst = 0.0
    for path in sorted(folder.glob(f"{stem}.*.{data.name}")):
        scale = path.name.removeprefix(f"{stem}.").removesuffix(f".{data.name}")
        values = np.fromfile(path, np.float32)
        # A path has two free dimensions: the case has batches of three.
        if fixed.count(-1) == 2:
            fixed[0] = 3
        inputs = {data.name: values.reshape(fixed), "lambda": np.array([scale], np.float32)}
        names = [output.name for output in session.get_outputs()]
        for name, got in zip(names, session.run(names, inputs)):
            expected = np.fromfile(folder / f"{stem}.{scale}.{name}", np.float32)
            error = np.linalg.norm(got.ravel() - expected) / np.linalg.norm(expected)
            assert error < TOLERANCE, f"{file.name}, {name} at {scale}: {error}"
            worst = max(worst, error)
    assert worst > 0.0, f"{file.name} has no cases"
    print(f"{file.name}: {worst:.1e}")


def main():
    folder = Path(sys.argv[1])
    files = sorted(folder.glob("*.onnx"))
    assert files, f"{folder} has no .onnx files"
    for file in files:
        check(folder, file)


main()
