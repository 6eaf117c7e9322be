/** Work on many files with a bounded number of them open at a time. */

/**
 * Runs `work` on every item, at most `limit` at a time (default 8: enough to keep sharp's threads and the disk busy).
 * `done` counts the items begun so far. The first failure stops the rest and is thrown, once no work is under way any more:
 * whoever removes what was written must not race with writing.
 */
export async function forEachLimited<Item>(
  items: readonly Item[],
  work: (item: Item, done: number) => Promise<void>,
  limit = 8,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const worker = async () => {
    while (next < items.length) {
      const item = items[next++]!;
      try {
        await work(item, next);
      } catch (error) {
        next = items.length;
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length > 0) throw failures[0];
}
