import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadCheckpoint } from '../../src/checkpoints/loaded-checkpoint.ts';
import { recoverFolder, writeWholeFolder } from '../../src/checkpoints/whole-output.ts';
import { hasErrorCode } from '../../src/errors.ts';
import { compileProgram } from '../support/programs.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';
import { torchFixturePath } from '../support/torch-file.ts';

const root = sharedTemporaryFolder();
let script: string;
beforeAll(async () => {
  script = await compileProgram('test/checkpoints/killed-writer.ts');
});

type Content = Readonly<Record<string, string>> | string | null;

const older = { state: 'old state', network: 'old network' };
const newer = { state: 'new state', curves: 'new curves' };

async function put(target: string, content: Content): Promise<void> {
  if (typeof content === 'string') await writeFile(target, content);
  else if (content !== null) {
    await mkdir(target);
    for (const [name, text] of Object.entries(content)) await writeFile(path.join(target, name), text);
  }
}

/** What is at the target; null if nothing is. */
async function look(target: string): Promise<Content> {
  try {
    const names = await readdir(target);
    const read = async (name: string) => [name, await readFile(path.join(target, name), 'utf8')];
    return Object.fromEntries(await Promise.all(names.map(read)));
  } catch (error) {
    if (hasErrorCode(error, 'ENOTDIR')) return readFile(target, 'utf8');
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Kills one writer before each of its steps, each time with another target that holds `before`. */
async function killEverywhere(
  kind: 'file' | 'folder',
  name: string,
  before: Content,
): Promise<{ target: string; after: Content }[]> {
  const killed: { target: string; after: Content }[] = [];
  for (let step = 0; ; step++) {
    const folder = path.join(root, `${name}-${step}`);
    const target = path.join(folder, 'a');
    await mkdir(folder);
    await put(target, before);
    const { signal, stderr } = spawnSync(process.execPath, [script, kind, target, String(step)], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    if (signal === null) {
      expect(await readdir(folder)).toEqual(['a']);
      return killed;
    }
    expect(signal).toBe('SIGKILL');
    const visible = (await readdir(folder)).filter((one) => !one.startsWith('.'));
    const after = await look(target);
    expect(visible).toEqual(after === null ? [] : ['a']);
    killed.push({ target, after });
  }
}

describe('a writer that is killed', () => {
  test('leaves the old file or the new one', async () => {
    const killed = await killEverywhere('file', 'file', 'old content');
    const contents = killed.map(({ after }) => after);
    expect([...new Set(contents)]).toEqual(['old content', 'new content']);
    expect(killed.length).toBeGreaterThan(3);
  });

  test('leaves no folder or the new one, if there was none', async () => {
    const killed = await killEverywhere('folder', 'new', null);
    for (const { after } of killed) expect([null, newer]).toContainEqual(after);
    expect(killed.at(-1)?.after).toEqual(newer);
    expect(killed.length).toBeGreaterThan(5);
  });

  test('leaves the old folder, the new one, or for a moment none, and then the old one comes back', async () => {
    const killed = await killEverywhere('folder', 'old', older);
    const seen = killed.map(({ after }) => after);
    for (const after of [older, null, newer]) expect(seen).toContainEqual(after);
    for (const { target, after } of killed) {
      await recoverFolder(target);
      expect(await look(target)).toEqual(after ?? older);
      expect(await readdir(path.dirname(target))).not.toContain('.a.replaced');
    }
  });

  test('is followed by one that succeeds', async () => {
    for (const { target } of await killEverywhere('folder', 'again', older)) {
      await writeWholeFolder(target, new Map(Object.entries(newer)), {
        force: true,
        known: ['state', 'network', 'curves'],
      });
      expect(await look(target)).toEqual(newer);
      expect(await readdir(path.dirname(target))).not.toContain('.a.replaced');
    }
  });
});

test('a folder whose replacement was killed is found when it is loaded', async () => {
  const folder = path.join(root, 'imported');
  await mkdir(path.join(root, '.imported.replaced'));
  const state = await readFile(torchFixturePath('baseline-state.safetensors'));
  await writeFile(path.join(root, '.imported.replaced', 'state.safetensors'), state);
  expect((await loadCheckpoint(folder)).network).not.toBeNull();
  expect(await readdir(folder)).toEqual(['state.safetensors']);
});
