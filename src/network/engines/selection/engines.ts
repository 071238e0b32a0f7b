import { ReproError } from '../../../base/errors.ts';
import {
  type Engine,
  type EngineChoice,
  type EngineDescription,
  engineChoices,
  type Workload,
} from '../engine.ts';
import { type LoadedAddon, loadAddon, nameDigests, nameLoaded } from '../native/addon.ts';
import { chooseArithmetic, identifyBuild, type NativeOptions } from '../native/arithmetic.ts';
import { describeWasmExcess } from '../native/memory.ts';
import { type CudaProbe, probeCuda } from '../tfjs/cuda.ts';
import { loadWasm as loadOwnWasm } from '../wasm/addon.ts';
import { findAdapter, type GpuOptions, openGpu } from '../webgpu/adapters.ts';
import { type IdentitySources, identifyCuda, identifyTfjs, identifyWebgpu } from './gpu-identity.ts';

/** Tests replace what probes and loads. */
export interface EngineOptions extends NativeOptions, GpuOptions {
  /** Where the network is known: `auto` passes over engines that are not for it. */
  readonly workload?: Workload | undefined;
  /** The fact `engine` of a stage, which must be true of what is opened; with `auto`, it names the GPU that the run has taken. */
  readonly fact?: string | undefined;
  readonly probe?: (() => Promise<CudaProbe>) | undefined;
  readonly load?: (() => LoadedAddon) | undefined;
  readonly loadWasm?: (() => LoadedAddon) | undefined;
}

type IdentityOptions = EngineOptions & IdentitySources;

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
  /**
   * @param reason why it is opened, in one sentence, unless it has its own
   * @returns why not, if only trying tells
   */
  open(reason: string): Promise<Engine | Missing>;
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

type ImplementationName = 'tfjs-cpu' | 'wasm' | 'native' | 'webgpu' | 'cuda';

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
          text: `C++ kernels ${nameLoaded(addon)}, ${addon.compiler}, in WebAssembly, one thread`,
          fix: null,
        }),
      };
    },
    decline: async (workload, { loadWasm = loadOwnWasm }) => {
      const loaded = loadWasm();
      return loaded.ok ? describeWasmExcess(loaded.addon, workload) : undefined;
    },
    // The same bits on every processor.
    identify: async ({ loadWasm = loadOwnWasm, digestFile }) => {
      const loaded = loadWasm();
      if (!loaded.ok) return undefined;
      const { files, compiler } = loaded.addon;
      return `wasm ${nameDigests(await Promise.all(files.map(digestFile)))} ${compiler}`;
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
        text: `C++ kernels ${nameLoaded(addon)}, ${addon.compiler.trim()}, ${(await open()).description.reason}`,
        fix: isEarlierBuild ? 'Run `npm run build:native`.' : null,
      });
      return { open, describe };
    },
    // The same bits with the same instruction set, on any processor and with any number of threads.
    identify: async ({ load = loadAddon, environment, digestFile }) => {
      const loaded = load();
      if (!loaded.ok) return undefined;
      const { addon } = loaded;
      const arithmetic = chooseArithmetic(addon.instructionSets, environment);
      const digest = nameDigests(await Promise.all(addon.files.map(digestFile)));
      return `native ${identifyBuild(digest, addon, arithmetic)}`;
    },
  },
  webgpu: {
    name: 'webgpu, GPU',
    title: 'WebGPU engine',
    locate: async (options) => {
      const found = await findAdapter(options);
      if (!found.ok) return found;
      const { adapter } = found;
      return {
        open: async (reason) => {
          const opened = await openGpu(adapter, options.gpuSystem);
          if (!opened.ok) return opened;
          return (await import('../webgpu/engine.ts')).createWebgpuEngine(opened.gpu, reason);
        },
        describe: async () => ({ text: `${adapter.name}, ${adapter.driver}`, fix: null }),
      };
    },
    identify: identifyWebgpu,
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

/** What each choice tries, in this order. `auto` takes a GPU only where a run has found it right and faster. */
const preferences: Readonly<Record<EngineChoice, readonly ImplementationName[]>> = {
  auto: ['native', 'wasm', 'tfjs-cpu'],
  webgpu: ['webgpu'],
  native: ['native'],
  wasm: ['wasm'],
  tfjs: ['cuda', 'tfjs-cpu'],
  'tfjs-cpu': ['tfjs-cpu'],
};

/**
 * Opens the engine that computes training steps; its description says why it was chosen.
 *
 * @throws {ReproError} `engine-unavailable` if `choice`, or the GPU that a run has taken, is not available; `engine-changed` if it is not
 *   what `fact` says
 */
export async function chooseEngine(
  choice: EngineChoice = 'auto',
  options: EngineOptions = {},
): Promise<Engine> {
  const engine = await openChosen(choice, options);
  if (options.fact !== undefined) refuseOther(engine.description, options.fact);
  return engine;
}

/** Results must not be recorded as another engine's: its files may have been away for a moment. */
function refuseOther({ name, backend, version, reason }: EngineDescription, fact: string): void {
  const own = name === 'tfjs' ? `tfjs ${version} ${backend}` : `${name} ${version}`;
  // Of CUDA, the fact also names the GPU.
  if (fact.split(', or ').some((one) => one === own || one.startsWith(`${own} `))) return;
  throw new ReproError(
    'engine-changed',
    `the engine is "${own}", not "${fact}" as when the stage was planned: ${reason}.`,
    {
      fix: 'Run again once `npm ci`, or whatever replaces the engine, has ended.',
    },
  );
}

function openChosen(choice: EngineChoice, options: EngineOptions): Promise<Engine> {
  const gpu = choice === 'auto' ? gpuOf(options.fact) : undefined;
  if (gpu !== undefined) {
    const reason = 'tried here and right: the fastest, or the one that has computed most trainings';
    return openFirst([gpu], options, reason, 'Or set `train.engine` to `native`.');
  }
  const names = preferences[choice];
  return openFirst(names, options, names.length === 1 ? `requested as ${choice}` : undefined);
}

/** The engine of a GPU that a fact `engine` names. */
export function gpuOf(fact = ''): 'webgpu' | 'cuda' | undefined {
  return fact.startsWith('webgpu ') ? 'webgpu' : / cuda /.test(fact) ? 'cuda' : undefined;
}

/** The engine for a `-device` of the original: CUDA if that works, unless the device is the CPU; else the fastest engine of the CPU. */
export function chooseDeviceEngine(device: string, options: EngineOptions = {}): Promise<Engine> {
  if (device === 'cpu') return openFirst(preferences.auto, options, '-device cpu');
  return openFirst(['cuda', ...preferences.auto], options);
}

async function openFirst(
  names: readonly ImplementationName[],
  options: EngineOptions,
  reason?: string,
  otherwise = 'Or choose another engine: `auto` takes the fastest there is.',
): Promise<Engine> {
  const missing: string[] = [];
  let advice = '';
  const isAsked = names.length === 1;
  for (const name of names) {
    const { title, locate, decline } = implementations[name];
    const located = await locate(options);
    // An engine that was asked for says itself what it cannot do.
    const declined =
      isAsked || options.workload === undefined || !('open' in located)
        ? undefined
        : await decline?.(options.workload, options);
    if (declined !== undefined) {
      missing.push(`no ${title}: ${declined}`);
      continue;
    }
    const why = [...(reason === undefined ? [] : [reason]), ...missing].join('; ');
    const found = 'open' in located ? await located.open(why) : located;
    if ('description' in found) return found;
    missing.push(`no ${title}: ${found.reason}`);
    advice = `${found.fix ?? ''} `.trimStart();
  }
  throw new ReproError('engine-unavailable', `There is ${missing.join('; ')}.`, {
    fix: `${advice}${otherwise}`,
  });
}

/**
 * Identifies what `chooseEngine(choice)` picks here, as far as it affects numbers: `native 0123456789ab avx512 GCC 12.4.0`, `tfjs 4.22.0 cpu`,
 * or the GPU's model. If the first engine may decline a network, which is not known here, the next is named, too: `wasm …, or
 * tfjs 4.22.0 cpu`. It is quick: it opens no engine, and what slow probes find is kept.
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

/** The engines for this machine: those of the CPU, best last, then those of GPUs. */
export async function probeEngines(options: EngineOptions = {}): Promise<EngineFinding[]> {
  const findings: EngineFinding[] = [];
  for (const implementation of ['tfjs-cpu', 'wasm', 'native', 'webgpu', 'cuda'] as const) {
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
