package pipeline_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

const sklearn = azureml.Ref("azureml:sklearn:1")

func prep() jobs.Spec {
	return jobs.Command("prep --raw ${{inputs.raw}} --clean ${{outputs.clean}}").Display("Prepare").In(sklearn).
		Input("raw", jobs.URIFolder("")).Output("clean", jobs.OutputFolder())
}

func train() *jobs.CommandJob {
	return &jobs.CommandJob{
		Command:     "train --data ${{inputs.data}} --lr ${{inputs.lr}} --epochs ${{inputs.epochs}} --model ${{outputs.model}}",
		Environment: sklearn,
		Inputs:      jobs.Inputs{"data": jobs.URIFolder(""), "lr": jobs.Literal(0.1), "epochs": jobs.Literal(10)},
		Outputs:     jobs.Outputs{"model": jobs.OutputModel()},
	}
}

func component(t testing.TB, file string) jobs.Component {
	c, err := jobs.LoadComponent(filepath.Join("testdata", "dsl", file))
	require.NoError(t, err)
	return c
}

// shapes are the pipelines of testdata/dsl/shapes.py.
var shapes = map[string]func(testing.TB) *pipeline.Builder{
	"basic": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("train-iris").Display("Train on iris").Experiment("iris").Describe("prepare and train").Tag("team", "a").On("cpu-cluster")
		a := p.Step("prep", prep()).In("raw", p.Input("raw", jobs.URIFolder("azureml:iris:1")))
		b := p.Step("train", train()).In("data", a.Out("clean")).In("lr", p.Input("lr", jobs.Literal(0.01))).Set("epochs", 20)
		return p.Output("model", b.Out("model"))
	},
	"settings": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("settings").Experiment("settings").DefaultCompute("cpu-cluster").DefaultDatastore("blobs").ContinueOnFailure(true).ForceRerun(true)
		raw := p.Input("raw", jobs.URIFolder("azureml://datastores/blobs/paths/raw/").In(jobs.Download))
		a := p.Step("prep", prep()).In("raw", raw).On("big").Comment("on the big one").Env("LEVEL", "2").Env("MODE", "fast").
			As(azureml.Identity{Managed: &azureml.ManagedIdentity{}}).Timeout(time.Hour).
			Resources(azureml.Resources{InstanceCount: 2, InstanceType: "Standard_D2_v2", ShmSize: "4g"})
		p.Step("train", train()).In("data", a.Out("clean").Mode(jobs.Download)).Write("model", jobs.Output{Mode: jobs.Upload}).
			As(azureml.Identity{User: &azureml.UserIdentity{}}).Display("Fit").Tag("k", "v")
		return p
	},
	"outputs": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("outputs").Experiment("outputs").On("cpu-cluster")
		a := p.Step("prep", prep()).In("raw", p.Input("raw", jobs.URIFolder("azureml:iris:1"))).
			Write("clean", jobs.Output{Mode: jobs.ReadWriteMount, Path: "azureml://datastores/blobs/paths/clean/", Name: "clean-rows", Version: "4"})
		b := p.Step("train", train()).In("data", a.Out("clean")).Write("model", jobs.Output{Name: "iris-model"})
		p.Output("clean", a.Out("clean"))
		return p.Output("model", b.Out("model"), jobs.OutputModel().In(jobs.Upload).At("azureml://datastores/blobs/paths/models/").As("best", "2"))
	},
	"components": func(t testing.TB) *pipeline.Builder {
		score := component(t, "score.yml")
		p := pipeline.New("components").Experiment("components").On("cpu-cluster")
		model := p.Input("model", jobs.MLFlowModel("azureml:iris-model:1"))
		rows := p.Input("rows", jobs.URIFolder("azureml://datastores/blobs/paths/rows/"))
		p.Step("score", score).In("model", model).In("rows", rows).In("threshold", p.Input("threshold", jobs.Literal(0.25)))
		p.Step("again", score).In("model", model).In("rows", rows).Set("note", "second")
		p.Step("there", azureml.Ref("azureml:there:4"))
		return p
	},
	"groups": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("groups").Experiment("groups").On("cpu-cluster")
		s := p.Group("s")
		rates := s.Group("rates")
		rates.Input("lr", jobs.Literal(0.3))
		rates.Input("epochs", jobs.Literal(5))
		s.Input("word", jobs.Literal("stop"))
		p.Step("train", train()).In("data", p.Input("raw", jobs.URIFolder("azureml:iris:1"))).InGroup("", rates)
		return p
	},
	"nested": func(t testing.TB) *pipeline.Builder {
		inner := pipeline.New("inner").Display("Inner")
		a := inner.Step("prep", prep()).In("raw", inner.Input("raw", jobs.URIFolder("")))
		b := inner.Step("train", train()).In("data", a.Out("clean")).In("lr", inner.Input("lr", jobs.Literal(0.5)))
		inner.Output("model", b.Out("model"))

		p := pipeline.New("nested").Experiment("nested").On("cpu-cluster")
		raw := p.Input("raw", jobs.URIFolder("azureml:iris:1"))
		one := p.Step("one", inner).In("raw", raw)
		two := p.Step("two", inner).In("raw", raw).Set("lr", 0.7)
		score := p.Step("score", component(t, "score.yml")).In("model", two.Out("model")).In("rows", raw)
		return p.Output("first", one.Out("model")).Output("scores", score.Out("scores"))
	},
	"sweep": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("sweep").Experiment("sweep").On("cpu-cluster")
		a := p.Step("prep", prep()).In("raw", p.Input("raw", jobs.URIFolder("azureml:iris:1")))
		j := train()
		trial := &jobs.CommandComponent{
			Command: j.Command, Environment: sklearn,
			Inputs: jobs.ComponentInputs{
				"data": {Type: "uri_folder"}, "lr": {Type: jobs.ParameterNumber, Default: 0.1}, "epochs": {Type: jobs.ParameterInteger, Default: 10},
			},
			Outputs: jobs.ComponentOutputs{"model": {Type: "mlflow_model"}},
		}
		s := p.Step("search", &jobs.SweepNode{
			Trial: trial, SearchSpace: jobs.SearchSpace{"lr": jobs.LogUniform(-6, -1), "epochs": jobs.Choice(5, 10, 20)},
			Sampling: jobs.Sampling{Type: jobs.RandomSampling}, Objective: jobs.Objective{Goal: jobs.Maximize, PrimaryMetric: "accuracy"},
			EarlyTermination: jobs.EarlyTermination{Bandit: &jobs.Bandit{SlackFactor: 0.1, EvaluationInterval: 2, DelayEvaluation: 3}},
			Limits:           jobs.SweepLimits{MaxTotalTrials: 12, MaxConcurrentTrials: 4, TrialTimeout: 10 * time.Minute},
		}).In("data", a.Out("clean")).On("big").Timeout(2 * time.Hour)
		p.Step("after", prep()).In("raw", s.Out("model"))
		return p.Output("best", s.Out("model"))
	},
	"parallel": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("parallel").Experiment("parallel").On("cpu-cluster")
		s := p.Step("score", &jobs.ParallelNode{
			DisplayName: "Score all",
			Inputs:      jobs.Inputs{"rows": jobs.URIFolder(""), "model": jobs.MLFlowModel(""), "label": jobs.Literal("x")},
			Outputs:     jobs.Outputs{"scores": jobs.OutputFile()},
			Resources:   &azureml.Resources{InstanceCount: 2},
			Batching: jobs.Batching{
				InputData: "${{inputs.rows}}", MiniBatchSize: "10", LoggingLevel: "DEBUG", MaxConcurrencyPerInstance: new(3), ErrorThreshold: new(5),
				MiniBatchErrorThreshold: new(1), RetrySettings: &jobs.RetrySettings{MaxRetries: new(2), Timeout: new(60)},
			},
			Task: &jobs.ParallelTask{
				Type: "run_function", Code: jobs.Folder(filepath.Join("testdata", "dsl", "src")), EntryScript: "main.py", Environment: sklearn,
				ProgramArguments: "--model ${{inputs.model}} --label ${{inputs.label}}", AppendRowTo: "${{outputs.scores}}",
			},
		}).In("rows", p.Input("rows", jobs.URIFolder("azureml:rows:1"))).In("model", p.Input("model", jobs.MLFlowModel("azureml:iris-model:1"))).Env("A", "1")
		return p.Output("scores", s.Out("scores"))
	},
	"spark": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("spark").Experiment("spark").On("cpu-cluster")
		a := p.Step("count", &jobs.SparkJob{
			Code: jobs.Folder(filepath.Join("testdata", "dsl", "src")), Entry: jobs.SparkEntry{File: "main.py"},
			Conf: jobs.SparkConf{
				"spark.driver.cores": 1, "spark.driver.memory": "2g", "spark.executor.cores": 2, "spark.executor.memory": "2g", "spark.executor.instances": 2,
			},
			Inputs:    jobs.Inputs{"rows": jobs.URIFolder("").In(jobs.Direct), "top": jobs.Literal(10)},
			Outputs:   jobs.Outputs{"counts": jobs.OutputFolder().In(jobs.DirectOut)},
			Args:      "--rows ${{inputs.rows}} --top ${{inputs.top}} --out ${{outputs.counts}}",
			Resources: &jobs.SparkResources{InstanceType: "Standard_E4S_V3", RuntimeVersion: "3.4.0"},
		}).In("rows", p.Input("rows", jobs.URIFolder("azureml:rows:1").In(jobs.Direct))).As(azureml.Identity{User: &azureml.UserIdentity{}})
		p.Step("train", train()).In("data", a.Out("counts"))
		return p
	},
	"transfer": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("transfer").Experiment("transfer").On("adf")
		p.Step("orders", &jobs.DataTransferNode{
			Task: jobs.ImportData, Source: &jobs.External{Type: jobs.Database, Connection: "azureml:orders", Query: "select 1"},
			Outputs: jobs.Outputs{"sink": {Type: jobs.TypeMLTable, Path: "azureml://datastores/blobs/paths/orders/"}},
		})
		files := p.Step("files", &jobs.DataTransferNode{
			Task: jobs.ImportData, Source: &jobs.External{Type: jobs.FileSystem, Connection: "azureml:s3", Path: "a/b/"},
			Outputs: jobs.Outputs{"sink": jobs.OutputFolder()},
		})
		merge := p.Step("merge", &jobs.DataTransferNode{Task: jobs.CopyData, DataCopyMode: jobs.MergeWithOverwrite, Outputs: jobs.Outputs{"both": jobs.OutputFolder()}}).
			In("a", p.Input("rows", jobs.URIFolder("azureml:rows:1"))).In("b", files.Out("sink"))
		p.Step("give", &jobs.DataTransferNode{Task: jobs.ExportData, Sink: &jobs.External{Type: jobs.Database, Connection: "azureml:orders", TableName: "out"}}).
			In("source", merge.Out("both"))
		return p.Output("both", merge.Out("both"))
	},
	"automl": func(testing.TB) *pipeline.Builder {
		p := pipeline.New("automl").Experiment("automl").On("cpu-cluster")
		a := p.Step("search", &jobs.AutoMLNode{
			Task: &jobs.ClassificationTask{
				Target: "y", Metric: "accuracy", CrossValidations: 3, LogVerbosity: "info",
				Limits:   &jobs.TableLimits{MaxTrials: 4, MaxConcurrentTrials: 2, Timeout: 30 * time.Minute, EnableEarlyTermination: new(true)},
				Training: &jobs.TableTraining[jobs.ClassificationAlgorithm]{},
			},
			Outputs: jobs.Outputs{"best_model": jobs.OutputModel()},
		}).In("training_data", p.Input("table", jobs.MLTable("azureml:table:1")))
		p.Step("use", jobs.Command("use ${{inputs.model}}").In(sklearn).Input("model", jobs.MLFlowModel(""))).In("model", a.Out("best_model"))
		return p
	},
	"loops": func(t testing.TB) *pipeline.Builder {
		p := pipeline.New("loops").Experiment("loops").On("cpu-cluster")
		turn := p.Step("turn", component(t, "turn.yml")).In("rows", p.Input("rows", jobs.URIFolder("azureml:rows:1")))
		p.DoWhile("again", turn, turn.Out("more"), 5).Next(turn.Out("out"), "rows")
		fit := p.Step("fit", train()).In("data", turn.Out("out"))
		p.ParallelFor("many", fit, jobs.Inputs{"lr": jobs.Literal(0.1), "epochs": jobs.Literal(1)}, jobs.Inputs{"lr": jobs.Literal(0.2), "epochs": jobs.Literal(2)}).AtOnce(2)
		return p
	},
	"branches": func(t testing.TB) *pipeline.Builder {
		p := pipeline.New("branches").Experiment("branches").On("cpu-cluster")
		rows := p.Input("rows", jobs.URIFolder("azureml:rows:1"))
		ask := p.Step("ask", component(t, "turn.yml")).In("rows", rows)
		left, right := p.Step("left", prep()).In("raw", rows), p.Step("right", prep()).In("raw", ask.Out("out"))
		p.If("choose", ask.Out("more")).Then(left).Else(right)
		p.If("surely", p.Input("ready", jobs.Literal(true))).Then(p.Step("other", prep()).In("raw", rows))
		return p
	},
	"distributed": func(testing.TB) *pipeline.Builder {
		fit := func(d jobs.Distribution, n int) *jobs.CommandBuilder {
			return jobs.Command("fit ${{inputs.data}} ${{outputs.model}}").In(sklearn).Input("data", jobs.URIFolder("")).
				Output("model", jobs.Output{Type: jobs.TypeCustomModel}).Resources(azureml.Resources{ShmSize: "2g"}).Nodes(n, d)
		}
		p := pipeline.New("distributed").Experiment("distributed").On("gpu")
		rows := p.Input("rows", jobs.URIFolder("azureml:rows:1"))
		a := p.Step("torch", fit(jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 4}}, 2)).In("data", rows)
		p.Step("mpi", fit(jobs.Distribution{MPI: &jobs.MPI{ProcessCountPerInstance: 1}}, 3)).In("data", rows)
		return p.Output("model", a.Out("model"))
	},
	"optional": func(t testing.TB) *pipeline.Builder {
		p := pipeline.New("optional").Experiment("optional").On("cpu-cluster")
		s := p.Step("score", component(t, "score.yml")).In("rows", p.Input("rows", jobs.URIFolder("azureml:rows:1"))).
			In("model", p.Input("model", jobs.MLFlowModel("azureml:iris-model:1"))).In("note", p.Optional("note", jobs.ParameterString)).
			In("threshold", p.Parameter("threshold", jobs.ComponentInput{Type: jobs.ParameterNumber, Min: 0, Max: 1, Default: 0.75}))
		return p.Output("scores", s.Out("scores"))
	},
}
