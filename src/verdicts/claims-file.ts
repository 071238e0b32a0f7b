import * as v from 'valibot';
import { number, type Value } from '../base/files/shape.ts';
import { formatJson, type ResultFile, readResult } from '../results/result-file.ts';
import { DIFFERENCE_VERDICTS, VERDICTS } from './verdicts.ts';

const shape = v.object({
  id: v.string(),
  statement: v.string(),
  /** For people; null if nothing could be measured. */
  measured: v.nullish(v.string(), null),
  verdict: v.picklist(VERDICTS),
  /** Why that is the verdict, a sentence. */
  reason: v.string(),
});

/** What a report says of a published claim. */
export type ClaimVerdict = Value<typeof shape>;

/** An entry of claims.json: also where the claim is published, for programs. */
type ClaimEntry = ClaimVerdict & {
  readonly dataset: string;
  readonly source: string;
  readonly evidence: object;
  readonly published: object | null;
};

const endpointShape = v.object({
  /** A share. */
  margin: number,
  arms: v.array(
    v.object({
      model: v.string(),
      /** If it is not the question's. */
      baseline: v.exactOptional(v.string()),
      /** A share, of the arm minus its baseline, and its 95 % interval; null without one. */
      difference: number,
      low: v.nullish(number, null),
      high: v.nullish(number, null),
      verdict: v.picklist(DIFFERENCE_VERDICTS),
    }),
  ),
});

const questionShape = v.object({
  text: v.string(),
  /** A model's id. */
  baseline: v.string(),
  ...endpointShape.entries,
  /** On the test clips of these classes, as in answers.csv. */
  second: v.exactOptional(v.object({ text: v.string(), classes: v.array(number), ...endpointShape.entries })),
});

/** The question of the profile, and its answer for each arm. */
export type QuestionEntry = Value<typeof questionShape>;

/** What claims.json says. */
export interface ReportVerdicts {
  readonly claims: readonly ClaimVerdict[];
  /** Absent if the profile asks nothing. */
  readonly question?: QuestionEntry | undefined;
}

/** claims.json, with ordinary spaces. @param question null if the profile asks nothing */
export function formatClaims(
  claims: readonly ClaimEntry[],
  simulated: boolean,
  question: QuestionEntry | null = null,
): string {
  const entries = claims.map(
    ({ id, dataset, source, evidence, statement, published, measured, verdict, reason }) => ({
      ...{ id, dataset, source, evidence, statement, published, measured, verdict, reason },
    }),
  );
  const content = { version: 1, simulated, ...(question === null ? {} : { question }), claims: entries };
  return formatJson(content).replace(/[\u00a0\u202f]/g, ' ');
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readVerdictsFile(from: ResultFile): ReportVerdicts {
  return readResult(from, v.object({ claims: v.array(shape), question: v.exactOptional(questionShape) }));
}
