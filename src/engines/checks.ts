import { type StateEntry, stateEntries } from '../snn/parameters.ts';
import { dropoutLayers, type NetworkSpec, repeatedSteps, spikingLayers } from '../snn/spec.ts';
import { countElements, ShapeError, type State, type Tensor } from '../snn/tensor.ts';
import type { Frames, Hyperparameters, NeuronPass, OptimiserState, TrainingBatch } from './engine.ts';

/** Checks that `state` has every tensor of the network, with its type and shape. @throws {ShapeError} naming the first mismatch */
export function checkState(spec: NetworkSpec, state: State): void {
  for (const entry of stateEntries(spec)) checkTensor('state', entry, state.get(entry.name));
}

/** Checks that both moments of every parameter have its shape. @throws {ShapeError} naming the first mismatch */
export function checkOptimiser(spec: NetworkSpec, { first, second }: OptimiserState): void {
  for (const entry of stateEntries(spec).filter(({ role }) => role === 'parameter')) {
    checkTensor("the optimiser's first moments", entry, first.get(entry.name));
    checkTensor("the optimiser's second moments", entry, second.get(entry.name));
  }
}

function checkTensor(where: string, { name, shape, dtype }: StateEntry, tensor: Tensor | undefined): void {
  if (tensor === undefined) throw new ShapeError(`${where}: expected a tensor "${name}", found none`);
  const size = countElements(shape);
  if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join() || tensor.data.length !== size) {
    throw new ShapeError(
      `${where}: "${name}" must be ${dtype} [${shape.join(', ')}], ` +
        `got ${tensor.dtype} [${tensor.shape.join(', ')}] with ${tensor.data.length} values`,
    );
  }
}

/** Checks for [N, T, ...the network's input], N and T at least 1; T must be 1 if the network repeats a still image. @throws {ShapeError} */
export function checkFrames(spec: NetworkSpec, { shape, data }: Frames): void {
  const [samples, steps, ...frame] = shape;
  const repeated = repeatedSteps(spec);
  if (repeated !== undefined && steps !== 1) {
    throw new ShapeError(
      `frames: expected still images, [N, 1, ${spec.input.join(', ')}], which the network repeats for ` +
        `${repeated} steps; got [${shape.join(', ')}]`,
    );
  }
  if (frame.join() !== spec.input.join() || !(samples >= 1) || !(steps >= 1)) {
    throw new ShapeError(
      `frames: expected [N, T, ${spec.input.join(', ')}] with N and T of at least 1, got [${shape.join(', ')}]`,
    );
  }
  const size = countElements(shape);
  if (data.length !== size) {
    throw new ShapeError(`frames: [${shape.join(', ')}] needs ${size} values, got ${data.length}`);
  }
}

/** Checks for one label per sample, each a class of the network. @throws {ShapeError} */
export function checkLabels(spec: NetworkSpec, { labels, frames }: TrainingBatch): void {
  const [samples] = frames.shape;
  if (labels.length !== samples) {
    throw new ShapeError(`labels: expected ${samples}, one for each sample, got ${labels.length}`);
  }
  const wrong = labels.findIndex((label) => !(label >= 0 && label < spec.classes));
  if (wrong >= 0) {
    throw new ShapeError(
      `labels: sample ${wrong} has class ${labels[wrong]}, expected 0 to ${spec.classes - 1}`,
    );
  }
}

/** Checks for one mask [N, features] per dropout layer. @throws {ShapeError} */
export function checkMasks(spec: NetworkSpec, { dropoutMasks, frames }: TrainingBatch): void {
  const layers = dropoutLayers(spec);
  if (dropoutMasks.length !== layers.length) {
    throw new ShapeError(`dropout: expected ${layers.length} masks, got ${dropoutMasks.length}`);
  }
  layers.forEach(({ features }, i) => {
    const size = frames.shape[0] * features;
    const mask = dropoutMasks[i];
    if (mask?.length !== size) {
      throw new ShapeError(
        `dropout: mask ${i} must be [${frames.shape[0]}, ${features}], ${size} values, got ${mask?.length}`,
      );
    }
  });
}

/** λ of each spiking layer. @throws {ShapeError} if a list has another length */
export function lambdasOf(spec: NetworkSpec, { regulariseTau }: Hyperparameters): readonly number[] {
  const layers = spikingLayers(spec);
  if (typeof regulariseTau === 'number') return layers.map(() => regulariseTau);
  if (regulariseTau.length === layers.length) return regulariseTau;
  throw new ShapeError(
    `λ: expected ${layers.length}, one for each spiking layer, got ${regulariseTau.length}`,
  );
}

/** Checks that current and coefficients fill the shape; w is one number or one per neuron. @throws {ShapeError} */
export function checkNeuronPass({ shape, current, coefficients, logits }: NeuronPass): void {
  const [steps = 0, samples = 0, ...neurons] = shape;
  if (neurons.length === 0 || !shape.every((size) => Number.isInteger(size) && size >= 1)) {
    throw new ShapeError(`shape: expected [T, N, ...neurons], each at least 1, got [${shape.join(', ')}]`);
  }
  const size = countElements(neurons);
  for (const [name, { length }] of Object.entries({ current, coefficients })) {
    if (length !== steps * samples * size) {
      throw new ShapeError(
        `${name}: [${shape.join(', ')}] needs ${steps * samples * size} values, got ${length}`,
      );
    }
  }
  if (logits !== undefined && logits.length !== 1 && logits.length !== size) {
    throw new ShapeError(
      `logits: expected 1, or ${size} for neurons [${neurons.join(', ')}], got ${logits.length}`,
    );
  }
}
