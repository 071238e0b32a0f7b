import { type Command, Option } from 'commander';
import { lazily, wholeFrom } from '../options/options.ts';

const verifyExamples = `
Examples:
  $ repro data verify mnist
  $ repro data verify dvs128-gesture --root /data/DvsGesture --json`;

const fetchExamples = `
If it is stopped, the same command resumes it. It verifies each file's checksum, and never replaces an existing file.

Examples:
  $ repro data fetch dvs128-gesture
  $ repro data fetch cifar10-dvs --root /data/CIFAR10-DVS`;

const showExamples = `
ON events are orange and OFF events blue; a still image is shown enlarged.

Examples:
  $ repro data show nmnist Test/7/00018.bin
  $ repro data show dvs128-gesture user24_led:3                 the third gesture of a recording
  $ repro data show fashion-mnist test/42 --out boot.png
  $ repro data show my-recording.aedat4 --steps 40              a recording of your own: AEDAT 2.0, 3.1 or 4, .bin, .npy or .npz`;

const newExamples = `
Reads all recordings in FOLDER and writes configs/datasets/<name>.yaml and configs/profiles/<name>.yaml. What it cannot know, it guesses
and prints: look at both files. docs/data.md has the layouts that it understands, and every key.

Examples:
  $ repro data new /data/my-gestures
  $ repro data new recordings --name hands --title Hands
  $ repro run --profile hands`;

function rootOption(): Option {
  return new Option(
    '--root <dir>',
    "where the data are (default: the profile's folder, such as data/MNIST, in the project)",
  );
}

/** The commands about data sets, which need no pipeline. */
export function addDataCommands(program: Command): void {
  const data = program
    .command('data')
    .description('list, check, download and look at data sets')
    .addHelpText('after', '\nExamples:\n  $ repro data list\n  $ repro data info nmnist');

  data
    .command('new')
    .description('describe a folder of your own recordings as a data set, with a profile to train on it')
    .argument('<folder>', 'the folder with the recordings: .wav, .aedat4, .aedat, .npy, .npz, .mat or .bin')
    .option('--name <id>', 'the name of the data set and the profile (default: after the folder)')
    .option('--title <text>', 'its title in reports (default: the name of the folder)')
    .option('--sensor <WxH>', 'the pixels of its sensor, such as 128x128 (default: a guess)')
    .option('--force', 'replace the two files that this command wrote before, with all changes in them')
    .option('--json', 'print one JSON document')
    .addHelpText('after', newExamples)
    .action(lazily(async () => (await import('./new.ts')).newDataset));

  data
    .command('list')
    .description('list the data sets, and which of them are here')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  $ repro data list\n  $ repro data list --json')
    .action(lazily(async () => (await import('./data.ts')).listDatasets));

  data
    .command('info')
    .description('describe a data set: classes, files, checksums, licence, known faults, how to get it')
    .argument('<name>', 'a name from `repro data list`')
    .addOption(rootOption())
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro data info dvs128-gesture')
    .action(lazily(async () => (await import('./data.ts')).describeDataset));

  data
    .command('verify')
    .description('check every file of a data set: complete, intact, well-formed')
    .argument('<name>', 'a name from `repro data list`')
    .addOption(rootOption())
    .option('--json', 'print what was found as one JSON document')
    .addHelpText('after', verifyExamples)
    .action(lazily(async () => (await import('./data.ts')).verifyDataset));

  data
    .command('fetch')
    .description('download a data set that may be downloaded directly; for the others, say how to get it')
    .argument('<name>', 'a name from `repro data list`')
    .addOption(rootOption())
    .option('--json', 'print the outcome as one JSON document')
    .addHelpText('after', fetchExamples)
    .action(lazily(async () => (await import('./data.ts')).fetchDataset));

  data
    .command('show')
    .description('draw a clip as a picture, and print its event rate')
    .argument('<name>', 'a name from `repro data list`, or the file of a recording')
    .argument('[clip]', 'the file of a clip in the data set; add :n for the nth clip of a recording')
    .addOption(rootOption())
    .option('--out <file>', 'the picture to write (default: named after the clip, in this folder)')
    .option(
      '--steps <n>',
      'number of frames to make of the clip (default: 20, or 100 for a sensor with one row)',
      wholeFrom(1, 1000),
    )
    .addOption(
      new Option('--split-by <rule>', 'the same number of events, or the same time, per frame')
        .choices(['number', 'time'])
        .default('time'),
    )
    .option('--force', 'replace an existing file')
    .option('--json', 'print one JSON document')
    .addHelpText('after', showExamples)
    .action(lazily(async () => (await import('./show.ts')).showClip));
}
