package jobs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

// A search space is spelled as the service wants it, and read as it may answer it.
func TestAutoMLSpaceText(t *testing.T) {
	for text, want := range map[string]Space{
		"choice('a','b')":        Choice("a", "b"),
		`choice("a, b", c )`:     Choice("a, b", "c"),
		"choice()":               {Type: SpaceChoice, Values: []any{}},
		"yolov5":                 Constant("yolov5"),
		"strange(1)":             Constant("strange(1)"),
		"uniform(1)":             Constant("uniform(1)"),
		"uniform(a, b)":          Constant("uniform(a, b)"),
		"Uniform( 0.5 , 2 )":     Uniform(0.5, 2),
		"qnormal(1,0.5,2)":       QNormal(1, 0.5, 2),
		"randint(7)":             RandInt(7),
		"uniform(0.00001,100.5)": Uniform(1e-5, 100.5),
	} {
		got := detectionSpace.byName["model_name"].parse(text)
		require.Equal(t, want, got, text)
	}
	number, whole, flag := detectionSpace.byName["learning_rate"], detectionSpace.byName["image_size"], detectionSpace.byName["multi_scale"]
	require.Equal(t, Choice(1, 0.5), number.parse("choice(1,0.5)"))
	require.Equal(t, Constant(1.0), number.parse("1"))
	require.Equal(t, Constant(600), whole.parse("600"))
	require.Equal(t, Choice(true, false), flag.parse("choice(True,False)"))
	require.Equal(t, Constant("maybe"), flag.parse("maybe"))
	for want, s := range map[string]Space{
		"0.00001": Constant(1e-5), "1.0": Constant(1.0), "3": Constant(3), "True": Constant(true), "10000000000000000": Constant(1e16), "loguniform(-5,1)": LogUniform(-5, 1),
	} {
		got, err := s.text()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := Space{Type: "even"}.text()
	require.ErrorContains(t, err, "no distribution")
	_, err = wire.ToREST(&AutoMLJob{Task: &TextNERTask{SearchSpace: []TextSpace{{"model_name": {}}}}})
	require.ErrorContains(t, err, "model_name: ")
}

// 1e-5 is text in YAML 1.1, and a number all the same.
func TestSpaceNumbersWithoutAPoint(t *testing.T) {
	j := load(t, "type: sweep\ntrial: {command: x, environment: 'azureml:e:1'}\nobjective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 1}\n"+
		"search_space: {lr: {type: uniform, min_value: 1e-5, max_value: '0.1'}}").(*SweepJob)
	require.Equal(t, Uniform(1e-5, 0.1), j.SearchSpace["lr"])
}

func FuzzAutoMLSpace(f *testing.F) {
	for _, s := range []string{"choice('a','b')", "uniform(0.1,1.0)", "randint(3)", "x", "choice(", "choice('a,')", "qnormal(1,2,3)", "1e400", "choice(True,1,0.5,\"q\")"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"model_name", "learning_rate", "image_size", "multi_scale", "optimizer"} {
			p := detectionSpace.byName[name]
			s := p.parse(text)
			once, err := s.text()
			require.NoError(t, err)
			twice, err := p.parse(once).text()
			require.NoError(t, err)
			thrice, err := p.parse(twice).text()
			require.NoError(t, err)
			require.Equal(t, twice, thrice)
		}
	})
}
