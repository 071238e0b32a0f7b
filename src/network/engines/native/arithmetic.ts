import process from 'node:process';
import { countCores } from '../../../base/cores.ts';
import { ReproError } from '../../../base/errors.ts';
import type { NativeAddon, WinogradTile } from './addon-types.ts';

export interface NativeOptions {
  /** Default: `REPRO_THREADS`, or one for each core that this process may use. */
  readonly threads?: number | undefined;
  /** Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** The memory that can still be had, in bytes; default: this process's. */
  readonly available?: (() => number) | undefined;
  /** Whether the addon was compiled from other sources than those on disk; the description says so. */
  readonly isEarlierBuild?: boolean | undefined;
}

/** How the native engine computes, as far as it changes the last digits of results. */
interface Arithmetic {
  readonly instructionSet: string;
  /** In the input gradients of convolutions; forward it is always 2. */
  readonly winogradTile: WinogradTile;
}

const tileVariable = 'REPRO_WINOGRAD';
const tiles: Readonly<Record<string, WinogradTile>> = { '2x2': 2, '4x4': 4 };

/**
 * The fastest instruction set and exact tiles, or what `REPRO_ISA` and `REPRO_WINOGRAD` say. Tiles of 4 x 4 take 1.4 times less time for an
 * input gradient than those of 2 x 2, whose rounding errors are those of a direct convolution, and have about ten times their errors.
 *
 * @param available instruction sets, slowest first
 * @throws {ReproError} `engine-instruction-set` or `engine-winograd` if a variable is set to something impossible
 */
export function chooseArithmetic(
  available: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Arithmetic {
  const text = environment[tileVariable] || '2x2';
  const winogradTile = tiles[text];
  if (winogradTile === undefined) {
    throw new ReproError('engine-winograd', `${tileVariable}=${text} is not a tile size.`, {
      fix: 'Set it to 2x2 or 4x4, or leave it out for 2x2.',
    });
  }
  return { instructionSet: chooseInstructionSet(available, environment), winogradTile };
}

/**
 * `0123456789ab avx512 GCC 12.4.0`: the addon's bytes, instruction set and compiler, for versions and fingerprints. Architectures other than
 * x64 are named too, since `baseline` means other instructions there.
 *
 * @param digest of the addon's files: see `nameDigests`
 */
export function identifyBuild(
  digest: string,
  { compiler }: Pick<NativeAddon, 'compiler'>,
  { instructionSet, winogradTile }: Arithmetic,
  architecture: string = process.arch,
): string {
  const tiles = winogradTile === 2 ? '' : `-${winogradTile}x${winogradTile}`;
  const build = `${digest} ${instructionSet}${tiles} ${compiler.trim()}`;
  return architecture === 'x64' ? build : `${build} ${architecture}`;
}

/** `AVX-512`, or `AVX-512 with 4x4 Winograd tiles`, for people. */
export function describeArithmetic({ instructionSet, winogradTile }: Arithmetic): string {
  const title = titles[instructionSet] ?? instructionSet;
  return winogradTile === 2 ? title : `${title} with ${winogradTile}x${winogradTile} Winograd tiles`;
}

/** The variable that forces an instruction set, to compare them or to get another machine's numbers to the last digit. */
const variable = 'REPRO_ISA';

const titles: Readonly<Record<string, string>> = {
  baseline: process.arch === 'arm64' ? 'NEON' : 'SSE2',
  avx2: 'AVX2',
  avx512: 'AVX-512',
};

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

const threadsVariable = 'REPRO_THREADS';

/** The addon refuses more. */
const mostThreads = 256;

/**
 * How many threads to compute with: `wanted`, else what `REPRO_THREADS` says, else one for each core that this process may use. Results do not depend on it.
 *
 * @throws {ReproError} `engine-threads` if `REPRO_THREADS` is not a whole number from 1 to 256
 */
export function chooseThreads(wanted?: number, environment: NodeJS.ProcessEnv = process.env): number {
  if (wanted !== undefined) return Math.min(wanted, mostThreads);
  const text = environment[threadsVariable];
  if (text === undefined || text === '') return Math.min(countCores(), mostThreads);
  const threads = /^\d+$/.test(text) ? Number(text) : 0;
  if (threads >= 1 && threads <= mostThreads) return threads;
  throw new ReproError('engine-threads', `${threadsVariable}=${text} is not a number of threads.`, {
    fix: `Set it to a whole number from 1 to ${mostThreads}, or leave it out to use all cores.`,
  });
}
