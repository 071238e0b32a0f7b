import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type CudaProbe, cudaPackage, probeCuda } from '../tfjs/cuda.ts';
import {
  findAdapter,
  type GpuOptions,
  type ListedAdapters,
  listAdapters,
  webgpuPackage,
} from '../webgpu/adapters.ts';

/** What identifies engines. */
export interface IdentitySources {
  /** Where the packages are. */
  readonly projectRoot: string;
  /** Where the results of slow probes are kept. */
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
  const { CUDA_VISIBLE_DEVICES = null, LD_LIBRARY_PATH = null } = process.env;
  const key = [...installed, await nvidiaDriver(), process.version, CUDA_VISIBLE_DEVICES, LD_LIBRARY_PATH];
  const gpu = await remember(path.join(cacheFolder, 'engine.json'), key, async () =>
    (await probe()).usable ? await gpuModel() : null,
  );
  return gpu === null ? undefined : `${await identifyTfjs(projectRoot)} cuda ${installed[0]} ${gpu}`;
}

/**
 * `webgpu <digest of the kernels> 0.6.2 <name>, <driver>`; undefined if there is no such GPU. What was listed is kept until package, system, drivers or the
 * variables that choose among drivers change.
 */
export async function identifyWebgpu({
  projectRoot,
  cacheFolder,
  ...options
}: Omit<IdentitySources, 'digestFile'> & GpuOptions): Promise<string | undefined> {
  const installed = await findInstalled(projectRoot, webgpuPackage);
  if (installed === undefined) return undefined;
  const list = async (): Promise<ListedAdapters> => {
    const { VK_DRIVER_FILES = null, VK_ICD_FILENAMES = null } = process.env;
    const drivers = await Promise.all(['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].map(listFolder));
    const key = [
      ...installed,
      os.release(),
      await nvidiaDriver(),
      ...drivers,
      VK_DRIVER_FILES,
      VK_ICD_FILENAMES,
    ];
    return remember(
      path.join(cacheFolder, 'gpus.json'),
      key,
      options.listGpus ?? (() => listAdapters(options.gpuSystem)),
      // What is missing may be installed without a trace in the key.
      ({ ok }) => ok,
    );
  };
  const found = await findAdapter({ ...options, listGpus: list });
  if (!found.ok) return undefined;
  const { kernelDigest } = await import('../webgpu/kernel-digest.ts');
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

/** What an earlier call with this key found, or what `find` finds now. */
async function remember<T>(
  file: string,
  key: readonly unknown[],
  find: () => Promise<T>,
  isKept: (found: T) => boolean = () => true,
): Promise<T> {
  // Nodes of a cluster share the folder.
  const text = JSON.stringify([os.hostname(), ...key]);
  try {
    const known = JSON.parse(await readFile(file, 'utf8')) as { readonly key: string; readonly found: T };
    if (known.key === text) return known.found;
  } catch {
    // It is damaged, or was never written.
  }
  const found = await find();
  if (!isKept(found)) return found;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, JSON.stringify({ key: text, found }));
  await rename(`${file}.${process.pid}`, file);
  return found;
}

async function packageVersion(file: string): Promise<string> {
  const { version }: { version: unknown } = JSON.parse(await readFile(file, 'utf8'));
  return String(version);
}

function nvidiaDriver(): Promise<string | null> {
  return readFile('/proc/driver/nvidia/version', 'utf8').catch(() => null);
}

/** The names in a folder, with the times of the files. */
async function listFolder(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const times = names.map(async (name) => `${name} ${(await stat(path.join(folder, name))).mtimeMs}`);
  return Promise.all(times);
}

/** The model of the first GPU, according to its Linux driver. */
async function gpuModel(): Promise<string> {
  const folder = '/proc/driver/nvidia/gpus';
  const [first] = (await readdir(folder).catch(() => [])).sort();
  if (first === undefined) return 'unknown';
  const text = await readFile(path.join(folder, first, 'information'), 'utf8').catch(() => '');
  return /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? 'unknown';
}
