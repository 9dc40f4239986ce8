/** A signal that is aborted once it has been looked at so often, as a training does before each batch. */
export function stopAfter(looks: number): AbortSignal {
  const abort = new AbortController();
  let looked = 0;
  return new Proxy(abort.signal, {
    get(target, name) {
      if (name === 'aborted' && ++looked > looks) abort.abort(new Error('stop'));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
