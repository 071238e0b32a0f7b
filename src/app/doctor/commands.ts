import process from 'node:process';
import { type Command, Option } from 'commander';
import { collect, lazily, threadsOption, withPipelineOptions } from '../options/options.ts';

const doctorExamples = `
Without --profile and --set, it estimates profiles full and overnight. Estimates are for the native engine and all recordings of DVS128 Gesture.
--plan reads no data. It exits with 2 if the memory or a GPU's limits do not suffice.

Examples:
  $ repro doctor
  $ repro doctor --profile overnight --set train.epochs=32
  $ repro doctor --plan baseline --profile full
  $ repro doctor --plan no-reg --profile full --set train.batchSize=64
  $ repro doctor --plan ./mine.yaml --json`;

/** Adds the commands that check this machine and its engines. */
export function addDoctorCommands(program: Command): void {
  withPipelineOptions(program.command('doctor'))
    .description(
      'check this machine (Node.js, git, memory, disk, GPUs, engines), tell whether the data are there and how to get what is missing, and estimate from a short measurement how long a profile takes; or, with --plan, tell how much memory a model needs',
    )
    .option(
      '--plan <model>',
      'tell how much memory a model needs for training and evaluation under a profile, and the largest batches that fit; on a GPU, also what each kernel does; <model> is a file in configs/models, without .yaml, or a path',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', doctorExamples)
    .action(lazily(async () => (await import('./doctor.ts')).doctor));

  program
    .command('parity')
    .description(
      "compare this program's results with vectors computed by PyTorch, such as those in test/golden",
    )
    .argument('<dir>', 'a folder with index.json and one .safetensors file per case (docs/parity.md)')
    .option('--engine <name>', 'auto, webgpu, native, wasm, tfjs or tfjs-cpu', 'auto')
    .addOption(threadsOption())
    .addOption(
      new Option('--case <name>', 'only this case; may be repeated').argParser(collect).default([], 'all'),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  $ repro parity test/golden --engine wasm\n  $ repro parity test/golden --case plif_08 --case rng',
    )
    .action(lazily(async () => (await import('./parity.ts')).parity));

  for (const what of ['cuda', 'gpus'] as const) {
    program.command(`probe-${what}`, { hidden: true }).action(async () => {
      const { probeHere } = await import('../project/gpu-probes.ts');
      process.stdout.write(await probeHere(what));
    });
  }
}
