package wire

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The vectors are what PyYAML's safe_load makes of a plain scalar: text, Python type, str; see testdata/README.md.
func TestPlainScalarsAsPyYAML(t *testing.T) {
	name := "testdata/scalars.json"
	if v := os.Getenv("WIRE_SCALARS"); v != "" {
		name = v
	}
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var cases [][3]string
	require.NoError(t, json.Unmarshal(data, &cases))
	kinds := map[string]NodeKind{"NoneType": Null, "bool": Bool, "int": Int, "float": Float, "str": String, "date": Time, "datetime": Time}
	for _, c := range cases {
		n, err := ParseYAML([]byte("k: "+c[0]+"\n"), "", "")
		if c[1] == "error" {
			require.Error(t, err, "%q", c[0])
			continue
		}
		require.NoError(t, err, "%q", c[0])
		v := n.Get("k")
		require.Equal(t, kinds[c[1]], v.Kind, "%q", c[0])
		require.Equal(t, c[2], PythonStr(v.Value), "%q", c[0])
	}
}
