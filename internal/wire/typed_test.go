package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type tagged struct {
	Name string             `yaml:"name" json:"-"`
	Tags map[string]string  `yaml:"tags,typed" json:"tags"`
	More map[string]*string `yaml:"more,typed" json:"more"`
	doc  Document
}

var taggedLayout = Layout{Name: "tagged", Base: "properties", At: Table{"more": "/more"}}

func (tagged) WireLayout() *Layout        { return &taggedLayout }
func (t *tagged) WireDocument() *Document { return &t.doc }

func TestTypedText(t *testing.T) {
	const file = "tags:\n  b: true\n  f: 11.3\n  q: '7'\n  s: text\nmore:\n  n: 16\n"
	var v tagged
	require.NoError(t, LoadYAML([]byte(file), "f.yml", &v, nil))
	require.Equal(t, map[string]string{"b": "True", "f": "11.3", "q": "7", "s": "text"}, v.Tags)
	m, err := ToREST(&v)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"b": true, "f": 11.3, "q": "7", "s": "text"}, m["properties"].(map[string]any)["tags"])
	require.Equal(t, map[string]any{"n": int64(16)}, m["more"])
	out, err := DumpYAML(&v)
	require.NoError(t, err)
	require.Equal(t, file, string(out))
	var again tagged
	require.NoError(t, LoadYAML(out, "f.yml", &again, nil))
	require.Equal(t, v, again)

	v.Tags["f"] = "12" // what the program sets is text
	m, err = ToREST(&v)
	require.NoError(t, err)
	require.Equal(t, "12", m["properties"].(map[string]any)["tags"].(map[string]any)["f"])
}
