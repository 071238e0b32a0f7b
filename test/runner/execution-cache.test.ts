import { describe, expect, test } from 'vitest';
import { createProject, eventOf, type Project } from './rig/project.ts';

/** Two commands: `a` copies a source file, `b` reads what `a` made. */
async function createChain(): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', 'one\n');
  project.define([
    {
      id: 'a',
      sh: 'echo x >> counts/a; head -c 3 in.txt > "$REPRO_OUTPUT_0"',
      inputs: ['in.txt'],
      outputs: ['artifacts/a.txt'],
    },
    {
      id: 'b',
      sh: 'echo x >> counts/b; mkdir "$REPRO_OUTPUT_0"; cat "$REPRO_INPUT_0" > "$REPRO_OUTPUT_0/copy"; echo end > "$REPRO_OUTPUT_0/end"',
      inputs: ['artifacts/a.txt'],
    },
  ]);
  return project;
}

describe('a run', () => {
  test('does nothing the second time, except what is forced', async () => {
    const project = await createChain();
    expect(await project.run()).toMatchObject({ outcome: 'ok', ran: ['a', 'b'] });
    expect(project.read('artifacts/b/copy')).toBe('one');
    expect(await project.run()).toMatchObject({ outcome: 'ok', ran: [], cached: ['a', 'b'] });
    expect([project.count('a'), project.count('b')]).toEqual([1, 1]);
    const { ran, events } = await project.run({ force: new Set(['a']) });
    expect(ran).toEqual(['a']);
    expect(eventOf(events, 'started').reasons).toEqual([{ cue: 'forced', text: 'forced' }]);
    expect((await project.run({ force: true })).ran).toEqual(['a', 'b']);
  });

  test('runs what depends on a changed input, which it names, and restores from the store what an earlier input produced', async () => {
    const project = await createChain();
    await project.run();
    await project.write('in.txt', 'two\n');
    const { ran, events } = await project.run();
    expect(ran).toEqual(['a', 'b']);
    expect(eventOf(events, 'started', 'a').reasons).toEqual([{ cue: 'input', text: 'in.txt changed' }]);
    expect(eventOf(events, 'started', 'b').reasons).toEqual([
      { cue: 'input', text: 'artifacts/a.txt changed' },
    ]);
    await project.write('in.txt', 'one\n');
    const back = await project.run();
    expect(back).toMatchObject({ ran: [], cached: ['a', 'b'] });
    expect(eventOf(back.events, 'cached', 'b').restored).toEqual(['artifacts/b']);
    expect(project.read('artifacts/b/copy')).toBe('one');
    expect((await project.status()).map((one) => one.state)).toEqual(['fresh', 'fresh']);
  });

  test('stops where a rerun produces the same outputs', async () => {
    const project = await createChain();
    await project.run();
    await project.write('in.txt', 'one and more');
    expect(await project.run()).toMatchObject({ ran: ['a'], cached: ['b'] });
  });

  test('restores outputs that were deleted, without running anything', async () => {
    const project = await createChain();
    await project.run();
    await project.remove('artifacts/a.txt');
    await project.remove('artifacts/b/end');
    expect((await project.status()).map((one) => one.state)).toEqual(['restorable', 'restorable']);
    const { ran, events } = await project.run();
    expect(ran).toEqual([]);
    expect(eventOf(events, 'cached', 'a').restored).toEqual(['artifacts/a.txt']);
    expect(eventOf(events, 'cached', 'b').restored).toEqual(['artifacts/b/end']);
    expect(project.read('artifacts/b/end')).toBe('end\n');
  });

  test('restores outputs that were altered, added to or replaced', async () => {
    const project = await createChain();
    await project.run();
    await project.write('artifacts/b/copy', 'forged');
    await project.write('artifacts/b/extra', 'not of the stage');
    await project.remove('artifacts/a.txt');
    await project.write('artifacts/a.txt/is', 'a folder now');
    const hit = { restored: ['artifacts/b/copy'], removed: ['artifacts/b/extra'] };
    const rehearsed = eventOf((await project.run({ dryRun: true })).events, 'cached', 'b');
    expect(rehearsed).toMatchObject({ ...hit, isRehearsal: true });
    const { ran, events } = await project.run();
    expect(ran).toEqual([]);
    expect(eventOf(events, 'cached', 'b')).toMatchObject({ ...hit, isRehearsal: false });
    expect(project.read('artifacts/a.txt')).toBe('one');
    expect(project.read('artifacts/b/copy')).toBe('one');
    expect(project.has('artifacts/b/extra')).toBe(false);
  });

  test('only reports what would run in a dry run', async () => {
    const project = await createChain();
    expect((await project.run({ dryRun: true })).events.map((event) => event.kind)).toEqual([
      'run-started',
      'would-run',
      'would-run',
      'run-finished',
    ]);
    await project.run();
    await project.write('in.txt', 'two');
    const { events } = await project.run({ dryRun: true });
    expect(eventOf(events, 'would-run', 'b').reasons).toEqual([
      { cue: 'input', text: 'artifacts/a.txt waits for a' },
    ]);
    expect([project.count('a'), project.has('artifacts/.cache/lock/2.json')]).toEqual([1, false]);
  });

  test('takes the outputs of a stage left out as they are on disk', async () => {
    const project = await createChain();
    const selected = new Set(['b']);
    const { outcome, events } = await project.run({ selected });
    expect(outcome).toBe('failed');
    expect(eventOf(events, 'failed', 'b')).toMatchObject({ code: 'input-missing' });
    await project.write('artifacts/a.txt', 'by hand');
    expect((await project.run({ selected })).ran).toEqual(['b']);
    expect(project.read('artifacts/b/copy')).toBe('by hand');
  });
});

describe('a fingerprint', () => {
  test('covers parameters, by their value', async () => {
    const project = await createProject();
    const define = (train: { [key: string]: number }) =>
      project.define([{ id: 's', sh: 'echo "$REPRO_PARAMS" > "$REPRO_OUTPUT_0"', params: { train } }]);
    define({ epochs: 3, batch: 2 });
    await project.run();
    define({ batch: 2, epochs: 3 });
    expect((await project.run()).ran).toEqual([]);
    define({ batch: 2, epochs: 5 });
    expect(await project.reasonsOf('s')).toEqual(['params: train.epochs: 3 → 5']);
    expect((await project.run()).ran).toEqual(['s']);
    define({ batch: 2, epochs: 3 });
    expect((await project.run()).ran).toEqual([]);
  });

  test('covers the command and the scripts it names', async () => {
    const project = await createProject();
    await project.write('plot.sh', 'echo 1 > "$REPRO_OUTPUT_0"\n');
    const define = (...args: string[]) =>
      project.define([{ id: 's', run: ['sh', 'plot.sh', ...args], outputs: ['artifacts/s'] }]);
    define();
    await project.run();
    await project.write('plot.sh', 'echo 2 > "$REPRO_OUTPUT_0"\n');
    expect(await project.reasonsOf('s')).toEqual(['code: plot.sh changed']);
    await project.run();
    expect(project.read('artifacts/s')).toBe('2\n');
    define('-v');
    expect(await project.reasonsOf('s')).toEqual(['command: command: "sh" "plot.sh" → "sh" "plot.sh" "-v"']);
  });

  test('accepts arguments that could not be paths', async () => {
    const project = await createProject();
    const script = `echo ${'x'.repeat(5000)} > "$REPRO_OUTPUT_0"`;
    project.define([{ id: 's', run: ['sh', '-c', script, '', '.', '/', '..'], outputs: ['artifacts/s'] }]);
    expect((await project.run()).outcome).toBe('ok');
    expect((await project.run()).ran).toEqual([]);
  });

  test('covers declared variables and facts, and a stage sees no other variables', async () => {
    const project = await createProject();
    project.facts = { engine: async () => 'plain' };
    project.environment = { ...project.environment, DECLARED: 'a', SECRET: 'b', LC_ALL: 'C' };
    project.define([
      {
        id: 's',
        sh: 'env > "$REPRO_OUTPUT_0"',
        variables: ['DECLARED', 'UNSET'],
        facts: ['engine'],
        outputs: ['artifacts/env'],
      },
    ]);
    await project.run();
    expect(project.read('artifacts/env')).toContain('DECLARED=a\n');
    expect(project.read('artifacts/env')).toContain('LC_ALL=C\n');
    expect(project.read('artifacts/env')).not.toContain('SECRET');
    project.environment = { ...project.environment, DECLARED: 'c', SECRET: 'd', LC_ALL: 'C.UTF-8' };
    expect(await project.reasonsOf('s')).toEqual(['variable: variable DECLARED: a → c']);
    project.facts = { engine: async () => 'fast' };
    expect(await project.reasonsOf('s')).toContain('fact: engine: plain → fast');
  });

  test('covers what variables of a fact change, not the variables themselves', async () => {
    const project = await createProject();
    const engineIs = (text: string) => ({
      engine: Object.assign(async () => text, { variables: ['SPEED'] }),
    });
    project.facts = engineIs('slow');
    project.environment = { ...project.environment, SPEED: '1' };
    const stage = (id: string, facts: readonly string[]) => ({ id, sh: 'env > "$REPRO_OUTPUT_0"', facts });
    project.define([stage('with', ['engine']), stage('without', [])]);
    await project.run();
    expect(project.read('artifacts/with')).toContain('SPEED=1\n');
    expect(project.read('artifacts/without')).not.toContain('SPEED');
    project.environment = { ...project.environment, SPEED: '2' };
    expect((await project.run()).ran).toEqual([]);
    project.facts = engineIs('fast');
    expect(await project.reasonsOf('with')).toEqual(['fact: engine: slow → fast']);
  });

  test('names the file of a folder that changed', async () => {
    const project = await createProject();
    for (const name of ['a', 'b', 'c']) await project.write(`data/sub/${name}`, name);
    project.define([{ id: 's', sh: 'ls -R data > "$REPRO_OUTPUT_0"', inputs: ['data'] }]);
    await project.run();
    await project.write('data/sub/b', 'B');
    await project.write('data/new', '');
    await project.remove('data/sub/c');
    expect(await project.reasonsOf('s')).toEqual(['input: data: new is new, sub/b changed, sub/c is gone']);
  });

  test('of an input that contains other outputs covers only those of this plan', async () => {
    const project = await createProject();
    const make = (model: string, word: string) => ({
      id: `train@${model}`,
      sh: `echo ${word} > "$REPRO_OUTPUT_0"`,
      outputs: [`artifacts/train/${model}`],
    });
    const report = {
      id: 'report',
      sh: 'echo x >> counts/report; cat artifacts/train/* > "$REPRO_OUTPUT_0"',
      inputs: ['artifacts/train'],
    };
    project.define([make('one', '1'), make('two', '2'), report]);
    await project.run();
    await project.write('artifacts/train/left-over', 'of another profile');
    expect((await project.run()).ran).toEqual([]);
    project.define([make('one', '1'), make('two', '22'), report]);
    expect(await project.reasonsOf('report')).toEqual(['input: artifacts/train waits for train@two']);
    const { events } = await project.run();
    expect(eventOf(events, 'started', 'report').reasons).toEqual([
      { cue: 'input', text: 'artifacts/train/two changed' },
    ]);
    project.define([make('one', '1'), report]);
    expect(await project.reasonsOf('report')).toEqual(['input: artifacts/train/two is no longer read']);
  });

  test('of an input inside an output covers only that part', async () => {
    const project = await createProject();
    const define = (used: string, unused: string) =>
      project.define([
        {
          id: 'make',
          sh: `mkdir -p "$REPRO_OUTPUT_0/d"; echo ${used} > "$REPRO_OUTPUT_0/d/used"; echo ${unused} > "$REPRO_OUTPUT_0/unused"`,
          outputs: ['artifacts/made'],
        },
        {
          id: 'file',
          sh: 'cat artifacts/made/d/used > "$REPRO_OUTPUT_0"',
          inputs: ['artifacts/made/d/used'],
        },
        { id: 'folder', sh: 'ls artifacts/made/d > "$REPRO_OUTPUT_0"', inputs: ['artifacts/made/d'] },
      ]);
    define('1', '1');
    await project.run();
    define('1', '2');
    expect((await project.run()).ran).toEqual(['make']);
    define('2', '2');
    const { ran } = await project.run();
    expect([ran[0], ...ran.slice(1).toSorted()]).toEqual(['make', 'file', 'folder']);
  });

  test('treats a missing external input as a state of its own and ignores where external data are', async () => {
    const project = await createProject();
    const define = (path: string) =>
      project.define([
        {
          id: 'verify',
          sh: 'ls "$REPRO_INPUT_0" > "$REPRO_OUTPUT_0" 2>&1 || true',
          inputs: [{ path, external: true }],
        },
      ]);
    define(project.at('data'));
    await project.run();
    await project.write('data/recording', 'r');
    expect(await project.reasonsOf('verify')).toEqual([`input: ${project.at('data')} now exists`]);
    await project.run();
    await project.write('elsewhere/recording', 'r');
    define(project.at('elsewhere'));
    expect((await project.run()).ran).toEqual([]);
  });

  test('notices an optional input that appears, changes and disappears', async () => {
    const project = await createProject();
    const define = (...logs: readonly string[]) =>
      project.define([
        {
          id: 'report',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
          sh: 'echo x >> counts/report; echo "${REPRO_INPUT_0-none}" > "$REPRO_OUTPUT_0"',
          inputs: logs.map((path) => ({ path, external: true })),
        },
      ]);
    define();
    await project.run();
    expect(project.read('artifacts/report')).toBe('none\n');

    await project.write('logs/a.csv', '1');
    define('logs');
    expect(await project.reasonsOf('report')).toEqual(['input: logs is a new input']);
    await project.run();
    expect(project.read('artifacts/report')).toBe(`${project.at('logs')}\n`);

    await project.write('logs/a.csv', '2');
    expect(await project.reasonsOf('report')).toEqual(['input: logs: a.csv changed']);
    await project.run();

    define();
    const { ran, cached } = await project.run();
    expect({ ran, cached }).toEqual({ ran: [], cached: ['report'] });
    expect(project.read('artifacts/report')).toBe('none\n');
    expect(project.count('report')).toBe(3);
  });
});
