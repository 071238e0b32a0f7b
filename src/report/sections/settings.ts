import type { Section } from '../document.ts';
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
    ],
  };
}
