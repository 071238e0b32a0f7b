import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { type CudaProbe, cudaPackage } from './tfjs/cuda.ts';

export interface IdentityOptions {
  readonly projectRoot: string;
  /** Where to cache the result of a slow probe. */
  readonly cacheFolder: string;
}

/**
 * Identifies what `chooseEngine('auto')` picks here, as far as it affects numbers: `tfjs 4.22.0 cpu`, or with CUDA the GPU's model.
 *
 * It is quick: without the CUDA package it does not load tfjs, and with it, the probe's result is cached until package, driver, Node or the
 * visible devices change. The CPU kernels give the same bits on every processor, so the processor is not part of it.
 */
export async function identifyEngine(
  { projectRoot, cacheFolder }: IdentityOptions,
  probe: () => Promise<CudaProbe> = async () => (await import('./tfjs/cuda.ts')).probeCuda(),
): Promise<string> {
  const require = createRequire(path.join(projectRoot, 'package.json'));
  const version = await packageVersion(require.resolve('@tensorflow/tfjs-core/package.json'));
  const onCpu = `tfjs ${version} cpu`;
  const cuda = resolveOptional(require, `${cudaPackage}/package.json`);
  if (cuda === undefined) return onCpu;

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
  if (known?.key === key) return known.identity;
  const { usable } = await probe();
  const identity = usable ? `tfjs ${version} cuda ${await gpuModel()}` : onCpu;
  await mkdir(cacheFolder, { recursive: true });
  await writeFile(`${file}.${process.pid}`, JSON.stringify({ key, identity }));
  await rename(`${file}.${process.pid}`, file);
  return identity;
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
async function readKnown(file: string): Promise<{ key: unknown; identity: string } | undefined> {
  try {
    const known: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof known !== 'object' || known === null || !('key' in known) || !('identity' in known))
      return undefined;
    return typeof known.identity === 'string' ? { key: known.key, identity: known.identity } : undefined;
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
