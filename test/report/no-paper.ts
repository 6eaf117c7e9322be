/** Reports without numbers of the paper. */
import type { PaperReference } from '../../src/report/paper/paper.js';

export const noPaper: PaperReference = { anchors: [], row: () => undefined };
