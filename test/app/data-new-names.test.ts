import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { newDataset } from '../../src/app/data/new.ts';
import { readCheckedFacts } from '../../src/app/project/dataset-files.ts';
import { loadPlan } from '../../src/runner/plan/load.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: own}
stages:
  look:
    cmd: [look]
    params: [dataset, report]
    inputs: [{path: "\${dataset.root}", external: true}]
    outputs: [artifacts/look]
`;

/** Characters that mean something to YAML, to a profile or to a terminal, and some that do not. */
const characters = [
  ...['${', '$${', '$', '{', '}', 'a', '#', ' #', ': ', ':', '- ', '"', "'", ' ', '\n', '\r', '\t', '\\'],
  ...['*', '~', '%', '@', '`', '|', '>', '&', '!', '?', ',', '[', ']', '<<', '=', '..', '1', 'null', 'é'],
  ...['\u007f', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff', '\u202e', '\u001b[31m'],
];
const names = fc
  .array(fc.constantFrom(...characters), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))
  .filter((name) => !['.', '..'].includes(name));

test('a folder with any name becomes a profile that leads to it, or is refused with the way out', async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const project = await temporaryFolder();
  await fs.writeFile(path.join(project, 'pipeline.yaml'), pipeline);
  let refused = 0;
  const check = async (name: string, label: string): Promise<void> => {
    const folder = path.join(project, name);
    for (const [at, kind] of [`k${label}`, 'b'].entries()) {
      await fs.mkdir(path.join(folder, kind), { recursive: true });
      for (const number of [1, 2])
        await fs.writeFile(path.join(folder, kind, `${number}.bin`), Uint8Array.of(at, 2, 128, 0, 9));
    }
    try {
      const made = await newDataset(folder, { project, name: 'own', force: true }).catch((error) => error);
      if (made !== undefined) {
        expect(made).toMatchObject({ code: 'data-new-folder', fix: expect.stringContaining('Rename') });
        expect(name).toMatch(/[\p{Cc}\\*]/u);
        refused++;
        return;
      }
      const { root, title, classes } = await readCheckedFacts(project, 'own');
      expect([path.resolve(project, root), title, classes]).toEqual([folder, name, ['b', `k${label}`]]);
      const { instances, settings } = await loadPlan({ projectRoot: project, set: [] });
      const [input] = instances.get('look')?.inputs ?? [];
      expect(path.resolve(project, input?.path ?? '')).toBe(folder);
      expect(settings).toMatchObject({ report: { title: name } });
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  };
  await fc.assert(fc.asyncProperty(names, names, check), {
    numRuns: 100,
    examples: [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the name of a folder
      ['${dataset.name}', 'x'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the name of a folder
      ['a${threads}b', 'x'],
      ...['a\nb', '~', ' ', '..a'].map((name): [string, string] => [name, 'x']),
    ],
  });
  expect(refused).toBeGreaterThan(0);
});
