import path from 'node:path';
import type { JsonPath } from '../base/schema/json.ts';
import { formatPlace, type Problem, throwProblems } from '../base/schema/problems.ts';
import { readChecked } from '../base/schema/schema-problems.ts';
import { quoteName } from '../base/text.ts';

/** What is published of a value besides it. */
interface PublishedMean {
  readonly arm: string;
  readonly published: number;
  /** Trainings that the published value is the mean of; by default 1. */
  readonly seeds?: number;
  /** Standard deviation between them. */
  readonly sd?: number;
  /** The effective number of people, speakers or sites that its items are of, if they are others than those of the results. */
  readonly groups?: number;
}

interface ComparedArms {
  readonly arm: string;
  readonly than: string;
}

/** What is claimed. Margins and accuracies are shares, or in the unit of the scores. */
export type StatedMeasure =
  | (PublishedMean & { readonly kind: 'accuracy'; readonly n: number; readonly margin?: number })
  | (PublishedMean & { readonly kind: 'score'; readonly error?: number; readonly margin: number })
  | (ComparedArms & { readonly kind: 'equivalence' | 'no-worse'; readonly margin: number })
  | (ComparedArms & { readonly kind: 'difference'; readonly margin?: number })
  /** The best first. */
  | { readonly kind: 'order'; readonly arms: readonly string[]; readonly margin?: number }
  | { readonly kind: 'untestable'; readonly because: string };

export interface StatedClaim {
  readonly id: string;
  readonly statement: string;
  readonly evidence: {
    readonly source: string;
    readonly section: string;
    readonly page?: number;
    readonly at?: string;
  };
  readonly requires?: { readonly seeds?: number; readonly items?: number };
  readonly measure: StatedMeasure;
}

export interface StatedClaims {
  readonly better: 'higher' | 'lower';
  /** Whether claims are about other trainings, too, or only about these very ones. */
  readonly trainings: 'drawn' | 'fixed';
  readonly claims: readonly StatedClaim[];
  /** Where a value is written, `judge.yaml:8:14`; nothing if the claims are from no file. */
  readonly placeOf?: (...at: JsonPath) => string;
}

/** The content of such a file, as its schema accepts it. */
interface StatedClaimsFile {
  readonly source?: string;
  readonly better?: StatedClaims['better'];
  readonly trainings?: StatedClaims['trainings'];
  readonly claims: readonly (Omit<StatedClaim, 'evidence'> & {
    readonly evidence: Omit<StatedClaim['evidence'], 'source'> & { readonly source?: string };
  })[];
}

/**
 * Reads claims to judge results by: docs/judge.md.
 *
 * @param file as the user names it
 * @throws {ReproError} if it cannot be read
 * @throws {ConfigurationError} with all that is wrong, at `file:line:column`
 */
export async function readStatedClaims(file: string): Promise<StatedClaims> {
  const schema = import('../../schemas/judge.schema.json', { with: { type: 'json' } });
  const { document, content } = await readChecked<StatedClaimsFile>(
    path.resolve(file),
    file,
    'judge',
    schema,
  );
  const { source, better = 'higher', trainings = 'drawn', claims } = content;
  const place = document.positionOf.bind(document);
  const problem = (message: string, ...at: JsonPath): Problem => ({ at: place(['claims', ...at]), message });
  const problems = claims.flatMap(({ id, evidence, measure }, index) => [
    ...('than' in measure && measure.arm === measure.than
      ? [problem(`arm and than are both ${quoteName(measure.arm)}.`, index, 'measure', 'than')]
      : []),
    ...(claims.findIndex((one) => one.id === id) < index
      ? [problem(`id "${id}" is used twice.`, index, 'id')]
      : []),
    ...(evidence.source === undefined && source === undefined
      ? [problem('"source" is missing, here and at the top of the file.', index, 'evidence')]
      : []),
  ]);
  throwProblems(problems);
  return {
    better,
    trainings,
    placeOf: (...at) => formatPlace(place(at)),
    claims: claims.map(({ evidence, ...claim }) => ({
      ...claim,
      evidence: { ...evidence, source: evidence.source ?? source ?? '' },
    })),
  };
}
