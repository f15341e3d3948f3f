package execution

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpand(t *testing.T) {
	values := map[string]string{"inputs.data": "/in/data", "inputs.lr": "0.1", "outputs.model": "/out", "inputs.g.a": "x"}
	for _, c := range []struct{ in, want string }{
		{"run --data ${{inputs.data}} --lr ${{ inputs.lr }} > ${{outputs.model}}/log", "run --data /in/data --lr 0.1 > /out/log"},
		{"run [--lr ${{inputs.lr}}] [--no ${{inputs.none}}]", "run --lr 0.1 "},
		{"run $[[--lr ${{inputs.lr}}]] $[[--no ${{inputs.none}}]]", "run --lr 0.1 "},
		{"run $[[--lr\n${{inputs.lr}}]]$[[--no\n${{inputs.none}}]]", "run --lr\n0.1"},
		{"echo [${{inputs.lr}}] [${{inputs.lr}}|${{inputs.g.a}}] a[${{inputs.lr}}] ${{inputs.data}}[${{inputs.none}}]", "echo [0.1] [0.1|x] a[0.1] /in/data"},
		{"if [ -f ${{inputs.data}}/x ]; then echo ${{inputs.g.a}}; fi", "if [ -f /in/data/x ]; then echo x; fi"},
		{"if [[ ${{inputs.lr}} == 0.1 ]]; then echo $HOME ${HOME}; fi", "if [[ 0.1 == 0.1 ]]; then echo $HOME ${HOME}; fi"},
	} {
		got, err := expand(c.in, values)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	_, err := expand("run ${{inputs.none}} ${{outputs.none}}", values)
	require.EqualError(t, err, "${{inputs.none}}, ${{outputs.none}}: no such value")
}

func TestReferences(t *testing.T) {
	needed, maybe := references("run ${{inputs.a}} ${{inputs.a}} [--b ${{inputs.b}}] $[[--c ${{inputs.c}}]] [ ${{outputs.d}} ]")
	require.Equal(t, []string{"inputs.a", "outputs.d"}, needed)
	require.Equal(t, []string{"inputs.b", "inputs.c"}, maybe)
}

func FuzzExpand(f *testing.F) {
	f.Add("run [--lr ${{inputs.lr}}] $[[${{inputs.x}}]]")
	f.Add("${{inputs.lr}")
	f.Fuzz(func(t *testing.T, command string) {
		needed, _ := references(command)
		values := map[string]string{}
		for _, n := range needed {
			values[n] = "v"
		}
		if _, err := expand(command, values); err != nil {
			t.Fatalf("all that references lists is there, yet: %v", err)
		}
	})
}
