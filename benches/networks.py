"""finescale's networks and its training step in PyTorch, for comparisons: `train_step.py` and `gpu_torch.py` import them.

Parameters have the names of `trainer/train/src/networks/`, so that exported weights load. Periodic borders only.
"""

import copy
import json
import math

import torch
from torch import nn
from torch.nn import functional

SLOPE = 0.1
BOUND = 4.0
FEATURES = 5


def convolution(inputs, outputs, kernel, dilation=1, line=False):
    """With circular borders; a line is one row."""
    size = (1 if line else kernel, kernel)
    if kernel == 1:
        return nn.Conv2d(inputs, outputs, 1)
    padding = tuple(k // 2 * dilation for k in size)
    return nn.Conv2d(inputs, outputs, size, padding=padding, dilation=dilation, padding_mode="circular")


class Film(nn.Module):
    """λ to one factor and one shift for every channel."""

    def __init__(self, channels, hidden=16):
        super().__init__()
        self.hidden, self.out = nn.Linear(FEATURES, hidden), nn.Linear(hidden, 2 * channels)

    def forward(self, scale):
        film = self.out(functional.leaky_relu(self.hidden(scale), SLOPE))
        return film[:, :, None, None].chunk(2, dim=1)


class Tiny(nn.Module):
    """Residual dilated circular convolutions, each but the last modulated by λ."""

    def __init__(self, inputs, outputs, channels, kernel, dilations, line=False):
        super().__init__()
        last = len(dilations) - 1
        self.layers = nn.ModuleList(
            convolution(
                inputs if n == 0 else channels, outputs if n == last else channels, kernel, dilation, line
            )
            for n, dilation in enumerate(dilations)
        )
        self.film = Film(last * channels)
        self.channels = channels

    def forward(self, h, scale):
        factors, shifts = self.film(scale)
        for n, layer in enumerate(self.layers[:-1]):
            part = slice(n * self.channels, (n + 1) * self.channels)
            out = layer(h) * (1 + factors[:, part]) + shifts[:, part]
            out = functional.leaky_relu(out, SLOPE)
            h = out if n == 0 else out + h
        return self.layers[-1](h)


GROUPS, HEADS, HEAD_DIM = 8, 4, 32


class Residual(nn.Module):
    def __init__(self, inputs, outputs, embedding, line):
        super().__init__()
        self.convs = nn.ModuleList(
            [convolution(inputs, outputs, 3, line=line), convolution(outputs, outputs, 3, line=line)]
        )
        self.norms = nn.ModuleList([nn.GroupNorm(GROUPS, outputs), nn.GroupNorm(GROUPS, outputs)])
        self.modulation = nn.Linear(embedding, 2 * outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x, scale):
        factor, shift = self.modulation(scale)[:, :, None, None].chunk(2, dim=1)
        h = self.norms[0](self.convs[0](x)) * (factor + 1) + shift
        h = functional.silu(self.norms[1](self.convs[1](functional.silu(h))))
        return h + (x if self.shortcut is None else self.shortcut(x))


class Attention(nn.Module):
    """Linear in the number of points (Shen et al. 2021), with a residual."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.project = nn.Conv2d(channels, 3 * HEADS * HEAD_DIM, 1)
        self.out = nn.Conv2d(HEADS * HEAD_DIM, channels, 1)
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        batch, _, ny, nx = x.shape
        parts = self.project(self.norm(x)).reshape(batch, 3, HEADS, HEAD_DIM, ny * nx).unbind(1)
        queries = parts[0].softmax(dim=2) / math.sqrt(HEAD_DIM)
        context = parts[1].softmax(dim=3) @ parts[2].transpose(2, 3)
        read = (context.transpose(2, 3) @ queries).reshape(batch, HEADS * HEAD_DIM, ny, nx)
        return x + self.out(read) * self.gain[:, None, None]


class Level(nn.Module):
    def __init__(self, blocks, attention, resize, scaled):
        super().__init__()
        self.blocks, self.attention, self.resize = nn.ModuleList(blocks), attention, resize
        self.scaled = scaled


def to_depth(h):
    """Every 2 × 2 points (2 on a line) to one point with as many more channels."""
    batch, channels, ny, nx = h.shape
    if ny == 1:
        return h.reshape(batch, channels, nx // 2, 2).transpose(2, 3).reshape(batch, 2 * channels, 1, nx // 2)
    h = h.reshape(batch, channels, ny // 2, 2, nx // 2, 2).permute(0, 1, 5, 3, 2, 4)
    return h.reshape(batch, 4 * channels, ny // 2, nx // 2)


def doubled(h):
    """Every point twice along every axis."""
    factor = (1 if h.shape[2] == 1 else 2, 2)
    return functional.interpolate(h, scale_factor=tuple(float(f) for f in factor), mode="nearest")


class Unet(nn.Module):
    """The paper's network: residual blocks modulated by λ, linear attention at the deepest level."""

    def __init__(self, inputs, outputs, dim, multipliers, line=False):
        super().__init__()
        widths = [dim, *(m * dim for m in multipliers)]
        deepest, embedding, corners = len(multipliers) - 1, 4 * dim, 2 if line else 4

        def residual(inputs, outputs):
            return Residual(inputs, outputs, embedding, line)

        self.first = convolution(inputs, dim, 7, line=line)
        setattr(self, "lambda", nn.ModuleList([nn.Linear(FEATURES, embedding), nn.Linear(embedding, embedding)]))
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for n, (inner, outer) in enumerate(zip(widths, widths[1:])):
            scaled = n < deepest
            resize = nn.Conv2d(corners * inner, outer, 1) if scaled else convolution(inner, outer, 3, line=line)
            attention = None if scaled else Attention(inner)
            self.down.append(Level([residual(inner, inner), residual(inner, inner)], attention, resize, scaled))
        last = widths[-1]
        self.middle = nn.ModuleList([residual(last, last), residual(last, last)])
        self.attention = Attention(last)
        for n in reversed(range(deepest + 1)):
            to, inner = widths[n], widths[n + 1]
            blocks = [residual(inner + to, inner), residual(inner + to, inner)]
            attention = Attention(inner) if n == deepest else None
            self.up.append(Level(blocks, attention, convolution(inner, to, 3, line=line), n > 0))
        self.last_block = residual(2 * dim, dim)
        self.last = nn.Conv2d(dim, outputs, 1)

    def forward(self, h, scale):
        for dense in getattr(self, "lambda"):
            scale = functional.silu(dense(scale))
        h = first = self.first(h)
        skips = []
        for level in self.down:
            h = level.blocks[0](h, scale)
            skips.append(h)
            h = level.blocks[1](h, scale)
            if level.attention is not None:
                h = level.attention(h)
            skips.append(h)
            h = level.resize(to_depth(h) if level.scaled else h)
        h = self.middle[1](self.attention(self.middle[0](h, scale)), scale)
        for level in self.up:
            for block in level.blocks:
                h = block(torch.cat([h, skips.pop()], dim=1), scale)
            if level.attention is not None:
                h = level.attention(h)
            h = level.resize(h)
            if level.scaled:
                h = doubled(h)
        return self.last(self.last_block(torch.cat([h, first], dim=1), scale))


def exported_name(network, name):
    """A parameter's name in finescale's files, and whether it is stored transposed."""
    owner, _, leaf = name.rpartition(".")
    module = network.get_submodule(owner)
    if isinstance(module, nn.GroupNorm):
        leaf = {"weight": "gamma", "bias": "beta"}[leaf]
    path = f"{owner}.{leaf}" if owner else leaf
    path = path.replace("film.hidden.", "film.hidden_").replace("film.out.", "film.")
    return f"network.{path}", isinstance(module, nn.Linear) and leaf == "weight"


class Step(nn.Module):
    """A training step as finescale takes it: batches are made on the device, the network corrects a linear base, and the weighted
    squared error of spectra is minimised. `arrays` and `case` come from a file of the bench program's `export`."""

    def __init__(self, arrays, case, device, mixed=False):
        super().__init__()
        config = case["config"]
        predictor, self.training_config = config["predictor"], config["training"]
        assert not predictor["score-head"], "a score head is not compared"
        self.case, self.config, self.mixed = case, config, mixed
        self.window, self.channels = predictor["window"], case["channels"]
        self.ny, self.nx = case["ny"], case["nx"]
        self.modes, self.line = self.ny * self.nx, self.ny == 1
        self.lambdas = config["lambda"]["count"]
        kind = config["network"]["kind"]
        settings = config["network"][kind]
        make = {"tiny": Tiny, "unet": Unet}[kind]
        self.network = make(case["fields"], self.channels, **settings, line=self.line)
        for name, parameter in self.network.named_parameters():
            key, transposed = exported_name(self.network, name)
            value = arrays[key].T if transposed else arrays[key]
            assert parameter.shape == value.shape, (name, parameter.shape, value.shape)
            parameter.data.copy_(value)
        for name, array in arrays.items():
            if not name.startswith(("network.", "gradient.")):
                whole = name in ("starts", "lambdas", "available", "windows")
                self.register_buffer(f"table_{name.replace('.', '_')}", array.long() if whole else array)
        self.to(device)
        self.device = device

    def table(self, name):
        return getattr(self, f"table_{name}", None)

    def draw(self):
        """First frames, λ stratified over the batch, and frames available."""
        batch, drop = self.training_config["batch"], self.config["loss"]["history-drop"]
        firsts = self.table("windows")
        starts = firsts[torch.randint(len(firsts), (batch,), device=self.device)]
        strata = torch.arange(batch, device=self.device) + torch.rand(batch, device=self.device)
        lambdas = (strata / batch * self.lambdas).long().clamp(max=self.lambdas - 1)
        fewer = torch.randint(1, max(self.window, 2), (batch,), device=self.device)
        dropped = torch.rand(batch, device=self.device) < drop
        return starts, lambdas, torch.where(dropped, fewer, self.window)

    def inverse(self, spectra):
        """Spectra `[n, modes]` to fields `[n, y, x]`."""
        return self.turn(spectra.reshape(-1, self.ny, self.nx), lambda q: q)

    def forward_transform(self, fields):
        return self.turn(fields, lambda q: q.T)

    def turn(self, values, orient):
        values = values @ orient(self.table("q_x"))
        if self.line:
            return values
        return (values.transpose(1, 2) @ orient(self.table("q_y"))).transpose(1, 2)

    def base(self, spectra, row):
        """The linear increment."""
        operator = self.table("increment")
        if operator is None:
            return 0.0
        batch = len(spectra)
        exchanged = []
        for y, x in self.case["partners"]:
            planes = spectra.reshape(batch, -1, self.ny, self.nx)
            if x:
                planes = planes.unflatten(3, (-1, 2)).flip(4).flatten(3)
            if y:
                planes = planes.unflatten(2, (-1, 2)).flip(3).flatten(2, 3)
            exchanged.append(planes.reshape(batch, 1, -1, self.modes))
        exchanged = torch.cat(exchanged, dim=2)
        operator = operator[row].reshape(batch, self.channels, -1, self.modes)
        return (operator * exchanged).sum(dim=2)

    def losses(self, starts, lambdas, available, noise=None):
        """The loss and every sample's, of a batch that is made here."""
        batch, w, c, m = len(starts), self.window, self.channels, self.modes
        index = starts[:, None] + torch.arange(w + 1, device=self.device)
        clean = self.table("frames")[index].reshape(batch, w + 1, c, m)
        if noise is None:
            noise = torch.randn(batch, w + 1, c, m, device=self.device)
        damping, scale = (self.table(name)[lambdas] for name in ("damping", "noise_scale"))
        path = clean * damping.reshape(batch, 1, c, m) + noise * scale.reshape(batch, 1, c, m)
        target = path[:, w] - path[:, w - 1]
        there = torch.arange(w, device=self.device) + available[:, None] >= w
        spectra, row = path[:, :w] * there[:, :, None, None], lambdas * w + available - 1

        def fields(scaled):
            return self.inverse(scaled.reshape(-1, m)).reshape(batch, w * c, self.ny, self.nx)

        filters = self.table("seen")[lambdas].reshape(batch, -1, 1, c, m)
        seen = torch.cat([fields(spectra * f) for f in filters.unbind(1)], dim=1)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed):
            out = self.network(seen, self.table("features")[lambdas])
        out = out.float()
        if self.config["predictor"]["bounded"]:
            scale = self.table("increment_scale")[lambdas][:, :, None, None]
            out = torch.tanh(out / BOUND) * (scale * BOUND)
        out = self.forward_transform(out.reshape(batch * c, self.ny, self.nx)).reshape(batch, c, m)
        squares = (self.base(spectra, row) + out - target).square().reshape(batch, c * m)
        if self.config["loss"]["weight"] == "innovation":
            values = (squares / self.table("innovation")[row]).mean(dim=1)
        else:
            values = squares.mean(dim=1) / self.table("mean_noise")[lambdas]
        return values.mean(), values.detach()


class Learner:
    """A step's loss, Adam, clipped gradients and the moving average; `mode` is torch.compile's, or None."""

    def __init__(self, step, mode):
        self.step, config = step, step.training_config
        self.config, self.weights = config, list(step.network.parameters())
        self.average = copy.deepcopy([w.detach() for w in self.weights])
        self.optimizer = torch.optim.Adam(
            self.weights, lr=config["learning-rate"], eps=1e-5, fused=step.device.type == "cuda"
        )
        # Gradients that a CUDA graph has left where it computes them would be overwritten by its next run: they are added up elsewhere.
        self.release = mode != "reduce-overhead"
        self.losses = step.losses if mode is None else torch.compile(step.losses, mode=mode)

    def __call__(self):
        seen = []
        for _ in range(self.config["accumulate"]):
            draw = self.step.draw()
            torch.compiler.cudagraph_mark_step_begin()
            loss, values = self.losses(*draw)
            (loss / self.config["accumulate"]).backward()
            seen.append(values.clone())
        nn.utils.clip_grad_norm_(self.weights, self.config["clip"])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=self.release)
        torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 - self.config["ema"])
        return seen


def opened(path):
    """Arrays and description of an exported file."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}
        return arrays, json.loads(file.metadata()["case"])


def difference(a, b):
    return float((a - b).norm() / b.norm().clamp(min=1e-30))


def agreement(arrays, case):
    """Relative differences of the losses and of all gradients together, on the CPU in f32, from what the file says must come out."""
    step = Step(arrays, case, torch.device("cpu"))
    draw = [step.table(name) for name in ("starts", "lambdas", "available")]
    loss, values = step.losses(*draw, noise=step.table("noise"))
    loss.backward()
    found, expected = [], []
    for name, parameter in step.network.named_parameters():
        key, transposed = exported_name(step.network, name)
        gradient = arrays[f"gradient.{key}"]
        expected.append((gradient.T if transposed else gradient).flatten())
        found.append(parameter.grad.flatten())
    return {
        "losses": difference(values, arrays["losses"]),
        "gradients": difference(torch.cat(found), torch.cat(expected)),
        "parameters": sum(w.numel() for w in step.network.parameters()),
    }
