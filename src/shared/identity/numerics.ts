/**
 * Which numbers this program computes. Raise it with a change that gives a finished training other numbers than before (an
 * optimizer, a loss, an augmentation, a random draw); not for digits that another order of sums moves. Checkpoints of another
 * number are not continued, and results of another number are not mixed with new ones or reused; they stay readable.
 *
 * 2: many kernels at once sum in another order, and a small GELU is a product; trainings differ from their sixth digit on.
 * 3: JPEGs that are shrunk fourfold or more are no longer stretched by up to 7 pixels first, which libjpeg did.
 * 4: a stitching layer starts from the mean over its pairs of blocks, not over its front blocks; a training that is shorter
 *    or longer than training.epochs (a grid, an anchor alone) warms up for the same share of it.
 * 5: the downsamplings of a ConvNeXt are adapted, too.
 */
export const numericsVersion = 5;
