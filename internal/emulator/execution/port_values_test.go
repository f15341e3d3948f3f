package execution

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortTakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		port  componentPort
		value string
		want  string
	}{
		{componentPort{Type: "integer"}, "4", ""},
		{componentPort{Type: "integer"}, "4.0", ""},
		{componentPort{Type: "Integer"}, "many", `"many" is no integer`},
		{componentPort{Type: "integer"}, "4.5", `"4.5" is no integer`},
		{componentPort{Type: "integer"}, "${{parent.inputs.n}}", ""},
		{componentPort{Type: "number"}, "1e-3", ""},
		{componentPort{Type: "boolean"}, "True", ""},
		{componentPort{Type: "boolean"}, "yes", `"yes" is no boolean; want true or false`},
		{componentPort{Type: "uri_folder"}, "anything", ""},
	} {
		err := c.port.takes(c.value)
		if c.want == "" {
			require.NoError(t, err, c.value)
		} else {
			require.EqualError(t, err, c.want)
		}
	}
}
