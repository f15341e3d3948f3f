package jobs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReferences(t *testing.T) {
	needed, optional, outputs, space := references("x ${{inputs.a}} [--b ${{inputs.b}}] ${{outputs.c}} ${{inputs.a}} ${{ inputs.g.h }} ${{search_space.lr}}")
	require.Equal(t, []string{"a", "g.h"}, needed)
	require.Equal(t, []string{"b"}, optional)
	require.Equal(t, []string{"c"}, outputs)
	require.Equal(t, []string{"lr"}, space)
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
