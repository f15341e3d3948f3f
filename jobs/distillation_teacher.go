package jobs

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/azureml-go/azureml/internal/wire"
)

// TeacherConnection is the endpoint of the model that teaches. It travels as text in the job's properties, its key too.
type TeacherConnection struct {
	// Type is serverless, the default, or custom.
	Type TeacherType `yaml:"type,required" json:"type"`
	Name string      `yaml:"name,required" json:"name"`
	// Endpoint is the address that is asked.
	Endpoint    string            `yaml:"endpoint" json:"endpoint"`
	APIKey      string            `yaml:"api_key" json:"api_key"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags"`
	// Metadata are more tags.
	Metadata map[string]string `yaml:"metadata" json:"metadata"`
	// Shared lets all projects of a hub use it. Defaults to true.
	Shared *bool `yaml:"is_shared" json:"is_shared"`
}

// TeacherType is the kind of a teacher's endpoint.
type TeacherType string

// The types.
const (
	TeacherServerless TeacherType = "serverless"
	TeacherCustom     TeacherType = "custom"
)

var teacherTypes = wire.SameEnum("serverless", "custom")

// WireEnum lists the spellings.
func (TeacherType) WireEnum() *wire.Enum { return teacherTypes }

// EncodeWire writes the connection as files have it.
func (t TeacherConnection) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(t)
	if err != nil || t.Type != TeacherCustom {
		return m, err
	}
	for from, to := range map[string]string{"endpoint": "target", "api_key": ""} {
		if v, ok := m[from]; ok && to != "" {
			m[to] = v
		}
		delete(m, from)
	}
	if t.APIKey != "" {
		m["credentials"] = map[string]any{"type": "api_key", "key": t.APIKey}
	}
	return m, nil
}

// DecodeWire reads a serverless connection, or a custom one with target and credentials.
func (t *TeacherConnection) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*t = TeacherConnection{}
	if s, ok := n.Get("type").Str(); !ok || s != string(TeacherCustom) {
		d.Plain(n, t)
		if d.Strict() && n.Kind == wire.Mapping && n.Get("api_key") == nil {
			d.Fault(n, "the required field %q is missing", "api_key")
		}
		return
	}
	d.Plain(n.Without("target", "credentials"), t)
	for _, key := range []string{"endpoint", "api_key"} {
		if at := n.Get(key); at != nil {
			d.At(key).Fault(at, "unknown field; a custom connection has target and credentials")
		}
	}
	if at := n.Get("target"); at != nil {
		d.At("target").Into(at, &t.Endpoint)
	}
	if at := n.Get("credentials"); at != nil {
		if kind, _ := at.Get("type").Str(); kind != "api_key" {
			d.At("credentials").Fault(at, "wants a mapping with type: api_key and key")
			return
		}
		if key := at.Get("key"); key != nil {
			d.At("credentials").At("key").Into(key, &t.APIKey)
		}
	}
}

func (t TeacherConnection) fault() string {
	switch {
	case t.Name == "":
		return "the endpoint's name is required"
	case t.Type != "" && t.Type != TeacherServerless && t.Type != TeacherCustom:
		return "the type is serverless or custom"
	case t.Type != TeacherCustom && t.APIKey == "":
		return "the endpoint's key is required"
	}
	return ""
}

// text is the connection as the reference SDK dumps it. Tags and metadata are one thing there.
func (t TeacherConnection) text() (string, error) {
	tags := map[string]any{}
	for _, m := range []map[string]string{t.Tags, t.Metadata} {
		for k, v := range m {
			tags[k] = v
		}
	}
	kind := t.Type
	if kind == "" {
		kind = TeacherServerless
	}
	var b bytes.Buffer
	put := func(key string, v any) error {
		text, err := wire.PythonJSON(v)
		if err != nil {
			return err
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(key) + ": ")
		b.Write(text)
		return nil
	}
	type pair struct {
		key string
		v   any
	}
	pairs := []pair{{"name", t.Name}}
	if t.Description != "" {
		pairs = append(pairs, pair{"description", t.Description})
	}
	pairs = append(pairs, pair{"tags", tags}, pair{"type", string(kind)})
	if t.Endpoint != "" {
		pairs = append(pairs, pair{"target", t.Endpoint})
	}
	for _, p := range pairs {
		if err := put(p.key, p.v); err != nil {
			return "", err
		}
	}
	if t.APIKey != "" {
		key, err := wire.PythonJSON(t.APIKey)
		if err != nil {
			return "", err
		}
		b.WriteString(`, "credentials": {"type": "api_key", "key": ` + string(key) + `}`)
	}
	pairs = []pair{{"is_shared", t.Shared == nil || *t.Shared}, {"metadata", tags}}
	if kind == TeacherServerless {
		pairs = append(pairs, pair{"api_key", t.APIKey}, pair{"endpoint", t.Endpoint})
	}
	for _, p := range pairs {
		if err := put(p.key, p.v); err != nil {
			return "", err
		}
	}
	return "{" + b.String() + "}", nil
}

// read takes the connection out of that text. A text of another form leaves the name alone.
func (t *TeacherConnection) read(_ *wire.Decoding, text string) {
	var doc struct {
		Name        string            `json:"name"`
		Description string            `json:"description"`
		Tags        map[string]string `json:"tags"`
		Type        TeacherType       `json:"type"`
		Target      string            `json:"target"`
		Credentials struct {
			Key string `json:"key"`
		} `json:"credentials"`
		Shared *bool `json:"is_shared"`
	}
	if json.Unmarshal([]byte(text), &doc) != nil {
		return
	}
	name := t.Name
	*t = TeacherConnection{Type: doc.Type, Name: doc.Name, Description: doc.Description, Endpoint: doc.Target, APIKey: doc.Credentials.Key}
	if t.Name == "" {
		t.Name = name
	}
	if len(doc.Tags) > 0 {
		t.Tags = doc.Tags
	}
	if doc.Shared != nil && !*doc.Shared {
		t.Shared = doc.Shared
	}
}

// wordNode is a property's text as the value that it is the text of, where that is certain.
func wordNode(s string) *wire.Node {
	for _, v := range []any{true, false} {
		if wire.PythonStr(v) == s {
			return wire.TreeNode(v)
		}
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil && wire.PythonStr(i) == s {
		return wire.TreeNode(i)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && wire.PythonStr(f) == s {
		return wire.TreeNode(f)
	}
	return wire.TreeNode(s)
}
