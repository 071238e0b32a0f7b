"""Reference vectors for the networks and neurons that the parent folder's golden set lacks, computed with plain PyTorch.

    python3 test/golden/torch/make_vectors.py [CASE ...]

needs Python 3.10 or later and PyTorch (`apt install python3-torch` or `pip install torch`); the committed vectors were written by
PyTorch 2.6 on an x86-64 CPU. It takes a quarter of an hour, mostly to find seeds, and writes `index.json` and one `<case>.safetensors`
per case to its own folder; with names of cases, it makes only these. The same machine and PyTorch write the same bytes; on another
processor, the last bits of floats may differ, and so may the seeds it selects (below).

It uses none of the project's own code: `spiking_networks.py` implements the networks independently, from their description, in plain
PyTorch.

Spikes are decisions. If a membrane potential is within rounding error of the threshold, it may spike in one correct implementation
but not in another, and everything that follows differs. So each case is drawn from the first seed for which

- no membrane potential, in any pass, comes closer to the threshold than `margin`,
- every layer of neurons spikes in every pass, so that no part of a network is tested only on zeros,
- the whole run in double precision gives the same firing rates, and the same gradients and states within a few millionths.
"""

import copy
import hashlib
import json
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but vectors in this folder

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    sys.exit('make_vectors.py needs PyTorch: `apt install python3-torch` or `pip install torch`')

from spiking_networks import VOTES, HeldDropout, Network, Neurons, Unfit

FOLDER = Path(__file__).resolve().parent
STEPS_OF_TRAINING = 3


# ------------------------------------------------------------------------------------------------ cases

NETWORKS = {
    'still_mnist': dict(
        architecture='mnist', per_neuron=False, max_pool=True, cin=1, ch=4, hw=28, classes=10, T=4, hidden=16),
    'still_mnist_neuron_tau_reg': dict(
        architecture='mnist', per_neuron=True, max_pool=True, reg_lambda=0.1, cin=1, ch=4, hw=28, classes=10, T=4, hidden=16),
    'still_cifar10': dict(
        architecture='cifar10', per_neuron=False, max_pool=True, cin=3, ch=4, hw=32, classes=10, T=3, hidden=16),
    'still_cifar10_average': dict(
        architecture='cifar10', per_neuron=False, max_pool=False, plif=False, cin=3, ch=4, hw=32, classes=10, T=3, hidden=16),
    'cifar10_dvs': dict(
        architecture='event-frames', per_neuron=False, max_pool=True, cin=2, ch=4, hw=32, layers=3, classes=10, T=4, hidden=16),
    'nmnist_34': dict(
        architecture='event-frames', per_neuron=False, max_pool=True, cin=2, ch=4, hw=34, layers=3, classes=10, T=4, hidden=16),
    # Options that the thesis' networks do not use, on frames of an odd size.
    'net_sigmoid_soft_reset': dict(
        architecture='event-frames', per_neuron=False, max_pool=True, cin=2, ch=4, hw=13, layers=2, classes=3, T=4, hidden=8, batch=3,
        surrogate='sigmoid', alpha=4.0, learn_alpha=True, v_reset=None, detach=False),
    'net_triangle_tau_reg': dict(
        architecture='event-frames', per_neuron=True, max_pool=False, cin=2, ch=4, hw=13, layers=2, classes=3, T=4, hidden=8, batch=3,
        surrogate='triangle', alpha=1.0, learn_alpha=True, v_reset=-0.25, v_threshold=0.8, detach=False, reg_lambda=0.1,
        regularise='tau'),
    # The loss of each step's output in place of that of the mean rate.
    'net_step_loss': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=2, ch=4, hw=13, layers=2, classes=3, T=4, hidden=8, batch=3,
        reg_lambda=0.1, loss='step'),
    # One time constant for each channel, or feature of a linear layer; their own learning rate, 0 among them; a lambda for each layer.
    'net_channel_tau_reg': dict(
        architecture='event-frames', per_neuron=False, per_channel=True, max_pool=True, cin=2, ch=4, hw=13, layers=2, classes=3, T=4,
        hidden=8, batch=3, reg_lambda=0.1),
    'net_fixed_tau': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=2, ch=4, hw=13, layers=2, classes=3, T=4, hidden=8, batch=3,
        tau_rate=0.0),
    'net_fast_channel_tau': dict(
        architecture='event-frames', per_neuron=False, per_channel=True, max_pool=False, cin=2, ch=4, hw=13, layers=2, classes=3, T=4,
        hidden=8, batch=3, v_reset=None, detach=False, learn_alpha=True, tau_rate=10.0),
    'net_layer_lambdas': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=2, ch=4, hw=13, layers=2, classes=3, T=4, hidden=8, batch=3,
        reg_lambda=[0.1, 0.0, 0.5, 0.02]),
    'still_step_loss': dict(
        architecture='mnist', per_neuron=False, max_pool=True, cin=1, ch=2, hw=28, classes=10, T=4, hidden=8, loss='step'),
    # Linear layers only: the first one reads counts of events. `ch` has no effect.
    'linear_counts': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=2, ch=1, hw=3, layers=0, classes=4, T=16, hidden=12, batch=5,
        dropout=0.0, reg_lambda=0.1),
    'linear_masked': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=2, ch=1, hw=5, layers=0, classes=3, T=12, hidden=20, batch=4),
    # Hidden neurons that get their own spikes. More than 16, and not a multiple of 8: a vector of weights is not whole.
    'recurrent_counts': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=2, ch=1, hw=3, layers=0, classes=4, T=16, hidden=20, batch=5,
        recurrent=True, dropout=0.0, reg_lambda=0.1),
    'recurrent_soft_reset': dict(
        architecture='event-frames', per_neuron=False, max_pool=True, cin=2, ch=1, hw=3, layers=0, classes=3, T=7, hidden=20, batch=3,
        recurrent=True, surrogate='sigmoid', alpha=2.0, learn_alpha=True, v_reset=None, detach=False),
    'recurrent_levels': dict(
        architecture='event-frames', per_neuron=True, max_pool=True, cin=1, ch=1, hw=4, layers=0, classes=3, T=10, hidden=9, batch=9,
        recurrent=True, surrogate='triangle', alpha=1.0, learn_alpha=True, v_reset=-0.25, v_threshold=0.8, detach=False),
    'recurrent_convolutions': dict(
        architecture='event-frames', per_neuron=False, per_channel=True, max_pool=True, cin=2, ch=4, hw=13, layers=2, classes=3, T=5,
        hidden=8, batch=3, recurrent=True),
}

EVENTS_PER_PIXEL = 0.6

# How close a membrane potential may come to the threshold. Single precision is off by about a millionth; the rest is a
# margin for other orders of summation. A case has about 100,000 potentials (CIFAR10's network four times as many), and hardly any seed
# keeps all of them further away.
MARGIN = {'mnist': 1e-4, 'cifar10': 5e-5, 'event-frames': 1e-4}


def make_network_case(name, options, first_seed=0):
    description = {'reg_lambda': 0.0, 'lr': 1e-3, 'lr_T_max': 4, 'batch': 2, **options}
    still = description['architecture'] != 'event-frames'
    if still:
        description['steps'] = description['T']
    for seed in range(first_seed, first_seed + 10_000):
        try:
            tensors, facts = run_network(description, seed, still)
        except Unfit:
            continue
        entry = {
            'kind': 'network',
            **description,
            **facts,
            'seed': seed,
            'layout': 'x: step,N,1,C,H,W' if still else 'x: step,N,T,P,H,W',
            'note': 'one optimizer and one scheduler step per batch; dropout masks are already divided by 1-p; rate = spike count / T; '
            'init: not as PyTorch starts, but so that every layer spikes, with running statistics of one batch before',
        }
        return entry, tensors
    raise SystemExit(f'{name}: found no suitable seed')


def run_network(d, seed, still):
    torch.manual_seed(seed)
    model = Network(d)
    shape = (STEPS_OF_TRAINING, d['batch'], 1 if still else d['T'], d['cin'], d['hw'], d['hw'])
    # A normalised still image is roughly standard normal; an event frame counts events.
    x, before = (torch.randn(shape) if still else torch.poisson(torch.full(shape, EVENTS_PER_PIXEL)) for _ in range(2))
    awaken(model, 5 if d['max_pool'] else 10, before[0])  # averages are smaller than maxima
    y = torch.randint(d['classes'], (STEPS_OF_TRAINING, d['batch']))
    masks = [
        [torch.bernoulli(torch.full((d['batch'], layer.features), 0.5)) / 0.5 for layer in model.layers(HeldDropout)]
        for _ in range(STEPS_OF_TRAINING)
    ]
    tensors = {'x': x, 'y': y}
    add_state(tensors, 'init/', model)
    exact = copy.deepcopy(model).double()
    for layer in model.layers(Neurons):
        layer.margin = MARGIN[d['architecture']]
    trained, losses = train(d, model, x, y, masks)
    trained_exactly, _ = train(d, exact, x.double(), y, [[mask.double() for mask in step] for step in masks])
    expect_robust(trained, trained_exactly)
    tensors.update(trained)
    return tensors, {'losses': losses, 'margin': MARGIN[d['architecture']]}


def awaken(model, gain, frames):
    """Changes PyTorch's initial values so that such a small network spikes in every layer, also in evaluation."""
    with torch.no_grad():
        for norm in model.layers(nn.BatchNorm2d):
            norm.weight.uniform_(0.8, 1.8)
            norm.bias.uniform_(-0.2, 0.4)
            norm.momentum = 1.0  # for one pass, so that the running statistics come from data
        for linear in model.layers(nn.Linear):
            linear.weight *= gain
        for layer in model.layers(Neurons):
            if isinstance(layer.w, nn.Parameter) and layer.w.dim() == 0:
                layer.w.uniform_(-0.4, 0.4)  # tau from 1.7 to 2.5
        for layer in model.layers(HeldDropout):
            layer.mask = 1
        model(frames)
        for norm in model.layers(nn.BatchNorm2d):
            norm.momentum = 0.1


def train(d, model, x, y, masks):
    """Three steps of Adam; then the firing rates of the first batch in evaluation mode."""
    tensors, losses = {}, []
    taus = [parameter for name, parameter in model.named_parameters() if name.endswith('.w')]
    others = [parameter for name, parameter in model.named_parameters() if not name.endswith('.w')]
    groups = [{'params': others}, {'params': taus, 'lr': d['lr'] * d['tau_rate']}] if 'tau_rate' in d else model.parameters()
    optimiser = torch.optim.Adam(groups, lr=d['lr'])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=d['lr_T_max'])
    model.train()
    for step in range(STEPS_OF_TRAINING):
        for layer, (i, mask) in zip(model.layers(HeldDropout), enumerate(masks[step])):
            layer.mask = mask
            tensors[f'step{step}/mask{i}'] = mask
        rate = model(x[step])
        target = F.one_hot(y[step], d['classes']).to(rate.dtype)
        if 'loss' in d:
            tensors[f'step{step}/outputs'] = model.outputs.detach()
        if d.get('loss') == 'step':
            loss = sum(F.mse_loss(output, target) for output in model.outputs.unbind(1)) / d['T']
        else:
            loss = F.mse_loss(rate, target)
        if d['reg_lambda']:
            of = {'w': lambda w: w, 'tau': lambda w: 1 / torch.sigmoid(w)}[d.get('regularise', 'w')]
            if isinstance(d['reg_lambda'], list):
                loss = loss + sum(factor * of(layer.w).var() for factor, layer in zip(d['reg_lambda'], model.layers(Neurons)))
            else:
                loss = loss + d['reg_lambda'] * sum(of(layer.w).var() for layer in model.layers(Neurons))
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            for name, parameter in model.named_parameters():
                tensors[f'step0/grad/{name}'] = parameter.grad.clone()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        tensors[f'step{step}/rate'] = rate.detach()
        add_state(tensors, f'step{step}/state/', model)
    model.eval()
    with torch.no_grad():
        tensors['eval/rate'] = model(x[0])
        if 'loss' in d:
            tensors['eval/outputs'] = model.outputs
    return tensors, losses


def expect_robust(single, double):
    """Firing rates must be the same, and everything else within a few millionths of each tensor's largest value."""
    for name, value in single.items():
        tolerance = 1e-6 if '/rate' in name or '/outputs' in name else 2e-5 if '/grad/' in name else 5e-6
        if (value - double[name]).abs().max() > tolerance * max(double[name].abs().max().item(), 1e-12):
            raise Unfit


def add_state(tensors, prefix, model):
    for name, value in model.state_dict().items():
        tensors[prefix + name] = value.clone()


# Each surrogate with one w or many, hard or soft reset, attached or detached, and a learned slope.
NEURONS = [
    dict(per_neuron=False, detach_reset=True, v_reset=0.0, alpha_learnable=False),
    dict(per_neuron=False, detach_reset=False, v_reset=None, alpha_learnable=True),
    dict(per_neuron=True, detach_reset=False, v_reset=0.0, alpha_learnable=True),
    dict(per_neuron=True, detach_reset=True, v_reset=None, alpha_learnable=False),
]
# The triangle is zero where |u| >= 1 / alpha: a slope of 1 leaves potentials on both sides of that.
ALPHA = {'sigmoid': 4.0, 'triangle': 1.0}
# Thresholds other than 1 and resting potentials other than 0, to reveal a missing factor or summand.
LEVELS = [
    dict(per_neuron=False, detach_reset=False, v_reset=-0.25, alpha_learnable=True, v_threshold=0.8),
    dict(per_neuron=True, detach_reset=False, v_reset=None, alpha_learnable=True, v_threshold=0.8),
    dict(neuron='LIF', tau=3.0, detach_reset=True, v_reset=-0.25, v_threshold=1.25),
    dict(neuron='LIF', tau=3.0, detach_reset=False, v_reset=None, v_threshold=1.25),
]
NEURON_CASES = {
    **{
        f'{surrogate}_{number:02}': {**neuron, 'v_threshold': 1.0, 'surrogate': surrogate, 'alpha': alpha}
        for surrogate, alpha in ALPHA.items()
        for number, neuron in enumerate(NEURONS)
    },
    **{f'levels_{number:02}': {**neuron, 'surrogate': 'atan', 'alpha': 2.0} for number, neuron in enumerate(LEVELS)},
}


def make_neuron_case(name, options, first_seed=0):
    d = {
        'kind': 'neuron',
        'neuron': 'PLIF',
        **options,
        'layout': 'T,N,C,H,W',
        'note': 'loss = sum(spikes * coef); v_after is the membrane potential after the reset',
    }
    learned = d['neuron'] == 'PLIF'
    for seed in range(first_seed, first_seed + 1000):
        torch.manual_seed(seed)
        x = torch.randn(6, 2, 3, 4, 5) * 1.2 + 0.9
        coefficients = torch.randn(x.shape)
        layer = Neurons(x.shape[2:], plif=learned, per_neuron=d.get('per_neuron', False), tau=d.get('tau', 2.0), tau_std=0.1,
                        v_reset=d['v_reset'], v_threshold=d['v_threshold'], detach=d['detach_reset'],
                        surrogate=(d['surrogate'], d['alpha'], d.get('alpha_learnable', False)))
        if learned:
            with torch.no_grad():  # not 0, for which -w and w would be the same
                layer.w += 0.4 * torch.randn(layer.w.shape)
        exact = copy.deepcopy(layer).double()
        layer.margin = 1e-4
        try:
            tensors = run_neurons(layer, x, coefficients)
            expect_robust(tensors, run_neurons(exact, x.double(), coefficients.double()))
        except Unfit:
            continue
        return {**d, 'seed': seed}, tensors
    raise SystemExit(f'{name}: found no suitable seed')


def run_neurons(layer, x, coefficients):
    current = x.clone().requires_grad_()
    spikes, potentials = [], []
    for t in range(len(x)):
        spikes.append(layer(current[t]))
        potentials.append(layer.v)
    spikes, potentials = torch.stack(spikes), torch.stack(potentials)
    (spikes * coefficients).sum().backward()
    learned = isinstance(layer.w, nn.Parameter)
    tensors = {
        'x': x,
        **({'w': layer.w.detach().clone()} if learned else {}),
        'coef': coefficients,
        'spikes': spikes.detach(),
        'v_after': potentials.detach(),
        'grad_x': current.grad,
        **({'grad_w': layer.w.grad} if learned else {}),
    }
    if layer.surrogate_function.alpha.requires_grad:
        tensors['grad_alpha'] = layer.surrogate_function.alpha.grad.reshape(1)
    return tensors


# ------------------------------------------------------------------------------------------------ ties

TIES = {'ties_votes_10': dict(T=20, classes=11, samples=64)}


def make_tie_case(name):
    """Spikes of an output layer in which several classes have the most, and the class that the original's single-precision sum predicts."""
    d = TIES[name]
    torch.manual_seed(2020)
    spikes = torch.bernoulli(torch.full((d['samples'], d['T'] * VOTES, d['classes']), 0.3))
    for sample in spikes:
        best = sample.sum(0).argmax()
        for other in torch.randperm(d['classes'])[:3]:
            sample[:, other] = sample[torch.randperm(len(sample)), best]
    spikes = spikes.unflatten(1, (d['T'], VOTES)).transpose(2, 3).flatten(2)  # N, T, classes * votes
    outputs = F.avg_pool1d(spikes, VOTES)
    score = sum(outputs.unbind(1))
    counts = spikes.sum(1).unflatten(1, (d['classes'], VOTES)).sum(2)
    entry = {
        'kind': 'ties', 'votes': VOTES, 'seed': 2020,
        'note': 'the class of the highest: count, the first of ties (first); sum over T of the means of the votes in single precision '
        '(rounding), as the original evaluates; that sum divided by T (rounding_training), as for its training batches',
    }
    return entry, {
        'outputs': outputs,
        'rates': (counts.double() / (VOTES * d['T'])).float(),
        'rounding': score.argmax(1),
        'rounding_training': (score / d['T']).argmax(1),
        'first': torch.tensor([row.index(max(row)) for row in counts.tolist()]),
    }


# ----------------------------------------------------------------------- initial parameters at full size

FULL_SIZE = {
    'mnist': dict(architecture='mnist', cin=1, ch=128, hw=28, hidden=2048, classes=10, T=8),
    'cifar10': dict(architecture='cifar10', cin=3, ch=256, hw=32, hidden=2048, classes=10, T=8),
    'cifar10-dvs': dict(architecture='event-frames', cin=2, ch=128, hw=128, layers=4, hidden=2048, classes=10, T=20),
}
# For time constants per neuron without any spread, for which the original draws no random numbers.
SMALL_SIZE = dict(architecture='event-frames', cin=2, ch=4, hw=16, layers=2, hidden=16, classes=3, T=4)


def make_initial_parameters():
    entry = {'seed': 2020, 'note': 'torch.manual_seed(seed) right before the network is built'}
    for name, d in FULL_SIZE.items():
        entry[name] = {**d, 'layer_tau': describe_initial_parameters(d, per_neuron=False)}
    # The other networks draw their time constants by the same rules.
    entry['mnist']['neuron_tau'] = describe_initial_parameters(FULL_SIZE['mnist'], per_neuron=True)
    entry['small'] = {**SMALL_SIZE, 'neuron_tau_std_0': describe_initial_parameters(SMALL_SIZE, per_neuron=True, tau_std=0.0)}
    # Images that are read before the network is built, to split them, are varied with numbers of the same stream.
    for name, augmentation in [('mnist', 'random-affine'), ('cifar10', 'random-crop-flip')]:
        d = {**FULL_SIZE[name], 'ch': 4, 'hidden': 16}
        described = describe_initial_parameters(d, per_neuron=False, before=lambda: draw_variations(augmentation, 1000))
        entry[f'{name}_augmented'] = {**d, 'augmentation': augmentation, 'images': 1000, 'layer_tau': described}
    return entry


def draw_variations(augmentation, images):
    """The random numbers that torchvision (0.8 and later) draws to vary so many images, without varying any."""
    for _ in range(images):
        if augmentation == 'random-affine':  # 30 degrees, a shift of up to 0.15 of 28 pixels either way, a scale
            for low, high in [(-30.0, 30.0), (-4.2, 4.2), (-4.2, 4.2), (0.85, 1.11)]:
                torch.empty(1).uniform_(low, high)
        else:  # 32 pixels of 40, in each direction, and whether to flip
            torch.randint(0, 9, size=(1,))
            torch.randint(0, 9, size=(1,))
            torch.rand(1)


def describe_initial_parameters(d, per_neuron, tau_std=0.1, before=lambda: None):
    torch.manual_seed(2020)
    before()
    model = Network({**d, 'per_neuron': per_neuron, 'tau_std': tau_std, 'max_pool': True})
    return {
        name: {
            'shape': list(value.shape),
            'first': value.flatten()[:6].tolist(),
            'sha256_f32le': hashlib.sha256(value.detach().contiguous().numpy().astype('<f4').tobytes()).hexdigest(),
        }
        for name, value in model.named_parameters()
    }


# ---------------------------------------------------------------------------------------------- writing


def write_safetensors(path, tensors):
    """The header's length as u64, the header in JSON, and the values one after another; all little-endian."""
    header, values, offset = {}, [], 0
    for name, tensor in tensors.items():
        kind, layout = {torch.float32: ('F32', '<f4'), torch.int64: ('I64', '<i8')}[tensor.dtype]
        data = tensor.detach().contiguous().numpy().astype(layout).tobytes()
        header[name] = {'dtype': kind, 'shape': list(tensor.shape), 'data_offsets': [offset, offset + len(data)]}
        values.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)  # values start at a multiple of 8
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(values))


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if not torch.__version__.startswith('2.6.'):
        print(f'PyTorch {torch.__version__}: the committed vectors come from 2.6, others may draw other random numbers', file=sys.stderr)
    wanted = sys.argv[1:]
    index = json.loads((FOLDER / 'index.json').read_text()) if wanted else {
        'torch': torch.__version__, 'made_by': 'make_vectors.py', 'cases': {}}
    makers = {name: lambda name=name: make_network_case(name, NETWORKS[name]) for name in NETWORKS}
    makers.update({name: lambda name=name: make_neuron_case(name, NEURON_CASES[name]) for name in NEURON_CASES})
    makers.update({name: lambda name=name: make_tie_case(name) for name in TIES})
    for name in wanted or makers:
        entry, tensors = makers[name]()
        index['cases'][name] = entry
        write_safetensors(FOLDER / f'{name}.safetensors', tensors)
        print(f'{name}: seed {entry["seed"]}', flush=True)
    index['cases'] = {name: index['cases'][name] for name in makers}
    if not wanted:
        index['initial_parameters'] = make_initial_parameters()
    (FOLDER / 'index.json').write_text(json.dumps(index, indent=1) + '\n')


if __name__ == '__main__':
    main()
