import { describe, expect, test } from 'vitest';
import type { Retries } from '../../src/runner/plan/plan.ts';
import { createProject, eventOf, type Project } from './rig/project.ts';

const soon: Retries = { times: 3, backoffSeconds: 0.01, afterTimeout: false };

/** Fails until it has run so often; each attempt first says what it finds. */
function failUntil(attempt: number): string[] {
  const script = `echo attempt >> counts/s
    test -e "$REPRO_OUTPUT_0" && exit 9
    n=$(wc -l < counts/s); echo "this is $n"; echo "$n" > "$REPRO_OUTPUT_0"
    echo "$n" >> "$REPRO_RESUME_0/steps"; test "$n" -ge ${attempt} || exit 3
    cp "$REPRO_RESUME_0/steps" "$REPRO_OUTPUT_0"`;
  return ['sh', '-c', script];
}

function define(
  project: Project,
  run: readonly string[],
  retries: Retries | undefined,
  timeSeconds?: number,
) {
  project.define([
    {
      id: 's',
      run,
      outputs: ['artifacts/s'],
      resume: ['artifacts/s.resume'],
      ...(retries === undefined ? {} : { retries }),
      ...(timeSeconds === undefined ? {} : { resources: { timeSeconds } }),
    },
  ]);
}

describe('a stage with retries', () => {
  test('is expected to take as long as its last attempt', async () => {
    const project = await createProject();
    define(project, failUntil(2), { ...soon, backoffSeconds: 1 });
    const { events } = await project.run();
    const [status] = await project.status();
    const { seconds } = eventOf(events, 'finished');
    // The wait alone takes a second.
    expect(status?.record?.seconds).toBeLessThan(seconds - 1);
    expect(status?.record?.seconds).toBeGreaterThan(0);
  });

  test('runs again after a failure, continues from its resume folder, and says so in its log', async () => {
    const project = await createProject();
    define(project, failUntil(3), soon);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('ok');
    expect(project.count('s')).toBe(3);
    // Of the failed attempts, only the resume folder is left.
    expect(project.read('artifacts/s')).toBe('1\n2\n3\n');
    expect(project.has('artifacts/s.resume')).toBe(false);
    const notes = events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
    expect(notes).toEqual([
      'attempt 1 of 4 failed: "sh" exited with code 3; trying again in 0.01 s',
      'attempt 2 of 4 failed: "sh" exited with code 3; trying again in 0.02 s',
    ]);
    const log = project.read('artifacts/.cache/logs/s.log');
    for (const text of ['this is 1', '# attempt 1 of 4 failed', 'this is 2', 'this is 3'])
      expect(log).toContain(text);
    expect((await project.run()).ran).toEqual([]);
  });

  test('fails if the last attempt does, and keeps its resume folder for the next run', async () => {
    const project = await createProject();
    define(project, failUntil(99), soon);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('failed');
    expect(project.count('s')).toBe(4);
    expect(eventOf(events, 'failed', 's')).toMatchObject({ code: 'command-failed' });
    expect(project.has('artifacts/s')).toBe(false);
    expect(project.read('artifacts/s.resume/steps')).toBe('1\n2\n3\n4\n');
  });

  test('is not tried again without them', async () => {
    const project = await createProject();
    define(project, failUntil(2), undefined);
    expect((await project.run()).outcome).toBe('failed');
    expect(project.count('s')).toBe(1);
  });

  test.each([
    ['not', false, 1],
    ['only if it says so', true, 3],
  ])('is %s tried again after it took too long', async (_, afterTimeout, runs) => {
    const project = await createProject();
    const hang = ['sh', '-c', 'echo x >> counts/s; sleep 1000'];
    // Two seconds, in which a busy machine, too, starts a shell.
    define(project, hang, { times: 2, backoffSeconds: 0.01, afterTimeout }, 2);
    const { events } = await project.run({ graceSeconds: 0.1 });
    expect(eventOf(events, 'failed', 's')).toMatchObject({ code: 'timeout' });
    expect(project.count('s')).toBe(runs);
  });

  test('can be interrupted while it waits', async () => {
    const project = await createProject();
    define(project, failUntil(99), { ...soon, backoffSeconds: 1000 });
    const stop = new AbortController();
    const { outcome, events } = await project.run({
      signal: stop.signal,
      onEvent: ({ kind }) => kind === 'note' && setImmediate(() => stop.abort()),
    });
    expect(outcome).toBe('interrupted');
    eventOf(events, 'interrupted', 's');
    expect(project.count('s')).toBe(1);
  });
});
