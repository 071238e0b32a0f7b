import process from 'node:process';
import type { Dataset } from '../../datasets/contract/dataset.ts';
import { describeFile } from '../../datasets/contract/how-to-get.ts';
import { findDataset } from '../../datasets/registry.ts';
import { printLines } from '../lines.ts';
import { printJson } from '../load.ts';
import { type DataOptions, rewordForData, rootOf, withData } from './root.ts';

/** `repro data info NAME` */
export async function describeDataset(name: string, options: DataOptions): Promise<void> {
  const dataset = await withData(async () => findDataset(name));
  const root = rootOf(dataset, options);
  if (options.json === true) {
    const { title, summary, kind, classes, licence, citation, homepage, files, published, remarks, profile } =
      dataset;
    printJson({
      version: 1,
      command: 'data info',
      name,
      title,
      summary,
      kind,
      ...(dataset.kind === 'events'
        ? { sensor: dataset.sensor }
        : { image: dataset.image, preparation: dataset.preparation }),
      classes,
      published,
      licence,
      citation,
      homepage,
      files,
      remarks,
      profile,
      root,
    });
    return;
  }
  const { train, test } = dataset.published;
  printLines([
    ['name', `${dataset.name} (${dataset.title})`],
    ['what', dataset.summary],
    [
      dataset.kind === 'events' ? 'sensor' : 'image',
      dataset.kind === 'events'
        ? `${dataset.sensor.width} x ${dataset.sensor.height} pixels`
        : describeImage(dataset),
    ],
    ['classes', `${dataset.classes.length}: ${dataset.classes.join(', ')}`],
    ['clips', `${train.toLocaleString('en-US')} for training, ${test.toLocaleString('en-US')} for testing`],
    ['licence', dataset.licence],
    ['cite', dataset.citation],
    ['from', dataset.homepage],
    ['profile', dataset.profile],
    ...dataset.files.map((file): [string, string] => ['file', describeFile(file)]),
    ...dataset.remarks.map((remark): [string, string] => ['remark', remark]),
  ]);
  process.stdout.write(`\n${rewordForData(dataset.howToGet(root))}\n`);
}

function describeImage({ image, preparation }: Extract<Dataset, { kind: 'images' }>): string {
  const { channels, height, width } = image;
  const { mean, std, augmentation } = preparation;
  const varied = augmentation === 'none' ? 'not varied' : `varied for training (${augmentation})`;
  return (
    `${width} x ${height} pixels, ${channels === 1 ? 'grey' : 'colour'}; shown as (x / 255 - mean) / std with mean ${mean.join(', ')} ` +
    `and std ${std.join(', ')}; ${varied}`
  );
}
