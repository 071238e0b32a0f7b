import { ReproError } from '../errors.ts';
import { chooseEngine, type EngineOptions } from './choose-engine.ts';
import type { Engine } from './engine.ts';
import { createCpuEngine } from './tfjs/engine.ts';
import { referenceOperations } from './tfjs/reference-operations.ts';

type Open = (options: EngineOptions) => Promise<Engine>;

/** The engines by the names used on the command line; each passes the parity suite. */
const engines: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['auto', (options) => chooseEngine('auto', options)],
  ['native', (options) => chooseEngine('native', options)],
  ['tfjs', () => chooseEngine('tfjs')],
  ['tfjs-cpu', () => chooseEngine('tfjs-cpu')],
  // Slow and simple: it checks the kernels.
  [
    'tfjs-composed',
    async () =>
      createCpuEngine("composed of TensorFlow.js' own operations, as requested", referenceOperations),
  ],
]);

export const engineNames: readonly string[] = [...engines.keys()];

/** @throws {ReproError} `engine-unknown`, listing the names */
export async function openNamedEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  const open = engines.get(name);
  if (open !== undefined) return open(options);
  throw new ReproError('engine-unknown', `this version has no engine "${name}".`, {
    fix: `It has ${engineNames.join(', ')}.`,
  });
}
