import {sha256} from '../core/digest.ts';
import type {PageData} from './page-data.ts';
import {htmlText} from './html-text.ts';
import {pagePlain} from './page-plain.ts';

/** What draws the page in a browser. */
export interface PageAssets {
  /** Runs by itself; reads the data out of the element `data` and draws into the element `app`. */
  readonly script: string;
  readonly style: string;
}

/**
 * The page of a run as one HTML file that fetches nothing: the data, what draws it, and the results as plain tables for those
 * who run no scripts. The policy in its head lets no other script run, whatever the data say.
 */
export function pageHtml(data: PageData, {script, style}: PageAssets): string {
  const code = script.replaceAll(/<\/(?=script)/gi, '<\\/');
  const policy = [
    "default-src 'none'",
    'img-src data:',
    "style-src 'unsafe-inline'",
    `script-src 'sha256-${Buffer.from(sha256(code), 'hex').toString('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="mixdown">
<title>${htmlText(`${data.project}: run ${data.run.id}, ${data.run.outcome}`)}</title>
<link rel="icon" href="data:,">
<style>${style.replaceAll(/<\/(?=style)/gi, '<\\/')}</style>
</head>
<body>
<div id="app"></div>
<noscript>
${pagePlain(data)}</noscript>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${code}</script>
</body>
</html>
`;
}

/** JSON that no HTML parser sees an end of the element in, and that is also JavaScript. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
