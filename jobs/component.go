package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Component is a reusable step of pipelines, of any kind: *CommandComponent, *ParallelComponent, *SparkComponent,
// *PipelineComponent, *DataTransferComponent, *ImportComponent, *FlowComponent and, of what the service answers, *UnknownComponent.
type Component interface {
	ComponentSource
	// common gives what all kinds have.
	common() component
	// check reports what is wrong with the component as it stands here.
	check(ctx context.Context, c *checker)
	// cloneComponent is a copy whose fields can be set without changing the original's.
	cloneComponent() Component
	// resolve turns names into ids and uploads code, in a clone.
	resolve(ctx context.Context, r *resolver) error
}

// ComponentSource is what a step of a pipeline takes as its component: an azureml.Ref to one that exists, or a
// Component that is registered when it is submitted.
type ComponentSource interface{ ComponentRef() azureml.Ref }

// component points at the fields that all kinds have.
type component struct {
	id, name, version, schema, displayName, description *string
	tags                                                *map[string]string
	properties                                          map[string]any
	inputs                                              ComponentInputs
	outputs                                             ComponentOutputs
	made                                                *provenance
	anonymous                                           *bool
	open                                                bool // there are more inputs, which only the component knows
}

// provenance is where a definition came from, in the service's words.
type provenance string

// The origins that services are told.
const (
	fromClass       provenance = "CLASS"
	fromBuilder     provenance = "BUILDER"
	fromDSL         provenance = "DSL"
	fromYAMLJob     provenance = "YAML.JOB"
	fromYAML        provenance = "YAML.COMPONENT"
	fromWorkspace   provenance = "REMOTE.WORKSPACE.COMPONENT"
	fromRegistry    provenance = "REMOTE.REGISTRY"
	fromRemoteJob   provenance = "REMOTE.WORKSPACE.JOB"
	fromBuiltin     provenance = "BUILTIN"
	anonymousNumber            = "1"
)

func (p provenance) or(other provenance) string {
	if p == "" {
		return string(other)
	}
	return string(p)
}

var componentName = regexp.MustCompile(`^[a-z][a-z\d_]*$`)

var componentSum = wire.RegisterSum[Component](&wire.Sum{
	Name: "component", YAML: "type", Default: "command", REST: "type",
	Arms: []wire.Arm{
		wire.ArmOf[CommandComponent]("command", "command"),
		wire.ArmOf[ParallelComponent]("parallel", "parallel"),
		wire.ArmOf[SparkComponent]("spark", "spark"),
		wire.ArmOf[PipelineComponent]("pipeline", "pipeline"),
		wire.ArmOf[DataTransferComponent]("data_transfer", "data_transfer"),
		wire.ArmOf[ImportComponent]("import", "import"),
		wire.ArmOf[FlowComponent](flowType, flowType),
	},
	Unknown: func() any { return new(UnknownComponent) },
	Pick:    pickComponent,
})

var _ = wire.RegisterSum[ComponentSource](&wire.Sum{
	Name: "component", YAML: "type", Default: "command", REST: "type", Arms: componentSum.Arms, Text: componentText, Unknown: componentSum.Unknown, Pick: pickComponent,
})

// componentText reads a step's component from a string: a reference, or the file that defines it.
func componentText(d *wire.Decoding, n *wire.Node, s string) (any, bool) {
	if d.Spelling() != wire.YAML || !wire.IsLocalPath(s) {
		return azureml.Ref(s), s != ""
	}
	file := d.Open(n, s)
	if file == nil {
		return nil, false
	}
	var c Component
	d.Into(file, &c)
	if c == nil {
		return nil, false
	}
	from := fromYAML
	if strings.HasPrefix(s, "file:") {
		from = fromYAMLJob
	}
	c.common().embed(from)
	return c, true
}

// embed makes the component one that is defined where it is used: it has no name of its own.
func (c component) embed(from provenance) {
	*c.name, *c.version, *c.made = "", "", from
}

// UnknownComponent is a component of a kind that this version does not know, as the service answered it.
type UnknownComponent struct {
	azureml.Meta
	Name        string
	Version     string
	Description string
	Spec        azureml.Raw
	fields      struct {
		schema, displayName string
		tags                map[string]string
		made                provenance
		anonymous           bool
	}
}

// DecodeWire keeps what it reads.
func (c *UnknownComponent) DecodeWire(_ *wire.Decoding, n *wire.Node) {
	if m, ok := n.Tree().(map[string]any); ok {
		c.Spec = m
	}
}

// EncodeWire writes what was read.
func (c UnknownComponent) EncodeWire(*wire.Encoding) (any, error) { return map[string]any(c.Spec), nil }

func (c *UnknownComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.fields.schema, displayName: &c.fields.displayName, description: &c.Description,
		tags: &c.fields.tags, made: &c.fields.made, anonymous: &c.fields.anonymous,
	}
}

func (c *UnknownComponent) check(_ context.Context, k *checker) {
	k.add("type", "a component of a kind that is not known cannot be submitted")
}

func (c *UnknownComponent) cloneComponent() Component {
	out := *c
	return &out
}

func (c *UnknownComponent) resolve(context.Context, *resolver) error { return nil }

// ComponentRef is the component's id when it is registered, else "".
func (c *UnknownComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

// specOf is the specification of a component as it travels. Without a name it is anonymous.
func specOf(c Component) (map[string]any, error) {
	spec, err := wire.ToSpec(c)
	if err != nil {
		return nil, err
	}
	if n, _ := spec["name"].(string); n == "" {
		spec["name"], spec["version"] = wire.AnonymousComponent, anonymousNumber
	}
	clearEmpty(spec)
	return spec, nil
}

// clearEmpty takes empty mappings, lists and nulls out of a specification, at any depth, as the reference does.
func clearEmpty(m map[string]any) {
	for k, v := range m {
		switch x := v.(type) {
		case nil:
			delete(m, k)
		case map[string]any:
			if clearEmpty(x); len(x) == 0 {
				delete(m, k)
			}
		case []any:
			if len(x) == 0 {
				delete(m, k)
			}
		}
	}
}

// componentBody is the body by which a component is registered, with its name and version.
func componentBody(c Component) (body map[string]any, name, version string, err error) {
	spec, err := specOf(c)
	if err != nil {
		return nil, "", "", err
	}
	k := c.common()
	name, version = *k.name, *k.version
	anonymous := k.nameless()
	props := map[string]any{}
	for p, v := range k.properties {
		props[p] = v
	}
	switch c.(type) {
	case *PipelineComponent, *DataTransferComponent: // properties of their files are the version's, not the specification's
		if m, ok := spec["properties"].(map[string]any); ok {
			maps.Copy(props, m)
			delete(spec, "properties")
		}
	}
	hashed := maps.Clone(spec)
	delete(hashed, "_source")
	if t, ok := c.(interface{ beforeHash(spec map[string]any) }); ok {
		t.beforeHash(hashed)
	}
	p, pipeline := c.(*PipelineComponent)
	if pipeline {
		spec["sourceJobId"], hashed["sourceJobId"] = nil, nil
		p.hashInputs(hashed)
	}
	if anonymous {
		name = wire.AnonymousComponent
		if version, err = wire.AnonymousComponentVersion(hashed); err != nil {
			return nil, "", "", err
		}
	} else if !pipeline {
		if props["client_component_hash"], err = wire.ComponentHash(hashed); err != nil {
			return nil, "", "", err
		}
	}
	if t, ok := c.(interface{ afterHash(spec map[string]any) }); ok {
		t.afterHash(spec)
	}
	spec["_source"] = k.made.or(fromClass)
	tags := map[string]any{}
	for t, v := range *k.tags {
		tags[t] = v
	}
	out := map[string]any{"componentSpec": spec, "isAnonymous": anonymous, "properties": props, "tags": tags}
	if !pipeline {
		out["isArchived"] = false
	}
	if text, said := spec["description"]; said || *k.description != "" {
		if out["description"] = *k.description; said {
			out["description"] = text
		}
	}
	return map[string]any{"properties": out}, name, version, nil
}

// decodeComponent reads a version of a component as the service answers it.
func decodeComponent(raw json.RawMessage) (Component, error) {
	v, err := wire.ParseJSON(raw)
	if err != nil {
		return nil, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the component is no JSON object")
	}
	props, _ := doc["properties"].(map[string]any) // absent: there is nothing to read then
	spec, _ := props["componentSpec"].(map[string]any)
	if spec == nil {
		spec = map[string]any{}
	}
	made, _ := spec["_source"].(string)
	if t, _ := spec["type"].(string); t == "command" && spec["command"] == "import" {
		spec = importSpec(spec)
	}
	var c Component
	if err := wire.FromSpec(spec, &c); err != nil {
		return nil, err
	}
	if c == nil {
		c = &UnknownComponent{Spec: spec}
	}
	k := c.common()
	*k.id, _ = doc["id"].(string)
	*k.made = provenance(made)
	*k.anonymous, _ = props["isAnonymous"].(bool)
	if m := componentID.FindStringSubmatch(*k.id); m != nil {
		*k.name, *k.version = m[1], m[2]
	}
	if *k.description == "" {
		*k.description, _ = props["description"].(string)
	}
	return c, nil
}

var componentID = regexp.MustCompile(`(?i)/components/([^/]+)(?:/versions/([^/]+))?$`)

// importSpec turns the command that an import travels as back into an import.
func importSpec(spec map[string]any) map[string]any {
	out := maps.Clone(spec)
	out["type"], out["source"] = "import", spec["inputs"]
	if o, ok := spec["outputs"].(map[string]any); ok {
		out["output"] = o["output"]
	}
	for _, k := range []string{"inputs", "outputs", "command"} {
		delete(out, k)
	}
	return out
}

// checkHead checks what all kinds of components have.
func (c *checker) componentHead(k component) {
	if n := *k.name; n != "" && !componentName.MatchString(n) {
		c.add("name", "%q cannot be a component's name: lower-case letters, digits and '_', beginning with a letter", n)
	}
	if *k.version != "" && *k.name == "" {
		c.add("version", "a version needs a name; without one the component is anonymous")
	}
	if strings.ContainsAny(*k.version, "/\\?#") {
		c.add("version", "%q cannot be a version", *k.version)
	}
	c.ports(k.inputs, k.outputs)
}

// promised are a component's inputs and outputs, for checking what refers to them.
func promised(in ComponentInputs, out ComponentOutputs) (Inputs, Outputs) {
	i, o := Inputs{}, Outputs{}
	for n := range in {
		i[n] = Input{Value: n}
	}
	for n := range out {
		o[n] = Output{}
	}
	return i, o
}
