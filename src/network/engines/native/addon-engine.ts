import type { WasmInstance } from 'plif-native/wasm';
import type { NetworkSpec, NeuronSpec } from '../../spec.ts';
import type { Engine, EngineDescription } from '../engine.ts';
import type { NativeAddon } from './addon-types.ts';
import { checkParameterMemory, countParameterBytes, WASM_BYTES, WASM_SETTINGS } from './memory.ts';
import { NativeSession } from './session.ts';

/** The engine of an addon, compiled or in WebAssembly; nothing here needs Node.js. @param memory that networks can get, in bytes */
export function addonEngine(
  addon: NativeAddon,
  description: EngineDescription,
  settings: Pick<Parameters<NativeAddon['open']>[0], 'threads' | 'instructionSet' | 'winogradTile'>,
  { available, most = Number.POSITIVE_INFINITY }: { available: () => number; most?: number },
): Engine {
  const openNetwork = ({ layers, input, classes }: NetworkSpec) =>
    addon.open({ layers, input, classes, ...settings });
  return {
    description,
    open: async (spec, state, optimiser) => {
      checkParameterMemory(spec, available());
      const memory = { available, most: most - countParameterBytes(spec) };
      return NativeSession.open(spec, openNetwork, state, optimiser, memory);
    },
    runNeurons: async (pass) => {
      const { shape, current, coefficients } = pass;
      const logits = pass.neuron.kind === 'plif' ? pass.logits : undefined;
      // Without a w of its own, PLIF has the τ of its settings.
      const neuron: NeuronSpec = logits === undefined ? { ...pass.neuron, kind: 'lif' } : pass.neuron;
      const result = await addon.runNeurons({
        neuron,
        shape,
        current,
        coefficients,
        logits,
        threads: settings.threads,
        instructionSet: settings.instructionSet,
      });
      return {
        spikes: result.spikes,
        potentials: result.potentials,
        gradients: {
          current: result.currentGradient,
          alpha: result.alphaGradient,
          logits: result.logitsGradient,
        },
      };
    },
  };
}

/** The engine on an instance of plif.wasm in this thread: a step cannot be aborted, only the next one. */
export function instanceEngine({ sourceDigest, compiler, open, runNeurons }: WasmInstance): Engine {
  const available = () => WASM_BYTES;
  return addonEngine(
    {
      ...{ sourceDigest, compiler, files: [], stamp: '', instructionSets: ['wasm'] },
      open: (options) => {
        const network = open(options);
        return {
          ...network,
          trainStep: async (...values) => network.trainStep(...values),
          evaluate: async (...values) => network.evaluate(...values),
          abort: () => {},
        };
      },
      runNeurons: async (options) => runNeurons(options),
    },
    {
      name: 'wasm',
      backend: 'cpu',
      version: `plif.wasm of sources ${sourceDigest}, ${compiler}`,
      reason: 'plif.wasm',
    },
    WASM_SETTINGS,
    { available, most: WASM_BYTES },
  );
}
