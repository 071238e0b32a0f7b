import { stringify } from 'yaml';
import { formatJson } from '../results/result-file.ts';
import { nameEngine } from '../results/run-file.ts';
import type { TrainedRun } from '../results/trained-run.ts';
import type { RunRecord } from '../runner/store/records.ts';
import { type Interval, wilsonInterval } from '../stats/proportions.ts';
import { escapeMarkdown, formatCount, formatPercent } from '../text.ts';
import { nameRecordings } from '../thesis/data-sets.ts';
import type { PublishedRun } from './entity.ts';

type Trained = Pick<TrainedRun, 'run' | 'spec' | 'epochs' | 'evaluation'>;

export interface CardContent extends Pick<PublishedRun, 'configuration' | 'dataset' | 'citation'> {
  /** The finished training, as read, and its record. */
  readonly trained: Trained;
  readonly record: RunRecord;
  /** The file with the weights, from the card's folder. */
  readonly weights: string;
}

/** The files beside the weights: the card, and what its program reads. */
export function formatModel(content: CardContent): Readonly<Record<string, string>> {
  return { 'README.md': formatModelCard(content), 'config.json': formatModelConfig(content) };
}

/** config.json: the network's layers in order. */
export function formatModelConfig({ trained: { run, spec, evaluation } }: CardContent): string {
  const { network, frames, dataset, simulated } = run;
  return formatJson({
    ...{ model_type: 'plif-snn', dataset, simulated, classes: evaluation.classes },
    ...{ frames, network, layers: spec.layers },
  });
}

/**
 * The card of a trained network, README.md beside its weights, in Markdown with the front matter that model hubs read.
 *
 * @see https://huggingface.co/docs/hub/model-cards
 */
export function formatModelCard(content: CardContent): string {
  const { trained, citation, weights } = content;
  const { run, evaluation } = trained;
  const recordings = nameRecordings(run);
  const { correct, clips, accuracy } = evaluation.test;
  const isStill = run.frames.splitBy === null;
  const task = isStill ? 'image-classification' : 'video-classification';
  const name = `${run.model.title}, seed ${run.seed} (${recordings})`;
  const set = `${run.simulated ? 'simulated-' : ''}${run.dataset}`;
  const metric = { type: 'accuracy', value: accuracy, name: 'Test accuracy', verified: false };
  const front = {
    license: citation.license.toLowerCase(),
    library_name: 'pytorch',
    pipeline_tag: task,
    tags: [
      ...['spiking-neural-network', 'neuromorphic', run.network.neuron],
      ...(run.simulated ? ['simulated-data'] : []),
    ],
    datasets: [set],
    metrics: ['accuracy'],
    'model-index': [
      {
        name,
        results: [{ task: { type: task }, dataset: { type: set, name: recordings }, metrics: [metric] }],
      },
    ],
  };
  const notice = run.simulated
    ? [
        '> **Simulated data.** This network was trained and tested on simulated recordings. Its accuracy says nothing about real ones.',
        '',
      ]
    : [];
  return [
    ...[
      '---',
      stringify(front, { lineWidth: 0 }).trimEnd(),
      '---',
      '',
      `# ${escapeMarkdown(name)}`,
      '',
      ...notice,
    ],
    `A spiking neural network of [${citation.title}](${citation['repository-code']}).`,
    ...['', '## Data', '', describeData(content)],
    ...['', '## Training', '', ...describeTraining(content)],
    ...['', '## Accuracy', '', ...describeAccuracy(trained, wilsonInterval(correct, clips))],
    ...['', '## Cost', '', describeCost(trained)],
    ...['', '## Limits', '', ...describeLimits(content)],
    ...['', '## Use', '', `Run this in PyTorch, in the folder of config.json. ${describeInput(trained)}`, ''],
    ...['```python', program(weights), '```', ''],
  ].join('\n');
}

function describeData({ trained: { run }, dataset }: CardContent): string {
  const { train, validation, test } = run.split;
  const counts = `${train} clips to train on, ${validation} held back for validation, ${test} to test on.`;
  if (run.simulated) return `Recordings that this project simulates (${nameRecordings(run)}). ${counts}`;
  return `${dataset.title} (${dataset.licence}): ${dataset.homepage}. ${dataset.citation} ${counts}`;
}

function describeTraining({ trained: { run, epochs }, record, configuration }: CardContent): string[] {
  const { training, network, parameters, engine, compat, best } = run;
  const tau =
    network.neuron === 'plif' ? `one learned τ per ${network.tau.per}` : `τ fixed at ${network.tau.mean}`;
  const code = record.commit === null ? 'unknown' : `git commit ${record.commit}`;
  return [
    `- ${escapeMarkdown(`${configuration}, model ${run.model.id}`)}, seed ${run.seed}; training \`${record.fingerprint}\``,
    `- ${parameters.toLocaleString('en-US')} parameters; ${tau}; ${network.pooling} pooling`,
    `- ${formatCount(epochs.length, 'epoch')}, batches of ${training.batchSize}, learning rate ${training.learningRate}; the state of epoch ${best.epoch + 1}, chosen by ${compat.selection}`,
    `- engine ${escapeMarkdown(`${nameEngine(engine)}; Node.js ${record.node}`)}; ${code}${record.dirty === true ? ', with changes that were not committed' : ''}`,
  ];
}

function describeAccuracy({ evaluation }: Trained, { low, high }: Interval): string[] {
  const { test, validation, maximum } = evaluation;
  return [
    '| clips | right | accuracy | 95 % interval |',
    '| --- | --- | --- | --- |',
    `| test | ${test.correct} of ${test.clips} | ${formatPercent(test.accuracy)} | ${formatPercent(low)} to ${formatPercent(high)} (Wilson) |`,
    ...(validation === null
      ? []
      : [
          `| validation | ${validation.correct} of ${validation.clips} | ${formatPercent(validation.accuracy)} | chose the epoch |`,
        ]),
    '',
    `The highest test accuracy of any epoch is ${formatPercent(maximum.test.accuracy)} (epoch ${maximum.test.epoch + 1} of the training): a maximum over epochs rewards noise.`,
  ];
}

function describeCost({ evaluation: { cost } }: Trained): string {
  if (cost === undefined) return 'Not measured.';
  const count = (operations: number | null) =>
    operations === null ? 'not counted' : Math.round(operations).toLocaleString('en-US');
  return (
    `Per test clip: ${count(cost.effectiveAcs)} accumulates and ${count(cost.effectiveMacs)} multiply-accumulates (synaptic operations whose input is not 0), ` +
    `of ${count(cost.denseOperations)} if every input counted. Activation sparsity ${formatPercent(cost.activationSparsity)}; ` +
    `${count(cost.footprintBytes)} bytes of parameters and buffers. Definitions of NeuroBench.`
  );
}

function describeLimits({ trained: { run } }: CardContent): string[] {
  return [
    ...(run.simulated ? ['- Simulated recordings only: nothing is known of real ones.'] : []),
    '- One training with one seed: another seed gives another accuracy. The interval is for other clips like these, not for other seeds.',
    '- It knows these classes only, and frames made as in its training (`frames` in config.json).',
  ];
}

function describeInput({ run: { frames } }: Trained): string {
  const normalised = frames.normalization === null ? '' : `, normalised by \`${frames.normalization}\``;
  return frames.splitBy === null
    ? 'Images are [N, 1, C, H, W], with the mean and deviation of the data set.'
    : `Frames are counts of events, [N, ${frames.steps}, 2, ${frames.height}, ${frames.width}]${normalised} (polarity 0: darker, 1: brighter), as \`repro run frames\` writes them to test.npy.`;
}

/** Runs any network of config.json; safetensors are read without a library. */
const program = (weights: string): string => `import json
import numpy, torch
from torch.nn import functional as F

layers, raw = json.load(open("config.json"))["layers"], open("${weights}", "rb").read()
start, state = 8 + int.from_bytes(raw[:8], "little"), {}
for name, entry in json.loads(raw[8:start]).items():
    if name != "__metadata__":
        begin, end = (start + offset for offset in entry["data_offsets"])
        kind = {"F32": torch.float32, "I64": torch.int64}[entry["dtype"]]
        state[name] = torch.frombuffer(bytearray(raw[begin:end]), dtype=kind).reshape(entry["shape"])

def forward(layers, x, potentials):
    for layer in layers:
        kind, of = layer["kind"], lambda part: state[layer["name"] + "." + part]
        if kind == "conv": x = F.conv2d(x, of("weight"), padding=layer["padding"])
        if kind == "linear": x = F.linear(x, of("weight"))
        if kind == "batch-norm":
            x = F.batch_norm(x, of("running_mean"), of("running_var"), of("weight"), of("bias"), eps=layer["epsilon"])
        if kind == "pool": x = (F.max_pool2d if layer["mode"] == "max" else F.avg_pool2d)(x, layer["size"])
        if kind == "flatten": x = x.flatten(1)
        if kind == "vote": x = x.unflatten(1, (-1, layer["group"])).mean(2)
        if kind == "neuron":
            neuron, threshold, reset = layer["neuron"], layer["neuron"]["threshold"], layer["neuron"]["reset"]
            decay, rest = of("w").sigmoid() if neuron["kind"] == "plif" else 1 / neuron["tau"]["mean"], reset.get("potential", 0)
            v = potentials.get(layer["name"], torch.full_like(x, rest))
            h = v + (x - (v - rest)) * decay
            x = (h >= threshold).float()
            potentials[layer["name"]] = h - x * threshold if reset["kind"] == "soft" else h * (1 - x) + rest * x
    return x

def scores(frames):
    """Firing rates [N, classes] for frames [N, T, C, H, W]: the highest is the answer."""
    once = next((i for i, layer in enumerate(layers) if layer["kind"] == "repeat"), 0)  # before it, a still image
    potentials = {}
    steps = [forward(layers[:once], x, potentials) for x in frames.unbind(1)]
    steps = steps * layers[once].get("steps", 1)
    return torch.stack([forward(layers[once:], x, potentials) for x in steps]).mean(0).round(decimals=6)  # equal votes tie

# scores(torch.from_numpy(numpy.load("test.npy")).float()).argmax(1)`;
