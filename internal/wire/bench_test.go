package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/azureml-go/azureml/internal/wire"
)

func bigPipeline(nodes int) []byte {
	var b strings.Builder
	b.WriteString("$schema: https://x\ntype: pipeline\nsettings: {continue_on_step_failure: true}\njobs:\n")
	for i := range nodes {
		fmt.Fprintf(&b, `  step_%d:
    type: command
    component: azureml:train:%d
    compute: azureml:cpu-cluster
    display_name: Step %d
    inputs:
      lr: 0.%d
      data: {type: uri_folder, path: "azureml:rows:1"}
      up: ${{parent.inputs.rows}}
    limits: {timeout: 3600}
    resources: {instance_count: 2, shm_size: 2g}
    distribution: {type: pytorch, process_count_per_instance: 4}
    retry_settings: {timeout: 60, max_retries: 3}
`, i, i, i, i+1)
	}
	return []byte(b.String())
}

func BenchmarkLoadYAML(b *testing.B) {
	data := bigPipeline(20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var j job
		if err := LoadYAML(data, "p.yml", &j, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseYAML(b *testing.B) {
	data := bigPipeline(20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseYAML(data, "p.yml", ""); err != nil {
			b.Fatal(err)
		}
	}
}

func loaded(b *testing.B) job {
	b.Helper()
	var j job
	if err := LoadYAML(bigPipeline(20), "p.yml", &j, nil); err != nil {
		b.Fatal(err)
	}
	return j
}

func BenchmarkToREST(b *testing.B) {
	j := loaded(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ToREST(j); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromREST(b *testing.B) {
	m, err := ToREST(loaded(b))
	if err != nil {
		b.Fatal(err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var j job
		if err := FromREST(data, &j); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDumpYAML(b *testing.B) {
	j := loaded(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DumpYAML(j); err != nil {
			b.Fatal(err)
		}
	}
}
