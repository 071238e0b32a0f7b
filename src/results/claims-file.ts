import { VERDICTS } from '../thesis/verdicts.ts';
import { formatJson, parseResult, type ResultFile } from './result-file.ts';
import { choice, list, number, object, optional, orNull, readShape, text, type Value } from './shape.ts';

/** What a run says of an arm beside the baseline of its question. */
export const ARM_VERDICTS = ['different', 'equivalent', 'undecided'] as const;
export type ArmVerdict = (typeof ARM_VERDICTS)[number];

const shape = {
  id: text,
  statement: text,
  /** For people; null if nothing could be measured. */
  measured: orNull(text),
  verdict: choice(VERDICTS),
  /** Why that is the verdict, a sentence. */
  reason: text,
};

/** What a report says of a published claim. */
export type ClaimVerdict = Value<typeof shape>;

/** An entry of claims.json: also where the claim is published, for programs. */
type ClaimEntry = ClaimVerdict & {
  readonly dataset: string;
  readonly source: string;
  readonly evidence: object;
  readonly published: object | null;
};

const questionShape = {
  text,
  /** Model ids, and the margin as a share. */
  baseline: text,
  margin: number,
  arms: list({
    model: text,
    /** A share, of the arm minus the baseline, and its 95 % interval; null without one. */
    difference: number,
    low: orNull(number),
    high: orNull(number),
    verdict: choice(ARM_VERDICTS),
  }),
};

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
  return readShape(parseResult(from), { claims: list(shape), question: optional(object(questionShape)) });
}
