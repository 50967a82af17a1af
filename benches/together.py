"""How X and Y of results belong together: `python benches/together.py DATA.zarr RESULT.nc …`

Prints, for each result, by how much the coherence of both channels is off from that of the data (a complex number for
each wavenumber; the mean of the absolute differences), and the correlation of X with the square of Y.
"""

import sys

import numpy
import xarray


def coherence(x, y):
    """Of each wavenumber but the first and the last; without power there is none."""
    fx, fy = numpy.fft.rfft(x)[..., 1:-1], numpy.fft.rfft(y)[..., 1:-1]
    power = (abs(fx) ** 2).mean(0) * (abs(fy) ** 2).mean(0)
    return (fx * fy.conj()).mean(0) / numpy.sqrt(power + 1e-12)


def energy(x, y):
    return numpy.corrcoef(x.ravel(), (y**2).ravel())[0, 1]


def lines(dataset):
    """All lines of X and of Y."""
    return (dataset[name].values.reshape(-1, dataset[name].shape[-1]) for name in ("X", "Y"))


def main(data, *results):
    x, y = lines(xarray.open_zarr(data, consolidated=False))
    known = coherence(x, y)
    print(f"{data}: correlation of X and Y² {energy(x, y):.4f}")
    for name in results:
        with xarray.open_dataset(name) as result:
            x, y = lines(result)
        off = abs(coherence(x, y) - known).mean()
        print(f"{name}: error of the coherence {off:.4f}, correlation of X and Y² {energy(x, y):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
