package wire_test

import (
	"encoding/json"
	"io/fs"
	"reflect"
	"testing"

	. "github.com/azureml-go/azureml/internal/wire"
)

var yamlSeeds = []string{
	"name: c\ntype: amlcompute\nmin_instances: 0\nmax_instances: '4'\nidle_time_before_scale_down: 120\nssh_settings: {admin_username: u}\ntags: {a: b, c: }\n",
	"type: virtualmachine\nname: v\nresource_id: /r\n",
	"type: automl\ntask: classification\ntarget_column_name: y\nlimits: {timeout_minutes: 5}\nn_cross_validations: auto\n",
	"type: pipeline\njobs:\n  a:\n    component: azureml:x:1\n    inputs: {x: 1, y: {type: uri_file, path: z}}\n    resources: {instance_count: \"${{parent.inputs.n}}\", more: 1}\n    distribution: {type: mpi}\n",
	"a: &a {b: 1}\nc: *a\n<<: *a\n", "a: &a [*a]\n", "? {a: b}\n: c\n", "x: |\n  a\n   b\n", "\xef\xbb\xbfname: x", "name: \"\\u00e9\\n\"\n", "- a\n- b\n", "a: b: c", "%YAML 1.1\n---\na: 1\n...\n", "name: !!str 5\n", "\t", "name: 1:30\nx: 0x_\n",
	"type: pipeline\njobs: {a: file:b.yml}\n",
}

func noFiles(string) ([]byte, error) { return nil, fs.ErrNotExist }

// FuzzLoadYAML: any bytes are read or refused, and what was read is written and read again to an equal value.
func FuzzLoadYAML(f *testing.F) {
	for _, s := range yamlSeeds {
		f.Add([]byte(s))
	}
	o := &LoadOptions{ReadFile: noFiles}
	f.Fuzz(func(t *testing.T, data []byte) {
		var j job
		check(t, data, &j, LoadYAML(data, "f.yml", &j, o))
		var c compute
		check(t, data, &c, LoadYAML(data, "f.yml", &c, o))
	})
}

func check(t *testing.T, data []byte, v any, err error) {
	t.Helper()
	if err != nil {
		if len(FaultsOf(err)) == 0 {
			t.Fatalf("%q: an error without faults: %v", data, err)
		}
		return
	}
	text, err := DumpYAML(v)
	if err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	back := reflect.New(reflect.TypeOf(v).Elem())
	if err := LoadYAML(text, "", back.Interface(), nil); err != nil {
		t.Fatalf("%q was written as\n%s\n%v", data, text, err)
	}
	if again, err := DumpYAML(back.Interface()); err != nil || string(again) != string(text) {
		t.Fatalf("%q: %v\n%s\nthen\n%s", data, err, text, again)
	}
	if _, err := ToREST(v); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
}

// FuzzFromREST: any JSON object is read, and an update of what was read sends it back as it was.
func FuzzFromREST(f *testing.F) {
	for _, s := range []string{
		`{"id":"/x","name":"n","location":"l","tags":{"a":null},"properties":{"computeType":"AmlCompute","provisioningState":"S","properties":{"vmSize":5,"scaleSettings":{"minNodeCount":"a"}}}}`,
		`{"id":"/x","properties":{"computeType":"New","x":1.50}}`, `{"properties":{"jobType":"AutoML","taskDetails":{"taskType":"Clustering","k":1}}}`,
		`{"properties":{"jobType":"Pipeline","jobs":{"a":{"type":"command","inputs":{"x":{"job_input_type":"later"}},"resources":{"instance_count":"${{parent.inputs.x}}"}},"b":{"type":"odd"},"c":[]}}}`,
		`{"id":"/x","properties":{"datastoreType":"AzureBlob","credentials":{"credentialsType":"Later","x":{}}}}`, `{}`, `{"properties":[]}`, `{"properties":{"credentials":null}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := ParseJSON(data)
		m, ok := raw.(map[string]any)
		if err != nil || !ok {
			return
		}
		m["id"] = "/x"
		if p, ok := m["properties"].(map[string]any); ok {
			delete(p, "provisioningState") // read-only, of clusters
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"id", "name", "type", "systemData", "etag"} {
			delete(m, k)
		}
		var c compute
		var b blobStore
		var j pipeline
		var a autoML
		for _, v := range []any{&c, &b, &j, &a} {
			if err := FromREST(text, v); err != nil {
				t.Fatalf("%T: %s: %v", v, text, err)
			}
			if v == any(&c) {
				if c == nil {
					t.Fatalf("%s: no compute", text)
				}
				v = c
			}
			body, err := Body(v, "/X")
			if err != nil {
				t.Fatalf("%T: %s: %v", v, text, err)
			}
			got, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Fatalf("%T:\nread %s\nsent %s", v, want, got)
			}
		}
	})
}
