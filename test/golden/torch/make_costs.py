"""What some of the networks here cost, in plain PyTorch: writes `costs.json`, the expected counts for docs/cost.md.

    python3 test/golden/torch/make_costs.py

It runs the trained network of a case over its first batch, in evaluation mode, and counts by NeuroBench's definitions as docs/cost.md
gives them: it runs each convolution and linear layer again with every input other than 0, and every weight other than 0, replaced by 1. An
input of a call that holds nothing but 0, 1 and -1 is spikes.
"""

import json
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import torch
from torch import nn
from torch.nn import functional as F

from spiking_networks import Network, Neurons

FOLDER = Path(__file__).resolve().parent
# Maximum and average pooling, one tau per layer and per neuron, fixed tau, sizes that pooling cuts off; no convolution; still images.
CASES = ['net_step_loss', 'net_triangle_tau_reg', 'nmnist_34', 'linear_counts', 'still_mnist', 'still_cifar10_average']
LAST_STEP = 2


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack('<Q', data[:8])
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        start, end = entry['data_offsets']
        kind = {'F32': torch.float32, 'I64': torch.int64}[entry['dtype']]
        values = torch.frombuffer(bytearray(data[8 + length + start:8 + length + end]), dtype=kind)
        tensors[name] = values.reshape(entry['shape'])
    return tensors


def measure(description, tensors):
    model = Network(description)
    prefix = f'step{LAST_STEP}/state/'
    model.load_state_dict({name[len(prefix):]: value for name, value in tensors.items() if name.startswith(prefix)})
    model.eval().double()
    synapses = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    operations = [0] * len(synapses)
    totals = {'dense': 0, 'macs': 0, 'acs': 0, 'silent': 0, 'neurons': 0}

    def count(layer, values):
        (x,) = values
        weight = (layer.weight != 0).double()
        run = (lambda x, w: F.conv2d(x, w, padding=layer.padding)) if isinstance(layer, nn.Conv2d) else F.linear
        effective = int(run((x != 0).double(), weight).sum())
        operations[synapses.index(layer)] += effective
        totals['acs' if bool(((x == 0) | (x.abs() == 1)).all()) else 'macs'] += effective
        totals['dense'] += int(run(torch.ones_like(x), torch.ones_like(weight)).sum())

    def look(_layer, _values, spikes):
        totals['silent'] += int((spikes == 0).sum())
        totals['neurons'] += spikes.numel()

    for layer in synapses:
        layer.register_forward_pre_hook(count)
    for layer in model.layers(Neurons):
        layer.register_forward_hook(look)
    frames = tensors['x'][0].double()
    samples = len(frames)
    with torch.no_grad():
        model(frames)
    return {
        'samples': samples,
        'operations': operations,
        'footprintBytes': sum(v.numel() * (8 if v.dtype == torch.int64 else 4) for v in model.state_dict().values()),
        'activationSparsity': totals['silent'] / totals['neurons'],
        'denseOperations': totals['dense'] / samples,
        'effectiveMacs': totals['macs'] / samples,
        'effectiveAcs': totals['acs'] / samples,
    }


def main():
    cases = json.loads((FOLDER / 'index.json').read_text())['cases']
    costs = {name: measure(cases[name], read_safetensors(FOLDER / f'{name}.safetensors')) for name in CASES}
    (FOLDER / 'costs.json').write_text(json.dumps(costs, indent=1) + '\n')


if __name__ == '__main__':
    main()
