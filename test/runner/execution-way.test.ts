import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { waitForFile } from '../support/processes.ts';
import { startRunner } from './rig/processes.ts';
import { createProject, eventOf, type Project } from './rig/project.ts';

type At = (file: string) => string;

/** Puts a link in the place of another. */
function relink(at: At, link: string, to: string): void {
  rmSync(at(link));
  symlinkSync(to, at(link));
}

/** Ways to `rec`, which is A at first; what makes it B while a stage starts; and what undoes that before the stage ends. */
const detours: readonly { name: string; input: string; make: (at: At, part: 'A' | 'B') => void }[] = [
  {
    name: 'a link in the middle of its path',
    input: 'current/rec',
    make: (at, part) => relink(at, 'current', part),
  },
  {
    name: 'a link that a link leads to',
    input: 'newest/rec',
    make: (at, part) => relink(at, 'current', part),
  },
  {
    name: 'a link outside the input, to which one in it leads',
    input: 'list',
    make: (at, part) => relink(at, 'current', part),
  },
  {
    name: 'a folder above it, renamed and renamed back',
    input: 'A/rec',
    make: (at, part) => {
      const [from, to] = part === 'B' ? ['A', 'kept'] : ['kept', 'A'];
      if (part === 'A') renameSync(at('A'), at('B'));
      renameSync(at(from), at(to));
      if (part === 'B') renameSync(at('B'), at('A'));
    },
  },
];

/** `use` waits, then puts out what it finds at its input, or what it had saved. */
async function createWaiting(input: string): Promise<Project> {
  const project = await createProject();
  for (const part of ['A', 'B']) await project.write(`${part}/rec/f`, part);
  symlinkSync('A', project.at('current'));
  symlinkSync('current', project.at('newest'));
  mkdirSync(project.at('list'));
  symlinkSync('../current/rec', project.at('list/rec'));
  const file = input === 'list' ? 'list/rec/f' : `${input}/f`;
  const wait = (name: string) => `: > ${name}-now; while [ ! -e ${name} ]; do sleep 0.02; done`;
  project.define([
    {
      id: 'use',
      sh: `${wait('read')}; [ -e "$REPRO_RESUME_0/seen" ] || cp ${file} "$REPRO_RESUME_0/seen"; ${wait('end')}; cp "$REPRO_RESUME_0/seen" "$REPRO_OUTPUT_0"`,
      inputs: [input],
      outputs: ['artifacts/use'],
      resume: ['artifacts/use.resume'],
    },
  ]);
  return project;
}

describe('where the way to an input led elsewhere for a while,', () => {
  test.each(detours)('nothing is recorded: $name', async ({ input, make }) => {
    const project = await createWaiting(input);
    const at: At = (file) => project.at(file);
    const running = project.run();
    await waitForFile(at('read-now'));
    make(at, 'B');
    writeFileSync(at('read'), '');
    await waitForFile(at('end-now'));
    make(at, 'A');
    writeFileSync(at('end'), '');
    const { outcome, events } = await running;
    expect(outcome).toBe('failed');
    expect(eventOf(events, 'failed', 'use')).toMatchObject({
      code: 'input-changed',
      text: expect.stringMatching(/(current|A)"?, on the way to an input, was moved or replaced/),
    });
    expect(existsSync(at('artifacts/use'))).toBe(false);
    expect((await project.run()).outcome).toBe('ok');
    expect(project.read('artifacts/use')).toBe('A');
  });

  test.each(detours)('nothing resumes after SIGKILL: $name', async ({ input, make }) => {
    const project = await createWaiting(input);
    const at: At = (file) => project.at(file);
    const runner = await startRunner(project);
    await waitForFile(at('read-now'));
    make(at, 'B');
    writeFileSync(at('read'), '');
    await waitForFile(at('end-now'));
    runner.child.kill('SIGKILL');
    await runner.ended;
    make(at, 'A');
    writeFileSync(at('end'), '');
    const { events } = await project.run();
    expect(eventOf(events, 'note', 'use').text).toContain('may come from a changed input');
    expect(project.read('artifacts/use')).toBe('A');
  });
});

test('files that come and go beside what is on the way change nothing', async () => {
  const project = await createWaiting('current/rec');
  const at: At = (file) => project.at(file);
  const running = project.run();
  await waitForFile(at('read-now'));
  for (const file of ['beside', 'A/beside']) writeFileSync(at(file), '');
  rmSync(at('beside'));
  for (const file of ['read', 'end']) writeFileSync(at(file), '');
  expect((await running).outcome).toBe('ok');
});
