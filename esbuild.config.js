// Transpiles src to dist, one file to one file, and bundles the report's page. `npm ci` runs it, so it needs neither a
// development dependency nor types that check; `npm run build` adds the declarations.
import {readdirSync} from 'node:fs';
import {build} from 'esbuild';

const sources = readdirSync('src', {recursive: true, encoding: 'utf8'}).filter(
  (file) => file.endsWith('.ts') && !/^page[\\/]/.test(file),
);

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

await build({
  entryPoints: [
    {in: 'src/page/main.tsx', out: 'page'},
    {in: 'src/page/styles/page.css', out: 'page'},
  ],
  outdir: 'dist/page',
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  bundle: true,
  minify: true,
});
