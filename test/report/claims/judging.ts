import type { Measure } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { judgeModels } from '../../../src/report/outcome.ts';
import type { ModelResult, Results, RunResult } from '../../../src/report/results.ts';
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

/** Judges one measure on models that are made by name. */
export function judge(
  measure: Measure,
  runsOf: (name: string) => readonly RunResult[],
  rest: Partial<Results> & { epochs?: number; published?: { share: number; clips: number } } = {},
) {
  const { epochs = 1, published: share = null, ...overrides } = rest;
  const published = share && { ...share, correct: Math.round(share.share * share.clips) };
  const models = NAMES.map((name) => modelOf(name, runsOf(name)));
  const results = makeResults({ models, ...overrides });
  const claim = { id: 'a', source: 'here', statement: 'so', published, measure, epochs };
  const [judgement] = judgeClaims({ margin: 0.05, claims: [claim] }, results, judgeModels(results));
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
