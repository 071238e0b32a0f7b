"""The thesis' network in plain PyTorch, as its published code runs it: step by step, every layer at every time step.

It is the yardstick of train.mjs: written the way such code usually is, with nothing that would make it slower or
faster; options change what people change to make it faster, and compute the same function. Frames, initial weights, labels and dropout masks come from files, so that another engine can compute the same
steps; the first step's loss and spike densities show whether it does.

Needs PyTorch only (Debian: python3-torch). Prints one JSON object per line.
"""

import argparse
import json
import math
import resource
import statistics
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional

ALPHA = 2.0  # slope of the surrogate
THRESHOLD = 1.0
VOTES = 10


class ArcTan(torch.autograd.Function):
    """A spike where u >= 0; its derivative is replaced by (α/2) / (1 + (π/2 · α · u)²)."""

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u >= 0).to(u)

    @staticmethod
    def backward(ctx, grad):
        (u,) = ctx.saved_tensors
        return ALPHA / 2 / (1 + (math.pi / 2 * ALPHA * u).pow_(2)) * grad


class Plif(nn.Module):
    """h = v + (x - v) · sigmoid(w), a spike where h >= 1, hard reset to 0 that the gradient does not see.

    Recurrent neurons also get their spikes of the step before."""

    def __init__(self, shape, recurrent=None):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(shape))
        self.recurrent = None if recurrent is None else nn.Linear(*recurrent.shape, bias=False)
        self.reset()

    def reset(self):
        self.v = 0.0
        self.spikes = None

    def forward(self, x):
        if self.recurrent is not None and self.spikes is not None:
            x = x + self.recurrent(self.spikes)
        h = self.v + (x - self.v) * self.w.sigmoid()
        spike = ArcTan.apply(h - THRESHOLD)
        self.v = h * (1.0 - spike.detach())
        self.spikes = spike
        return spike


class HeldDropout(nn.Module):
    """Dropout whose mask stays the same at all steps of a batch."""

    def forward(self, x):
        return x * self.mask if self.training else x


class Network(nn.Module):
    """Layers and names as in the state that it is built from."""

    def __init__(self, state):
        super().__init__()
        blocks = sum(key.endswith("running_mean") for key in state)
        layers = []
        for block in range(blocks):
            out_channels, in_channels = state[f"conv.{4 * block}.weight"].shape[:2]
            layers += [
                nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(out_channels),
                Plif(state[f"conv.{4 * block + 2}.w"].shape),
                nn.MaxPool2d(2, 2),
            ]
        self.conv = nn.Sequential(*layers)
        linear = [nn.Linear(*reversed(state[f"fc.{at}.weight"].shape), bias=False) for at in (2, 5)]
        neurons = [Plif(state[f"fc.{at}.w"].shape, state.get(f"fc.{at}.recurrent.weight")) for at in (3, 6)]
        self.fc = nn.Sequential(
            nn.Flatten(), HeldDropout(), linear[0], neurons[0], HeldDropout(), linear[1], neurons[1]
        )
        self.load_state_dict(state)
        self.neurons = [module for module in self.modules() if isinstance(module, Plif)]
        self.dropouts = [module for module in self.fc if isinstance(module, HeldDropout)]
        self.layer_by_layer = False

    def forward(self, frames):
        """[T, N, 2, H, W] to the firing rates of the classes, [N, classes]."""
        for neuron in self.neurons:
            neuron.reset()
        if self.layer_by_layer:
            spikes = self.run_layers(frames)
            return functional.avg_pool1d(spikes.mean(0).unsqueeze(1), VOTES, VOTES).squeeze(1)
        rates = 0.0
        for frame in frames:
            spikes = self.fc(self.conv(frame))
            rates = rates + functional.avg_pool1d(spikes.unsqueeze(1), VOTES, VOTES).squeeze(1)
        return rates / len(frames)

    def run_layers(self, frames):
        """Every layer once, on all steps: [T, N, 2, H, W] to spikes [T, N, outputs]. Batch norm's statistics stay those of a step."""
        steps, samples = frames.shape[:2]
        x = frames.flatten(0, 1)
        for layer in [*self.conv, *self.fc]:
            if isinstance(layer, (nn.BatchNorm2d, Plif, HeldDropout)):
                x = torch.cat([layer(step) for step in x.split(samples)])
            else:
                x = layer(x)
        return x.unflatten(0, (steps, samples))


class SpikeCounter:
    """The share of neurons that spike, by layer; it costs time, so no timed step has one."""

    def __init__(self, network):
        self.sums = [0.0] * len(network.neurons)
        self.calls = 0
        self.hooks = [
            neuron.register_forward_hook(self._counter(i)) for i, neuron in enumerate(network.neurons)
        ]

    def _counter(self, i):
        def count(_module, _inputs, spikes):
            self.sums[i] += spikes.detach().mean().item()
            self.calls += i == 0

        return count

    def densities(self):
        for hook in self.hooks:
            hook.remove()
        return [total / self.calls for total in self.sums]


DTYPES = {"F32": torch.float32, "I64": torch.int64}


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        dtype = DTYPES[entry["dtype"]]
        tensors[name] = torch.frombuffer(bytearray(data[start:end]), dtype=dtype).reshape(entry["shape"])
    return tensors


def read_frames(path, samples, steps, size):
    """The first samples' uint8 counts [N, T, 2, H, H] as floats [T, N, 2, H, H], the order that the network needs."""
    shape = (samples, steps, 2, size, size)
    with open(path, "rb") as file:
        counts = torch.frombuffer(bytearray(file.read(math.prod(shape))), dtype=torch.uint8)
    return counts.reshape(shape).permute(1, 0, 2, 3, 4).contiguous().float()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--input", required=True, help="raw uint8 frames, [N, T, 2, H, H]; N may exceed --batch")
    parser.add_argument("--state", required=True, help="safetensors: the network's initial state")
    parser.add_argument("--targets", help="safetensors: labels, mask.0 and mask.1; training needs it")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=20, help="T")
    parser.add_argument("--size", type=int, default=128, help="H")
    parser.add_argument("--tau", choices=["layer", "neuron"], required=True)
    parser.add_argument("--mode", choices=["train", "evaluate"], default="train")
    parser.add_argument("--lambda", dest="regularise_tau", type=float, default=0.01)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=0, help="default: PyTorch's choice")
    parser.add_argument("--multi-step", action="store_true", help="layer by layer: convolutions over T x N images")
    parser.add_argument("--channels-last", action="store_true", help="tensors in this memory format")
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bfloat16, so not the same digits")
    parser.add_argument("--compile", action="store_true", help="torch.compile of a time step, after the first one")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--warmup", type=int, default=1, help="untimed steps, at least the first one")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--interactive", action="store_true", help="instead of --repeat: one timed step per line of input"
    )
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    on_gpu = options.device == "cuda"
    frames = read_frames(options.input, options.batch, options.steps, options.size).to(options.device)
    state = read_safetensors(options.state)
    network = Network(state).to(options.device)
    network.layer_by_layer = options.multi_step
    if options.channels_last:
        network.to(memory_format=torch.channels_last)
        steps, samples = frames.shape[:2]
        frames = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (steps, samples))
    classes = state["fc.5.weight"].shape[0] // VOTES
    if (state["fc.3.w"].numel() > 1) != (options.tau == "neuron"):
        sys.exit(f"{options.state} does not have one τ per {options.tau}")

    if options.mode == "train":
        targets = read_safetensors(options.targets)
        wanted = functional.one_hot(targets["labels"][: options.batch], classes).float().to(options.device)
        for i, dropout in enumerate(network.dropouts):
            dropout.mask = targets[f"mask.{i}"][: options.batch].to(options.device)
        optimiser = torch.optim.Adam(network.parameters(), lr=options.learning_rate)

    def forward():
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.bfloat16):
            return network(frames).float()

    def train():
        optimiser.zero_grad()
        rates = forward()
        loss = functional.mse_loss(rates, wanted)
        if options.tau == "neuron" and options.regularise_tau > 0:
            for neuron in network.neurons:
                loss = loss + options.regularise_tau * neuron.w.var()
        loss.backward()
        optimiser.step()
        return loss.item(), rates.detach()

    def evaluate():
        with torch.no_grad():
            return None, forward()

    run = train if options.mode == "train" else evaluate
    network.train(options.mode == "train")

    counter = SpikeCounter(network)
    loss, rates = run()
    first = {"loss": loss, "rates": rates.flatten().tolist(), "densities": counter.densities()}
    if options.compile:
        network.conv, network.fc = torch.compile(network.conv), torch.compile(network.fc)
    # A compiled network is compiled in its next steps.
    for _ in range(max(options.warmup, 3 if options.compile else 1) - 1):
        run()
    if options.interactive:
        print(json.dumps(first), flush=True)

    walls, processors, losses = [], [], []
    for _ in sys.stdin if options.interactive else range(options.repeat):
        wall, processor = time.perf_counter(), time.process_time()
        loss, _rates = run()
        if on_gpu:
            torch.cuda.synchronize()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
        losses.append(loss)
        if options.interactive:
            print(json.dumps({"wall": walls[-1], "processor": processors[-1], "loss": loss}), flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = {
        "torch": torch.__version__,
        "blas": blas_library(),
        "threads": torch.get_num_threads(),
        # Linux counts kilobytes, macOS bytes. On a GPU, what PyTorch took of its memory.
        "peakBytes": torch.cuda.max_memory_reserved() if on_gpu else memory * (1 if sys.platform == "darwin" else 1024),
    }
    if not options.interactive:
        median = statistics.median(walls) if walls else None
        timed = {"walls": walls, "processors": processors, "losses": losses, "median": median}
        summary = {**first, **timed, **summary}
    print(json.dumps(summary), flush=True)


def blas_library():
    """The library that multiplies the linear layers' matrices: on Debian, by default the slow reference one."""
    if sys.platform != "linux":
        return []
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "blas" in line.lower()}
    return sorted(paths)


if __name__ == "__main__":
    main()
