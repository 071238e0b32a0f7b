import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { type Engine, type EngineChoice, engineChoices, type Workload } from '../engine.ts';
import { type LoadedAddon, loadAddon } from '../native/addon.ts';
import { chooseArithmetic, identifyBuild, type NativeOptions } from '../native/arithmetic.ts';
import { describeWasmExcess } from '../native/memory.ts';
import { type CudaProbe, cudaPackage, probeCuda } from '../tfjs/cuda.ts';
import { loadWasm as loadOwnWasm } from '../wasm/addon.ts';

/** Tests replace what probes and loads. */
export interface EngineOptions extends NativeOptions {
  /** Where the network is known: `auto` passes over engines that are not for it. */
  readonly workload?: Workload | undefined;
  readonly probe?: (() => Promise<CudaProbe>) | undefined;
  readonly load?: (() => LoadedAddon) | undefined;
  readonly loadWasm?: (() => LoadedAddon) | undefined;
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

/** An engine that is available here. */
interface Located {
  /** @param reason why it is opened, in one sentence, unless it has its own */
  open(reason: string): Promise<Engine>;
  describe(): Promise<Pick<EngineFinding, 'text' | 'fix'>>;
}

interface Implementation {
  /** In findings, and in `no native engine: …`. */
  readonly name: string;
  readonly title: string;
  locate(options: EngineOptions): Promise<Located | Missing>;
  /** Why it is not for this network although it is available, like `Missing.reason`; `auto` then takes the next. Others take any network. */
  decline?(workload: Workload, options: EngineOptions): Promise<string | undefined>;
  /** What of it affects numbers, without opening it; undefined if it is not available. */
  identify(options: IdentityOptions): Promise<string | undefined>;
}

type ImplementationName = 'tfjs-cpu' | 'wasm' | 'native' | 'cuda';

/** Each passes the parity suite. */
const implementations: Readonly<Record<ImplementationName, Implementation>> = {
  'tfjs-cpu': {
    name: 'tfjs, CPU',
    title: 'tfjs',
    locate: async () => ({
      open: async (reason) => (await import('../tfjs/engine.ts')).createCpuEngine(reason),
      describe: async () => {
        const { version_core } = await import('@tensorflow/tfjs-core');
        return { text: `TensorFlow.js ${version_core}, one thread, slow`, fix: null };
      },
    }),
    identify: async ({ projectRoot }) => `${await identifyTfjs(projectRoot)} cpu`,
  },
  wasm: {
    name: 'wasm, CPU',
    title: 'WebAssembly engine',
    locate: async ({ loadWasm = loadOwnWasm }) => {
      const loaded = loadWasm();
      if (!loaded.ok) return loaded;
      const { addon } = loaded;
      return {
        open: async (reason) => (await import('../native/engine.ts')).createWasmEngine(addon, reason),
        describe: async () => ({
          text: `C++ kernels ${addon.sourceDigest}, ${addon.compiler}, in WebAssembly, one thread`,
          fix: null,
        }),
      };
    },
    decline: async (workload, { loadWasm = loadOwnWasm }) => {
      const loaded = loadWasm();
      return loaded.ok ? describeWasmExcess(loaded.addon, workload) : undefined;
    },
    // The same bits on every processor.
    identify: async ({ loadWasm = loadOwnWasm }) => {
      const loaded = loadWasm();
      return loaded.ok ? `wasm ${loaded.addon.sourceDigest} ${loaded.addon.compiler}` : undefined;
    },
  },
  native: {
    name: 'native, CPU',
    title: 'native engine',
    locate: async ({ load = loadAddon, ...options }) => {
      const loaded = load();
      if (!loaded.ok) return loaded;
      const { addon, isEarlierBuild } = loaded;
      const open = async () => {
        const { createNativeEngine } = await import('../native/engine.ts');
        return createNativeEngine(addon, { ...options, isEarlierBuild });
      };
      const describe = async () => ({
        text: `C++ kernels ${addon.sourceDigest}, ${addon.compiler.trim()}, ${(await open()).description.reason}`,
        fix: isEarlierBuild ? 'Run `npm run build:native`.' : null,
      });
      return { open, describe };
    },
    // The same bits with the same instruction set, sources and compiler, on any processor and with any number of threads.
    identify: async ({ load = loadAddon, environment }) => {
      const loaded = load();
      if (!loaded.ok) return undefined;
      const { addon } = loaded;
      return `native ${identifyBuild(addon, chooseArithmetic(addon.instructionSets, environment))}`;
    },
  },
  cuda: {
    name: 'tfjs, CUDA',
    title: 'CUDA',
    locate: async ({ probe = probeCuda }) => {
      const cuda = await probe();
      if (!cuda.usable) return cuda;
      return {
        open: async () => (await import('../tfjs/engine.ts')).createCudaEngine('CUDA is available and works'),
        describe: async () => ({ text: `tfjs-node-gpu ${cuda.version}`, fix: null }),
      };
    },
    identify: identifyCuda,
  },
};

/** What each choice tries, in this order. */
const preferences: Readonly<Record<EngineChoice, readonly ImplementationName[]>> = {
  auto: ['cuda', 'native', 'wasm', 'tfjs-cpu'],
  native: ['native'],
  wasm: ['wasm'],
  tfjs: ['cuda', 'tfjs-cpu'],
  'tfjs-cpu': ['tfjs-cpu'],
};

/**
 * Opens the engine that computes training steps; its description says why it was chosen.
 *
 * @throws {ReproError} `engine-unavailable` if `choice` names an engine that is not available
 */
export function chooseEngine(choice: EngineChoice = 'auto', options: EngineOptions = {}): Promise<Engine> {
  return openFirst(
    preferences[choice],
    options,
    preferences[choice].length === 1 ? `requested as ${choice}` : undefined,
  );
}

/** The fastest engine of the CPU, without looking for a GPU. */
export function chooseCpuEngine(reason: string, options: EngineOptions = {}): Promise<Engine> {
  return openFirst(
    preferences.auto.filter((name) => name !== 'cuda'),
    options,
    reason,
  );
}

async function openFirst(
  names: readonly ImplementationName[],
  options: EngineOptions,
  reason?: string,
): Promise<Engine> {
  const missing: string[] = [];
  let advice = '';
  for (const name of names) {
    const { title, locate, decline } = implementations[name];
    const found = await locate(options);
    if (!('open' in found)) {
      missing.push(`no ${title}: ${found.reason}`);
      advice = `${found.fix ?? ''} `.trimStart();
      continue;
    }
    // An engine that was asked for is opened in any case: it says itself what it cannot do.
    const isAsked = names.length === 1 || options.workload === undefined;
    const declined = isAsked ? undefined : await decline?.(options.workload, options);
    if (declined === undefined)
      return found.open([...(reason === undefined ? [] : [reason]), ...missing].join('; '));
    missing.push(`no ${title}: ${declined}`);
  }
  throw new ReproError('engine-unavailable', `There is ${missing.join('; ')}.`, {
    fix: `${advice}Or choose another engine: \`auto\` takes the fastest there is.`,
  });
}

/**
 * Identifies what `chooseEngine(choice)` picks here, as far as it affects numbers: `native 0123456789ab avx512 GCC 12.4.0`, `tfjs 4.22.0 cpu`,
 * or with CUDA the GPU's model. If the first engine may decline a network, which is not known here, the next is named, too: `wasm …, or
 * tfjs 4.22.0 cpu`. It is quick: it opens no engine, and the result of probing CUDA is cached until package, driver, Node or the visible
 * devices change.
 *
 * @throws {ReproError} if `REPRO_ISA` or `REPRO_WINOGRAD` is set to something impossible
 */
export async function identifyEngine(choice: EngineChoice, options: IdentityOptions): Promise<string> {
  const names = preferences[choice];
  const identities: string[] = [];
  for (const name of names) {
    const identity = await implementations[name].identify(options);
    if (identity === undefined) continue;
    identities.push(identity);
    if (names.length === 1 || implementations[name].decline === undefined) break;
  }
  // An explicit choice that is not available fails in the stage, with advice.
  return identities.length === 0 ? `${choice}, unavailable` : identities.join(', or ');
}

/** The engines for this machine, best last; `chooseEngine('auto')` takes the last available one. */
export async function probeEngines(options: EngineOptions = {}): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = [];
  for (const implementation of preferences.auto.toReversed()) {
    const { name, locate } = implementations[implementation];
    const found = await locate(options);
    if ('open' in found) findings.push({ name, available: true, ...(await found.describe()) });
    else findings.push({ name, available: false, text: found.reason, fix: found.fix });
  }
  return findings;
}

/** @throws {ReproError} `engine-unknown`, listing the names */
export async function openNamedEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  const choice = engineChoices.find((one) => one === name);
  if (choice !== undefined) return chooseEngine(choice, options);
  throw new ReproError('engine-unknown', `this version has no engine "${name}".`, {
    fix: `It has ${engineChoices.join(', ')}.`,
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
