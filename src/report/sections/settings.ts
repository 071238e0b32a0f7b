import { findPublishedModel, nameSource } from '../../thesis/published.ts';
import { isBatchSizeOverruled, listSwitched, tabulateCompat } from '../compat-table.ts';
import type { Block, Section } from '../document.ts';
import { drawNetwork } from '../figures/network.ts';
import { joinWords, spellCount } from '../format.ts';
import type { Results } from '../results.ts';
import { listDeviations, tabulateSettings } from '../settings-table.ts';

/** The settings of network and training beside those of the thesis. */
export function describeSettings(results: Results): Section {
  return {
    id: 'settings',
    title: 'Settings',
    blocks: [
      { kind: 'figure', figure: drawNetwork(results) },
      { kind: 'paragraph', text: [summariseDeviations(results)] },
      { kind: 'table', table: tabulateSettings(results) },
      ...describeCompat(results),
    ],
  };
}

function summariseDeviations(results: Results): string {
  const own = results.models.filter((model) => findPublishedModel(model) === undefined);
  const count = listDeviations(results).length;
  const source = nameSource(results.models);
  if (count === 0 && own.length === 0) return `Every setting matches ${source}.`;
  const differing =
    count === 0
      ? `No setting differs from ${source}, as far as they can be compared.`
      : `${count} ${count === 1 ? 'setting differs' : 'settings differ'} from ${source} and ${count === 1 ? 'is' : 'are'} marked.`;
  if (own.length === 0) return differing;
  const names = joinWords(own.map(({ title }) => title));
  return `${differing} ${names} ${own.length === 1 ? `is not a model of ${source}, so its` : `are not models of ${source}, so their`} network and training cannot be compared.`;
}

function describeCompat(results: Results): Block[] {
  const table = tabulateCompat(results);
  if (table === null) return [];
  const switched = listSwitched(results).length;
  const overruled = isBatchSizeOverruled(results)
    ? ' The profile sets a batch size of its own, which overrides both.'
    : '';
  const text =
    switched === 0
      ? 'The paper, its code and its runs disagree on the points of this table. All are at their defaults here, which follow the intent of the thesis.'
      : `The paper, its code and its runs disagree on the points of this table; ${spellCount(switched)} of them ${switched === 1 ? 'is not at its default' : 'are not at their defaults'}.`;
  return [
    { kind: 'paragraph', text: [text + overruled] },
    { kind: 'table', table },
  ];
}
