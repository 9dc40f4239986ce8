/** What `--help` prints after the options of each command. */

export const examples = `
Examples
  mixdown run                        build the default targets
  mixdown run tables -j 4            build one target on four cores
  mixdown plan                       what would run, and why
  mixdown explain 'train[fold=1]'    why exactly
  mixdown show tables                what a node made

Exit codes
  0 done   1 a node failed   2 bad usage or bad pipeline   3 internal error
  4 stale or drifted from mixdown.lock   130 interrupted`;

export const runExamples = `
Selections
  train                  all variants of a node
  train[fold=1]          the variants with this value; other axes are free
  train[fold=1|2]        with any of these values
  tables                 a target group of pipeline.yaml
  +train, train+         with its producers; with its consumers

Examples
  mixdown run
  mixdown run 'train[fold=1,variant=h1]' --force
  mixdown run --profile fsdkaggle2018 --set folds=[1,2]
  mixdown run --since origin/main    only what a change since then affects
  mixdown run -k                     go on with what does not need the failed node
  mixdown run --frozen               as in CI: whatever is not as mixdown.lock pins it is an error
  mixdown run --accept 'train[fold=1]' --reason 'new BLAS'
  mixdown run --json | jq .type      events as lines of JSON`;

export const affectedExamples = `
Compares stages, params, packages and sources as git knows them, on whatever machine: no result is needed. Sources that git
does not keep count as unchanged.

Examples
  mixdown affected --since origin/main
  mixdown affected --since origin/main... tables    since this branch left it
  mixdown run --since origin/main                   builds the targets that are affected; none: does nothing
  mixdown affected --since HEAD~1 --names | xargs -rd '\\n' mixdown plan`;

export const lockExamples = `
Once there is a lock, run pins new nodes and nodes that are made from something else now. A node made from the same that
came out differently has drifted: its pin stands until its values are accepted with run --accept.

Examples
  mixdown lock                       pin the default targets
  mixdown lock tables figures        pin these from now on
  mixdown lock --profile small       mixdown.small.lock`;

export const checkExamples = `
Verdicts
  fresh      made from what it would be made from now; what is here of it agrees
  stale      it would be made from something else now
  drifted    made from the same, and what is here came out differently
  unpinned   to be pinned, and not pinned yet
  orphaned   pinned, and no longer a node
Unless nodes are named, the documents of pipeline.yaml are compared with the lock as well, with that of a profile only where
there is no mixdown.lock; see mixdown render --help.

Examples
  mixdown check                      needs no cache: as in a fresh clone
  mixdown check 'train[fold=1]'
  mixdown check --json | jq '.nodes[] | select(.verdict != "fresh")'`;

export const ciExamples = `
Writes .github/workflows/mixdown.yml: restores results, installs, runs, checks against mixdown.lock when there is one, uploads
a report, and comments on pull requests of the same repository.

Examples
  mixdown ci init
  mixdown ci init --force            after \`mixdown lock\`, or when the package manager has changed`;

export const watchExamples = `
Keys
  r  run again, also what failed     f  run the targets again although results are there
  t  show failures that stand        q  quit

A change cancels the jobs that it makes useless, and what is stale runs at once; the other jobs go on beside it. A node that
failed is not tried again until something that it depends on changes. Nothing is pinned in mixdown.lock.

Examples
  mixdown watch
  mixdown watch report --json | jq .type`;

export const showExamples = `
Examples
  mixdown show tables                      outputs, metrics and when it ran
  mixdown show tables.markdown             print a text file
  mixdown show demo.clips                  list a folder
  mixdown show demo.clips/dog/a.wav --to a.wav
  mixdown show demo.clips --to my-sounds
  mixdown show 'train[fold=1]' --log`;

export const lineageExamples = `
Examples
  mixdown lineage runs/latest/out/tables/tables.md
  mixdown lineage ~/paper/figure.svg       a copy: the bytes tell
  mixdown lineage 'train[fold=1].model'    an output of a node
  mixdown lineage tables --json            every step, with digests`;

export const metricsExamples = `
Columns hold four decimals; csv and json hold the numbers in full. With --pivot, a row for each metric; with several
pivoted axes, a column for each combination. The standard deviation is that of a sample (n - 1).

Examples
  mixdown metrics metrics --sort map3
  mixdown metrics metrics --metric map3 --pivot fold --mean
  mixdown metrics metrics --filter fold=1 --format md
  mixdown metrics --run latest~1 --format csv
  mixdown metrics metrics --fail-below map3=0.6     for CI: exit code 1, and the nodes that are below`;

export const renderExamples = `
Blocks
  <!-- mixdown: metrics NODE… --metric map3 --pivot fold --mean --digits 3 --title TEXT -->
  <!-- /mixdown -->                        a table; options as of the command metrics
  <!-- mixdown: file NODE.OUTPUT -->       a text: Markdown as it is, other texts as code
  <!-- mixdown: figure NODE.OUTPUT plot.svg --alt TEXT -->      copies the image there, and links to it
  It is <!-- mixdown: value NODE.METRIC digits=3 --><!-- /mixdown -->, and NODE.params.NAME is a param;
  of several nodes: of=mean, sd, min, max or count
Everything outside of the blocks stays byte for byte. Examples in code are no blocks. Tables are laid out as prettier lays
them out; around the text of a file, prettier needs <!-- prettier-ignore-start --> and <!-- prettier-ignore-end -->.

Examples
  mixdown render                           the documents of pipeline.yaml
  mixdown render README.md paper/results.md
  mixdown render --check                   for CI: exit code 4, and what differs`;

export const diffExamples = `
What is named is looked for among the runs first (latest, latest~1, an id or the start of it), then as a file, then as a
git revision. A lock knows no times and no devices.

With --over, variants that differ in these axes only are pairs: their mean difference, in brackets its 95 % bootstrap
interval, the two-sided p-value of the sign-flip test, and a word at the level of 5 %:
  too few        fewer than six pairs: even if all went one way, chance would do as much in 6 % of the cases or more
  real           chance alone gives so large a difference in at most 5 % of the cases
  within noise   it gives it more often
The test takes pairs as independent and knows nothing of the other rows: repeats of one fold are alike, and of twenty
rows without any effect one is called real.

Examples
  mixdown diff                                    the newest run against the one before
  mixdown diff HEAD                               what mixdown.lock pins now against what is committed
  mixdown diff v1.0 HEAD --over fold              what two revisions pin
  mixdown diff mixdown.lock latest                what a run made against what is pinned
  mixdown diff 20250301 latest 'train[fold=1]'
  mixdown diff latest~3 latest --over fold,repeat --metric map3`;

export const predictExamples = `
With --json, one object a line: {"file", "seconds", "pieces", "top": [{"class", "score"}]}, or {"file", "error"}.
Exit code 1 when a file could not be labelled; the others are.

Examples
  mixdown predict my-model dog.wav               its three best classes, with scores
  mixdown predict my-model recordings/ --top 1   every sound file in a folder
  mixdown predict 'model[variant=h1]' a.wav      the last result of a node
  mixdown show 'model[variant=h1]' --to my-model  a model to take along; it needs no project`;

export const traceExamples = `
Examples
  mixdown trace > trace.json               the newest run; open it at https://ui.perfetto.dev
  mixdown trace 20250301-1015 > trace.json`;

export const reportExamples = `
Examples
  mixdown report                           the newest run, to runs/<id>/report.html
  mixdown report latest~1 -o report.html   the run before it
  mixdown report --json                    what the page shows, for programs`;

export const provExamples = `
Entities are sources, stages' code and results, known by SHA-256; activities are actions, also those that an earlier run
executed, with their params and times; agents are hosts and mixdown.

Examples
  mixdown prov > prov.json                 the newest run
  mixdown lineage tables.markdown          one file's way back to the sources, for people`;

export const gcExamples = `
Examples
  mixdown gc                               what could go
  mixdown gc --yes                         delete it
  mixdown gc --older-than 30d --yes        also old results that could be made again
  mixdown clean --runs --keep 10           forget older runs first, so that their results can go`;

export const cacheExamples = `
The remote cache is a server that speaks the HTTP cache protocol of Bazel (nginx with WebDAV, bazel-remote, a bucket gateway) or
a shared folder. \`run\` uses it by itself. \`cache: {remote: {url: …}}\` in pipeline.yaml names it, with the same of
~/.config/mixdown/config.yaml laid over; MIXDOWN_CACHE (an address or folder, a mode, or \`off\`) and MIXDOWN_CACHE_NAMESPACE come
before both.

Examples
  mixdown cache stat                       where it is, whom it is shared with, and what is there
  mixdown cache push                       send what was made before it was configured
  mixdown cache pull +tables               all the bytes, for work without a network
  mixdown cache key                        make a key to sign results with; its public half for others
  mixdown cache trust                      whose results were found wrong, so that none of theirs is used
  mixdown cache distrust MCow… --reason 'its laptop was stolen'
  mixdown cache promote --from pr-12       after a merge: what its pull request made becomes ours
  MIXDOWN_CACHE=read-only mixdown run      take results, give none`;

export const importExamples = `
Stages become command nodes. Each runs in a folder that holds exactly its inputs, at the paths that dvc.yaml gives
them: a file that a program reads and \`deps\` does not name is missing there. Nothing of DVC is run or changed.

Examples
  mixdown import dvc.yaml
  mixdown import dvc.yaml -o new.yaml && mixdown -f new.yaml plan`;

export const completionExamples = `
Examples
  bash   mixdown completion bash > ~/.local/share/bash-completion/completions/mixdown
  zsh    mixdown completion zsh > "\${fpath[1]}/_mixdown"
  fish   mixdown completion fish > ~/.config/fish/completions/mixdown.fish`;
