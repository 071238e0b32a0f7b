"""A NIR file written by the Python package nir, `graph.nir` in this folder: with every node that src/formats/nir.ts writes, and others.

    python3 test/golden/nir/make_graph.py

needs nir (`pip install nir`); the committed file was written by nir 1.0.7. Its nodes and shapes are no sensible network.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but vectors in this folder

import nir
import numpy as np

FOLDER = Path(__file__).resolve().parent


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


nir.write(FOLDER / 'graph.nir', make_graph(np.random.default_rng(1)))
