import { ReproError } from '../../base/errors.ts';
import { escapeControls, escapeMarkdown, escapeMarkup, formatCount } from '../../base/text.ts';
import type { AnswerTable } from '../../verdicts/answers.ts';
import type { Certainty } from '../../verdicts/contrasts.ts';
import type { NamedContrast } from '../../verdicts/findings.ts';
import { type ClaimJudgement, unitOf } from '../../verdicts/judge-claims.ts';
import { VERDICT_TITLES, VERDICTS, type Verdict } from '../../verdicts/verdicts.ts';
import { namePlace } from '../../verdicts/words.ts';

type Judgements = readonly ClaimJudgement[];

/** `3 claims: 2 reproduced, 1 inconclusive` */
export function summariseVerdicts(judgements: Judgements): string {
  const counts = VERDICTS.flatMap((verdict) => {
    const count = judgements.filter((one) => one.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${VERDICT_TITLES[verdict]}`];
  });
  return `${formatCount(judgements.length, 'claim')}: ${counts.join(', ')}`;
}

/** The claims in the document of `--json`. Accuracies and their differences are shares. */
export function describeJudgements(judgements: Judgements): object[] {
  return judgements.map(({ claim, verdict, measured, reason, comparison, contrasts }) => {
    const { id, statement, evidence, measure } = claim;
    return {
      ...{ id, statement, evidence, measure, verdict, measured, reason },
      ...{ comparison, contrasts: contrasts.map(describeNumbers) },
    };
  });
}

function describeNumbers({ name, contrast: { difference, seeds, certainty } }: NamedContrast): object {
  const known: Partial<Certainty> = certainty ?? {};
  const { narrow = null, p = null, detectable = null, equivalenceChance = null } = known;
  const interval = { low: null, high: null, ...known.interval };
  return { name, difference, ...interval, narrow, p, detectable, equivalenceChance, seeds: seeds.length };
}

const TEST_RESULTS: Readonly<Record<Verdict, 'failure' | 'skipped' | null>> = {
  reproduced: null,
  'not-reproduced': 'failure',
  inconclusive: 'skipped',
  'reduced-scale': 'skipped',
  'not-applicable': 'skipped',
};

/** A test suite for CI: what is not reproduced has failed, and what has no answer was skipped. @param name of the suite */
export function formatJunit(judgements: Judgements, name: string): string {
  const quote = (text: string) => `"${escapeMarkup(toPlainLine(text).replace(/[\ufffe\uffff]/g, '\ufffd'))}"`;
  const cases = judgements.map(({ claim, verdict, reason, measured }) => {
    const head = `  <testcase classname=${quote(name)} name=${quote(`${claim.id}: ${claim.statement}`)} time="0"`;
    const kind = TEST_RESULTS[verdict];
    if (kind === null) return `${head}/>`;
    const message = [VERDICT_TITLES[verdict], ...(measured === '' ? [] : [measured]), reason].join('. ');
    return `${head}>\n    <${kind} message=${quote(message)}/>\n  </testcase>`;
  });
  const count = (kind: 'failure' | 'skipped') =>
    judgements.filter(({ verdict }) => TEST_RESULTS[verdict] === kind).length;
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="0" skipped="${count('skipped')}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name=${quote(name)} ${counts} time="0">\n${cases.join('\n')}\n</testsuite>\n`;
}

/** A table for a README, or for the summary of a job. */
export function formatMarkdown(judgements: Judgements): string {
  const rows = judgements.map(({ claim: { id, statement, evidence }, verdict, measured, reason }) => {
    const place = `${evidence.source}, ${namePlace(evidence)}`;
    const cells = [`${id}: ${statement}`, place, VERDICT_TITLES[verdict], measured, reason];
    return `| ${cells.map((text) => escapeMarkdown(toPlainLine(text))).join(' | ')} |`;
  });
  const head = '| Claim | Stated in | Verdict | Measured | Why |\n| --- | --- | --- | --- | --- |';
  return `${summariseVerdicts(judgements)}\n\n${head}\n${rows.join('\n')}\n`;
}

/** Text from a file, on one line. */
function toPlainLine(text: string): string {
  return escapeControls(text.replace(/[\t\r\n]+/g, ' ').trim());
}

/**
 * Macros by which a paper takes its numbers from results, three for each claim. Only numbers and our own words stand in them.
 *
 * @param file of the claims, in messages
 * @throws {ReproError} `latex-names` if two ids would give the same names
 */
export function formatLatex(
  judgements: Judgements,
  study: Pick<AnswerTable, 'isScore'>,
  file: string,
): string {
  const ids = new Map<string, string>();
  const lines = judgements.flatMap(({ claim: { id, measure }, verdict, comparison, contrasts }) => {
    const name = nameMacro(id);
    const other = ids.get(name);
    if (other !== undefined) {
      const problem = `ids "${other}" and "${id}" both give \\verdict${name}.`;
      throw new ReproError('latex-names', problem, { where: file, fix: 'Rename one of them.' });
    }
    ids.set(name, id);
    const unit = unitOf(measure, study);
    const found = comparison
      ? [{ value: unit.value(comparison.value), interval: comparison }]
      : contrasts.map(({ contrast: { difference, certainty } }) => {
          return { value: unit.difference(difference), interval: certainty?.interval };
        });
    const macros = {
      verdict: VERDICT_TITLES[verdict],
      value: found.map(({ value }) => value).join('; ') || '–',
      interval:
        found.map(({ interval: one }) => (one ? unit.range(one.low, one.high) : '–')).join('; ') || '–',
    };
    return Object.entries(macros).map(
      ([kind, text]) => `\\newcommand{\\${kind}${name}}{${escapeLatex(text)}}`,
    );
  });
  return `${LATEX_HEAD}\n${lines.join('\n')}\n`;
}

const LATEX_HEAD = `% Made by repro judge: do not edit. Before a space, write \\verdictXyz{} rather than \\verdictXyz.
% Intervals (95 %) are those of differences: from the published value, or between arms.`;

const DIGITS = ['Zero', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine'];

/** Names of macros have only letters: `test-lambda-0.01` becomes `TestLambdaZeroZeroOne`. */
function nameMacro(id: string): string {
  return id
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
    .replace(/\d/g, (digit) => DIGITS[Number(digit)] ?? '');
}

/** Numbers and our own words. */
function escapeLatex(text: string): string {
  return text
    .replaceAll('\u00a0%', '\\,\\%')
    .replaceAll('\u00a0', '~')
    .replaceAll('−', '$$-$$')
    .replaceAll('–', '--');
}
