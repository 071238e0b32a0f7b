// Which verdicts change without one seed or one person: a table of docs/designs.md.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sumCells } from '../../src/verdicts/answers.ts';
import { type AnswerCells, compareWithMargin, measureContrasts } from '../../src/verdicts/contrasts.ts';
import { DIFFERENCE_TITLES } from '../../src/verdicts/verdicts.ts';
import { readAnswerTable } from './kept-answers.ts';
import { formatMarkdownTable, listEndpoints } from './questions.ts';

/** Only verdicts that change, without those that another profile gives. */
export function tabulateLeftOut(root: string): string {
  const rows = listEndpoints(root).flatMap(({ profile, clips, margin, arms }) => {
    const claims = readFileSync(path.join(root, 'results', profile, 'claims.json'), 'utf8');
    const table = readAnswerTable(
      root,
      profile,
      clips === null ? [] : JSON.parse(claims).question.second.classes,
    );
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
    return arms.flatMap(({ model, speaker }, at) => {
      const changed = Object.entries(without).map(([of, judged]) => {
        const found = judged.map((verdicts) => verdicts[at]!).filter((verdict) => verdict !== all[at]);
        return { found, share: `${found.length} of ${judged.length} ${of}` };
      });
      const becomes = new Set(
        changed.flatMap(({ found }) => found.map((verdict) => DIFFERENCE_TITLES[verdict])),
      );
      if (speaker !== undefined || becomes.size === 0) return [];
      const shares = changed.filter(({ found }) => found.length > 0).map(({ share }) => share);
      const name = `\`${profile}\`${clips === null ? '' : ', direction'}`;
      return [[name, `\`${model}\``, [...becomes].join(' or '), shares.join(', ')]];
    });
  });
  return formatMarkdownTable(['profile', 'arm', 'becomes', 'without'], rows);
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
