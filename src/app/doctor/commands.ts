import process from 'node:process';
import { type Command, Option } from 'commander';
import type { EngineChoice } from '../../network/engines/engine.ts';
import { collect, lazily, threadsOption, withPipelineOptions } from '../options/options.ts';

const doctorExamples = `
Without --profile and --set, it estimates profiles full and overnight. Estimates are for the native engine and all recordings of DVS128 Gesture.
With a GPU, it tries the engines for these profiles, unless that is known, a run is under way or there are results, and shows which one \`auto\` takes.
With --profile or --set, it exits with 1 if the data of that run are not here.

Examples:
  $ repro doctor
  $ repro doctor --profile overnight --set train.epochs=32`;

/** Adds the commands that check this machine and its engines. */
export function addDoctorCommands(program: Command): void {
  withPipelineOptions(program.command('doctor'))
    .description(
      'check this machine (Node.js, git, memory, disk, GPUs, engines), tell whether the data are there and how to get what is missing, and estimate from a short measurement how long a profile takes',
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

  for (const [what, probe] of Object.entries(probes)) {
    program.command(`probe-${what} [choice] [network]`, { hidden: true }).action(async (choice, network) => {
      process.stdout.write(`${JSON.stringify(await probe(choice, network))}\n`);
    });
  }
}

/** What runs in a process of its own, and prints one line of JSON. */
const probes: Readonly<Record<string, (choice: EngineChoice, network: string) => Promise<object>>> = {
  cuda: async () => (await import('../../network/engines/tfjs/cuda.ts')).probeCuda(),
  gpus: async () => (await import('../../network/engines/webgpu/adapters.ts')).listAdapters(),
  engine: async (choice, network) =>
    (await import('../project/engine-trial.ts')).tryEngine(choice, JSON.parse(network)),
};
