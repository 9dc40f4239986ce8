import type {JsonObject} from '../core/json.ts';

/** The longest mapping or list that is written on one line, in characters of JSON. */
const flowLimit = 110;

/** A pipeline as YAML: blocks outside, what is short on one line inside, scripts as they are. */
export async function pipelineText(pipeline: JsonObject): Promise<string> {
  const {Document, isCollection, isMap, isScalar, visit} = await import('yaml');
  const document = new Document(pipeline, {aliasDuplicateObjects: false});
  visit(document, {
    Collection(_, node, path) {
      // pipeline.yaml, its sections and its nodes are blocks; so is what holds a text of several lines.
      const pairs = path.filter((step) => !isCollection(step)).length - 1;
      const section = pairs < 1 ? '' : String((path[2] as {key?: unknown}).key);
      if (pairs < 1 || (section === 'nodes' && pairs < 3)) return;
      const text = JSON.stringify(node.toJSON());
      if (text.length <= flowLimit && !text.includes(String.raw`\n`)) node.flow = true;
    },
    Pair(_, {key, value}) {
      const long = isScalar(value) && typeof value.value === 'string' && value.value.includes('\n');
      if (isScalar(key) && key.value === 'script' && long) value.type = 'BLOCK_LITERAL';
    },
  });
  const {contents} = document;
  if (!isMap(contents)) return '';
  return document.toString({lineWidth: 0, singleQuote: true, flowCollectionPadding: false});
}
