import { readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { openRecords } from '../../src/runner/store/records.ts';
import { createPlan } from './rig/plan.ts';
import { createProject, eventOf } from './rig/project.ts';

describe('a resume folder', () => {
  const script =
    'cat "$REPRO_RESUME_0"/* 2>/dev/null >> counts/seen; echo step >> "$REPRO_RESUME_0/state"; test -e finish && echo x > "$REPRO_OUTPUT_0"';

  test('survives failures and is deleted on success', async () => {
    const project = await createProject([{ id: 's', sh: script, resume: ['artifacts/s.resume'] }]);
    await project.run();
    await project.run();
    expect(project.read('artifacts/s.resume/state')).toBe('step\nstep\n');
    expect(project.read('counts/seen')).toBe('step\n');
    await project.write('finish', '');
    expect((await project.run()).outcome).toBe('ok');
    expect([project.has('artifacts/s.resume'), project.has('artifacts/s.resume.fingerprint')]).toEqual([
      false,
      false,
    ]);
    expect((await project.run()).ran).toEqual([]);
  });

  test('counts the time of what it holds: the record says how long it took in all', async () => {
    const project = await createProject([{ id: 's', sh: script, resume: ['artifacts/s.resume'] }]);
    await project.run();
    // As if that had taken an hour until it last saved something.
    const attempts = project.at('artifacts/.cache/attempts');
    const spent = readdirSync(attempts).find((name) => name.endsWith('.spent.json')) ?? '';
    const anHourAgo = new Date(statSync(project.at('artifacts/s.resume/state')).mtimeMs - 3_600_000);
    const begun = { version: 1, startedAt: anHourAgo.toISOString(), seconds: 60 };
    await project.write(`artifacts/.cache/attempts/${spent}`, JSON.stringify(begun));
    await project.write('finish', '');
    const { events } = await project.run();
    const record = openRecords(createPlan(project.description)).findLast('s');
    if (record === null) throw new Error('no record');
    expect(record.seconds).toBeLessThan(3600);
    expect(record.totalSeconds).toBeCloseTo(3660 + record.seconds, 1);
    expect(eventOf(events, 'finished', 's')).toMatchObject({ totalSeconds: record.totalSeconds });
    expect(readdirSync(attempts)).toEqual([]);
    const again = await project.run({ force: true });
    expect(eventOf(again.events, 'finished', 's')).not.toHaveProperty('totalSeconds');
  });

  test('of another fingerprint is set aside, comes back when that runs again, and is deleted when it succeeds', async () => {
    const project = await createProject();
    const define = (epochs: number) =>
      project.define([
        {
          id: 's',
          sh: script,
          params: { epochs },
          resume: ['artifacts/s.resume'],
        },
      ]);
    const notesOf = (events: readonly RunEvent[]) =>
      events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));
    const setAside =
      'artifacts/s.resume belongs to other code, inputs, parameters or facts and was set aside; it comes back when they run again';
    const isBack = 'artifacts/s.resume was set aside earlier and is back: resuming from it';

    define(1);
    await project.run();
    await project.run();
    define(2);
    expect(notesOf((await project.run()).events)).toEqual([setAside]);
    expect(project.read('artifacts/s.resume/state')).toBe('step\n');
    define(1);
    expect(notesOf((await project.run()).events)).toEqual([setAside, isBack]);
    expect(project.read('artifacts/s.resume/state')).toBe('step\nstep\nstep\n');

    await project.write('finish', '');
    expect((await project.run()).outcome).toBe('ok');
    expect(project.has('artifacts/s.resume')).toBe(false);
    expect(readdirSync(project.at('artifacts/.cache/resume'))).toHaveLength(1);
    define(2);
    expect((await project.run()).outcome).toBe('ok');
    expect(project.read('counts/seen')).toBe('step\n'.repeat(1 + 2 + 3 + 1));
    expect(readdirSync(project.at('artifacts/.cache/resume'))).toEqual([]);
  });

  test('of another engine is set aside, and stays there while a result of the present one is up to date', async () => {
    const project = await createProject([
      { id: 's', sh: script, resume: ['artifacts/s.resume'], facts: ['engine'] },
    ]);
    const runOn = (engine: string) => {
      project.facts = { engine: async () => engine };
      return project.run();
    };
    await runOn('slow');
    project.facts = { engine: async () => 'fast' };
    expect(await project.reasonsOf('s')).not.toContain(
      'interrupted: interrupted: resumes from what it saved',
    );
    await project.write('finish', '');
    await runOn('fast');
    expect((await runOn('fast')).cached).toEqual(['s']);
    expect(project.read('counts/seen')).toBe('');
    await runOn('slow');
    expect(project.read('counts/seen')).toBe('step\n');
    expect(readdirSync(project.at('artifacts/.cache/resume'))).toEqual([]);
  });

  test('of an engine whose bytes changed is set aside, and the runner reads an unchanged one once', async () => {
    const project = await createProject([
      { id: 's', sh: script, resume: ['artifacts/s.resume'], facts: ['engine'] },
    ]);
    project.facts = { engine: (_, digestFile) => digestFile(project.at('engine.node')) };
    await project.write('engine.node', 'one');
    await project.run();
    await project.write('engine.node', 'two');
    await project.write('finish', '');
    expect((await project.run()).ran).toEqual(['s']);
    expect(project.read('counts/seen')).toBe('');
    expect((await project.run()).cached).toEqual(['s']);
    expect(project.read('artifacts/.cache/digests.json')).toContain('"engine.node"');
    await project.write('engine.node', 'one');
    expect((await project.run()).ran).toEqual(['s']);
    expect(project.read('counts/seen')).toBe('step\n');
  });

  test('without an owner on record is not trusted', async () => {
    const project = await createProject();
    await project.write('artifacts/s.resume/state', 'unknown\n');
    project.define([{ id: 's', sh: script, resume: ['artifacts/s.resume'] }]);
    const { events } = await project.run();
    expect(eventOf(events, 'note', 's').text).toContain('belonged to no recorded run');
    expect(project.read('artifacts/s.resume/state')).toBe('step\n');
  });
});
