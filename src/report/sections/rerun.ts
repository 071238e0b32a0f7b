import type { Command, Section } from '../document.ts';
import type { Results } from '../results.ts';

/** The commands that reproduce any number in the report. */
export function describeRerun(results: Results): Section {
  const repro = (rest: string): string => `npx repro ${rest}`;
  const instance = `${results.models[0]?.id ?? ''},${results.seeds[0] ?? ''}`;
  const lines: Command[] = [
    { command: repro('run'), does: 'everything that is not up to date' },
    { command: repro(`run train@${instance} --force`), does: 'train one model again' },
    { command: repro(`run evaluate@${instance} --force`), does: 'evaluate one model again' },
    { command: repro('run report --force'), does: 'this page and its figures' },
    { command: repro('metrics'), does: 'metrics of every stage' },
    { command: repro('status'), does: 'which stages are up to date, and why the others are not' },
  ];
  const instances = results.models.flatMap(({ id }) => results.seeds.map((seed) => `${id},${seed}`));
  return {
    id: 'rerun',
    title: 'Run it again',
    blocks: [
      {
        kind: 'paragraph',
        text: [
          'Give each command the same ',
          { code: '--profile' },
          ' and ',
          { code: '--set' },
          ' as the run that made this report. A model and a seed are written together: ',
          ...instances.flatMap((name, index) => [...(index === 0 ? [] : [', ']), { code: name }]),
          '.',
        ],
      },
      { kind: 'commands', lines },
      {
        kind: 'paragraph',
        text: [
          'Accuracies come from ',
          { code: 'artifacts/evaluate/<model>/<seed>/evaluation.json' },
          ', curves from ',
          { code: 'artifacts/train/<model>/<seed>/metrics.csv' },
          ', and the values of each figure are in the CSV file next to it.',
        ],
      },
    ],
  };
}
