import { ReproError } from '../errors.ts';
import { chooseEngine } from './choose-engine.ts';
import type { Engine } from './engine.ts';
import { createCpuEngine } from './tfjs/engine.ts';
import { referenceOperations } from './tfjs/reference-operations.ts';

/** The engines by the names that a person gives them; each passes the parity suite. */
const engines = {
  auto: () => chooseEngine('auto'),
  tfjs: () => chooseEngine('tfjs'),
  /** The same on the CPU, composed of TensorFlow.js' own operations: slow and plain, it checks the kernels. */
  'tfjs-composed': async () =>
    createCpuEngine("composed of TensorFlow.js' own operations, as asked for", referenceOperations),
} as const satisfies Readonly<Record<string, () => Promise<Engine>>>;

export type EngineName = keyof typeof engines;

export const engineNames = Object.keys(engines) as EngineName[];

/** @throws {ReproError} `engine-unknown` with the names that there are */
export async function openNamedEngine(name: string): Promise<Engine> {
  const known = engineNames.find((one) => one === name);
  if (known !== undefined) return engines[known]();
  throw new ReproError('engine-unknown', `this version has no engine "${name}".`, {
    fix: `It has ${engineNames.join(', ')}.`,
  });
}
