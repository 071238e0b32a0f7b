// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeEvidence, followEvidence, readEvidence } from '../../src/app/run/evidence.ts';
import { applyEvent } from '../../src/app/view/run-state.ts';
import { collectResults, type Sources } from '../../src/report/collect.ts';
import { answerQuestion, type QuestionArm } from '../../src/report/data/question.ts';
import { loadPlan } from '../../src/runner/plan/load.ts';
import type { Plan } from '../../src/runner/plan/plan.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { Attempts } from '../../src/runner/store/attempts.ts';
import { cacheFolderOf } from '../../src/runner/store/cache-folder.ts';
import { openRecords } from '../../src/runner/store/records.ts';
import { type MadeUp, QUICK, writeMadeUpResults } from '../report/made-up-results.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { stateAfter } from './view-events.ts';

const made: MadeUp = {
  ...QUICK,
  models: ['baseline', 'no-reg', 'lambda-0.1'],
  seeds: [3, 4, 5, 6],
  folds: true,
};
const question = { baseline: 'baseline', margin: 0.02 };

/** Copies results made in advance. */
const copying = (stage: string, input: string) => `  ${stage}:
    matrix: { model: "\${models}", seed: "\${seeds}" }
    cmd: [sh, -c, 'cp -r "$REPRO_INPUT_0" "$REPRO_OUTPUT_0"']
    inputs: ["made/artifacts/${stage}/\${model}/\${seed}", ${input}]
    outputs: ["artifacts/${stage}/\${model}/\${seed}"]
`;
const files = {
  'pipeline.yaml': `version: 1
profiles: { folder: configs/profiles, default: small }
stages:
${copying('train', 'configs/profiles')}${copying('evaluate', '"artifacts/train/${model}/${seed}"')}`,
  'configs/profiles/small.yaml': `models: [${made.models}]
seeds: [${made.seeds}]
dataset: { simulated: true }
report: { question: { baseline: baseline, margin: 0.02 } }
`,
};

let project: CliProject;
let sources: Sources;
let plan: Plan;

beforeAll(async () => {
  project = await CliProject.createForFile(files);
  sources = await writeMadeUpResults(project.at('made'), made);
  expect((await project.call(['run'])).exitCode).toBe(0);
  plan = await loadPlan({ projectRoot: project.root });
  return () => rm(project.root, { recursive: true });
});

/** Trained and evaluated: these models with these seeds. */
const doneWith = (seedsOf: Readonly<Record<string, readonly number[]>>) => (id: string) =>
  Object.entries(seedsOf).some(([model, seeds]) => seeds.some((seed) => id.endsWith(`@${model},${seed}`)));

/** What a report of these seeds alone says of an arm. */
async function reportOf(model: string, seeds: readonly number[]): Promise<QuestionArm | undefined> {
  const results = await collectResults(sources, { models: ['baseline', model], seeds });
  return answerQuestion(results, question)?.arms[0];
}

describe('the evidence so far', () => {
  test('compares each arm with the baseline as a report of the seeds that both have', async () => {
    const seedsOf = { baseline: [3, 4, 5], 'no-reg': [3, 4, 5], 'lambda-0.1': [3, 4, 6] };
    const [noReg, lambda] = [await reportOf('no-reg', [3, 4, 5]), await reportOf('lambda-0.1', [3, 4])];
    const intervals = [noReg?.certainty?.interval, lambda?.certainty?.interval];
    expect(intervals).not.toContain(undefined);
    expect(await readEvidence(plan, doneWith(seedsOf))).toEqual({
      ...{ baseline: 'baseline', simulated: true, seedsPlanned: 4, seedsDone: 2 },
      arms: [
        {
          model: 'no-reg',
          baseline: 'baseline',
          seedsDone: 3,
          difference: noReg?.difference,
          interval: intervals[0],
        },
        {
          model: 'lambda-0.1',
          baseline: 'baseline',
          seedsDone: 2,
          difference: lambda?.difference,
          interval: intervals[1],
        },
      ],
    });
  });

  test('compares an arm with the model that the question names for it', async () => {
    const set = ['report.question={baseline: baseline, margin: 0.02, against: {lambda-0.1: no-reg}}'];
    const asked = await loadPlan({ projectRoot: project.root, set });
    const evidence = await readEvidence(asked, doneWith({ 'no-reg': [3, 4], 'lambda-0.1': [3, 4] }));
    const results = await collectResults(sources, { models: ['no-reg', 'lambda-0.1'], seeds: [3, 4] });
    const arm = answerQuestion(results, { baseline: 'no-reg', margin: 0.02 })?.arms[0];
    expect(evidence?.arms).toEqual([
      { model: 'no-reg', baseline: 'baseline', seedsDone: 0, difference: null, interval: null },
      {
        ...{ model: 'lambda-0.1', baseline: 'no-reg', seedsDone: 2 },
        ...{ difference: arm?.difference, interval: arm?.certainty?.interval },
      },
    ]);
    expect(describeEvidence(evidence!)[2]).toMatch(
      /^ {2}lambda-0\.1 \(compared with no-reg\) {2}2 of 4 seeds/,
    );
  });

  test('is told with the planned number of seeds, without a verdict, and from one seed without an interval', async () => {
    const seedsOf = { baseline: [3, 4], 'no-reg': [3, 4], 'lambda-0.1': [3] };
    const evidence = await readEvidence(plan, doneWith(seedsOf));
    expect(evidence && describeEvidence(evidence)).toEqual([
      'Evidence so far on simulated recordings: test accuracy compared with baseline',
      '  no-reg      2 of 4 seeds  +4.2 points (95 % interval −6.6 to +15.0)',
      '  lambda-0.1  1 of 4 seeds  0.0 points (no interval yet)',
      'The verdict is that of all 4 seeds. Looking earlier changes nothing: do not stop because of these figures.',
    ]);
  });

  test('is not told without a question, before a seed of an arm is done, and once the report has the answer', async () => {
    const asked = await loadPlan({ projectRoot: project.root, set: ['report.question=null'] });
    expect(await readEvidence(asked, () => true)).toBeNull();
    expect(await readEvidence(plan, doneWith({ baseline: [3, 4] }))).toBeNull();
    const evidence = await readEvidence(plan, () => true);
    expect(evidence && describeEvidence(evidence)).toEqual([
      'All 4 seeds are done: the answer is in the report, once it is up to date.',
    ]);
  });
});

describe('a run', () => {
  /** What is noted while models are trained and evaluated, seed after seed. */
  async function noteAll(seeds: readonly number[]): Promise<RunEvent[]> {
    const notes: RunEvent[] = [];
    const state = stateAfter([{ kind: 'run-started', ids: [...plan.instances.keys()], jobs: 2 }]);
    const evidence = followEvidence(plan, state, (event) => notes.push(event));
    for (const values of seeds.flatMap((seed) => made.models.map((model) => `${model},${seed}`)))
      for (const stage of ['train', 'evaluate']) {
        const event: RunEvent = { kind: 'finished', id: `${stage}@${values}`, seconds: 1, metrics: {} };
        applyEvent(state, event, 1000);
        evidence.follow(event);
        await evidence.settled();
      }
    return notes;
  }

  test('notes the evidence in a line after each seed except the last', async () => {
    const note = (seed: number, figures: string) => ({
      ...{ kind: 'note', id: `evaluate@lambda-0.1,${seed}`, level: 'note' },
      text: `Evidence after ${seed - 2} of 4 seeds on simulated recordings: ${figures} points compared with baseline; the verdict is that of all 4`,
    });
    expect(await noteAll(made.seeds)).toEqual([
      note(3, 'no-reg +4.2, lambda-0.1 0.0'),
      note(4, 'no-reg +4.2 (−6.6 to +15.0), lambda-0.1 0.0 (−10.8 to +10.8)'),
      note(5, 'no-reg +3.1 (−1.4 to +7.6), lambda-0.1 0.0 (−5.2 to +5.2)'),
    ]);
  });

  test('says nothing of results that cannot be read', async () => {
    await project.remove('artifacts/evaluate/no-reg/4');
    expect(await noteAll([3, 4])).toHaveLength(1);
  });
});

test('run and status of the command line tell the evidence, and status how much is left of a run', async () => {
  const one = await CliProject.create(files);
  await writeMadeUpResults(one.at('made'), made);
  const some = [3, 4].flatMap((seed) => made.models.map((model) => `evaluate@${model},${seed}`));
  const { stderr } = await one.call(['run', ...some, '--jobs', '1']);
  expect(stderr).toMatch(/^ {2}evaluate@lambda-0\.1,4 {2}Evidence after 2 of 4 seeds .*no-reg \+4\.2 \(/m);
  const evidence = /^Evidence so far on simulated [\s\S]*^ {2}no-reg {6}2 of 4 seeds {2}\+4\.2 points/m;
  const { stdout } = await one.call(['status']);
  expect(stdout).toMatch(evidence);
  expect(stdout).toMatch(/^12 of 24 done, none running$/m);

  const records = openRecords({ projectRoot: one.root });
  for (const record of records.listLast())
    await records.write({ ...record, totalSeconds: record.stage === 'train' ? 600 : 74 });
  // This process is alive, so the instance counts as running.
  await new Attempts(cacheFolderOf({ projectRoot: one.root })).begin('train@baseline,5', 'x');
  const running = await one.call(['status']);
  expect(running.stdout).toMatch(/^12 of 24 done, 1 running, about 1 h \d\d min left$/m);
  expect(running.stdout).toMatch(evidence);
  expect(await one.json(['status'])).toMatchObject({
    secondsLeft: expect.any(Number),
    evidence: { seedsPlanned: 4, seedsDone: 2, arms: [{ model: 'no-reg' }, { model: 'lambda-0.1' }] },
  });
  expect((await one.call(['status', 'train'])).stdout).not.toMatch(/Evidence| left/);
});
