"""A NIR file written by the Python package nir, and what its network puts out, computed with plain PyTorch.

    python3 test/golden/nir/make_graph.py

needs PyTorch and nir (`pip install torch nir`); the committed files were written by PyTorch 2.6 and nir 1.0.7. It writes to its own folder:

- `graph.nir`: a network with every node that src/snn/nir-graph.ts knows; its nodes and shapes are no sensible network;
- `outputs.json`: frames [T, 2, 6, 7], and the outputs [T, 3] for a step of 0.5, from the equations of NIR's documentation.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but vectors in this folder

import nir
import numpy as np
import torch
from torch.nn import functional as F

FOLDER = Path(__file__).resolve().parent
DT = 0.5
STEPS = 6


def random(generator, *shape, low=-1.0, high=1.0):
    return generator.uniform(low, high, shape).astype(np.float32)


def make_graph(generator):
    def taus(*shape):
        return random(generator, *shape, low=1, high=3)

    def full(shape, value):
        return np.full(shape, value, np.float32)

    image, small, flat = (4, 4, 4), (4, 4, 3), (48,)
    nodes = {
        'in': nir.Input(np.array([2, 6, 7])),
        'conv': nir.Conv2d(
            input_shape=(6, 7),
            weight=random(generator, 4, 2, 2, 2),
            bias=random(generator, 4),
            stride=(2, 2),
            padding=(2, 1),
            dilation=(2, 1),
            groups=1,
        ),
        'lif': nir.LIF(
            tau=taus(*image),
            r=random(generator, *image, low=1, high=3),
            v_leak=random(generator, *image, high=0),
            v_threshold=random(generator, *image, low=0.1, high=0.4),
            v_reset=random(generator, *image, high=0),
        ),
        'average': nir.AvgPool2d(kernel_size=np.array([1, 2]), stride=np.array([1, 1]), padding=np.array([0, 0])),
        'cuba': nir.CubaLIF(
            tau_syn=taus(*small),
            tau_mem=taus(*small),
            r=full(small, 2),
            v_leak=full(small, 0.1),
            v_threshold=full(small, 0.3),
            v_reset=full(small, -0.1),
            w_in=random(generator, *small, low=1, high=4),
        ),
        'scale': nir.Scale(scale=random(generator, *small, low=1, high=2)),
        'sum': nir.SumPool2d(kernel_size=np.array([3, 3]), stride=np.array([1, 1]), padding=np.array([1, 1])),
        'fire': nir.IF(r=full(small, 0.7), v_threshold=full(small, 0.5), v_reset=full(small, 0.2)),
        'flatten': nir.Flatten(input_type={'input': np.array(small)}, start_dim=0, end_dim=-1),
        'affine': nir.Affine(weight=random(generator, 5, *flat), bias=random(generator, 5)),
        'cubali': nir.CubaLI(tau_syn=taus(5), tau_mem=taus(5), r=full(5, 1.5), v_leak=full(5, -0.2), w_in=full(5, 0.8)),
        'integrate': nir.I(r=full(5, 0.3)),
        'linear': nir.Linear(weight=random(generator, 3, 5)),
        'li': nir.LI(tau=taus(3), r=full(3, 2), v_leak=full(3, 0.4)),
        'out': nir.Output(np.array([3])),
    }
    names = list(nodes)
    # The first neurons reach the third ones also past the second.
    edges = [*zip(names, names[1:]), ('average', 'scale')]
    return nir.NIRGraph(nodes=nodes, edges=edges)


class Neurons:
    """One Euler step of NIR's equations for whichever of them a node has."""

    def __init__(self, node):
        self.p = {name: torch.from_numpy(value) for name, value in vars(node).items() if isinstance(value, np.ndarray)}
        self.v = self.p.get('v_leak', torch.zeros(node.r.shape))
        self.i = torch.zeros(node.r.shape)

    def __call__(self, x):
        p = self.p
        if 'tau_syn' in p:
            self.i = self.i + (p['w_in'] * x - self.i) * DT / p['tau_syn']
            x = self.i
        tau = p.get('tau', p.get('tau_mem'))
        if tau is None:
            h = self.v + p['r'] * x * DT
        else:
            h = self.v + (p['v_leak'] - self.v + p['r'] * x) * DT / tau
        if 'v_threshold' not in p:
            self.v = h
            return h
        spikes = h > p['v_threshold']
        self.v = torch.where(spikes, p['v_reset'], h)
        # A potential so near its threshold that rounding decides would make this no reference.
        assert (h - p['v_threshold']).abs().min() > 1e-4
        self.fired = spikes.float().mean().item()
        return spikes.float()


def run(graph, frames):
    n = graph.nodes
    neurons = {name: Neurons(n[name]) for name in ('lif', 'cuba', 'fire', 'cubali', 'integrate', 'li')}
    weight, bias = (torch.from_numpy(n['conv'].__dict__[part]) for part in ('weight', 'bias'))
    outputs = []
    for frame in torch.from_numpy(frames):
        x = F.conv2d(frame, weight, bias, stride=2, padding=(2, 1), dilation=(2, 1))
        pooled = F.avg_pool2d(neurons['lif'](x), (1, 2), stride=1)
        x = (neurons['cuba'](pooled) + pooled) * torch.from_numpy(n['scale'].scale)
        x = 9 * F.avg_pool2d(x, 3, stride=1, padding=1)
        x = neurons['fire'](x).flatten()
        x = torch.from_numpy(n['affine'].weight) @ x + torch.from_numpy(n['affine'].bias)
        x = neurons['integrate'](neurons['cubali'](x))
        outputs.append(neurons['li'](torch.from_numpy(n['linear'].weight) @ x).numpy())
    assert all(neurons[name].fired > 0 for name in ('lif', 'cuba', 'fire'))
    return np.stack(outputs)


def main():
    generator = np.random.default_rng(1)
    graph = make_graph(generator)
    frames = generator.poisson(0.5, (STEPS, 2, 6, 7)).astype(np.float32)
    outputs = run(graph, frames)
    nir.write(FOLDER / 'graph.nir', graph)
    described = {'frames': frames.ravel().tolist(), 'outputs': outputs.ravel().tolist()}
    (FOLDER / 'outputs.json').write_text(json.dumps(described) + '\n')


main()
