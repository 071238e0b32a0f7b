"""The networks of docs/networks.md in plain PyTorch: step by step in a Python loop, differentiated by autograd.

They follow the description and use none of the project's own code. `make_vectors.py` makes vectors from them.
"""

import math

import torch
from torch import nn

VOTES = 10


class Spike(torch.autograd.Function):
    """Forward: the step u >= 0. Backward: the derivatives of a smooth S(u), by u and by alpha."""

    @staticmethod
    def forward(ctx, u, alpha, kind):
        ctx.save_for_backward(u, alpha)
        ctx.kind = kind
        return (u >= 0).to(u.dtype)

    @staticmethod
    def backward(ctx, gradient):
        u, alpha = ctx.saved_tensors
        by_u, by_alpha = DERIVATIVES[ctx.kind](u, alpha)
        return gradient * by_u, (gradient * by_alpha).sum(), None


def derive_atan(u, alpha):
    """S(u) = arctan(pi/2 alpha u) / pi + 1/2"""
    q = 1 + (math.pi / 2 * alpha * u) ** 2
    return alpha / 2 / q, u / 2 / q


def derive_sigmoid(u, alpha):
    """S(u) = sigma(alpha u)"""
    s = torch.sigmoid(alpha * u)
    return alpha * s * (1 - s), u * s * (1 - s)


def derive_triangle(u, alpha):
    """S(u) = 1/2 + alpha u - sign(u) (alpha u)^2 / 2 for |alpha u| <= 1, and 0 or 1 outside"""
    height = torch.clamp(1 - alpha * u.abs(), min=0)
    return alpha * height, u * height


DERIVATIVES = {'atan': derive_atan, 'sigmoid': derive_sigmoid, 'triangle': derive_triangle}


class Surrogate(nn.Module):
    def __init__(self, kind, alpha, learnable):
        super().__init__()
        self.kind = kind
        if learnable:
            self.alpha = nn.Parameter(torch.tensor(float(alpha)))
        else:
            self.register_buffer('alpha', torch.tensor(float(alpha)), persistent=False)

    def forward(self, u):
        return Spike.apply(u, self.alpha, self.kind)


class Unfit(Exception):
    """The seed gives a case that rounding could change."""


class Neurons(nn.Module):
    """LIF, or PLIF with one w = -ln(tau - 1) per layer, channel or neuron. Keeps its membrane potential between calls.

    Recurrent neurons also get the spikes of the call before, through weights with a diagonal. No gradient is cut there."""

    def __init__(self, shape, *, recurrent=False, plif=True, per_neuron=False, per_channel=False, tau=2.0, tau_std=0.0, v_reset=0.0, detach=True,
                 surrogate=('atan', 2.0, False), v_threshold=1.0):
        super().__init__()
        if not plif:
            self.register_buffer('w', torch.tensor(-math.log(tau - 1)), persistent=False)
        elif per_neuron or per_channel:
            places = (1, shape[0], *[1] * (len(shape) - 1)) if per_channel else (1, *shape)
            start = torch.full(places, float(tau)) if tau_std == 0 else draw_log_normal(places, tau, tau_std)
            self.w = nn.Parameter(-torch.log(start - 1))
        else:
            self.w = nn.Parameter(torch.tensor(0.0 if tau == 2 else -math.log(tau - 1)))
        self.surrogate_function = Surrogate(*surrogate)
        self.recurrent = nn.Linear(shape[0], shape[0], bias=False) if recurrent else None
        self.v_reset, self.v_threshold, self.detach = v_reset, v_threshold, detach
        self.margin = 0.0
        self.start()

    def start(self):
        """Return to rest, before a new batch."""
        self.v, self.before = None, None
        self.nearest, self.spikes = math.inf, 0

    def forward(self, x):
        rest = 0.0 if self.v_reset is None else self.v_reset
        v = torch.full_like(x, rest) if self.v is None else self.v
        if self.recurrent is not None and self.before is not None:
            x = x + self.recurrent(self.before)
        h = v + (x - (v - rest)) * torch.sigmoid(self.w)
        u = h - self.v_threshold
        self.nearest = min(self.nearest, u.detach().abs().min().item())
        if self.nearest < self.margin:
            raise Unfit
        s = self.before = self.surrogate_function(u)
        self.spikes += int(s.detach().sum())
        reset = s.detach() if self.detach else s
        if self.v_reset is None:
            self.v = h - reset * self.v_threshold
        else:
            self.v = h * (1 - reset) + self.v_reset * reset
        return s


def draw_log_normal(shape, mean, std):
    """Numbers with this mean and standard deviation whose logarithms are normal."""
    mean, std = torch.tensor(float(mean)), torch.tensor(float(std))
    phi = torch.sqrt(std**2 + mean**2)
    location, scale = torch.log(mean**2 / phi), torch.sqrt(torch.log(phi**2 / mean**2))
    return torch.exp(torch.randn(shape) * scale + location)


class HeldDropout(nn.Module):
    """Dropout with a given mask, [N, features], which is the same at all time steps."""

    def __init__(self, features):
        super().__init__()
        self.features, self.mask = features, None

    def forward(self, x):
        return x * self.mask if self.training else x


class Network(nn.Module):
    """`static_conv` once, if it exists; then `conv`, `fc` and the vote at every step."""

    def __init__(self, d):
        super().__init__()
        neuron = {
            'plif': d.get('plif', True),
            'per_neuron': d['per_neuron'],
            'per_channel': d.get('per_channel', False),
            'tau': d.get('tau', 2.0),
            'tau_std': d.get('tau_std', 0.1) if d['per_neuron'] or d.get('per_channel') else 0.0,
            'v_reset': d.get('v_reset', 0.0),
            'v_threshold': d.get('v_threshold', 1.0),
            'detach': d.get('detach', True),
            'surrogate': (d.get('surrogate', 'atan'), d.get('alpha', 2.0), d.get('learn_alpha', False)),
        }
        size = d['hw']
        channels, hidden, outputs = d['ch'], d['hidden'], d['classes'] * VOTES
        drops = d.get('dropout', 0.5) > 0

        def convolution(inputs):
            return [nn.Conv2d(inputs, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)]

        def neurons(*shape, recurrent=False):
            return Neurons(shape, recurrent=recurrent, **neuron)

        def pool():
            return nn.MaxPool2d(2) if d['max_pool'] else nn.AvgPool2d(2)

        def dropout(features):
            return HeldDropout(features) if drops else nn.Identity()

        def head(size, second_dropout, channels=channels):
            features = channels * size * size
            return nn.Sequential(
                nn.Flatten(),
                dropout(features),
                nn.Linear(features, hidden, bias=False),
                neurons(hidden, recurrent=d.get('recurrent', False)),
                *([dropout(hidden)] if second_dropout else []),
                nn.Linear(hidden, outputs, bias=False),
                neurons(outputs),
            )

        # Random numbers are drawn in this order: static_conv, conv, fc, each from front to back.
        if d['architecture'] == 'event-frames':
            blocks = []
            for block in range(d['layers']):
                blocks += convolution(d['cin'] if block == 0 else channels)
                blocks += [neurons(channels, size, size), pool()]
                size //= 2
            self.static_conv, self.conv = None, nn.Sequential(*blocks)
            self.fc = head(size, second_dropout=True, channels=channels if blocks else d['cin'])
        elif d['architecture'] == 'mnist':
            self.static_conv = nn.Sequential(*convolution(d['cin']))
            blocks = [neurons(channels, size, size), pool()]
            size //= 2
            blocks += [*convolution(channels), neurons(channels, size, size), pool()]
            self.conv = nn.Sequential(*blocks)
            self.fc = head(size // 2, second_dropout=True)
        else:
            self.static_conv = nn.Sequential(*convolution(d['cin']))
            blocks = [neurons(channels, size, size)]
            for convolutions in (2, 3):
                for _ in range(convolutions):
                    blocks += [*convolution(channels), neurons(channels, size, size)]
                blocks += [pool()]
                size //= 2
            self.conv = nn.Sequential(*blocks)
            self.fc = head(size, second_dropout=False)
        self.steps = d['T']

    def layers(self, kind):
        return [module for module in self.modules() if isinstance(module, kind)]

    def forward(self, frames):
        """frames [N, T, C, H, W], or [N, 1, C, H, W] for still images; returns firing rates [N, classes]; keeps each step's outputs [N, T, classes]"""
        for layer in self.layers(Neurons):
            layer.start()
        still = None if self.static_conv is None else self.static_conv(frames[:, 0])
        outputs = []
        for t in range(self.steps):
            spikes = self.fc(self.conv(frames[:, t] if still is None else still))
            outputs.append(spikes.unflatten(1, (-1, VOTES)).mean(2))
        if any(layer.spikes == 0 for layer in self.layers(Neurons)):
            raise Unfit
        self.outputs = torch.stack(outputs, 1)
        return sum(outputs) / self.steps
