import { ReproError } from '../errors.ts';
import type { State } from '../snn/tensor.ts';
import { listSome, quoteName } from '../text.ts';

/** Names of the tensors with NaN or infinite values. */
export function findBrokenTensors(state: State): string[] {
  return [...state].flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' && !tensor.data.every(Number.isFinite) ? [name] : [],
  );
}

/**
 * Refuses a state with NaN or infinite values: its neurons would stay silent, and the accuracy would look like any other.
 *
 * @throws {ReproError} `state-broken` naming the tensors
 */
export function refuseBrokenState(state: State, where: string): void {
  const broken = findBrokenTensors(state);
  if (broken.length === 0) return;
  throw new ReproError(
    'state-broken',
    `${listNames(broken)}: some values are NaN or infinite, so the network’s output would be meaningless.`,
    { where, fix: 'Use a state from before its training diverged.' },
  );
}

/** The first few names, quoted. */
export function listNames(names: readonly string[]): string {
  return listSome(names.map((name) => quoteName(name)));
}
