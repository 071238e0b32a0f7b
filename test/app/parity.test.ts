import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = path.resolve(import.meta.dirname, '../..');
const golden = path.join(root, 'test/golden');

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

const environment = { NO_COLOR: '1', CI: 'true', FORCE_COLOR: undefined };

function parity(...words: readonly string[]) {
  return execa(process.execPath, [path.join(root, 'bin/repro.js'), 'parity', ...words], {
    cwd: folder,
    reject: false,
    env: environment,
  });
}

/** Copies a case of test/golden into the folder, with a changed description. */
async function copyCase(name: string, change: Record<string, unknown> = {}): Promise<void> {
  const { cases } = JSON.parse(await fs.readFile(path.join(golden, 'index.json'), 'utf8'));
  await fs.copyFile(path.join(golden, `${name}.safetensors`), path.join(folder, `${name}.safetensors`));
  await fs.writeFile(
    path.join(folder, 'index.json'),
    JSON.stringify({ cases: { [name]: { ...cases[name], ...change } } }),
  );
}

describe('repro parity', () => {
  test('prints a table, the engine and the totals, and exits with 0 if everything matches', async () => {
    await copyCase('plif_00');
    const { exitCode, stdout, stderr } = await parity('.');
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^case +compared +values +abs\. error +rel\. error +of tolerance +result$/);
    expect(lines[1]).toMatch(/^plif_00 +spikes +720 +0 +0 +exact +pass$/);
    expect(lines.at(-2)).toMatch(/^(native|wasm|tfjs) .* on /);
    expect(lines.at(-1)).toBe('1 case, 4 comparisons, 2,161 values: all pass');
  });

  test('exits with 1 if something differs, and shows where', async () => {
    await copyCase('plif_00', { v_threshold: 1.5 });
    const { exitCode, stdout } = await parity('.', '--engine', 'tfjs-cpu');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/FAIL\n {4}worst: spikes\[\d.*\]: the folder has 1, this program computes 0/);
    expect(stdout).toContain('docs/parity.md');
    expect(stdout).toMatch(/1 case FAILED, in 4 comparisons$/);
  });

  test('prints one JSON document with --json', async () => {
    await copyCase('lif_00', { plastic: true });
    const { exitCode, stdout } = await parity(folder, '--engine', 'wasm', '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      command: 'parity',
      folder,
      engine: { name: 'wasm' },
      passed: false,
      cases: [{ name: 'lif_00', comparisons: [{ reason: expect.stringContaining('plastic') }] }],
    });
  });

  test('runs only the named cases', async () => {
    const { stdout, exitCode } = await parity(golden, '--case', 'rng', '--case', 'cosine_lr_T_max_64');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/2 cases, 10 comparisons, .* all pass$/);
  });

  test('exits with 1 if the list of cases cannot be read, whichever were requested', async () => {
    await fs.writeFile(path.join(folder, 'index.json'), '{');
    const { exitCode, stdout } = await parity('.', '--case', 'plif_00');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('index.json is not JSON');
  });

  test('rejects with 2 what cannot be run', async () => {
    const refused: [string[], string | RegExp][] = [
      [['nowhere'], 'this folder does not exist'],
      [['.'], 'this folder has no index.json'],
      [
        [golden, '--engine', 'torch'],
        'this version has no engine "torch".\n  It has auto, webgpu, native, wasm, tfjs, tfjs-cpu.',
      ],
      [[golden, '--case', 'plif_99'], /^index\.json has no case "plif_99"\.\n {2}Closest: "plif_0\d"/],
    ];
    for (const [words, text] of refused) {
      const { exitCode, stderr } = await parity(...words);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(text);
    }
    expect((await parity()).exitCode).toBe(2);
  });
});
