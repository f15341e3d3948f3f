package jobs

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func maybe[T any](t *rapid.T, label string, values ...T) T {
	var zero T
	return rapid.SampledFrom(append(values, zero)).Draw(t, label)
}

func anyText(t *rapid.T, label string) string {
	return maybe(t, label, "a", "yes", "1e-3", "a: b", "é")
}

func anyTags(t *rapid.T, label string) map[string]string {
	return maybe(t, label, map[string]string{}, map[string]string{"a": "b", "n": "1"})
}

func anyModel(t *rapid.T) Input {
	return MLFlowModel(rapid.SampledFrom([]string{"azureml://registries/r/models/m/versions/1", "azureml:m:1"}).Draw(t, "model"))
}

func anyFile(t *rapid.T) Input {
	return URIFile(rapid.SampledFrom([]string{"azureml:rows:1", "https://x/y", "azureml://datastores/d/paths/p"}).Draw(t, "path"))
}

func tunedOutputs(t *rapid.T) Outputs {
	return maybe(t, "outputs", Outputs{}, Outputs{"registered_model": OutputModel().As("n", "2")}, Outputs{"o": OutputFolder().In(Upload)})
}

func hyperparameters(t *rapid.T) map[string]*string {
	return maybe(t, "hyperparameters", map[string]*string{}, map[string]*string{"learning_rate": new("0.1"), "epochs": new("3")})
}

func anyIdentity(t *rapid.T) azureml.Identity {
	return maybe(t, "identity", azureml.Identity{User: &azureml.UserIdentity{}}, azureml.Identity{Managed: &azureml.ManagedIdentity{ClientID: "c"}})
}

func TestFineTuningKinds(t *testing.T) {
	wiretest.Kind[FineTuningJob](t, wiretest.Value(func(t *rapid.T) FineTuningJob {
		return FineTuningJob{
			DisplayName: anyText(t, "name"), Description: anyText(t, "description"), Tags: anyTags(t, "tags"), Properties: anyTags(t, "properties"),
			Task: FineTuningTask(rapid.SampledFrom(fineTuningTasks.Values()).Draw(t, "task")), Model: anyModel(t), TrainingData: anyFile(t),
			ValidationData: maybe(t, "validation", URIFile("azureml:v:1")), Hyperparameters: hyperparameters(t), Outputs: tunedOutputs(t), Identity: anyIdentity(t),
			Compute: maybe(t, "compute", "gpu"), Resources: maybe(t, "resources", &FineTuningResources{InstanceTypes: []string{"A", "B"}}),
			Queue: maybe(t, "queue", &Queue{Tier: TierSpot, Priority: Low}),
		}
	}))
	wiretest.Kind[OpenAIFineTuningJob](t, wiretest.Value(func(t *rapid.T) OpenAIFineTuningJob {
		return OpenAIFineTuningJob{
			DisplayName: anyText(t, "name"), Description: anyText(t, "description"), Tags: anyTags(t, "tags"), Properties: anyTags(t, "properties"),
			Task: FineTuningTask(rapid.SampledFrom(fineTuningTasks.Values()).Draw(t, "task")), Model: anyModel(t), TrainingData: anyFile(t),
			ValidationData: maybe(t, "validation", URIFile("azureml:v:1")), Outputs: tunedOutputs(t), Identity: anyIdentity(t),
			Hyperparameters: maybe(t, "hyperparameters", &OpenAIHyperparameters{Epochs: new(3), LearningRateMultiplier: new(0.5)}, &OpenAIHyperparameters{BatchSize: new(0)}),
		}
	}))
}

func TestDistillationKind(t *testing.T) {
	wiretest.Kind[DistillationJob](t, wiretest.Value(func(t *rapid.T) DistillationJob {
		return DistillationJob{
			DisplayName: anyText(t, "name"), Description: anyText(t, "description"), Tags: anyTags(t, "tags"), Properties: anyTags(t, "properties"),
			Generation: GenerationType(rapid.SampledFrom(generationTypes.Values()).Draw(t, "generation")),
			Task:       GenerationTask(rapid.SampledFrom(generationTasks.Values()).Draw(t, "task")),
			Teacher: rapid.SampledFrom([]TeacherConnection{
				{Type: TeacherServerless, Name: "t", Endpoint: "https://x/y", APIKey: "k"},
				{Type: TeacherServerless, Name: "1", APIKey: "ü\"k", Shared: new(false), Description: "d", Tags: map[string]string{"a": "b"}},
				{Type: TeacherCustom, Name: "t", Endpoint: "https://x/y", APIKey: "k"},
				{Type: TeacherCustom, Name: "t", Endpoint: "https://x/y"},
			}).Draw(t, "teacher"),
			Student: anyModel(t), TrainingData: anyFile(t), ValidationData: anyFile(t), Hyperparameters: hyperparameters(t), Outputs: tunedOutputs(t), Identity: anyIdentity(t),
			TeacherSettings: maybe(t, "settings",
				&TeacherSettings{InferenceParameters: map[string]any{"temperature": 0.1, "max_tokens": int64(3), "flag": true, "stop": "x"}},
				&TeacherSettings{Requests: &RequestSettings{BatchSize: new(2), MinSuccessRatio: new(1.0)}}),
			Prompt:    maybe(t, "prompt", &PromptSettings{ChainOfThought: true}, &PromptSettings{MaxLenSummary: new(80), ChainOfDensity: true}),
			Resources: maybe(t, "resources", &DistillationResources{InstanceType: "Standard_D2"}),
		}
	}))
}

func TestImportKind(t *testing.T) {
	wiretest.Kind[ImportJob](t, wiretest.Leave("Services"),
		wiretest.Value(func(t *rapid.T) ImportSource {
			return rapid.SampledFrom([]ImportSource{{Type: ImportS3, Connection: "c", Path: "/a"}, {Type: ImportSnowflake, Connection: "azureml:c", Query: "select 1"}}).Draw(t, "source")
		}),
		wiretest.Value(func(t *rapid.T) Output {
			return rapid.SampledFrom([]Output{OutputFolder(), {Type: TypeMLTable, Path: "azureml://datastores/a/paths/b"}}).Draw(t, "output")
		}))
}
