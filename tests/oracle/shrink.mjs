/// The smallest text that can be found by leaving out stretches and by putting simpler characters, for which `differs`
/// (a promise of a boolean) still holds. Cuts between characters where the text is UTF-8, between bytes where not.
export async function shrink(text, isText, differs) {
  let units = isText ? Array.from(text.toString()).map(c => Buffer.from(c)) : Array.from(text, byte => Buffer.from([byte]));
  const holds = candidate => differs(Buffer.concat(candidate));
  for (let size = Math.ceil(units.length / 2); size >= 1; ) {
    let removed = false;
    for (let at = 0; at < units.length; ) {
      const candidate = [...units.slice(0, at), ...units.slice(at + size)];
      if (candidate.length < units.length && (await holds(candidate))) {
        units = candidate;
        removed = true;
      } else {
        at += size;
      }
    }
    if (!removed || size > 1) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  for (let at = 0; at < units.length; ++at) {
    for (const simpler of ["a", " ", "1"]) {
      if (units[at].toString() === simpler) break;
      const candidate = units.with ? units.with(at, Buffer.from(simpler)) : Object.assign([...units], {[at]: Buffer.from(simpler)});
      if (await holds(candidate)) {
        units = candidate;
        break;
      }
    }
  }
  return Buffer.concat(units);
}
