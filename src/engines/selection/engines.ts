import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { type Engine, type EngineChoice, engineChoices } from '../engine.ts';
import { type LoadedAddon, loadAddon } from '../native/addon.ts';
import { chooseArithmetic, identifyBuild, type NativeOptions } from '../native/arithmetic.ts';
import { type CudaProbe, cudaPackage, probeCuda } from '../tfjs/cuda.ts';

/** Tests replace `probe` and `load`. */
export interface EngineOptions extends NativeOptions {
  readonly probe?: (() => Promise<CudaProbe>) | undefined;
  readonly load?: (() => LoadedAddon) | undefined;
}

interface IdentityOptions extends EngineOptions {
  readonly projectRoot: string;
  /** Where to cache the result of a slow probe. */
  readonly cacheFolder: string;
}

/** Why an engine is not available here: a sentence without a full stop, and how to get it. */
interface Missing {
  readonly reason: string;
  /** Null if nothing helps. */
  readonly fix: string | null;
}

/** The status of an engine on this machine, for people. */
export interface EngineFinding {
  readonly name: string;
  readonly available: boolean;
  /** A description, or why it is not available. */
  readonly text: string;
  /** How to get it, or how to repair it; null if there is nothing to do. */
  readonly fix: string | null;
}

interface Implementation {
  readonly title: string;
  /** @param reason why it is opened, in one sentence */
  open(options: EngineOptions, reason: string): Promise<Engine | Missing>;
  /** What of it affects numbers, without opening it; undefined if it is not available. */
  identify(options: IdentityOptions): Promise<string | undefined>;
  find(options: EngineOptions): Promise<EngineFinding>;
}

type ImplementationName = 'tfjs-cpu' | 'native' | 'cuda';

/** Each passes the parity suite. */
const implementations: Readonly<Record<ImplementationName, Implementation>> = {
  'tfjs-cpu': {
    title: 'tfjs on the CPU',
    open: async (_, reason) => (await import('../tfjs/engine.ts')).createCpuEngine(reason),
    // Its kernels give the same bits on every processor.
    identify: async ({ projectRoot }) => `${await identifyTfjs(projectRoot)} cpu`,
    find: async () => {
      const { version_core } = await import('@tensorflow/tfjs-core');
      const text = `TensorFlow.js ${version_core} with typed-array kernels, one thread`;
      return { name: 'tfjs, CPU', available: true, text, fix: null };
    },
  },
  native: {
    title: 'native engine',
    open: async ({ load = loadAddon, ...options }) => {
      const loaded = load();
      if (!loaded.ok) return loaded;
      const { createNativeEngine } = await import('../native/engine.ts');
      return createNativeEngine(loaded.addon, { ...options, isEarlierBuild: loaded.isEarlierBuild });
    },
    // The same bits with the same instruction set, sources and compiler, apart from what the C library computes (exponentials, logarithms),
    // on any processor and with any number of threads.
    identify: async ({ load = loadAddon, environment }) => {
      const loaded = load();
      if (!loaded.ok) return undefined;
      const { addon } = loaded;
      return `native ${identifyBuild(addon, chooseArithmetic(addon.instructionSets, environment))}`;
    },
    find: async ({ load = loadAddon }) => {
      const name = 'native, CPU';
      const loaded = load();
      if (!loaded.ok) return { name, available: false, text: loaded.reason, fix: loaded.fix };
      const { addon, isEarlierBuild } = loaded;
      const { createNativeEngine } = await import('../native/engine.ts');
      const { reason } = createNativeEngine(addon, { isEarlierBuild }).description;
      return {
        name,
        available: true,
        text: `C++ kernels ${addon.sourceDigest}, ${addon.compiler.trim()}, ${reason}`,
        fix: isEarlierBuild ? 'Run `npm run build:native`.' : null,
      };
    },
  },
  cuda: {
    title: 'CUDA',
    open: async ({ probe = probeCuda }) => {
      const cuda = await probe();
      if (!cuda.usable) return cuda;
      return (await import('../tfjs/engine.ts')).createCudaEngine('CUDA is available and works');
    },
    identify: identifyCuda,
    find: async ({ probe = probeCuda }) => {
      const cuda = await probe();
      return cuda.usable
        ? { name: 'tfjs, CUDA', available: true, text: `tfjs-node-gpu ${cuda.version}`, fix: null }
        : { name: 'tfjs, CUDA', available: false, text: cuda.reason, fix: cuda.fix };
    },
  },
};

/** What each choice tries, in this order. */
const preferences: Readonly<Record<EngineChoice, readonly ImplementationName[]>> = {
  auto: ['cuda', 'native', 'tfjs-cpu'],
  native: ['native'],
  tfjs: ['cuda', 'tfjs-cpu'],
  'tfjs-cpu': ['tfjs-cpu'],
};

/**
 * Opens the engine that computes training steps; its description says why it was chosen.
 *
 * @throws {ReproError} `engine-unavailable` if `choice` names an engine that is not available
 */
export function chooseEngine(choice: EngineChoice = 'auto', options: EngineOptions = {}): Promise<Engine> {
  return openFirst(preferences[choice], options, choice === 'tfjs-cpu' ? 'requested as tfjs-cpu' : undefined);
}

/** The fastest engine of the CPU, without looking for a GPU. */
export function chooseCpuEngine(reason: string, options: EngineOptions = {}): Promise<Engine> {
  return openFirst(['native', 'tfjs-cpu'], options, reason);
}

async function openFirst(
  names: readonly ImplementationName[],
  options: EngineOptions,
  reason?: string,
): Promise<Engine> {
  const reasons = reason === undefined ? [] : [reason];
  for (const [i, name] of names.entries()) {
    const { title, open } = implementations[name];
    const found = await open(options, reasons.join('; '));
    if ('description' in found) return found;
    reasons.push(`no ${title}: ${found.reason}`);
    if (i === names.length - 1) {
      throw new ReproError('engine-unavailable', `The ${title} is not available: ${found.reason}.`, {
        fix: `${found.fix ?? ''} Or choose another engine: \`auto\` takes the fastest there is.`.trim(),
      });
    }
  }
  throw new RangeError('there is no engine to choose from');
}

/**
 * Identifies what `chooseEngine(choice)` picks here, as far as it affects numbers: `native 0123456789ab avx512 GCC 12.4.0`, `tfjs 4.22.0 cpu`,
 * or with CUDA the GPU's model. It is quick: it opens no engine, and the result of probing CUDA is cached until package, driver, Node or the
 * visible devices change.
 *
 * @throws {ReproError} if `REPRO_ISA` or `REPRO_WINOGRAD` is set to something impossible
 */
export async function identifyEngine(choice: EngineChoice, options: IdentityOptions): Promise<string> {
  for (const name of preferences[choice]) {
    const identity = await implementations[name].identify(options);
    if (identity !== undefined) return identity;
  }
  // An explicit choice that is not available fails in the stage, with advice.
  return `${choice}, unavailable`;
}

/** The engines for this machine, best last; `chooseEngine('auto')` takes the last available one. */
export async function probeEngines(options: EngineOptions = {}): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = [];
  for (const name of preferences.auto.toReversed()) findings.push(await implementations[name].find(options));
  return findings;
}

/** The choices, and tfjs' own operations on the CPU: slow and simple, they check the kernels. */
export const engineNames = [...engineChoices, 'tfjs-composed'] as const;

/** @throws {ReproError} `engine-unknown`, listing the names */
export async function openNamedEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  const choice = engineChoices.find((one) => one === name);
  if (choice !== undefined) return chooseEngine(choice, options);
  if (name === 'tfjs-composed') {
    const { createCpuEngine } = await import('../tfjs/engine.ts');
    const { referenceOperations } = await import('../tfjs/operations/reference-operations.ts');
    return createCpuEngine("composed of TensorFlow.js' own operations, as requested", referenceOperations);
  }
  throw new ReproError('engine-unknown', `this version has no engine "${name}".`, {
    fix: `It has ${engineNames.join(', ')}.`,
  });
}

/** `tfjs 4.22.0`, without loading it. */
async function identifyTfjs(projectRoot: string): Promise<string> {
  const require = createRequire(path.join(projectRoot, 'package.json'));
  return `tfjs ${await packageVersion(require.resolve('@tensorflow/tfjs-core/package.json'))}`;
}

/** `tfjs 4.22.0 cuda <model>`; undefined if CUDA does not work here. */
async function identifyCuda({
  projectRoot,
  cacheFolder,
  probe = probeCuda,
}: IdentityOptions): Promise<string | undefined> {
  let cuda: string;
  try {
    cuda = createRequire(path.join(projectRoot, 'package.json')).resolve(`${cudaPackage}/package.json`);
  } catch {
    return undefined;
  }
  const file = path.join(cacheFolder, 'engine.json');
  const key = JSON.stringify([
    await packageVersion(cuda),
    (await stat(cuda)).mtimeMs,
    await readOptional('/proc/driver/nvidia/version'),
    process.version,
    process.env.CUDA_VISIBLE_DEVICES ?? null,
    process.env.LD_LIBRARY_PATH ?? null,
  ]);
  let known = parseKnown(await readOptional(file));
  if (known?.key !== key) {
    known = { key, gpu: (await probe()).usable ? await gpuModel() : null };
    await mkdir(cacheFolder, { recursive: true });
    await writeFile(`${file}.${process.pid}`, JSON.stringify(known));
    await rename(`${file}.${process.pid}`, file);
  }
  return known.gpu === null ? undefined : `${await identifyTfjs(projectRoot)} cuda ${known.gpu}`;
}

async function packageVersion(file: string): Promise<string> {
  const { version }: { version: unknown } = JSON.parse(await readFile(file, 'utf8'));
  return String(version);
}

async function readOptional(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}

/** What an earlier probe found; undefined if that is damaged or was never written. */
function parseKnown(text: string | null): { key: string; gpu: string | null } | undefined {
  try {
    const known = JSON.parse(text ?? '') as { key: string; gpu: unknown };
    return typeof known.gpu === 'string' || known.gpu === null
      ? { key: known.key, gpu: known.gpu }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The model of the first GPU, according to its Linux driver. */
async function gpuModel(): Promise<string> {
  const folder = '/proc/driver/nvidia/gpus';
  const [first] = (await readdir(folder).catch(() => [])).sort();
  if (first === undefined) return 'unknown';
  const text = await readOptional(path.join(folder, first, 'information'));
  return /^Model:\s*(.+)$/m.exec(text ?? '')?.[1]?.trim() ?? 'unknown';
}
