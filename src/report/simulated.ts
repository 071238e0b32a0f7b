import type { Block, Section } from './document.ts';

const MARK = 'simulated-';

/**
 * Names the files of figures and pictures after what they are, so that one on its own, copied somewhere, cannot pass for a
 * reproduction: `simulated-accuracy.svg`.
 */
export function markSimulated(sections: readonly Section[]): Section[] {
  return sections.map((section) => ({ ...section, blocks: section.blocks.map(markBlock) }));
}

function markBlock(block: Block): Block {
  switch (block.kind) {
    case 'figure':
      return { ...block, figure: { ...block.figure, id: `${MARK}${block.figure.id}` } };
    case 'gallery': {
      const { gallery } = block;
      const pictures = gallery.pictures.map((picture) => ({ ...picture, id: `${MARK}${picture.id}` }));
      return { ...block, gallery: { ...gallery, pictures } };
    }
    default:
      return block;
  }
}
