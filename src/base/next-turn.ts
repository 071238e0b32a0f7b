/** Lets the event loop take a turn, in which signals and messages arrive. Not by a timer: browsers slow those of a hidden page down. */
export function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const arrive = () => {
      port1.close();
      resolve();
    };
    // The types of Node.js have no name in common with those of browsers.
    Reflect.set(port1, 'onmessage', arrive);
    port2.postMessage(null);
  });
}
