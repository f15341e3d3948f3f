package pipeline

import (
	"fmt"

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
	// States are what became of the steps, by name, or by the name that they show; those of a pipeline within are called
	// "outer/inner", the rounds of a loop "body_0", "body_1". See [States] and [AllStates].
	States map[string]State
	// LeftToRight draws from left to right instead of from top to bottom.
	LeftToRight bool
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
	for name, when := range map[string]string{stepNamed(j.Settings.OnInit): "first", stepNamed(j.Settings.OnFinalize): "last"} {
		if i := d.g.find(step_, name); name != "" && i >= 0 {
			d.g.vs[i].sub += ", runs " + when
		}
	}
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

func inputText(in jobs.Input) string {
	if in.Value != nil {
		return in.Text()
	}
	if in.Path == "" {
		return string(in.Type)
	}
	return fmt.Sprintf("%s %s", kindOf(in), in.Path)
}
