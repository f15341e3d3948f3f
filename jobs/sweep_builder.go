package jobs

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/azureml-go/azureml"
)

// SweepBuilder makes a SweepJob step by step. What is wrong is kept and comes out at Build, all of it; Submit reports it with
// what else is wrong.
type SweepBuilder struct {
	heading[SweepBuilder]
	j SweepJob
}

// Sweep begins a job that runs a trial many times with different hyperparameters. The trial is a command, as a *CommandJob or
// its builder, whose inputs, outputs, compute, timeout (of each trial) and names become the sweep's; it is not changed. It
// refers to a hyperparameter by ${{search_space.lr}}. An input that is given a range, by Over and the like, is that
// hyperparameter: ${{inputs.lr}} stands for it then, so that the command that runs alone can be swept as it is.
func Sweep(trial Spec) *SweepBuilder {
	b := &SweepBuilder{}
	b.b, b.h, b.text = b, b.j.head(), &b.j.Description
	b.j.Sampling.Type = RandomSampling
	var c *CommandJob
	switch t := trial.(type) {
	case *CommandBuilder:
		if t != nil {
			c = t.copy()
			for _, f := range t.faults {
				b.faults = append(b.faults, &azureml.Fault{Field: "trial." + f.Field, Message: f.Message, Cause: f.Cause})
			}
		}
	case *CommandJob:
		if t != nil {
			d := *t
			c = &d
		}
	}
	if c == nil {
		return b.fault("trial", "the trial is a command: jobs.Command(…) or a *jobs.CommandJob, not a %T", trial)
	}
	b.take(c)
	return b
}

// take makes the command's what is the sweep's.
func (b *SweepBuilder) take(c *CommandJob) {
	j := &b.j
	j.Name, j.DisplayName, j.Experiment, j.Description = c.Name, c.DisplayName, c.Experiment, c.Description
	j.Compute, j.Identity, j.Queue = c.Compute, c.Identity, c.Queue
	j.Tags, j.Properties = maps.Clone(c.Tags), maps.Clone(c.Properties)
	j.Inputs, j.Outputs, j.Services = maps.Clone(c.Inputs), maps.Clone(c.Outputs), maps.Clone(c.Services)
	j.Trial = Trial{
		Command: c.Command, Code: c.Code, Environment: c.Environment, EnvironmentVariables: maps.Clone(c.EnvironmentVariables),
		Resources: c.Resources, Distribution: c.Distribution,
	}
	if c.Limits != nil {
		j.Limits.TrialTimeout = c.Limits.Timeout
	}
	if c.Compute == localCompute {
		b.fault("compute", "a sweep does not run on the submitter's machine; name a compute")
	}
}

// Over adds a hyperparameter: Over("lr", jobs.LogUniform(-6, -1)).
func (b *SweepBuilder) Over(name string, values Space) *SweepBuilder {
	field := "search_space." + name
	if _, twice := b.j.SearchSpace[name]; twice {
		return b.fault(field, "is given twice")
	}
	if b.j.SearchSpace == nil {
		b.j.SearchSpace = SearchSpace{}
	}
	b.j.SearchSpace[name] = values
	return b
}

// Choice adds a hyperparameter that is one of some values: text, numbers, booleans, or mappings of further hyperparameters
// (map[string]any) in which a Space may stand.
func (b *SweepBuilder) Choice(name string, values ...any) *SweepBuilder {
	return b.Over(name, Choice(values...))
}

// Uniform adds a number between two.
func (b *SweepBuilder) Uniform(name string, low, high float64) *SweepBuilder {
	return b.Over(name, Uniform(low, high))
}

// LogUniform adds e to the power of a number between two.
func (b *SweepBuilder) LogUniform(name string, low, high float64) *SweepBuilder {
	return b.Over(name, LogUniform(low, high))
}

// QUniform adds a multiple of q between two numbers.
func (b *SweepBuilder) QUniform(name string, low, high, q float64) *SweepBuilder {
	return b.Over(name, QUniform(low, high, q))
}

// QLogUniform is LogUniform rounded to multiples of q.
func (b *SweepBuilder) QLogUniform(name string, low, high, q float64) *SweepBuilder {
	return b.Over(name, QLogUniform(low, high, q))
}

// Normal adds a normally distributed number.
func (b *SweepBuilder) Normal(name string, mu, sigma float64) *SweepBuilder {
	return b.Over(name, Normal(mu, sigma))
}

// LogNormal adds a number whose logarithm is normally distributed.
func (b *SweepBuilder) LogNormal(name string, mu, sigma float64) *SweepBuilder {
	return b.Over(name, LogNormal(mu, sigma))
}

// QNormal is Normal rounded to multiples of q.
func (b *SweepBuilder) QNormal(name string, mu, sigma, q float64) *SweepBuilder {
	return b.Over(name, QNormal(mu, sigma, q))
}

// QLogNormal is LogNormal rounded to multiples of q.
func (b *SweepBuilder) QLogNormal(name string, mu, sigma, q float64) *SweepBuilder {
	return b.Over(name, QLogNormal(mu, sigma, q))
}

// RandInt adds a whole number from 0 up to, but not including, upper.
func (b *SweepBuilder) RandInt(name string, upper int) *SweepBuilder {
	return b.Over(name, RandInt(upper))
}

func (b *SweepBuilder) goal(g Goal, metric string) *SweepBuilder {
	if o := b.j.Objective; o != (Objective{}) && o != (Objective{g, metric}) {
		return b.fault("objective", "is set twice, to %s %q and %s %q", o.Goal, o.PrimaryMetric, g, metric)
	}
	b.j.Objective = Objective{g, metric}
	return b
}

// Maximize compares trials by a metric of which more is better.
func (b *SweepBuilder) Maximize(metric string) *SweepBuilder { return b.goal(Maximize, metric) }

// Minimize compares trials by a metric of which less is better.
func (b *SweepBuilder) Minimize(metric string) *SweepBuilder { return b.goal(Minimize, metric) }

// Sample sets how the next hyperparameters are chosen. Defaults to random numbers without a seed.
func (b *SweepBuilder) Sample(s Sampling) *SweepBuilder {
	b.j.Sampling = s
	return b
}

// Random draws hyperparameters by chance: the same ones for the same seed.
func (b *SweepBuilder) Random(seed int) *SweepBuilder {
	return b.Sample(Sampling{Type: RandomSampling, Seed: &seed})
}

// Sobol draws hyperparameters by Sobol's sequence, which spreads them evenly.
func (b *SweepBuilder) Sobol(seed int) *SweepBuilder {
	return b.Sample(Sampling{Type: RandomSampling, Rule: SobolRule, Seed: &seed})
}

// Grid tries all combinations of choices.
func (b *SweepBuilder) Grid() *SweepBuilder { return b.Sample(Sampling{Type: GridSampling}) }

// Bayesian chooses the next hyperparameters by what the earlier ones gave.
func (b *SweepBuilder) Bayesian() *SweepBuilder { return b.Sample(Sampling{Type: BayesianSampling}) }

func (b *SweepBuilder) policy(e EarlyTermination) *SweepBuilder {
	if p := b.j.EarlyTermination; p.Bandit != nil || p.MedianStopping != nil || p.TruncationSelection != nil {
		return b.fault("early_termination", "is set twice: a sweep has one policy")
	}
	b.j.EarlyTermination = e
	return b
}

// Bandit ends trials that are further than the slack from the best. The slack is a factor or an amount.
func (b *SweepBuilder) Bandit(p Bandit) *SweepBuilder {
	if (p.SlackFactor == 0) == (p.SlackAmount == 0) {
		b.fault("early_termination", "a bandit has a slack factor or a slack amount, one of them")
	}
	return b.policy(EarlyTermination{Bandit: &p})
}

// MedianStopping ends trials below the median of the running averages.
func (b *SweepBuilder) MedianStopping(p MedianStopping) *SweepBuilder {
	return b.policy(EarlyTermination{MedianStopping: &p})
}

// TruncationSelection ends the worst percentage of trials at each look.
func (b *SweepBuilder) TruncationSelection(p TruncationSelection) *SweepBuilder {
	if p.TruncationPercentage < 1 || p.TruncationPercentage > 99 {
		b.fault("early_termination.truncation_percentage", "%d is not from 1 to 99", p.TruncationPercentage)
	}
	return b.policy(EarlyTermination{TruncationSelection: &p})
}

// Trials bounds how many trials there are.
func (b *SweepBuilder) Trials(n int) *SweepBuilder {
	if n < 1 {
		return b.fault("limits.max_total_trials", "%d trials are none", n)
	}
	b.j.Limits.MaxTotalTrials = n
	return b
}

// Concurrent bounds how many trials run at once.
func (b *SweepBuilder) Concurrent(n int) *SweepBuilder {
	if n < 1 {
		return b.fault("limits.max_concurrent_trials", "%d trials at once are none", n)
	}
	b.j.Limits.MaxConcurrentTrials = n
	return b
}

// Timeout bounds how long the sweep may take, in whole seconds.
func (b *SweepBuilder) Timeout(d time.Duration) *SweepBuilder {
	return b.seconds("limits.timeout", &b.j.Limits.Timeout, d)
}

// TrialTimeout bounds how long each trial may take, in whole seconds.
func (b *SweepBuilder) TrialTimeout(d time.Duration) *SweepBuilder {
	return b.seconds("limits.trial_timeout", &b.j.Limits.TrialTimeout, d)
}

func (b *SweepBuilder) seconds(field string, p *time.Duration, d time.Duration) *SweepBuilder {
	if d <= 0 || d%time.Second != 0 {
		return b.fault(field, "%v is not a positive number of whole seconds", d)
	}
	*p = d
	return b
}

// Resources sets what machines each trial wants.
func (b *SweepBuilder) Resources(r azureml.Resources) *SweepBuilder {
	b.j.Trial.Resources = &r
	return b
}

// Queue sets the tier and priority of a serverless job.
func (b *SweepBuilder) Queue(q Queue) *SweepBuilder {
	b.j.Queue = &q
	return b
}

// Build gives the job, or every fault that was met. It can be called again.
func (b *SweepBuilder) Build() (*SweepJob, error) {
	if b == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	j := b.copy()
	c := &checker{faults: slices.Clone(b.faults)}
	c.unfilled(j.Inputs)
	if j.Trial.Command != "" || j.Trial.Code.Go != nil || len(c.faults) == 0 {
		c.command("trial.command", j.Trial.Command, j.Trial.Code, j.Inputs, j.Outputs, slices.Collect(maps.Keys(j.SearchSpace)))
	}
	c.sweep(j.SearchSpace, j.Sampling, j.EarlyTermination, j.Objective, j.Limits, nil)
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	return j, nil
}

var inputExpression = regexp.MustCompile(`\$\{\{\s*inputs\.([A-Za-z_]\w*)\s*\}\}`)

// copy gives the job as far as it has been made. Inputs that are swept are hyperparameters in it.
func (b *SweepBuilder) copy() *SweepJob {
	j := b.j
	j.head().apart()
	j.Properties, j.Services = maps.Clone(j.Properties), maps.Clone(j.Services)
	j.SearchSpace, j.Trial.EnvironmentVariables = maps.Clone(j.SearchSpace), maps.Clone(j.Trial.EnvironmentVariables)
	for name := range j.SearchSpace {
		delete(j.Inputs, name)
	}
	j.Trial.Command = inputExpression.ReplaceAllStringFunc(j.Trial.Command, func(s string) string {
		name := inputExpression.FindStringSubmatch(s)[1]
		if _, swept := j.SearchSpace[name]; !swept {
			return s
		}
		return "${{search_space." + name + "}}"
	})
	return &j
}

// partial gives the job as far as it has been made, with what was wrong.
func (b *SweepBuilder) partial() (definition, azureml.Faults) {
	if b == nil {
		return nil, nil
	}
	return b.copy(), slices.Clone(b.faults)
}

func (b *SweepBuilder) job() (definition, error) {
	j, err := b.Build()
	if err != nil {
		return nil, err
	}
	return j, nil
}
