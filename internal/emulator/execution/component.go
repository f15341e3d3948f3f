package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// component is what is read of a component's specification, whose keys are
// those of its YAML.
type component struct {
	id      string
	missing string          // the id of one that is not there; only plans have such
	raw     json.RawMessage // the specification as it is stored

	Type                 string                    `json:"type"`
	Inputs               map[string]*componentPort `json:"inputs"`
	Outputs              map[string]*componentPort `json:"outputs"`
	Command              string                    `json:"command"`
	Code                 string                    `json:"code"`
	Environment          string                    `json:"environment"`
	EnvironmentVariables map[string]scalar         `json:"environment_variables"`
	Resources            json.RawMessage           `json:"resources"`
	Distribution         json.RawMessage           `json:"distribution"`
	Jobs                 map[string]arm.Part       `json:"jobs"`
	Deterministic        *bool                     `json:"is_deterministic"`
}

type componentPort struct {
	Type     string  `json:"type"`
	Optional flag    `json:"optional"`
	Default  *scalar `json:"default"`
	Mode     string  `json:"mode"`
}

// flag is a boolean that components spell as text, too.
type flag bool

func (f *flag) UnmarshalJSON(b []byte) error {
	*f = flag(strings.EqualFold(strings.Trim(string(b), `"`), "true"))
	return nil
}

// literal types take values and not files.
func literalType(t string) bool {
	switch strings.ToLower(t) {
	case "string", "number", "integer", "boolean":
		return true
	}
	return false
}

// component reads what a componentId names.
func (e *Engine) component(ctx context.Context, sc arm.Scope, id string) (*component, error) {
	if c := signalComponent(id); c != nil {
		return c, nil
	}
	loc, err := e.Resolver.Resolve(ctx, sc, id, "components")
	if err != nil {
		return nil, err
	}
	var p struct{ ComponentSpec json.RawMessage }
	if err := json.Unmarshal(loc.Properties, &p); err != nil {
		return nil, fmt.Errorf("component %s: %w", loc.AssetID, err)
	}
	return readComponent(loc.AssetID, p.ComponentSpec)
}

// readComponent decodes a component's specification.
func readComponent(id string, spec json.RawMessage) (*component, error) {
	c := &component{id: id, raw: spec}
	if err := json.Unmarshal(spec, c); err != nil {
		return nil, arm.Invalid("componentSpec", "the component %s cannot be read: %v", id, err)
	}
	if c.Type == "" {
		c.Type = "command"
	}
	return c, nil
}

// own reads fields of the specification that its type alone has.
func (c *component) own(into any) error {
	if err := json.Unmarshal(c.raw, into); err != nil {
		return arm.Invalid("componentSpec", "the component %s cannot be read: %v", c.id, err)
	}
	return nil
}

// assetID is an id as specifications spell it, without the prefix that they
// put before it. That of azureml://registries/… is its scheme.
func assetID(s string) string {
	rest, ok := strings.CutPrefix(s, "azureml:")
	if ok && (strings.HasPrefix(rest, "azureml:") || strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "//")) {
		return rest
	}
	return s
}

// camel turns a mapping's own keys, not those below properties, from the
// YAML's spelling into REST's.
func camel(raw json.RawMessage) (map[string]any, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[camelKey(k)] = v
	}
	return out, nil
}

func camelKey(k string) string {
	var b strings.Builder
	up := false
	for _, r := range k {
		switch {
		case r == '_':
			up = true
		case up:
			b.WriteString(strings.ToUpper(string(r)))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
