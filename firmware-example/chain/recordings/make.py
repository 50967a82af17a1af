"""Makes amg88.raw, what an 8 × 8 array would have recorded, of a recording with 24 × 32 pixels.

usage: make.py    (needs nothing but Python)

Each of the 8 × 8 values is the mean of 3 × 4 pixels of tests/data/real/mlx90640.raw (°C, float32), rounded to the
quarter of a degree that a step of the AMG88xx is: its register holds so many steps, in two bytes, little-endian.
"""

import struct
from pathlib import Path

HERE = Path(__file__).parent
ROWS, COLUMNS = 24, 32
log = (HERE / "../../../tests/data/real/mlx90640.raw").read_bytes()
values = struct.unpack(f"<{len(log) // 4}f", log)
steps = []
for frame in range(len(values) // (ROWS * COLUMNS)):
    for y in range(8):
        for x in range(8):
            first = frame * ROWS * COLUMNS + 3 * y * COLUMNS + 4 * x
            block = [values[first + row * COLUMNS + column] for row in range(3) for column in range(4)]
            steps.append(int(4 * sum(block) / 12 + 0.5))
(HERE / "amg88.raw").write_bytes(struct.pack(f"<{len(steps)}H", *steps))
