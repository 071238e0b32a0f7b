import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Claim, readClaims } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import { describeClaims, formatJudgements } from '../../../src/report/sections/claims.ts';
import { FANG_NETWORKS } from '../../../src/results/thesis/published.ts';
import { NMNIST } from '../../support/datasets.ts';
import { makeResults } from '../result-values.ts';
import { modelOf, NAMES, withTest } from './judging.ts';

const root = join(import.meta.dirname, '../../..');
const fail = (path: string, problem: string): never => {
  throw new Error(`field "${path}" ${problem}`);
};
const source = { id: 'here', title: 'Here', file: 'a file', kind: 'readme', sha256: '0'.repeat(64) };
const evidence = { source: 'here', section: 'Results' };
let document: { readonly sources: readonly unknown[]; readonly claims: readonly Record<string, never>[] };
let committed: Claim[];
beforeAll(async () => {
  document = parse(await readFile(join(root, 'configs/claims.yaml'), 'utf8'));
  committed = readClaims(document, fail);
});

const judgeReal = () => {
  const results = makeResults({ models: NAMES.map((name) => modelOf(name, [withTest(275)])) });
  return judgeClaims(committed, results, summariseModels(results));
};

describe('the committed claims', () => {
  test('all get a verdict, and claims.json has them all with their evidence', () => {
    const judged = judgeReal();
    expect(judged).toHaveLength(committed.length);
    const { claims } = JSON.parse(formatJudgements(judged, false));
    expect(claims.map(({ id }: { id: string }) => id)).toEqual(committed.map(({ id }) => id));
    for (const { reason } of judged) expect(reason).toMatch(/\.$/);
    expect(claims[0]).toMatchObject({
      dataset: 'dvs128-gesture',
      source: 'Thesis, section 4.3, page 7, table 1',
      evidence: {
        source: 'thesis',
        sha256: '5b48ac96dcc57f7b8df4d424af4dbf65a718c22457f7ec4adcaad079ca3146bf',
        section: '4.3',
        page: 7,
        at: 'table 1',
        note: null,
      },
    });
  });

  test('are not judged by two epochs', () => {
    for (const { claim, verdict } of judgeReal()) {
      if (['clips', 'parameters'].includes(claim.measure.kind)) continue;
      expect(['not-applicable', 'reduced-scale'], claim.id).toContain(verdict);
    }
  });

  test('have a cell for each network and data set of the tables', () => {
    const cells = committed.filter(({ id }) => id.startsWith('fang-'));
    expect(cells).toHaveLength(5 * 6 + 6);
    // Whole clips behind rounded percentages: 1,000 test clips of CIFAR10-DVS, 10,000 images of MNIST.
    const correctOf = (id: string) => cells.find((one) => one.id === id)?.published?.correct;
    expect(correctOf('fang-a-lif-16-dvs128-gesture')).toBe(221);
    expect(correctOf('fang-a-plif-2-mnist')).toBe(9972);
    expect(correctOf('fang-b-plif-2-cifar10-dvs')).toBe(690);
    const mnist = cells.find(({ id }) => id === 'fang-a-plif-2-mnist');
    expect(mnist?.statement).toBe('PLIF, τ₀ 2, max pooling: 99.72 % of the test set of MNIST (accuracy A)');
    expect(mnist?.evidence.note).toContain('a slip');
    expect(mnist?.requires).toEqual({ epochs: 1024, validationShare: 0, selection: 'best-test' });
  });

  test('name the networks of Fang et al. with the settings that the report compares them with', () => {
    const keys = committed.flatMap(({ measure }) =>
      measure.kind === 'accuracy' && measure.network !== undefined && measure.model !== 'Baseline'
        ? [[measure.model, measure.network] as const]
        : [],
    );
    for (const [name, { neuron, tau, pooling }] of keys) {
      const own = FANG_NETWORKS.get(name);
      expect([own?.neuron ?? 'plif', own?.['tau.mean'] ?? 2, own?.pooling ?? 'max'], name).toEqual([
        neuron,
        tau,
        pooling,
      ]);
    }
    expect(new Set(keys.map(([name]) => name))).toEqual(new Set(FANG_NETWORKS.keys()));
  });

  test('have the published accuracies that the models’ files have', async () => {
    const folder = join(root, 'configs/models');
    const shareOf = (source: string, model: string, split: string) =>
      committed.find(
        ({ dataset, evidence, measure }) =>
          dataset === 'dvs128-gesture' &&
          evidence.source.id === source &&
          measure.kind === 'accuracy' &&
          measure.epoch === 'maximum' &&
          measure.model === model &&
          measure.split === split,
      )?.published?.share;
    let found = 0;
    for (const file of await readdir(folder)) {
      const { published } = parse(await readFile(join(folder, file), 'utf8'));
      if (published === undefined) continue;
      const { source = 'thesis', name, test: tested, validation } = published;
      expect([shareOf(source, name, 'test'), shareOf(source, name, 'validation')], file).toEqual([
        tested,
        validation,
      ]);
      found += 1;
    }
    // Four of the thesis, four of the other paper's ablation: its first row is the baseline.
    expect(found).toBe(8);
  });

  test('keep the difference that counts as none below half of the errors of the published baseline', () => {
    const find = (id: string) => committed.find((claim) => claim.id === id)!;
    const { correct, clips } = find('test-baseline').published!;
    expect(find('no-difference').measure).toMatchObject({ margin: Math.floor((clips - correct) / 2) });
  });

  test('state that a threshold is our own wherever they have one', () => {
    const own = ['difference', 'final', 'spread', 'alike', 'apart', 'overshoot', 'steady', 'range', 'speed'];
    for (const { measure, evidence: where, id } of committed) {
      if (own.includes(measure.kind)) expect(where.note, id).toMatch(/our own/);
    }
  });
});

test('the schema accepts the committed claims, and refuses what readClaims refuses', async () => {
  const schema = JSON.parse(await readFile(join(root, 'schemas/claims.schema.json'), 'utf8'));
  const isValid = new Ajv({ strict: true, strictRequired: false }).compile(schema);
  expect(isValid(document), JSON.stringify(isValid.errors)).toBe(true);
  const kinds = committed.map(({ measure }) => measure.kind);
  expect(new Set(kinds)).toEqual(new Set(schema.definitions.measure.properties.kind.enum));
  for (const index of document.claims.keys()) {
    const spoil = (change: (claim: Record<string, never>) => void) => {
      const copy = structuredClone(document);
      change(copy.claims[index]!);
      return isValid(copy);
    };
    expect(spoil((claim) => Object.assign(claim, { other: 1 }))).toBe(false);
    expect(spoil((claim) => Object.assign(claim.measure!, { other: 1 }))).toBe(false);
    expect(spoil((claim) => Object.assign(claim.measure!, { kind: 'other' }))).toBe(false);
    expect(spoil((claim) => Reflect.deleteProperty(claim, 'evidence'))).toBe(false);
    const { requires } = document.claims[index]!;
    expect(spoil((claim) => Reflect.deleteProperty(claim, 'requires'))).toBe(requires === undefined);
  }
});

describe('readClaims', () => {
  const read = (claim: object, sources: readonly object[] = [source]) =>
    readClaims({ sources, claims: [claim] }, fail)[0];
  const measure = { kind: 'accuracy', model: 'A', split: 'test', epoch: 'maximum' };
  const claim = { id: 'a', evidence, statement: 'so', requires: { epochs: 1 }, measure };

  test('takes a published share for a whole number of clips', () => {
    const publishedOf = (published: object) => read({ ...claim, published })?.published;
    expect(publishedOf({ share: 0.955, clips: 288 })).toEqual({ share: 0.955, correct: 275, clips: 288 });
    expect(publishedOf({ share: 0.9757, clips: 288 })).toMatchObject({ correct: 281 });
    expect(() => publishedOf({ share: 0.95, clips: 12 })).toThrow('which is not a whole number of 12 clips');
  });

  test('refuses evidence from no source, and a PDF without a page', () => {
    const published = { share: 0.955, clips: 288 };
    const other = { ...claim, published, evidence: { ...evidence, source: 'other' } };
    expect(() => read(other)).toThrow(
      'field "claims[0].evidence.source" is "other", which is not one of here',
    );
    expect(() => read({ ...claim, published }, [{ ...source, kind: 'pdf' }])).toThrow('a PDF has pages');
  });

  test('refuses a table whose rows are not as long as its list of data sets', () => {
    const network = { neuron: 'lif', tau: 2, pooling: 'max' };
    const table = {
      ...{
        id: 't',
        protocol: 'A',
        evidence,
        requires: { epochs: 1 },
        datasets: { mnist: 'MNIST', cifar10: 'CIFAR10' },
      },
      ...{ clips: [100, 100], measure: { kind: 'accuracy', split: 'test', epoch: 'chosen' } },
      rows: [{ id: 'r', model: 'LIF', network, percent: [99] }],
    };
    const parsed = { sources: [source], claims: [], tables: [table] };
    expect(() => readClaims(parsed, fail)).toThrow(
      'field "tables[0].rows[0].percent" needs one number for each data set',
    );
  });
});

describe('the section', () => {
  test('has a table only if something could be judged', () => {
    const results = makeResults({ simulated: true });
    const judged = judgeClaims(committed, results, summariseModels(results));
    const { blocks } = describeClaims(judged, results);
    expect(blocks.map(({ kind }) => kind)).toEqual(['paragraph']);
    expect(JSON.stringify(blocks)).toContain(
      `This run cannot judge any of the ${committed.length} published claims.`,
    );
    expect(JSON.stringify(blocks)).toContain('The recordings are simulated.');
  });

  test('says in one sentence that a run of other data has nothing to do with the claims', () => {
    const results = makeResults({ dataset: { ...NMNIST, name: 'bars' } });
    const { blocks } = describeClaims(judgeClaims(committed, results, summariseModels(results)), results);
    expect(blocks).toMatchObject([{ text: [{ strong: 'The published claims are about other data sets.' }] }]);
  });

  test('shows where each claim of its data set is stated, and names the files that were read', () => {
    const section = describeClaims(judgeReal(), makeResults());
    expect(section.blocks.map(({ kind }) => kind)).toEqual(['paragraph', 'paragraph', 'list', 'table']);
    expect(JSON.stringify(section.blocks[0])).toMatch(
      /Of seven published claims that this run can judge.*too small/,
    );
    const block = section.blocks.at(-1);
    if (block?.kind !== 'table') throw new TypeError('expected a table');
    expect(block.table.rows).toHaveLength(
      committed.filter(({ dataset }) => dataset === 'dvs128-gesture').length,
    );
    expect(block.table.rows[0]?.[0]?.details).toEqual([
      'Thesis, section 4.3, page 7, table 1 (sha256 5b48ac96dcc5…)',
      '275 of 288',
    ]);
    const notes = JSON.stringify(block.table.notes);
    expect(notes).toContain(
      `${committed.filter(({ dataset }) => dataset !== 'dvs128-gesture').length} claims about other data sets`,
    );
    for (const { sha256 } of new Map(
      committed.map(({ evidence: { source: one } }) => [one.id, one]),
    ).values()) {
      expect(notes).toContain(sha256);
    }
  });
});
