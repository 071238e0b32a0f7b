import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { sharedTemporaryFolder, temporaryFolder } from '../../../support/temporary-folder.ts';

const repository = path.resolve(import.meta.dirname, '../../../..');

interface Toolchain {
  missingTools(environment: NodeJS.ProcessEnv, platform: string): string[];
  describeMissing(missing: readonly string[], environment: NodeJS.ProcessEnv, platform: string): string;
  explainBuildLog(text: string): string | null;
  compilerVariables(environment: NodeJS.ProcessEnv, platform: string): Record<string, string>;
}

const folder = sharedTemporaryFolder();
/** A folder of programs that do nothing. */
let programs: string;

beforeEach(async () => {
  programs = path.join(folder, 'bin');
  await rm(programs, { recursive: true, force: true });
  await mkdir(programs);
});

async function addPrograms(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await writeFile(path.join(programs, name), '#!/bin/sh\nexit 1\n');
    await chmod(path.join(programs, name), 0o755);
  }
}

const load = async (): Promise<Toolchain> =>
  import(path.join(repository, 'native/scripts/toolchain.mjs')) as Promise<Toolchain>;

describe('the tools that compile the addon', () => {
  it('are named if they are missing, with what installs them', async () => {
    const { missingTools, describeMissing } = await load();
    await addPrograms('apt-get', 'make');
    const here = { PATH: programs };
    expect(missingTools(here, 'linux')).toEqual(['a C++ compiler', 'Python 3']);
    expect(describeMissing(missingTools(here, 'linux'), here, 'linux')).toBe(
      'a C++ compiler and Python 3 are missing. Run `apt install g++ make python3`, then `npm run build:native`.',
    );
    expect(describeMissing(['make'], here, 'darwin')).toBe(
      'make is missing. Run `xcode-select --install`, then `npm run build:native`.',
    );
    expect(describeMissing(['make'], {}, 'linux')).toBe(
      'make is missing. Install it, then `npm run build:native`.',
    );
  });

  it('may be Clang, or whatever the variables name', async () => {
    const { missingTools, compilerVariables } = await load();
    await addPrograms('clang++', 'make', 'python3');
    expect(missingTools({ PATH: programs }, 'linux')).toEqual([]);
    expect(compilerVariables({ PATH: programs }, 'linux')).toEqual({ CC: 'clang', CXX: 'clang++' });
    expect(compilerVariables({ PATH: programs, CXX: 'icpx' }, 'linux')).toEqual({});
    await addPrograms('g++');
    expect(compilerVariables({ PATH: programs }, 'linux')).toEqual({});
  });
});

describe('the reason for a failed compilation', () => {
  it('names the download that failed, where the machine has no network', async () => {
    const { explainBuildLog } = await load();
    const log = [
      'gyp http GET https://nodejs.org/download/release/v26.0.0/node-v26.0.0-headers.tar.gz',
      'gyp WARN install got an error, rolling back install',
      'gyp ERR! stack Error: This is most likely not a problem with node-gyp or the package itself and',
      'gyp ERR! stack is related to network connectivity. In most cases you are behind a proxy or have bad',
    ];
    expect(explainBuildLog(log.join('\n'))).toBe(
      'the headers of Node.js could not be downloaded: https://nodejs.org/download/release/v26.0.0/node-v26.0.0-headers.tar.gz',
    );
  });
});

describe.runIf(process.platform === 'linux')('install.mjs', () => {
  /** The package without its sources, and with an addon that is not one. */
  async function copyPackage(addon?: string): Promise<string> {
    const copy = await temporaryFolder();
    for (const name of ['package.json', 'install.mjs', 'scripts', 'binding.gyp']) {
      await cp(path.join(repository, 'native', name), path.join(copy, name), { recursive: true });
    }
    await mkdir(path.join(copy, 'src'));
    await writeFile(path.join(copy, 'src/one.cc'), 'not C++\n');
    await symlink(path.join(repository, 'node_modules'), path.join(copy, 'node_modules'));
    if (addon !== undefined) await writeFile(path.join(copy, 'index.cjs'), addon);
    return copy;
  }

  async function install(
    copy: string,
    words: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number; stdout: string }> {
    const env = { PATH: programs, ...environment };
    return promisify(execFile)(process.execPath, ['install.mjs', ...words], { cwd: copy, env }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
    );
  }

  const missing =
    'native engine: not compiled: a C++ compiler, make and Python 3 are missing. Install them, then `npm run build:native`.';

  const slower =
    ' The same engine computes in WebAssembly: each training uses one core, and takes about three times as long on it.\n';

  it.each<[string, readonly string[], NodeJS.ProcessEnv, number, string]>([
    ['succeeds without a compiler, saying what is missing', [], {}, 0, `${missing}${slower}`],
    ['fails without a compiler if the addon is required', ['--required'], {}, 1, `${missing}\n`],
    [
      'can be told to do nothing',
      ...([[], { PLIF_NATIVE: 'skip' }, 0] as const),
      `native engine: skipped, as PLIF_NATIVE=skip asks.${slower}`,
    ],
  ])('%s', async (_, words, environment, code, stdout) => {
    expect(await install(await copyPackage(), words, environment)).toEqual({ code, stdout });
  });

  it('does not compile again what was compiled from the same sources', async () => {
    const copy = await copyPackage();
    const { stdout: digest } = await promisify(execFile)(process.execPath, ['scripts/source-digest.cjs'], {
      cwd: copy,
    });
    const addon = (of: string) =>
      `module.exports = { sourceDigest: '${of}', compiler: 'GCC 12', instructionSets: ['baseline', 'avx2'] };`;
    await writeFile(path.join(copy, 'index.cjs'), addon(digest));
    expect(await install(copy)).toEqual({ code: 0, stdout: 'native engine: ready (baseline, avx2)\n' });
    await writeFile(path.join(copy, 'src/one.cc'), 'other C++\n');
    const stays = `${missing} The earlier build stays in use.\n`;
    expect(await install(copy)).toEqual({ code: 0, stdout: stays });
    expect(await install(copy, ['--required'])).toEqual({ code: 1, stdout: stays });
  });

  it('deletes a build that crashes when it is loaded, so that other commands do not', async () => {
    const copy = await copyPackage("process.kill(process.pid, 'SIGILL');");
    const file = path.join(copy, 'build/Release/plif_native.node');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '');
    await install(copy, [], { PLIF_NATIVE: 'skip' });
    await access(file);
    expect(await install(copy)).toEqual({
      code: 0,
      stdout: missing
        .replace(
          'engine: ',
          'engine: the earlier build crashes when it is loaded (SIGILL), and was deleted; now ',
        )
        .concat(slower),
    });
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('refuses a build that was cut short, which would end Node.js', async () => {
    const copy = await copyPackage(await readFile(path.join(repository, 'native/index.cjs'), 'utf8'));
    const file = path.join(copy, 'build/Release/plif_native.node');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'half');
    await writeFile(`${file}.size`, '8');
    await expect(
      promisify(execFile)(process.execPath, ['-e', 'require("./index.cjs")'], { cwd: copy }),
    ).rejects.toThrow(`${file} is damaged: it has 4 bytes instead of 8`);
  });

  it('survives a compiler that fails, keeping its output', async () => {
    await addPrograms('g++', 'make', 'python3');
    const copy = await copyPackage();
    const { code, stdout } = await install(copy);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^native engine: compiling for \S+, which takes up to a minute …\n/);
    expect(stdout).toMatch(
      /compiling it failed \(.+\); the whole output is in build\/build\.log\. The same engine/,
    );
    expect(await readFile(path.join(copy, 'build/build.log'), 'utf8')).toContain('gyp');
  });
});
