import process from 'node:process';
import { ReproError } from '../../errors.ts';

/** The variable that forces an instruction set, to compare them or to get another machine's numbers to the last digit. */
const variable = 'REPRO_ISA';

const titles: Readonly<Record<string, string>> = {
  baseline: process.arch === 'arm64' ? 'NEON' : 'SSE2',
  avx2: 'AVX2',
  avx512: 'AVX-512',
};

/** `AVX-512` for `avx512`. */
export function describeInstructionSet(name: string): string {
  return titles[name] ?? name;
}

/**
 * The fastest available instruction set, or the one that `REPRO_ISA` names.
 *
 * @param available slowest first
 * @throws {ReproError} `engine-instruction-set` if that is not available, listing those that are
 */
export function chooseInstructionSet(
  available: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const wanted = environment[variable];
  if (wanted === undefined || wanted === '') return available.at(-1) ?? 'baseline';
  if (available.includes(wanted)) return wanted;
  const problem = Object.hasOwn(titles, wanted)
    ? 'this processor, or how the native engine was compiled, lacks this instruction set.'
    : 'the native engine knows no instruction set of this name.';
  throw new ReproError('engine-instruction-set', `${variable}=${wanted}: ${problem}`, {
    fix: `It can use ${new Intl.ListFormat('en-GB').format(available)}.`,
  });
}
