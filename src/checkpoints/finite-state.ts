import { ReproError } from '../errors.ts';
import type { State } from '../snn/tensor.ts';

/** Names of the tensors with values that are no numbers: NaN or infinite. */
export function findBrokenTensors(state: State): string[] {
  return [...state].flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' && !tensor.data.every(Number.isFinite) ? [name] : [],
  );
}

/**
 * Says no to a state that answers nothing: of a NaN, a network makes silence, and an accuracy that looks like any other.
 *
 * @throws {ReproError} `state-broken` naming the tensors
 */
export function refuseBrokenState(state: State, where: string): void {
  const broken = findBrokenTensors(state);
  if (broken.length === 0) return;
  throw new ReproError(
    'state-broken',
    `${listNames(broken)}: some values are no numbers (NaN or infinite), and neither is what the network makes of a clip.`,
    { where, fix: 'Take a state from before its training went astray.' },
  );
}

/** The first few names, in quotes; they come from files of others. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 80)));
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}
