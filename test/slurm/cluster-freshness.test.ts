import { expect, test } from 'vitest';
import { withFactsOfNodes } from '../../src/runner/cluster/cluster-freshness.ts';
import { createProject } from '../runner/rig/project.ts';

test('what a node made is up to date for the submitting machine, whatever that would compute with; its own is not', async () => {
  const project = await createProject();
  await project.write(
    'make.mjs',
    "import fs from 'node:fs'; fs.writeFileSync(process.env.REPRO_OUTPUT_0, 'x');",
  );
  project.define(
    ['there', 'here'].map((id) => ({
      ...{ id, run: ['node', 'make.mjs'], outputs: [`artifacts/${id}`], facts: ['engine'] },
    })),
  );
  project.facts = { engine: async () => 'cuda' };
  await project.run();
  project.facts = { engine: async () => 'native' };
  expect((await project.status()).map(({ state }) => state)).toEqual(['stale', 'stale']);
  const { ran, cached } = await project.run({
    adaptSession: (session) => withFactsOfNodes(session, (id) => id === 'there'),
  });
  expect([ran, cached]).toEqual([['here'], ['there']]);

  // Anything else that changes makes it stale as ever.
  await project.write(
    'make.mjs',
    "import fs from 'node:fs'; fs.writeFileSync(process.env.REPRO_OUTPUT_0, 'y');",
  );
  const again = await project.run({ adaptSession: (session) => withFactsOfNodes(session, () => true) });
  expect(again.ran).toEqual(['there', 'here']);
});

test('what the runner itself knows of the run is that of the submitting machine: another profile makes stale what names it', async () => {
  const project = await createProject();
  await project.write(
    'make.mjs',
    "import fs from 'node:fs'; fs.writeFileSync(process.env.REPRO_OUTPUT_0, 'x');",
  );
  const stage = { run: ['node', 'make.mjs'] };
  const define = (profile: string) =>
    project.define(
      [
        { ...stage, id: 'page', outputs: ['artifacts/page'], facts: ['engine', 'configuration'] },
        { ...stage, id: 'other', outputs: ['artifacts/other'], facts: ['engine'] },
      ],
      profile,
    );
  define('quick');
  project.facts = { engine: async () => 'cuda' };
  await project.run();
  project.facts = { engine: async () => 'native' };
  define('full');
  const { ran, cached } = await project.run({
    adaptSession: (session) => withFactsOfNodes(session, () => true),
  });
  expect([ran, cached]).toEqual([['page'], ['other']]);
});
