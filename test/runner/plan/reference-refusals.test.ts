// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { describe, expect, test } from 'vitest';
import { loadPlan, type PlanRequest } from '../../../src/runner/plan/load.ts';
import { profileFiles, profileHead } from './profiles.ts';
import { makeProject, refusalOf } from './project-fixture.ts';

const head = 'version: 1\nstages:\n';

describe('references are rejected', () => {
  test.each(
    Object.entries<[stage: string, expected: string, request?: Partial<PlanRequest>]>({
      'when a matrix has no values': [
        `  a: {matrix: {m: "\${models}"}, run: stages/a.ts, outputs: ["artifacts/\${m}"]}\n`,
        'pipeline.yaml:4:19  stage "a": matrix variable "m" has no values, so nothing would run.\n  ${models} is an empty list (--set models=[]).\n  To leave the stage out of a profile, use `when:`.',
        { set: ['models=[]'] },
      ],
      'when a matrix has a value twice': [
        `  a: {matrix: {m: [1, "1"]}, run: stages/a.ts, outputs: ["artifacts/\${m}"]}\n`,
        'pipeline.yaml:4:7  stage "a": the matrix contains "a@1" twice.',
      ],
      'when an input comes from a stage that the profile leaves out': [
        `  make: {when: "\${data.simulated}", run: stages/a.ts, outputs: [artifacts/data]}
  read: {run: stages/b.ts, inputs: [artifacts/data/x], outputs: [artifacts/b]}
`,
        'pipeline.yaml:5:37  stage "read": input "artifacts/data/x" is made by no stage and is not on disk.\n  Stage "make" would make it, but profile "large" leaves that stage out.',
        { profile: 'large' },
      ],
      'when a value leads an output out of the project': [
        `  make: {run: stages/a.ts, outputs: ["\${data.root}"]}\n`,
        'pipeline.yaml:4:38  stage "make": output "/data/x" leaves the project.\n  The runner replaces and deletes what stages write, so it must be below artifacts/.\n  ${data.root} is "/data/x" (--set data.root=/data/x).',
        { set: ['data.root=/data/x'] },
      ],
      'when they are not set, with the closest key': [
        `  a: {run: stages/a.ts, inputs: ["x/\${data.rot}"], outputs: [artifacts/a]}\n`,
        'pipeline.yaml:4:37  stage "a": "${data.rot}" is not set: profile "small" has no "data.rot".\n  Closest: "data.root".',
      ],
      'when the matrix has no such variable': [
        `  a: {matrix: {model: [x]}, run: stages/a.ts, outputs: ["artifacts/\${modle}"]}\n`,
        'pipeline.yaml:4:68  stage "a": "${modle}" is not set: profile "small" has no "modle", nor does the matrix.\n  Closest: "${model}".',
      ],
      'when a path is made from a list': [
        `  a: {run: stages/a.ts, outputs: ["\${models}"]}\n`,
        'pipeline.yaml:4:35  stage "a": "${models}" is a list; expected a string.',
      ],
      'when params names nothing': [
        `  a: {run: stages/a.ts, params: [trian], outputs: [artifacts/a]}\n`,
        'pipeline.yaml:4:34  stage "a": params "trian" is not set by profile "small".\n  Closest: "train".',
      ],
      'when a condition names a key that no profile can have': [
        `  a: {when: "\${data.simulate}", run: stages/a.ts, outputs: [artifacts/a]}\n`,
        'pipeline.yaml:4:14  stage "a": "${data.simulate}" is not set: profile "small" has no "data.simulate".\n  Closest: "data.simulated".',
      ],
      'when a matrix is not a list': [
        `  a: {matrix: {m: "\${train}"}, run: stages/a.ts, outputs: ["artifacts/\${m}"]}\n`,
        'pipeline.yaml:4:19  stage "a": matrix variable "m" must be a list, not a mapping.\n  ${train} is a mapping (profiles/small.yaml:5:3).',
      ],
    }),
  )('%s', async (_, [stage, expected, request]) => {
    expect(await refusalOf(profileHead + stage, profileFiles, request)).toBe(expected);
  });

  test.each(['a/b', '..', '-rf', '"a\\u0007"', '"a,b"', 'a@b', '"a b"', '""'])(
    'when the matrix value %s would be unsafe in a path',
    async (value) => {
      const refusal = await refusalOf(
        `${head}  a: {matrix: {m: [ok, ${value}]}, run: stages/a.ts, outputs: ["artifacts/\${m}"]}\n`,
      );
      expect(refusal).toMatch(/^pipeline\.yaml:3:24 {2}stage "a": matrix value .* cannot be part of a path/);
    },
  );

  test('when a matrix value in the profile is unsafe, at its place there', async () => {
    const stage = `  a: {matrix: {m: "\${models}"}, run: stages/a.ts, outputs: ["artifacts/\${m}"]}\n`;
    const files = { ...profileFiles, 'profiles/small.yaml': 'models:\n  - fine\n  - ../evil\n' };
    expect(await refusalOf(profileHead + stage, files)).toMatch(
      /^profiles\/small\.yaml:3:5 {2}stage "a": matrix value/,
    );
  });

  test('when a value would make a stage overwrite the user’s data, naming the profiles that only read it', async () => {
    const stages = `  make: {when: "\${data.simulated}", run: stages/a.ts, outputs: ["\${data.root}"]}\n`;
    const files = { ...profileFiles, 'profiles/other.yaml': 'models: [one]\ndata: {simulated: false}\n' };
    const advice =
      '  Profile "small" makes this data itself, in stage "make". To use your own data, pick a profile that only reads it: --profile NAME.';
    expect(await refusalOf(profileHead + stages, files, { set: ['data.root=data'] })).toBe(
      `pipeline.yaml:4:65  stage "make": output "data" is not below artifacts/.
  The runner replaces and deletes what stages write, so it must be below artifacts/.
  \${data.root} is "data" (--set data.root=data).
${advice}`,
    );
    expect(
      await refusalOf(profileHead + stages, {
        ...files,
        'profiles/small.yaml': 'models: [one]\ndata: {simulated: true, root: /data}\n',
      }),
    ).toBe(
      `pipeline.yaml:4:65  stage "make": output "/data" leaves the project.
  The runner replaces and deletes what stages write, so it must be below artifacts/.
  \${data.root} is "/data" (profiles/small.yaml:2:31).
${advice}`,
    );
  });
});

describe('configuration files that stages read', () => {
  const pipeline = (inputs: string) =>
    `version: 1
schemas: {"configs/models/*.yaml": model.schema.json}
stages:
  a: {run: stages/a.ts, inputs: [${inputs}], outputs: [artifacts/a]}
`;
  const files = {
    'model.schema.json':
      '{"type": "object", "additionalProperties": false, "properties": {"id": {"type": "string"}}}',
    'configs/models/good.yaml': 'id: good\n',
    'configs/models/bad.yaml': 'id: bad\nidd: 3\n',
    'configs/models/broken.yaml': 'id: [\n',
    'configs/models/notes.txt': 'not YAML: [',
  };

  test('are checked against their schema if they are inputs', async () => {
    expect(await refusalOf(pipeline('configs/models/bad.yaml'), files)).toBe(
      'configs/models/bad.yaml:2:1  unknown key "idd".\n  Closest: "id".',
    );
  });

  test('are checked against their schema if they are in an input', async () => {
    const refusal = await refusalOf(pipeline('configs'), files);
    expect(refusal.split('\n').filter((line) => !line.startsWith(' '))).toEqual([
      'configs/models/bad.yaml:2:1  unknown key "idd".',
      expect.stringMatching(/^configs\/models\/broken\.yaml:\d+:\d+ {2}not YAML/),
    ]);
  });

  test('are ignored if no stage reads them', async () => {
    await expect(
      loadPlan({
        projectRoot: await makeProject({ ...files, 'pipeline.yaml': pipeline('configs/models/good.yaml') }),
      }),
    ).resolves.toBeDefined();
  });

  test('need a schema that exists', async () => {
    expect(
      await refusalOf(pipeline('configs/models/good.yaml'), { 'configs/models/good.yaml': 'id: good\n' }),
    ).toBe('model.schema.json  this JSON Schema cannot be read.');
  });
});
