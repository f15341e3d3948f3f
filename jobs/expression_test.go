package jobs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReferences(t *testing.T) {
	names, optional := references("x ${{inputs.a}} [--b ${{inputs.b}}] ${{outputs.c}} ${{inputs.a}} ${{inputs.g.h}}", "inputs")
	require.Equal(t, []string{"a", "b", "g.h"}, names)
	require.Equal(t, map[string]bool{"b": true}, optional)
	names, _ = references("${{outputs.c}} ${{search_space.lr}}", "outputs")
	require.Equal(t, []string{"c"}, names)
}

func TestDoubleBraces(t *testing.T) {
	for in, want := range map[string]string{
		"python x.py {inputs.a} {outputs.b}": "python x.py ${{inputs.a}} ${{outputs.b}}",
		"{inputs.a}{inputs.b}":               "${{inputs.a}}${{inputs.b}}",
		"${{inputs.a}}":                      "${{inputs.a}}",
		"echo {other.a}":                     "echo {other.a}",
		"{search_space.lr}":                  "${{search_space.lr}}",
	} {
		require.Equal(t, want, doubleBraces(in))
	}
}
