import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { drawArms } from '../../scripts/results/draw-arms.ts';
import { drawEpochs } from '../../scripts/results/epochs.ts';
import { answersOf, composePage } from '../../scripts/results/main.ts';
import { listEndpoints } from '../../scripts/results/questions.ts';
import { drawSweep } from '../../scripts/results/sweep.ts';
import { formatCsv } from '../../src/formats/csv.ts';
import { answerQuestion, tabulateAnswers } from '../../src/report/data/question.ts';
import { renderMarkdown } from '../../src/report/page/markdown.ts';
import { buildReport } from '../../src/report/report.ts';
import { listVerdicts } from '../../src/report/sections/question.ts';
import { type AnswerTable, sumCells } from '../../src/verdicts/answers.ts';
import { type AnswerCells, compareWithMargin, measureContrasts } from '../../src/verdicts/contrasts.ts';
import { spreadInterval, spreadTest } from '../../src/verdicts/stats/crossed.ts';
import { formatBarePoints, formatBareRange } from '../../src/verdicts/words.ts';
import { makeAnswers, makeModelResult, makeResults, makeRunResult } from '../report/result-values.ts';
import { parseRecords } from '../support/csv-records.ts';
import { blocks, readPage, repository } from './pages.ts';

interface Arm {
  readonly model: string;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: string;
}

interface BaselineRun {
  readonly model: string;
  readonly seed: number;
  readonly layers: readonly { readonly tauMeans: number[] }[];
  readonly test: { readonly clips: number; readonly wrong: readonly number[] };
}

test('docs/results.md and its figures are what `node scripts/results.mjs` makes of results/', async () => {
  expect(readPage('docs/results.md')).toBe(composePage(repository));
  expect(readPage('docs/images/arms.svg')).toBe(await drawArms(repository));
  expect(readPage('docs/images/epochs.svg')).toBe(await drawEpochs(repository));
});

test('a comparison is judged where it has all of its trainings and more, and others refer to it', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'results-'));
  for (const name of ['profiles', 'datasets'])
    mkdirSync(path.join(root, 'configs', name), { recursive: true });
  writeFileSync(path.join(root, 'configs/datasets/digits.yaml'), 'layout: idx');
  const keep = (profile: string, trainings: Record<string, string>) => {
    const designed = JSON.stringify({ dataset: { name: 'digits' }, models: [], seeds: [] });
    writeFileSync(path.join(root, `configs/profiles/${profile}.yaml`), designed);
    const folder = path.join(root, 'results', profile);
    mkdirSync(folder, { recursive: true });
    const arm = { model: 'arm', difference: 0.5, verdict: 'different' };
    const question = { text: '', baseline: 'base', margin: 0.1, arms: [arm] };
    writeFileSync(path.join(folder, 'claims.json'), JSON.stringify({ question }));
    const rows = ['0', '1', '2'].map((clip, at) =>
      [clip, '', '7', ...Object.values(trainings).map((answers) => answers[at])].join(),
    );
    const head = ['clip,user,class', ...Object.keys(trainings)].join();
    writeFileSync(path.join(folder, 'answers.csv'), `${[head, ...rows].join('\n')}\n`);
  };
  const few = { 'base@1': '010', 'arm@1': '110' };
  keep('few', few);
  keep('many', { ...few, 'base@2': '011', 'arm@2': '111' });
  keep('other', { ...few, 'base@1': '000', 'base@2': '011', 'arm@2': '111' });
  const found = listEndpoints(root).map(({ profile, arms: [arm] }) => [profile, arm!.speaker, arm!.also]);
  rmSync(root, { recursive: true });
  expect(found).toEqual([
    ['few', 'many', ['`arm`, `base` in `many`', '`arm` in `other`']],
    ['many', undefined, ['`arm`, `base` in `few`', '`arm`, `base` in `other`']],
    ['other', undefined, ['`arm` in `few`', '`arm`, `base` in `many`']],
  ]);
  const rows = readPage('docs/results.md').split('\n');
  const broad = rows.filter((row) => /^\| `without-time`.* \| `broad` \| `baseline`/.test(row));
  expect(broad.map((row) => row.split(' | ')[6])).toEqual(['see `arms`', 'see `arms`']);
});

test('it takes the answer from the top of a report, without what would change it', () => {
  const models = [modelWith('Baseline', [1, 2, 3]), modelWith('Arm', [2, 3, 3])];
  const results = makeResults({ models, seeds: [1, 2, 3], simulated: true });
  const question = answerQuestion(results, { text: 'Does it differ?', baseline: 'Baseline', margin: 0.02 });
  const report = renderMarkdown(buildReport(results, { title: 'A run', question, judgements: [] }));
  const [asked, verdict, whom, ...rest] = answersOf(report, 'Does it differ?');
  expect([asked, rest]).toEqual(['Does it differ?', []]);
  expect(verdict).toMatch(/^\*\*On simulated recordings, /);
  expect(whom).toMatch(/^Four simulated people with 100 clips/);
});

const modelWith = (id: string, wrong: readonly number[]) =>
  makeModelResult({
    ...{ id, title: id, published: null },
    runs: wrong.map((count, seed) => makeRunResult({ seed, answers: makeAnswers(100 - count, 100) })),
  });

const kept = readdirSync(path.join(repository, 'results'));
const asked = kept.filter((profile) => existsSync(path.join(repository, `results/${profile}/answers.csv`)));

test.each(asked)(
  'the verdicts of %s follow from its answers.csv, which agrees with its baseline',
  (profile) => {
    const { dataset, models: designed, report } = parse(readPage(`configs/profiles/${profile}.yaml`));
    const { classes } = parse(readPage(`configs/datasets/${dataset.name}.yaml`));
    const { runs }: { runs: BaselineRun[] } = JSON.parse(readPage(`configs/baselines/${profile}.json`));
    // A design may be committed before its run.
    const models = designed.filter((id: string) => runs.some(({ model }) => model === id));
    const rows = parseRecords(readPage(`results/${profile}/answers.csv`));
    const answersOf = ({ model, seed, test: { clips, wrong } }: BaselineRun) => {
      const column = `${model}@${seed}`;
      // With folds, a training tests some of the clips.
      const tested = rows.filter((row) => row[column] !== '');
      const answers = tested.map(({ clip, user, class: label, [column]: right }) => ({
        ...{
          clip: Number(clip),
          user: user ? Number(user) : null,
          class: Number(label),
          right: right === '1',
        },
      }));
      expect(answers).toHaveLength(clips);
      expect(answers.flatMap(({ clip, right }) => (right ? [] : [clip]))).toEqual(wrong);
      return makeRunResult({ seed, answers });
    };
    const results = models.map((id: string) =>
      makeModelResult({ id, runs: runs.filter(({ model }) => model === id).map(answersOf) }),
    );
    expect(formatCsv(tabulateAnswers({ models: results }))).toBe(readPage(`results/${profile}/answers.csv`));
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    const found = listVerdicts(answerQuestion({ models: results, classes }, report.question)!);
    expect(roundNumbers(found)).toEqual(roundNumbers(question));
  },
);

/** Sums may be rounded in another order. */
function roundNumbers(value: unknown): unknown {
  const round = (_: string, one: unknown) => (typeof one === 'number' ? Number(one.toPrecision(10)) : one);
  return JSON.parse(JSON.stringify(value, round));
}

const swept = kept.filter((profile) => existsSync(path.join(repository, `results/${profile}/section.md`)));

test.each(swept)('what is drawn and told of %s follows from the answers at each value', async (profile) => {
  const drawn = await drawSweep(repository, path.join(repository, 'results', profile), profile);
  expect(drawn).toHaveLength(3);
  for (const [name, text] of drawn) expect(readPage(`results/${profile}/${name}`)).toBe(text);
});

test('its commands run on any processor, and get the data that a command can get', () => {
  const commands = blocks.filter(({ at }) => at.startsWith('docs/results.md')).map(({ text }) => text.trim());
  expect(commands).toHaveLength(kept.length - swept.length);
  for (const command of commands)
    expect(command).toMatch(
      /^(?:export REPRO_ISA=avx2 && )?\.\/repro (?:data fetch (?:fashion-mnist|mnist|nmnist|arabic-words) && \.\/repro )?run /,
    );
  const [own, ...others] = commands.filter((command) => !command.includes('repro check'));
  expect([own, others]).toEqual([expect.stringContaining('--profile nmnist'), []]);
});

/** A page without its line breaks. */
const readLine = (page: string) => readPage(page).replace(/\s+/g, ' ');

/** Rounded as in a report. */
const points = (difference: number) => (Math.abs(Math.round(1000 * difference)) / 10).toFixed(1);

test('docs/question.md says what the results say of changed τ', () => {
  const page = readLine('docs/question.md');
  const lossOf = (rows: ReturnType<typeof readChanges>, of: string, how: string) => {
    const { difference, isSure } = rows.find(({ model, change }) => model === of && change === how)!;
    expect([of, how, difference < 0, isSure]).toEqual([of, how, true, true]);
    return points(difference);
  };
  const gestures = readChanges('arms/figures/simulated-tau-changes.csv');
  const [mean, permuted] = ['layer-mean', 'permuted'].map((how) => lossOf(gestures, 'no-reg', how));
  expect(page).toContain(
    `it loses ${permuted} points; give every neuron its layer's mean τ, and it loses ${mean} (`,
  );
  expect(readLine('README.md')).toContain(`lose ${permuted} points if these are permuted`);
  const [fixed, broad, fast] = ['broad-fixed', 'broad', 'fast-tau'].map((of) =>
    lossOf(gestures, of, 'permuted'),
  );
  expect(page).toContain(`\`broad-fixed\` ${fixed} points, \`broad\` ${broad}, \`fast-tau\` ${fast}.`);
  const others = gestures.filter(
    ({ model, change }) =>
      change === 'permuted' && ['channel', 'lambda-0.1', 'fixed-spread'].includes(model!),
  );
  expect(others).toHaveLength(3);
  expect(page).toContain(
    `costs at most ${points(Math.min(...others.map(({ difference }) => difference)))} points`,
  );
  const digits = readChanges('nmnist/figures/tau-changes.csv');
  expect(digits).toHaveLength(4);
  for (const { isSure } of digits) expect(isSure).toBe(false);
});

function readChanges(file: string) {
  return parseRecords(readPage(`results/${file}`))
    .filter(({ change }) => change !== 'unchanged')
    .map(({ model, change, difference, p_holm: p }) => ({
      ...{ model, change, difference: Number(difference), isSure: Number(p) <= 0.05 },
    }));
}

test('docs/question.md and README say of the arms on simulated gestures what the results say', () => {
  const { question } = JSON.parse(readPage('results/arms/claims.json'));
  const byVerdict = (endpoint: { arms: Arm[] }, wanted: string) =>
    endpoint.arms.filter(({ verdict }) => verdict === wanted);
  const alike = ['lif', 'channel', 'no-reg', 'lambda-0.1', 'fixed-spread'];
  for (const endpoint of [question, question.second])
    expect(byVerdict(endpoint, 'equivalent').map(({ model }) => model)).toEqual(alike);
  const worse = byVerdict(question, 'different');
  expect(worse.map(({ model }) => model)).toEqual(['broad', 'broad-fixed', 'fast-tau']);
  const losses = worse.map(({ difference }) => -difference);
  const page = readLine('docs/question.md');
  const range = `${points(Math.min(...losses))} to ${points(Math.max(...losses))} points`;
  expect(page).toContain(`*less accurate*, by ${range} (`);
  expect(readLine('README.md')).toContain(`${range} less accurate`);
  const time = readPage('results/arms/report.md').split('\n## Time\n')[1];
  const row = /^\| Baseline \| ([\d.]+)\s%[^|]*\| ([\d.]+)\s%[^|]*\| ([\d.]+)\s%/m.exec(time ?? '') ?? [];
  const [intact = 0, reversed = 0, shuffled = 0] = row.slice(1).map(Number);
  expect(page).toContain(
    `Shuffled frames cost \`baseline\` ${(intact - shuffled).toFixed(1)} points and reversed ones ${(intact - reversed).toFixed(1)} (`,
  );
});

test('docs/question.md counts the trainings that answer both questions of the positive control', () => {
  const page = readLine('docs/question.md');
  const countBoth = (folder: string, model: string) => {
    const clips = parseRecords(readPage(`results/${folder}/answers.csv`));
    const runs = clips.columns.filter((name) => name.startsWith(`${model}@`));
    expect(runs).toHaveLength(10);
    return runs.filter((run) => clips.filter((clip) => clip[run] === '1').length > 0.75 * clips.length)
      .length;
  };
  const [different, nine, two] = ['broad-gain', 'plif-9-gain', 'baseline'].map((model) => {
    const [low, middle, high] = ['0.04', '0.12', '0.3'].map((rate) => countBoth(`rates/${rate}`, model));
    return `${low}, ${middle} and ${high}`;
  });
  expect(page).toContain(
    `(\`broad-gain\`), ${different} answer both questions at learning rates 0.04, 0.12 and 0.3`,
  );
  expect(page).toContain(`(\`plif-9-gain\`), ${nine}; from 2 (\`baseline\`), ${two}.`);
  const dose = (model: string) => ['1', '2', '3', '4', '6'].map((ratio) => countBoth(`dose/${ratio}`, model));
  expect([dose('broad-gain'), dose('plif-9-gain'), dose('baseline')]).toEqual([
    [10, 9, 10, 10, 10],
    [9, 0, 0, 1, 0],
    [7, 0, 0, 0, 0],
  ]);
  expect(page).toContain(
    'twice as long as the other, 9 of ten trainings of `broad-gain` answer both questions and none with one',
  );
  expect(page).toContain('answers both in 10 and `plif-9-gain` in 9, which is undecided; `baseline` in 7,');
  expect(countBoth('control-long', 'plif-9-gain')).toBe(5);
  expect(countBoth('control-wide', 'broad-gain') - countBoth('control-wide', 'plif-9-gain')).toBe(10);
  const kept = readChanges('control/figures/simulated-tau-changes.csv')
    .filter(({ change }) => change === 'permuted-gain-kept')
    .map(({ difference, isSure }) => (isSure ? difference : 0));
  expect(page).toContain(
    `lose ${points(Math.max(...kept))} to ${points(Math.min(...kept))} points. So the comparison`,
  );
});

test('docs/question.md says of rows of images what the results say', () => {
  const page = readLine('docs/question.md');
  const arms = armsOf('rows');
  const better = points(arms['no-reg']!.difference);
  expect(arms['no-reg']).toMatchObject({ verdict: 'different' });
  expect(page).toContain(
    `is ${better} points more accurate than one learned τ per layer (95 % interval ${intervalOf(arms['no-reg']!)})`,
  );
  expect(readLine('README.md')).toContain(`${better} points more accurate`);
  expect([arms['plif-9-gain']!.verdict, arms.broad!.verdict]).toEqual(['equivalent', 'equivalent']);
  expect(arms['broad-gain']).toMatchObject({ verdict: 'different' });
  expect(page).toContain(
    `is ${points(arms['broad-gain']!.difference)} points better than \`plif-9-gain\` (${intervalOf(arms['broad-gain']!)})`,
  );
  expect(page).toContain(`membranes give ${points(arms.memoryless!.difference)} points in all`);
  const taus = ['baseline', 'plif-9-gain'].map((model) => {
    const { runs } = JSON.parse(readPage('configs/baselines/rows.json'));
    const last = runs
      .filter((run: BaselineRun) => run.model === model)
      .map(({ layers }: BaselineRun) => layers.at(-1)!.tauMeans);
    expect(last).toHaveLength(8);
    return [0, 1].map((layer) =>
      last.reduce((sum: number, of: number[]) => sum + of[layer]! / 8, 0).toFixed(1),
    );
  });
  expect(page).toContain(`\`baseline\` learns ${taus[0]!.join(' and ')} steps`);
  expect(page).toContain(`it is ${taus[1]!.join(' and ')}, and both`);
  expect(page).toContain(`: ${percentOf('rows', 'no-reg')} against ${percentOf('rows', 'baseline')} %`);
  expect(page).toContain(`has ${percentOf('rows', 'memoryless')} %`);
  const permuted = readChanges('rows/figures/tau-changes.csv').filter(({ change }) => change === 'permuted');
  expect(permuted.map(({ isSure }) => isSure)).toEqual([true, true, true]);
  expect(page).toContain(`different τ lose ${rangeOf(permuted)} points`);
  const fixed = armsOf('rows-fixed');
  expect(Object.values(fixed).map(({ model, verdict }) => [model, verdict])).toEqual([
    ['baseline', 'different'],
    ['broad-fixed', 'different'],
    ['broad', 'equivalent'],
  ]);
  expect(page).toContain(
    `is ${points(fixed['broad-fixed']!.difference)} points more accurate than \`lif\` (${intervalOf(fixed['broad-fixed']!)})`,
  );
  expect(page).toContain(`*equivalent* (\`broad\`, +${points(fixed.broad!.difference)} points;`);
  const share = Number(percentOf('rows-fixed', 'broad-fixed')) - Number(percentOf('rows-fixed', 'baseline'));
  expect(page).toContain(`\`broad-fixed\` is ${share.toFixed(1)} points better than \`baseline\``);
});

test('docs/question.md says of trainings without time what the results say', () => {
  const page = readLine('docs/question.md');
  const arms = Object.values(armsOf('without-time'));
  const losses = (end: string) => arms.filter(({ model }) => model.endsWith(end));
  for (const { verdict } of [...losses('-mean'), ...losses('-shuffled')]) expect(verdict).toBe('different');
  expect(page).toContain(
    `On mean frames, networks lose ${rangeOf(losses('-mean'))} points, on shuffled ones ${rangeOf(losses('-shuffled'))};`,
  );
  const { second } = parse(readPage('configs/profiles/without-time.yaml')).report.question;
  const { classes } = parse(readPage('configs/datasets/dvs128-gesture.yaml'));
  const directions = second.classes.map((name: string) => String(classes.indexOf(name)));
  const guessing = ['broad', 'no-reg'].map((model) => {
    const right = percentOf('without-time', model, (clip) => directions.includes(clip.class!));
    return ((Number(right) - 50) / 3).toFixed(1);
  });
  expect(page).toContain(`guessing the direction would cost them ${guessing.join(' to ')}.`);
  const changes = readChanges('without-time/figures/simulated-tau-changes.csv').filter(
    ({ change }) => change === 'permuted',
  );
  const lossOf = (of: string) => points(changes.find(({ model }) => model === of)!.difference);
  expect(page).toContain(
    `costs \`broad\` ${lossOf('broad')} points in order, ${lossOf('broad-shuffled')} on shuffled and ${lossOf('broad-mean')} on mean frames, and \`no-reg\` ${lossOf('no-reg')}, ${lossOf('no-reg-shuffled')} and nothing that was found;`,
  );
  expect(changes.filter(({ isSure }) => !isSure).map(({ model }) => model)).toEqual(['no-reg-mean']);
  const trained = ['baseline', 'no-reg', 'broad'].map((model) =>
    percentOf('without-time', `${model}-shuffled`),
  );
  trained.sort();
  expect(page).toContain(`those that were trained on them ${trained[0]} to ${trained.at(-1)} (`);
  const time = readPage('results/without-time/report.md').split('\n## Time\n')[1]?.split('\n### ')[0] ?? '';
  const seen = [...time.matchAll(/^\|(?:[^|]*\|){3} ([\d.]+)\s%/gm)].map(([, share]) => Number(share)).sort();
  expect(seen).toHaveLength(3);
  expect(page).toContain(`trained in order get ${seen[0]} to ${seen[2]} % of shuffled clips right`);
});

test('README.md says of the spoken words what their run gave', () => {
  const { question } = JSON.parse(readPage('results/words/claims.json'));
  const found = (id: string) => question.arms.find(({ model }: { model: string }) => model === id);
  const range = (id: string) => formatBareRange(found(id)).replaceAll('\u00a0', ' ');
  const readme = readPage('README.md').replace(/\s+/g, ' ');
  expect(readme).toContain(`3.2 points more accurate than one per layer (95 % interval ${range('no-reg')})`);
  expect(readme).toContain(`are 4.1 (${range('broad')}), learned or not`);
  const shown = ['no-reg', 'broad', 'broad-fixed'].map((id) => formatBarePoints(found(id).difference));
  expect(shown).toEqual(['+3.2', '+4.1', '+4.1']);
  const partners = JSON.parse(readPage('results/words-partners/claims.json')).question.arms;
  expect(partners).toContainEqual(
    expect.objectContaining({ model: 'broad-gain', baseline: 'plif-9-gain', verdict: 'equivalent' }),
  );
});

test('docs/question.md says of spoken words what the results say', () => {
  const page = readLine('docs/question.md');
  const arms = armsOf('words');
  const say = (arm: Arm) => `${points(arm.difference)} points more accurate than`;
  expect(page).toContain(
    `\`no-reg\` is ${say(arms['no-reg']!)} one learned τ per layer (95 % interval ${intervalOf(arms['no-reg']!)}); 29 of 30 people gain`,
  );
  expect(page).toContain(`\`broad\` is ${say(arms.broad!)} \`baseline\` (${intervalOf(arms.broad!)})`);
  expect(arms['fixed-spread']).toMatchObject({ verdict: 'different' });
  expect(arms['fixed-spread']!.difference).toBeLessThan(0);
  for (const model of ['lambda-0.01', 'lambda-0.1', 'plif-9-gain', 'broad-gain'])
    expect(arms[model]!.verdict).toBe('equivalent');
  const partners = armsOf('words-partners');
  expect([partners.broad!.verdict, partners['broad-gain']!.verdict]).toEqual(['equivalent', 'equivalent']);
  expect(page).toContain(
    `+${points(partners['broad-gain']!.difference)} points (${intervalOf(partners['broad-gain']!)})`,
  );
  const shuffled = armsOf('words-shuffled');
  const lost = ['no-reg', 'broad'].map((model) => points(-shuffled[`${model}-shuffled`]!.difference));
  expect(page).toContain(`*less* accurate than \`baseline\`, by ${lost.join(' and ')} points`);
  expect(page).toContain(
    `is ${points(-arms.memoryless!.difference)} points worse than \`baseline\`, but that is not only memory of the order: on shuffled frames, ` +
      `\`baseline\` is ${percentOf('words-shuffled', 'baseline-shuffled')} % right, and \`memoryless\` in order ${percentOf('words', 'memoryless')}.`,
  );
});

test('docs/question.md has comparisons of spoken words that were not stated before', () => {
  const page = readLine('docs/question.md');
  const [ordered, shuffled] = [tableOf('words'), tableOf('words-shuffled')];
  const seeds = [...ordered.arms.get('baseline')!.keys()];
  const measure = (table: AnswerTable, model: string, baseline: string) => {
    const { difference, certainty } = measureContrasts([sumCells(table, seeds, model, baseline)], {
      margin: 0,
    })[0]!;
    return { difference, ...certainty!.interval };
  };
  const people = (model: string, baseline: string) => {
    const gains = new Map<string, number>();
    for (const seed of seeds) {
      const [ours, theirs] = [model, baseline].map((one) => ordered.arms.get(one)!.get(seed)!);
      for (const [clip, right] of ours!) {
        const person = ordered.groups.get(clip)!;
        gains.set(person, (gains.get(person) ?? 0) + right - theirs!.get(clip)!);
      }
    }
    return [...gains.values()].filter((gain) => gain > 0).length;
  };
  expect(people('no-reg', 'baseline')).toBe(29);
  for (const baseline of ['lambda-0.01', 'plif-9-gain']) {
    const found = measure(ordered, 'no-reg', baseline);
    const than = `${points(found.difference)} points more accurate than \`${baseline}\` (${intervalOf(found)})`;
    expect(page).toContain(than);
  }
  // The advantage of each clip in order, and on shuffled frames.
  const advantages = ['no-reg', 'broad'].map((model) => {
    const of = (table: AnswerTable, end: string, seed: string) => {
      const [ours, theirs] = [model, 'baseline'].map((one) => table.arms.get(one + end)!.get(seed)!);
      return new Map([...ours!].map(([clip, right]) => [clip, right - theirs!.get(clip)!]));
    };
    const arms = new Map([
      ['order', new Map(seeds.map((seed) => [seed, of(ordered, '', seed)]))],
      ['none', new Map(seeds.map((seed) => [seed, of(shuffled, '-shuffled', seed)]))],
    ]);
    return measure({ ...ordered, isScore: true, arms }, 'order', 'none');
  });
  const [noReg, broad] = advantages.map((one) => [points(one.difference), intervalOf(one)]);
  expect(page).toContain(
    `by ${noReg![0]} points for \`no-reg\` (${noReg![1]}) and ${broad![0]} for \`broad\` (${broad![1]}; both not stated before)`,
  );
  const { runs }: { runs: (BaselineRun & { accuracies: { test: number[] } })[] } = JSON.parse(
    readPage('configs/baselines/words.json'),
  );
  const tauOf = (model: string, kept = runs) => {
    const taus = kept.filter((run) => run.model === model).map(({ layers }) => layers.at(-1)!.tauMeans[0]!);
    return (taus.reduce((sum, tau) => sum + tau, 0) / taus.length).toFixed(1);
  };
  const { runs: without } = JSON.parse(readPage('configs/baselines/words-shuffled.json'));
  expect(page).toContain(
    `goes to ${tauOf('baseline-shuffled', without)} steps (in order ${tauOf('baseline')})`,
  );
  expect(page).toContain(`hidden layer is ${tauOf('no-reg')} steps, not longer`);
  const lastOf = (model: string) =>
    new Map(runs.filter((run) => run.model === model).map((run) => [run.seed, run.accuracies.test.at(-1)!]));
  const widened = ['no-reg', 'broad'].map((model) => {
    const differences = [...lastOf(model)].map(([seed, right]) => right - lastOf('baseline').get(seed)!);
    const count = differences.length;
    const mean = differences.reduce((sum, one) => sum + one, 0) / count;
    const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1);
    // Six people are tested and 24 learned from.
    const error = Math.sqrt(variance * (1 / count + 6 / 24));
    return intervalOf(spreadInterval(mean, { error, degrees: count - 1 }, 0.95));
  });
  expect(page).toContain(`\`no-reg\` is ${widened[0]} and \`broad\` ${widened[1]} points better`);
});

test('docs/designs.md says which verdicts change without one of the seeds or people', () => {
  const changes = listEndpoints(repository).flatMap(({ profile, clips, margin, arms }) => {
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    const table = tableOf(profile, clips === null ? [] : question.second.classes);
    const seeds = [...table.arms.values().next().value!.keys()];
    const judge = (cells: readonly AnswerCells[]) =>
      measureContrasts(cells, { margin }).map((one) => compareWithMargin(one, margin));
    const sum = (kept: readonly string[]) =>
      arms.map(({ model, baseline }) => sumCells(table, kept, model, baseline));
    const whole = sum(seeds);
    const all = judge(whole);
    const people = table.hasGroups ? whole[0]!.groups : 0;
    const without = {
      seeds: seeds.map((seed) => judge(sum(seeds.filter((one) => one !== seed)))),
      people: Array.from({ length: people }, (_, person) =>
        judge(whole.map((one) => dropGroup(one, person))),
      ),
    };
    const name = clips === null ? profile : `${profile}, direction`;
    return Object.entries(without).flatMap(([of, judged]) =>
      arms.flatMap(({ model, speaker }, at) => {
        const found = judged.map((verdicts) => verdicts[at]!).filter((verdict) => verdict !== all[at]);
        if (speaker !== undefined || found.length === 0) return [];
        return [`${name}: ${model} ${[...new Set(found)].join()} ${found.length} of ${judged.length} ${of}`];
      }),
    );
  });
  expect(changes).toEqual([
    'words: broad-gain undecided,different 12 of 20 seeds',
    'words: broad-gain undecided,different 18 of 30 people',
    'nmnist: lif undecided 5 of 5 seeds',
    'nmnist: no-reg undecided 5 of 5 seeds',
    'rows-fixed: broad slight 2 of 8 seeds',
    'fashion-mnist: mnist-lif undecided 3 of 3 seeds',
    'fashion-mnist: mnist-plif-16 undecided 3 of 3 seeds',
    'fashion-mnist: mnist-neuron undecided 3 of 3 seeds',
    'arms, direction: no-reg slight 2 of 16 seeds',
    'arms, direction: broad different 2 of 16 seeds',
    'arms, direction: broad different 3 of 48 people',
    'control: plif-6 equivalent 2 of 10 seeds',
    'control-long: plif-9 different 1 of 10 seeds',
  ]);
});

/** The answers of a kept result. @param classes that count; all if there are none */
function tableOf(profile: string, classes: readonly number[] = []): AnswerTable {
  const rows = parseRecords(readPage(`results/${profile}/answers.csv`));
  const clips = rows.filter((row) => classes.length === 0 || classes.includes(Number(row.class)));
  const arms = new Map<string, Map<string, Map<string, number>>>();
  for (const column of rows.columns.slice(3)) {
    const [model = '', seed = ''] = column.split('@');
    const tested = clips.filter((row) => row[column] !== '');
    const answers = new Map(tested.map((row) => [row.clip!, Number(row[column])]));
    arms.set(model, (arms.get(model) ?? new Map()).set(seed, answers));
  }
  const groups = new Map(clips.map((row) => [row.clip!, row.user || row.clip!]));
  return { isScore: false, hasGroups: clips.some(({ user }) => user !== ''), arms, groups };
}

/** Without the answers of one group. */
function dropGroup(cells: AnswerCells, group: number): AnswerCells {
  const rows = cells.rows.map(({ at, sums, counts }) => {
    const keep = <Value>(values: readonly Value[]) => values.filter((_, index) => at[index] !== group);
    const renumbered = keep(at).map((one) => (one > group ? one - 1 : one));
    return { at: renumbered, sums: keep(sums), counts: keep(counts) };
  });
  return { ...cells, rows, groups: cells.groups - 1 };
}

test('docs/question.md compares no-reg on rows with broad-fixed, and with itself on gestures', () => {
  const page = readLine('docs/question.md');
  const [rows, fixed, gestures] = [tableOf('rows'), tableOf('rows-fixed'), tableOf('arms')];
  const measure = (table: AnswerTable, model: string, baseline: string) => {
    const seeds = [...table.arms.get(model)!.keys()];
    return measureContrasts([sumCells(table, seeds, model, baseline)], { margin: 0 })[0]!;
  };
  const both = { ...rows, arms: new Map([...rows.arms, ...fixed.arms]) };
  const { difference, certainty } = measure(both, 'no-reg', 'broad-fixed');
  const said = `${points(difference)} points better than \`broad-fixed\` (${intervalOf({ ...certainty!.interval })}; not`;
  expect(page).toContain(said);
  expect(readLine('README.md')).toContain(
    `${points(difference)} (${intervalOf({ ...certainty!.interval })}) more than with τ that start far apart`,
  );
  const [onRows, onGestures] = [measure(rows, 'no-reg', 'baseline'), measure(gestures, 'no-reg', 'baseline')];
  const [one, two] = [onRows.certainty!, onGestures.certainty!];
  const gain = onRows.difference - onGestures.difference;
  const error = Math.hypot(one.error, two.error);
  const degrees = error ** 4 / (one.error ** 4 / one.degrees + two.error ** 4 / two.degrees);
  const { low, high } = spreadInterval(gain, { error, degrees }, 0.95);
  const write = (share: number) => (100 * share).toFixed(2);
  expect(page).toContain(
    `by ${write(gain)} (95 % interval +${write(low)} to +${write(high)}, p = ${spreadTest(gain, { error, degrees }).toFixed(3)})`,
  );
  const odds = [gestures, rows].map((table) => {
    const [arm = 0, base = 0] = ['no-reg', 'baseline'].map((model) => {
      const answers = [...table.arms.get(model)!.values()].flatMap((items) => [...items.values()]);
      const right = answers.reduce((sum, answer) => sum + answer, 0);
      return Math.log(right / (answers.length - right));
    });
    return (arm - base).toFixed(2);
  });
  expect(page).toContain(`on gestures, ${odds.join(' against ')}.`);
});

/** The arms of a kept question by their model. */
function armsOf(profile: string): Record<string, Arm> {
  const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
  return Object.fromEntries(question.arms.map((arm: Arm) => [arm.model, arm]));
}

/** The share of right answers in all of a model's trainings. */
function percentOf(
  profile: string,
  model: string,
  counts: (clip: Record<string, string>) => boolean = () => true,
): string {
  const rows = parseRecords(readPage(`results/${profile}/answers.csv`));
  const clips = Object.assign(rows.filter(counts), { columns: rows.columns });
  const runs = clips.columns.filter((name) => name.startsWith(`${model}@`));
  // With folds, a training tests some of the clips.
  const answers = clips.flatMap((clip) => runs.map((run) => clip[run]).filter((answer) => answer !== ''));
  return ((100 * answers.filter((answer) => answer === '1').length) / answers.length).toFixed(1);
}

function intervalOf({ low, high }: Pick<Arm, 'low' | 'high'>): string {
  return formatBareRange({ low, high }).replaceAll('\u00a0', ' ');
}

/** The smallest and the largest loss, in points. */
function rangeOf(losses: readonly { readonly difference: number }[]): string {
  const sorted = losses.map(({ difference }) => -difference).sort((a, b) => a - b);
  return `${points(sorted[0]!)} to ${points(sorted.at(-1)!)}`;
}

test('docs/question.md says of what the thesis leaves open what the results say', () => {
  const page = readPage('docs/question.md');
  const armOf = (profile: string, model: string): Arm => {
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    return question.arms.find((arm: Arm) => arm.model === model);
  };
  for (const profile of ['arms', 'control', 'fashion-mnist', 'nmnist', 'rows', 'words']) {
    const { verdict, difference } = armOf(profile, profile === 'fashion-mnist' ? 'mnist-neuron' : 'no-reg');
    const better = difference > 0 ? ': more accurate' : ': less accurate';
    expect(page).toContain(`| \`${profile}\` | ${verdict}${verdict === 'different' ? better : ''} |`);
  }
  expect(armOf('fashion-mnist', 'mnist-plif-16')).toMatchObject({ verdict: 'different' });
  expect(armOf('fashion-mnist', 'mnist-plif-16').difference).toBeLessThan(0);
  expect(armOf('control', 'plif-6').verdict).toBe('undecided');
  for (const model of ['broad', 'broad-fixed']) {
    expect(armOf('control', model).verdict).toBe('different');
    expect(armOf('control', model).difference).toBeGreaterThan(0);
  }
  const rows = readPage('results/width/figures/simulated-widths.csv').trim().split('\n');
  const neurons = rows.map((row) => row.split(',')).filter(([, per]) => per === 'neuron');
  expect(neurons).toHaveLength(4);
  for (const [, , channels, , , , , , low, high] of neurons) {
    expect(low === 'below' || Number(low) <= Number(channels)).toBe(true);
    expect(high === 'above' || Number(high) >= Number(channels)).toBe(true);
  }
});
