// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/base/schema/json.ts';
import type { PlanRequest } from '../../../src/runner/plan/load.ts';
import { profileFiles, profileHead } from './profiles.ts';
import { planOf, refusalOf } from './project-fixture.ts';

const pipeline = `${profileHead}  a: {run: stages/a.ts, outputs: [artifacts/a]}\n`;

async function settingsOf(request: Partial<PlanRequest>, profile?: string): Promise<Json> {
  const files = profile === undefined ? {} : { 'profiles/small.yaml': profile };
  return (await planOf(pipeline, { ...profileFiles, ...files }, request)).settings;
}

function refuse(request: Partial<PlanRequest>, profile?: string): Promise<string> {
  const files = profile === undefined ? {} : { 'profiles/small.yaml': profile };
  return refusalOf(pipeline, { ...profileFiles, ...files }, request);
}

describe('a profile', () => {
  test('is the one requested, or the default', async () => {
    expect(await settingsOf({})).toMatchObject({ models: ['one', 'two'] });
    expect(await settingsOf({ profile: 'large' })).toMatchObject({ models: ['one'] });
  });

  test('may extend another one, and errors name the file that says the value', async () => {
    const parent =
      'models: [one, two]\ndata: {root: a, simulated: false}\ntitle: "${data.root}"\ntrain: {epochs: 9}\n';
    const extend = (own: string, base = parent) => ({
      ...profileFiles,
      'profiles/large.yaml': base,
      'profiles/small.yaml': `extends: large\n${own}`,
    });
    const own = 'models: [three]\ndata: {root: b}\ntrain: {epochs: null}\n';
    expect((await planOf(pipeline, extend(own), {})).settings).toEqual({
      models: ['three'],
      data: { root: 'b', simulated: false },
      title: 'b',
      train: {},
    });
    expect(
      await refusalOf(pipeline, extend('train: {epochs: x}\n', parent.replace('[one, two]', '1'))),
    ).toMatch(/^profiles\/large.yaml:1:9 {2}models: .*\nprofiles\/small.yaml:2:17 {2}train.epochs: /);
    expect(await refusalOf(pipeline, extend('', 'extends: small\n'))).toMatch(
      /^profiles\/small.yaml:1:10 .*"large" extends/,
    );
    expect(await refuse({}, 'extends: larg\n')).toBe(
      'profiles/small.yaml:1:10  there is no profile "larg" in profiles.\n  Closest: "large".',
    );
  });

  test('may refer to its own values', async () => {
    const profile =
      'models: [a]\ntrain: {epochs: 3}\ntitle: "${train.epochs} epochs of ${models}${extra}"\nextra: ""\n';
    expect(await refuse({}, profile)).toBe(
      'profiles/small.yaml:3:35  title: "${models}" is a list and cannot be part of a longer string.',
    );
    expect(
      await settingsOf({}, 'models: ["${extra}-${train.epochs}"]\ntrain: {epochs: 3}\nextra: $${x}\n'),
    ).toMatchObject({ models: ['${x}-3'], extra: '${x}' });
    expect(await settingsOf({ set: ['train.epochs=${data.size}', 'data.size=5'] })).toMatchObject({
      train: { epochs: 5 },
    });
  });

  test('may not refer to itself', async () => {
    expect(await refuse({}, 'models: [a]\ntitle: "x ${extra}"\nextra: "${title}"\n')).toContain(
      'refers to itself',
    );
    expect(await refuse({}, 'models: ["${models}"]\n')).toContain('refers to itself');
  });

  test('that is unknown is rejected with the closest', async () => {
    expect(await refuse({ profile: 'smal' })).toBe(
      '--profile smal  there is no profile "smal" in profiles.\n  Closest: "small".',
    );
    expect(await refuse({ profile: '../profiles/small' })).toContain(
      'there is no profile "../profiles/small"',
    );
    expect(await refusalOf(pipeline.replace('default: small', 'default: tiny'), profileFiles)).toBe(
      'pipeline.yaml:2:39  there is no profile "tiny" in profiles.\n  Known: "large", "small".',
    );
  });

  test('is rejected with the place in its own file', async () => {
    expect(await refuse({}, 'models: [a]\ntrain:\n  epoch: 3\n')).toBe(
      'profiles/small.yaml:3:3  train: unknown key "epoch".\n  Closest: "epochs".',
    );
    expect(await refuse({}, 'train: {epochs: many}\n')).toBe(
      'profiles/small.yaml:1:1  "models" is missing.\nprofiles/small.yaml:1:17  train.epochs: must be a whole number, not "many".',
    );
    expect(await refuse({}, '- a\n')).toBe(
      'profiles/small.yaml:1:1  a profile must be a mapping of keys to values.',
    );
    expect(await refuse({}, '')).toBe('profiles/small.yaml:1:1  the file is empty.');
  });

  test('is not needed if a pipeline has none', async () => {
    const bare = 'version: 1\nstages:\n  a: {run: stages/a.ts, params: [x.y], outputs: [artifacts/a]}\n';
    const plan = await planOf(bare, {}, { set: ['x.y=3'] });
    expect(plan.instances.get('a')?.params).toEqual({ x: { y: 3 } });
    expect(await refusalOf(bare, {}, { profile: 'p' })).toBe('--profile p  pipeline.yaml has no profiles.');
  });
});

describe('an override', () => {
  test('is read as YAML', async () => {
    expect(
      await settingsOf({
        set: ['train.epochs=5', 'models=[a, b]', 'title="3"', 'data={simulated: false}', 'extra=a=b'],
      }),
    ).toEqual({
      models: ['a', 'b'],
      seeds: [1, 2],
      data: { simulated: false },
      train: { epochs: 5 },
      title: '3',
      extra: 'a=b',
    });
  });

  test('may set what the profile leaves out, and the last one wins', async () => {
    expect(await settingsOf({ set: ['train.rate=0.1', 'train.rate=0.2'] })).toMatchObject({
      train: { epochs: 3, rate: 0.2 },
    });
    expect(await settingsOf({ profile: 'large', set: ['train.epochs=9'] })).toMatchObject({
      train: { epochs: 9 },
    });
  });

  test.each(
    Object.entries<string>({
      'train.epochs=x': '--set train.epochs=x  train.epochs: must be a whole number, not "x".',
      'train.epochs="3"':
        '--set train.epochs="3"  train.epochs: must be a whole number, not "3".\n  Write it without quotes: 3.',
      'title="a':
        '--set title="a  not YAML: Missing closing "quote.\n  Quote the value for YAML: --set \'title="…"\'.',
      'train=fast': '--set train=fast  train: must be a mapping, not "fast".',
      'train.epochs=0': '--set train.epochs=0  train.epochs: must be at least 1, not 0.',
      'train.epoch=3': '--set train.epoch=3  train: unknown key "epoch".\n  Closest: "epochs".',
      'epochs=3': '--set epochs=3  unknown key "epochs".\n  Closest: "train.epochs".',
      'loss.rate=3': '--set loss.rate=3  unknown key "loss".\n  Closest: "train.rate".',
      'trian.epochs=3': '--set trian.epochs=3  unknown key "trian".\n  Closest: "train".',
      'models.0=x':
        '--set models.0=x  "models.0" is not a profile key.\n  A key is a dotted name such as train.epochs.',
      'models.first=x': '--set models.first=x  models: must be a list, not a mapping.',
      'train.epochs.deep=1':
        '--set train.epochs.deep=1  train.epochs: must be a whole number, not a mapping.',
      'models=one':
        '--set models=one  models: must be a list, not "one".\n  Write a list in brackets, with commas: [a, b].',
      'train.epochs': '--set train.epochs  has no value.\n  Write --set train.epochs=VALUE.',
      'title=': '--set title=  has no value.\n  For an empty string write --set \'title=""\'.',
      '=3': '--set =3  "" is not a profile key.\n  A key is a dotted name such as train.epochs.',
      'a..b=3': '--set a..b=3  "a..b" is not a profile key.\n  A key is a dotted name such as train.epochs.',
      'title=${nothing}': '--set title=${nothing}  title: "${nothing}" is not set by profile "small".',
    }),
  )('is rejected: %s', async (assignment, expected) => {
    expect(await refuse({ set: [assignment] })).toBe(expected);
  });

  test('that is not YAML is to be closed or quoted', async () => {
    expect(await refuse({ set: ['models=[one'] })).toBe(
      '--set models=[one  not YAML: Flow sequence must end with a ].\n  Close it with ]. A text that begins so is quoted for YAML: --set \'models="…"\'.',
    );
    expect(await refuse({ set: ['title=[a'] })).toMatch(
      /^--set title=\[a {2}not YAML: [\s\S]*--set 'title="…"'\.$/,
    );
  });
});
