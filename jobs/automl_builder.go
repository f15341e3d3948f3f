package jobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml"
)

// AutoMLBuilder makes an AutoMLJob step by step. What is wrong is kept and comes out at Build, all of it; Submit reports it with what else is
// wrong.
type AutoMLBuilder struct {
	j      AutoMLJob
	faults azureml.Faults
}

// AutoML begins a job that finds a model for a task. The task given is not changed.
func AutoML(task AutoMLTask) *AutoMLBuilder {
	b := &AutoMLBuilder{}
	if task == nil {
		return b.fault("task", "a task is required: %s", automlTaskNames())
	}
	b.j.Task = task.clone()
	return b
}

// AutoMLClassification begins a job that predicts a column's class. The data are an MLTable, here and below.
func AutoMLClassification(training Input, target string) *AutoMLBuilder {
	return AutoML(&ClassificationTask{TrainingData: training, Target: target})
}

// AutoMLRegression begins a job that predicts a column's number.
func AutoMLRegression(training Input, target string) *AutoMLBuilder {
	return AutoML(&RegressionTask{TrainingData: training, Target: target})
}

// AutoMLForecasting begins a job that predicts a column's future. The time stands in another column.
func AutoMLForecasting(training Input, target, timeColumn string) *AutoMLBuilder {
	return AutoML(&ForecastingTask{TrainingData: training, Target: target, Forecasting: &Forecast{TimeColumn: timeColumn}})
}

// AutoMLImageClassification begins a job that gives images one label each.
func AutoMLImageClassification(training Input, target string) *AutoMLBuilder {
	return AutoML(&ImageClassificationTask{TrainingData: training, Target: target})
}

// AutoMLImageMultilabel begins a job that gives images any number of labels.
func AutoMLImageMultilabel(training Input, target string) *AutoMLBuilder {
	return AutoML(&ImageMultilabelTask{TrainingData: training, Target: target})
}

// AutoMLObjectDetection begins a job that finds things in images, with boxes around them.
func AutoMLObjectDetection(training Input, target string) *AutoMLBuilder {
	return AutoML(&ObjectDetectionTask{TrainingData: training, Target: target})
}

// AutoMLInstanceSegmentation begins a job that finds things in images, with their outlines.
func AutoMLInstanceSegmentation(training Input, target string) *AutoMLBuilder {
	return AutoML(&InstanceSegmentationTask{TrainingData: training, Target: target})
}

// AutoMLTextClassification begins a job that gives texts one label each.
func AutoMLTextClassification(training Input, target string) *AutoMLBuilder {
	return AutoML(&TextClassificationTask{TrainingData: training, Target: target})
}

// AutoMLTextMultilabel begins a job that gives texts any number of labels.
func AutoMLTextMultilabel(training Input, target string) *AutoMLBuilder {
	return AutoML(&TextMultilabelTask{TrainingData: training, Target: target})
}

// AutoMLTextNER begins a job that finds names in texts.
func AutoMLTextNER(training Input) *AutoMLBuilder {
	return AutoML(&TextNERTask{TrainingData: training})
}

func (b *AutoMLBuilder) fault(field, format string, a ...any) *AutoMLBuilder {
	b.faults = append(b.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	return b
}

// Named sets the job's name.
func (b *AutoMLBuilder) Named(name string) *AutoMLBuilder {
	if !jobName.MatchString(name) {
		return b.fault("name", "%q cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most", name)
	}
	b.j.Name = name
	return b
}

// Display sets the name that people see.
func (b *AutoMLBuilder) Display(name string) *AutoMLBuilder {
	b.j.DisplayName = name
	return b
}

// Describe sets the description.
func (b *AutoMLBuilder) Describe(text string) *AutoMLBuilder {
	b.j.Description = text
	return b
}

// Experiment sets the experiment that the job belongs to.
func (b *AutoMLBuilder) Experiment(name string) *AutoMLBuilder {
	b.j.Experiment = name
	return b
}

// Tag adds a tag.
func (b *AutoMLBuilder) Tag(key, value string) *AutoMLBuilder {
	if old, twice := b.j.Tags[key]; twice && old != value {
		return b.fault("tags."+key, "is set twice, to %q and %q", old, value)
	}
	if b.j.Tags == nil {
		b.j.Tags = map[string]string{}
	}
	b.j.Tags[key] = value
	return b
}

// On sets the compute: its name or id.
func (b *AutoMLBuilder) On(compute string) *AutoMLBuilder {
	b.j.Compute = compute
	return b
}

// As sets who the job acts as.
func (b *AutoMLBuilder) As(identity azureml.Identity) *AutoMLBuilder {
	b.j.Identity = identity
	return b
}

// Resources sets what machines a serverless job wants.
func (b *AutoMLBuilder) Resources(r azureml.Resources) *AutoMLBuilder {
	b.j.Resources = &r
	return b
}

// Queue sets the tier and priority of a serverless job.
func (b *AutoMLBuilder) Queue(q Queue) *AutoMLBuilder {
	b.j.Queue = &q
	return b
}

// Output adds an output: best_model is the best trial's model.
func (b *AutoMLBuilder) Output(name string, out Output) *AutoMLBuilder {
	field := "outputs." + name
	switch _, twice := b.j.Outputs[name]; {
	case twice:
		return b.fault(field, "is given twice")
	case !inputName.MatchString(name):
		return b.fault(field, "%q cannot be an output's name: %s", name, inputNameRules)
	}
	if f := out.fault(); f != "" {
		return b.fault(field, "%s", f)
	}
	if b.j.Outputs == nil {
		b.j.Outputs = Outputs{}
	}
	b.j.Outputs[name] = out
	return b
}

// part sets one of the task's parts, which not every task has.
func part[T any](b *AutoMLBuilder, field string, p *T, v T) *AutoMLBuilder {
	if p == nil {
		return b.fault(field, "is nothing that this task has")
	}
	*p = v
	return b
}

func (b *AutoMLBuilder) parts() taskParts {
	if b.j.Task == nil {
		return taskParts{}
	}
	return b.j.Task.parts()
}

// Validate sets the table that trials are judged by.
func (b *AutoMLBuilder) Validate(data Input) *AutoMLBuilder {
	return part(b, "validation_data", b.parts().validation, data)
}

// Test sets the table that the best model is tried on.
func (b *AutoMLBuilder) Test(data Input) *AutoMLBuilder {
	return part(b, "test_data", b.parts().test, data)
}

// Metric sets what trials are judged by, such as "accuracy".
func (b *AutoMLBuilder) Metric(name string) *AutoMLBuilder {
	p := b.parts()
	if p.setMetric == nil {
		return b.fault("primary_metric", "is nothing that this task has")
	}
	if y, ok := p.metrics.Parse(name); ok {
		p.setMetric(y)
		return b
	}
	return b.fault("primary_metric", "%q is none of %s", name, strings.Join(p.metrics.Values(), ", "))
}

// Trials bounds how many models are tried, and how many at once; 0 leaves that to AutoML.
func (b *AutoMLBuilder) Trials(total, concurrent int) *AutoMLBuilder {
	if total < 0 || concurrent < 0 {
		return b.fault("limits.max_trials", "%d trials, %d at once: less than none", total, concurrent)
	}
	l := limitsOf(b.j.Task)
	part(b, "limits.max_trials", l.trials, total)
	return part(b, "limits.max_concurrent_trials", l.concurrent, concurrent)
}

// Nodes sets how many nodes training may be spread over.
func (b *AutoMLBuilder) Nodes(n int) *AutoMLBuilder {
	if n < 1 {
		return b.fault("limits.max_nodes", "%d nodes are none", n)
	}
	return part(b, "limits.max_nodes", limitsOf(b.j.Task).nodes, n)
}

// Timeout bounds how long the whole search may take, in whole minutes.
func (b *AutoMLBuilder) Timeout(d time.Duration) *AutoMLBuilder {
	return b.minutes("limits.timeout_minutes", limitsOf(b.j.Task).timeout, d)
}

// TrialTimeout bounds how long each trial may take, in whole minutes.
func (b *AutoMLBuilder) TrialTimeout(d time.Duration) *AutoMLBuilder {
	return b.minutes("limits.trial_timeout_minutes", limitsOf(b.j.Task).trialTimeout, d)
}

func (b *AutoMLBuilder) minutes(field string, p *time.Duration, d time.Duration) *AutoMLBuilder {
	if d <= 0 || d%time.Minute != 0 {
		return b.fault(field, "%v is not a positive number of whole minutes", d)
	}
	return part(b, field, p, d)
}

// With lets a function change what is the task's own: With(func(t jobs.AutoMLTask) { t.(*jobs.ForecastingTask).… }).
func (b *AutoMLBuilder) With(change func(AutoMLTask)) *AutoMLBuilder {
	if b.j.Task != nil && change != nil {
		change(b.j.Task)
	}
	return b
}

// Build gives the job, or every fault that was met. It can be called again.
func (b *AutoMLBuilder) Build() (*AutoMLJob, error) {
	if b == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	c := &checker{faults: append(azureml.Faults(nil), b.faults...)}
	if b.j.Task != nil {
		c.task(b.j.Task, false)
	}
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	j := b.j
	j.Tags, j.Outputs, j.Task = maps.Clone(j.Tags), maps.Clone(j.Outputs), b.j.Task.clone()
	return &j, nil
}

// partial gives the job as far as it has been made, with what was wrong.
func (b *AutoMLBuilder) partial() (definition, azureml.Faults) {
	if b == nil || b.j.Task == nil {
		return nil, nil
	}
	j := b.j
	j.Tags, j.Outputs, j.Task = maps.Clone(j.Tags), maps.Clone(j.Outputs), b.j.Task.clone()
	return &j, slices.Clone(b.faults)
}

func (b *AutoMLBuilder) job() (definition, error) {
	j, err := b.Build()
	if err != nil {
		return nil, err
	}
	return j, nil
}

// limitParts points at a task's limits; what a task does not have is nil.
type limitParts struct {
	trials, concurrent, nodes *int
	timeout, trialTimeout     *time.Duration
}

// limitsOf points at a task's limits, which it makes where there are none.
func limitsOf(t AutoMLTask) limitParts {
	switch t := t.(type) {
	case *ClassificationTask:
		return tableLimitsOf(&t.Limits)
	case *RegressionTask:
		return tableLimitsOf(&t.Limits)
	case *ForecastingTask:
		return tableLimitsOf(&t.Limits)
	case *ImageClassificationTask:
		return imageLimitsOf(&t.Limits)
	case *ImageMultilabelTask:
		return imageLimitsOf(&t.Limits)
	case *ObjectDetectionTask:
		return imageLimitsOf(&t.Limits)
	case *InstanceSegmentationTask:
		return imageLimitsOf(&t.Limits)
	case *TextClassificationTask:
		return textLimitsOf(&t.Limits)
	case *TextMultilabelTask:
		return textLimitsOf(&t.Limits)
	case *TextNERTask:
		return textLimitsOf(&t.Limits)
	}
	return limitParts{}
}

func tableLimitsOf(l **TableLimits) limitParts {
	*l = copied(*l)
	return limitParts{&(*l).MaxTrials, &(*l).MaxConcurrentTrials, &(*l).MaxNodes, &(*l).Timeout, &(*l).TrialTimeout}
}

func imageLimitsOf(l **ImageLimits) limitParts {
	*l = copied(*l)
	return limitParts{&(*l).MaxTrials, &(*l).MaxConcurrentTrials, nil, &(*l).Timeout, nil}
}

func textLimitsOf(l *TextLimits) limitParts {
	return limitParts{&l.MaxTrials, &l.MaxConcurrentTrials, &l.MaxNodes, &l.Timeout, &l.TrialTimeout}
}

// copied is a copy of what p points at, or a new value: a task that was given is not changed.
func copied[T any](p *T) *T {
	var v T
	if p != nil {
		v = *p
	}
	return &v
}
