import { type Finding, RULES } from '../../baseline/finding.ts';
import type { CheckedItem } from './check-group.ts';

export function itemOf({ rule, subject, state, text }: Finding): CheckedItem {
  return { name: `${rule}: ${subject}`, state, word: state, text };
}

/**
 * For people: a row for every failure, or else one for all that passed, with the finding that is nearest to its limit; and beside them one for
 * what was not compared, and one for each thing to know.
 */
export function foldFindings(findings: readonly Finding[]): CheckedItem[] {
  return RULES.flatMap((rule): CheckedItem[] => {
    const all = findings.filter((one) => one.rule === rule);
    const of = (state: Finding['state']) => all.filter((one) => one.state === state);
    const failed = of('failed');
    return [
      ...failed.map((one) => row(one, '')),
      ...(failed.length > 0 ? [] : foldPassed(of('ok'))),
      ...of('noted').map((one) => row(one, '')),
      ...foldSkipped(of('skipped')),
    ];
  });
}

function foldPassed(passed: readonly Finding[]): CheckedItem[] {
  const [nearest] = [...passed].sort((a, b) => b.size - a.size);
  if (nearest === undefined) return [];
  const which = nearest.size > 0 ? 'nearest to its limit is' : 'for example';
  return [row(nearest, passed.length > 1 ? `all ${passed.length}, ${which} ` : '')];
}

/** Those with one reason share a row. */
function foldSkipped(skipped: readonly Finding[]): CheckedItem[] {
  return [...new Set(skipped.map(({ text }) => text))].flatMap((text) => {
    const same = skipped.filter((one) => one.text === text);
    const [first] = same;
    if (first === undefined) return [];
    return [row({ ...first, subject: same.map(({ subject }) => subject).join('; ') }, '')];
  });
}

function row({ rule, state, subject, text }: Finding, prefix: string): CheckedItem {
  return { name: rule, state, word: state, text: `${prefix}${subject}: ${text}` };
}
