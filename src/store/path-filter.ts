/** Which files of a folder belong to a source. Paths are relative, with forward slashes. */
export interface PathFilter {
  /** False when no file below the folder can be accepted, so that it need not be read. */
  readonly enter: (folder: string) => boolean;
  readonly accept: (path: string) => boolean;
}

/**
 * Patterns as in a shell: `*` within a name, `**` over folders, `{a,b}`, `[a-z]`. A pattern that names a folder, such as
 * `raw` or `raw/`, takes all of it. Without `include`, everything. Hidden files and folders are left out unless an include
 * pattern names them with its dot; `exclude` sees hidden files too.
 */
export async function pathFilter(include: readonly string[], exclude: readonly string[]): Promise<PathFilter> {
  if (include.length === 0 && exclude.length === 0) {
    return {enter: (folder) => !isHidden(folder), accept: (path) => !isHidden(path)};
  }
  const {default: picomatch} = await import('picomatch');
  // `posix`: `[!a]` means what it means in a shell.
  const options = {nonegate: true, posix: true};
  const wanted = include.length === 0 ? ['**'] : include.flatMap(withContent);
  const unwanted = exclude.flatMap(withContent);
  const isWanted = picomatch(wanted, options);
  const isUnwanted = picomatch(unwanted, {...options, dot: true});
  // `a/**` excludes all of `a`; other patterns may leave a file in it.
  const wholeFolders = unwanted.filter((pattern) => pattern.endsWith('/**')).map((pattern) => pattern.slice(0, -3));
  const isWholeFolder = picomatch(wholeFolders, {...options, dot: true});
  const bases = wanted.map((pattern) => {
    const {base, isGlob} = picomatch.scan(pattern);
    return isGlob ? base : pattern;
  });
  const namesHidden = wanted.some((pattern) => /(^|[/{,(|])\.[^./]/.test(pattern));
  return {
    enter: (folder) =>
      (namesHidden || !isHidden(folder)) &&
      bases.some((base) => base === '' || base === folder || isBelow(folder, base) || isBelow(base, folder)) &&
      !(wholeFolders.length > 0 && isWholeFolder(folder)),
    accept: (path) => isWanted(path) && !(unwanted.length > 0 && isUnwanted(path)),
  };
}

/** A name without glob characters may be that of a folder. */
function withContent(pattern: string): readonly string[] {
  const plain = pattern.replace(/^\.\//, '');
  if (plain.endsWith('/')) return [`${plain}**`];
  return /[*?[\]{}()!+@|]/.test(plain) ? [plain] : [plain, `${plain}/**`];
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function isHidden(path: string): boolean {
  return path.charCodeAt(path.lastIndexOf('/') + 1) === 46;
}
