import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import type { EngineChoice } from '../engine.ts';
import { type LoadedAddon, loadAddon } from '../native/addon.ts';
import { chooseArithmetic, identifyBuild } from '../native/arithmetic.ts';
import { type CudaProbe, cudaPackage } from '../tfjs/cuda.ts';

interface IdentityOptions {
  readonly projectRoot: string;
  /** Where to cache the result of a slow probe. */
  readonly cacheFolder: string;
  readonly probe?: () => Promise<CudaProbe>;
  readonly load?: () => LoadedAddon;
  /** Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Identifies what `chooseEngine(choice)` picks here, as far as it affects numbers: `native 0123456789ab avx512 GCC 12.4.0`, `tfjs 4.22.0 cpu`, or with
 * CUDA the GPU's model.
 *
 * It is quick: without the CUDA package it does not load tfjs, and with it, the probe's result is cached until package, driver, Node or the
 * visible devices change. The CPU kernels of tfjs give the same bits on every processor. The native engine does so with the same
 * instruction set, sources and compiler, apart from what the C library computes (exponentials, logarithms), and for any number of
 * threads. So neither processor nor threads are part of the identity.
 *
 * @throws {ReproError} if `REPRO_ISA` or `REPRO_WINOGRAD` is set to something impossible
 */
export async function identifyEngine(choice: EngineChoice, options: IdentityOptions): Promise<string> {
  const native = (): string | undefined => identifyNative(options);
  // An explicit choice that is not available fails in the stage, with advice.
  if (choice === 'native') return native() ?? 'native, unavailable';
  const require = createRequire(path.join(options.projectRoot, 'package.json'));
  const version = await packageVersion(require.resolve('@tensorflow/tfjs-core/package.json'));
  const onCpu = `tfjs ${version} cpu`;
  if (choice === 'tfjs-cpu') return onCpu;
  const onCuda = await identifyCuda(require, version, options);
  if (onCuda !== undefined) return onCuda;
  return choice === 'auto' ? (native() ?? onCpu) : onCpu;
}

function identifyNative({ load = loadAddon, environment }: IdentityOptions): string | undefined {
  const loaded = load();
  if (!loaded.ok) return undefined;
  const { addon } = loaded;
  return `native ${identifyBuild(addon, chooseArithmetic(addon.instructionSets, environment))}`;
}

/** `tfjs 4.22.0 cuda <model>`; undefined if CUDA does not work here. */
async function identifyCuda(
  require: NodeJS.Require,
  version: string,
  { cacheFolder, probe = async () => (await import('../tfjs/cuda.ts')).probeCuda() }: IdentityOptions,
): Promise<string | undefined> {
  const cuda = resolveOptional(require, `${cudaPackage}/package.json`);
  if (cuda === undefined) return undefined;
  const file = path.join(cacheFolder, 'engine.json');
  const key = JSON.stringify([
    await packageVersion(cuda),
    (await stat(cuda)).mtimeMs,
    await readOptional('/proc/driver/nvidia/version'),
    process.version,
    process.env.CUDA_VISIBLE_DEVICES ?? null,
    process.env.LD_LIBRARY_PATH ?? null,
  ]);
  const known = await readKnown(file);
  let gpu = known?.gpu ?? null;
  if (known?.key !== key) {
    gpu = (await probe()).usable ? await gpuModel() : null;
    await mkdir(cacheFolder, { recursive: true });
    await writeFile(`${file}.${process.pid}`, JSON.stringify({ key, gpu }));
    await rename(`${file}.${process.pid}`, file);
  }
  return gpu === null ? undefined : `tfjs ${version} cuda ${gpu}`;
}

function resolveOptional(require: NodeJS.Require, request: string): string | undefined {
  try {
    return require.resolve(request);
  } catch {
    return undefined;
  }
}

async function packageVersion(file: string): Promise<string> {
  const { version }: { version: unknown } = JSON.parse(await readFile(file, 'utf8'));
  return String(version);
}

async function readOptional(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}

/** An unreadable cache is a cache miss. */
async function readKnown(file: string): Promise<{ key: unknown; gpu: string | null } | undefined> {
  try {
    const known: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof known !== 'object' || known === null || !('key' in known) || !('gpu' in known))
      return undefined;
    const { key, gpu } = known;
    return typeof gpu === 'string' || gpu === null ? { key, gpu } : undefined;
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
