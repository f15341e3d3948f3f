package mlflow

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const modelFile = "MLmodel"

// Model is a model to be kept in MLflow's format: a folder of files and the MLmodel file that describes
// it. What Dir has of an MLmodel already stays, where nothing here says otherwise.
type Model struct {
	// Name is the model's name, and its path below the run's artifacts on servers without logged models.
	// Defaults to "model".
	Name string
	// Dir is the local folder of the model's files.
	Dir string
	// Flavors say who can load the model, by name ("python_function", "sklearn", one of your own). A
	// model without any is kept as flavor "files".
	Flavors   map[string]map[string]any
	Signature *Signature
	// InputExample is stored as input_example.json.
	InputExample any
	Metadata     map[string]any

	// Of the logged model, where the server has these.
	Type         string
	Params, Tags map[string]string
	Step         int
}

// ids are what a server gives a model.
type modelIDs struct {
	run, model, artifactPath string
	created                  time.Time
}

// document makes the content of MLmodel.
func (m *Model) document(ids modelIDs) (map[string]any, error) {
	doc := map[string]any{}
	if m.Dir != "" {
		old, err := os.ReadFile(filepath.Join(m.Dir, modelFile))
		if err == nil {
			err = yaml.Unmarshal(old, &doc)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", modelFile, err)
		}
	}
	flavors, _ := doc["flavors"].(map[string]any) // of a file that says otherwise nothing is kept
	flavors = maps.Clone(flavors)
	if flavors == nil {
		flavors = map[string]any{}
	}
	for name, f := range m.Flavors {
		flavors[name] = f
	}
	if len(flavors) == 0 {
		flavors["files"] = map[string]any{}
	}
	doc["flavors"] = flavors
	if m.Signature != nil {
		s, err := m.Signature.document()
		if err != nil {
			return nil, err
		}
		doc["signature"] = s
	}
	if m.InputExample != nil {
		doc["saved_input_example_info"] = map[string]any{"artifact_path": inputExample, "type": "json_object"}
	}
	if m.Metadata != nil {
		doc["metadata"] = m.Metadata
	}
	doc["utc_time_created"] = ids.created.UTC().Format("2006-01-02 15:04:05.000000")
	for key, v := range map[string]string{"run_id": ids.run, "artifact_path": ids.artifactPath, "model_id": ids.model} {
		if v != "" {
			doc[key] = v
		}
	}
	if ids.model != "" {
		doc["model_uuid"] = ids.model
	} else if doc["model_uuid"] == nil {
		doc["model_uuid"] = randomHex(32)
	}
	return doc, nil
}

const inputExample = "input_example.json"

// files are the model's files with the MLmodel and the example made here, under a folder.
func (m *Model) files(dir string, doc map[string]any) ([]upload, error) {
	var files []upload
	if m.Dir != "" {
		info, err := os.Stat(m.Dir)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("%s is not a folder", m.Dir)
		}
		found, err := folderUploads(m.Dir, dir)
		if err != nil {
			return nil, err
		}
		for _, u := range found {
			if u.path != joinPath(dir, modelFile) {
				files = append(files, u)
			}
		}
	}
	text, err := modelYAML(doc)
	if err != nil {
		return nil, err
	}
	files = append(files, bytesUpload(joinPath(dir, modelFile), text))
	if m.InputExample != nil {
		b, err := json.Marshal(m.InputExample)
		if err != nil {
			return nil, fmt.Errorf("input example: %w", err)
		}
		files = append(files, bytesUpload(joinPath(dir, inputExample), b))
	}
	return files, nil
}

func joinPath(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// WriteModel puts the MLmodel file, and the input example, into m.Dir: a folder that any client of
// MLflow, and Azure Machine Learning as mlflow_model, takes for a model.
func WriteModel(m *Model) error {
	if m.Dir == "" {
		return fault("write model", "Dir is not set")
	}
	doc, err := m.document(modelIDs{created: time.Now()})
	if err != nil {
		return fmt.Errorf("mlflow: write model: %w", err)
	}
	text, err := modelYAML(doc)
	if err == nil && m.InputExample != nil {
		var b []byte
		if b, err = json.Marshal(m.InputExample); err == nil {
			err = os.WriteFile(filepath.Join(m.Dir, inputExample), b, 0o666)
		}
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(m.Dir, modelFile), text, 0o666)
	}
	return wrap(err, "mlflow: write model")
}

// modelYAML writes MLmodel so that PyYAML reads back what was meant.
func modelYAML(doc map[string]any) ([]byte, error) {
	node, err := yamlNode(doc)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := join(e.Encode(node), e.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// yamlNode spells floats with a point: to YAML 1.1, and so to Python, 1e-05 is a string.
func yamlNode(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range sortedKeys(v) {
			child, err := yamlNode(v[key])
			if err != nil {
				return nil, err
			}
			name := &yaml.Node{}
			name.SetString(key)
			n.Content = append(n.Content, name, child)
		}
		return n, nil
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range v {
			child, err := yamlNode(item)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		return n, nil
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if mantissa, exponent, ok := strings.Cut(s, "e"); ok && !strings.Contains(mantissa, ".") {
			s = mantissa + ".0e" + exponent
		}
		n := &yaml.Node{}
		if err := n.Encode(v); err != nil {
			return nil, err
		}
		if strings.ContainsAny(s, ".") {
			n.Value = s
		}
		return n, nil
	}
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		return nil, err
	}
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		var plain any
		if err := n.Decode(&plain); err != nil {
			return nil, err
		}
		switch plain.(type) {
		case map[string]any, []any:
			return yamlNode(plain)
		}
	}
	return n, nil
}

// randomHex gives n hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b)[:n]
}
