//go:build unix

package local_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// totals is a program of the mini-batch protocol: the sum of the column q of each partition.
const totals = `#!/bin/sh
echo '{"ready":true}'
while read -r line; do
	file=$(printf '%s' "$line" | sed 's/.*"files":\["\([^"]*\)".*/\1/')
	key=$(printf '%s' "$line" | sed 's/.*"partition":{\([^}]*\)}.*/\1/' | tr -d '"')
	header=$(head -n 1 "$file")
	sum=$(tail -n +2 "$file" | awk -F, '{s+=$1} END {print s}')
	echo "{\"results\":[\"$key [$header] $sum\"],\"count\":$(tail -n +2 "$file" | wc -l)}"
done
`

func TestPipelinesOfTables(t *testing.T) {
	perform(t, map[string]flow{
		"a step makes a table of partitions, the next works on each": {
			files: map[string]string{"src/total.sh": totals, "src/MLTable": `type: mltable
paths:
- pattern: ./**/*.csv
transformations:
- read_delimited: {delimiter: ",", encoding: ascii, include_path_column: true}
- extract_columns_from_partition_format: {partition_format: "{store}/{brand}/{name}.{extension}"}
- filter: 'col("q") > 1'
- drop_columns: [Path, name, extension, note]
`},
			yaml: `
outputs: {sums: {type: uri_file}}
jobs:
  cut:
    type: command
    ENV
    code: ./src
    command: |
      for s in 10 20; do for b in ale stout; do
        mkdir -p ${{outputs.t}}/$s/$b
        printf 'q,note\n1,skipped\n%s,"a, b"\n%s,\n' $s $((s+1)) >${{outputs.t}}/$s/$b/part.1.csv
      done; done
      cp MLTable ${{outputs.t}}
    outputs: {t: {type: mltable}}
  add:
    type: parallel
    inputs: {t: {type: mltable, mode: direct, path: "${{parent.jobs.cut.outputs.t}}"}}
    outputs: {sums: "${{parent.outputs.sums}}"}
    input_data: ${{inputs.t}}
    partition_keys: [store, brand]
    max_concurrency_per_instance: 2
    error_threshold: 0
    task: {type: run_function, code: ./src, entry_script: total.sh, ENV, append_row_to: "${{outputs.sums}}"}
`,
			check: func(p *performed) {
				p.follows("add", "cut")
				require.Equal(p, "brand:ale,store:10 [q,store,brand] 21\nbrand:stout,store:10 [q,store,brand] 21\n"+
					"brand:ale,store:20 [q,store,brand] 41\nbrand:stout,store:20 [q,store,brand] 41\n", p.out("sums", "sums"))
			},
		},
		"a table that asks for what is not known is refused": {
			files: map[string]string{"src/total.sh": totals, "t/MLTable": "paths: [{file: ./a.csv}]\ntransformations: [read_delimited, {select_partitions: [1]}]\n", "t/a.csv": "q\n1\n"},
			yaml: `
jobs:
  make: {type: command, ENV, code: ./t, command: "cp * ${{outputs.t}}", outputs: {t: {type: mltable}}}
  add:
    type: parallel
    inputs: {t: {type: mltable, mode: direct, path: "${{parent.jobs.make.outputs.t}}"}}
    outputs: {sums: {type: uri_file}}
    input_data: ${{inputs.t}}
    task: {type: run_function, code: ./src, entry_script: total.sh, ENV, append_row_to: "${{outputs.sums}}"}
`,
			fails: `does not know the transformation "select_partitions"`,
		},
	})
}
