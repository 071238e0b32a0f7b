import fs from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fileNameOf } from '../../src/runner/store/cache-folder.ts';
import { createProject } from './rig/project.ts';

describe('a run', () => {
  test('restores empty files and folders, and executable files as such', async () => {
    const project = await createProject([
      {
        id: 's',
        sh: 'mkdir -p "$REPRO_OUTPUT_0/empty/inner" "$REPRO_OUTPUT_0/bin"; : > "$REPRO_OUTPUT_0/nothing"; printf "#!/bin/sh\\necho ran" > "$REPRO_OUTPUT_0/bin/tool"; chmod +x "$REPRO_OUTPUT_0/bin/tool"; mkdir "$REPRO_OUTPUT_1"',
        outputs: ['artifacts/s', 'artifacts/void'],
      },
      { id: 'use', sh: 'artifacts/s/bin/tool > "$REPRO_OUTPUT_0"', inputs: ['artifacts/s/bin'] },
    ]);
    await project.run();
    await project.remove('artifacts/s');
    await project.remove('artifacts/void');
    const { ran } = await project.run({ force: new Set(['use']) });
    expect(ran).toEqual(['use']);
    expect(project.read('artifacts/use')).toBe('ran\n');
    expect((await fs.readdir(project.at('artifacts/s/empty/inner'))).length).toBe(0);
    expect(project.read('artifacts/s/nothing')).toBe('');
    expect((await fs.readdir(project.at('artifacts/void'))).length).toBe(0);
  });

  test('follows links in inputs by content, and turns links in outputs into files', async () => {
    const project = await createProject();
    await project.write('elsewhere/file', 'one');
    await project.write('data/plain', 'p');
    await fs.symlink('../elsewhere', project.at('data/link'));
    project.define([
      {
        id: 's',
        sh: 'mkdir "$REPRO_OUTPUT_0"; cat data/link/file > "$REPRO_OUTPUT_0/real"; ln -s "$REPRO_OUTPUT_0/real" "$REPRO_OUTPUT_0/link"',
        inputs: ['data'],
      },
    ]);
    await project.run();
    expect(project.read('artifacts/s/link')).toBe('one');
    expect((await fs.lstat(project.at('artifacts/s/link'))).isFile()).toBe(true);
    await project.write('elsewhere/file', 'two');
    expect(await project.reasonsOf('s')).toEqual(['input: data: link/file changed']);
  });
});

describe('a file name for an id', () => {
  test('is the id if that is harmless', () => {
    expect(fileNameOf('train@baseline,2020')).toBe('train@baseline,2020');
    expect(fileNameOf('train@lambda-0.01,2020')).toBe('train@lambda-0.01,2020');
  });

  test('differs for every id, even ignoring case, and stays short', () => {
    const ids = [
      'a',
      'A',
      'a/b',
      'a%2Fb',
      'a b',
      '..',
      '.',
      '-x',
      `${'x'.repeat(300)}1`,
      `${'x'.repeat(300)}2`,
    ];
    const names = ids.map(fileNameOf);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(ids.length);
    for (const name of names) expect(name).toMatch(/^[^./-][^/]{0,200}$/);
  });
});
