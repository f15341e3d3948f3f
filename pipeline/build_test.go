package pipeline_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

// All that is wrong comes out at once; each fault says where, and what would be right.
func TestFaults(t *testing.T) {
	t.Parallel()
	raw := func(p *pipeline.Builder) pipeline.Port { return p.Input("raw", jobs.URIFolder("azureml:iris:1")) }
	for name, c := range map[string]struct {
		make func(p *pipeline.Builder)
		want []string // kind: text
	}{
		"unknown input, close": {func(p *pipeline.Builder) {
			p.Step("prep", prep()).In("rwa", raw(p)).In("raw", raw2(p))
		}, []string{`unknown port: step "prep": inputs.rwa: the step has no input "rwa"; did you mean "raw"?`}},
		"unknown input, all": {func(p *pipeline.Builder) {
			p.Step("train", train()).Set("momentum", 0.9).In("data", raw(p))
		}, []string{`unknown port: step "train": inputs.momentum: the step has no input "momentum"; its inputs are data, epochs, lr`}},
		"unknown output": {func(p *pipeline.Builder) {
			a := p.Step("prep", prep()).In("raw", raw(p))
			p.Step("train", train()).In("data", a.Out("claen"))
			p.Output("x", a.Out("y"))
		}, []string{
			`unknown port: step "train": inputs.data: the step "prep" has no output "claen"; did you mean "clean"?`,
			`unknown port: outputs.x: the step "prep" has no output "y"; its outputs are clean`,
		}},
		"missing input": {func(p *pipeline.Builder) { p.Step("train", train()) }, []string{`missing input: step "train": inputs.data: wants a uri_folder and is given nothing`}},
		"missing input that the command names": {func(p *pipeline.Builder) {
			p.Step("a", jobs.Command("cat ${{inputs.x}}").In(sklearn))
		}, []string{`missing input: step "a": inputs.x: wants a value and is given nothing`}},
		"no value to run with": {func(p *pipeline.Builder) {
			p.Step("prep", prep()).In("raw", p.Input("raw", jobs.URIFolder("")))
		}, []string{`missing input: inputs.raw: the uri_folder has no path to run with`}},
		"wrong type": {func(p *pipeline.Builder) {
			s := p.Step("score", &jobs.CommandComponent{Command: "x ${{inputs.m}} ${{inputs.f}}", Environment: sklearn, Inputs: jobs.ComponentInputs{"m": {Type: "mlflow_model"}, "f": {Type: "uri_file"}}})
			a := p.Step("prep", prep()).In("raw", raw(p))
			s.In("m", a.Out("clean")).In("f", p.Input("n", jobs.Literal(3)))
		}, []string{
			`wrong type: step "score": inputs.m: wants an mlflow_model, and parent.jobs.prep.outputs.clean gives a uri_folder; it takes mlflow_model`,
			`wrong type: step "score": inputs.f: wants a uri_file, and parent.inputs.n gives an integer; it takes uri_file`,
		}},
		"value for data": {func(p *pipeline.Builder) { p.Step("prep", prep()).Set("raw", "azureml:iris:1") }, []string{
			`wrong type: step "prep": inputs.raw: wants a uri_folder, and is given the value "azureml:iris:1"; give it data as jobs.URIFolder("azureml:iris:1")`,
		}},
		"wrong value": {func(p *pipeline.Builder) {
			c := &jobs.CommandComponent{
				Command: "x ${{inputs.a}} ${{inputs.b}} ${{inputs.c}} ${{inputs.d}}", Environment: sklearn,
				Inputs: jobs.ComponentInputs{"a": {Type: "number", Max: 1}, "b": {Type: "string", Enum: []string{"x", "y"}}, "c": {Type: "integer"}, "d": {Type: "boolean"}},
			}
			p.Step("s", c).Set("a", 1.5).Set("b", "z").Set("c", 0.5).Set("d", time.Now())
		}, []string{
			`wrong value: step "s": inputs.a: 1.5 is above the most, 1`, `wrong value: step "s": inputs.b: "z" is none of x, y`,
			`wrong type: step "s": inputs.c: wants an integer, and is given the number "0.5"`, `wrong value: step "s": inputs.d: a time.Time is no value`,
		}},
		"duplicates": {func(p *pipeline.Builder) {
			r := raw(p)
			p.Input("raw", jobs.Literal(1))
			a := p.Step("prep", prep()).In("raw", r).In("raw", r)
			p.Step("prep", prep()).In("raw", r)
			p.Output("o", a.Out("clean")).Output("o", a.Out("clean")).Output("second", a.Out("clean"))
			p.Group("raw").Input("x", jobs.Literal(2))
		}, []string{
			`duplicate: inputs.raw: there are two inputs`, `duplicate: inputs.raw: is an input and a group`, `duplicate: step "prep": inputs.raw: is given twice`,
			`duplicate: step "prep": name: there are two steps`, `duplicate: outputs.o: there are two outputs`, `duplicate: outputs.second: the step "prep" gives its output "clean" to ${{parent.outputs.o}} already`,
		}},
		"names": {func(p *pipeline.Builder) {
			p.Step("Train-It", prep()).In("raw", p.Input("1st", jobs.URIFolder("azureml:iris:1")))
		}, []string{`invalid name: step "Train-It": name: "Train-It" cannot be a step's name: lower-case letters, digits and '_', not beginning with a digit; "train_it" would do`, `invalid name: inputs.1st: "1st" cannot be an input's name`}},
		"cycle": {func(p *pipeline.Builder) {
			a := p.Step("a", train())
			b := p.Step("b", train()).In("data", a.Out("model"))
			a.In("data", b.Out("model"))
			c := p.Step("c", train())
			c.In("data", c.Out("model"))
		}, []string{`cycle: step "a": the steps wait for each other: a ← b ← a`, `cycle: step "c": the steps wait for each other: c ← c`}},
		"another pipeline": {func(p *pipeline.Builder) {
			q := pipeline.New("other")
			p.Step("train", train()).In("data", q.Step("prep", prep()).Out("clean"))
			p.If("x", p.Input("ok", jobs.Literal(true))).Then(q.Step("s", prep()))
		}, []string{
			`of another pipeline: step "train": inputs.data: parent.jobs.prep.outputs.clean is of the pipeline "other", not of "p"`,
			`of another pipeline: step "x": true_block: the step "s" is of the pipeline "other"`,
		}},
		"what cannot be a step": {func(p *pipeline.Builder) {
			p.Step("a", 3)
			p.Step("b", nil)
			p.Step("c", p.Step("d", azureml.Ref("azureml:x:1")))
			p.Step("e", &jobs.IfElseNode{})
			p.Step("f", &jobs.ImportJob{})
			p.Step("g", p)
		}, []string{
			`invalid: step "a": a value of type int cannot be a step`, `invalid: step "b": is made of nothing`, `invalid: step "c": is made of another step`, `invalid: step "e": is control flow; use If`,
			`invalid: step "f": an import job cannot be a step; use a *jobs.DataTransferNode`, `cycle: step "g": the pipeline "p" cannot be a step of itself`,
		}},
		"fields that the kind does not have": {func(p *pipeline.Builder) {
			p.Step("a", &jobs.PipelineNode{Component: azureml.Ref("azureml:x:1")}).Env("A", "1").Timeout(time.Second).Resources(azureml.Resources{})
			p.Step("b", prep()).In("raw", raw(p)).Timeout(time.Millisecond).Nodes(0, jobs.Distribution{})
		}, []string{
			`invalid: step "a": environment_variables: a step of the kind pipeline has no such field`, `invalid: step "a": limits.timeout:`, `invalid: step "a": resources:`,
			`invalid: step "b": limits.timeout: 1ms is not`, `invalid: step "b": resources.instance_count: 0 machines`,
		}},
		"a builder's own": {func(p *pipeline.Builder) {
			p.Step("a", jobs.Command("x").In(sklearn).Env("", "1")).Set("q", 1)
		}, []string{`invalid: step "a": environment_variables: a variable has no name`, `unknown port: step "a": inputs.q: the step has no input "q"; it has no inputs`}},
		"what package jobs finds": {func(p *pipeline.Builder) {
			p.Step("a", &jobs.CommandJob{Command: "x"})
			p.Step("b", jobs.Command("x ${{oops.y}}").In(sklearn))
		}, []string{`invalid: step "a": component.environment: an environment is required`, `invalid: step "b": component.command: ${{oops.y}} is no reference`}},
		"no compute": {func(p *pipeline.Builder) {
			p.On("")
			p.Step("prep", prep()).In("raw", raw(p))
		}, []string{`invalid: step "prep": compute: a compute is required`}},
		"no steps": {func(p *pipeline.Builder) {}, []string{`invalid: steps: the pipeline "p" has none`}},
		"outputs": {func(p *pipeline.Builder) {
			a := p.Step("prep", prep()).In("raw", raw(p)).Write("claen", jobs.OutputFolder()).Write("clean", jobs.OutputModel())
			p.Output("o", a.Out("clean"), jobs.OutputFile()).Output("i", p.Input("n", jobs.Literal(1))).Output("v-1", a.Out("clean"))
		}, []string{
			`unknown port: step "prep": outputs.claen`, `wrong type: step "prep": outputs.clean: is a uri_folder, and cannot be written as a mlflow_model`,
			`wrong type: outputs.o: the step "prep" gives a uri_folder, which cannot be written as a uri_file`, `wrong type: outputs.i: is an input of the pipeline`,
			`invalid name: outputs.v-1`, `duplicate: outputs.v-1`,
		}},
		"control flow": {func(p *pipeline.Builder) {
			turn := p.Step("turn", component(t, "turn.yml")).In("rows", raw(p))
			p.DoWhile("l", turn, turn.Out("out"), 0).Next(turn.Out("more"), "rows").Next(turn.Out("out"), "row")
			p.ParallelFor("e", turn, jobs.Inputs{"rate": jobs.Literal("fast")}, jobs.Inputs{"rat": jobs.Literal(1)})
			p.If("c", turn.Out("out"))
			p.DoWhile("n", nil, pipeline.Port{}, 3)
		}, []string{
			`invalid: step "l": condition: "out" is a uri_folder`, `wrong type: step "l": mapping: the input "rows" of "turn" wants a uri_folder, and its output "more" is a boolean`,
			`unknown port: step "l": mapping: the body "turn" has no input "row"; did you mean "rows"?`, `wrong type: step "e": items: the input "rate" of "turn" wants a number`,
			`unknown port: step "e": items: the body "turn" has no input "rat"; did you mean "rate"?`, `wrong type: step "c": condition:`, `invalid: step "n": body: the step is nil`,
			`invalid: step "l": limits.max_iteration_count: 0 is not`, `invalid: step "c": true_block:`,
		}},
		"in a pipeline within": {func(p *pipeline.Builder) {
			in := pipeline.New("inner")
			in.Step("train", train())
			p.Step("one", in)
			p.Step("two", in)
		}, []string{`missing input: step "one/train": inputs.data: wants a uri_folder`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pipeline.New("p").On("cpu")
			c.make(p)
			job, err := p.Build()
			require.Error(t, err)
			require.Nil(t, job)
			require.True(t, strings.HasPrefix(err.Error(), `pipeline: build "p": `), err.Error())
			faults := pipeline.Faults(err)
			var got []string
			for _, f := range faults {
				got = append(got, fmt.Sprintf("%s: %s", f.Kind, f))
				require.ErrorIs(t, err, f.Kind)
			}
			for _, w := range c.want {
				found := false
				for _, g := range got {
					found = found || strings.HasPrefix(g, w)
				}
				require.True(t, found, "no %s in\n%s", w, strings.Join(got, "\n"))
			}
			if name != "control flow" && name != "what cannot be a step" && name != "in a pipeline within" {
				require.Len(t, got, len(c.want), "%s", strings.Join(got, "\n"))
			}
			again := func() string { _, err := p.Build(); return err.Error() }
			require.Len(t, again(), len(err.Error()), "building again says the same")
		})
	}
}

func raw2(p *pipeline.Builder) pipeline.Port {
	return p.Input("raw2", jobs.URIFolder("azureml:iris:1"))
}

func TestFaultsAreTyped(t *testing.T) {
	t.Parallel()
	p := pipeline.New("p").On("cpu")
	p.Step("train", train()).Set("momentum", 1)
	_, err := p.Build()
	require.ErrorIs(t, err, pipeline.MissingInput)
	require.ErrorIs(t, err, pipeline.UnknownPort)
	require.NotErrorIs(t, err, pipeline.Cyclic)
	f, ok := errors.AsType[*pipeline.Fault](err)
	require.True(t, ok)
	require.Equal(t, "train", f.Step)
	require.Empty(t, pipeline.Faults(nil))
	require.Empty(t, pipeline.Faults(errors.New("x")))
	_, err = (*pipeline.Builder)(nil).Build()
	require.Error(t, err)
}

// What a command names and nobody declares is a port: an input of the type of what is bound to it, an output that is a folder.
func TestPortsThatTheCommandNames(t *testing.T) {
	t.Parallel()
	p := pipeline.New("p").On("cpu")
	j := jobs.Command("fit --data ${{inputs.data}} [--note ${{inputs.note}}] --lr ${{inputs.lr}} --out ${{outputs.model}} --log ${{outputs.log}}").In(sklearn)
	a := p.Step("a", j).In("data", p.Input("t", jobs.MLTable("azureml:t:1"))).Set("lr", 0.5).Write("model", jobs.OutputModel())
	b := p.Step("b", j).In("data", a.Out("model")).In("lr", p.Input("lr", jobs.Literal(2))).Set("note", "x")
	p.Output("log", b.Out("log"))
	job, err := p.Build()
	require.NoError(t, err)
	k := job.Jobs["a"].(*jobs.CommandNode).Component.(*jobs.CommandComponent)
	require.Equal(t, "mltable", k.Inputs["data"].Type)
	require.Equal(t, jobs.ComponentInput{Type: "number", Default: 0.5}, k.Inputs["lr"])
	require.Equal(t, jobs.ComponentInput{Type: "string", Optional: new(true)}, k.Inputs["note"])
	require.Equal(t, jobs.ComponentOutputs{"model": {Type: "mlflow_model"}, "log": {Type: "uri_folder"}}, k.Outputs)
	require.Contains(t, k.Command, "$[[--note ${{inputs.note}}]]")
	l := job.Jobs["b"].(*jobs.CommandNode).Component.(*jobs.CommandComponent)
	require.Equal(t, "mlflow_model", l.Inputs["data"].Type)
	require.Equal(t, "integer", l.Inputs["lr"].Type)
	require.Equal(t, jobs.Outputs{"log": {Type: "uri_folder"}}, job.Outputs)
}

// A job that was built says what was said, and nothing that is done to it reaches the builder or the next.
func TestBuildIsPure(t *testing.T) {
	t.Parallel()
	j := train()
	j.Tags, j.EnvironmentVariables = map[string]string{"t": "1"}, jobs.Variables{"B": "1"}
	p := pipeline.New("p").On("cpu").Tag("a", "b")
	p.Step("one", j).Set("data", jobs.URIFolder("azureml:x:1")).Env("A", "1")
	p.Step("two", j).Set("data", jobs.URIFolder("azureml:x:1"))
	first, err := p.Build()
	require.NoError(t, err)
	require.Same(t, first.Jobs["one"].(*jobs.CommandNode).Component, first.Jobs["two"].(*jobs.CommandNode).Component, "a definition is registered once")
	want, err := jobs.Dump(first)
	require.NoError(t, err)
	first.Tags["a"] = "changed"
	n := first.Jobs["one"].(*jobs.CommandNode)
	n.Inputs["data"], n.EnvironmentVariables["A"] = jobs.Literal(1), "2"
	n.Component.(*jobs.CommandComponent).Inputs["lr"] = jobs.ComponentInput{}
	n.Tags["t"] = "2"
	first.Jobs["two"].(*jobs.CommandNode).EnvironmentVariables["B"] = "2"
	delete(first.Jobs, "two")
	second, err := p.Build()
	require.NoError(t, err)
	got, err := jobs.Dump(second)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	want2 := train()
	want2.Tags, want2.EnvironmentVariables = map[string]string{"t": "1"}, jobs.Variables{"B": "1"}
	require.Equal(t, want2, j, "the definition is not changed")
}

func TestSweepJobsBecomeSteps(t *testing.T) {
	t.Parallel()
	p := pipeline.New("p").On("cpu")
	s := p.Step("tune", &jobs.SweepJob{
		Trial:       jobs.Trial{Command: "fit ${{inputs.data}} --lr ${{search_space.lr}} --k ${{search_space.k}} --w ${{ search_space.w }} ${{outputs.m}}", Environment: sklearn},
		SearchSpace: jobs.SearchSpace{"lr": jobs.Uniform(0, 1), "k": jobs.Choice(1, 2), "w": jobs.Choice("a", "b")},
		Objective:   jobs.Objective{Goal: jobs.Minimize, PrimaryMetric: "loss"}, Limits: jobs.SweepLimits{MaxTotalTrials: 3},
		Sampling: jobs.Sampling{Type: jobs.GridSampling},
	}).Set("data", jobs.URIFolder("azureml:x:1"))
	p.Output("m", s.Out("m"), jobs.OutputModel())
	job, err := p.Build()
	require.NoError(t, err)
	n := job.Jobs["tune"].(*jobs.SweepNode)
	k := n.Trial.(*jobs.CommandComponent)
	require.Equal(t, "fit ${{inputs.data}} --lr ${{inputs.lr}} --k ${{inputs.k}} --w ${{inputs.w}} ${{outputs.m}}", k.Command)
	require.Equal(t, jobs.ComponentInputs{"lr": {Type: "number"}, "k": {Type: "integer"}, "w": {Type: "string"}, "data": {Type: "uri_folder"}}, k.Inputs)
	require.Equal(t, "mlflow_model", k.Outputs["m"].Type)
	s.Set("lr", 0.1)
	_, err = p.Build()
	require.ErrorContains(t, err, "is in the search space")
}

// A pipeline is registered as a component, used as a step with its own data as default, and a pipeline of a file can be a step.
func TestPipelinesInPipelines(t *testing.T) {
	t.Parallel()
	in := pipeline.New("Inner-1").On("gpu").Version("2")
	a := in.Step("prep", prep()).In("raw", in.Input("raw", jobs.URIFolder("azureml:iris:1")))
	in.Output("clean", a.Out("clean"), jobs.OutputFolder().As("kept", ""))
	c, err := in.Component()
	require.NoError(t, err)
	require.Equal(t, "inner_1", c.Name)
	require.Equal(t, "2", c.Version)
	require.Equal(t, "gpu", c.Jobs["prep"].(*jobs.CommandNode).Compute)
	require.Equal(t, jobs.ComponentOutputs{"clean": {Type: "uri_folder"}}, c.Outputs)

	p := pipeline.New("p").On("cpu")
	one := p.Step("one", in)
	file, err := in.Build()
	require.NoError(t, err)
	two := p.Step("two", file).In("raw", one.Out("clean"))
	p.Step("three", c).In("raw", two.Out("clean"))
	p.Step("four", prep()).In("raw", one.Out("clean"))
	job, err := p.Build()
	require.NoError(t, err)
	require.Equal(t, jobs.Inputs{"raw": jobs.URIFolder("azureml:iris:1")}, job.Jobs["one"].(*jobs.PipelineNode).Inputs)
	require.Equal(t, "kept", job.Jobs["one"].(*jobs.PipelineNode).Outputs["clean"].Name)
	submit(t, job)
	_, err = pipeline.New("x").Component()
	require.ErrorContains(t, err, `pipeline: component "x"`)
}

func TestBindings(t *testing.T) {
	t.Parallel()
	p := pipeline.New("p").On("cpu")
	p.Step("a", prep()).Set("raw", jobs.URIFolder("azureml:x:1")).Bind("limits.timeout", p.Input("seconds", jobs.Literal(60))).Bind("compute", p.Input("where", jobs.Literal("big")))
	job, err := p.Build()
	require.NoError(t, err)
	n := job.Jobs["a"].(*jobs.CommandNode)
	require.Equal(t, "${{parent.inputs.seconds}}", n.Bindings["limits.timeout"])
	text, err := jobs.Dump(job)
	require.NoError(t, err)
	require.Contains(t, string(text), "timeout: ${{parent.inputs.seconds}}")
}

// The fluent forms of package jobs are steps as their structs are.
func TestFluentJobsBecomeSteps(t *testing.T) {
	t.Parallel()
	p := pipeline.New("p").On("cpu")
	rows := p.Input("rows", jobs.URIFolder("azureml:rows:1"))
	fit := jobs.Command("fit ${{inputs.data}} ${{inputs.lr}} ${{outputs.model}}").In(sklearn).Input("data", jobs.URIFolder("")).
		Input("lr", jobs.Literal(0.1)).Output("model", jobs.OutputModel())
	best := p.Step("search", jobs.Sweep(fit).LogUniform("lr", -6, -1).Maximize("accuracy").Trials(4).Grid()).In("data", rows)
	count := p.Step("count", jobs.Spark("testdata/dsl/src", "main.py").Driver(1, "2g").Executor(1, "2g").Executors(1).Serverless("standard_e4s_v3", "3.4").
		Input("rows", jobs.URIFolder("")).Args("--rows ${{inputs.rows}}")).In("rows", rows)
	score := p.Step("score", jobs.Parallel("main.py").Code("testdata/dsl/src").In(sklearn).Over("rows").
		AppendRow("scores").MiniBatch("10")).In("rows", rows)
	p.Output("model", best.Out("model")).Output("scores", score.Out("scores"))
	job, err := p.Build()
	require.NoError(t, err)
	require.Contains(t, job.Jobs["search"].(*jobs.SweepNode).Trial.(*jobs.CommandComponent).Command, "${{inputs.lr}}")
	require.Equal(t, jobs.DataType("uri_file"), job.Outputs["scores"].Type)
	submit(t, job)
	count.In("oops", rows)
	p.Step("bad", jobs.Parallel(""))
	_, err = p.Build()
	require.ErrorContains(t, err, `step "count": inputs.oops: the step has no input "oops"`)
	require.ErrorContains(t, err, `step "bad"`)
	_, err = fit.Build()
	require.ErrorContains(t, err, "a uri_folder needs a path", "as a job the input has to be somewhere")
}

func TestTypesOfInputsAreKnown(t *testing.T) {
	p := pipeline.New("p").On("c")
	p.Step("s", jobs.Command("true").In(azureml.Ref("azureml:e:1")))
	p.Optional("odd", "strange")
	p.Group("g").Parameter("x", jobs.ComponentInput{Type: "float"})
	_, err := p.Build()
	require.ErrorIs(t, err, pipeline.WrongType)
	require.ErrorContains(t, err, `inputs.odd: "strange" is no type`)
	require.ErrorContains(t, err, `inputs.g.x: "float" is no type`)
}

func TestFieldsThatAreBoundAreThere(t *testing.T) {
	p := pipeline.New("p").On("c")
	v := p.Input("v", jobs.Literal(1))
	fit := p.Step("fit", jobs.Command("echo >${{outputs.o}}").In(azureml.Ref("azureml:e:1")).Output("o", jobs.OutputFile())).
		Bind("limits.timeout", v).Bind("resources.instance_count", v).Bind("environment_variables.X", v).Bind("distribution.worker_count", v).
		Bind("limits.timeoutt", v).Bind("inputs.x", v)
	p.Step("late", jobs.Command("true").In(azureml.Ref("azureml:e:1"))).Bind("limits.timeout", fit.Out("o"))
	_, err := p.Build()
	require.Len(t, pipeline.Faults(err), 3)
	require.ErrorContains(t, err, `step "fit": limits.timeoutt: a step of the kind command has no such field`)
	require.ErrorContains(t, err, `step "fit": inputs.x: inputs are bound by In`)
	require.ErrorContains(t, err, `step "late": limits.timeout: a field is bound to an input of the pipeline`)
}

// Circles are told one by one, also where other steps wait for what is in one.
func TestCirclesThatOthersWaitFor(t *testing.T) {
	t.Parallel()
	work := func() *jobs.CommandBuilder {
		return jobs.Command("x ${{inputs.i}} ${{inputs.k}} ${{outputs.o}}").In(sklearn).Input("k", jobs.Literal("none"))
	}
	p := pipeline.New("x").On("cpu")
	a, b, c, d := p.Step("a", work()), p.Step("b", work()), p.Step("c", work()), p.Step("d", work())
	a.In("i", b.Out("o"))
	b.In("i", a.Out("o"))
	c.In("i", a.Out("o")).In("k", d.Out("o"))
	d.In("i", c.Out("o")).In("k", b.Out("o"))
	_, err := p.Build()
	require.ErrorIs(t, err, pipeline.Cyclic)
	var steps []string
	for _, f := range pipeline.Faults(err) {
		if f.Kind == pipeline.Cyclic {
			steps = append(steps, f.Step)
		}
	}
	require.Equal(t, []string{"a", "c"}, steps)
}

// Each building tells the same faults in the same order.
func TestFaultsHaveAnOrder(t *testing.T) {
	t.Parallel()
	c := &jobs.CommandComponent{Command: "x", Environment: sklearn, Inputs: jobs.ComponentInputs{}}
	p := pipeline.New("x").On("cpu")
	loop := p.Step("body", jobs.Command("y ${{inputs.z}}").In(sklearn).Input("z", jobs.Literal(1)))
	items := jobs.Inputs{}
	for _, name := range []string{"h", "b", "g", "a", "f", "c"} {
		c.Inputs[name] = jobs.ComponentInput{Type: "uri_folder"}
		items[name] = jobs.Literal(1)
		p.Input(name, jobs.URIFolder(""))
	}
	p.Step("one", c)
	p.ParallelFor("each", loop, items)
	_, err := p.Build()
	require.Error(t, err)
	for range 20 {
		_, again := p.Build()
		require.EqualError(t, again, err.Error())
	}
}

// The maps of a job that was built are its own, those of the kinds of steps too.
func TestBuiltJobsShareNothing(t *testing.T) {
	t.Parallel()
	sweep := jobs.Sweep(jobs.Command("x ${{inputs.lr}}").In(sklearn)).Uniform("lr", 0, 1).Maximize("acc").Trials(2)
	spark := &jobs.SparkNode{Resources: &jobs.SparkResources{InstanceType: "standard_e4s_v3", RuntimeVersion: "3.4"}, Component: azureml.Ref("azureml:s:1"), Conf: jobs.SparkConf{"a": int64(1)}}
	p := pipeline.New("p").On("cpu").ContinueOnFailure(true).ForceRerun(true)
	p.Step("tune", sweep)
	p.Step("count", spark)
	first, err := p.Build()
	require.NoError(t, err)
	first.Jobs["tune"].(*jobs.SweepNode).SearchSpace["lr"] = jobs.Choice(1)
	first.Jobs["count"].(*jobs.SparkNode).Conf["a"] = int64(2)
	*first.Settings.ContinueOnStepFailure, *first.Settings.ForceRerun = false, false
	second, err := p.Build()
	require.NoError(t, err)
	require.Equal(t, jobs.Uniform(0, 1), second.Jobs["tune"].(*jobs.SweepNode).SearchSpace["lr"])
	require.EqualValues(t, 1, second.Jobs["count"].(*jobs.SparkNode).Conf["a"])
	require.EqualValues(t, 1, spark.Conf["a"])
	require.True(t, *second.Settings.ContinueOnStepFailure && *second.Settings.ForceRerun)
}

func TestNamesOfVariables(t *testing.T) {
	p := pipeline.New("p").On("c")
	p.Step("s", jobs.Command("true").In(azureml.Ref("azureml:e:1"))).Env("A=B", "x").Env("C", "y")
	_, err := p.Build()
	require.Len(t, pipeline.Faults(err), 1)
	require.ErrorContains(t, err, `step "s": environment_variables: "A=B" cannot be a variable's name`)
}

// What is nil is told, and breaks nothing.
func TestNothingIsNoStep(t *testing.T) {
	t.Parallel()
	for _, of := range []any{
		nil, (*jobs.CommandJob)(nil), (*jobs.CommandBuilder)(nil), (*jobs.ParallelBuilder)(nil), (*jobs.CommandComponent)(nil), (*jobs.PipelineNode)(nil),
		(*pipeline.Builder)(nil), &jobs.CommandNode{Component: (*jobs.CommandComponent)(nil)}, (*jobs.UnknownNode)(nil),
	} {
		p := pipeline.New("p").On("cpu")
		p.Output("o", p.Step("one", of).Out("o"))
		_, err := p.Build()
		require.ErrorContains(t, err, `step "one"`, "%T", of)
		require.NotNil(t, pipeline.Draw(&jobs.PipelineJob{Jobs: jobs.Nodes{"n": nil}}, nil).SVG())
	}
}
