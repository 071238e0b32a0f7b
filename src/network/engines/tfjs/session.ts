import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ShapeError, type State, type Tensor as StateTensor } from '../../../formats/tensor.ts';
import { listSynapses } from '../../cost.ts';
import { type NetworkSpec, spikingLayers, stateEntries, tauShape } from '../../spec.ts';
import { checkFrames, checkLabels, checkState, lambdasOf } from '../checks.ts';
import type {
  EngineSession,
  Forward,
  Frames,
  Hyperparameters,
  OptimiserState,
  StepResult,
  TrainingBatch,
} from '../engine.ts';
import { type Adam, meanSquaredError, tauVariancePenalty } from './loss.ts';
import { type NetworkOutput, type NormObservation, runNetwork } from './network.ts';

/** PyTorch's defaults. */
const adamConstants = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

interface Parameter {
  readonly name: string;
  value: Tensor;
  first: Tensor;
  second: Tensor;
}

/** A network on one tfjs backend. Its tensors live outside of any `tidy`; `dispose` releases them. */
export class TfjsSession implements EngineSession {
  readonly #backend: string;
  readonly #spec: NetworkSpec;
  readonly #adam: Adam;
  readonly #parameters: Parameter[];
  /** Batch norm's running mean and unbiased variance, [C] each, by name. */
  readonly #statistics = new Map<string, Tensor>();
  /** How often each batch norm ran, by name; PyTorch stores these as 64-bit integers. */
  readonly #counters = new Map<string, bigint>();
  /** Each spiking layer's w by name, and whether it is several: [] per layer has no variance. Undefined if τ is fixed. */
  readonly #taus: readonly ({ readonly name: string; readonly isRegularised: boolean } | undefined)[];
  #step: number;
  #disposed = false;

  /** @throws {ShapeError} if a tensor of the network is missing or has another shape */
  constructor(backend: string, spec: NetworkSpec, adam: Adam, state: State, optimiser?: OptimiserState) {
    checkState(spec, state);
    this.#backend = backend;
    this.#spec = spec;
    this.#adam = adam;
    this.#step = optimiser?.step ?? 0;
    this.#taus = spikingLayers(spec).map((layer) => {
      const shape = tauShape(layer);
      return shape && { name: `${layer.name}.w`, isRegularised: shape.length > 0 };
    });
    this.#parameters = stateEntries(spec)
      .filter(({ role }) => role === 'parameter')
      .map(({ name, shape }) => ({
        name,
        value: toTensor(state, name),
        first: optimiser ? toTensor(optimiser.first, name) : tf.zeros([...shape]),
        second: optimiser ? toTensor(optimiser.second, name) : tf.zeros([...shape]),
      }));
    for (const { name, role } of stateEntries(spec)) {
      if (role !== 'buffer') continue;
      const tensor = state.get(name);
      if (tensor?.dtype === 'I64') this.#counters.set(name, tensor.data[0] ?? 0n);
      else this.#statistics.set(name, toTensor(state, name));
    }
  }

  async trainStep(
    batch: TrainingBatch,
    hyperparameters: Hyperparameters,
    options: { keepGradients?: boolean } = {},
  ): Promise<StepResult> {
    await this.#enter();
    checkFrames(this.#spec, batch.frames);
    checkLabels(this.#spec, batch);
    const { output, ...error } = this.#differentiate(batch, hyperparameters.loss);
    const { loss, gradients } = this.#regularise(error, hyperparameters);
    this.#update(gradients, hyperparameters);
    for (const observation of output.observations) this.#observe(observation);
    const result: StepResult = {
      loss: (await loss.data())[0] as number,
      ...(await readForward(output)),
      ...(options.keepGradients === true ? { gradients: await this.#named(gradients) } : {}),
    };
    tf.dispose([loss, ...gradients, ...outputTensors(output)]);
    return result;
  }

  async evaluate(frames: Frames): Promise<Forward> {
    await this.#enter();
    checkFrames(this.#spec, frames);
    const output = tf.tidy(() => {
      const { rates, outputs, spikeRates, inputCounts } = this.#run(frames, undefined);
      return { rates, outputs, spikeRates: [...spikeRates], inputCounts: [...inputCounts] };
    });
    const forward = await readForward(output);
    const operations: number[] = [];
    for (const [i, { fanOuts }] of listSynapses(this.#spec).entries()) {
      const counts = (await output.inputCounts[i]?.data()) ?? [];
      operations.push(fanOuts.reduce((sum, fanOut, pixel) => sum + fanOut * (counts[pixel] ?? 0), 0));
    }
    tf.dispose([output.rates, output.outputs, ...output.spikeRates, ...output.inputCounts]);
    return { ...forward, operations };
  }

  async state(): Promise<State> {
    await this.#enter();
    const state = new Map<string, StateTensor>();
    for (const { name, shape } of stateEntries(this.#spec)) {
      const count = this.#counters.get(name);
      state.set(
        name,
        count === undefined
          ? { dtype: 'F32', shape, data: await readCopy(this.#tensor(name)) }
          : { dtype: 'I64', shape, data: BigInt64Array.of(count) },
      );
    }
    return state;
  }

  async optimiserState(): Promise<OptimiserState> {
    await this.#enter();
    return {
      step: this.#step,
      first: await this.#named(this.#parameters.map(({ first }) => first)),
      second: await this.#named(this.#parameters.map(({ second }) => second)),
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { value, first, second } of this.#parameters) tf.dispose([value, first, second]);
    tf.dispose([...this.#statistics.values()]);
  }

  /** The forward and backward pass without the regulariser. The caller must dispose of the result. */
  #differentiate(
    batch: TrainingBatch,
    loss: Hyperparameters['loss'],
  ): { loss: Scalar; output: NetworkOutput; gradients: Tensor[] } {
    const samples = batch.frames.shape[0];
    let output: NetworkOutput | undefined;
    const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
      const named = new Map(this.#parameters.map(({ name }, i) => [name, values[i] as Tensor]));
      const masks = batch.dropoutMasks.map((mask) => tf.tensor2d(mask, [samples, mask.length / samples]));
      output = this.#run(batch.frames, masks, (name) => named.get(name) ?? this.#tensor(name));
      for (const tensor of outputTensors(output)) tf.keep(tensor);
      return meanSquaredError(loss === 'step' ? output.outputs : output.rates, batch.labels);
    })(this.#parameters.map(({ value }) => value));
    return { loss: value as Scalar, output: output as NetworkOutput, gradients: grads };
  }

  /** Adds Σ λ · Var(w) or Σ λ · Var(τ) to the loss and gradients, disposing of the old ones. */
  #regularise(
    error: { loss: Scalar; gradients: Tensor[] },
    hyperparameters: Hyperparameters,
  ): { loss: Scalar; gradients: Tensor[] } {
    const lambdas = lambdasOf(this.#spec, hyperparameters);
    let { loss } = error;
    const gradients = this.#parameters.map(({ name, value }, i) => {
      const gradient = error.gradients[i] as Tensor;
      const layer = this.#taus.findIndex((tau) => tau?.isRegularised && tau.name === name);
      const lambda = lambdas[layer] ?? 0;
      if (lambda === 0) return gradient;
      const [total, sum] = tf.tidy(() => {
        const penalty = tauVariancePenalty(value, lambda, hyperparameters.regularise);
        return [tf.add<Scalar>(loss, penalty.value), tf.add(gradient, penalty.gradient)];
      }) as [Scalar, Tensor];
      tf.dispose([loss, gradient]);
      loss = total;
      return sum;
    });
    return { loss, gradients };
  }

  #run(
    frames: Frames,
    dropoutMasks: readonly Tensor2D[] | undefined,
    tensor: (name: string) => Tensor = (name) => this.#tensor(name),
  ): NetworkOutput {
    const [samples, steps, channels, height, width] = frames.shape;
    return runNetwork(this.#spec, {
      frames: tf.tensor4d(timeFirst(frames), [steps * samples, height, width, channels]) as Tensor4D,
      steps,
      tensor,
      dropoutMasks,
    });
  }

  #update(gradients: readonly Tensor[], { learningRate, tauRate = 1 }: Hyperparameters): void {
    this.#step += 1;
    this.#parameters.forEach((parameter, i) => {
      const { name, value, first, second } = parameter;
      const factor = this.#taus.some((tau) => tau?.name === name) ? tauRate : 1;
      const step = { learningRate: learningRate * factor, ...adamConstants, step: this.#step };
      const updated = tf.tidy(() => this.#adam(value, gradients[i] as Tensor, first, second, step));
      tf.dispose([value, first, second]);
      [parameter.value, parameter.first, parameter.second] = updated;
    });
  }

  /**
   * `running = (1 − m) · running + m · observed` with the unbiased variance, as PyTorch's BatchNorm does, once per observed time
   * step: T times after a `repeat` and for event frames, once before it.
   */
  #observe({ layer: { name, momentum }, mean, variance, rows }: NormObservation): void {
    const counter = `${name}.num_batches_tracked`;
    this.#counters.set(counter, (this.#counters.get(counter) ?? 0n) + BigInt(mean.shape[0]));
    for (const [key, observed, factor] of [
      [`${name}.running_mean`, mean, 1],
      [`${name}.running_var`, variance, rows / (rows - 1)],
    ] as const) {
      const running = this.#tensor(key);
      const updated = tf.tidy(() =>
        tf
          .unstack(observed)
          .reduce(
            (value: Tensor, step) => tf.add(tf.mul(value, 1 - momentum), tf.mul(step, momentum * factor)),
            running,
          ),
      );
      tf.dispose(running);
      this.#statistics.set(key, updated);
    }
  }

  #tensor(name: string): Tensor {
    const tensor = this.#statistics.get(name) ?? this.#parameters.find((one) => one.name === name)?.value;
    if (tensor === undefined) throw new ShapeError(`${name}: the network has no such tensor`);
    return tensor;
  }

  async #named(tensors: readonly Tensor[]): Promise<Map<string, StateTensor>> {
    const named = new Map<string, StateTensor>();
    for (const [i, { name }] of this.#parameters.entries()) {
      const tensor = tensors[i] as Tensor;
      named.set(name, { dtype: 'F32', shape: tensor.shape, data: await readCopy(tensor) });
    }
    return named;
  }

  /** tfjs has one backend for the whole process, and another session may have switched it. */
  async #enter(): Promise<void> {
    if (this.#disposed) throw new Error('This session was disposed; open the network again.');
    if (tf.getBackend() !== this.#backend) await tf.setBackend(this.#backend);
  }
}

function outputTensors({ rates, outputs, spikeRates, observations }: NetworkOutput): Tensor[] {
  return [rates, outputs, ...spikeRates, ...observations.flatMap(({ mean, variance }) => [mean, variance])];
}

async function readForward(
  output: Pick<NetworkOutput, 'rates' | 'outputs' | 'spikeRates'>,
): Promise<Forward> {
  const spikeRates: number[] = [];
  for (const rate of output.spikeRates) spikeRates.push((await rate.data())[0] as number);
  return {
    rates: await readCopy(output.rates),
    outputs: samplesFirst(await readCopy(output.outputs), output.rates.shape),
    spikeRates,
  };
}

/** A copy of a tensor's values: the CPU backend would return its own memory. */
export async function readCopy(tensor: Tensor): Promise<Float32Array> {
  return Float32Array.from(await tensor.data());
}

/** Copies a float tensor of a state to the current backend. */
function toTensor(state: State, name: string): Tensor {
  const tensor = state.get(name);
  if (tensor?.dtype !== 'F32') throw new ShapeError(`"${name}": expected a float tensor`);
  return tf.tensor(tensor.data.slice(), [...tensor.shape], 'float32');
}

/** [T·N, classes] outputs, time outermost, to [N, T, classes]. */
function samplesFirst(outputs: Float32Array, [samples = 0, classes = 0]: readonly number[]): Float32Array {
  const steps = outputs.length / (samples * classes);
  return outputs.map((_, i) => {
    const [sample, step] = [Math.floor(i / (steps * classes)), Math.floor(i / classes) % steps];
    return outputs[(step * samples + sample) * classes + (i % classes)]!;
  });
}

/** [N, T, P, H, W] counts to [T, N, H, W, P] floats. */
function timeFirst({ shape: [samples, steps, channels, height, width], data }: Frames): Float32Array {
  const pixels = height * width;
  const values = new Float32Array(data.length);
  for (let sample = 0; sample < samples; sample++) {
    for (let step = 0; step < steps; step++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = ((sample * steps + step) * channels + channel) * pixels;
        const to = (step * samples + sample) * pixels * channels + channel;
        for (let pixel = 0; pixel < pixels; pixel++) {
          values[to + pixel * channels] = data[from + pixel]!;
        }
      }
    }
  }
  return values;
}
