import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { writeFileAtomic } from '../../../base/files/atomic-file.ts';
import { type CudaProbe, cudaPackage, probeCuda } from '../tfjs/cuda.ts';
import { findAdapter, type GpuOptions } from '../webgpu/adapters.ts';

/** What identifies engines. */
export interface IdentitySources {
  /** Where the packages are. */
  readonly projectRoot: string;
  /** Where the result of a slow probe is kept. */
  readonly cacheFolder: string;
  /** The sha256 of a file. */
  readonly digestFile: (file: string) => Promise<string>;
}

/** `tfjs 4.22.0`, without loading it. */
export async function identifyTfjs(projectRoot: string): Promise<string> {
  const require = createRequire(path.join(projectRoot, 'package.json'));
  return `tfjs ${await packageVersion(require.resolve('@tensorflow/tfjs-core/package.json'))}`;
}

/** `tfjs 4.22.0 cuda 4.22.0 <model>`, with the version of each package; undefined if CUDA does not work here. */
export async function identifyCuda({
  projectRoot,
  cacheFolder,
  probe = probeCuda,
}: Omit<IdentitySources, 'digestFile'> & {
  readonly probe?: (() => Promise<CudaProbe>) | undefined;
}): Promise<string | undefined> {
  const installed = await findInstalled(projectRoot, cudaPackage);
  if (installed === undefined) return undefined;
  const nvidia = await readFile('/proc/driver/nvidia/version', 'utf8').catch(() => null);
  const { CUDA_VISIBLE_DEVICES = null, LD_LIBRARY_PATH = null } = process.env;
  // Nodes of a cluster share the folder.
  const key = [os.hostname(), ...installed, nvidia, process.version, CUDA_VISIBLE_DEVICES, LD_LIBRARY_PATH];
  const gpu = await remember(path.join(cacheFolder, 'engine.json'), key, async () =>
    (await probe()).usable ? await gpuModel() : null,
  );
  return gpu === null ? undefined : `${await identifyTfjs(projectRoot)} cuda ${installed[0]} ${gpu}`;
}

/** `webgpu <digest of the kernels> 0.6.2 <name>, <driver>`; undefined if there is no such GPU. */
export async function identifyWebgpu(options: GpuOptions): Promise<string | undefined> {
  const found = await findAdapter(options);
  if (!found.ok) return undefined;
  const { kernelDigest } = await import('../webgpu/plan.ts');
  return `webgpu ${kernelDigest()} ${found.adapter.identity}`;
}

/** Version and time of a package; undefined if it is not installed. */
async function findInstalled(projectRoot: string, name: string): Promise<readonly unknown[] | undefined> {
  try {
    const file = createRequire(path.join(projectRoot, 'package.json')).resolve(`${name}/package.json`);
    return [await packageVersion(file), (await stat(file)).mtimeMs];
  } catch {
    return undefined;
  }
}

/** What an earlier call with this key found, or what `find` finds now, which is kept unless it is undefined. */
export async function remember<T>(file: string, key: readonly unknown[], find: () => Promise<T>): Promise<T> {
  const text = JSON.stringify(key);
  try {
    const known = JSON.parse(await readFile(file, 'utf8')) as { readonly key: string; readonly found: T };
    if (known.key === text) return known.found;
  } catch {
    // It is damaged, or was never written.
  }
  const found = await find();
  if (found !== undefined) await writeFileAtomic(file, JSON.stringify({ key: text, found }));
  return found;
}

async function packageVersion(file: string): Promise<string> {
  const { version }: { version: unknown } = JSON.parse(await readFile(file, 'utf8'));
  return String(version);
}

/** The model of the first GPU, according to its Linux driver. */
async function gpuModel(): Promise<string> {
  const folder = '/proc/driver/nvidia/gpus';
  const [first] = (await readdir(folder).catch(() => [])).sort();
  if (first === undefined) return 'unknown';
  const text = await readFile(path.join(folder, first, 'information'), 'utf8').catch(() => '');
  return /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? 'unknown';
}
