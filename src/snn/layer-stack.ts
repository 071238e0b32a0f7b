import { type NetworkConfig, networkDefaults, neuronSpec } from './network-config.ts';
import type { Layer } from './spec.ts';
import { ShapeError } from './tensor.ts';

/** PyTorch's defaults for BatchNorm2d. */
const batchNormDefaults = { momentum: 0.1, epsilon: 1e-5 } as const;

/**
 * Builds a sequence of layers. It tracks the shape that the next layer gets, and numbers layers as in PyTorch's Sequential
 * (`conv.0`, `conv.1`, …).
 */
export class LayerStack {
  readonly layers: Layer[] = [];
  readonly #config: NetworkConfig;
  #section = '';
  #place = 0;
  /** [C, H, W], or [F] once flattened. */
  #shape: readonly number[];

  constructor(config: NetworkConfig) {
    this.#config = config;
    this.#shape = config.input;
  }

  /** The number of values of one sample at one step. */
  get features(): number {
    return this.#shape.reduce((product, size) => product * size, 1);
  }

  /** Begins another attribute of PyTorch's module; its layers are numbered from 0. */
  section(name: 'static_conv' | 'conv' | 'fc'): this {
    this.#section = name;
    this.#place = 0;
    return this;
  }

  /** A 3x3 convolution without bias that preserves height and width. */
  convolve(): this {
    const [inChannels, height, width] = this.#image();
    const { channels: outChannels } = this.#config;
    this.#shape = [outChannels, height, width];
    this.layers.push({ kind: 'conv', name: this.#name(), inChannels, outChannels, kernel: 3, padding: 1 });
    return this;
  }

  normalise(): this {
    const [channels] = this.#image();
    this.layers.push({ kind: 'batch-norm', name: this.#name(), channels, ...batchNormDefaults });
    return this;
  }

  /** Repeats the output of the layers so far at each of T steps. It does not count in parameter names. */
  repeat(steps: number): this {
    this.layers.push({ kind: 'repeat', steps });
    return this;
  }

  /** One neuron per value. */
  fire(): this {
    const neuron = neuronSpec(this.#config);
    this.layers.push({ kind: 'neuron', name: this.#name(), shape: this.#shape, neuron });
    return this;
  }

  /** Halves height and width, rounding down. */
  pool(): this {
    const [channels, height, width] = this.#image();
    this.#shape = [channels, Math.floor(height / 2), Math.floor(width / 2)];
    this.#place++;
    this.layers.push({ kind: 'pool', mode: this.#config.pooling, size: 2 });
    return this;
  }

  /** [C, H, W] to [C·H·W]. */
  flatten(): this {
    this.#shape = [this.features];
    this.#place++;
    this.layers.push({ kind: 'flatten' });
    return this;
  }

  /** Without a layer if nothing is dropped; later layers keep their numbers. */
  drop(): this {
    const probability = this.#config.dropout ?? networkDefaults.dropout;
    this.#place++;
    if (probability > 0) this.layers.push({ kind: 'dropout', probability, features: this.features });
    return this;
  }

  /** A linear layer without bias. */
  connect(outFeatures: number): this {
    this.layers.push({ kind: 'linear', name: this.#name(), inFeatures: this.features, outFeatures });
    this.#shape = [outFeatures];
    return this;
  }

  /** The last linear layer: one output per vote and class. */
  connectOutputs(): this {
    return this.connect(this.#config.classes * this.#votes());
  }

  /** The last layer: a class's score is the mean of its votes. */
  vote(): this {
    this.layers.push({ kind: 'vote', group: this.#votes() });
    return this;
  }

  #votes(): number {
    return this.#config.votes ?? networkDefaults.votes;
  }

  #name(): string {
    return `${this.#section}.${this.#place++}`;
  }

  #image(): readonly [number, number, number] {
    const [channels, height, width] = this.#shape;
    if (channels === undefined || height === undefined || width === undefined) {
      throw new ShapeError(`network: expected an image [C, H, W], got [${this.#shape.join(', ')}]`);
    }
    return [channels, height, width];
  }
}
