import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { firstLineOf, messageOf } from '../../../base/errors.ts';

const webgpuPackage = 'webgpu';

/** What the engine may need more of than WebGPU guarantees; a device gets as much as its adapter has. */
const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

/** A GPU as WebGPU lists it, or a program that computes on the CPU in its place. */
export interface Adapter {
  /** In the words of its driver: `NVIDIA GeForce RTX 4090`. */
  readonly name: string;
  /** The driver with its version. */
  readonly driver: string;
  readonly isSoftware: boolean;
  /** In bytes, and in threads of a workgroup. */
  readonly limits: Readonly<Record<(typeof limitNames)[number], number>>;
  /** Whatever may change numbers: the package's version, name and driver. */
  readonly identity: string;
}

/** Why there is no GPU: a sentence without a full stop, and what helps. */
interface NoGpu {
  readonly ok: false;
  readonly reason: string;
  /** Null if nothing helps. */
  readonly fix: string | null;
}

/** Hardware first, and what WebGPU takes for fastest before the rest; never empty. */
export type ListedAdapters = { readonly ok: true; readonly adapters: readonly Adapter[] } | NoGpu;

export interface Gpu extends Adapter {
  readonly device: GPUDevice;
}

type OpenedGpu = { readonly ok: true; readonly gpu: Gpu } | NoGpu;

/** Where GPUs are looked for, which tests replace. */
export interface GpuSystem {
  /** `linux-x64`. */
  readonly platform: string;
  /** Imports the package; rejects if it is not there or does not load. */
  readonly load: () => Promise<{ readonly version: string; create(options: string[]): GPU }>;
}

const thisSystem: GpuSystem = {
  platform: `${process.platform}-${process.arch}`,
  load: async () => {
    const file = createRequire(import.meta.url).resolve(`${webgpuPackage}/package.json`);
    const { version } = JSON.parse(await readFile(file, 'utf8'));
    // As text: another version of the package makes only those trainings stale that it computes, by their engine.
    const { create } = await import(webgpuPackage as string);
    return { version, create };
  },
};

const drivers =
  'Install the Vulkan loader and the GPU’s driver (Debian: `libvulkan1`; NVIDIA’s own driver, or `mesa-vulkan-drivers` for AMD and Intel). ' +
  'A container needs the GPU with the capability `graphics`. docs/engines.md.';
const driverAdvice = (platform: string): string | null => (platform.startsWith('linux') ? drivers : null);

/** All adapters of this machine. It never rejects: a machine without a GPU is a result, not an error. */
export async function listAdapters(system: GpuSystem = thisSystem): Promise<ListedAdapters> {
  let found: Awaited<ReturnType<GpuSystem['load']>>;
  try {
    found = await system.load();
  } catch (error) {
    return explainLoad(error, system.platform);
  }
  const { version, create } = found;
  try {
    const adapters: Adapter[] = [];
    for (const name of await listNames(create)) {
      const adapter = await requestAdapter(create, name);
      if (adapter !== null) adapters.push(describeAdapter(name, adapter, version));
    }
    if (adapters.length === 0)
      return { ok: false, reason: 'WebGPU finds no GPU', fix: driverAdvice(system.platform) };
    return { ok: true, adapters: adapters.sort((a, b) => Number(a.isSoftware) - Number(b.isSoftware)) };
  } catch (error) {
    const fix = driverAdvice(system.platform);
    return { ok: false, reason: `WebGPU cannot list GPUs (${firstLineOf(error)})`, fix };
  }
}

const gpuVariable = 'REPRO_GPU';

/** Whether there may be a GPU, or `REPRO_GPU` names one: by names of drivers' files, so that a machine without one starts nothing. */
export function mayHaveGpu(environment = process.env, platform: string = process.platform, devices = '/dev') {
  const files = ['dri/renderD128', 'nvidiactl', 'dxg'].map((name) => path.join(devices, name));
  return platform === 'darwin' || (environment[gpuVariable] ?? '') !== '' || files.some(existsSync);
}

export interface GpuOptions {
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly gpuSystem?: GpuSystem | undefined;
  /** Lists in another way, such as in another process. */
  readonly listGpus?: (() => Promise<ListedAdapters>) | undefined;
}

/** The adapter to compute on: the first whose name contains what `REPRO_GPU` says, else the first that is hardware. */
export async function findAdapter({
  environment = process.env,
  gpuSystem = thisSystem,
  listGpus = () => listAdapters(gpuSystem),
}: GpuOptions): Promise<{ readonly ok: true; readonly adapter: Adapter } | NoGpu> {
  const wanted = environment[gpuVariable]?.trim() ?? '';
  const listed = await listGpus();
  if (!listed.ok) return listed;
  const { adapters } = listed;
  const adapter =
    wanted === ''
      ? adapters.find(({ isSoftware }) => !isSoftware)
      : adapters.find(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  if (adapter !== undefined) return { ok: true, adapter };
  const names = adapters.map(({ name }) => name);
  if (wanted !== '') {
    return {
      ok: false,
      reason: `no GPU is called ${gpuVariable}=${wanted}`,
      fix: `Set it to a part of one of these names: ${names.join(', ')}.`,
    };
  }
  const [name = ''] = names;
  const how = `${gpuVariable}=${name.split(' ')[0]} computes on it, more slowly than the other engines.`;
  return {
    ok: false,
    reason: `there is only ${name}, which is software`,
    fix: [driverAdvice(gpuSystem.platform), how].filter((text) => text !== null).join(' '),
  };
}

/** The device of this process: each has memory and compiled kernels of its own. */
let opened: { readonly name: string; readonly gpu: Promise<OpenedGpu> } | undefined;

/** Opens a listed adapter's device; a later call for the same adapter gets the same, unless it was lost. */
export function openGpu(adapter: Adapter, system: GpuSystem = thisSystem): Promise<OpenedGpu> {
  if (opened?.name !== adapter.name) opened = { name: adapter.name, gpu: openDevice(adapter, system) };
  return opened.gpu;
}

async function openDevice(adapter: Adapter, { load, platform }: GpuSystem): Promise<OpenedGpu> {
  try {
    const { create } = await load();
    const found = await requestAdapter(create, adapter.name);
    if (found === null) throw new Error('it is gone');
    const device = await found.requestDevice({ requiredLimits: { ...adapter.limits } });
    const forget = (): void => {
      if (opened?.name === adapter.name) opened = undefined;
    };
    void device.lost.then(forget, forget);
    return { ok: true, gpu: { ...adapter, device } };
  } catch (error) {
    opened = undefined;
    return {
      ok: false,
      reason: `${adapter.name} cannot be opened (${firstLineOf(error)})`,
      fix: driverAdvice(platform),
    };
  }
}

/** Whatever comes from one of these crashes the process if it is collected before. They do not keep Node.js from ending. */
const kept: GPU[] = [];

function requestAdapter(create: (options: string[]) => GPU, name: string): Promise<GPUAdapter | null> {
  const gpu = create([`adapter=${name}`]);
  kept.push(gpu);
  return gpu.requestAdapter({ powerPreference: 'high-performance' });
}

/** Dawn names its adapters only when it is asked for one that it does not have. */
async function listNames(create: (options: string[]) => GPU): Promise<readonly string[]> {
  try {
    await requestAdapter(create, '(none)');
    return [];
  } catch (error) {
    const text = messageOf(error);
    const names = [...text.matchAll(/^ \* backend: '.*', name: '(.*)'$/gm)].map(([, name = '']) => name);
    if (names.length === 0) throw error;
    // Of several with one name, only the first can be had.
    return [...new Set(names)];
  }
}

function describeAdapter(name: string, { info, limits }: GPUAdapter, version: string): Adapter {
  const { description: driver, isFallbackAdapter: isSoftware } = info;
  const found = Object.fromEntries(limitNames.map((limit) => [limit, limits[limit]]));
  return {
    ...{ name, driver, isSoftware, limits: found as Adapter['limits'] },
    identity: `${version} ${name}, ${driver}`,
  };
}

const libraries =
  'It needs the C libraries of Debian 12, Ubuntu 22.04, Fedora 36 or later: glibc 2.34 and GLIBCXX_3.4.30. A container with one of them has them.';

function explainLoad(error: unknown, platform: string): NoGpu {
  const text = messageOf(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'MODULE_NOT_FOUND' && text.includes('dawn.node')) {
    return { ok: false, reason: `the package ${webgpuPackage} does not exist for ${platform}`, fix: null };
  }
  if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') {
    return {
      ok: false,
      reason: `the package ${webgpuPackage} is not installed`,
      fix: 'Run `npm ci`, without `--omit=optional`.',
    };
  }
  const [needed] = /GLIBC(?:XX)?_[\d.]+/.exec(text) ?? [];
  if (needed !== undefined) {
    return {
      ok: false,
      reason: `the package ${webgpuPackage} needs newer C libraries (${needed})`,
      fix: libraries,
    };
  }
  return {
    ok: false,
    reason: `the package ${webgpuPackage} does not load (${firstLineOf(error)})`,
    fix: platform.startsWith('linux') ? `Run \`npm ci\` again. ${libraries}` : 'Run `npm ci` again.',
  };
}
