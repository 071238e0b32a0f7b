import { collectResults } from '../src/report/collect.ts';
import { judgeModels } from '../src/report/outcome.ts';
import { buildReport } from '../src/report/report.ts';
import { titleDataset } from '../src/report/thesis.ts';
import { writeReport } from '../src/report/write.ts';
import { defineStage } from '../src/stage/define-stage.ts';

interface Params {
  readonly models: readonly string[];
  readonly seeds: readonly number[];
  readonly report?: { readonly title?: string };
}

export default defineStage<Params>({
  summary: 'Writes what came out: tables, figures and the page to read first.',

  async run(context) {
    const [verify, train, evaluate, models, reference] = context.inputs;
    const [folder] = context.outputs;
    if (
      verify === undefined ||
      train === undefined ||
      evaluate === undefined ||
      models === undefined ||
      folder === undefined
    ) {
      throw new Error('stages/report.ts needs the inputs verify, train, evaluate, models and one output');
    }
    const results = await collectResults({ verify, train, evaluate, models, reference }, context.params);
    const report = buildReport(results, {
      title: context.params.report?.title ?? `Reproduction on ${titleDataset(results.dataset)}`,
      // The major version alone: it is the part of Node.js that makes a stage stale.
      nodeMajor: process.versions.node.split('.', 1).join(''),
    });
    const written = await writeReport(report, folder, (done, total) =>
      context.progress({ done, total, unit: 'figures' }),
    );
    context.metrics({
      figures: written.figures,
      pageBytes: written.pageBytes,
      ...Object.fromEntries(
        judgeModels(results).map(({ model, chosen }) => [`testAccuracy.${model.id}`, chosen.test.mean]),
      ),
    });
  },
});
