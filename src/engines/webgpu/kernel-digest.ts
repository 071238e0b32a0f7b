import { buildNetwork, type NetworkConfig } from '../../snn/networks.ts';
import { NetworkPlan } from './plan.ts';

const common: Omit<NetworkConfig, 'input'> = {
  classes: 3,
  channels: 32,
  neuron: 'plif',
  tau: { per: 'neuron', mean: 2, std: 0 },
  reset: { kind: 'hard', detach: true },
  surrogate: { kind: 'atan', alpha: 2, learnable: true },
  pooling: 'max',
};
const frames: NetworkConfig = { ...common, input: [2, 32, 32], layers: 3 };
const images: NetworkConfig = {
  ...common,
  ...{ architecture: 'mnist', input: [1, 28, 28], steps: 2, neuron: 'lif', pooling: 'average' },
  ...{ tau: { per: 'layer', mean: 2, std: 0 }, reset: { kind: 'soft', detach: false } },
  surrogate: { kind: 'triangle', alpha: 2, learnable: true },
};
const others: NetworkConfig = {
  ...frames,
  tau: { per: 'channel', mean: 2, std: 0 },
  surrogate: { kind: 'sigmoid', alpha: 2, learnable: false },
};

let known: string | undefined;

/** 12 hexadecimal digits of the kernels' code, as three networks use it that have all of them: what may change numbers from one version to another. */
export function kernelDigest(): string {
  known ??= digest([frames, images, others].flatMap((config) => listCodes(config)).join('\n'));
  return known;
}

function listCodes(config: NetworkConfig): string[] {
  const plan = new NetworkPlan(buildNetwork(config));
  const lambdas = plan.blocks.map(() => 0.1);
  const programs = [
    plan.program({ steps: 2, type: 'uint16', training: undefined }),
    plan.program({
      steps: 2,
      type: 'uint8',
      training: { loss: 'rate', regularise: 'w', lambdas, tauRate: 1 },
    }),
    plan.program({
      steps: 2,
      type: 'float32',
      training: { loss: 'step', regularise: 'tau', lambdas, tauRate: 2 },
    }),
  ];
  return programs.flatMap(({ phases }) =>
    phases.flatMap(({ passes }) => passes.map(({ kernel }) => kernel.code)),
  );
}

/** FNV-1a, which needs nothing of Node.js. */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return (hash >> 16n).toString(16).padStart(12, '0');
}
