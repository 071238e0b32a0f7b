// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { realpath, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPlan } from '../../../src/runner/plan/load.ts';
import { failureOf, makeProject, refusalOf } from './project-fixture.ts';

const head = 'version: 1\nstages:\n';
const own = "Give each its own path: otherwise one would delete the other's work.";

describe('a pipeline file is rejected', () => {
  test.each(
    Object.entries<[pipeline: string, expected: string]>({
      'for an unknown key of a stage': [
        `${head}  a: {run: stages/a.ts, output: [artifacts/a]}\n`,
        'pipeline.yaml:3:25  stage "a": unknown key "output".\n  Closest: "outputs".',
      ],
      'for an unknown key at the top': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/a]}\nprofile: {}\n`,
        'pipeline.yaml:4:1  unknown key "profile".\n  Closest: "profiles".',
      ],
      'for a stage that lost its indentation': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/a]}\ntrain: {run: stages/a.ts, outputs: [artifacts/b]}\n`,
        'pipeline.yaml:4:1  unknown key "train".\n  Known: "version", "profiles", "machine", "cache", "schemas", "stages".',
      ],
      'for a stage without a command': [
        `${head}  a: {outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:3  stage "a": must have exactly one of "run" and "cmd"; it has neither.\n  One kind of work: how it is run, what it reads, what it produces.',
      ],
      'for a stage with two commands': [
        `${head}  a: {run: stages/a.ts, cmd: [ls], outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:3  stage "a": must have exactly one of "run" and "cmd"; it has both.\n  One kind of work: how it is run, what it reads, what it produces.',
      ],
      'for a command that is not a list': [
        `${head}  a: {cmd: python3 plot.py --dpi 90, outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:12  stage "a": cmd: must be a list, not "python3 plot.py --dpi 90".\n  Write a list in brackets, with commas: [a, b].',
      ],
      'for a stage without outputs': [
        `${head}  a: {run: stages/a.ts}\n`,
        'pipeline.yaml:3:3  stage "a": "outputs" is missing.\n  outputs: Files and folders below artifacts/ that only this stage makes. The runner owns, replaces and deletes them.',
      ],
      'for an unknown version': [
        'version: 2\nstages: {a: {run: stages/a.ts, outputs: [artifacts/a]}}\n',
        'pipeline.yaml:1:10  version: 2 is not 1.\n  The version of this format. There is only one: write `version: 1`.',
      ],
      'for an invalid name': [
        `${head}  "a b": {run: stages/a.ts, outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:3  stages: "a b" is not allowed as a name here.\n  A name consists of letters, digits, "_" and "-", and begins with a letter.',
      ],
      'for a condition that is more than one reference': [
        `${head}  a: {when: "\${x} == y", run: stages/a.ts, outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:13  stage "a": when: "${x} == y" has the wrong form.\n  Whether the profile includes this stage: true, false, "${key}" or "!${key}". A key whose value is false, null, 0 or "", or that the profile leaves out, means no.',
      ],
      'that is a list': ['- a\n', 'pipeline.yaml:1:1  must be a mapping, not a list.'],
      'for a module that does not exist': [
        `${head}  a: {run: stages/aa.ts, outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:12  stage "a": module "stages/aa.ts" does not exist.\n  Closest: "stages/a.ts".',
      ],
      'for a memory that is not a size and a time that is not a duration': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/a], resources: {memory: 4 apples, time: 3 weeks}}\n`,
        'pipeline.yaml:3:69  stage "a": memory "4 apples" is not a size.\n  Write it as 512M or 4G.\npipeline.yaml:3:85  stage "a": time "3 weeks" is not a duration.\n  Write it as 90s, 30m, 48h or 2d.',
      ],
      'for a number of cores that is none': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/a], resources: {cpu: most}}\n`,
        'pipeline.yaml:3:66  stage "a": cpu "most" is not a whole number.\n  Write a whole number >= 1, or share for an equal share of all cores.',
      ],
      'for a time without a unit': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/a], resources: {time: 48}}\n`,
        'pipeline.yaml:3:67  stage "a": time 48 is not a duration.\n  Write it as 90s, 30m, 48h or 2d.',
      ],
      'that is empty': ['# nothing yet\n', 'pipeline.yaml:1:1  the file is empty.'],
      'for an input that nothing makes': [
        `${head}  frames: {run: stages/a.ts, outputs: [artifacts/frames]}\n  train: {run: stages/b.ts, inputs: [artifacts/frame], outputs: [artifacts/train]}\n`,
        'pipeline.yaml:4:38  stage "train": input "artifacts/frame" is made by no stage and is not on disk.\n  Closest: "artifacts/frames" (made by "frames").',
      ],
      'for an input below a misspelt output': [
        `${head}  frames: {run: stages/a.ts, outputs: [artifacts/frames]}\n  train: {run: stages/b.ts, inputs: [artifacts/frmaes/clips.json], outputs: [artifacts/train]}\n`,
        'pipeline.yaml:4:38  stage "train": input "artifacts/frmaes/clips.json" is made by no stage and is not on disk.\n  Closest: "artifacts/frames/clips.json" (made by "frames").',
      ],
      'for a cycle, with its path': [
        `${head}  b: {run: stages/a.ts, inputs: [artifacts/a], outputs: [artifacts/b]}\n  c: {run: stages/a.ts, inputs: [artifacts/b/x], outputs: [artifacts/c]}\n  a: {run: stages/a.ts, inputs: [artifacts/c], outputs: [artifacts/a]}\n  d: {run: stages/a.ts, inputs: [artifacts/a], outputs: [artifacts/d]}\n`,
        'pipeline.yaml:3:34  stage "b": the stages wait for each other: b -> c -> a -> b.\n  "c" reads "artifacts/b/x", made by "b".\n  "a" reads "artifacts/c", made by "c".\n  "b" reads "artifacts/a", made by "a".\n  Remove one of these inputs.',
      ],
      'for two stages with one output': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/x]}\n  b: {run: stages/b.ts, outputs: [./artifacts/x/]}\n`,
        `pipeline.yaml:4:35  stage "b": output "artifacts/x" is also the output of "a" (pipeline.yaml:3:35).\n  ${own}`,
      ],
      'for an output inside another': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/x]}\n  b: {run: stages/b.ts, outputs: [artifacts/x/y]}\n`,
        `pipeline.yaml:4:35  stage "b": output "artifacts/x/y" lies inside output "artifacts/x" of "a" (pipeline.yaml:3:35).\n  ${own}`,
      ],
      'for an output around another': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/x/y]}\n  b: {run: stages/b.ts, outputs: [artifacts/x]}\n`,
        `pipeline.yaml:4:35  stage "b": output "artifacts/x" contains output "artifacts/x/y" of "a" (pipeline.yaml:3:35).\n  ${own}`,
      ],
      'for an output twice in one stage': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/x, artifacts/x]}\n`,
        `pipeline.yaml:3:48  stage "a": output "artifacts/x" is also the output of "a" (pipeline.yaml:3:35).\n  ${own}`,
      ],
      'for instances that share an output': [
        `${head}  a: {matrix: {m: [x], s: [1, 2, 3]}, run: stages/a.ts, outputs: ["artifacts/\${m}"]}\n`,
        'pipeline.yaml:3:67  stage "a": output "artifacts/x" is also the output of "a@x,1" (pipeline.yaml:3:67).\n  Add ${s} to the path.',
      ],
      'for an output inside its own input': [
        `${head}  a: {run: stages/a.ts, inputs: [artifacts/in], outputs: [artifacts/in/out]}\n`,
        'pipeline.yaml:3:59  stage "a": output "artifacts/in/out" lies inside its own input "artifacts/in".\n  A stage that changes its own input would never be up to date.',
      ],
      'for an output that is its own input': [
        `${head}  a: {run: stages/a.ts, inputs: [artifacts/in], outputs: [artifacts/in]}\n`,
        'pipeline.yaml:3:59  stage "a": output "artifacts/in" is also its own input "artifacts/in".\n  A stage that changes its own input would never be up to date.',
      ],
      'for a resume path inside an output': [
        `${head}  a: {run: stages/a.ts, outputs: [artifacts/a], resume: [artifacts/a/resume]}\n`,
        `pipeline.yaml:3:58  stage "a": resume path "artifacts/a/resume" lies inside output "artifacts/a" of "a" (pipeline.yaml:3:35).\n  ${own}`,
      ],
      'for instances that share a resume path': [
        `${head}  a: {matrix: {s: [1, 2]}, run: stages/a.ts, outputs: ["artifacts/\${s}"], resume: [artifacts/r]}\n`,
        'pipeline.yaml:3:84  stage "a": resume path "artifacts/r" is also the resume path of "a@1" (pipeline.yaml:3:84).\n  Add ${s} to the path.',
      ],
      'for an input in the runner’s folder': [
        `${head}  a: {run: stages/a.ts, inputs: [artifacts/.cache/store], outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:34  stage "a": input "artifacts/.cache/store" is in or around "artifacts/.cache", which is not for stages.',
      ],
      'for a path that leaves the project': [
        `${head}  a: {run: stages/a.ts, inputs: [../x], outputs: [artifacts/../../y]}\n`,
        'pipeline.yaml:3:34  stage "a": input "../x" leaves the project.\n  Declare data outside the project as { path: …, external: true }.\npipeline.yaml:3:51  stage "a": output "artifacts/../../y" leaves the project.\n  The runner replaces and deletes what stages write, so it must be below artifacts/.',
      ],
      'for an absolute path': [
        `${head}  a: {run: stages/a.ts, inputs: [/data/x], outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:34  stage "a": input "/data/x" leaves the project.\n  Declare data outside the project as { path: …, external: true }.',
      ],
      'for an external input around the project': [
        `${head}  a: {run: stages/a.ts, inputs: [{path: /, external: true}], outputs: [artifacts/a]}\n`,
        'pipeline.yaml:3:41  stage "a": input "/" contains the project itself.',
      ],
      'for patterns, spaces and backslashes in paths': [
        `${head}  a: {run: stages/a.ts, inputs: ["data/*.csv", " ", 'a\\b'], outputs: ["artifacts/\\0"]}\n`,
        'pipeline.yaml:3:34  stage "a": input "data/*.csv" contains "*"; patterns are not expanded.\n  Name the folder: it includes everything inside.\npipeline.yaml:3:48  stage "a": input " " is empty.\npipeline.yaml:3:53  stage "a": input "a\\\\b" contains a backslash.\n  Separate folders with "/".\npipeline.yaml:3:71  stage "a": output "artifacts/\\u0000" contains a control character.\n  The runner replaces and deletes what stages write, so it must be below artifacts/.',
      ],
    }),
  )('%s', async (_, [pipeline, expected]) => {
    expect(await refusalOf(pipeline, { 'data/x': '' })).toBe(expected);
  });

  test.each([
    ['.', 'is the whole project.'],
    ['data/x', 'is not below artifacts/.'],
    ['artifacts/../data', 'is not below artifacts/.'],
    ['artifacts', 'is not below artifacts/.'],
    ['artifacts2/x', 'is not below artifacts/.'],
    ['Artifacts/x', 'is not below artifacts/.'],
    ['artifacts/x/../.cache', 'is in or around "artifacts/.cache", which is not for stages.'],
    ['artifacts/README.md', 'is in or around "artifacts/README.md", which is not for stages.'],
  ])('for an output or a resume folder at "%s"', async (written, expected) => {
    for (const [paths, kind, column] of [
      [`outputs: ["${written}"]`, 'output', 35],
      [`resume: ["${written}"], outputs: [artifacts/a]`, 'resume path', 34],
    ] as const) {
      const refusal = await refusalOf(`${head}  a: {run: stages/a.ts, ${paths}}\n`);
      const place = `pipeline.yaml:3:${column}`;
      expect(refusal.split('\n')[0]).toBe(`${place}  stage "a": ${kind} "${written}" ${expected}`);
    }
  });

  test('for an absolute output inside the project', async () => {
    const root = await makeProject({});
    const pipeline = `${head}  a: {run: stages/a.ts, outputs: ["${root}/artifacts/x"]}\n`;
    await writeFile(path.join(root, 'pipeline.yaml'), pipeline);
    expect(await failureOf(loadPlan({ projectRoot: root }))).toBe(
      `pipeline.yaml:3:35  stage "a": output "${root}/artifacts/x" is absolute.\n  Write "artifacts/x".`,
    );
  });

  test('for an output behind a link, even one that stays inside the project', async () => {
    const root = await makeProject({
      'pipeline.yaml': `${head}  a: {run: stages/a.ts, outputs: [artifacts/linked/x], resume: [artifacts/linked]}\n`,
      'data/mine': '',
      'artifacts/other': '',
    });
    await symlink('../data', path.join(root, 'artifacts/linked'));
    const target = path.join(await realpath(root), 'data');
    expect((await failureOf(loadPlan({ projectRoot: root }))).split('\n').slice(0, 2)).toEqual([
      `artifacts/linked  is a symbolic link to "${target}", and the runner replaces and deletes what is there.`,
      '  Remove the link, which leaves what it leads to alone: rm artifacts/linked',
    ]);
  });

  test('for all problems of several stages, in file order', async () => {
    const refusal = await refusalOf(
      `${head}  a: {run: stages/x.ts, outputs: ["artifacts/\${q}"]}\n  b: {run: stages/a.ts, inputs: [/x], outputs: [artifacts/b]}\n`,
    );
    expect(refusal.split('\n').filter((line) => !line.startsWith(' '))).toEqual([
      'pipeline.yaml:3:12  stage "a": module "stages/x.ts" does not exist.',
      'pipeline.yaml:3:46  stage "a": "${q}" is not set: profile "none" has no "q".',
      'pipeline.yaml:4:34  stage "b": input "/x" leaves the project.',
    ]);
  });

  test('if a link leads out of the project', async () => {
    const root = await makeProject({
      'pipeline.yaml': `${head}  a: {run: stages/a.ts, inputs: [linked/x], outputs: [artifacts/a]}\n`,
    });
    await symlink(os.tmpdir(), path.join(root, 'linked'));
    await symlink('/nonexistent/target', path.join(root, 'artifacts'));
    expect((await failureOf(loadPlan({ projectRoot: root }))).split('\n')).toEqual([
      'artifacts  is a symbolic link to "/nonexistent/target", and the runner replaces and deletes what is there.',
      '  Remove the link, which leaves what it leads to alone: rm artifacts',
      '  To keep artifacts/ on another disk, mount a folder of it there:',
      '  mkdir artifacts && sudo mount --bind /nonexistent/target artifacts',
      expect.stringMatching(
        /^pipeline\.yaml:3:34 {2}stage "a": input "linked\/x" leaves the project through the link "linked" to ".+"\.$/,
      ),
      '  Declare data outside the project as { path: …, external: true }.',
    ]);
  });

  test('when it is missing, or a folder is in its place', async () => {
    const root = await makeProject({});
    expect(await failureOf(loadPlan({ projectRoot: root }))).toBe('pipeline.yaml  this file does not exist.');
    const folder = await makeProject({ 'pipeline.yaml/file': '' });
    expect(await failureOf(loadPlan({ projectRoot: folder }))).toBe(
      'pipeline.yaml  cannot be read: expected a regular file, found a folder',
    );
  });
});
