package jobs

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// SweepJob runs a trial many times with different hyperparameters, and keeps the best.
type SweepJob struct {
	azureml.Meta
	Name        string            `yaml:"name" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Trial is what is run. Its command uses ${{search_space.x}}. Required.
	Trial Trial `yaml:"trial,required" json:"trial"`
	// SearchSpace is what is tried.
	SearchSpace SearchSpace `yaml:"search_space" json:"searchSpace"`
	// Sampling chooses the next hyperparameters.
	Sampling Sampling `yaml:"sampling_algorithm" json:"samplingAlgorithm"`
	// Objective is the metric by which trials are compared. Required.
	Objective Objective `yaml:"objective,required" json:"objective"`
	// EarlyTermination ends trials that do badly. Defaults to none.
	EarlyTermination EarlyTermination   `yaml:"early_termination" json:"earlyTermination"`
	Limits           SweepLimits        `yaml:"limits,required" json:"limits"`
	Compute          string             `yaml:"compute" json:"computeId"`
	Inputs           Inputs             `yaml:"inputs" json:"inputs,keep"`
	Outputs          Outputs            `yaml:"outputs" json:"outputs,keep"`
	Queue            *Queue             `yaml:"queue_settings" json:"queueSettings"`
	Resources        *azureml.Resources `yaml:"resources" json:"resources"`
	Identity         azureml.Identity   `yaml:"identity" json:"identity"`
	Services         Services           `yaml:"services" json:"services"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

var sweepJob = wire.Layout{
	Name: "sweep job",
	Base: "properties",
	At:   wire.Table{"name": "/name"},
	YAML: wire.Fixed{"type": "sweep"},
	REST: wire.Fixed{"jobType": "Sweep", "isArchived": false},
}

// WireLayout places the fields.
func (SweepJob) WireLayout() *wire.Layout { return &sweepJob }

// WireDocument is what the service answered.
func (j *SweepJob) WireDocument() *wire.Document { return &j.doc }

func (j *SweepJob) job() (definition, error) { return defined(j) }

func (j *SweepJob) jobType() string { return "Sweep" }

func (j *SweepJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, inputs: &j.Inputs, outputs: &j.Outputs,
	}
}

func (j *SweepJob) clone() definition {
	c := *j
	return &c
}

// Trial is the command of a sweep.
type Trial struct {
	Command              string                   `yaml:"command,required" json:"command"`
	Code                 Code                     `yaml:"code" json:"codeId"`
	Environment          assets.EnvironmentSource `yaml:"environment,required" json:"environmentId"`
	EnvironmentVariables Variables                `yaml:"environment_variables" json:"environmentVariables,keep"`
	Resources            *azureml.Resources       `yaml:"resources" json:"resources"`
	Distribution         Distribution             `yaml:"distribution" json:"distribution"`
	// Queue is the sweep's to say: the service takes none for a trial.
	Queue *Queue `yaml:"queue_settings" json:"-"`
}

// AfterDecodeWire makes the environment anonymous.
func (t *Trial) AfterDecodeWire(d *wire.Decoding, _ *wire.Node) { anonymous(d, t.Environment) }

// SamplingType is how the next hyperparameters are chosen.
type SamplingType string

// The algorithms.
const (
	RandomSampling   SamplingType = "random"
	GridSampling     SamplingType = "grid"
	BayesianSampling SamplingType = "bayesian"
)

var samplingTypes = wire.PascalEnum("random", "grid", "bayesian")

// WireEnum lists the spellings.
func (SamplingType) WireEnum() *wire.Enum { return samplingTypes }

// SamplingRule is how random numbers are drawn.
type SamplingRule string

// The rules. Sobol's sequence spreads them evenly.
const (
	RandomRule SamplingRule = "random"
	SobolRule  SamplingRule = "sobol"
)

var samplingRules = wire.SameEnum("random", "sobol")

// WireEnum lists the spellings.
func (SamplingRule) WireEnum() *wire.Enum { return samplingRules }

// Sampling chooses hyperparameters. Seed, Rule and LogBase are for random sampling.
type Sampling struct {
	Type SamplingType `yaml:"type,required" json:"samplingAlgorithmType"`
	Seed *int         `yaml:"seed" json:"seed"`
	Rule SamplingRule `yaml:"rule" json:"rule"`
	// LogBase is the base of logarithmic distributions: a number, or "e".
	LogBase string `yaml:"logbase,text" json:"logbase"`
}

// EncodeWire writes the name alone where that says all.
func (s Sampling) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML || e.Spelling() == wire.Spec {
		if s == (Sampling{Type: s.Type}) {
			return string(s.Type), nil
		}
	}
	m, err := e.Plain(s)
	if err != nil {
		return nil, err
	}
	if f, err := strconv.ParseFloat(s.LogBase, 64); err == nil && e.Spelling() != wire.YAML {
		m["logbase"] = f
	}
	return e.Tag(m, e.Key("samplingAlgorithmType")), nil
}

// DecodeWire reads a name or a mapping.
func (s *Sampling) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = Sampling{}
	if n.Kind == wire.String {
		d.Into(n, &s.Type)
		return
	}
	if v := n.Get("logbase"); v.IsScalar() && v.Kind != wire.String && d.Spelling() != wire.YAML {
		s.LogBase = v.Text
		d.Plain(n.Without("logbase"), s)
		return
	}
	d.Plain(n, s)
	if s.Type != RandomSampling && d.Strict() && (s.Seed != nil || s.Rule != "" || s.LogBase != "") {
		d.Fault(n, "seed, rule and logbase are for random sampling, not %s", s.Type)
	}
}

// Goal is the direction in which a metric gets better.
type Goal string

// The goals.
const (
	Minimize Goal = "minimize"
	Maximize Goal = "maximize"
)

var goals = wire.SameEnum("minimize", "maximize")

// WireEnum lists the spellings.
func (Goal) WireEnum() *wire.Enum { return goals }

// Objective is the metric by which trials are compared.
type Objective struct {
	Goal          Goal   `yaml:"goal,required" json:"goal"`
	PrimaryMetric string `yaml:"primary_metric,required" json:"primaryMetric"`
}

// EarlyTermination ends trials that do badly. At most one of its fields is set.
type EarlyTermination struct {
	Bandit              *Bandit              `yaml:"bandit" json:"Bandit"`
	MedianStopping      *MedianStopping      `yaml:"median_stopping" json:"MedianStopping"`
	TruncationSelection *TruncationSelection `yaml:"truncation_selection" json:"TruncationSelection"`
	Other               wire.Raw             `yaml:"-" json:"*"`
}

var earlyTermination = wire.Union{YAML: "type", REST: "policyType"}

// WireUnion describes the one-of.
func (EarlyTermination) WireUnion() *wire.Union { return &earlyTermination }

// Bandit ends trials that are further than the slack from the best.
type Bandit struct {
	// SlackFactor is a ratio, SlackAmount an amount; one of them is set.
	SlackFactor float64 `yaml:"slack_factor,null" json:"slackFactor,keep"`
	SlackAmount float64 `yaml:"slack_amount,null" json:"slackAmount,keep"`
	// EvaluationInterval is how many reports of the metric lie between looks, DelayEvaluation how many come
	// before the first.
	EvaluationInterval int `yaml:"evaluation_interval,null" json:"evaluationInterval,keep"`
	DelayEvaluation    int `yaml:"delay_evaluation,null" json:"delayEvaluation,keep"`
}

// MedianStopping ends trials below the median of the running averages.
type MedianStopping struct {
	EvaluationInterval int `yaml:"evaluation_interval,null" json:"evaluationInterval,default=1"`
	DelayEvaluation    int `yaml:"delay_evaluation,null" json:"delayEvaluation,keep"`
}

// TruncationSelection ends the worst percentage of trials at each look.
type TruncationSelection struct {
	TruncationPercentage int `yaml:"truncation_percentage,required" json:"truncationPercentage,keep"`
	EvaluationInterval   int `yaml:"evaluation_interval,null" json:"evaluationInterval,keep"`
	DelayEvaluation      int `yaml:"delay_evaluation,null" json:"delayEvaluation,keep"`
}

// SweepLimits bound a sweep.
type SweepLimits struct {
	// MaxTotalTrials is required.
	MaxTotalTrials int `yaml:"max_total_trials,required" json:"maxTotalTrials"`
	// MaxConcurrentTrials defaults to the service's choice.
	MaxConcurrentTrials int           `yaml:"max_concurrent_trials" json:"maxConcurrentTrials"`
	Timeout             time.Duration `yaml:"timeout,seconds" json:"timeout" node:",seconds"`
	TrialTimeout        time.Duration `yaml:"trial_timeout,seconds" json:"trialTimeout" node:",seconds"`
}

var sweepLimits = wire.Layout{REST: wire.Fixed{"jobLimitsType": "Sweep"}}

// WireLayout places the fields.
func (SweepLimits) WireLayout() *wire.Layout { return &sweepLimits }

// AfterEncodeWire gives the sweep the trial's resources, as the reference SDK does.
func (j SweepJob) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST || e.Merging() || j.Resources != nil {
		return nil
	}
	if t, ok := m["trial"].(map[string]any); ok && t["resources"] != nil {
		m["resources"] = t["resources"]
	}
	return nil
}

func (j *SweepJob) check(ctx context.Context, c *checker) {
	c.head(j.head())
	c.command("trial.command", j.Trial.Command, j.Trial.Code, j.Inputs, j.Outputs, slices.Collect(maps.Keys(j.SearchSpace)))
	c.code(ctx, "trial.code", j.Trial.Code)
	c.environment(ctx, "trial.environment", j.Trial.Environment)
	c.variables("trial.environment_variables", j.Trial.EnvironmentVariables)
	c.compute(ctx, "compute", j.Compute)
	c.services(j.Services)
	c.sweep(j.SearchSpace, j.Sampling, j.EarlyTermination, j.Objective, j.Limits, nil)
}

// sweep checks what sweep jobs and sweep steps have.
// Fields that are bound have no value yet.
func (c *checker) sweep(space SearchSpace, sampling Sampling, policy EarlyTermination, goal Objective, limits SweepLimits, bound wire.Bindings) {
	add := func(field, format string, a ...any) {
		if bound[field] == "" {
			c.add(field, format, a...)
		}
	}
	how, ok := samplingTypes.Parse(string(sampling.Type))
	switch {
	case sampling.Type == "" || isExpression(string(sampling.Type)):
	case !ok:
		add("sampling_algorithm.type", "%q is none of %s", sampling.Type, strings.Join(samplingTypes.Values(), ", "))
	case how != string(RandomSampling) && sampling != (Sampling{Type: sampling.Type}):
		add("sampling_algorithm", "seed, rule and logbase are for random sampling, not %s", sampling.Type)
	}
	policy.check(add)
	for _, name := range slices.Sorted(maps.Keys(space)) {
		if !inputName.MatchString(name) {
			add("search_space."+name, "%q cannot be a hyperparameter's name: %s", name, inputNameRules)
		}
		if f := space[name].fault(); f != "" {
			add("search_space."+name, "%s", f)
		}
	}
	if goal.Goal == "" {
		add("objective.goal", "minimize or maximize is required")
	} else if _, ok := goals.Parse(string(goal.Goal)); !ok && !isExpression(string(goal.Goal)) {
		add("objective.goal", "%q is neither minimize nor maximize", goal.Goal)
	}
	if goal.PrimaryMetric == "" {
		add("objective.primary_metric", "the name of the metric is required")
	}
	if limits.MaxTotalTrials <= 0 {
		add("limits.max_total_trials", "the number of trials is required")
	}
	if limits.MaxConcurrentTrials < 0 {
		add("limits.max_concurrent_trials", "%d is negative", limits.MaxConcurrentTrials)
	}
	c.seconds("limits.timeout", limits.Timeout)
	c.seconds("limits.trial_timeout", limits.TrialTimeout)
}

// check checks what ends trials early.
func (t EarlyTermination) check(add func(field, format string, a ...any)) {
	looks := func(interval, delay int) {
		if interval < 0 {
			add("early_termination.evaluation_interval", "%d is negative", interval)
		}
		if delay < 0 {
			add("early_termination.delay_evaluation", "%d is negative", delay)
		}
	}
	set := 0
	if b := t.Bandit; b != nil {
		if set++; b.SlackFactor < 0 || b.SlackAmount < 0 {
			add("early_termination", "a slack is not negative")
		}
		looks(b.EvaluationInterval, b.DelayEvaluation)
	}
	if m := t.MedianStopping; m != nil {
		set++
		looks(m.EvaluationInterval, m.DelayEvaluation)
	}
	if p := t.TruncationSelection; p != nil {
		if set++; p.TruncationPercentage < 1 || p.TruncationPercentage > 99 {
			add("early_termination.truncation_percentage", "%d is not from 1 to 99", p.TruncationPercentage)
		}
		looks(p.EvaluationInterval, p.DelayEvaluation)
	}
	if set > 1 {
		add("early_termination", "%d policies are set; a sweep has one", set)
	}
}

func (j *SweepJob) resolve(ctx context.Context, r *resolver) (err error) {
	t := &j.Trial
	if t.Environment, err = r.environment(ctx, "trial.environment", t.Environment); err != nil {
		return err
	}
	if j.Inputs, err = r.references(ctx, j.Inputs); err != nil {
		return err
	}
	if t.Code, t.Command, err = r.compile(ctx, "trial.code", t.Code, t.Command, j.Compute); err != nil {
		return err
	}
	if t.Environment, err = r.register(ctx, "trial.environment", t.Environment); err != nil {
		return err
	}
	if t.Code, err = r.sendCode(ctx, "trial.code", t.Code); err != nil {
		return err
	}
	if j.Inputs, err = r.uploads(ctx, j.Inputs); err != nil {
		return err
	}
	j.Compute = r.compute(j.Compute)
	return nil
}
