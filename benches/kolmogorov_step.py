"""One Kolmogorov time step: finescale against the same step with NumPy's and SciPy's FFT.

    python benches/kolmogorov_step.py [POINTS ...]

Needs NumPy and SciPy. Builds and runs `kolmogorov_step` of this folder, integrates the same flow
in Python (integrating-factor RK4, 2/3 rule, 4 real transforms a stage, or 2 complex ones of u + iv
as finescale does it), checks that both find the same vorticity, and prints microseconds a step and
the ratios. Everything runs on one thread; a figure is the best of several rounds, which take turns.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import pathlib
import subprocess
import sys
import time

import numpy as np
import scipy.fft

DT, NU, DRAG, FORCING, K_FORCING = 1e-3, 1e-3, 0.1, 4.0, 4
ROUNDS = 7


class RealTransforms:
    """The half plane that rfft2 knows, `[ky][kx]`; u, v in and u² − v², uv out, as stacks of two."""

    def __init__(self, points, fft):
        self.fft, self.points = fft, points
        self.ky = np.fft.fftfreq(points, 1 / points)[:, None]
        self.kx = np.arange(points // 2 + 1.0)[None, :]
        square = self.kx**2 + self.ky**2
        inverse = 1 / np.where(square == 0, 1, square)
        self.velocity = np.stack([1j * self.ky * inverse, -1j * self.kx * inverse])
        cutoff = (points - 1) // 3
        self.kept = (abs(self.kx) <= cutoff) & (abs(self.ky) <= cutoff)
        product = np.stack([-self.kx * self.ky + 0 * square, self.kx**2 - self.ky**2])
        self.product = product * self.kept
        self.half = np.exp(-(NU * square + DRAG) * DT / 2)
        self.whole = self.half**2
        self.scale = points**2
        self.force = np.zeros_like(square)
        self.force[[K_FORCING, -K_FORCING], 0] = -FORCING / 2 * self.scale

    def start(self):
        vorticity = np.zeros(self.half.shape, complex)
        for kx in range(5):
            for ky in range(-4, 5):
                if kx > 0 or ky > 0:
                    value = complex(np.cos(3 * kx + 5 * ky), np.sin(2 * kx - 7 * ky)) / 4
                    self.set(vorticity, kx, ky, value * self.scale)
        return vorticity

    def set(self, vorticity, kx, ky, value):
        vorticity[ky, kx] = value
        if kx == 0:
            vorticity[-ky, 0] = np.conj(value)

    def get(self, vorticity, kx, ky):
        value = vorticity[ky, kx] if kx >= 0 else np.conj(vorticity[-ky, -kx])
        return value / self.scale

    def tendency(self, vorticity):
        u, v = self.fft.irfft2(self.velocity * vorticity, s=(self.points, self.points))
        products = self.fft.rfft2(np.stack([u * u - v * v, u * v]))
        products *= self.product
        products[0] += products[1]
        products[0] += self.force
        return products[0]

    def step(self, w):
        half, whole = self.half, self.whole
        k1 = self.tendency(w)
        k2 = self.tendency(half * (w + DT / 2 * k1))
        wh = half * w
        k3 = self.tendency(wh + DT / 2 * k2)
        k4 = self.tendency(half * (wh + DT * k3))
        return whole * (w + DT / 6 * k1) + half * (DT / 3 * (k2 + k3)) + DT / 6 * k4


class ComplexTransforms(RealTransforms):
    """finescale's own way in Python: the whole plane, z = u + iv in and z² out."""

    def __init__(self, points, fft):
        super().__init__(points, fft)
        self.kx = np.fft.fftfreq(points, 1 / points)[None, :]
        k = self.kx + 1j * self.ky
        square = abs(k) ** 2
        self.velocity = k / np.where(square == 0, 1, square)
        cutoff = (points - 1) // 3
        self.kept = (abs(self.kx) <= cutoff) & (abs(self.ky) <= cutoff)
        self.product = np.conj(k**2) / 4 * self.kept
        self.mirror = -np.arange(points)
        self.half = np.exp(-(NU * square + DRAG) * DT / 2)
        self.whole = self.half**2
        self.force = np.zeros_like(square)
        self.force[[K_FORCING, -K_FORCING], 0] = -FORCING / 2 * self.scale

    def set(self, vorticity, kx, ky, value):
        vorticity[ky, kx] = value
        vorticity[-ky, -kx] = np.conj(value)

    def get(self, vorticity, kx, ky):
        return vorticity[ky, kx] / self.scale

    def tendency(self, vorticity):
        z = self.fft.ifft2(self.velocity * vorticity)
        z *= z
        s = self.fft.fft2(z)
        s *= self.product
        mirrored = np.conj(s[self.mirror[:, None], self.mirror[None, :]])
        return -1j * (s - mirrored) + self.force


def ours(points, rounds, steps):
    command = ["cargo", "run", "--release", "--quiet", "--package", "finescale-benches"]
    command += ["--bin", "kolmogorov_step", "--", str(points), str(rounds), str(steps)]
    root = pathlib.Path(__file__).parent.parent
    lines = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    first, *rest = lines.splitlines()
    values = {}
    for line in rest:
        kx, ky, re, im = line.split()
        values[int(kx), int(ky)] = complex(float(re), float(im))
    return float(first), values


def check(solver, expected):
    """Largest difference of the vorticity amplitudes after 100 steps, beside the largest of them."""
    w = solver.start()
    for _ in range(100):
        w = solver.step(w)
    error = max(abs(solver.get(w, kx, ky) - value) for (kx, ky), value in expected.items())
    return error / max(map(abs, expected.values()))


def main():
    sizes = [int(a) for a in sys.argv[1:]] or [64, 128, 256]
    print(f"NumPy {np.__version__}, SciPy {scipy.__version__}; microseconds a step")
    for points in sizes:
        steps = max(5, 1_000_000 // points**2)
        solvers = {
            "SciPy, 4 real": RealTransforms(points, scipy.fft),
            "SciPy, 2 complex": ComplexTransforms(points, scipy.fft),
            "NumPy, 4 real": RealTransforms(points, np.fft),
            "NumPy, 2 complex": ComplexTransforms(points, np.fft),
        }
        best = dict.fromkeys(["finescale", *solvers], float("inf"))
        _, expected = ours(points, 1, 1)
        for name, solver in solvers.items():
            error = check(solver, expected)
            assert error < 1e-11, f"{name} and finescale differ by {error:.1e}"
        for _ in range(ROUNDS):
            best["finescale"] = min(best["finescale"], ours(points, 2, steps)[0])
            for name, solver in solvers.items():
                w = solver.start()
                begun = time.perf_counter()
                for _ in range(steps):
                    w = solver.step(w)
                best[name] = min(best[name], 1e6 * (time.perf_counter() - begun) / steps)
        for name, time_ in best.items():
            print(f"{points:4}²  {name:18} {time_:9.1f}   ratio {time_ / best['finescale']:5.2f}")


if __name__ == "__main__":
    main()
