import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engine.ts';
import { kernelOperations } from './kernel-operations.ts';
import type { LayerOperations } from './layer-operations.ts';
import { runNeurons } from './neuron-pass.ts';
import { referenceOperations } from './reference-operations.ts';
import { TfjsSession } from './session.ts';

/** The engine on tfjs' plain CPU backend: always available, one thread, the same bits on every machine. */
export function createCpuEngine(reason: string, operations: LayerOperations = kernelOperations): Engine {
  // Otherwise tfjs prints an advertisement for its native packages.
  tf.enableProdMode();
  return createEngine('cpu', 'cpu', reason, operations);
}

/** The engine on the backend that @tensorflow/tfjs-node-gpu registers; `probeCuda` must have found it usable. */
export function createCudaEngine(reason: string): Engine {
  return createEngine('cuda', 'tensorflow', reason, referenceOperations);
}

function createEngine(
  backend: string,
  tfjsBackend: string,
  reason: string,
  operations: LayerOperations,
): Engine {
  return {
    description: { name: 'tfjs', backend, version: tf.version_core, reason },
    open: async (spec, state, optimiser) => {
      await tf.setBackend(tfjsBackend);
      return new TfjsSession(tfjsBackend, spec, operations, state, optimiser);
    },
    runNeurons: async (pass) => {
      await tf.setBackend(tfjsBackend);
      return runNeurons(operations, pass);
    },
  };
}
