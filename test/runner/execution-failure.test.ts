import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { waitForEnd } from '../support/processes.ts';
import { createProject, eventOf } from './rig/project.ts';

const touch = 'echo x > "$REPRO_OUTPUT_0"';

/** Runs a module whose `run` has this body, with `node:fs` as `fs` and its context. */
async function runModule(body: string) {
  const project = await createProject();
  await project.write(
    'stages/s.ts',
    `import fs from 'node:fs';
     export default { summary: '', async run({ outputs, note, warn, progress }) { ${body} } };`,
  );
  project.define([{ id: 's', run: 'stages/s.ts', outputs: ['artifacts/s'] }]);
  return { project, ...(await project.run()) };
}

describe('a stage that fails', () => {
  test('blocks what depends on it and nothing else, and runs again next time', async () => {
    const project = await createProject([
      { id: 'good', sh: touch },
      {
        id: 'bad',
        sh: 'for i in $(seq 30); do echo line $i; done; echo half > "$REPRO_OUTPUT_0"; test -e mended || exit 3',
      },
      { id: 'after-bad', sh: touch, inputs: ['artifacts/bad'] },
      { id: 'last', sh: touch, inputs: ['artifacts/after-bad'] },
      { id: 'after-good', sh: touch, inputs: ['artifacts/good'] },
    ]);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('failed');
    const failed = eventOf(events, 'failed', 'bad');
    expect(failed).toMatchObject({ code: 'command-failed', text: '"sh" exited with code 3' });
    expect(failed.logTail).toHaveLength(20);
    expect(failed.logTail.slice(-2)).toEqual(['line 30', '"sh" exited with code 3']);
    expect(eventOf(events, 'blocked', 'after-bad').by).toEqual(['bad']);
    expect(eventOf(events, 'blocked', 'last').by).toEqual(['bad']);
    eventOf(events, 'finished', 'after-good');
    expect([project.has('artifacts/bad'), project.has('artifacts/last')]).toEqual([false, false]);
    expect(readdirSync(project.at('artifacts/.cache/tmp'))).toEqual([]);

    await project.write('mended', '');
    expect((await project.run()).ran).toEqual(['bad', 'after-bad', 'last']);
  });

  test('shows the end of megabytes without a line break, and the last state of a progress bar', async () => {
    const project = await createProject([
      { id: 'long', sh: "head -c 3000000 /dev/zero | tr '\\0' x; printf ' the end'; kill -9 $PPID" },
      { id: 'bar', sh: "printf '10 %%\\r55 %%\\r\\nbroken\\r\\n'; exit 1" },
    ]);
    const { events } = await project.run();
    const [line = '', ...more] = eventOf(events, 'failed', 'long').logTail;
    expect(more).toEqual([]);
    expect(line).toMatch(/^…x+ the end$/);
    expect(line).toHaveLength(500);
    expect(eventOf(events, 'failed', 'bar').logTail.slice(0, 2)).toEqual(['55 %', 'broken']);
  });

  test('leaves a log with its messages and output in order, ending with the error', async () => {
    const { events } = await runModule(`
      console.log('printed first');
      note('a note');
      console.log('printed between');
      warn('a warning');
      progress({ done: 50, total: 100, unit: 'clips' });
      console.error('printed last');
      throw new Error('broken');`);
    const { logTail, logFile } = eventOf(events, 'failed', 's');
    expect(logTail.slice(0, 7)).toEqual([
      'printed first',
      'a note',
      'printed between',
      'warning: a warning',
      '50 % (50 of 100 clips)',
      'printed last',
      'Error: broken',
    ]);
    expect(readFileSync(logFile, 'utf8')).toContain('\na note\n');
  });

  test('because of a system error logs one line with the cause and no stack', async () => {
    const { events } = await runModule(`
      try { fs.readFileSync('nowhere'); }
      catch (cause) {
        const error = new Error('There is no such file.', { cause });
        throw Object.assign(error, { name: 'ReproError', code: 'made-up', fix: 'Make one.' });
      }`);
    expect(eventOf(events, 'failed', 's').logTail).toEqual([
      'There is no such file.',
      '  Make one.',
      "caused by ENOENT: no such file or directory, open 'nowhere'",
    ]);
  });

  test('does not log a cause whose message the error repeats', async () => {
    const { events } = await runModule(`
      const error = new Error('w: expected 3, got 2.', { cause: new Error('w: expected 3, got 2') });
      throw Object.assign(error, { name: 'ReproError', code: 'made-up', fix: 'Make it 3.' });`);
    const { logFile, text } = eventOf(events, 'failed', 's');
    expect(text).toBe('w: expected 3, got 2.\n  Make it 3.');
    expect(readFileSync(logFile, 'utf8')).not.toContain('caused by');
  });

  test.skipIf(!existsSync('/dev/full'))('because the disk is full reports what to do', async () => {
    const { events } = await runModule("fs.writeFileSync('/dev/full', 'x');");
    expect(eventOf(events, 'failed', 's')).toMatchObject({
      code: 'disk-enospc',
      text: 'the disk is full (ENOSPC)\n  Free some space, then run again: finished work is kept.',
    });
  });

  test('only after reporting that it is done has not failed', async () => {
    const { project, outcome } = await runModule(`
      fs.writeFileSync(outputs[0], 'whole');
      process.on('exit', () => process.kill(process.pid, 'SIGKILL'));`);
    expect(outcome).toBe('ok');
    expect(project.read('artifacts/s')).toBe('whole');
  });

  test('to write a declared output reports which', async () => {
    const project = await createProject([
      { id: 's', sh: touch, outputs: ['artifacts/one', 'artifacts/two'] },
    ]);
    const { events } = await project.run();
    const { code, text } = eventOf(events, 'failed', 's');
    expect(code).toBe('output-missing');
    expect(text).toContain('its output "artifacts/two"');
    expect(project.has('artifacts/one')).toBe(false);
  });

  test('keeps the outputs of its last success until the next', async () => {
    const project = await createProject();
    const define = (script: string) => project.define([{ id: 's', sh: script }]);
    define('echo good > "$REPRO_OUTPUT_0"');
    await project.run();
    define('echo half > "$REPRO_OUTPUT_0"; exit 1');
    await project.run();
    expect(project.read('artifacts/s')).toBe('good\n');
    define('echo good > "$REPRO_OUTPUT_0"');
    expect((await project.run()).ran).toEqual([]);
  });

  test('because an input does not exist says which, and where it is named', async () => {
    const project = await createProject([
      { id: 's', run: ['true'], inputs: ['no.txt'], outputs: ['artifacts/s'] },
    ]);
    const { events } = await project.run();
    expect(eventOf(events, 'failed', 's')).toMatchObject({ code: 'input-missing' });
    expect(eventOf(events, 'failed', 's').text).toMatch(
      /^pipeline\.yaml:1:1 {2}stage "s": input "no.txt" does not exist/,
    );
  });

  test('when its input or the script of its command changes while it runs does not count', async () => {
    const project = await createProject();
    await project.write('in.txt', 'before');
    const change = (count: string, how: string): string =>
      `${touch}; test -e ${count} || ${how}; echo x >> ${count}`;
    await project.write('plot.sh', change('counts/plot', 'echo "# new" >> plot.sh'));
    project.define([
      { id: 's', sh: change('counts/s', 'echo changed > in.txt'), inputs: ['in.txt'] },
      { id: 'plot', run: ['sh', 'plot.sh'], outputs: ['artifacts/plot'] },
    ]);
    const { events } = await project.run();
    for (const id of ['s', 'plot']) expect(eventOf(events, 'failed', id).code).toBe('input-changed');
    const { outcome, ran } = await project.run();
    expect([outcome, ...ran.toSorted()]).toEqual(['ok', 'plot', 's']);
  });

  test('after another run took the folder says that first', async () => {
    const project = await createProject();
    const script = 'rm -r artifacts/.cache/lock; exit 3';
    project.define([{ id: 's', sh: script }]);
    const failed = eventOf((await project.run()).events, 'failed', 's');
    expect(failed.code).toBe('lock-lost');
    expect(failed.text).toMatch(
      /^this run no longer holds the folder[\s\S]*\nThe stage then failed: "sh" exited with code 3$/,
    );
  });

  test('because it takes too long is killed, with everything it has started', async () => {
    const project = await createProject([
      {
        id: 's',
        sh: 'trap "" TERM; sleep 1000 & echo $! > counts/child; wait; wait',
        // Long enough for a shell to start on a busy machine.
        resources: { timeSeconds: 2 },
      },
    ]);
    const { events } = await project.run({ graceSeconds: 0.1 });
    expect(eventOf(events, 'failed', 's')).toMatchObject({ code: 'timeout' });
    await waitForEnd(Number(project.read('counts/child')));
  });

  test('leaves no process behind, even one it did not wait for', async () => {
    const project = await createProject([{ id: 's', sh: `sleep 1000 & echo $! > counts/child; ${touch}` }]);
    expect((await project.run()).outcome).toBe('ok');
    await waitForEnd(Number(project.read('counts/child')));
  });
});
