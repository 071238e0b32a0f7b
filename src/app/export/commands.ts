import { type Command, Option } from 'commander';
import { collect, lazily, parseName, whichOption, withPipelineOptions } from '../options/options.ts';
import { figureFormats } from '../project/option-choices.ts';

const groupExamples = `
Examples:
  $ repro export state train@baseline,2020 --to npz
  $ repro export figures --format pdf`;

const figuresExamples = `
Figures are on white, in the colours of a light page, and without titles, because papers have captions. Figures of simulated data keep their
warning. All keep the size in which they are drawn, at 96 px an inch. PDF files embed their fonts, so text stays text. The report itself has
all figures as SVG and their values as CSV, in artifacts/report/figures.

Examples:
  $ repro export figures --format pdf --figure accuracy
  $ repro export figures --report ~/Downloads/report --format svg --out paper/figures`;

const stateExamples = `
SOURCE is a stage instance (train@baseline,2020), a folder with best.safetensors, or a .safetensors, .pt or .nir file.

Examples:
  $ repro export state train@baseline,2020 --to npz
  $ repro export state train@no-reg,2020 --which last --to safetensors --out no-reg.safetensors
  $ repro export state train@baseline,2020 --to nir`;

const crateExamples = `
The zip is an RO-Crate (Provenance Run Crate 0.6) with the report, results, trained networks, metrics and records. Recordings and frames are
never packed: they are named by their digests. Packing the same run again gives the same bytes.

Examples:
  $ repro export crate --profile full                    full.crate.zip, to upload to Zenodo
  $ repro export crate --out quick.zip`;

/** Adds `export` with what it can write. */
export function addExportCommands(program: Command): void {
  const group = program
    .command('export')
    .description('write a network, the figures of a report, or a whole run in formats for other programs')
    .addHelpText('after', groupExamples);
  addExportState(group);

  group
    .command('figures')
    .description('write the figures of a report for papers')
    .addOption(new Option('--format <format>', 'required').choices(figureFormats).makeOptionMandatory())
    .addOption(
      new Option('--figure <id>', 'only this figure, without the prefix simulated-; may be repeated')
        .argParser(collect)
        .default([], 'all'),
    )
    .option('-o, --out <dir>', 'folder to write to', 'figures')
    .option('--report <dir>', 'a folder with a report (default: artifacts/report in the project)')
    .option('-f, --force', 'replace existing files')
    .option('--json', 'print one JSON document')
    .addHelpText('after', figuresExamples)
    .action(lazily(async () => (await import('./figures.ts')).exportFigures));

  withPipelineOptions(group.command('crate'))
    .description('pack a finished run into one zip, with what is needed to cite and repeat it')
    .option('-o, --out <file>', 'output file (default: <profile>.crate.zip)', parseName)
    .option('-f, --force', 'replace an existing file')
    .option('--json', 'print one JSON document')
    .addHelpText('after', crateExamples)
    .action(lazily(async () => (await import('./crate.ts')).exportCrate));
}

function addExportState(group: Command): void {
  withPipelineOptions(group.command('state'))
    .description('write the state of a network in a format for other programs')
    .argument('<source>', 'a stage instance, a folder or a file')
    .addOption(
      new Option(
        '--to <format>',
        'format to write: safetensors, NumPy’s npz, or nir for neuromorphic simulators and chips (docs/checkpoints.md)',
      )
        .choices(['safetensors', 'npz', 'nir'])
        .makeOptionMandatory(),
    )
    .addOption(whichOption())
    .option(
      '-o, --out <file>',
      'output file (default: in the current folder, named after the source)',
      parseName,
    )
    .option('-f, --force', 'replace an existing file')
    .option('--json', 'print one JSON document')
    .addHelpText('after', stateExamples)
    .action(lazily(async () => (await import('../checkpoints/checkpoints.ts')).exportState));
}
