import fs from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createProject, eventOf, type Project } from './rig/project.ts';

/** A stage module that counts its runs and writes what `src/value.ts` says. */
async function createModuleProject(): Promise<Project> {
  const project = await createProject();
  await project.write(
    'stages/make.ts',
    `import { appendFileSync, writeFileSync } from 'node:fs';
     import { value } from '../src/value.ts';
     import type { Unused } from '../src/types.ts';
     const text: Unused = String(value);
     export default {
       summary: 'Writes a value.',
       async run(context: { outputs: string[]; metrics(values: object): void }) {
         appendFileSync('counts/make', 'x\\n');
         context.metrics({ value: Number(text) });
         writeFileSync(context.outputs[0]!, text);
       },
     };`,
  );
  await project.write('src/value.ts', 'export const value: number = 1; // one\n');
  await project.write('src/types.ts', 'export type Unused = string;\n');
  project.define([{ id: 'make', run: 'stages/make.ts', outputs: ['artifacts/value'] }]);
  return project;
}

/** Locks two packages, of which `direct` needs `indirect`, and one that nobody needs. */
function lock(project: Project, direct: string, indirect: string, stranger: string): Promise<void> {
  const packages = {
    '': {},
    'node_modules/direct': { version: direct, dependencies: { indirect: '*' } },
    'node_modules/indirect': { version: indirect },
    'node_modules/stranger': { version: stranger },
  };
  return project.write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages }));
}

describe('a stage module', () => {
  test('runs from its sources, and an edit to an import takes effect at once', async () => {
    const project = await createModuleProject();
    const { events } = await project.run();
    expect(eventOf(events, 'finished', 'make').metrics).toEqual({ value: 1 });
    expect((await project.run()).ran).toEqual([]);
    await project.write('src/value.ts', 'export const value: number = 2;\n');
    expect(await project.reasonsOf('make')).toEqual(['code: src/value.ts changed']);
    await project.run();
    expect(project.read('artifacts/value')).toBe('2');
    expect(project.count('make')).toBe(2);
  });

  test('is not made stale by comments, types and layout', async () => {
    const project = await createModuleProject();
    await project.run();
    await project.write(
      'src/value.ts',
      '/** The value. */\nexport const value\n  = 1 as number;\n\n// the end\n',
    );
    await project.write('src/types.ts', 'export type Unused = string | never;\n');
    expect((await project.run()).ran).toEqual([]);
    expect((await project.status())[0]?.state).toBe('fresh');
  });

  test('is made stale by a new import and by a JSON file it imports', async () => {
    const project = await createModuleProject();
    await project.write('src/value.json', '{"value": 1}');
    await project.write(
      'src/value.ts',
      "import data from './value.json' with { type: 'json' };\nexport const value: number = data.value;\n",
    );
    await project.run();
    await project.write('src/value.json', '{"value": 3}');
    expect(await project.reasonsOf('make')).toEqual(['code: src/value.json changed']);
    await project.write('src/value.ts', "export { value } from './other.ts';\n");
    await project.write('src/other.ts', 'export const value = 4;\n');
    expect((await project.reasonsOf('make')).toSorted()).toEqual([
      'code: src/other.ts is new',
      'code: src/value.json is gone',
      'code: src/value.ts changed',
    ]);
    await project.run();
    expect(project.read('artifacts/value')).toBe('4');
  });

  test('is made stale by the locked version of a package it needs, directly or not, and by no other', async () => {
    const project = await createModuleProject();
    await project.write(
      'node_modules/direct/package.json',
      '{"name":"direct","type":"module","exports":"./index.js"}',
    );
    await project.write('node_modules/direct/index.js', 'export const value = 7;\n');
    await project.write('src/value.ts', "export { value } from 'direct';\n");
    await lock(project, '1.0.0', '1.0.0', '1.0.0');
    await project.run();
    expect(project.read('artifacts/value')).toBe('7');
    await lock(project, '1.0.0', '1.0.0', '2.0.0');
    expect((await project.run()).ran).toEqual([]);
    await lock(project, '1.1.0', '1.2.0', '2.0.0');
    expect(await project.reasonsOf('make')).toEqual([
      'package: package direct: 1.0.0 → 1.1.0',
      'package: package indirect: 1.0.0 → 1.2.0',
    ]);
  });

  test('with an error in its code is refused with file, line and column before anything runs', async () => {
    const project = await createModuleProject();
    await project.write('src/value.ts', 'export const value = ;\n');
    await expect(project.run()).rejects.toMatchObject({
      code: 'configuration',
      where: 'src/value.ts:1:22',
      message: expect.stringMatching(/^Unexpected/),
    });
    await expect(project.status()).rejects.toMatchObject({ where: 'src/value.ts:1:22' });
  });

  test('that throws shows the line of its TypeScript source in the log', async () => {
    const project = await createModuleProject();
    await project.write(
      'src/value.ts',
      '\n\ninterface Gone { a: 1 }\nexport const value = fail();\nfunction fail(): number {\n  throw new TypeError("no value");\n}\n',
    );
    const { events } = await project.run();
    const { code, text, logTail } = eventOf(events, 'failed', 'make');
    expect({ code, text }).toEqual({ code: 'stage-error', text: 'no value' });
    expect(logTail.join('\n')).toMatch(/src\/value\.ts:6:/);
  });

  test('that throws a ReproError is quoted with its place and fix', async () => {
    const project = await createModuleProject();
    await project.write(
      'stages/make.ts',
      `class ReproError extends Error { name = 'ReproError'; code = 'bad-data'; where = 'a.aedat'; fix = 'Download it again.'; }
       export default { summary: '', async run() { throw new ReproError('truncated'); } };`,
    );
    const { events } = await project.run();
    expect(eventOf(events, 'failed', 'make')).toMatchObject({
      code: 'bad-data',
      text: 'a.aedat  truncated\n  Download it again.',
    });
  });

  test('finds files beside its own sources although it is bundled', async () => {
    const project = await createModuleProject();
    await project.write('src/value.txt', '42');
    await project.write(
      'src/value.ts',
      "import { readFileSync } from 'node:fs';\nexport const value = Number(readFileSync(new URL('./value.txt', import.meta.url), 'utf8'));\n",
    );
    await project.run();
    expect(project.read('artifacts/value')).toBe('42');

    // In a copy of the project, cache and all, these are the copy's files.
    const copy = await createProject();
    await fs.cp(project.root, copy.root, { recursive: true, preserveTimestamps: true });
    await copy.write('src/value.txt', '43');
    copy.define(project.description.stages);
    await copy.run({ force: true });
    expect(copy.read('artifacts/value')).toBe('43');
  });

  test('reports progress, metrics and notes, and gets its paths and parameters', async () => {
    const project = await createProject();
    await project.write('data/x', '1');
    await project.write(
      'stages/s.ts',
      `import { mkdirSync, writeFileSync, existsSync } from 'node:fs';
       import path from 'node:path';
       export default { summary: '', async run(context) {
         console.log('to the log');
         console.error('and this');
         for (let done = 0; done <= 1000; done += 1) context.progress({ done, total: 1000, unit: 'clips', note: 'n' });
         context.metrics({ a: 1, b: 'old' });
         context.metrics({ b: 'new', c: null });
         context.note('a note');
         context.warn('a warning');
         const [output] = context.outputs;
         if (existsSync(output) || !existsSync(path.dirname(output))) throw new Error('the output should be mine to make');
         mkdirSync(output);
         const { params, matrix, inputs } = context;
         writeFileSync(path.join(output, 'context.json'), JSON.stringify({ params, matrix, inputs, name: path.basename(output) }));
       } };`,
    );
    project.define([
      {
        id: 's@a',
        run: 'stages/s.ts',
        inputs: ['data/x'],
        outputs: ['artifacts/s/a.d'],
        params: { p: [1] },
        matrix: { m: 'a' },
      },
    ]);
    const { events } = await project.run();
    expect(JSON.parse(project.read('artifacts/s/a.d/context.json'))).toEqual({
      params: { p: [1] },
      matrix: { m: 'a' },
      inputs: [project.at('data/x')],
      name: 'a.d',
    });
    const progress = events.flatMap((event) => (event.kind === 'progress' ? [event.progress] : []));
    expect(progress.length).toBeLessThan(900);
    expect(progress.at(-1)).toEqual({ done: 1000, total: 1000, unit: 'clips', note: 'n' });
    expect(events.flatMap((event) => (event.kind === 'note' ? [[event.level, event.text]] : []))).toEqual([
      ['note', 'a note'],
      ['warning', 'a warning'],
    ]);
    const record = (await project.status())[0]?.record;
    expect(record?.metrics).toEqual({ a: 1, b: 'new', c: null });
    expect(record?.peakMemoryBytes).toBeGreaterThan(2 ** 20);
    expect(record).toMatchObject({ profile: 'test', commit: null, dirty: null, stage: 's' });
    const log = project.read('artifacts/.cache/logs/s@a.log').split('\n').slice(1, -1);
    // On a slow machine there may be more of progress.
    expect(log.filter((line) => !/^[1-9]\d? %/.test(line))).toEqual([
      'to the log',
      'and this',
      '0 % (0 of 1000 clips)  n',
      'a note',
      'warning: a warning',
      '100 % (1000 of 1000 clips)  n',
    ]);
  });

  test.each([
    ['never settles', 'await new Promise(() => {})', 'never-settled'],
    ['leaves early', 'process.exit(0)', 'exit'],
    ['is no stage', '', 'not-a-stage'],
  ])('that %s fails', async (_, body, code) => {
    const project = await createProject();
    await project.write(
      'stages/s.ts',
      body === '' ? 'export default 3;' : `export default { summary: '', async run() { ${body} } };`,
    );
    project.define([{ id: 's', run: 'stages/s.ts', outputs: ['artifacts/s'] }]);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('failed');
    expect(eventOf(events, 'failed', 's').code).toBe(code);
  });
});
