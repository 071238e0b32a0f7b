import { isBatchSizeOverruled, listSwitched, tabulateCompat } from '../compat-table.ts';
import type { Block, Section } from '../document.ts';
import { spellCount } from '../format.ts';
import type { Results } from '../results.ts';
import { listDeviations, tabulateSettings } from '../settings-table.ts';

/** What the network and the training were set to, beside the thesis. */
export function describeSettings(results: Results): Section {
  const deviations = listDeviations(results).length;
  const text =
    deviations === 0
      ? 'Every setting is the thesis’.'
      : `${deviations} ${deviations === 1 ? 'setting differs' : 'settings differ'} from the thesis; they are marked. The thesis’ values of network and training are in configs/models; a profile may set others.`;
  return {
    id: 'settings',
    title: 'Settings',
    blocks: [
      { kind: 'paragraph', text: [text] },
      { kind: 'table', table: tabulateSettings(results) },
      ...describeCompat(results),
    ],
  };
}

function describeCompat(results: Results): Block[] {
  const table = tabulateCompat(results);
  if (table === null) return [];
  const switched = listSwitched(results).length;
  const overruled = isBatchSizeOverruled(results)
    ? ' The profile has a batch size of its own, which goes over both.'
    : '';
  const text =
    switched === 0
      ? 'In ten points the paper, its code and its runs disagree. All of them are settled here as by default, by the intent of the thesis.'
      : `In ten points the paper, its code and its runs disagree; ${spellCount(switched)} of them ${switched === 1 ? 'is' : 'are'} not settled as by default.`;
  return [
    { kind: 'paragraph', text: [text + overruled] },
    { kind: 'table', table },
  ];
}
