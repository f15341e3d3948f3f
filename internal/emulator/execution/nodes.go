package execution

import (
	"encoding/json"
	"maps"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// nodeType is how steps of one type become jobs. The file of a type adds it by
// addNode.
type nodeType struct {
	// component is the type of the component that a step of this type has; ""
	// for types without one.
	component string
	// id tells which component a step has. Defaults to its componentId.
	id func(s *step) string
	// check finds what is wrong with the node itself, before its component is read.
	check func(s *step) error
	// job adds to the properties of the step's job what its type says. p has
	// displayName, experimentName, computeId when there is one, and inputs and
	// outputs with their bindings followed; the type sets jobType, which is one
	// of kinds.
	job func(g *graph, s *step, p map[string]any) error
	// control connects a node of control flow, which runs no job of its own.
	control func(g *graph, s *step, field string, add func(error))
	// refuse says why the local workspace does not run the type.
	refuse string
}

var nodes = map[string]*nodeType{}

// addNode makes pipelines know a type of step, by its word in YAML.
func addNode(word string, n *nodeType) { nodes[word] = n }

func init() {
	addNode("command", &nodeType{component: "command", job: commandNode})
	addNode("pipeline", &nodeType{component: "pipeline", job: pipelineNode})
	addNode("sweep", &nodeType{component: "command", job: sweepNode, id: func(s *step) string {
		if s.Trial != "" {
			return string(s.Trial)
		}
		return s.ComponentID
	}})
	addNode("automl", &nodeType{refuse: "the local workspace trains no AutoML models"})
	addNode("import", &nodeType{refuse: "the local workspace reaches no databases or file systems of others"})
}

// kindOf is the step's type; a step that names none runs a command.
func (s *step) kindOf() *nodeType {
	if s.Type == "" {
		return nodes["command"]
	}
	return nodes[s.Type]
}

// commandNode fills a command job.
func commandNode(g *graph, s *step, p map[string]any) error {
	run, err := g.command(s)
	if err != nil {
		return err
	}
	p["jobType"] = "Command"
	maps.Copy(p, run)
	limits, err := camel(s.Limits)
	if err != nil {
		return at("limits", err)
	}
	if limits != nil {
		seconds(limits)
		p["limits"] = limits
	}
	return nil
}

// pipelineNode fills the pipeline of a nested one's component.
func pipelineNode(g *graph, s *step, p map[string]any) error {
	set := g.spec.Settings
	set.DefaultCompute, set.OnInit, set.OnFinalize = g.compute(s), "", ""
	p["jobType"], p["jobs"], p["settings"] = "Pipeline", s.component.Jobs, set
	return nil
}

func sweepNode(g *graph, s *step, p map[string]any) error {
	trial, err := g.command(s)
	if err != nil {
		return err
	}
	return s.sweep(p, trial)
}

// refusedNode is the error of a step that the local workspace does not run.
func refusedNode(s *step) *arm.Error {
	if n := s.kindOf(); n != nil && n.refuse != "" {
		return arm.Invalid("type", "a step of type %s: %s", s.Type, n.refuse)
	}
	return arm.Invalid("type", "the local workspace runs no steps of type %q; it runs: %s", s.Type, wordsOf(nodes))
}

// wordsOf lists the types that are run.
func wordsOf(of map[string]*nodeType) string {
	text := ""
	for _, w := range sorted(of) {
		if of[w].refuse == "" {
			if text != "" {
				text += ", "
			}
			text += w
		}
	}
	return text
}

// own reads the node's own fields, in the YAML's spelling.
func (s *step) own(into any) error {
	if err := json.Unmarshal(s.raw, into); err != nil {
		return arm.Invalid("", "the step cannot be read: %v", err)
	}
	return nil
}
