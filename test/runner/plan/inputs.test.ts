// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { planOf, refusalOf } from './project-fixture.ts';

const repository = path.resolve(import.meta.dirname, '../../..');

const files = {
  'profile.schema.json': JSON.stringify({
    type: 'object',
    additionalProperties: false,
    properties: {
      reference: { type: 'object', properties: { logs: { type: ['string', 'null'] } } },
      name: { type: 'string' },
    },
  }),
  'profiles/small.yaml': 'name: a\n',
};

const pipelineOf = (inputs: string) =>
  `version: 1\nprofiles: {folder: profiles, default: small, schema: profile.schema.json}\nstages:\n  a: {run: stages/a.ts, inputs: ${inputs}, outputs: [artifacts/a]}\n`;

const optional = pipelineOf(
  '{logs: {path: "${reference.logs}", external: true, optional: true}, code: stages/b.ts}',
);

async function inputsOf(set: readonly string[], pipeline = optional): Promise<string[]> {
  const plan = await planOf(pipeline, files, { set: [...set] });
  return plan.instances.get('a')?.inputs.map((input) => input.path) ?? [];
}

describe('a path with a reference to a list', () => {
  const pipeline = pipelineOf('["data/${names}.txt", stages/b.ts]');
  const some = { 'data/x.txt': '', 'data/y.txt': '', 'data/z.txt': '' };
  const set = ['names=[x, y]'];

  test('stands for one input for each of its entries, in order', async () => {
    const plan = await planOf(pipeline, { ...files, ...some, 'profile.schema.json': '{}' }, { set });
    expect(plan.instances.get('a')?.inputs.map((input) => input.path)).toEqual([
      'data/x.txt',
      'data/y.txt',
      'stages/b.ts',
    ]);
  });

  test('names the entry whose file does not exist', async () => {
    const request = { set: ['names=[x, w]'] };
    expect(await refusalOf(pipeline, { ...files, ...some, 'profile.schema.json': '{}' }, request)).toContain(
      'input "data/w.txt" is made by no stage and is not on disk.\n  Closest: "data/x.txt".\n  ${names} is "w" (--set names=[x, w]).',
    );
  });
});

test('a list of mappings in a path is refused, not left out', async () => {
  const pipeline = pipelineOf('["data/${names}.txt", stages/b.ts]');
  const some = { ...files, 'data/x.txt': '', 'profile.schema.json': '{}' };
  expect(await refusalOf(pipeline, some, { set: ['names=[x, {a: 1}]'] })).toBe(
    'pipeline.yaml:4:40  stage "a": "${names}" is a list and cannot be part of a longer string.',
  );
});

describe('the committed pipeline', () => {
  test('reads no model file that the profile does not name', async () => {
    const { instances } = await loadPlan({
      projectRoot: repository,
      profile: 'quick',
      set: ['models=[lif]'],
    });
    const read = [...instances.values()].flatMap(({ inputs }) => inputs.map((input) => input.path));
    expect(new Set(read.filter((file) => file.startsWith('configs/models')))).toEqual(
      new Set(['configs/models/lif.yaml']),
    );
  });
});

describe('an optional input', () => {
  test('does not exist if the profile leaves out its key or sets it to null', async () => {
    expect(await inputsOf([])).toEqual(['stages/b.ts']);
    expect(await inputsOf(['reference={}'])).toEqual(['stages/b.ts']);
    expect(await inputsOf(['reference.logs=null'])).toEqual(['stages/b.ts']);
  });

  test('is like any other if the profile names it', async () => {
    expect(await inputsOf(['reference.logs=../logs'])).toEqual([
      expect.stringMatching(/\/logs$/),
      'stages/b.ts',
    ]);
    const [input] = (await planOf(optional, files, { set: ['reference.logs=logs'] })).instances.get(
      'a',
    )!.inputs;
    expect(input).toMatchObject({ name: 'logs', path: 'logs', external: true });
  });

  test('may be part of a folder that the profile names', async () => {
    const pipeline = pipelineOf(
      '{extra: {path: "${reference.logs}/${name}", external: true, optional: true}}',
    );
    expect(await inputsOf([], pipeline)).toEqual([]);
    expect(await inputsOf(['reference.logs=logs'], pipeline)).toEqual(['logs/a']);
  });

  test('makes the stage wait if another makes it', async () => {
    const pipeline = `${pipelineOf('{extra: {path: "artifacts/${name}", optional: true}}')}  b: {run: stages/b.ts, outputs: [artifacts/b]}\n`;
    const plan = await planOf(pipeline, files, { set: ['name=b'] });
    expect(plan.dependencies.get('a')).toEqual(['b']);
  });

  test.each(
    Object.entries<[inputs: string, message: string]>({
      'a key that no profile may have': [
        '{extra: {path: "${refrence.logs}", optional: true}}',
        'pipeline.yaml:4:49  stage "a": "${refrence.logs}" is not set: profile "small" has no "refrence.logs".\n  Closest: "reference.logs".',
      ],
      'a list, in which it would move others': [
        '[{path: "${reference.logs}", external: true, optional: true}, stages/b.ts]',
        'pipeline.yaml:4:34  stage "a": inputs[0] is optional, so the inputs need names.\n  Write a map: inputs: { data: artifacts/data, notes: { path: …, optional: true } }.',
      ],
      'a path that does not exist, if it is not external': [
        '{extra: {path: "${name}", optional: true}}',
        'pipeline.yaml:4:48  stage "a": input "a" is made by no stage and is not on disk.\n  Known: "profiles", "stages".\n  ${name} is "a" (profiles/small.yaml:1:7).',
      ],
    }),
  )('is rejected for %s', async (_, [inputs, message]) => {
    expect(await refusalOf(pipelineOf(inputs), files)).toBe(message);
  });
});

describe("the project's own profiles", () => {
  test.each(['quick', 'full', 'mnist', 'words'])(
    '%s lets the report read curves to compare with, and works without them',
    async (profile) => {
      const inputsOf = async (set: string[]) =>
        (await loadPlan({ projectRoot: repository, profile, set })).instances
          .get('report')
          ?.inputs.map((input) => input.path);
      const without = (await inputsOf(['reference.logs=~'])) ?? [];
      expect(without).toContain('configs/claims.yaml');
      expect(without).not.toContain('/logs');
      expect(await inputsOf(['reference.logs=/logs'])).toEqual([...without, '/logs']);
    },
  );
});
