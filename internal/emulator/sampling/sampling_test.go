package sampling

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func space(t testing.TB, text string) *Space {
	t.Helper()
	s, err := ParseSpace(json.RawMessage(text))
	require.NoError(t, err)
	return s
}

func sampler(t testing.TB, s *Space, text string) Sampler {
	t.Helper()
	a, err := NewSampler(s, json.RawMessage(text), 1)
	require.NoError(t, err)
	return a
}

const all = `{"a":["choice",[["x","y",{"k":["uniform",[5,6]],"l":3}]]],"b":["uniform",[0,1]],"c":["quniform",[0,10,2]],"d":["loguniform",[-3,0]],
"e":["qloguniform",[0,3,1]],"f":["normal",[10,1]],"g":["qnormal",[10,3,0.5]],"h":["lognormal",[0,1]],"i":["qlognormal",[0,1,1]],"j":["randint",[4]]}`

func TestEveryExpression(t *testing.T) {
	for _, algorithm := range []string{`{"samplingAlgorithmType":"Random","seed":3}`, `{"samplingAlgorithmType":"Random","rule":"sobol"}`, `"random"`} {
		s := space(t, all)
		a := sampler(t, s, algorithm)
		nested := 0
		for range 300 {
			p, ok := a.Next()
			require.True(t, ok)
			v := p.Values
			if o, ok := v["a"].(map[string]any); ok {
				nested++
				require.InDelta(t, 5.5, o["k"], 0.5)
				require.EqualValues(t, 3, o["l"])
			} else {
				require.Contains(t, []any{"x", "y"}, v["a"])
			}
			require.Zero(t, math.Mod(v["c"].(float64), 2))
			require.InDelta(t, 0.5, v["d"], 0.5)
			require.Zero(t, math.Mod(v["g"].(float64), 0.5))
			require.Contains(t, []any{int64(0), int64(1), int64(2), int64(3)}, v["j"])
			require.Greater(t, v["h"].(float64), 0.0)
		}
		require.InDelta(t, 100, nested, 40)
	}
}

func TestLogBase(t *testing.T) {
	values := map[string][]float64{}
	for name, algorithm := range map[string]string{"none": `{"samplingAlgorithmType":"Random","seed":3}`, "e": `{"samplingAlgorithmType":"Random","seed":3,"logbase":"e"}`, "10": `{"samplingAlgorithmType":"Random","seed":3,"logbase":10}`, "text": `{"samplingAlgorithmType":"Random","seed":3,"rule":"sobol","logbase":"10"}`} {
		s := space(t, `{"a":["loguniform",[-3,0]],"b":["lognormal",[0,1]]}`)
		p, ok := sampler(t, s, algorithm).Next()
		require.True(t, ok)
		values[name] = []float64{p.Values["a"].(float64), p.Values["b"].(float64)}
		require.GreaterOrEqual(t, p.Values["a"], map[bool]float64{true: math.Exp(-3), false: 1e-3}[name == "none" || name == "e"])
		require.LessOrEqual(t, p.Values["a"], 1.0)
	}
	require.Equal(t, values["none"], values["e"])
	for i, v := range values["e"] {
		require.InDelta(t, math.Log(v), math.Log10(values["10"][i]), 1e-9)
	}
	for _, bad := range []string{`{"samplingAlgorithmType":"Random","logbase":-1}`, `{"samplingAlgorithmType":"Random","logbase":1}`, `{"samplingAlgorithmType":"Random","rule":"halton"}`} {
		_, err := NewSampler(space(t, `{"a":["uniform",[0,1]]}`), json.RawMessage(bad), 1)
		require.Error(t, err, bad)
	}
}

func TestSeedsRepeat(t *testing.T) {
	draw := func(seed int) string {
		a := sampler(t, space(t, all), fmt.Sprintf(`{"samplingAlgorithmType":"Random","seed":%d}`, seed))
		a.Next()
		p, _ := a.Next()
		return fmt.Sprint(p.Values)
	}
	require.Equal(t, draw(7), draw(7))
	require.NotEqual(t, draw(7), draw(8))
}

// A Sobol sequence of 64 points has exactly four in each of 16 equal intervals, in each dimension.
func TestSobolIsEven(t *testing.T) {
	s := space(t, `{"a":["uniform",[0,1]],"b":["uniform",[0,1]],"c":["uniform",[0,1]],"d":["uniform",[0,1]],"e":["uniform",[0,1]],"f":["uniform",[0,1]]}`)
	a := sampler(t, s, `{"samplingAlgorithmType":"Random","rule":"sobol","seed":5}`)
	counts := map[string]int{}
	for range 64 {
		p, _ := a.Next()
		for k, v := range p.Values {
			counts[fmt.Sprint(k, int(v.(float64)*16))]++
		}
	}
	require.Len(t, counts, 6*16)
	for k, n := range counts {
		require.Equal(t, 4, n, k)
	}
}

func TestGrid(t *testing.T) {
	a := sampler(t, space(t, `{"a":["choice",[[1,2,3]]],"b":["choice",[["x",{"k":["choice",[[7,8]]]}]]]}`), `{"samplingAlgorithmType":"Grid"}`)
	seen := map[string]bool{}
	for {
		p, ok := a.Next()
		if !ok {
			break
		}
		seen[fmt.Sprint(p.Values)] = true
	}
	require.Len(t, seen, 9, "three by x, {7}, {8}")
	_, err := NewSampler(space(t, `{"a":["uniform",[0,1]]}`), json.RawMessage(`{"samplingAlgorithmType":"Grid"}`), 1)
	require.ErrorContains(t, err, "grid sampling takes choice alone; a is uniform")
}

// The estimator must find a narrow valley better than chance does.
func TestBayesianBeatsRandom(t *testing.T) {
	text := `{"x":["uniform",[-5,5]],"y":["uniform",[-5,5]],"k":["choice",[["bad","good","worse"]]]}`
	run := func(kind string, seed uint64) float64 {
		a, err := NewSampler(space(t, text), json.RawMessage(`{"samplingAlgorithmType":"`+kind+`"}`), seed)
		require.NoError(t, err)
		best := math.Inf(1)
		for range 60 {
			p, _ := a.Next()
			x, y := p.Values["x"].(float64), p.Values["y"].(float64)
			loss := (x-2)*(x-2) + (y+1)*(y+1)
			if p.Values["k"] != "good" {
				loss += 3
			}
			a.Observe(p, loss)
			best = min(best, loss)
		}
		return best
	}
	var bayes, chance float64
	for seed := range uint64(20) {
		bayes += run("Bayesian", seed) / 20
		chance += run("Random", seed) / 20
	}
	require.Less(t, bayes, chance/2)
}

func TestBadSpaces(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                            "nothing to choose",
		`[]`:                            "want an object",
		`{"a":["uniform",[1,0]]}`:       "a: uniform: the least value 1 is above the greatest 0",
		`{"a":["uniform",[1]]}`:         "uniform wants 2 numbers, got 1",
		`{"a":["uniform",["x",1]]}`:     `"x" is not a number`,
		`{"a":["dance",[1]]}`:           `"dance" is not a distribution`,
		`{"a":["choice",[]]}`:           "choice wants one list",
		`{"a":["choice",[[]]]}`:         "choice wants one list",
		`{"a":["randint",[0]]}`:         "randint wants a whole number above zero",
		`{"a":["quniform",[0,1,0]]}`:    "q must be above zero",
		`{"a":["normal",[0,-1]]}`:       "sigma -1 is negative",
		`{"a":5,"b":["uniform",[1]]}`:   "a: want",
		`{"a":["uniform",[1,0]],"b":1}`: "b: want",
	} {
		_, err := ParseSpace(json.RawMessage(in))
		require.ErrorContains(t, err, want, in)
	}
}

func policy(t *testing.T, text string, maximize bool) *Policy {
	t.Helper()
	p, err := NewPolicy(json.RawMessage(text), maximize)
	require.NoError(t, err)
	return p
}

func TestBandit(t *testing.T) {
	p := policy(t, `{"policyType":"Bandit","slackFactor":0.1,"evaluationInterval":2,"delayEvaluation":2}`, true)
	require.Empty(t, p.Observe("a", 0.5))
	require.Empty(t, p.Observe("a", 0.8))
	require.Empty(t, p.Observe("b", 0.1), "not an interval")
	require.Empty(t, p.Observe("b", 0.75), "within the slack of 0.8/1.1")
	require.Empty(t, p.Observe("c", 0.1))
	require.Equal(t, []string{"c"}, p.Observe("c", 0.7))
	p = policy(t, `{"policyType":"bandit","slackAmount":0.2,"slackFactor":0}`, false)
	require.Empty(t, p.Observe("a", 1))
	require.Empty(t, p.Observe("b", 1.15))
	require.Equal(t, []string{"c"}, p.Observe("c", 1.3))
	p = policy(t, `{"policyType":"Bandit","slackFactor":0.2,"evaluationInterval":1}`, true)
	require.Empty(t, p.Observe("a", 0.8))
	require.Empty(t, p.Observe("b", 0.7), "above 0.8/1.2")
	require.Empty(t, p.Observe("b", 0.1), "its best value counts, not its last")
}

func TestMedian(t *testing.T) {
	p := policy(t, `{"policyType":"MedianStopping"}`, true)
	for _, k := range []string{"a", "b", "c"} {
		require.Empty(t, p.Observe(k, 0.9))
	}
	require.Equal(t, []string{"d"}, p.Observe("d", 0.5))
	require.Empty(t, p.Observe("e", 0.95))

	p = policy(t, `{"policyType":"MedianStopping","evaluationInterval":2,"delayEvaluation":2}`, true)
	for range 5 {
		require.Empty(t, p.Observe("ahead", 0.5), "there is nobody to compare it with")
	}
	require.Empty(t, p.Observe("a", 0.9))
	require.Equal(t, []string{"ahead"}, p.Observe("a", 0.9), "when others have come to an interval it was at")
	require.Empty(t, p.Observe("ahead", 0.4), "it is ending")
	require.Empty(t, p.Observe("b", 0.1))
	require.Equal(t, []string{"b"}, p.Observe("b", 0.2))
}

func TestTruncation(t *testing.T) {
	p := policy(t, `{"policyType":"TruncationSelection","truncationPercentage":50}`, true)
	require.Empty(t, p.Observe("a", 0.1))
	stops := p.Observe("b", 0.9)
	require.Equal(t, []string{"a"}, stops)
	var none *Policy
	require.Empty(t, none.Observe("a", 1))
}

func FuzzSpace(f *testing.F) {
	f.Add(all, 0.5)
	f.Add(`{"a":["choice",[[{"b":["choice",[[1]]]}]]]}`, 0.99)
	f.Fuzz(func(t *testing.T, text string, u float64) {
		s, err := ParseSpace(json.RawMessage(text))
		if err != nil {
			return
		}
		at := make([]float64, len(s.dims))
		for i := range at {
			at[i] = u
		}
		s.Values(at)
		s.active(at)
	})
}
