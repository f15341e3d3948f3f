package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestExpressions(t *testing.T) {
	e, ok := ParseExpression(" ${{ parent.jobs.train.outputs.model }} ")
	require.True(t, ok)
	node, out, ok := e.JobOutput()
	require.True(t, ok)
	require.Equal(t, []string{"train", "model"}, []string{node, out})
	job, ok := e.Job()
	require.True(t, ok)
	require.Equal(t, "train", job)
	for _, s := range []string{"", "${{}}", "${{a}} b", "x${{a}}", "{{a}}", "${{a}", "${{a${{b}}}}"} {
		_, ok := ParseExpression(s)
		require.False(t, ok, s)
	}
	in, ok := Expression("inputs.group.x").Input()
	require.True(t, ok)
	require.Equal(t, "group.x", in)
	_, ok = Expression("parent.inputs.").ParentInput()
	require.False(t, ok)
	job, ok = Expression("parent.jobs.n").Job()
	require.True(t, ok)
	require.Equal(t, "n", job)
}

func TestExpand(t *testing.T) {
	values := map[Expression]string{"inputs.a": "A", "inputs.b.c": "BC", "outputs.o": "/out", "search_space.lr": "0.1"}
	value := func(e Expression) (string, bool) { v, ok := values[e]; return v, ok }
	for in, want := range map[string]string{
		"run ${{inputs.a}} ${{ outputs.o }} ${{inputs.b.c}} ${{search_space.lr}}": "run A /out BC 0.1",
		"run [--x ${{inputs.a}}] [--y ${{inputs.none}}]":                          "run --x A ",
		"run $[[--x ${{inputs.a}}]] $[[--y ${{inputs.none}} ${{inputs.a}}]]z":     "run --x A z",
		"if [ -f ${{inputs.a}} ]; then x; fi":                                     "if [ -f A ]; then x; fi",
		"a[${{inputs.a}}] b[0] ${x[1]} [--z]":                                     "aA b[0] ${x[1]} [--z]",
		"[--n ${{outputs.o}}]":                                                    "[--n /out]",
		"awk '{print $1}' ${HOME} ${{not an expression}} $[[ open":                "awk '{print $1}' ${HOME} ${{not an expression}} $[[ open",
		"$[[--only text]] x":                                                      "--only text x",
		"":                                                                        "",
	} {
		got, err := ExpandText(in, value)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
	}
	_, err := ExpandText("${{inputs.x}} ${{inputs.a}} ${{outputs.y}}", value)
	require.EqualError(t, err, "no value for ${{inputs.x}}, ${{outputs.y}}")
}

func TestFindExpressionsMarksOptionalOnes(t *testing.T) {
	s := "a ${{inputs.x}} [--b ${{inputs.y}}] $[[${{inputs.z}}]]"
	var got []string
	for _, f := range FindExpressions(s) {
		require.Equal(t, f.Expression, Expression(strings.Trim(s[f.Start:f.End], "${}")))
		o := ""
		if f.Optional {
			o = "?"
		}
		got = append(got, string(f.Expression)+o)
	}
	require.Equal(t, []string{"inputs.x", "inputs.y?", "inputs.z?"}, got)
}

func TestExpandKeepsAllTextAround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{"a", " ", "[", "]", "$[[", "]]", "${{", "}}", "${{inputs.x}}", "--f ", "\n", "é"})).Draw(t, "parts")
		s := strings.Join(parts, "")
		got, err := ExpandText(s, func(e Expression) (string, bool) { return e.String(), true })
		require.NoError(t, err)
		strip := strings.NewReplacer("[", "", "]", "", "$", "")
		require.Equal(t, strip.Replace(s), strip.Replace(got))
	})
}

func FuzzExpressions(f *testing.F) {
	for _, s := range []string{"${{inputs.x}}", "[--a ${{inputs.x}}]", "$[[a ${{inputs.x}}]]", "$[[", "[${{", "${{a}}]", "[[${{inputs.x}}]]", "${{ parent.jobs.a.outputs.b }}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, e := range FindExpressions(s) {
			if e.Start < 0 || e.End > len(s) || e.Start >= e.End {
				t.Fatalf("%q: %+v", s, e)
			}
		}
		if _, err := ExpandText(s, func(Expression) (string, bool) { return "", true }); err != nil {
			t.Fatal(err)
		}
		if e, ok := ParseExpression(s); ok {
			if again, ok := ParseExpression(e.String()); !ok || again != e {
				t.Fatalf("%q is %q", e, again)
			}
		}
	})
}
