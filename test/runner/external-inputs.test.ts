import { expect, test, vi } from 'vitest';
import { createProject } from './rig/project.ts';

/** Every file whose content was read to know its digest. */
const hashed = vi.hoisted((): string[] => []);

vi.mock('../../src/runner/store/hash-files.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/runner/store/hash-files.ts')>();
  return {
    hashFiles: (files: Parameters<typeof original.hashFiles>[0]) => {
      hashed.push(...files.map((file) => file.absolute));
      return original.hashFiles(files);
    },
  };
});

test('recordings outside the project are not read again, however many stages use them', async () => {
  const project = await createProject();
  const names = ['data/user01_led.aedat', 'data/user02_led.aedat'];
  for (const name of names) await project.write(name, 'events');
  const stage = (id: string) => ({
    id,
    run: ['sh', '-c', 'ls "$REPRO_INPUT_0" > "$REPRO_OUTPUT_0"'] as const,
    inputs: [{ path: project.at('data'), external: true as const }],
    outputs: [`artifacts/${id}`],
  });
  project.define([stage('verify'), stage('frames')]);
  expect((await project.run()).ran.toSorted()).toEqual(['frames', 'verify']);
  const readings = () => hashed.filter((file) => names.some((name) => file === project.at(name))).length;
  expect(readings()).toBeGreaterThanOrEqual(names.length);
  // What was written only just before it was read could have changed in the same tick of the clock, and is read once more.
  await project.run();
  const known = readings();
  expect(known).toBeLessThanOrEqual(3 * names.length);
  expect((await project.run()).ran).toEqual([]);
  expect(readings()).toBe(known);
  await project.write(names[0]!, 'more events');
  expect((await project.run()).ran.toSorted()).toEqual(['frames', 'verify']);
});
