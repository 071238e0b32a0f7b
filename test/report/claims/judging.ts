import type { Claim, Measure, Requirements } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import type { ModelResult, Results, RunResult } from '../../../src/report/data/results.ts';
import { makeAnswers, makeModelResult, makeResults, makeRunResult, split } from '../result-values.ts';

export const NAMES = ['Baseline', 'No Reg.', 'λ = .01', 'λ = .1'];

const CLIPS = { train: 1007, validation: 169, test: 288 };

/** A run with the settings of the thesis, so far as the report compares them. */
export function run(overrides: Partial<RunResult> = {}): RunResult {
  return makeRunResult({ network: {}, training: {}, clips: CLIPS, ...overrides });
}

export function modelOf(name: string, runs: readonly RunResult[]): ModelResult {
  return makeModelResult({
    id: name,
    title: name,
    published: { source: 'thesis', name, test: 0.95, validation: 1 },
    runs,
  });
}

/** A claim about the thesis' data set, by a run of at least one epoch. */
export function makeClaim(overrides: Partial<Claim> & { measure: Measure }): Claim {
  return {
    id: 'a',
    dataset: 'dvs128-gesture',
    statement: 'so',
    evidence: {
      source: { id: 'here', title: 'Here', file: 'a file', kind: 'pdf', sha256: '0'.repeat(64) },
      section: '1',
      page: 2,
      at: null,
      note: null,
    },
    published: null,
    requires: { epochs: 1 },
    ...overrides,
  };
}

interface Rest extends Partial<Results>, Partial<Requirements> {
  /** A published share of so many clips. */
  readonly published?: { share: number; clips: number };
  /** Other claims of the same file. */
  readonly beside?: readonly Claim[];
}

/** Judges one measure on models that are made by name. */
export function judge(
  measure: Measure,
  runsOf: (name: string) => readonly RunResult[],
  { epochs = 1, validationShare, selection, published, beside = [], ...overrides }: Rest = {},
) {
  const models = NAMES.map((name) => modelOf(name, runsOf(name)));
  const results = makeResults({ models, ...overrides });
  const claim = makeClaim({
    measure,
    requires: {
      epochs,
      ...(validationShare === undefined ? {} : { validationShare }),
      ...(selection === undefined ? {} : { selection }),
    },
    published:
      published === undefined
        ? null
        : { ...published, correct: Math.round(published.share * published.clips) },
  });
  const [judgement] = judgeClaims([claim, ...beside], results, summariseModels(results));
  return judgement!;
}

/** With so many of 288 test clips right. */
export const withTest = (correct: number, overrides: Partial<RunResult> = {}) =>
  run({
    test: split(correct, 288),
    answers: makeAnswers(correct, 288),
    maximum: { test: { epoch: 2, accuracy: correct / 288 }, validation: { epoch: 1, accuracy: 1 } },
    ...overrides,
  });
