/** Lets the event loop take a turn, in which signals and messages arrive. Not by a timer: browsers slow those of a hidden page down. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // The types of Node.js have no name in common with those of browsers, which have no `setImmediate`.
    const setImmediate = Reflect.get(globalThis, 'setImmediate');
    if (setImmediate !== undefined) return setImmediate(resolve);
    const { port1, port2 } = new MessageChannel();
    const arrive = () => {
      port1.close();
      resolve();
    };
    Reflect.set(port1, 'onmessage', arrive);
    port2.postMessage(null);
  });
}
