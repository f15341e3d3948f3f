package jobs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// FlowComponent is a prompt flow as a step, which runs it on each row of its input data. Its files are prompt flow's own:
// flow.dag.yaml, or a run's that names one. A *ParallelNode runs it: the input data is what the flow reads, inputs of
// any other name say by "${data.column}" what the flow's inputs are.
type FlowComponent struct {
	azureml.Meta
	Schema string `yaml:"$schema" json:"-" spec:"-"`
	// Name defaults to the folder's, Version to 1.
	Name        string            `yaml:"name" json:"-"`
	Version     string            `yaml:"version" json:"-"`
	DisplayName string            `yaml:"display_name" json:"-"`
	Description string            `yaml:"description,empty" json:"-"`
	Tags        map[string]string `yaml:"tags" json:"-"`
	// Flow is the folder with flow.dag.yaml, or a file like that. Required.
	Flow string `yaml:"flow,local" json:"-" spec:"-"`
	// Variant is of a node: "${NODE.VARIANT}".
	Variant string `yaml:"variant" json:"-"`
	// ColumnMappings are a run's own: a step says them as inputs.
	ColumnMappings map[string]string `yaml:"column_mappings" json:"-" spec:"-"`
	// Connections are parameters of nodes, by the node's name.
	Connections map[string]map[string]string `yaml:"connections" json:"-"`
	// EnvironmentVariables are added to the flow's own.
	EnvironmentVariables map[string]string        `yaml:"environment_variables" json:"-"`
	Environment          assets.EnvironmentSource `yaml:"-" json:"-" spec:"environment"`
	IsDeterministic      *bool                    `yaml:"-" json:"-" spec:"is_deterministic"`
	// AdditionalIncludes are put beside the flow. They are added to the flow's own.
	AdditionalIncludes Includes       `yaml:"additional_includes" json:"-" spec:"-"`
	Properties         map[string]any `yaml:"-" json:"-" spec:"properties"`
	// Definition is the address of the flow's file, once the component is registered.
	Definition string `yaml:"-" json:"-" spec:"flow_definition_uri"`

	code      string // id of the snapshot
	made      provenance
	anonymous bool
}

// The words by which prompt flow's files say what they are.
const (
	flowSchema = "https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json"
	runSchema  = "https://azuremlschemas.azureedge.net/promptflow/latest/Run.schema.json"
	flowFile   = "flow.dag.yaml"
	flowTools  = ".promptflow/flow.tools.json"
	flowType   = "promptflow_parallel"
)

var flowComponent = wire.Layout{Name: "flow component", IgnoreUnknown: true}

// WireLayout places the fields.
func (FlowComponent) WireLayout() *wire.Layout { return &flowComponent }

// pickComponent recognises prompt flow's files, which name no type.
func pickComponent(d *wire.Decoding, n *wire.Node) any {
	if s, _ := n.Get("$schema").Str(); d.Spelling() == wire.YAML && (s == flowSchema || s == runSchema) {
		return new(FlowComponent)
	}
	return nil
}

// flowOverrides is what a file says under the key azureml.
type flowOverrides struct {
	Environment     assets.EnvironmentSource `yaml:"environment" json:"-"`
	IsDeterministic *bool                    `yaml:"is_deterministic" json:"-"`
}

// EncodeWire writes the component: as a run's file, or as its specification without what is known once its code is there.
func (c FlowComponent) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() != wire.YAML {
		if c.Name == "" {
			c.Name, c.Version = c.called(), anonymousNumber
		}
		m, err := e.Plain(c)
		if err != nil {
			return nil, err
		}
		m["type"] = flowType
		deterministic(e, m)
		return m, nil
	}
	c.Schema = runSchema
	m, err := e.Plain(c)
	if err != nil {
		return nil, err
	}
	over, err := e.Value(flowOverrides{c.Environment, c.IsDeterministic})
	if o, ok := over.(map[string]any); ok && len(o) > 0 {
		m["azureml"] = o
	}
	return m, err
}

// DecodeWire reads a flow's file, a run's, or a specification.
func (c *FlowComponent) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*c = FlowComponent{}
	if d.Spelling() != wire.YAML {
		d.Plain(n, c)
		c.code, _ = n.Get("code").Str() // absent before it is registered
		return
	}
	d.Plain(n.Without("azureml", "environment", "inputs", "outputs"), c)
	if at := n.Get("azureml"); at != nil {
		var o flowOverrides
		d.At("azureml").Into(at, &o)
		c.Environment, c.IsDeterministic = o.Environment, o.IsDeterministic
		anonymous(d, c.Environment)
	}
	if v := n.Get("version"); v != nil && v.Kind != wire.String {
		d.At("version").Fault(v, "a flow's version is text: put it in quotes")
	}
	c.made = fromYAML
	if s, _ := n.Get("$schema").Str(); s == flowSchema {
		if c.Flow = n.File(); c.Flow == "" {
			d.Fault(n, "a flow is read from its file")
		}
	} else {
		c.run(d, n)
	}
	if c.Name == "" {
		c.Name = c.called()
	}
	if c.Version == "" {
		c.Version = anonymousNumber
	}
}

// run reads the flow that a run's file names.
func (c *FlowComponent) run(d *wire.Decoding, n *wire.Node) {
	at := n.Get("flow")
	name, _ := at.Str()
	if name == "" {
		d.Fault(n, "the required field %q is missing", "flow")
		return
	}
	if info, err := os.Stat(c.Flow); err == nil && info.IsDir() {
		name = filepath.Join(name, flowFile)
		c.Flow = filepath.Join(c.Flow, flowFile)
	}
	file := d.At("flow").Open(at, name)
	if file == nil {
		return
	}
	var own FlowComponent
	d.At("flow").Plain(only(file, "environment_variables", "additional_includes"), &own)
	vars := maps.Clone(own.EnvironmentVariables)
	if vars == nil {
		vars = map[string]string{}
	}
	maps.Copy(vars, c.EnvironmentVariables)
	if len(vars) > 0 {
		c.EnvironmentVariables = vars
	}
	c.AdditionalIncludes = append(own.AdditionalIncludes, c.AdditionalIncludes...)
}

// place is the folder of the flow, and the name of its file.
func (c *FlowComponent) place() (dir, file string) {
	if info, err := os.Stat(c.Flow); err == nil && info.IsDir() {
		return c.Flow, flowFile
	}
	return filepath.Dir(c.Flow), filepath.Base(c.Flow)
}

// called is the folder's name as a component's.
func (c *FlowComponent) called() string {
	dir, _ := c.place()
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return strings.ReplaceAll(filepath.Base(dir), "-", "_")
}

func (c *FlowComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, properties: c.Properties, made: &c.made, anonymous: &c.anonymous, open: true,
		inputs: ComponentInputs{
			"data": {Type: string(TypeURIFolder)}, "flow_outputs": {Type: string(TypeURIFolder), Optional: new(true)},
		},
		outputs: ComponentOutputs{"flow_outputs": {Type: string(TypeURIFolder)}, "debug_info": {Type: string(TypeURIFolder)}},
	}
}

// ComponentRef is the component's id when it is registered, else "".
func (c *FlowComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *FlowComponent) cloneComponent() Component {
	out := *c
	return &out
}

func (c *FlowComponent) check(_ context.Context, k *checker) {
	k.componentHead(c.common())
	if c.Flow == "" {
		k.add("flow", "the flow is required: its folder, or its file")
		return
	}
	dir, file := c.place()
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		k.add("flow", "there is no %s", filepath.Join(dir, file))
		return
	}
	k.includes("additional_includes", c.AdditionalIncludes)
	tree, err := assets.Walk(context.Background(), dir, nil)
	if err != nil {
		k.add("flow", "%v", err)
		return
	}
	for _, f := range tree.Files {
		if f.Name == flowTools {
			return
		}
	}
	if len(c.AdditionalIncludes) == 0 {
		k.add("flow", "%s is missing, or ignored: `pf flow validate` makes it", filepath.Join(dir, filepath.FromSlash(flowTools)))
	}
}

func (c *FlowComponent) resolve(ctx context.Context, r *resolver) (err error) {
	if c.Environment, err = r.environment(ctx, "environment", c.Environment); err != nil {
		return err
	}
	if c.Environment, err = r.register(ctx, "environment", c.Environment); err != nil {
		return err
	}
	dir, file := c.place()
	if c.Name == "" {
		c.Flow = filepath.Join(dir, file) // it is called by its folder still
	}
	code, _, err := r.componentCode(ctx, "flow", Folder(dir), "", c.AdditionalIncludes)
	if err != nil {
		return err
	}
	c.code = strings.TrimPrefix(string(code.Ref), "azureml:")
	snapshot, err := r.snapshot(ctx, c.code)
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	c.Definition = strings.TrimSuffix(snapshot, "/") + "/" + file
	return nil
}

// snapshot is the address of a snapshot (CodeVersions_Get).
func (r *resolver) snapshot(ctx context.Context, id string) (string, error) {
	if strings.HasPrefix(id, notThere) {
		return id, nil
	}
	return once(r.refs, "snapshot "+id, func() (string, error) {
		parts := strings.Split(id, "/")
		if len(parts) < 3 {
			return "", fmt.Errorf("%q is no snapshot's id", id)
		}
		code, err := r.c.codes.Get(ctx, parts[len(parts)-3], parts[len(parts)-1])
		if err != nil {
			return "", err
		}
		return code.Path, nil
	})
}

// beforeHash takes out what the hash is not made of.
func (c *FlowComponent) beforeHash(spec map[string]any) { delete(spec, "flow_definition_uri") }

// afterHash adds what the hash is not made of.
func (c *FlowComponent) afterHash(spec map[string]any) {
	spec["code"] = c.code
	if c.Definition != "" {
		spec["flow_definition_uri"] = c.Definition
	}
}
