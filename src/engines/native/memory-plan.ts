import type { NetworkSpec } from '../../snn/spec.ts';
import { explainNativeError } from './addon.ts';
import type { NativeAddon, NativeNetwork } from './addon-types.ts';
import { chooseArithmetic } from './arithmetic.ts';
import { chooseThreads, type NativeOptions } from './engine.ts';
import {
  availableMemory,
  checkParameterMemory,
  countBytes,
  countParameterBytes,
  largestBatch,
} from './memory.ts';

/** Larger batches bring nothing, even where they fit. */
const largestPlanned = 65_536;

interface Workload {
  /** T. */
  readonly steps: number;
  /** Clips in a batch of a training, with its evaluations, and of a separate evaluation. */
  readonly trainingBatch: number;
  readonly evaluationBatch: number;
}

/** What a batch needs besides the parameters. */
export interface BatchNeed {
  readonly samples: number;
  /** Infinite for more than can be addressed. */
  readonly bytes: number;
  /** The largest batch that fits here, at most 65,536; 0 if none. */
  readonly largest: number;
}

/** The memory that a network needs in the native engine, without allocating it. */
export interface MemoryPlan {
  /** Parameters, their gradients and moments. */
  readonly parameterBytes: number;
  readonly training: BatchNeed;
  readonly evaluation: BatchNeed;
  /** What is available to this process now. */
  readonly availableBytes: number;
}

/** @throws {ReproError} `out-of-memory` if not even the parameters fit */
export function planMemory(
  addon: NativeAddon,
  spec: NetworkSpec,
  { steps, trainingBatch, evaluationBatch }: Workload,
  { threads, environment, available = availableMemory }: NativeOptions = {},
): MemoryPlan {
  const availableBytes = available();
  const parameterBytes = countParameterBytes(spec);
  checkParameterMemory(spec, availableBytes);
  const { layers, input, classes } = spec;
  let network: NativeNetwork | undefined;
  try {
    const opened = addon.open({
      layers,
      input,
      classes,
      threads: chooseThreads(threads, environment),
      ...chooseArithmetic(addon.instructionSets, environment),
    });
    network = opened;
    const needOf = (samples: number, training: boolean): BatchNeed => {
      const bytesFor = (count: number) => countBytes(opened, count, steps, training);
      return {
        samples,
        bytes: bytesFor(samples),
        largest: largestBatch(largestPlanned, availableBytes - parameterBytes, bytesFor),
      };
    };
    return {
      parameterBytes,
      training: needOf(trainingBatch, true),
      evaluation: needOf(evaluationBatch, false),
      availableBytes,
    };
  } catch (error) {
    throw explainNativeError(error);
  } finally {
    network?.dispose();
  }
}
