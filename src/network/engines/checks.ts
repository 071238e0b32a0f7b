import { countElements, ShapeError, type State } from '../../formats/tensor.ts';
import { type NetworkSpec, repeatedSteps, spikingLayers, stateEntries } from '../spec.ts';
import type { Frames, Hyperparameters, TrainingBatch } from './engine.ts';

/** Checks that `state` has every tensor of the network, with its type and shape. @throws {ShapeError} naming the first mismatch */
export function checkState(spec: NetworkSpec, state: State): void {
  for (const { name, shape, dtype } of stateEntries(spec)) {
    const tensor = state.get(name);
    if (tensor === undefined) throw new ShapeError(`state: expected a tensor "${name}", found none`);
    if (tensor.dtype === dtype && tensor.shape.join() === shape.join()) continue;
    throw new ShapeError(
      `state: "${name}" must be ${dtype} [${shape.join(', ')}], got ${tensor.dtype} [${tensor.shape.join(', ')}]`,
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

/** λ of each spiking layer. @throws {ShapeError} if a list has another length */
export function lambdasOf(spec: NetworkSpec, { regulariseTau }: Hyperparameters): readonly number[] {
  const layers = spikingLayers(spec);
  if (typeof regulariseTau === 'number') return layers.map(() => regulariseTau);
  if (regulariseTau.length === layers.length) return regulariseTau;
  throw new ShapeError(
    `λ: expected ${layers.length}, one for each spiking layer, got ${regulariseTau.length}`,
  );
}
