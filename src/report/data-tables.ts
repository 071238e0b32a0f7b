import type { Table } from './document.ts';
import { formatCount } from './format.ts';
import type { ManifestResult, Results } from './results.ts';

/** Recordings and clips of the two published splits. */
export function tabulateSplits({ train, test }: ManifestResult): Table {
  const row = (name: string, recordings: number, clips: number) => [
    { text: name },
    { text: formatCount(recordings) },
    { text: formatCount(clips) },
  ];
  return {
    id: 'table-splits',
    caption: 'Recordings and clips',
    columns: [{ label: 'Split' }, { label: 'Recordings', numeric: true }, { label: 'Clips', numeric: true }],
    rows: [
      row('Training and validation', train.recordings, train.clips),
      row('Test', test.recordings, test.clips),
      row('Total', train.recordings + test.recordings, train.clips + test.clips),
    ],
    notes: [],
  };
}

/**
 * Clips of each class. The splits are listed separately if the confusion matrices have the classes of the manifest: their rows
 * count the test clips.
 */
export function tabulateClasses({ manifest, classes, models }: Results): Table {
  const confusion = models[0]?.runs[0]?.confusion ?? [];
  const known =
    manifest.perClass.length === classes.length &&
    manifest.perClass.every(({ key }, i) => key === classes[i]);
  const total = { label: 'Total', numeric: true };
  return {
    id: 'table-classes',
    caption: 'Clips per class',
    columns: known
      ? [
          { label: 'Class' },
          { label: 'Training and validation', numeric: true },
          { label: 'Test', numeric: true },
          total,
        ]
      : [{ label: 'Class' }, total],
    rows: manifest.perClass.map(({ key, clips }, index) => {
      const test = confusion[index]?.reduce((sum, count) => sum + count, 0) ?? 0;
      const splits = known ? [{ text: formatCount(clips - test) }, { text: formatCount(test) }] : [];
      return [{ text: key }, ...splits, { text: formatCount(clips) }];
    }),
    notes: [],
  };
}

export function tabulateLights({ perLight }: ManifestResult): Table {
  return {
    id: 'table-lights',
    caption: 'Clips by lighting',
    columns: [{ label: 'Lighting' }, { label: 'Clips', numeric: true }],
    rows: perLight.map(({ key, clips }) => [{ text: key }, { text: formatCount(clips) }]),
    notes: [],
  };
}
