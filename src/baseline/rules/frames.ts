import { type Baseline, type FramesFacts, nameData } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';

type Frames = Pick<Baseline, 'dataset' | 'simulated' | 'frames'>;

/** Whether the frames are the same to the byte, and if not, whether it shows in the counts of clips and events. */
export function judgeFrames(before: Frames, now: Frames): Finding[] {
  if (before.dataset !== now.dataset || before.simulated !== now.simulated) {
    const text = `${nameData(now)}, but the baseline is of ${nameData(before)}`;
    return [judgeSize('frames', 'data set', Number.POSITIVE_INFINITY, text)];
  }
  return [
    judgeSplit('training frames', before.frames.train, now.frames.train),
    judgeSplit('test frames', before.frames.test, now.frames.test),
  ];
}

function judgeSplit(subject: string, before: FramesFacts, now: FramesFacts): Finding {
  const isSame =
    before.sha256 === now.sha256 &&
    before.list === now.list &&
    before.clips === now.clips &&
    before.events?.off === now.events?.off &&
    before.events?.on === now.events?.on;
  if (isSame)
    return judgeSize('frames', subject, 0, `${describe(now)}: the same to the byte, with the same classes`);
  if (before.sha256 === now.sha256 && before.list !== now.list) {
    const text = 'the same counts, but clips.json gives them other recordings or classes';
    return judgeSize('frames', subject, Number.POSITIVE_INFINITY, text);
  }
  const counts =
    describe(before) === describe(now)
      ? 'as many clips and events, but other ones'
      : `${describe(now)}; in the baseline ${describe(before)}`;
  const swapped = areSwapped(before, now) ? '. The two polarities are swapped' : '';
  return judgeSize('frames', subject, Number.POSITIVE_INFINITY, `${counts}${swapped}`);
}

function areSwapped({ events: before }: FramesFacts, { events: now }: FramesFacts): boolean {
  return (
    before !== null &&
    now !== null &&
    before.off !== before.on &&
    before.off === now.on &&
    before.on === now.off
  );
}

function describe({ clips, events }: FramesFacts): string {
  return events === null ? `${clips} clips` : `${clips} clips, ${events.off} off and ${events.on} on events`;
}
