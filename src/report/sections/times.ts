import type { Block } from '../document.ts';
import { TIMELINE_FILES } from '../timeline-files.ts';

const COMMAND = './repro timeline';

/**
 * How long each stage took. That is no part of the report, since the same results would give a different page: it is in a picture beside it,
 * or the reader is told how to get it.
 *
 * @param folder of the timeline's files, seen from the report; null if the pipeline names none
 */
export function describeTimes(folder: string | null): Block[] {
  if (folder === null) {
    return [
      {
        kind: 'paragraph',
        text: [
          'How long each stage took, and how much memory, differs from run to run, and so is not part of this page, which the same inputs reproduce byte for byte. ',
          { code: COMMAND },
          ' draws it from the records of the runs.',
        ],
      },
    ];
  }
  const address = (name: string): string => `${folder.split('/').map(escapeName).join('/')}/${name}`;
  return [
    {
      kind: 'outside-figure',
      figure: {
        id: 'timeline',
        title: 'Time and memory of each stage',
        caption: [
          'When each stage last ran, for how long, and the largest memory that its process held. This differs from run to run, and so is not part of this page, which the same inputs reproduce byte for byte: it is a picture in ',
          { code: folder },
          ' that every run draws anew, and may show a later run than the other figures.',
        ],
        alt: 'A timeline of the stages: for each a bar from its start to its end, and one for its memory. The CSV file has the values.',
        picture: address(TIMELINE_FILES.picture),
        data: address(TIMELINE_FILES.data),
        absence: [
          'The picture is not there: this page was copied without it, or it has not been drawn yet. Where the stages ran, ',
          { code: COMMAND },
          ' shows it.',
        ],
      },
    },
  ];
}

/** A name in an address, also within the parentheses of Markdown. */
function escapeName(name: string): string {
  return encodeURIComponent(name).replace(/[()]/g, (sign) => (sign === '(' ? '%28' : '%29'));
}
