import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type InputName, inputs } from './inputs.ts';
import type { TauPer } from './workload.ts';

export type Mode = 'train' | 'evaluate';
/** PyTorch as it comes, with its allocator tuned, and what people change besides: several are joined by +. */
export type Peer = string;
/** What each changes, by its name. */
export const changes = ['multi-step', 'channels-last', 'bfloat16', 'compile'] as const;

export interface Options {
  readonly input: readonly InputName[];
  readonly tau: readonly TauPer[];
  readonly mode: readonly Mode[];
  readonly batch: readonly number[];
  readonly peer: readonly Peer[];
  /** undefined: only PyTorch. */
  readonly engine: string | undefined;
  readonly isa: string | undefined;
  readonly threads: number;
  /** A factor of batch norm's initial weight, 1. */
  readonly gain: number;
  readonly repeats: number;
  readonly tfjs: boolean;
  readonly python: string | undefined;
  readonly json: string | undefined;
  readonly steps: number;
  readonly size: number;
  readonly channels: number;
  readonly layers: number;
  readonly hidden: number | undefined;
  readonly recurrent: boolean;
}

export const help = `Times training steps and evaluations of the thesis' network: PyTorch and an engine of this project.

  npm run bench:train -- [options]

  --input blob,poisson      synthetic frames: moving blobs, independent Poisson counts
  --tau layer,neuron        one time constant per layer or per neuron
  --mode train,evaluate
  --batch 4                 samples; several as 4,16
  --peer plain,tuned,multi-step,channels-last,bfloat16
                            PyTorch as it comes, with its memory allocator tuned, and so with convolutions over T x N, in channels last, with
                            autocast to bfloat16; also compile (minutes), several as multi-step+bfloat16; none. The fastest that is not plain competes
  --engine native           any engine of the command line; none for PyTorch alone
  --isa NAME                forces the native engine's instruction set: baseline, avx2, avx512
  --threads N               of all contestants; default: one per core
  --gain 1                  factor of batch norm's initial weight: 1.75 makes three times as many neurons spike
  --repeats 5               timed steps
  --tfjs                    also one training step of the tfjs engine on one sample, which takes minutes
  --quick                   moving blobs, one τ per layer, tuned PyTorch, two repeats
  --python PROGRAM          default: the first of python3 and /usr/bin/python3 that has PyTorch
  --json FILE               writes all results
  --steps 20 --size 128 --channels 128 --layers 5    another network
  --hidden N --recurrent    neurons of the hidden layer; that they get their own spikes
`;

/** @returns undefined if only help is wanted */
export function parseOptions(args: readonly string[]): Options | undefined {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      input: { type: 'string' },
      tau: { type: 'string' },
      mode: text('train,evaluate'),
      batch: text('4'),
      peer: { type: 'string' },
      engine: text('native'),
      isa: { type: 'string' },
      threads: text(String(availableParallelism())),
      gain: text('1'),
      repeats: { type: 'string' },
      tfjs: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      python: { type: 'string' },
      json: { type: 'string' },
      steps: text('20'),
      size: text('128'),
      channels: text('128'),
      layers: text('5'),
      hidden: { type: 'string' },
      recurrent: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  return {
    input: choose(
      'input',
      values.input ?? (quick ? 'blob' : 'blob,poisson'),
      Object.keys(inputs) as InputName[],
    ),
    tau: choose('tau', values.tau ?? (quick ? 'layer' : 'layer,neuron'), ['layer', 'neuron']),
    mode: choose('mode', values.mode, ['train', 'evaluate']),
    batch: values.batch.split(',').map((one) => count('batch', one)),
    peer: choosePeers(values.peer ?? (quick ? 'tuned' : 'plain,tuned,multi-step,channels-last,bfloat16')),
    engine: values.engine === 'none' ? undefined : values.engine,
    isa: values.isa,
    threads: count('threads', values.threads),
    gain: positive('gain', values.gain),
    repeats: count('repeats', values.repeats ?? (quick ? '2' : '5')),
    tfjs: values.tfjs,
    python: values.python,
    json: values.json,
    steps: count('steps', values.steps),
    size: count('size', values.size),
    channels: count('channels', values.channels),
    layers: count('layers', values.layers, 0),
    hidden: values.hidden === undefined ? undefined : count('hidden', values.hidden),
    recurrent: values.recurrent,
  };
}

function choose<Name extends string>(option: string, text: string, names: readonly Name[]): Name[] {
  if (text === 'none') return [];
  return text.split(',').map((one) => {
    const name = names.find((known) => known === one);
    if (name === undefined) throw new Error(`--${option} has ${names.join(', ')}; got ${one}`);
    return name;
  });
}

function choosePeers(text: string): Peer[] {
  if (text === 'none') return [];
  const peers = text.split(',');
  for (const peer of peers) {
    const parts = peer.split('+');
    choose('peer', parts.join(), parts.length === 1 ? ['plain', 'tuned', ...changes] : changes);
    if (parts.includes('multi-step') && parts.includes('compile'))
      throw new Error('--peer: compile compiles a time step, so it cannot be combined with multi-step');
  }
  return peers;
}

function count(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`--${option} must be a whole number of at least ${least}, got ${text}`);
  }
  return value;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new Error(`--${option} must be more than 0, got ${text}`);
  }
  return value;
}
