/**
 * Does `work` for each item, so many at a time, and yields what came of each in the order of the items. An error ends it
 * when its turn comes; what is under way then is waited for.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  lanes: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const running: Promise<Result>[] = [];
  const next = async (): Promise<Result> => {
    const [first] = running;
    if (first === undefined) throw new Error('nothing is under way');
    const result = await first;
    void running.shift();
    return result;
  };
  try {
    for await (const item of items) {
      const one = work(item);
      // Told when its turn comes.
      one.catch(() => undefined);
      running.push(one);
      if (running.length >= lanes) yield await next();
    }
    while (running.length > 0) yield await next();
  } finally {
    await Promise.allSettled(running);
  }
}
