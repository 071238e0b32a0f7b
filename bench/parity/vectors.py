"""Vectors of many small networks with other seeds than the committed ones, right or by a deliberately wrong formula.

    /usr/bin/python3 bench/parity/vectors.py FOLDER SEEDS [WRONG]

writes `index.json` and `SEEDS` cases of networks and as many of neurons to FOLDER; without arguments it lists what WRONG may be. `npm run
bench:parity` calls it.
"""

import json
import math
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'test/golden/torch'))

import make_vectors  # noqa: E402
import spiking_networks  # noqa: E402
from spiking_networks import Neurons, Unfit  # noqa: E402

EVENTS = dict(architecture='event-frames', per_neuron=False, max_pool=True, cin=2, ch=4, hw=9, layers=2, classes=3, T=4, hidden=8, batch=3)
# Few shapes, as a software GPU compiles kernels for each.
NETWORKS = [
    dict(learn_alpha=True),
    dict(learn_alpha=True, detach=False, ch=6, hw=16, batch=4),
    dict(per_neuron=True, reg_lambda=0.1),
    dict(surrogate='sigmoid', alpha=4.0, v_reset=None, detach=False),
    dict(per_neuron=True, surrogate='triangle', alpha=1.0, v_reset=-0.25, v_threshold=0.8, max_pool=False, reg_lambda=0.1, regularise='tau'),
    dict(per_channel=True, loss='step'),
    dict(plif=False, max_pool=False, T=8),
    dict(per_neuron=True, layers=0, hw=5, T=12, hidden=20, batch=4),
    dict(architecture='mnist', layers=None, cin=1, ch=2, hw=28, classes=10, batch=2),
    dict(learn_alpha=True, layers=1, ch=8, hw=12, hidden=24, v_reset=None),
    dict(per_neuron=True, layers=0, hw=5, T=12, hidden=20, batch=4, recurrent=True),
]


def expect_equal_rates(single, double):
    """Only decisions must not hang on rounding. How far rounding moves numbers is what is measured."""
    if any((single[name] - double[name]).abs().max() > 1e-6 for name in single if '/rate' in name):
        raise Unfit


def omit_epsilon():
    class Norm(torch.nn.BatchNorm2d):
        def __init__(self, channels):
            super().__init__(channels, eps=0)

    torch.nn.BatchNorm2d = Norm


def keep_biased_variance():
    class Norm(torch.nn.BatchNorm2d):
        def forward(self, x):
            before = self.running_var.clone()
            y = super().forward(x)
            kept, count = before * (1 - self.momentum), x.numel() / x.shape[1]
            if self.training:
                self.running_var.data.copy_(kept + (self.running_var - kept) * (count - 1) / count)
            return y

    torch.nn.BatchNorm2d = Norm


def steepen_surrogates():
    for kind, derive in list(spiking_networks.DERIVATIVES.items()):
        spiking_networks.DERIVATIVES[kind] = lambda u, alpha, derive=derive: derive(u, 1.01 * alpha)


def attach_resets():
    def start(self, start=Neurons.start):
        self.detach = False
        start(self)

    Neurons.start = start


def enlarge_gradient_by_w():
    def start(self, start=Neurons.start):
        start(self)
        if self.w.requires_grad and not self.w._backward_hooks:
            self.w.register_hook(lambda gradient: 1.01 * gradient)

    Neurons.start = start


def move_epsilon_into_root():
    class Adam(torch.optim.Adam):
        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group['params']:
                    s = self.state[p]
                    s['t'] = s.get('t', 0) + 1
                    s['m'] = 0.9 * s.get('m', 0) + 0.1 * p.grad
                    s['v'] = 0.999 * s.get('v', 0) + 0.001 * p.grad**2
                    root = torch.sqrt(s['v'] / (1 - 0.999 ** s['t']) + 1e-8)
                    p -= group['lr'] / (1 - 0.9 ** s['t']) * s['m'] / root

    torch.optim.Adam = Adam


def misuse_recurrence(misuse):
    def start(self, start=Neurons.start):
        start(self)
        if self.recurrent is not None:
            self.recurrent.forward = misuse(self.recurrent.weight)

    Neurons.start = start


def transpose_recurrence():
    misuse_recurrence(lambda weight: lambda spikes: spikes @ weight)


def delay_recurrence():
    def misuse(weight):
        currents = [torch.zeros((), dtype=weight.dtype)]

        def late(spikes):
            currents.append(F.linear(spikes, weight))
            return currents[-2]

        return late

    misuse_recurrence(misuse)


def forget_the_past():
    misuse_recurrence(lambda weight: lambda spikes: F.linear(spikes.detach(), weight))


def has_norm(d):
    return d.get('layers', 1) != 0 and is_network(d)


def is_network(d):
    return 'architecture' in d


def is_recurrent(d):
    return d.get('recurrent', False)


# How to make a mistake, and which cases it concerns.
WRONG = {
    'batch norm without eps': (omit_epsilon, has_norm),
    'running variance divided by n': (keep_biased_variance, has_norm),
    'alpha 1 % too large': (steepen_surrogates, lambda d: True),
    'gradient by w 1 % too large': (enlarge_gradient_by_w, lambda d: d.get('plif', d.get('neuron') != 'LIF')),
    'reset not detached': (attach_resets, lambda d: d.get('detach', d.get('detach_reset', True))),
    'eps of Adam inside the root': (move_epsilon_into_root, is_network),
    'recurrent weights transposed': (transpose_recurrence, is_recurrent),
    'recurrence a step too late': (delay_recurrence, is_recurrent),
    'no gradient through the recurrence': (forget_the_past, is_recurrent),
}


def network_options(i):
    return {key: value for key, value in {**EVENTS, **NETWORKS[i % len(NETWORKS)]}.items() if value is not None}


def main():
    if len(sys.argv) == 1:
        print(json.dumps(list(WRONG)))
        return
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    make_vectors.expect_robust = expect_equal_rates
    make_vectors.MARGIN = {'mnist': 2e-5, 'event-frames': 2e-5}
    make_vectors.EVENTS_PER_PIXEL = 0.15  # as sparse as recordings: batch norm's eps would not show beside large variances
    folder, seeds, *mistakes = sys.argv[1:]
    concerned = lambda d: True
    for name in mistakes:
        make_mistake, concerned = WRONG[name]
        make_mistake()
    cases = {}
    neurons = list(make_vectors.NEURON_CASES.values())
    for i in range(int(seeds)):
        for name, options, make in [
            (f'network_{i:02}', network_options(i), make_vectors.make_network_case),
            (f'neuron_{i:02}', neurons[i % len(neurons)], make_vectors.make_neuron_case),
        ]:
            if not concerned(options):
                continue
            cases[name], tensors = make(name, options, 1_000_000 + 10_000 * i)
            make_vectors.write_safetensors(Path(folder) / f'{name}.safetensors', tensors)
    (Path(folder) / 'index.json').write_text(json.dumps({'torch': torch.__version__, 'cases': cases}))


if __name__ == '__main__':
    main()
