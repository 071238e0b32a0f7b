import type { State, Tensor } from '../../src/formats/tensor.ts';
import type { Engine, TrainingBatch } from '../../src/network/engines/engine.ts';
import { loadAddon } from '../../src/network/engines/native/addon.ts';
import { createNativeEngine, createWasmEngine } from '../../src/network/engines/native/engine.ts';
import { loadWasm } from '../../src/network/engines/wasm/addon.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { dropoutLayers, type Layer, type NetworkSpec, type NeuronSpec } from '../../src/network/spec.ts';
import { randomArray, randomNumbers } from '../support/random.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const loaded = loadAddon();

/** Without a compiler there is no addon; WebAssembly is always there. */
export const isAvailable = loaded.ok;
export const instructionSets: readonly string[] = loaded.ok ? loaded.addon.instructionSets : [];
export const allSets: readonly string[] = ['wasm', ...instructionSets];
/** WebAssembly, and the addon with its fastest instruction set. */
export const builds: readonly string[] = ['wasm', ...instructionSets.slice(-1)];

function openAddon() {
  if (!loaded.ok) throw new Error(loaded.reason);
  return loaded.addon;
}

/** The engine on an instruction set of the addon, or on `wasm`. */
export function nativeEngine(instructionSet?: string, threads = 2, winogradTiles?: string): Engine {
  if (instructionSet === 'wasm') {
    const wasm = loadWasm();
    if (!wasm.ok) throw new Error(wasm.reason);
    return createWasmEngine(wasm.addon, 'test');
  }
  return createNativeEngine(openAddon(), {
    threads,
    environment: {
      ...(instructionSet === undefined ? {} : { REPRO_ISA: instructionSet }),
      ...(winogradTiles === undefined ? {} : { REPRO_WINOGRAD: winogradTiles }),
    },
  });
}

export const plif: NeuronSpec = {
  kind: 'plif',
  tau: { per: 'layer', mean: 2, std: 0 },
  threshold: 1,
  reset: { kind: 'hard', potential: 0, detach: true },
  surrogate: { kind: 'atan', alpha: 2, learnable: false },
};

/** What is computed in several places, to the same bits. */
export const portable = buildNetwork({
  ...thesisNetwork,
  input: [2, 21, 26],
  channels: 24,
  layers: 3,
  tau: { per: 'neuron', mean: 2, std: 0.2 },
  surrogate: { kind: 'sigmoid', alpha: 2, learnable: true },
  hidden: 30,
});

/** Initial parameters, with weights so large that neurons of all layers fire. */
export function livelyState(spec: NetworkSpec, seed = 1): State {
  const gains = new Map<string, number>();
  for (const layer of spec.layers) {
    if (layer.kind === 'linear') gains.set(`${layer.name}.weight`, 8);
    if (layer.kind === 'conv') gains.set(`${layer.name}.weight`, 3);
    if (layer.kind === 'neuron') gains.set(`${layer.name}.recurrent.weight`, 4);
  }
  const random = randomNumbers(seed + 100);
  return new Map(
    [...initialState(spec, seed)].map(([name, tensor]): [string, Tensor] => {
      if (tensor.dtype !== 'F32') return [name, tensor];
      const gain = gains.get(name);
      // Batch norm's weight and bias start at 1 and 0, with which several mistakes would go unnoticed.
      const isNorm = /\.(weight|bias)$/.test(name) && gain === undefined;
      return [
        name,
        {
          ...tensor,
          data: tensor.data.map((value) => (isNorm ? value + 0.3 + 0.4 * random() : value * (gain ?? 1))),
        },
      ];
    }),
  );
}

export interface BatchOptions {
  readonly samples?: number;
  /** The frames' T. */
  readonly steps?: number;
  /** The share of pixels with events. */
  readonly density?: number;
  readonly type?: 'uint8' | 'uint16' | 'uint32' | 'float';
  readonly seed?: number;
}

/** Random frames with events in a share of the pixels, random labels and dropout masks. */
export function randomBatch(spec: NetworkSpec, options: BatchOptions = {}): TrainingBatch {
  const { samples = 3, density = 0.3, type = 'uint8', seed = 7 } = options;
  const isStill = spec.layers.some(({ kind }) => kind === 'repeat');
  const steps = isStill ? 1 : (options.steps ?? 4);
  const random = randomNumbers(seed);
  const shape = [samples, steps, ...spec.input] as const;
  const count = () => (random() < density ? 1 + Math.floor(3 * random()) : 0);
  const values = Array.from({ length: shape.reduce((product, size) => product * size, 1) }, count);
  const data = {
    uint8: () => Uint8Array.from(values),
    uint16: () => Uint16Array.from(values, (value) => value * 300),
    uint32: () => Uint32Array.from(values, (value) => value * 70_000),
    float: () => Float32Array.from(values, (value) => value * 0.37),
  }[type]();
  return {
    frames: { shape, data },
    labels: Int32Array.from({ length: samples }, () => Math.floor(random() * spec.classes)),
    dropoutMasks: dropoutLayers(spec).map(({ features, probability }) =>
      randomArray(samples * features, random, (u) => (u < probability ? 0 : 1 / (1 - probability))),
    ),
  };
}

/** A network's layers by short names: shapes are filled in. */
export class Layers {
  readonly list: Layer[] = [];
  #shape: readonly number[];
  readonly #input: readonly [number, number, number];

  constructor(input: readonly [number, number, number]) {
    this.#input = input;
    this.#shape = input;
  }

  conv(outChannels: number, kernel = 3, padding = 1): this {
    const [inChannels = 0, height = 0, width = 0] = this.#shape;
    this.#shape = [outChannels, height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1];
    return this.#add({ kind: 'conv', name: this.#name(), inChannels, outChannels, kernel, padding });
  }

  norm(): this {
    const [channels = 0] = this.#shape;
    return this.#add({ kind: 'batch-norm', name: this.#name(), channels, momentum: 0.1, epsilon: 1e-5 });
  }

  neuron(neuron: NeuronSpec = plif, more: { readonly recurrent?: boolean } = {}): this {
    return this.#add({ kind: 'neuron', name: this.#name(), shape: this.#shape, neuron, ...more });
  }

  pool(size = 2, mode: 'max' | 'average' = 'max'): this {
    const [channels = 0, height = 0, width = 0] = this.#shape;
    this.#shape = [channels, Math.floor(height / size), Math.floor(width / size)];
    return this.#add({ kind: 'pool', mode, size });
  }

  /** Convolution, batch norm and neurons. */
  fire(channels: number, neuron: NeuronSpec = plif, kernel = 3, padding = 1): this {
    return this.conv(channels, kernel, padding).norm().neuron(neuron);
  }

  /** That and a pool, as in the thesis. */
  block(channels: number, neuron: NeuronSpec = plif): this {
    return this.fire(channels, neuron).pool();
  }

  repeat(steps: number): this {
    return this.#add({ kind: 'repeat', steps });
  }

  linear(outFeatures: number, dropout?: number): this {
    const features = this.#shape.reduce((product, size) => product * size, 1);
    if (this.#shape.length > 1) this.#add({ kind: 'flatten' });
    if (dropout !== undefined) this.#add({ kind: 'dropout', probability: dropout, features });
    this.#shape = [outFeatures];
    return this.#add({ kind: 'linear', name: this.#name(), inFeatures: features, outFeatures });
  }

  /** Ends with `group` output neurons for each of 3 classes. */
  classify(neuron: NeuronSpec = plif, group = 2): NetworkSpec {
    this.linear(3 * group)
      .neuron(neuron)
      .#add({ kind: 'vote', group });
    return { input: this.#input, classes: 3, layers: this.list };
  }

  #name(): string {
    return `layer.${this.list.length}`;
  }

  #add(layer: Layer): this {
    this.list.push(layer);
    return this;
  }
}
