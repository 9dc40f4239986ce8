// Transpiles src to dist, one file to one file. `npm ci` runs it, so it needs neither a development dependency nor types
// that check; `npm run build` adds the declarations.
import {readdirSync} from 'node:fs';
import {build} from 'esbuild';

const sources = readdirSync('src', {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'));

await build({
  entryPoints: sources.map((file) => `src/${file}`),
  outbase: 'src',
  outdir: 'dist',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  bundle: true,
  packages: 'external',
  plugins: [
    {
      name: 'one-file-to-one-file',
      setup({onResolve}) {
        onResolve({filter: /^\.{1,2}\//}, ({kind, path}) =>
          kind === 'entry-point' ? undefined : {path: path.replace(/\.ts$/, '.js'), external: true},
        );
      },
    },
  ],
});
