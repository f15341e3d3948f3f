package execution

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnfit(t *testing.T) {
	for _, c := range []struct {
		port componentPort
		fit  []string
		not  map[string]string
	}{
		{componentPort{Type: "integer"}, []string{"0", "-10", "3.0", ""}, map[string]string{
			"abc": `the component's input is of type integer, not "abc"`, "1.5": `the component's input is of type integer, not "1.5"`, "True": `the component's input is of type integer, not "True"`,
		}},
		{componentPort{Type: "number"}, []string{"1", "1e-07", "nan", "-.5"}, map[string]string{"x1": `the component's input is of type number, not "x1"`}},
		{componentPort{Type: "boolean"}, []string{"True", "false", "0"}, map[string]string{"maybe": `the component's input is true or false, not "maybe"`}},
		{componentPort{Type: "String"}, []string{"x", "true", "1"}, nil},
	} {
		for _, v := range c.fit {
			require.Empty(t, c.port.unfit(v), v)
		}
		for v, why := range c.not {
			require.Equal(t, why, c.port.unfit(v))
		}
	}
}
