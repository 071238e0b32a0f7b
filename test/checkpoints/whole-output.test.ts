import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { writeWholeFolder } from '../../src/checkpoints/whole-output.ts';
import { compileProgram } from '../support/programs.ts';

const older = { state: 'old state', network: 'old network' };
const newer = { state: 'new state', curves: 'new curves' };

/** The files in a folder; null if there is none. */
async function look(target: string): Promise<object | null> {
  if (!existsSync(target)) return null;
  const names = await readdir(target);
  const read = async (name: string) => [name, await readFile(path.join(target, name), 'utf8')];
  return Object.fromEntries(await Promise.all(names.map(read)));
}

test.each([
  ['no folder or the new one, where there was none', null],
  ['the old folder, the new one or none, and can be repeated', older],
])('a writer killed at any step leaves %s', async (_, before) => {
  const root = await mkdtemp(path.join(tmpdir(), 'whole-output-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const script = await compileProgram('test/checkpoints/killed-writer.ts');
  const seen: (object | null)[] = [];
  for (let step = 0; ; step++) {
    const folder = path.join(root, String(step));
    const target = path.join(folder, 'a');
    await mkdir(before === null ? folder : target, { recursive: true });
    for (const [name, text] of Object.entries(before ?? {})) await writeFile(path.join(target, name), text);
    const { signal, stderr } = spawnSync(process.execPath, [script, target, String(step)], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    seen.push(await look(target));
    if (signal === null) {
      expect(await readdir(folder)).toEqual(['a']);
      break;
    }
    expect(signal).toBe('SIGKILL');
    const known = ['state', 'network', 'curves'];
    await writeWholeFolder(target, new Map(Object.entries(newer)), { force: true, known });
    expect(await look(target)).toEqual(newer);
  }
  for (const after of seen) expect([before, null, newer]).toContainEqual(after);
  for (const after of [before, null, newer]) expect(seen).toContainEqual(after);
});
