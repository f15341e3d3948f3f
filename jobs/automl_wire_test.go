package jobs

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

// Values whose rules a generator cannot guess.

func anyTable(t *rapid.T) Input {
	return MLTable(rapid.SampledFrom([]string{"azureml:rows:1", "https://x/y", "azureml://datastores/d/paths/p"}).Draw(t, "path"))
}

func anySpace(t *rapid.T, table *spaceTable) map[string]Space {
	out := map[string]Space{}
	for range rapid.IntRange(0, 4).Draw(t, "parameters") {
		p := table.byName[rapid.SampledFrom(table.names).Draw(t, "name")]
		value := func() any {
			switch p.kind {
			case spaceBool:
				return rapid.Bool().Draw(t, "value")
			case spaceInt:
				return int64(rapid.IntRange(-5, 500).Draw(t, "value"))
			case spaceFloat:
				return float64(rapid.IntRange(1, 1_000_000).Draw(t, "value")) / 1e5
			case spaceEnum:
				return rapid.SampledFrom(p.enum.WireEnum().Values()).Draw(t, "value")
			}
			return rapid.SampledFrom([]string{"yolov5", "bert-base-cased", "a b", "3x2"}).Draw(t, "value")
		}
		kind := rapid.SampledFrom([]SpaceType{"", SpaceChoice, SpaceUniform, SpaceQUniform, SpaceLogNormal, SpaceRandInt}).Draw(t, "distribution")
		if kind != "" && p.takes(kind) != "" {
			kind = SpaceChoice
		}
		s := Space{Type: kind}
		switch kind {
		case "":
			s.Values = []any{value()}
		case SpaceChoice:
			s.Values = []any{value(), value()}
		case SpaceUniform:
			s = Uniform(0.5, 7)
		case SpaceQUniform:
			s = QUniform(1, 7, 2)
		case SpaceLogNormal:
			s = LogNormal(0, 0.25)
		case SpaceRandInt:
			s = RandInt(9)
		}
		out[p.name] = s
	}
	return out
}

func automlValues() []wiretest.Option {
	return []wiretest.Option{
		wiretest.Leave("Services", "Resources", "Queue", "TestData"), // Resources and Queue travel otherwise than they are read, see sendAsReference
		wiretest.Value(anyTable),
		wiretest.Value(func(t *rapid.T) Output {
			return rapid.SampledFrom([]Output{OutputModel(), OutputFolder().In(Upload), OutputFile().At("azureml://datastores/a/paths/b").As("n", "1")}).Draw(t, "output")
		}),
		wiretest.Value(func(t *rapid.T) AutoInt { return rapid.SampledFrom([]AutoInt{0, Auto, 2, 12}).Draw(t, "number") }),
		wiretest.Value(func(t *rapid.T) Lags {
			return rapid.SampledFrom([]Lags{{}, {Auto: true}, {Values: []int{1, 2}}, {Values: []int{3}, single: true}}).Draw(t, "lags")
		}),
		wiretest.Value(func(t *rapid.T) Columns {
			return rapid.SampledFrom([]Columns{nil, {"a"}, {"a", "yes"}}).Draw(t, "columns")
		}),
		wiretest.Value(func(t *rapid.T) TransformerParams {
			return rapid.SampledFrom([]TransformerParams{nil, {"imputer": {{Fields: []string{"a"}, Parameters: map[string]any{"strategy": "median", "fill_value": 0.5, "n": nil}}}, "tf_idf": {}}}).Draw(t, "transformers")
		}),
		wiretest.Value(func(t *rapid.T) AutoMLSweep {
			return AutoMLSweep{
				Sampling: rapid.SampledFrom([]SamplingType{RandomSampling, GridSampling, BayesianSampling}).Draw(t, "sampling"),
				EarlyTermination: rapid.SampledFrom([]EarlyTermination{
					{}, {Bandit: &Bandit{SlackFactor: 0.2}}, {MedianStopping: &MedianStopping{EvaluationInterval: 2}}, {TruncationSelection: &TruncationSelection{TruncationPercentage: 20}},
				}).Draw(t, "policy"),
			}
		}),
		wiretest.Value(func(t *rapid.T) ImageClassificationSpace { return anySpace(t, imageClassificationSpace) }),
		wiretest.Value(func(t *rapid.T) DetectionSpace { return anySpace(t, detectionSpace) }),
		wiretest.Value(func(t *rapid.T) TextSpace { return anySpace(t, textSpace) }),
		wiretest.Value(func(t *rapid.T) ImageParameters {
			return rapid.SampledFrom([]ImageParameters{
				{ModelName: "a", LearningRate: new(0.5), AMSGradient: new(false)}, {Optimizer: "adamw", LearningRateScheduler: "warmup_cosine", RandomSeed: new(0)},
			}).Draw(t, "parameters")
		}),
	}
}

func TestAutoMLKind(t *testing.T) { wiretest.Kind[AutoMLJob](t, automlValues()...) }
