//go:build unix

package local_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPipelinesOfData(t *testing.T) {
	perform(t, map[string]flow{
		"a chain passes bytes on": {
			files: map[string]string{"rows.csv": "c\na\nb\n"},
			yaml: `
inputs: {rows: {type: uri_file, path: rows.csv}}
outputs: {done: {type: uri_folder}}
jobs:
  sort: {type: command, ENV, command: "sort ${{inputs.rows}} >${{outputs.o}}/rows", inputs: {rows: "${{parent.inputs.rows}}"}, outputs: {o: {type: uri_folder}}}
  upper: {type: command, ENV, command: "tr a-z A-Z <${{inputs.i}}/rows >${{outputs.o}}/rows", inputs: {i: "${{parent.jobs.sort.outputs.o}}"}, outputs: {o: {type: uri_folder}}}
  number: {type: command, ENV, command: "grep -n . ${{inputs.i}}/rows >${{outputs.o}}/rows", inputs: {i: "${{parent.jobs.upper.outputs.o}}"}, outputs: {o: "${{parent.outputs.done}}"}}
`,
			check: func(p *performed) {
				require.Equal(p, "1:A\n2:B\n3:C\n", p.out("done", "rows"))
				p.follows("upper", "sort")
				p.follows("number", "upper")
			},
		},
		"a diamond joins what two steps made": {yaml: `
outputs: {sum: {type: uri_file}}
jobs:
  top: {type: command, ENV, command: "echo 7 >${{outputs.o}}", outputs: {o: {type: uri_file}}}
  left: {type: command, ENV, command: "echo $(( $(cat ${{inputs.i}}) * 2 )) >${{outputs.o}}", inputs: {i: "${{parent.jobs.top.outputs.o}}"}, outputs: {o: {type: uri_file}}}
  right: {type: command, ENV, command: "echo $(( $(cat ${{inputs.i}}) + 5 )) >${{outputs.o}}", inputs: {i: "${{parent.jobs.top.outputs.o}}"}, outputs: {o: {type: uri_file}}}
  join: {type: command, ENV, command: "echo $(( $(cat ${{inputs.a}}) * $(cat ${{inputs.b}}) )) >${{outputs.o}}", inputs: {a: "${{parent.jobs.left.outputs.o}}", b: "${{parent.jobs.right.outputs.o}}"}, outputs: {o: "${{parent.outputs.sum}}"}}
`,
			check: func(p *performed) {
				p.follows("join", "left")
				p.follows("join", "right")
				require.Equal(p, "168\n", p.out("sum", "sum"))
			},
		},
		"values, defaults and optional inputs": {
			files: map[string]string{"say.yml": `
type: command
name: say
version: "1"
inputs:
  word: {type: string}
  times: {type: integer, default: 2}
  loud: {type: boolean, default: false}
  rate: {type: number, optional: true}
outputs: {o: {type: uri_folder}}
ENV
command: "for i in $(seq ${{inputs.times}}); do echo '${{inputs.word}}' ${{inputs.loud}} $[[rate ${{inputs.rate}}]]; done >${{outputs.o}}/said"
`},
			yaml: `
inputs: {word: good morning, rate: 0.5}
outputs: {a: {type: uri_folder}, b: {type: uri_folder}}
jobs:
  plain: {type: command, component: ./say.yml, inputs: {word: "${{parent.inputs.word}}"}, outputs: {o: "${{parent.outputs.a}}"}}
  all: {type: command, component: ./say.yml, inputs: {word: "${{parent.inputs.word}}", times: 1, loud: true, rate: "${{parent.inputs.rate}}"}, outputs: {o: "${{parent.outputs.b}}"}}
`,
			check: func(p *performed) {
				require.Equal(p, "good morning False\ngood morning False\n", p.out("a", "said"))
				require.Equal(p, "good morning True rate 0.5\n", p.out("b", "said"))
			},
		},
		"inputs come in the modes that are asked for": {
			files: map[string]string{"data/x": "x"},
			yaml: `
inputs: {data: {type: uri_folder, path: data}}
outputs: {o: {type: uri_folder}}
jobs:
  put: {type: command, ENV, command: "cat ${{inputs.a}}/x ${{inputs.b}}/x >${{outputs.o}}/xx; echo ${{inputs.c}} >${{outputs.o}}/uri", outputs: {o: {type: uri_folder, mode: upload}}, inputs: {a: {type: uri_folder, path: data, mode: download}, b: {type: uri_folder, path: data, mode: ro_mount}, c: {type: uri_folder, path: data, mode: direct}}}
  see: {type: command, ENV, command: "cp ${{inputs.i}}/* ${{outputs.o}}", inputs: {i: {path: "${{parent.jobs.put.outputs.o}}", mode: download}}, outputs: {o: {path: "${{parent.outputs.o}}", mode: rw_mount}}}
`,
			check: func(p *performed) {
				require.Equal(p, "xx", p.out("o", "xx"))
				require.Regexp(p, `^azureml://.*/datastores/workspaceblobstore/paths/LocalUpload/.*data`, p.out("o", "uri"))
			},
		},
		"an output goes to its own path and becomes a data asset": {yaml: `
outputs: {table: {type: uri_folder, path: "azureml://datastores/workspaceblobstore/paths/tables/${{name}}/", name: flow_table, version: "3"}}
jobs:
  make: {type: command, ENV, command: "echo 1,2 >${{outputs.o}}/t.csv", outputs: {o: "${{parent.outputs.table}}"}}
`,
			check: func(p *performed) {
				d, err := p.ws.Client.Data.Get(context.Background(), "flow_table", "3")
				require.NoError(p, err)
				require.Contains(p, d.Path, "/workspaces/local/datastores/workspaceblobstore/paths/tables/"+p.run.Name)
				next := p.write(nil, `
outputs: {o: {type: uri_folder}}
jobs:
  read: {type: command, ENV, command: "cat ${{inputs.t}}/t.csv >${{outputs.o}}/seen", inputs: {t: {type: uri_folder, path: "azureml:flow_table:3"}}, outputs: {o: "${{parent.outputs.o}}"}}
`)
				p.play(next)
				require.NoError(p, p.err)
				require.Equal(p, "1,2\n", p.out("o", "seen"))
			},
		},
		"a step registers its own model": {yaml: `
jobs:
  fit: {type: command, ENV, command: "echo weights >${{outputs.m}}/w", outputs: {m: {type: custom_model, name: flow_model}}}
`,
			check: func(p *performed) {
				m, err := p.ws.Client.Models.Get(context.Background(), "flow_model", "1")
				require.NoError(p, err)
				require.EqualValues(p, "custom_model", m.Type)
			},
		},
		"code comes with the step, and what it leaves is kept": {
			files: map[string]string{"src/count.py": `
import csv, json, os, sys
rows = list(csv.DictReader(open(sys.argv[1])))
json.dump({"rows": len(rows), "sum": sum(int(r["n"]) for r in rows)}, open(os.path.join(sys.argv[2], "stats.json"), "w"))
os.makedirs("outputs", exist_ok=True)
open("outputs/report.txt", "w").write("counted\n")
print("read", len(rows), "rows")
`, "rows.csv": "n\n1\n2\n39\n"},
			yaml: `
outputs: {stats: {type: uri_folder}}
jobs:
  count: {type: command, ENV, code: src, command: "python3 count.py ${{inputs.rows}} ${{outputs.o}}", inputs: {rows: {type: uri_file, path: rows.csv}}, outputs: {o: "${{parent.outputs.stats}}"}}
`,
			check: func(p *performed) {
				require.Equal(p, `{"rows": 3, "sum": 42}`, p.out("stats", "stats.json"))
				var log []string
				for l, err := range p.ws.Client.Jobs.Logs(p.Context(), p.step("count").Name, nil) {
					require.NoError(p, err)
					log = append(log, l)
				}
				require.Contains(p, strings.Join(log, "\n"), "read 3 rows")
			},
		},
		"copies of data, the later over the earlier": {
			files: map[string]string{"a/x": "1", "a/same": "a", "b/y": "2", "b/same": "b"},
			yaml: `
inputs: {a: {type: uri_folder, path: a}, b: {type: uri_folder, path: b}}
outputs: {all: {type: uri_folder}}
jobs:
  merge: {type: data_transfer, task: copy_data, data_copy_mode: merge_with_overwrite, inputs: {a: "${{parent.inputs.a}}", b: "${{parent.inputs.b}}"}, outputs: {o: {type: uri_folder}}}
  cat: {type: command, ENV, command: "cat ${{inputs.i}}/x ${{inputs.i}}/y ${{inputs.i}}/same >${{outputs.o}}/all", inputs: {i: "${{parent.jobs.merge.outputs.o}}"}, outputs: {o: "${{parent.outputs.all}}"}}
`,
			check: func(p *performed) { require.Equal(p, "12b", p.out("all", "all")) },
		},
		"copies that must not meet": {
			files: map[string]string{"a/same": "a", "b/same": "b"},
			yaml: `
inputs: {a: {type: uri_folder, path: a}, b: {type: uri_folder, path: b}}
jobs:
  merge: {type: data_transfer, task: copy_data, data_copy_mode: fail_if_conflict, inputs: {a: "${{parent.inputs.a}}", b: "${{parent.inputs.b}}"}, outputs: {o: {type: uri_folder}}}
`,
			fails: "the inputs a and b both have same",
		},
	})
}
