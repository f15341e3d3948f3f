package pipeline

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/azureml-go/azureml/jobs"
)

// Drawing is a picture of a pipeline: its inputs, steps, outputs and what they give each other. Pipelines within it are drawn
// inside their step, where their definition is at hand; branches and loops point at the steps that they run.
type Drawing struct {
	g       *graph
	title   string
	states  bool
	sideway bool
}

// DrawOptions are the choices of Draw.
type DrawOptions struct {
	// Title stands above the drawing. Defaults to the display name of the pipeline, else its name.
	Title string
	// States are what became of the steps, by name; those of a pipeline within are called "outer/inner". See [States].
	States map[string]State
	// LeftToRight draws from left to right instead of from top to bottom.
	LeftToRight bool
}

// State is what became of a step in a run.
type State struct {
	Status jobs.Status
	// Reused tells that the result is that of an earlier run.
	Reused bool
	// Duration is how long the step ran, 0 when that is not known.
	Duration time.Duration
}

// String is the state in words, such as "Completed in 2.3s".
func (s State) String() string {
	switch {
	case s.Reused:
		return "Reused"
	case s.Duration > 0:
		unit := 10 * time.Millisecond
		if s.Duration >= time.Minute {
			unit = time.Second
		}
		return fmt.Sprintf("%s in %s", s.Status, s.Duration.Round(unit))
	}
	return string(s.Status)
}

// Draw makes a drawing of a pipeline, built or read from a file.
func Draw(j *jobs.PipelineJob, o *DrawOptions) *Drawing {
	if o == nil {
		o = &DrawOptions{}
	}
	d := &Drawing{title: o.Title, states: len(o.States) > 0, sideway: o.LeftToRight}
	if j == nil {
		d.g = &graph{}
		return d
	}
	if d.title == "" {
		d.title = j.DisplayName
	}
	if d.title == "" {
		d.title = j.Name
	}
	s := &sketch{states: o.States}
	if c, ok := j.Component.(*jobs.PipelineComponent); ok && len(j.Jobs) == 0 {
		d.g = s.component(c, "")
		return d
	}
	d.g = s.graph(j.Jobs, "")
	for name, in := range j.Inputs {
		s.describe(d.g, input_, name, inputText(in))
	}
	for name, out := range j.Outputs {
		s.describe(d.g, output_, name, string(out.Type))
	}
	return d
}

// DrawComponent makes a drawing of a pipeline component.
func DrawComponent(c *jobs.PipelineComponent, o *DrawOptions) *Drawing {
	if c == nil {
		return Draw(nil, o)
	}
	title := c.DisplayName
	if title == "" {
		title = c.Name
	}
	return Draw(&jobs.PipelineJob{DisplayName: title, Component: c}, o)
}

// States gives what became of the steps of a pipeline, from its children, as jobs.Client.Children lists them: by the name of
// the step, which is what the child's name adds to the parent's, else the child's display name. now is the time to which
// running steps are counted.
func States(parent string, children iter.Seq2[*jobs.Run, error], now time.Time) (map[string]State, error) {
	out := map[string]State{}
	for run, err := range children {
		if err != nil {
			return nil, err
		}
		name, ok := strings.CutPrefix(run.Name, parent+"_")
		if !ok {
			if name = run.DisplayName; name == "" {
				name = run.Name
			}
		}
		out[name] = State{
			Status: run.Status, Duration: run.Duration(now),
			Reused: strings.EqualFold(run.Properties["azureml.isreused"], "true"),
		}
	}
	return out, nil
}

func inputText(in jobs.Input) string {
	if in.Value != nil {
		return in.Text()
	}
	if in.Path == "" {
		return string(in.Type)
	}
	return fmt.Sprintf("%s %s", kindOf(in), in.Path)
}
