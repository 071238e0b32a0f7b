import { ReproError } from '../base/errors.ts';
import { countElements, type State } from '../formats/tensor.ts';
import { drawDropoutMasks } from '../network/dropout-masks.ts';
import type { Engine, EngineSession, Frames, TrainingBatch } from '../network/engines/engine.ts';
import { initialState } from '../network/initialise.ts';
import { type NetworkSpec, repeatedSteps } from '../network/spec.ts';
import { CONVERTED_RECORDINGS } from '../results/thesis/published.ts';
import type { ResolvedModel } from './resolve-model.ts';
import { isTested } from './task.ts';
import { countKept } from './training-clips.ts';

/**
 * Batch norm's initial weight. With 1, less than 3 % of the neurons of a fresh network spike at a step; with this, 3 to 15 %, more in deeper
 * layers. An engine's speed may depend on it.
 */
const busyGain = 1.75;

/** Seconds for each clip of a batch. */
export interface Speed {
  readonly training: number;
  readonly evaluation: number;
  /** The batch that was measured. */
  readonly samples: number;
  /** The length of its gradient, about which engines should agree. */
  readonly gradient: number;
}

/**
 * Measures an engine's training steps and evaluations of a network, on sparse synthetic frames. It takes the fastest of a few repeats, since
 * other programs can only slow one down.
 *
 * @param options.steps T
 * @param options.atOnce how many networks compute at the same time, as cores may share caches and units
 * @param options.budgetSeconds about as long as it takes; at least two steps and two evaluations
 * @param options.now a clock in milliseconds; the budget is in its seconds, too
 * @param options.samples clips in a batch: two make Adam, which runs once a step, a small part of it, and take a slow machine seconds
 * @param options.mostRepeats how often a step is measured at most
 * @throws {ReproError} `out-of-memory` if there is not enough even for this; `training-diverged` if a loss is not finite
 */
export async function measureSpeed(
  engine: Engine,
  spec: NetworkSpec,
  options: {
    readonly steps: number;
    readonly atOnce: number;
    readonly budgetSeconds: number;
    readonly now: () => number;
    readonly samples?: number;
    readonly mostRepeats?: number;
  },
): Promise<Speed> {
  const { steps, atOnce, budgetSeconds, now, samples = 2, mostRepeats = 3 } = options;
  const startedMs = now();
  const sessions: EngineSession[] = [];
  try {
    while (sessions.length < atOnce) sessions.push(await engine.open(spec, busyState(spec)));
    const batch = makeBatch(spec, steps, samples);
    const bestOf = async (
      work: (session: EngineSession) => Promise<unknown>,
      untilSeconds: number,
    ): Promise<number> => {
      await Promise.all(sessions.map(work)); // its memory is new, which takes time
      const seconds: number[] = [];
      do {
        const beforeMs = now();
        await Promise.all(sessions.map(work));
        seconds.push((now() - beforeMs) / 1000);
      } while (seconds.length < mostRepeats && (now() - startedMs) / 1000 < untilSeconds);
      return Math.min(...seconds) / (samples * atOnce);
    };
    // Parameters stay as they are; only batch norm's statistics adapt to the frames, as evaluation needs.
    const train = async (one: EngineSession) => {
      const { loss } = await one.trainStep(batch, { learningRate: 0, regulariseTau: 0 });
      if (!Number.isFinite(loss)) throw new ReproError('training-diverged', `the loss of a step is ${loss}`);
    };
    // An evaluation takes about a fifth of a step.
    const training = await bestOf(train, 0.85 * budgetSeconds);
    const evaluation = await bestOf((one) => one.evaluate(batch.frames), budgetSeconds);
    // Of equal steps, Adam's first moment is the gradient times 1 - 0.9^step.
    const { step, first } = await sessions[0]!.optimiserState();
    let squares = 0;
    for (const { data } of first.values()) for (const value of data) squares += Number(value) ** 2;
    return { training, evaluation, samples, gradient: Math.sqrt(squares) / (1 - 0.9 ** step) };
  } finally {
    for (const session of sessions) session.dispose();
  }
}

function makeBatch(spec: NetworkSpec, steps: number, samples: number): TrainingBatch {
  // The network itself repeats a still image.
  const given = repeatedSteps(spec) === undefined ? steps : 1;
  const shape: Frames['shape'] = [samples, given, ...spec.input];
  const data = new Uint8Array(countElements(shape));
  const length = data.length / samples;
  for (let i = 0; i < samples; i++) data.set(drawMovingDisc(shape, i), i * length);
  return {
    frames: { shape, data },
    labels: Int32Array.from({ length: samples }, (_, i) => i % spec.classes),
    dropoutMasks: drawDropoutMasks(spec, samples, { seed: 1, epoch: 0, batch: 0 }),
  };
}

/** A fresh network in which many neurons spike. */
function busyState(spec: NetworkSpec): State {
  const state = new Map(initialState(spec, 1));
  for (const layer of spec.layers) {
    if (layer.kind !== 'batch-norm') continue;
    const data = new Float32Array(layer.channels).fill(busyGain);
    state.set(`${layer.name}.weight`, { dtype: 'F32', shape: [layer.channels], data });
  }
  return state;
}

/** The recordings of a data set in which every recording has the same clips. */
export interface RecordingCounts {
  readonly train: number;
  readonly test: number;
  /** Clips of each class in a recording. */
  readonly clipsByClass: readonly number[];
}

/** How often a clip is trained on and evaluated. */
export interface ClipPasses {
  readonly trained: number;
  readonly evaluated: number;
}

/**
 * The passes of a whole training, and of the stage `evaluate` afterwards.
 *
 * @param again in how many other orders that stage runs the test clips, and with how many changes of τ if neurons have their own
 */
export function countPasses(
  { network, training, compat }: Pick<ResolvedModel, 'network' | 'training' | 'compat'>,
  { train, test, clipsByClass }: RecordingCounts,
  again: { readonly orders: number; readonly changes: number },
): ClipPasses {
  const used = compat.trials === 'first-88' ? Math.min(train, CONVERTED_RECORDINGS) : train;
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const kept = sum(clipsByClass.map((clips) => countKept(used * clips, training.validationShare)));
  const heldBack = used * sum(clipsByClass) - kept;
  const tests = test * sum(clipsByClass);
  const { batchSize, epochs } = training;
  const whole = (clips: number): number => clips - (clips % batchSize);
  const validated = compat.validation === 'all' ? heldBack : whole(heldBack);

  // The network as it is, too; twice each, and batch norm's statistics take an epoch of training.
  const states = again.changes === 0 || network.tau.per === 'layer' ? 0 : 1 + again.changes;
  const orders = training.frameOrder === undefined ? again.orders : 0;
  let evaluated = (1 + orders + 2 * states) * tests + heldBack;
  for (let epoch = 0; epoch < epochs; epoch++) {
    evaluated += validated + (isTested(training, epoch) ? tests : 0);
  }
  return { trained: (epochs + states) * whole(kept), evaluated };
}

/**
 * Synthetic event counts: the outline of a disc that circles in front of the camera gives ON events on its right half and OFF events on
 * its left. About 5 % of the counts are not 0: few, as when hands move in front of a still background.
 *
 * @param shape [N, T, 2, H, W]; N is ignored
 * @param clip clips with different numbers differ
 * @returns one clip, [T, 2, H, W]
 */
export function drawMovingDisc(
  [, steps, polarities, height, width]: readonly [number, number, number, number, number],
  clip: number,
): Uint8Array {
  const counts = new Uint8Array(steps * polarities * height * width);
  // Of a sensor of one row, the disc is as large as the row: the outline crosses it in two places, as if two tones moved.
  const size = height === 1 ? width : Math.min(height, width);
  for (let t = 0; t < steps; t++) {
    const angle = (2 * Math.PI * (t + clip)) / 20;
    const [x0, y0] = [width / 2 + (size / 6) * Math.cos(angle), height / 2 + (size / 6) * Math.sin(angle)];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (Math.abs(Math.hypot(x - x0, y - y0) - size / 4) > size / 32) continue;
        const plane = t * polarities + (x > x0 ? polarities - 1 : 0);
        counts[(plane * height + y) * width + x] = 1;
      }
    }
  }
  return counts;
}
